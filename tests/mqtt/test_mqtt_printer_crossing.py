"""Every message that really crosses a real broker for a label printer is one of docs/mqtt.yaml: behind the bridge, and by itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.bridge.plant import SITE, wait_until
from tests.bridge.printer_desk import PRINTER, TALL, PrintingHub, print_command, printer_bridge
from tests.mqtt.contract_reader import Contract
from tests.mqtt.test_mqtt_crossing import Ear
from tests.printer.printer_plant import Plant, running_printer

OF_PRINTERS = {
    "device-birth", "device-death", "description", "status",
    "print-command", "printed-outcome", "refused-outcome", "in-doubt-outcome", "print-acknowledgement",
}  # fmt: skip


@contextmanager
def behind_the_bridge(folder: Path, port: int) -> Iterator[Plant]:
    with running_printer(folder, "--speed", "0.3") as printer, printer_bridge(folder, port, printer.url):
        yield printer


@contextmanager
def by_itself(folder: Path, port: int) -> Iterator[Plant]:
    place = ("--mqtt", f"mqtt://127.0.0.1:{port}", "--site", SITE, "--device", PRINTER)
    with running_printer(folder, *place, "--speed", "0.3") as printer:
        yield printer


@pytest.mark.parametrize("started", [behind_the_bridge, by_itself])
def test_every_message_of_a_printer_is_one_of_the_document(
    tmp_path: Path, port: int, started: Callable[[Path, int], AbstractContextManager[Plant]]
) -> None:
    contract, ear = Contract(), Ear(port)
    with PrintingHub(port) as printing, started(tmp_path, port) as printer:
        printing.wait_for_status(state="ready")
        printing.send(print_command("a"))
        printing.outcome("a")
        printing.send(print_command("late", seconds=-1))
        printing.outcome("late")
        printing.send(print_command("b", TALL))
        wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
        printer.call("POST", "/cover", {"open": True})
        assert printing.outcome("b").kind == "in-doubt"
        printing.wait_for_status(state="cover-open", reason="in-doubt")
    wait_until(lambda: ear.names(contract) >= OF_PRINTERS, f"all messages, heard {ear.names(contract)}")
    ear.close()
    assert [(crossed, contract.faults(crossed)) for crossed in ear.heard if not contract.fits(crossed)] == []
    assert ear.names(contract) - OF_PRINTERS == {"hub-birth"}
