"""The power is cut after each append of a machine's life; whenever it was, the host finds the same plant again."""

import hashlib
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from packager_bench import BUSY, OK, STOPPED, Bench, job_id, run_payload
from test_packager_update import IMAGE, begin_payload

from simulators.packager.build import INSTANT, Build, Motions
from simulators.packager.journal import INTENT, Step

DIGEST_OF_IMAGE = hashlib.sha256(IMAGE).digest()
ENDS = {4, 5, 8}


class PowerCut(Exception):
    """The power is gone, in the middle of whatever was being done."""


class FusedBench(Bench):
    """A machine whose power is cut right after its n-th append from now on."""

    fuse: int | None = None

    def _append(self, entries: Any) -> None:
        super()._append(entries)
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse == 0:
                self.fuse = None
                raise PowerCut


class Host:
    """A host that does everything again until it is done, and notes each event once it has it."""

    def __init__(self, bench: FusedBench) -> None:
        self.bench = bench
        self.told: list[tuple[int, bytes, int, bytes]] = []
        self.boots: Counter[int] = Counter()

    def connect(self) -> None:
        """Open a session and put every event in store, each acknowledged after it was noted."""
        self.bench.events.clear()
        self.bench.hello()
        self.take_events()

    def take_events(self) -> None:
        """Note what came, each number of each boot once, then acknowledge it."""
        self.bench.tick()
        fresh = {(each["boot"], each["evt"]): each for each in self.bench.events}
        self.bench.events = [each for each in self.bench.events if each["kind"] in (0x43, 0x47)]
        self.told += [(each["kind"], each["job"], each["slot"], each["data"]) for _, each in sorted(fresh.items())]
        self.bench.ack_all()

    def order(self, n: int, drops: list[tuple[int, int, int]]) -> None:
        payload = run_payload(job_id(n), self.bench.upload(), drops)
        rc, _ = self.bench.ask(0x02, payload)
        if rc == STOPPED:
            self.resolve(1)
            rc, _ = self.bench.ask(0x02, payload)
        assert rc == OK

    def state(self, n: int) -> int:
        rc, answer = self.bench.ask(0x03, job_id(n))
        return answer[0] if rc == OK else 0

    def finish(self, n: int) -> None:
        """See a job through, with a verdict, and a true count where it is in doubt."""
        while self.state(n) not in ENDS:
            self.bench.tick(0.05)
            self.take_events()
            if self.state(n) == 3:
                self.bench.verdict(n)
            if self.state(n) == 6:
                self.resolve(n)

    def resolve(self, n: int) -> None:
        doubt = self.bench.machine.doubt
        assert doubt is not None
        forming = self.bench.memory.world.forming
        fell = 0 if forming is None else len(forming.fallen_in(doubt.slot))
        assert self.bench.resolve(n, fell, doubt.slot)[0] == OK

    def abort(self, n: int) -> None:
        assert self.bench.ask(0x07, job_id(n))[0] in (OK, BUSY)

    def update(self) -> None:
        """Carry and commit the image unless the device runs it already, then confirm it."""
        if self.version() != "1.2.0":
            self.carry()
        assert self.bench.ask(0x14)[0] == OK

    def carry(self) -> None:
        begin = begin_payload()
        rc, answer = self.bench.ask(0x10, begin)
        assert rc == OK
        offset = struct.unpack("<I", answer)[0]
        while offset < len(IMAGE):
            rc, answer = self.bench.ask(0x11, begin[5:9] + struct.pack("<I", offset) + IMAGE[offset : offset + 200])
            assert rc == OK
            offset = struct.unpack("<I", answer)[0]
        assert self.bench.ask(0x13, DIGEST_OF_IMAGE)[0] == OK
        self.connect()

    def version(self) -> str:
        answer = self.bench.hello().payload
        return answer[24 : 24 + answer[23]].decode()


def a_day(host: Host) -> Iterator[Callable[[], Any]]:
    """Give the steps of a day; each may be repeated after a cut."""
    first, second = [(6, 12345, 1), (5, 1234, 2)], [(5, 1234, 1)]
    yield lambda: host.order(1, first)
    yield lambda: host.order(2, second)
    yield lambda: host.abort(2)
    yield lambda: host.finish(1)
    yield lambda: host.finish(2)
    yield host.bench.lock
    yield host.update
    yield lambda: host.bench.lock(0)
    yield lambda: host.order(3, second)
    yield lambda: host.finish(3)
    yield host.take_events


def live(bench: FusedBench, cut: int | None) -> Host:
    """Live the day with the power cut once, after the append number `cut` of it."""
    host = Host(bench)
    host.connect()
    bench.load(5, 1234, 100)
    bench.load(6, 12345, 50, "B", "L2")
    bench.fuse = cut
    for step in a_day(host):
        while True:
            try:
                step()
                break
            except PowerCut:
                come_back(host)
    return host


def come_back(host: Host) -> None:
    """Switch the power on again, and look at what must hold at once."""
    host.bench.power_on()
    assert_truth_and_count_agree(host.bench)
    host.connect()


def assert_truth_and_count_agree(bench: Bench) -> None:
    """What the machine believes to be left is what is there; in doubt it is what was there before the drop."""
    doubt, forming = bench.machine.doubt, bench.memory.world.forming
    fell: Counter[int] = Counter()
    if doubt is not None and forming is not None:
        fell[doubt.drops[doubt.slot].slot] = len(forming.fallen_in(doubt.slot))
    for slot, cassette in bench.memory.world.cassettes.items():
        assert cassette.remaining == cassette.tablets + fell[slot]


def assert_nothing_moved_twice(bench: Bench) -> None:
    intents = [(step.job_head, step.slot) for step in bench.entries() if isinstance(step, Step) and step.state == INTENT]
    assert len(intents) == len(set(intents))
    asked = {(job_id(1).hex(), 0): 1, (job_id(1).hex(), 1): 2, (job_id(2).hex(), 0): 1, (job_id(3).hex(), 0): 1}
    fell = Counter((fact["job"], fact["slot"]) for fact in bench.facts if fact["what"] == "tablet-dropped")
    assert all(count == asked[drop] for drop, count in fell.items())
    pouches = Counter(fact["job"] for fact in bench.facts if fact["what"] == "pouch-cut")
    assert set(pouches.values()) == {1}


def assert_no_event_is_lost(host: Host, n: int) -> None:
    """Of a job every step was told, in order; what a cut had sent again is the same as before."""
    told = list(dict.fromkeys((kind, slot, data) for kind, job, slot, data in host.told if job == job_id(n)))
    kinds = [kind for kind, _, _ in told if kind not in (0x47, 0x48)]
    state = host.state(n)
    drops = 2 if n == 1 else 1
    if state == 4:
        assert kinds == [0x41, *[0x42] * drops, 0x43, 0x44, 0x46]
    elif state == 8:
        assert kinds == [0x41, 0x46]
    else:
        dropped = kinds.count(0x42)
        assert dropped < drops
        assert kinds == [0x41, *[0x42] * dropped, 0x4A, 0x45, 0x46]
        assert [kind for kind, _, _ in told if kind in (0x47, 0x48)] == [0x47, 0x48]
    counted = sum(data[5] for kind, job, _, data in dict.fromkeys(host.told) if job == job_id(n) and kind in (0x42, 0x4A))
    fell = [fact for fact in host.bench.facts if fact["what"] == "tablet-dropped" and fact["job"] == job_id(n).hex()]
    assert counted == len(fell)


def appends_of_a_day(motions: Motions) -> int:
    bench = FusedBench(Build(motions=motions))
    live(bench, None)
    return len(bench.ends)


@pytest.mark.parametrize("motions", [INSTANT, Motions()], ids=["instant", "slow"])
def test_whenever_the_power_is_cut_nothing_moves_twice_and_nothing_is_lost(motions: Motions) -> None:
    doubts = 0
    for cut in range(1, appends_of_a_day(motions)):
        bench = FusedBench(Build(motions=motions))
        host = live(bench, cut)
        doubts += any(kind == 0x4A for kind, _, _, _ in host.told)
        assert_truth_and_count_agree(bench)
        assert_nothing_moved_twice(bench)
        assert {n: host.state(n) in ENDS for n in (1, 2, 3)} == {1: True, 2: True, 3: True}
        for n in (1, 2, 3):
            assert_no_event_is_lost(host, n)
        locks = list(dict.fromkeys(data for kind, _, _, data in host.told if kind == 0x4B))
        assert locks == [b"\1\12engineer 1", b"\0\12engineer 1"]
        assert (bench.memory.lock_owner, bench.memory.slots.version) == ("", "1.2.0")
        assert (bench.memory.slots.active, bench.memory.slots.confirmed, bench.memory.slots.failed_boots) == (1, 1, 0)
    assert doubts >= 4


def in_doubt() -> FusedBench:
    bench = FusedBench(Build(motions=Motions()))
    host = Host(bench)
    host.connect()
    bench.load(5, 1234, 100)
    host.order(1, [(5, 1234, 2)])
    bench.tick(0.1)
    bench.power_on()
    host.connect()
    return bench


def test_an_answer_cut_off_after_it_was_taken_is_not_taken_twice() -> None:
    bench = in_doubt()
    stopped = bench.told(0x47)
    payload = job_id(1) + struct.pack("<BIIB", 0, stopped["boot"], stopped["evt"], 2)
    bench.fuse = 1
    with pytest.raises(PowerCut):
        bench.ask(0x04, payload)
    bench.power_on()
    bench.events.clear()
    bench.hello()
    assert [event["kind"] for event in bench.events] == [0x4A, 0x45, 0x46, 0x48]
    rc, answer = bench.ask(0x04, payload)
    assert (rc, answer[0]) == (OK, 5)
    assert_truth_and_count_agree(bench)
    assert bench.memory.world.cassettes[5].remaining == 98
    assert [fact["what"] for fact in bench.facts].count("pouch-diverted") == 1


@pytest.mark.parametrize("cut", [1, 2], ids=["after-install", "after-boot"])
def test_a_commit_cut_off_by_power_starts_the_new_image_once_and_is_answered_the_same(cut: int) -> None:
    bench = FusedBench()
    host = Host(bench)
    host.connect()
    bench.lock()
    begin = begin_payload()
    bench.ask(0x10, begin)
    for offset in range(0, len(IMAGE), 200):
        bench.ask(0x11, begin[5:9] + struct.pack("<I", offset) + IMAGE[offset : offset + 200])
    bench.fuse = cut
    with pytest.raises(PowerCut):
        bench.ask(0x13, DIGEST_OF_IMAGE)
    bench.power_on()
    assert host.version() == "1.2.0"
    assert bench.memory.slots.failed_boots == cut
    assert bench.ask(0x13, DIGEST_OF_IMAGE) == (OK, b"")
    assert host.version() == "1.2.0"
