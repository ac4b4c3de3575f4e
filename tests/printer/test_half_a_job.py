"""Half a job that a lost line left in the printer: no dot of it is on the next label, whatever kind of line and printer it is."""

import base64
import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from printer_plant import DEADLINE_S, Plant, running_printer, wait_until

from devices.label_printer import job_bytes
from firmware_bridge.printer_line import PrinterLine
from firmware_bridge.printer_status import process_id
from labels.raster import Raster
from simulators.printer.lines import EscposLine
from simulators.printer.mechanism import Mechanism
from simulators.printer.paper import Paper
from simulators.printer.parser import CommandParser
from simulators.truth import Truth

ID, NEXT_ID = process_id(1), process_id(2)
LOST = Raster(64, 900, bytes.fromhex("aa" * 8) * 900)
NEXT = Raster(64, 60, bytes.fromhex("f00f" * 4) * 60)
JOB, NEXT_JOB = job_bytes(LOST, ID), job_bytes(NEXT, NEXT_ID)
AFTER_HEADER, IN_DOTS, BEFORE_CUT, IN_ID = 10, len(JOB) // 2, len(JOB) - 15, len(JOB) - 3
CUTS = [5, AFTER_HEADER, IN_DOTS, BEFORE_CUT, IN_ID]
KINDS = [(), ("--deaf-in-data",)]


def next_label(line: PrinterLine) -> None:
    assert line.print_job(NEXT_JOB, NEXT_ID, DEADLINE_S, after_doubt=True).printed


@pytest.mark.parametrize("options", KINDS, ids=["hears-everywhere", "deaf-in-data"])
@pytest.mark.parametrize("sent", CUTS)
def test_tcp_connection_lost_in_the_middle(tmp_path: Path, sent: int, options: tuple[str, ...]) -> None:
    with running_printer(tmp_path, "--speed", "max", *options) as plant:
        _send_and_hang_up(plant, JOB[:sent])
        next_label(PrinterLine(plant.url))
        taken = plant.take()
        assert base64.b64decode(taken[-1]["raster"]) == NEXT.bits
        assert len(taken) == 1 + (sent == IN_ID)


def _send_and_hang_up(plant: Plant, data: bytes) -> None:
    address = urlsplit(plant.url)
    assert address.hostname and address.port
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(data)
    if len(data) > IN_DOTS:
        wait_until(lambda: plant.state()["rows"] == LOST.height or plant.state()["tray"] == 1)


class Terminal:
    """A serial printer of the simulator on a pty; it keeps its power while nobody has the line open."""

    def __init__(self, mechanism: Mechanism, *, hears_in_data: bool) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self.taken = 0
        self._line = EscposLine(self.sendall, mechanism, CommandParser(), hears_in_data=hears_in_data)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def sendall(self, answer: bytes) -> None:
        os.write(self.master, answer)

    def close(self) -> None:
        self._ended.set()
        self._thread.join(DEADLINE_S)
        os.close(self.master)
        os.close(self._slave)

    def _serve(self) -> None:
        while not self._ended.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 4096)
                self._line.take(data)
                self.taken += len(data)


@contextmanager
def serial_printer(folder: Path, *, hears_in_data: bool) -> Iterator[tuple[Terminal, Mechanism]]:
    with Truth(None) as truth:
        mechanism = Mechanism(Paper(folder / "paper"), truth, speed=None, seed=1, faults="none")
        mechanism.start()
        terminal = Terminal(mechanism, hears_in_data=hears_in_data)
        try:
            yield terminal, mechanism
        finally:
            mechanism.stop()
            terminal.close()


@pytest.mark.parametrize("hears_in_data", [True, False], ids=["hears-everywhere", "deaf-in-data"])
@pytest.mark.parametrize("sent", CUTS)
def test_serial_line_lost_in_the_middle(tmp_path: Path, sent: int, hears_in_data: bool) -> None:
    with serial_printer(tmp_path, hears_in_data=hears_in_data) as (terminal, mechanism):
        _write(terminal, JOB[:sent])
        wait_until(lambda: sent != IN_ID or mechanism.state()["tray"] == 1)
        next_label(PrinterLine(terminal.name))
        labels = [base64.b64decode(str(label.record()["raster"])) for label in mechanism.take()]
        assert labels[-1] == NEXT.bits
        assert len(labels) == 1 + (sent == IN_ID)


def _write(terminal: Terminal, data: bytes) -> None:
    line = os.open(terminal.name, os.O_RDWR | os.O_NOCTTY)
    try:
        while data:
            data = data[os.write(line, data) :]
        wait_until(lambda: terminal.taken > 0 and not select.select([terminal.master], [], [], 0)[0])
    finally:
        os.close(line)


@pytest.mark.parametrize("hears_in_data", [True, False], ids=["hears-everywhere", "deaf-in-data"])
def test_clear_closes_what_is_open_and_says_so(tmp_path: Path, hears_in_data: bool) -> None:
    with serial_printer(tmp_path, hears_in_data=hears_in_data) as (terminal, mechanism):
        _write(terminal, JOB[:IN_DOTS])
        assert PrinterLine(terminal.name).clear()
        assert mechanism.state() == mechanism.state() | {"buffered": 0, "tray": 0}


def test_what_hangs_under_the_head_is_on_the_next_label_unless_it_is_cut_off(tmp_path: Path) -> None:
    with running_printer(tmp_path, "--speed", "max") as plant:
        _send_and_hang_up(plant, JOB[:BEFORE_CUT])
        assert PrinterLine(plant.url).print_job(NEXT_JOB, NEXT_ID, DEADLINE_S).printed
        assert [label["height"] for label in plant.take()] == [LOST.height + NEXT.height]
