"""The shipped rights of printers and of the hub's printing, on the real broker: each can do its own work, and nothing else."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hub.adapters.label_printing import LabelPrinting
from hub.adapters.workers import Worker
from hub.domain.identifiers import DeviceId, PackSerial
from hub.domain.records import Print
from tests.bridge.plant import wait_until
from tests.bridge.printer_desk import TINY, PrinterBridgeProcess
from tests.mqtt.secure_broker import DEPLOYMENT, Client, SecureBroker, secure_broker
from tests.printer.printer_plant import running_printer
from tests.services.small_world import World

# The passwords of the shared broker are those of its machines, so machines of it are the printers here.
PRINTER, OTHER = "mercy.packager-1", "mercy.packager-2"
HUB, PRINTING = "mercy.hub", "saint.hub"
PRINTER_TELLS = ("$state", "$description", "status", "print/evt")
PRINTER_HEARS = ("print/cmd", "print/ack")
HUB_STATE = "dosehub/v1/mercy/hub/$state"
MARKER = b"the last one"


def rights() -> str:
    blocks = [
        _filled("hub.acl", SITE="mercy"),
        _filled("printing.acl", SITE="mercy").replace("mercy.printing", PRINTING),
    ]
    return "".join(
        [*blocks, *(_filled("printer.acl", SITE="mercy", DEVICE=user.split(".")[1]) for user in (PRINTER, OTHER))]
    )


def _filled(name: str, **words: str) -> str:
    text = (DEPLOYMENT / name).read_text("utf-8")
    for word, filling in words.items():
        text = text.replace(word, filling)
    return text


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with secure_broker(tmp_path_factory.mktemp("printers"), rights()) as running:
        yield running


def topics(device: str, leaves: tuple[str, ...]) -> set[str]:
    return {f"dosehub/v1/mercy/{device}/{leaf}" for leaf in leaves}


def of_both(leaves: tuple[str, ...]) -> set[str]:
    return topics("packager-1", leaves) | topics("packager-2", leaves)


OF_MACHINES = topics("packager-1", ("job/cmd", "job/evt", "job/ack", "svc/cmd", "svc/evt", "trace"))
EVERYTHING = {HUB_STATE} | of_both(PRINTER_TELLS + PRINTER_HEARS) | OF_MACHINES
MAY_WRITE = {
    PRINTER: topics("packager-1", PRINTER_TELLS),
    PRINTING: of_both(PRINTER_HEARS),
}
MAY_READ = {
    PRINTER: {HUB_STATE} | topics("packager-1", PRINTER_HEARS),
    PRINTING: {HUB_STATE} | of_both(("$state", "$description", "status", "print/evt")),
}


@pytest.mark.parametrize("user", [PRINTER, PRINTING])
def test_user_may_send_his_own_and_is_refused_everything_else(broker: SecureBroker, user: str) -> None:
    with Client(broker.port, broker.authority, user) as client:
        assert {topic for topic in sorted(EVERYTHING) if client.publish(topic)} == MAY_WRITE[user]


def test_hub_itself_prints_nothing(broker: SecureBroker) -> None:
    with Client(broker.port, broker.authority, HUB) as hub:
        assert not any(hub.publish(topic) for topic in of_both(PRINTER_HEARS))


@pytest.mark.parametrize(("user", "marker"), [(PRINTER, HUB_STATE), (PRINTING, "dosehub/v1/mercy/packager-2/status")])
def test_user_hears_his_own_and_nothing_else_whatever_he_subscribes_to(
    broker: SecureBroker, user: str, marker: str
) -> None:
    with ExitStack() as open_clients:
        clients = {
            name: open_clients.enter_context(Client(broker.port, broker.authority, name))
            for name in (PRINTER, OTHER, HUB, PRINTING)
        }
        clients[user].subscribe("#", "dosehub/v1/+/+/#", *sorted(EVERYTHING))
        sent = {topic for client in clients.values() for topic in sorted(EVERYTHING) if client.publish(topic)}
        assert sent >= EVERYTHING - topics("packager-1", ("job/evt", "svc/cmd", "svc/evt", "trace"))
        teller = HUB if marker == HUB_STATE else OTHER
        assert clients[teller].publish(marker, MARKER)
        assert clients[user].heard_until(marker, MARKER) == MAY_READ[user]


def test_label_goes_all_the_way_over_tls_with_no_other_rights(
    broker: SecureBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(broker.authority))
    world = World(tmp_path, stocked=False)
    house = replace(world.house, printer=DeviceId("packager-1"))
    label = Print(
        PackSerial("P1"),
        house.printer,
        TINY.digest().hex(),
        TINY.width,
        TINY.height,
        base64.b64encode(TINY.bits).decode(),
    )
    world.do(lambda unit: unit.prints.put(label))
    printing = LabelPrinting(world.writer, house, f"{broker.url(PRINTING)}/mercy/packager-1")
    worker = Worker("printer", printing.work, {"prints"}, idle_s=0.1)
    with running_printer(tmp_path, "--speed", "max") as printer:
        bridge = PrinterBridgeProcess(tmp_path, broker.url(PRINTER), printer.url, "packager-1")
        worker.start()
        wait_until(lambda: len(world.all("prints", printed=True)) == 1, "the label")
        worker.stop()
        printing.stop()
        bridge.close()
        assert len(printer.truth()) == 1
    world.close()
