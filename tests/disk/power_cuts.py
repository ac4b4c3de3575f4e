"""Many power cuts of recorded runs: choosing where, rebuilding what the disk may hold, judging it, and counting."""

import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.disk.cut_disk import MAPPED, Disk, Files, Kind
from tests.disk.judges import Found, HubJudge, SpoolJudge, Verdict
from tests.disk.recording import Event, Marked, Synced, record

NEAR_AN_ACKNOWLEDGEMENT = 0.6
NEAR = (-4, 3)
BEFORE_THE_FIRST = 0.01
FAULTS_TOLD = 5


class RecorderBlind(RuntimeError):
    """The log replayed does not give the files that the program left: something was written past the recorder."""


class Mode(Enum):
    """How a program syncs, and the disk obeys; only the first is the product's, the others must be seen to harm."""

    FULL = "FULL"
    NORMAL = "NORMAL"
    LYING = "lying"

    @property
    def synchronous(self) -> str:
        """What the program's connection is set to."""
        return "NORMAL" if self is Mode.NORMAL else "FULL"


@dataclass(frozen=True)
class Program:
    """A recorded program: its module, how to judge its disks, how much it does, and after how many pages it checkpoints."""

    name: str
    module: str
    judge: type[HubJudge] | type[SpoolJudge]
    steps: int
    checkpoint_pages: int = 25


HUB = Program("hub", "hub_program", HubJudge, 60)
SPOOL = Program("spool", "spool_program", SpoolJudge, 80)


@dataclass(frozen=True)
class Recording:
    """All that a program did in one run, which its seed chose."""

    program: Program
    seed: int
    events: Sequence[Event]


@dataclass
class Tally:
    """What came of the cuts of one program at one setting on one kind of disk; `disks` counts those that differ in any byte.

    `lost` are the states that lack anything acknowledged, `worst` is the most that one of them lacks.
    """

    program: Program
    mode: Mode
    kind: Kind
    states: int = 0
    disks: int = 0
    lost: int = 0
    worst: int = 0
    corrupt: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict, where: str) -> None:
        """Count one state."""
        self.states += 1
        self.lost += verdict.lost > 0
        self.worst = max(self.worst, verdict.lost)
        self.corrupt += bool(verdict.fault)
        if (verdict.fault or verdict.lost) and len(self.faults) < FAULTS_TOLD:
            self.faults.append(f"{where}: {verdict.fault or f'{verdict.lost} acknowledged lost'}")


def recorded(program: Program, mode: Mode, seed: int, folder: Path) -> Recording:
    """Run a program in a new folder; raise RecorderBlind where the log does not tell all that it wrote.

    A lying disk's events lack half of the syncs: it said that they had ended and had done nothing.
    """
    arguments = [mode.synchronous, str(program.steps), str(program.checkpoint_pages), str(seed)]
    events = record(program.module, arguments, folder)
    check_replay(events, folder / "disk")
    if mode is Mode.LYING:
        chooser = random.Random(seed)
        events = [event for event in events if not isinstance(event, Synced) or chooser.random() < 0.5]
    return Recording(program, seed, events)


def check_replay(events: Sequence[Event], left: Path) -> None:
    """Raise RecorderBlind unless all events, replayed, give the files that the program left in a folder."""
    disk = Disk(Kind.STRICT)
    for event in events:
        disk.follow(event)
    files = {path.name: path.read_bytes() for path in left.iterdir() if not path.name.endswith(MAPPED)}
    if files != disk.whole():
        raise RecorderBlind(f"other files were left than were recorded: {sorted(files)}")


def cut_many(recording: Recording, states: int, tally: Tally, folder: Path) -> None:
    """Judge so many disks after cuts chosen by the recording's seed, into a tally; `folder` is emptied for each of them.

    Two disks with the same bytes hold the same: such a one is looked at once, and judged for each cut.
    """
    started, judge = time.perf_counter(), recording.program.judge(recording.events)
    chooser = random.Random(f"{recording.seed} {recording.program.name} {tally.mode.value} {tally.kind.value}")
    looked_at: dict[bytes, Found] = {}
    for cut, files in _disks(recording.events, tally.kind, states, chooser):
        same = _digest(files)
        if same not in looked_at:
            _lay_out(files, folder)
            looked_at[same] = judge.look(folder)
        tally.add(judge.verdict(looked_at[same], cut), f"recording {recording.seed} cut after {cut} events")
    tally.disks += len(looked_at)
    tally.seconds += time.perf_counter() - started


def _disks(events: Sequence[Event], kind: Kind, states: int, chooser: random.Random) -> Iterator[tuple[int, Files]]:
    """Yield cuts in the order of the run, each with one disk that may be found after it."""
    disk, done = Disk(kind), 0
    for cut in _chosen_cuts(events, states, chooser):
        for event in events[done:cut]:
            disk.follow(event)
        done = cut
        yield cut, disk.cut(chooser)


def _chosen_cuts(events: Sequence[Event], states: int, chooser: random.Random) -> list[int]:
    """Return so many cuts in order: few while the tables are made, which is slow to judge, and most near an acknowledgement."""
    acknowledged = [number for number, event in enumerate(events, 1) if isinstance(event, Marked) and event.word == "acknowledged"]
    return sorted(_chosen_cut(acknowledged, len(events), chooser) for _ in range(states))


def _chosen_cut(acknowledged: Sequence[int], last: int, chooser: random.Random) -> int:
    where = chooser.random()
    if where < BEFORE_THE_FIRST:
        return chooser.randrange(acknowledged[0])
    if where < NEAR_AN_ACKNOWLEDGEMENT:
        return min(last, chooser.choice(acknowledged) + chooser.randint(*NEAR))
    return chooser.randint(acknowledged[0], last)


def _digest(files: Files) -> bytes:
    """Return what two disks have in common whose every byte is the same, but for mapped files: those are read by nobody after a cut."""
    whole = hashlib.sha256()
    for name in sorted(files):
        content = b"" if name.endswith(MAPPED) else files[name]
        whole.update(f"{name} {len(content)} ".encode())
        whole.update(content)
    return whole.digest()


def _lay_out(files: Files, folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
