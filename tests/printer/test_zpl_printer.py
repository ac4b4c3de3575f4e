"""The conversation with a ZPL printer, against a printer process over TCP and a serial line, and printers that misbehave."""

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image
from printer_plant import DEADLINE_S, Plant, running_printer
from test_label_printer import ENGLISH, RUSSIAN, tcp_printer

from devices.label_printer import job_bytes
from firmware_bridge.printer_conversation import PrintReceipt
from firmware_bridge.printer_line import PrinterLine
from firmware_bridge.printer_status import PrinterLanguage, PrinterState, process_id
from labels.raster import Raster
from labels.render import render

ZPL = PrinterLanguage.ZPL
TINY = Raster(16, 3, bytes.fromhex("800140022004"))
TALL = Raster(64, 900, bytes.fromhex("8001400220041008") * 900)
WELL = b"\x02030,0,0,0003,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"
NO_PAPER = WELL.replace(b"030,0,", b"030,1,")
HEAD_OPEN = WELL.replace(b"\x02000,0,0,", b"\x02000,0,1,")
BUSY = WELL.replace(b"00000000,1", b"00000001,1")


def line_to(url: str, *, answer_timeout_s: float = 5.0, baud: int = 115_200) -> PrinterLine:
    return PrinterLine(url, ZPL, answer_timeout_s=answer_timeout_s, baud=baud)


def send(line: PrinterLine, raster: Raster, number: int = 1, timeout_s: float = DEADLINE_S) -> PrintReceipt:
    return line.print_job(job_bytes(raster, process_id(number), ZPL), process_id(number), timeout_s)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with running_printer(tmp_path_factory.mktemp("zpl"), "--language", "zpl", "--speed", "max") as running:
        yield running


@contextmanager
def slow_printer(folder: Path, *options: str) -> Iterator[Plant]:
    with running_printer(folder, "--language", "zpl", "--speed", "0.3", *options) as running:
        yield running


@pytest.mark.parametrize("document", [RUSSIAN, ENGLISH], ids=["ru", "en"])
def test_the_paper_shows_the_very_dots(plant: Plant, document: object) -> None:
    raster = render(document)  # type: ignore[arg-type]
    assert send(line_to(plant.url), raster) == PrintReceipt(True, PrinterState.READY)
    (label,) = plant.take()
    assert base64.b64decode(label["raster"]) == raster.bits
    assert plant.truth()[-1]["digest"] == raster.digest().hex()
    with Image.open(label["file"]) as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"), zxingcpp.barcode_formats_from_str("DataMatrix"))
    assert document.serial in [bytes(code.bytes).decode() for code in found]  # type: ignore[attr-defined]


def test_a_serial_printer_gets_the_label_at_the_speed_of_its_line(tmp_path: Path) -> None:
    link = tmp_path / "printer"
    options = ("--language", "zpl", "--speed", "max", "--port-link", str(link), "--baud", "57600")
    with running_printer(tmp_path, *options) as plant:
        assert plant.url == str(link)
        assert send(line_to(plant.url, baud=57_600), render(RUSSIAN)).printed
        assert base64.b64decode(plant.take()[0]["raster"]) == render(RUSSIAN).bits


@pytest.mark.parametrize(
    ("route", "on", "off", "state"),
    [
        ("/paper", {"out": True}, {"out": False}, PrinterState.OUT_OF_PAPER),
        ("/cover", {"open": True}, {"open": False}, PrinterState.COVER_OPEN),
        ("/pause", {"on": True}, {"on": False}, PrinterState.PAUSED),
    ],
)
def test_nothing_is_sent_to_a_printer_that_would_not_print(
    plant: Plant, route: str, on: dict[str, bool], off: dict[str, bool], state: PrinterState
) -> None:
    plant.call("POST", route, on)
    receipt = send(line_to(plant.url), TINY)
    plant.call("POST", route, off)
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, False, state)
    assert plant.take() == []


@pytest.mark.parametrize("options", [(), ("--mute-in-error",)], ids=["tells", "mute"])
def test_paper_that_ends_in_the_middle_is_in_doubt_and_no_label_comes_later(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with slow_printer(tmp_path, *options) as plant:
        plant.call("POST", "/paper", {"after_rows": 200})
        receipt = send(line_to(plant.url, answer_timeout_s=0.3), TALL, timeout_s=3)
        assert (receipt.printed, receipt.in_doubt) == (False, True)
        plant.call("POST", "/paper", {"out": False})
        assert line_to(plant.url).clear()
        assert send(line_to(plant.url), TINY, 2).printed
        assert [label["height"] for label in plant.take()] == [TINY.height]


def play(connection: socket.socket, *answers: bytes) -> None:
    """Answer each ~HS with the next of the answers, then with none."""
    left, received = list(answers), b""
    while data := connection.recv(65536):
        received += data
        while b"~HS" in received:
            received = received.partition(b"~HS")[2]
            if left:
                connection.sendall(left.pop(0))


NAMED = process_id(1).hex().upper().encode() + b"\r\n"
OTHER = process_id(2).hex().upper().encode() + b"\r\n"


@pytest.mark.parametrize(
    ("answers", "printed"),
    [
        ((WELL, WELL, NAMED + BUSY, BUSY, WELL), True),
        ((WELL, WELL, NAMED + BUSY, BUSY, BUSY), False),
        ((WELL, WELL, WELL, WELL, WELL), False),
        ((WELL, WELL, OTHER + WELL, WELL), False),
        ((NAMED + WELL, WELL, WELL, WELL), False),
        ((WELL, WELL, NAMED + BUSY, b"", WELL, WELL), False),
        ((WELL, WELL, NAMED + NO_PAPER, WELL, WELL), False),
        ((WELL, WELL, NAMED + HEAD_OPEN, WELL, WELL), False),
        ((WELL, WELL, NAMED + BUSY, WELL.replace(b",2,4,0,", b",2,4,1,")), True),
    ],
    ids=["idle-after", "busy", "never-named", "other-named", "named-before", "silent-between", "paper-out-between", "head-open-between", "waits-to-be-taken"],
)
def test_a_label_is_out_when_it_was_named_and_nothing_waits_after_that(answers: tuple[bytes, ...], printed: bool) -> None:
    with tcp_printer(lambda connection: play(connection, *answers)) as url:
        receipt = send(line_to(url, answer_timeout_s=0.2), TINY, timeout_s=1.5)
    assert (receipt.printed, receipt.in_doubt) == (printed, not printed)


def test_a_silent_printer_is_unknown_and_gets_no_label() -> None:
    heard = bytearray()

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            heard.extend(data)

    with tcp_printer(serve) as url:
        receipt = send(line_to(url, answer_timeout_s=0.1), TINY)
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, False, PrinterState.UNKNOWN)
    assert bytes(heard) == b"~DN~JA~JA~HS"
    with tcp_printer(serve) as url:
        status = line_to(url, answer_timeout_s=0.1).status()
    assert (status.state, status.paper_out) == (PrinterState.UNKNOWN, None)


def test_a_printer_that_keeps_half_a_format_gets_no_label() -> None:
    half = WELL.replace(b",000,0,0,0,000", b",000,0,0,1,000", 1)
    with tcp_printer(lambda connection: play(connection, *[half] * 1000)) as url:
        receipt = send(line_to(url, answer_timeout_s=0.1), TINY)
    assert (receipt.printed, receipt.in_doubt) == (False, False)
    assert "forgotten" in receipt.reason


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_no_dot_of_half_a_job_is_on_the_next_label(plant: Plant, share: float) -> None:
    job = job_bytes(render(RUSSIAN), process_id(9), ZPL)
    address = urlsplit(plant.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as lost:
        lost.sendall(job[: int(len(job) * share)])
    assert send(line_to(plant.url), TINY).printed
    assert [base64.b64decode(label["raster"]) for label in plant.take()] == [TINY.bits]


def test_bytes_lost_on_the_line_leave_a_label_that_does_not_read_back(plant: Plant) -> None:
    """ZPL acknowledges it all the same: only scanning the label proves it."""
    plant.call("POST", "/line", {"after": 1000, "lose": 40})
    receipt = send(line_to(plant.url), render(RUSSIAN))
    assert receipt.printed or receipt.in_doubt
    for label in plant.take():
        with Image.open(label["file"]) as picture:
            assert zxingcpp.read_barcodes(picture.convert("L")) == []


def test_the_head_prints_faint_streaked_and_beside_its_place(plant: Plant) -> None:
    block = Raster(160, 80, b"\xff" * 20 * 80)
    plant.call("POST", "/head", {"contrast": 0.4, "dead_columns": [100], "right_mm": 5, "down_mm": -2})
    assert send(line_to(plant.url), block).printed
    plant.call("POST", "/head", None)
    (label,) = plant.take()
    assert label["print"] == {"contrast": 0.4}
    with Image.open(label["file"]) as picture:
        grey = 255 - round(0.4 * 255)
        assert [picture.getpixel((x, 10)) for x in (39, 40, 139, 140, 141)] == [255, grey, grey, 255, grey]
        assert [picture.getpixel((50, y)) for y in (63, 64)] == [grey, 255]
    assert send(line_to(plant.url), block, 2).printed
    assert "print" not in plant.take()[0]
