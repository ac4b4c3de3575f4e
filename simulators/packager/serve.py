"""The packager as a process: its serial port, its control port, its state file and its truth around the pure firmware."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from simulators.control import ControlServer
from simulators.packager.build import INSTANT, Build, Motions
from simulators.packager.clock import Clock
from simulators.packager.firmware import Cause, Firmware
from simulators.packager.hands import Hands, Mailbox
from simulators.packager.journal import Extent, Journal, JournalInUse
from simulators.packager.line import BYTES_PER_S, Line, PtyLine, TcpLine
from simulators.packager.loop import Loop, Waker, Wire
from simulators.packager.memory import Kind, Memory
from simulators.packager.mishaps import Mishaps
from simulators.packager.native.connection import Connection, read_place
from simulators.packager.native.notes import Notes
from simulators.packager.native.way import NativeWay
from simulators.packager.options import read_options
from simulators.packager.power import Device, Fuse
from simulators.packager.recorder import Recorder
from simulators.packager.station import PATIENCE_S, Station
from simulators.packager.world import Fact, World
from simulators.truth import Truth


def _catch_signals(ended: list[int], waker: Waker) -> Callable[[], None]:
    def end(number: int, frame: FrameType | None) -> None:
        ended.append(number)

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, end) for each in numbers]
    pipe = signal.set_wakeup_fd(waker.writing, warn_on_full_buffer=False)

    def restore() -> None:
        signal.set_wakeup_fd(pipe)
        for each, handler in zip(numbers, before, strict=True):
            signal.signal(each, handler)

    return restore


def remember(journal: Journal, fuse: Fuse, truth: Truth, truth_path: Path, serial: str) -> Recorder:
    """Remember what the state file holds, and finish the truth that a power loss cut short."""
    memory = Memory(World(pouch_name=serial))
    last_facts: list[Fact] = []
    last_at = 0
    for entry in journal.load():
        facts = memory.apply(entry)
        if isinstance(entry, Extent) and entry.kind == Kind.MOVEMENT:
            truth_at = json.loads(entry.payload)["truth_at"]
            last_facts = [*(last_facts if truth_at == last_at else []), *facts]
            last_at = truth_at
        elif isinstance(entry, Extent) and entry.kind == Kind.WORLD:
            last_facts = []
    for fact in last_facts[_lines_from(truth_path, last_at) :]:
        truth.write(**fact)
    return Recorder(memory, fuse.append, lambda fact: truth.write(**fact), lambda: _size(truth_path), journal.append)


def _lines_from(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        return sum(line.endswith(b"\n") for line in file)


def _size(path: Path) -> int:
    return path.stat().st_size


def main(arguments: Sequence[str]) -> int:
    """Run the packager until SIGTERM or SIGINT; 1 where its state file is in use."""
    options = read_options(arguments)
    try:
        journal = Journal(options.state, fsync=options.fsync)
    except JournalInUse as error:
        print(f"packager: another process uses {error}", file=sys.stderr)
        return 1
    with Truth(options.truth) as truth:
        try:
            return _serve(options, journal, truth)
        finally:
            journal.close()


def _serve(options: argparse.Namespace, journal: Journal, truth: Truth) -> int:
    ended: list[int] = []
    waker, clock = Waker(), Clock(options.speed or 1.0)
    restore = _catch_signals(ended, waker)
    station = Station(options.camera, waker.wake)
    device = _device(options, journal, truth, station)
    device.switch_on()
    if device.recorder.memory.world.station is not None:
        station.wait_shown(2 * PATIENCE_S)
    mailbox = Mailbox(waker.wake)
    way = _native_way(options, device) if options.mqtt else _wire(options)
    loop = Loop(way, device, journal, station, mailbox, waker, clock)
    hands = Hands(device, mailbox, clock, options.cassette_slots)
    server = ControlServer(options.control, {**hands.routes(), **Mishaps(way, device, loop, clock, hands, mailbox).routes()})
    try:
        host, port = server.start()
        print(json.dumps({"ready": True, "port": way.name(), "control": f"http://{host}:{port}", "serial": _serial(options),
                          "boot": device.recorder.memory.boot}), flush=True)
        while not ended:
            loop.turn()
    finally:
        server.stop()
        station.close()
        way.close()
        restore()
        waker.close()
    return 0


def _wire(options: argparse.Namespace) -> Wire:
    line: Line = PtyLine(options.port_link) if options.port_link else TcpLine(options.tcp)
    return Wire(line, options.seed, _bytes_per_s(options), options.line)


def _native_way(options: argparse.Namespace, device: Device) -> NativeWay:
    notes = Notes(options.state.with_name(f"{options.state.name}.commands"), fsync=options.fsync)
    return NativeWay(Connection(read_place(options.mqtt, options.site, options.device)), notes, device)


def _serial(options: argparse.Namespace) -> str:
    return f"SIM{options.seed:06d}"


def _bytes_per_s(options: argparse.Namespace) -> float | None:
    if options.baud is not ...:
        paced: float | None = options.baud
        return paced
    return None if options.speed is None else BYTES_PER_S * options.speed


def _device(options: argparse.Namespace, journal: Journal, truth: Truth, station: Station) -> Device:
    build = Build(
        seed=options.seed, mild_faults=options.faults == "mild", plant=options.plant,
        motions=INSTANT if options.speed is None else Motions(), cassette_slots=options.cassette_slots,
        label_width=options.label_width, reject_room=options.reject_room)
    fuse = Fuse(journal, options.state)

    def boot(cause: Cause) -> tuple[Firmware, Recorder]:
        recorder = remember(journal, fuse, truth, options.truth, _serial(options))
        return Firmware(build, recorder, station.show, _serial(options), options.maker_key, cause), recorder

    return Device(boot, fuse)
