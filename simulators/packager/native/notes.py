"""What the machine must still know of commands when the power was lost: those that wait, those it knows, refusals nobody has acknowledged.

It is a journal of its own beside the state file, `<state>.commands`. A command is in here before the broker is told that it came.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.packager.journal import Extent, Journal
from simulators.packager.native.sequence import Sequence

COMMANDS_KNOWN = 20_000
ABORTED_JOBS_KEPT = 20_000
WAITING_LIMIT = 1000
EVENTS_LIMIT = 20_000
COMPACT_BYTES = 16 << 20
KIND = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command is not carried out: `rc` for programs, `reason` for people."""

    command: str
    job: str | None
    rc: str
    reason: str


@dataclass(slots=True)
class Noted:
    """A command that waits, as it came; `asked` means that the machine may have done it already."""

    message: bytes
    asked: bool = False


@dataclass
class _Memory:
    """What the records say; `last_number` is that of the newest refusal, `sequence` tells of the hub's numbers."""

    last_number: int = 0
    sequence: Sequence = field(default_factory=Sequence)
    known: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, Noted] = field(default_factory=dict)
    aborted: dict[str, None] = field(default_factory=dict)
    refused: dict[int, dict[str, Any]] = field(default_factory=dict)

    def apply(self, told: dict[str, Any]) -> None:
        """Take one record in."""
        match told:
            case {"what": "numbered", "last": last}:
                self.last_number = last
            case {"what": "came", "seq": seq}:
                self.sequence.note(seq)
            case {"what": "sequence", "highest": highest, "gaps": gaps}:
                self.sequence = Sequence(highest, [(first, last) for first, last in gaps])
            case {"what": "known", "commands": commands}:
                self.known |= dict.fromkeys(commands)
            case {"what": "taken", "command": command, "message": message}:
                self._know(command)
                self.waiting[command] = Noted(message.encode())
            case {"what": "asked", "command": command}:
                self.waiting[command].asked = True
            case {"what": "ended", "command": command}:
                self._know(command)
                self.waiting.pop(command, None)
            case {"what": "refused", "event": event}:
                self.last_number = event["event"]
                self.refused[event["event"]] = event
            case {"what": "aborted", "job": job}:
                self.aborted[job] = None
                _keep(self.aborted, ABORTED_JOBS_KEPT)
            case {"what": "acknowledged", "number": number}:
                self.refused.pop(number, None)

    def records(self) -> Iterator[dict[str, Any]]:
        """Say all of this in the fewest records."""
        yield {"what": "known", "commands": list(self.known)}
        yield {"what": "sequence", "highest": self.sequence.highest, "gaps": self.sequence.gaps}
        yield from ({"what": "aborted", "job": job} for job in self.aborted)
        yield from ({"what": "refused", "event": event} for event in self.refused.values())
        for command, noted in self.waiting.items():
            yield {"what": "taken", "command": command, "message": noted.message.decode()}
            if noted.asked:
                yield {"what": "asked", "command": command}
        yield {"what": "numbered", "last": self.last_number}

    def _know(self, command: str) -> None:
        if command:
            self.known[command] = None
            _keep(self.known, COMMANDS_KNOWN)


def _keep(names: dict[str, None], most: int) -> None:
    while len(names) > most:
        del names[next(iter(names))]


class Notes:
    """The notes of one machine; each change is durable before it is true."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        """Open the file; raises JournalInUse. Refusals of a new one are numbered from the seconds since 1970 on."""
        self._journal = Journal(path, fsync=fsync)
        self._memory = _Memory()
        self._compact_at = COMPACT_BYTES
        for entry in self._journal.load():
            if isinstance(entry, Extent):
                self._memory.apply(json.loads(entry.payload))
        if not self._memory.last_number:
            # Notes that were lost must not have their numbers given again: the hub would take new refusals for old ones.
            self._commit({"what": "numbered", "last": int(time.time())})

    @property
    def waiting(self) -> dict[str, Noted]:
        """Give the commands that wait, by their ids, in order of arrival."""
        return self._memory.waiting

    @property
    def refused(self) -> dict[int, dict[str, Any]]:
        """Give the refusals that the hub has not acknowledged, as events, by their numbers."""
        return self._memory.refused

    @property
    def has_room(self) -> bool:
        """Tell that one more refusal can be kept; each command that waits has a place too, since it may yet be refused."""
        return len(self.waiting) + len(self.refused) < EVENTS_LIMIT

    def knows(self, command: str) -> bool:
        """Tell that this command came before."""
        return command in self._memory.known

    def is_aborted(self, job: str) -> bool:
        """Tell that this job was called off before the machine knew it."""
        return job in self._memory.aborted

    @property
    def seq_gaps(self) -> int:
        """Give how many of the hub's numbers below the highest have not come."""
        return self._memory.sequence.missing

    def take(self, command: str, message: bytes, seq: int) -> None:
        """Let a command wait."""
        self._commit({"what": "came", "seq": seq}, {"what": "taken", "command": command, "message": message.decode()})

    def ask(self, command: str) -> None:
        """Note that the machine is about to be asked."""
        if not self.waiting[command].asked:
            self._commit({"what": "asked", "command": command})

    def end(self, command: str, *refusals: Refusal, at: str, seq: int = 0) -> None:
        """Note that a command is done, or why not; `seq` is given for one that never waited."""
        self._commit({"what": "came", "seq": seq}, {"what": "ended", "command": command}, *self._events(refusals, at))

    def abort(self, job: str, commands: list[str], *refusals: Refusal, at: str) -> None:
        """Note that a job is never to be started, and that these commands end with it."""
        ends = [{"what": "ended", "command": command} for command in commands]
        self._commit({"what": "aborted", "job": job}, *ends, *self._events(refusals, at))

    def acknowledge(self, number: int) -> None:
        """Forget a refusal that the hub has committed."""
        if number in self.refused:
            self._commit({"what": "acknowledged", "number": number})

    def close(self) -> None:
        """Let go of the file."""
        self._journal.close()

    def _events(self, refusals: tuple[Refusal, ...], at: str) -> list[dict[str, Any]]:
        first = self._memory.last_number + 1
        return [{"what": "refused", "event": _event(refusal, first + more, at)} for more, refusal in enumerate(refusals)]

    def _commit(self, *records: dict[str, Any]) -> None:
        self._journal.append([_extent(record) for record in records])
        for record in records:
            self._memory.apply(record)
        if self._journal.size > self._compact_at:
            self._journal.rewrite([_extent(record) for record in self._memory.records()])
            self._compact_at = 2 * self._journal.size + COMPACT_BYTES


def _extent(record: dict[str, Any]) -> Extent:
    return Extent(KIND, json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())


def _event(refusal: Refusal, number: int, at: str) -> dict[str, Any]:
    data = {"command": refusal.command, "rc": refusal.rc, "reason": refusal.reason}
    return {"source": "bridge", "boot": 0, "event": number, "kind": "refused", "job": refusal.job, "slot": None,
            "at": at, "data": data}
