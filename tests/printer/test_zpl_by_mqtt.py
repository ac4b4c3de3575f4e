"""The hub's labels on ZPL printers, with real processes: behind a bridge, by the printer itself, and on the hub's own line."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from test_printing_by_mqtt import board, hub_at, printed, tries, want

from firmware_bridge.contract import ContractError, encode
from firmware_bridge.print_contract import decode_print_command
from firmware_bridge.printer_status import PrinterLanguage
from hub.adapters.label_printing import DirectPrinting, printer_address
from hub.adapters.print_commands import next_command
from tests.bridge.plant import SITE, mosquitto, wait_until
from tests.bridge.printer_desk import PRINTER, TALL, TINY, PrintingHub, print_command, printer_bridge
from tests.printer.printer_plant import Plant, running_printer
from tests.services.small_world import World

Started = Callable[..., AbstractContextManager[Plant]]
ZPL = ("--language", "zpl")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    yield made
    made.close()


@contextmanager
def behind_the_bridge(folder: Path, port: int, *options: str) -> Iterator[Plant]:
    with (
        running_printer(folder, *ZPL, *options) as printer,
        printer_bridge(folder, port, printer.url, 'language = "zpl"\n') as bridge,
    ):
        bridge.wait_ready()
        yield printer


@contextmanager
def by_itself(folder: Path, port: int, *options: str) -> Iterator[Plant]:
    place = ("--mqtt", f"mqtt://127.0.0.1:{port}", "--site", SITE, "--device", PRINTER)
    with running_printer(folder, *place, *ZPL, *options) as printer:
        yield printer


@pytest.fixture(params=[behind_the_bridge, by_itself])
def started(request: pytest.FixtureRequest) -> Started:
    found: Started = request.param
    return found


def test_a_printer_is_sent_the_language_that_it_says_it_speaks(
    tmp_path: Path, port: int, world: World, started: Started
) -> None:
    with started(tmp_path, port, "--speed", "max") as printer, hub_at(world, port):
        want(world, TINY, TALL)
        wait_until(lambda: printed(world) == ["P0", "P1"], "all labels")
        labels = printer.take()
        assert [base64.b64decode(label["raster"]) for label in labels] == [TINY.bits, TALL.bits]
        assert printer.state()["unknown_bytes"] == 0
        wait_until(lambda: board(world).state == "ready", "the board")


def test_paper_that_ends_in_the_middle_is_asked_about_and_nothing_comes_by_itself(
    tmp_path: Path, port: int, world: World, started: Started
) -> None:
    with started(tmp_path, port, "--speed", "0.3") as printer, hub_at(world, port):
        printer.call("POST", "/paper", {"after_rows": 200})
        want(world, TALL)
        wait_until(lambda: tries(world) == 1, "the outcome")
        [review] = world.all("reviews", kind="label-in-doubt", decision="")
        assert review.subject == "P0"
        wait_until(lambda: board(world).state == "out-of-paper", "the board")
        printer.call("POST", "/paper", {"out": False})
        wait_until(lambda: board(world).state == "ready", "the board")
        assert printer.take() == [] and printed(world) == []


def test_a_bridge_refuses_a_command_in_the_other_language(tmp_path: Path, port: int) -> None:
    with behind_the_bridge(tmp_path, port, "--speed", "max") as printer, PrintingHub(port) as hub:
        hub.send(print_command("a"))
        outcome = hub.outcome("a")
        assert (outcome.kind, outcome.rc) == ("refused", "INVALID")
        assert "ZPL, not ESC/POS" in outcome.reason
        assert printer.take() == []


def test_the_hub_drives_a_zpl_printer_of_its_own(tmp_path: Path, world: World) -> None:
    with running_printer(tmp_path, *ZPL, "--speed", "max") as printer:
        printing = DirectPrinting(world.writer, world.house.printer, f"zpl+{printer.url}")
        want(world, TINY, TALL)
        wait_until(lambda: printing.work() or len(printed(world)) == 2, "a label")
        wait_until(lambda: printing.work() or len(printed(world)) == 2, "the other label")
        printing.stop()
        assert printed(world) == ["P0", "P1"]
        assert [base64.b64decode(label["raster"]) for label in printer.take()] == [TINY.bits, TALL.bits]


@pytest.mark.parametrize(
    ("url", "language", "address"),
    [
        ("tcp://10.0.0.7:9100", PrinterLanguage.ESCPOS, "tcp://10.0.0.7:9100"),
        ("zpl+tcp://10.0.0.7:9100", PrinterLanguage.ZPL, "tcp://10.0.0.7:9100"),
        ("zpl+/dev/ttyUSB0", PrinterLanguage.ZPL, "/dev/ttyUSB0"),
        ("escpos+/dev/ttyUSB0", PrinterLanguage.ESCPOS, "/dev/ttyUSB0"),
        ("/dev/serial/by-id/usb+1", PrinterLanguage.ESCPOS, "/dev/serial/by-id/usb+1"),
    ],
)
def test_the_address_of_the_hubs_own_printer_names_its_language(
    url: str, language: PrinterLanguage, address: str
) -> None:
    assert printer_address(url) == (language, address)


def test_a_command_says_its_language_and_ends_in_it(world: World) -> None:
    want(world, TINY)
    command = next_command(world.writer, world.house.printer, PrinterLanguage.ZPL)
    assert command is not None
    message = encode(command)
    assert b'"language":"zpl"' in message
    assert decode_print_command(message) == command
    with pytest.raises(ContractError, match="process_id"):
        decode_print_command(message.replace(b',"language":"zpl"', b""))
    with pytest.raises(ContractError, match="language"):
        decode_print_command(message.replace(b'"zpl"', b'"tspl"'))
