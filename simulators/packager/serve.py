"""The packager as a process: its serial port, its control port, its state file and its truth around the pure firmware."""

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.control import ControlServer
from simulators.packager.build import INSTANT, Build, Motions
from simulators.packager.codec import split_frames
from simulators.packager.faults import Plant
from simulators.packager.firmware import Firmware
from simulators.packager.hands import Hands, Mailbox
from simulators.packager.journal import Extent, Journal, JournalInUse
from simulators.packager.line import BYTES_PER_S, Line, Pace, PtyLine, TcpLine
from simulators.packager.memory import Kind, Memory
from simulators.packager.recorder import Recorder
from simulators.packager.station import PATIENCE_S, Station
from simulators.packager.update import TEST_MAKER_KEY
from simulators.packager.world import Fact, World
from simulators.truth import Truth

COMPACT_BYTES = 16 << 20


class Clock:
    """Simulated time: real time since the start times `speed`; at "max" (None) it runs as real time does."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed or 1.0
        self._start = time.monotonic()

    def simulated(self) -> float:
        """Give the simulated seconds since the start."""
        return (time.monotonic() - self._start) * self._speed

    def real(self, simulated: float) -> float:
        """Give the real time, as `time.monotonic` counts it, of a simulated one."""
        return self._start + simulated / self._speed


class Waker:
    """A pipe by which other threads and signals end the wait of the loop."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)

    def wake(self) -> None:
        """End the present or the next wait."""
        try:
            os.write(self.writing, b"\0")
        except BlockingIOError:
            return

    def drain(self) -> None:
        """Forget the wake-ups so far."""
        try:
            os.read(self.reading, 4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.reading)
        os.close(self.writing)


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


def remember(journal: Journal, truth: Truth, truth_path: Path, serial: str) -> Recorder:
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
    return Recorder(memory, journal.append, lambda fact: truth.write(**fact), lambda: _size(truth_path))


def _lines_from(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        return sum(line.endswith(b"\n") for line in file)


def _size(path: Path) -> int:
    return path.stat().st_size


class Loop:
    """The one thread that owns machine and firmware; it sleeps until bytes, a wake-up or the next due time come."""

    def __init__(
        self, line: Line, firmware: Firmware, journal: Journal, station: Station, mailbox: Mailbox, waker: Waker,
        clock: Clock, bytes_per_s: float | None,
    ) -> None:
        self._line = line
        self._firmware = firmware
        self._journal = journal
        self._station = station
        self._mailbox = mailbox
        self._waker = waker
        self._clock = clock
        self._inward = Pace(bytes_per_s)
        self._outward = Pace(bytes_per_s)
        self._compact_at = 2 * journal.size + COMPACT_BYTES

    def turn(self) -> None:
        """Wait, then take what came, let the machine move, and send what is due."""
        self._wait()
        if self._station.take_shown():
            self._firmware.machine.scene_shown(self._clock.simulated())
        self._mailbox.work_off()
        now = time.monotonic()
        arrived = self._inward.take(now)
        for frame in split_frames(self._firmware.receive(arrived, now, self._clock.simulated())):
            self._outward.push(frame, now)
        carried = self._outward.take(now)
        if carried:
            self._line.write(carried)
        if self._journal.size > self._compact_at:
            self._journal.rewrite(self._firmware.memory.entries())
            self._compact_at = 2 * self._journal.size + COMPACT_BYTES

    def _wait(self) -> None:
        descriptors = [*self._line.descriptors(), self._waker.reading]
        readable = select.select(descriptors, [], [], self._timeout_s())[0]
        for descriptor in readable:
            if descriptor == self._waker.reading:
                self._waker.drain()
            else:
                self._inward.push(self._line.read(descriptor), time.monotonic())

    def _timeout_s(self) -> float | None:
        simulated = self._firmware.machine.due
        machine = None if simulated is None else self._clock.real(simulated)
        dues = [machine, self._firmware.event_due(), self._inward.due, self._outward.due]
        known = [due for due in dues if due is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None


def read_speed(text: str) -> float | None:
    """Read --speed: a positive number, or "max" (None)."""
    if text == "max":
        return None
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("a number above 0, or max")
    return speed


def read_maker_key(text: str) -> bytes:
    """Read --maker-key: the 64 hex digits of an Ed25519 public key."""
    key = bytes.fromhex(text)
    Ed25519PublicKey.from_public_bytes(key)
    return key


def parser() -> argparse.ArgumentParser:
    """Give the options, as docs/simulators.md lists them."""
    options = argparse.ArgumentParser(prog="dosehub-sim packager", description=__doc__)
    port = options.add_mutually_exclusive_group(required=True)
    port.add_argument("--port-link", type=Path, help="symlink to the pseudo terminal that is the serial port")
    port.add_argument("--tcp", metavar="HOST:PORT", help="a raw TCP port instead of a pseudo terminal")
    options.add_argument("--control", default="127.0.0.1:0", metavar="HOST:PORT")
    options.add_argument("--camera", metavar="URL", help="the camera simulator; without it nobody sees the pouches")
    options.add_argument("--truth", type=Path, required=True)
    options.add_argument("--state", type=Path, required=True)
    options.add_argument("--speed", type=read_speed, default=1.0, metavar="N|max")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--faults", choices=["none", "mild"], default="none")
    options.add_argument("--plant", type=Plant, choices=list(Plant), default=Plant.NONE)
    options.add_argument("--cassette-slots", type=int, default=250, choices=range(1, 251), metavar="1..250")
    options.add_argument("--label-width", type=int, default=640, metavar="DOTS")
    options.add_argument("--reject-room", type=int, default=1000, metavar="POUCHES")
    options.add_argument("--maker-key", type=read_maker_key, default=TEST_MAKER_KEY, metavar="HEX",
                         help="Ed25519 public key that firmware is signed with; the default is the test maker's")
    options.add_argument("--fsync", action="store_true", help="let the state file outlive the death of the computer too")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the packager until SIGTERM or SIGINT; 1 where its state file is in use."""
    options = parser().parse_args(arguments)
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
    waker, clock = Waker(), Clock(options.speed)
    restore = _catch_signals(ended, waker)
    station = Station(options.camera, waker.wake)
    serial = f"SIM{options.seed:06d}"
    recorder = remember(journal, truth, options.truth, serial)
    build = Build(
        seed=options.seed, mild_faults=options.faults == "mild", plant=options.plant,
        motions=INSTANT if options.speed is None else Motions(), cassette_slots=options.cassette_slots,
        label_width=options.label_width, reject_room=options.reject_room)
    firmware = Firmware(build, recorder, station.show, serial, options.maker_key)
    if recorder.memory.world.station is not None:
        station.wait_shown(2 * PATIENCE_S)
    mailbox = Mailbox(waker.wake)
    hands = Hands(firmware, recorder, mailbox, clock.simulated)
    line: Line = PtyLine(options.port_link) if options.port_link else TcpLine(options.tcp)
    bytes_per_s = None if options.speed is None else BYTES_PER_S * options.speed
    loop = Loop(line, firmware, journal, station, mailbox, waker, clock, bytes_per_s)
    server = ControlServer(options.control, hands.routes())
    try:
        host, port = server.start()
        print(json.dumps({"ready": True, "port": line.name(), "control": f"http://{host}:{port}", "serial": serial,
                          "boot": recorder.memory.boot}), flush=True)
        while not ended:
            loop.turn()
    finally:
        server.stop()
        station.close()
        line.close()
        restore()
        waker.close()
    return 0
