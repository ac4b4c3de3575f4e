"""The conversation with a label printer, against a printer process over TCP, a pty, and printers that misbehave."""

import base64
import os
import random
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from printer_plant import DEADLINE_S, Plant, running_printer, wait_until

from devices.label_printer import job_bytes
from firmware_bridge.printer_conversation import PrintReceipt
from firmware_bridge.printer_escpos import CLEAR_AFTER_ANYTHING, CLEAR_BUFFERS, FEED_AND_CUT
from firmware_bridge.printer_line import PrinterLine
from firmware_bridge.printer_status import PrinterState, process_id
from firmware_bridge.printer_transport import Unreachable
from labels.documents import DoseLine, Language, PouchLabel
from labels.raster import Raster
from labels.render import render
from labels.serial import make_serial
from simulators.printer.parser import AskProcess, ClearRequest, CommandParser, RasterImage, RealTimeScanner

RUSSIAN = PouchLabel(
    serial=make_serial(b"printer"),
    language=Language.RUSSIAN,
    department="Кардиология",
    room="7",
    patient="Ли Анна Ивановна",
    birth_date=date(1960, 1, 30),
    slot="Перед сном",
    due=datetime.fromisoformat("2026-11-23T22:30"),
    lines=(DoseLine("Аторвастатин", "20 мг", "таблетки", "2 × 20 мг = 40 мг"),),
    expiry=date(2026, 12, 5),
    lot_set="A1",
)
ENGLISH = replace(RUSSIAN, language=Language.ENGLISH, department="Cardiology", patient="Anna Lee", slot="Bedtime")
TINY = Raster(16, 3, bytes.fromhex("800140022004"))
ID = process_id(1)


def send(line: PrinterLine, raster: Raster, number: int = 1, timeout_s: float = DEADLINE_S) -> PrintReceipt:
    return line.print_job(job_bytes(raster, process_id(number)), process_id(number), timeout_s)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with running_printer(tmp_path_factory.mktemp("fast"), "--speed", "max") as running:
        yield running


@contextmanager
def tcp_printer(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen on a port and let `serve` play the printer for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(DEADLINE_S)
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


def answer_clear_and_status(connection: socket.socket) -> None:
    assert connection.recv(len(CLEAR_AFTER_ANYTHING)) == CLEAR_AFTER_ANYTHING
    connection.sendall(b"7%\0")
    for _ in range(4):
        assert connection.recv(3)[:2] == b"\x10\x04"
        connection.sendall(b"\x12")


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def test_the_bytes_of_a_label_are_literally_these() -> None:
    expected = "1b40 1d763000 0200 0300 8001 4002 2004 1d564200 1d284806003030 4a3f3121"
    assert job_bytes(TINY, b"J?1!") == bytes.fromhex(expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 1500), st.randoms(use_true_random=False))
def test_any_raster_is_one_image_bit_for_bit(row_bytes: int, height: int, chance: random.Random) -> None:
    bits = chance.randbytes(row_bytes * height)
    images = [
        command
        for command in CommandParser().feed(job_bytes(Raster(row_bytes * 8, height, bits), ID))
        if isinstance(command, RasterImage)
    ]
    assert images == [RasterImage(row_bytes, height, bits)]


def test_writing_a_label_prints_nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    job_bytes(TINY, ID)
    assert capfd.readouterr() == ("", "")


def test_the_library_leaves_no_file_in_the_temporary_folder(tmp_path: Path) -> None:
    program = (
        "from devices.label_printer import job_bytes; from labels.raster import Raster;"
        "print(job_bytes(Raster(8, 1, b'a'), b'abcd').hex())"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "1b401d7630000100010061" "1d564200" "1d284806003030" "61626364\n"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_label_higher_than_the_head_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="higher"):
        job_bytes(Raster(8, 2304, bytes(2304)), ID)


@pytest.mark.parametrize("document", [RUSSIAN, ENGLISH], ids=["ru", "en"])
def test_the_paper_shows_the_very_dots(plant: Plant, document: PouchLabel) -> None:
    raster = render(document)
    receipt = send(PrinterLine(plant.url, answer_timeout_s=5), raster)
    assert receipt == PrintReceipt(True, PrinterState.READY)
    (label,) = plant.take()
    assert (label["width"], label["height"]) == (640, 400)
    assert base64.b64decode(label["raster"]) == raster.bits
    assert plant.truth()[-1] == {"what": "label-printed", "label": label["label"], "digest": raster.digest().hex()}
    with Image.open(label["file"]) as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"), zxingcpp.barcode_formats_from_str("DataMatrix"))
    assert [bytes(code.bytes).decode() for code in found] == [document.serial]
    assert plant.take() == []


def test_status_of_a_printer_that_is_well(plant: Plant) -> None:
    status = PrinterLine(plant.url, answer_timeout_s=5).status()
    assert status.state is PrinterState.READY
    assert status.paper_out is False


def test_a_raster_that_looks_like_status_requests_is_printed_whole(plant: Plant) -> None:
    raster = Raster(32, 300, b"\x10\x04\x01\x02\x10\x04\x04\x37" * 150)
    assert send(PrinterLine(plant.url, answer_timeout_s=5), raster).printed
    assert base64.b64decode(plant.take()[0]["raster"]) == raster.bits


def test_without_paper_nothing_is_sent(plant: Plant) -> None:
    plant.call("POST", "/paper", {"out": True})
    receipt = send(PrinterLine(plant.url, answer_timeout_s=5), TINY)
    plant.call("POST", "/paper", {"out": False})
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, False, PrinterState.OUT_OF_PAPER)
    assert plant.take() == []


def test_with_an_open_cover_nothing_is_sent(plant: Plant) -> None:
    plant.call("POST", "/cover", {"open": True})
    receipt = send(PrinterLine(plant.url, answer_timeout_s=5), TINY)
    plant.call("POST", "/cover", {"open": False})
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, False, PrinterState.COVER_OPEN)


def test_paper_that_ends_in_the_middle_leaves_no_label_and_none_comes_later(tmp_path: Path) -> None:
    with running_printer(tmp_path, "--speed", "0.3") as plant:
        printer, raster, receipts = PrinterLine(plant.url, answer_timeout_s=5), render(RUSSIAN), []
        job = threading.Thread(target=lambda: receipts.append(send(printer, raster)))
        job.start()
        wait_until(lambda: plant.state()["rows"] > 0)
        plant.call("POST", "/paper", {"out": True})
        job.join()
        plant.call("POST", "/paper", {"out": False})
        (receipt,) = receipts
        assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, True, PrinterState.OUT_OF_PAPER)
        assert plant.state() == plant.state() | {"buffered": 0, "tray": 0}
        assert printer.print_job(job_bytes(TINY, process_id(2)), process_id(2), DEADLINE_S, after_doubt=True).printed
        assert [label["height"] for label in plant.take()] == [3]
        assert len(plant.truth()) == 1


def test_a_lost_answer_is_in_doubt_while_the_label_lies_in_the_tray(tmp_path: Path) -> None:
    seed = next(seed for seed in range(10_000) if _second_draw(seed) < 0.01)
    with running_printer(tmp_path, "--speed", "max", "--faults", "mild", "--seed", str(seed)) as plant:
        receipt = send(PrinterLine(plant.url, answer_timeout_s=5), TINY, timeout_s=0.5)
        assert (receipt.printed, receipt.in_doubt) == (False, True)
        assert len(plant.take()) == 1


def _second_draw(seed: int) -> float:
    chance = random.Random(f"{seed}/1")
    return [chance.random(), chance.random()][1]


def test_a_silent_printer_is_unknown_and_gets_no_label() -> None:
    received: list[bytes] = []
    with tcp_printer(lambda connection: received.append(read_to_end(connection))) as url:
        receipt = send(PrinterLine(url, answer_timeout_s=0.1), TINY)
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, False, PrinterState.UNKNOWN)
    assert set(received.pop().replace(CLEAR_BUFFERS, b"")) == {0}
    with tcp_printer(lambda connection: received.append(read_to_end(connection))) as url:
        status = PrinterLine(url, answer_timeout_s=0.1).status()
    assert received == [b"\x10\x04\x01"]
    assert (status.state, status.paper_out) == (PrinterState.UNKNOWN, None)


def test_a_printer_that_falls_silent_while_printing_is_in_doubt() -> None:
    def serve(connection: socket.socket) -> None:
        answer_clear_and_status(connection)
        read_to_end(connection)

    with tcp_printer(serve) as url:
        receipt = send(PrinterLine(url, answer_timeout_s=0.1), TINY, timeout_s=0.4)
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, True, PrinterState.UNKNOWN)


def test_a_printer_that_hangs_up_while_printing_is_in_doubt() -> None:
    def serve(connection: socket.socket) -> None:
        answer_clear_and_status(connection)
        connection.recv(65536)

    with tcp_printer(serve) as url:
        receipt = send(PrinterLine(url), TINY)
    assert (receipt.printed, receipt.in_doubt, receipt.state) == (False, True, PrinterState.UNKNOWN)


def test_another_process_id_is_no_acknowledgement() -> None:
    def serve(connection: socket.socket) -> None:
        answer_clear_and_status(connection)
        connection.sendall(b'7"' + process_id(2) + b"\0")
        read_to_end(connection)

    with tcp_printer(serve) as url:
        receipt = send(PrinterLine(url, answer_timeout_s=0.1), TINY, timeout_s=0.4)
    assert (receipt.printed, receipt.in_doubt) == (False, True)


def test_id_that_was_named_before_the_first_byte_is_no_acknowledgement() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b'7"' + ID + b"\0")
        answer_clear_and_status(connection)
        read_to_end(connection)

    with tcp_printer(serve) as url:
        receipt = send(PrinterLine(url, answer_timeout_s=0.1), TINY, timeout_s=0.4)
    assert (receipt.printed, receipt.in_doubt) == (False, True)


def test_printer_that_answers_everything_but_the_clear_gets_no_label() -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            received.append(data)
            connection.sendall(b"\x12" * data.count(b"\x10\x04"))

    with tcp_printer(serve) as url:
        receipt = send(PrinterLine(url, answer_timeout_s=0.1), TINY)
    assert (receipt.printed, receipt.in_doubt) == (False, False)
    assert "nothing was sent" in receipt.reason
    assert b"\x1b@" not in b"".join(received)


def test_after_a_doubt_what_is_under_the_head_is_cut_off_first() -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        answer_clear_and_status(connection)
        received.append(connection.recv(65536))
        connection.sendall(b'7"' + ID + b"\0")
        read_to_end(connection)

    with tcp_printer(serve) as url:
        assert PrinterLine(url).print_job(job_bytes(TINY, ID), ID, DEADLINE_S, after_doubt=True).printed
    assert received == [FEED_AND_CUT + job_bytes(TINY, ID)]


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"tcp://127.0.0.1:{port}", "tcp://", "/dev/no-such-printer", "nonsense://x"):
        with pytest.raises(Unreachable):
            PrinterLine(url, connect_timeout_s=1).status()


def test_a_serial_printer_prints_the_same_label() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    images: list[RasterImage] = []
    thread = threading.Thread(target=_serve_serial, args=(master, images))
    thread.start()
    try:
        assert send(PrinterLine(os.ttyname(slave), answer_timeout_s=5), render(RUSSIAN)).printed
    finally:
        thread.join(DEADLINE_S)
        os.close(slave)
        os.close(master)
    assert [image.bits for image in images] == [render(RUSSIAN).bits]


def _serve_serial(master: int, images: list[RasterImage]) -> None:
    parser, scanner = CommandParser(), RealTimeScanner()
    while True:
        data = os.read(master, 4096)
        for _, request in scanner.feed(data):
            os.write(master, b"7%\0" if isinstance(request, ClearRequest) else b"\x12")
        for command in parser.feed(data):
            if isinstance(command, RasterImage):
                images.append(command)
            if isinstance(command, AskProcess):
                os.write(master, b'7"' + command.identifier + b"\0")
                return
