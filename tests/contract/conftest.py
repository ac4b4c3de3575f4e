"""The packager's conformance kit: `pytest tests/contract [--packager-url URL [--packager-control URL]]`; docs/conformance.md."""

from collections.abc import Iterator

import pytest
from contract_host import OK, ContractHost
from contract_machine import ENOUGH, FILLED, KIT_CASSETTE, LOOK, TOO_MANY, Machine, simulated

OWNER = b"contract kit"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell which machine is to be tried; without one the simulator is."""
    kit = parser.getgroup("packager", "conformance of a packager (docs/conformance.md)")
    kit.addoption("--packager-url", help="its port: /dev/ttyUSB0, the path of a pty, socket://host:port")
    kit.addoption("--packager-control", help="its control port, http://host:port, where it has one")
    kit.addoption("--packager-fence", type=int, default=1, help="fence of the kit, at least the machine's (default 1)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test against the machine that was given, or against the simulator over a pty and over TCP."""
    if "machine" in metafunc.fixturenames:
        given = metafunc.config.getoption("--packager-url", default=None)
        metafunc.parametrize("machine", ["given"] if given else ["pty", "tcp"], indirect=True, scope="session")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what takes a person at the machine, unless `-m hardware` asks for it."""
    asked = "hardware" in item.config.option.markexpr and item.config.getoption("--packager-url", default=None)
    if item.get_closest_marker("hardware") and not asked:
        pytest.skip("takes a person at the machine: run with -s -m hardware --packager-url URL")


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine under test."""
    option = request.config.getoption
    fence = option("--packager-fence", default=1)
    if request.param == "given":
        yield Machine(option("--packager-url"), option("--packager-control"), fence)
        return
    with simulated(tmp_path_factory.mktemp(request.param), request.param, fence) as started:
        yield started


@pytest.fixture
def host(machine: Machine) -> Iterator[ContractHost]:
    """A host with a session at a machine that is at rest."""
    with ContractHost(machine.url) as opened:
        opened.hello(machine.fence)
        opened.ask(0x08, bytes([0, len(OWNER)]) + OWNER)
        opened.acknowledge_all()
        status = opened.status()
        assert status.state == 0, f"the kit needs a machine at rest; its state is {status.state}, reason {status.reason}"
        opened.events.clear()
        yield opened


@pytest.fixture
def cassette(machine: Machine, host: ContractHost) -> tuple[int, int]:
    """(slot, cassette) with tablets for a test in it; loaded by the control port, or by hand before the run."""
    found = [entry for first in range(1, host.status().slot_count + 1, 20) for entry in host.status(first).slots]
    if machine.control is None:
        ready = [entry[:2] for entry in found if entry[1] and ENOUGH <= entry[2] <= TOO_MANY]
        if not ready:
            pytest.skip("put a cassette with 60 tablets in, in any slot, and run again")
        return ready[0]
    ours = [entry for entry in found if entry[1] == KIT_CASSETTE] or [entry for entry in found if entry[1] == 0]
    assert ours, "no slot is free for the kit's cassette"
    slot, _, remaining = ours[0]
    machine.steer("POST", f"/cassettes/{slot}", {"cassette": KIT_CASSETTE, "item": "contract", "lot": "kit",
                                                 "count": max(0, FILLED - remaining), "look": LOOK})
    host.acknowledge_all()
    return slot, KIT_CASSETTE


@pytest.fixture
def locked(host: ContractHost) -> Iterator[ContractHost]:
    """A host that holds the service lock, and gives it back."""
    assert host.ask(0x08, bytes([1, len(OWNER)]) + OWNER) == (OK, bytes([1, len(OWNER)]) + OWNER)
    yield host
    assert host.ask(0x08, bytes([2, len(OWNER)]) + OWNER)[0] == OK
    assert host.ask(0x08, bytes([0, len(OWNER)]) + OWNER) == (OK, b"\0\0")
