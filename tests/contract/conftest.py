"""The conformance kit: `pytest tests/contract [--packager-url URL | --mqtt-url URL] [--packager-control URL]`; docs/conformance.md."""

from collections.abc import Iterator

import pytest
from contract_host import OK, ContractHost
from contract_machine import ENOUGH, FILLED, KIT_CASSETTE, LOOK, TOO_MANY, Machine, simulated, until
from contract_mqtt import MqttHost
from contract_plant import DEVICE, SITE, Device, given, started

OWNER = b"contract kit"
ENGINEER = "contract kit"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell which machine is to be tried; without one the simulator is."""
    kit = parser.getgroup("packager", "conformance of a packager (docs/conformance.md)")
    kit.addoption("--packager-url", help="its port: /dev/ttyUSB0, the path of a pty, socket://host:port")
    kit.addoption("--packager-control", help="its control port, http://host:port, where it has one")
    kit.addoption("--packager-fence", type=int, default=1, help="fence of the kit, at least the machine's (default 1)")
    kit.addoption("--mqtt-url", help="the broker at which a device speaks docs/mqtt.md: mqtt://host:port")
    kit.addoption("--mqtt-site", default=SITE, help=f"the site in its topics (default {SITE})")
    kit.addoption("--mqtt-device", default=DEVICE, help=f"its name in topics (default {DEVICE})")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test against what was given; without, against the simulator at a pty, at TCP, behind a bridge, and on its own at MQTT."""
    asked = metafunc.config.getoption
    serial, broker = asked("--packager-url", default=None), asked("--mqtt-url", default=None)
    for fixture, is_given, other, simulators in (
        ("machine", serial, broker, ["pty", "tcp"]), ("device", broker, serial, ["native", "bridge"])):
        if fixture in metafunc.fixturenames:
            left_out = pytest.param("none", marks=pytest.mark.skip(reason="another way to the machine was given"))
            ways = ["given"] if is_given else [left_out] if other else simulators
            metafunc.parametrize(fixture, ways, indirect=True, scope="session")


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


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """The device under test at the MQTT contract."""
    option = request.config.getoption
    fence = option("--packager-fence", default=1)
    if request.param == "given":
        control = option("--packager-control", default=None)
        yield given(option("--mqtt-url"), option("--mqtt-site"), option("--mqtt-device"), control, fence)
        return
    with started(tmp_path_factory.mktemp(request.param), request.param, fence) as running:
        yield running


@pytest.fixture
def hub(device: Device) -> Iterator[MqttHost]:
    """The kit as the hub of a device that is at rest."""
    with device.host() as opened:
        until(lambda: bool(opened.states) and opened.states[-1]["state"] == "ready", "the device is not ready")
        opened.settle()
        opened.heard.clear()
        yield opened


@pytest.fixture
def tray(device: Device, hub: MqttHost) -> tuple[int, int]:
    """(slot, cassette) with tablets for a test in it; loaded by the control port, or by hand before the run."""
    found = hub.status()["cassettes"]
    if device.machine.control is None:
        ready = [each for each in found if ENOUGH <= each["remaining"] <= TOO_MANY]
        if not ready:
            pytest.skip("put a cassette with 60 tablets in, in any slot, and run again")
        return ready[0]["slot"], ready[0]["cassette"]
    taken = {each["slot"]: each for each in found if each["cassette"] != KIT_CASSETTE}
    slot = next(number for number in range(1, 251) if number not in taken)
    more = FILLED - hub.remaining(slot)
    if more > 0:
        device.machine.steer("POST", f"/cassettes/{slot}", {"cassette": KIT_CASSETTE, "item": "contract", "lot": "kit",
                                                            "count": more, "look": LOOK})
        until(lambda: hub.remaining(slot) == FILLED, "the cassette that was put in is not told of")
    return slot, KIT_CASSETTE


@pytest.fixture
def held(hub: MqttHost) -> Iterator[MqttHost]:
    """A hub whose engineer holds the service lock, and gives it back."""
    assert hub.serve("lock", mode="take", owner=ENGINEER)["data"] == {"locked": True, "owner": ENGINEER}
    yield hub
    hub.serve("lock", mode="take-over", owner=ENGINEER)
    assert hub.serve("lock", mode="release", owner=ENGINEER)["data"] == {"locked": False, "owner": ""}
