"""The printer that the hub drives itself: each label once whatever crashes, and what cannot be printed is asked about."""

import base64
import random
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from firmware_bridge import printer_core
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage
from hub.adapters import label_printing
from hub.adapters.label_printing import SPOOL, DirectPrinting
from hub.adapters.print_commands import next_command
from hub.domain.identifiers import PackSerial, UserId
from hub.domain.records import Print
from hub.domain.refusals import Refusal
from hub.services.reject_packs import Decision, decide_review
from labels.raster import Raster
from tests.bridge.printer_desk import TALL, TINY
from tests.printer.printer_plant import DEADLINE_S, Plant, running_printer, wait_until
from tests.services.small_world import TECHNICIAN, World

TOO_HIGH = Raster(16, 2400, bytes.fromhex("8001") * 2400)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    yield made
    made.close()


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Plant]:
    with running_printer(tmp_path, "--speed", "max") as running:
        yield running


def want(world: World, *rasters: Raster) -> None:
    labels = [
        Print(
            PackSerial(f"P{number}"),
            world.house.printer,
            raster.digest().hex(),
            raster.width,
            raster.height,
            base64.b64encode(raster.bits).decode(),
        )
        for number, raster in enumerate(rasters)
    ]
    world.do(lambda unit: unit.prints.put_many(labels))


def started(world: World, printer: Plant) -> DirectPrinting:
    return DirectPrinting(world.writer, world.house.printer, printer.url)


def print_all(printing: DirectPrinting) -> None:
    while printing.work():
        pass


def printed(world: World) -> list[str]:
    return [label.pack for label in world.all("prints", printed=True, order_by="pack")]


def settle(world: World, kind: str, pack: str) -> None:
    (review,) = world.all("reviews", kind=kind, decision="")
    assert review.subject == pack
    decision = Decision(review.id, accept=True, scanned="", reason="looked", by=UserId(TECHNICIAN))
    assert not isinstance(world.do(lambda unit: decide_review(unit, decision, world.house), TECHNICIAN), Refusal)


def test_labels_come_out_once_each_and_are_booked_one_by_one(world: World, printer: Plant) -> None:
    want(world, TINY, TINY, TINY)
    printing = started(world, printer)
    assert printing.work() is True
    assert printed(world) == ["P0"]
    print_all(printing)
    assert printed(world) == ["P0", "P1", "P2"]
    assert len(printer.truth()) == 3
    printing.stop()


def test_hub_that_dies_before_the_booking_prints_nothing_twice(
    world: World, printer: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(world, TINY, TINY, TINY)

    def dies(*_: Any) -> None:
        raise RuntimeError("the booking fails here")

    dying = started(world, printer)
    with monkeypatch.context() as broken:
        broken.setattr(label_printing, "book", dies)
        with pytest.raises(RuntimeError):
            dying.work()
    dying.stop()
    assert (printed(world), len(printer.truth())) == ([], 1)
    printing = started(world, printer)
    print_all(printing)
    printing.stop()
    assert printed(world) == ["P0", "P1", "P2"]
    assert len(printer.truth()) == 3
    assert world.all("reviews") == []


def test_what_was_begun_and_not_ended_is_asked_about_and_never_printed_by_itself(world: World, printer: Plant) -> None:
    want(world, TINY, TINY)
    spool = PrintSpool(world.path.with_name(SPOOL))
    command = next_command(world.writer, world.house.printer, PrinterLanguage.ESCPOS)
    assert command is not None
    spool.take(world.house.printer, command)
    begun = spool.waiting(world.house.printer)
    assert begun is not None
    spool.begin(begun)
    spool.close()
    printing = started(world, printer)
    print_all(printing)
    assert printed(world) == ["P1"]
    settle(world, "label-in-doubt", "P0")
    print_all(printing)
    assert printed(world) == ["P0", "P1"]
    assert len(printer.truth()) == 2
    printing.stop()


class CuttingWire:
    """A wire to a printer that breaks once, so many bytes after the beginning of a raster, and is whole again at once."""

    def __init__(self, url: str, after: int) -> None:
        target = urlsplit(url)
        self._target = (str(target.hostname), int(target.port or 0))
        self._after: int | None = after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the wire away."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE_S)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                hub, _ = self._listener.accept()
                with hub, socket.create_connection(self._target) as printer:
                    self._carry(hub, printer)

    def _carry(self, hub: socket.socket, printer: socket.socket) -> None:
        while True:
            for source in select.select([hub, printer], [], [])[0]:
                data = source.recv(65536)
                begin = data.find(b"\x1dv0")
                if self._after is not None and begin >= 0:
                    printer.sendall(data[: begin + self._after])
                    self._after = None
                    return
                if not data:
                    return
                (printer if source is hub else hub).sendall(data)


@pytest.mark.parametrize("after", [3, 500, 8 + len(TALL.bits)])
@pytest.mark.parametrize("options", [(), ("--deaf-in-data",)], ids=["hears-everywhere", "deaf-in-data"])
def test_line_lost_in_the_middle_is_a_question_and_no_dot_is_on_the_next_label(
    tmp_path: Path, world: World, after: int, options: tuple[str, ...]
) -> None:
    with running_printer(tmp_path, "--speed", "max", *options) as printer:
        wire = CuttingWire(printer.url, after)
        printing = DirectPrinting(world.writer, world.house.printer, wire.url)
        want(world, TALL, TINY)
        assert printing.work() is False
        wait_until(lambda: printing.work() or printed(world) == ["P1"])
        settle(world, "label-in-doubt", "P0")
        wait_until(lambda: printing.work() or printed(world) == ["P0", "P1"])
        assert [base64.b64decode(label["raster"]) for label in printer.take()] == [TINY.bits, TALL.bits]
        printing.stop()
        wire.close()


def test_lost_answer_is_asked_about(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer_core, "PRINT_TIMEOUT_S", 1.0)
    seed = next(seed for seed in range(10_000) if _second_draw(seed) < 0.01)
    with running_printer(tmp_path, "--speed", "max", "--faults", "mild", "--seed", str(seed)) as printer:
        printing = started(world, printer)
        want(world, TINY, TINY)
        assert printing.work() is False
        wait_until(lambda: printing.work() or printed(world) == ["P1"])
        settle(world, "label-in-doubt", "P0")
        wait_until(lambda: printing.work() or printed(world) == ["P0", "P1"])
        assert len(printer.truth()) == 3
        printing.stop()


def _second_draw(seed: int) -> float:
    chance = random.Random(f"{seed}/1")
    return [chance.random(), chance.random()][1]


def test_label_of_which_no_print_can_be_made_is_asked_about_and_stops_no_other(world: World, printer: Plant) -> None:
    want(world, TOO_HIGH, TINY)
    printing = started(world, printer)
    assert printing.work() is False
    print_all(printing)
    assert printed(world) == ["P1"]
    (review,) = world.all("reviews", kind="label-refused", decision="")
    assert review.subject == "P0"
    assert "higher than 2303" in review.reasons[0]
    printing.stop()


def test_board_shows_the_printer_without_paper_and_the_label_waits(world: World, printer: Plant) -> None:
    printer.call("POST", "/paper", {"out": True})
    want(world, TINY)
    printing = started(world, printer)
    assert printing.work() is False
    board = world.do(lambda unit: unit.devices.get(world.house.printer))
    assert board is not None and board.state == "out-of-paper"
    printer.call("POST", "/paper", {"out": False})
    wait_until(lambda: printing.work() or printed(world) == ["P0"])
    assert [label.tries for label in world.all("prints")] == [1]
    printing.stop()


def test_label_with_other_dots_is_another_one(world: World, printer: Plant) -> None:
    want(world, TINY)
    printing = started(world, printer)
    print_all(printing)
    other = Raster(16, 3, bytes.fromhex("ffff40022004"))
    (label,) = world.all("prints")
    anew = replace(
        label, digest=other.digest().hex(), raster=base64.b64encode(other.bits).decode(), printed=False, tries=0
    )
    world.do(lambda unit: unit.prints.put(anew))
    print_all(printing)
    assert [base64.b64decode(taken["raster"]) for taken in printer.take()] == [TINY.bits, other.bits]
    printing.stop()
