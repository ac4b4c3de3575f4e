"""A drop of which nobody knows what fell: nothing goes on until a person has counted it, and then nothing of it leaves."""

import struct

import pytest
from packager_bench import BAD_REQUEST, BUSY, OK, STALE_EVENT, STOPPED, Bench, job_id

from simulators.packager.build import Build, Motions
from simulators.packager.codec import REQ, Frame, encode_frame
from simulators.packager.hands import doubt_seen
from simulators.packager.world import Impossible

TWO = [(6, 12345, 1), (5, 1234, 2)]
FALLING_S, COUNTING_S = 0.19, 0.25


def in_doubt(cut_after_s: float = COUNTING_S) -> Bench:
    """Give a machine whose power was cut in the second drop of job 1, before or after its tablets fell; job 2 waits."""
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.load(6, 12345, 50, "B", "L2")
    bench.run(1, TWO)
    bench.run(2)
    bench.tick(cut_after_s)
    bench.ack_all()
    bench.power_on()
    bench.hello()
    bench.tick()
    return bench


def remaining(bench: Bench) -> tuple[int, int]:
    """Give what STATUS tells of slot 5, and what really is there."""
    slot, cassette, left = struct.unpack_from("<BIH", bench.ask(0x01, b"\5")[1], 50)
    assert (slot, cassette) == (5, 1234)
    return left, bench.memory.world.cassettes[5].tablets


@pytest.mark.parametrize(("cut_after_s", "fell"), [(FALLING_S, 0), (COUNTING_S, 2)])
def test_power_lost_between_intent_and_dropped_leaves_the_job_in_doubt(cut_after_s: float, fell: int) -> None:
    bench = in_doubt(cut_after_s)
    assert bench.query(1)[:3] == (6, 1, 0)
    assert bench.query(2)[0] == 1
    assert bench.status() == (4, 0)
    assert remaining(bench) == (100, 100 - fell)
    for _ in range(100):
        bench.tick(1.0)
    assert len(bench.facts) == 1 + fell
    assert bench.run(3) == STOPPED
    assert bench.ask(0x07, job_id(1)) == (BUSY, b"")
    stopped = bench.told(0x47)
    assert (stopped["boot"], stopped["job"], stopped["slot"], stopped["data"]) == (2, job_id(1), 1, b"\0")


@pytest.mark.parametrize(("cut_after_s", "fell"), [(FALLING_S, 0), (COUNTING_S, 2)])
def test_a_persons_count_ends_the_doubt_and_the_pouch_goes_to_the_reject_bin(cut_after_s: float, fell: int) -> None:
    bench = in_doubt(cut_after_s)
    appends = len(bench.log)
    rc, answer = bench.resolve(1, fell, slot=1)
    assert (rc, answer[0]) == (OK, 5)
    bench.tick()
    assert bench.kinds(1)[-4:] == [0x4A, 0x45, 0x46, 0x48]
    assert struct.unpack("<I", answer[1:])[0] == bench.told(0x48)["evt"]
    resolved = bench.told(0x4A)
    assert (resolved["slot"], resolved["data"]) == (1, struct.pack("<IBBH", 1234, 2, fell, 100 - fell))
    assert (bench.told(0x45)["data"], bench.told(0x46)["data"]) == (b"\0", b"\5")
    assert remaining(bench) == (100 - fell, 100 - fell)
    [pouch] = bench.memory.world.reject
    assert [tablet.item for tablet in pouch.tablets] == ["B"] + ["A"] * fell
    assert [fact["what"] for fact in bench.facts][-4:] == ["label-printed", "pouch-cut", "pouch-diverted", "pouch-labelled"]
    assert bench.query(2)[0] == 2
    assert len(bench.log) > appends


def test_the_answer_is_durable_in_one_append() -> None:
    bench = in_doubt()
    bench.ack_all()
    bench.machine.befall("jam")
    before, appended = len(bench.log), bench.appends
    bench.resolve(1, 2, slot=1)
    assert bench.appends == appended + 2  # the second one is job 2, which stops for the jam
    for cut in range(before, len(bench.log)):
        half = Bench(bench.build)
        half.log = bench.log[:cut]
        half.power_on()
        assert half.memory.jobs[job_id(1)].state in (6, 5)
        assert (half.memory.jobs[job_id(1)].state == 5) == (cut >= bench.ends[-2])


def test_a_repeated_answer_is_the_same_answer_also_after_another_power_loss() -> None:
    bench = in_doubt()
    stopped = bench.told(0x47)
    payload = job_id(1) + struct.pack("<BIIB", 1, stopped["boot"], stopped["evt"], 2)
    request = encode_frame(Frame(REQ, 50, bench.sid, 0x04, payload))
    answered = bench.feed(request)
    facts = list(bench.facts)
    assert bench.feed(request) == answered
    assert bench.ask(0x04, payload) == (OK, answered[0].payload[1:])
    assert bench.ask(0x04, payload[:-1] + b"\1") == (STALE_EVENT, b"")
    for anew in (False, True):
        if anew:
            bench.log = b"".join(entry.encode() for entry in bench.memory.entries())
        bench.power_on()
        bench.hello()
        rc, answer = bench.ask(0x04, payload)
        assert (rc, answer[0]) == (OK, 5)
        assert [fact for fact in bench.facts if fact.get("slot") == 1] == ([] if anew else [f for f in facts if f.get("slot") == 1])


def test_an_answer_must_name_the_event_the_job_and_the_drop() -> None:
    bench = in_doubt()
    stopped = bench.told(0x47)
    boot, evt = stopped["boot"], stopped["evt"]
    before = bench.log
    for job, slot, named_boot, named_evt in (
        (1, 1, boot - 1, evt), (1, 1, boot + 1, evt), (1, 1, boot, evt - 1), (1, 1, boot, evt + 1), (1, 0, boot, evt),
        (2, 1, boot, evt), (2, 0, boot, evt), (9, 1, boot, evt), (1, 1, 0, 0),
    ):
        payload = job_id(job) + struct.pack("<BIIB", slot, named_boot, named_evt, 2)
        assert bench.ask(0x04, payload) == (STALE_EVENT, b"")
    assert bench.log == before
    assert bench.resolve(1, 2, slot=1)[0] == OK


def test_where_nothing_is_in_doubt_no_answer_is_taken() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.run(1)
    assert bench.ask(0x04, job_id(1) + struct.pack("<BIIB", 0, 1, 0, 1)) == (STALE_EVENT, b"")


def test_more_than_the_cassette_held_cannot_have_fallen() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load(count=3)
    bench.run(1)
    bench.tick(0.05)
    bench.power_on()
    bench.hello()
    assert bench.resolve(1, 4) == (BAD_REQUEST, b"")
    assert bench.status() == (4, 0)
    assert bench.resolve(1, 3)[0] == OK
    assert remaining(bench) == (0, 3)


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_doubt_is_told_once_at_each_boot_and_the_older_number_is_stale(acknowledged: bool) -> None:
    bench = in_doubt()
    old = bench.told(0x47)
    for boot in (3, 4):
        if acknowledged:
            bench.ack_all()
        else:
            bench.load(count=0)
        bench.power_on()
        bench.hello()
        stopped = [event for event in bench.events if event["kind"] == 0x47 and event["boot"] == boot]
        assert len({event["evt"] for event in stopped}) == 1
    stale = job_id(1) + struct.pack("<BIIB", 1, old["boot"], old["evt"], 2)
    assert bench.ask(0x04, stale) == (STALE_EVENT, b"")
    assert bench.resolve(1, 2, slot=1)[0] == OK


def test_a_stop_for_another_reason_that_nobody_acknowledged_is_not_the_doubt() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.machine.befall("jam")
    bench.run(1)
    bench.machine.reset_stop(bench.now)
    bench.tick(0.05)
    bench.power_on()
    bench.hello()
    assert bench.told(0x47)["data"] == b"\0"
    assert bench.resolve(1, 0)[0] == OK


def test_no_hand_settles_a_doubt_and_none_takes_the_cassette_out() -> None:
    bench = in_doubt()
    before = bench.log
    with pytest.raises(Impossible, match="answers at the hub"):
        bench.machine.reset_stop(bench.now)
    with pytest.raises(Impossible, match="latched"):
        bench.machine.unload(5)
    assert bench.log == before
    bench.machine.unload(6)


@pytest.mark.parametrize(("cut_after_s", "fell"), [(FALLING_S, 0), (COUNTING_S, 2)])
def test_somebody_who_opens_the_pouch_can_count_what_fell(cut_after_s: float, fell: int) -> None:
    bench = in_doubt(cut_after_s)
    assert doubt_seen(bench.machine) == {
        "job": job_id(1).hex(), "drop": 1, "slot": 5, "cassette": 1234, "asked": 2, "fell": fell,
        "tablets": [{"item": "A", "lot": "L1"}] * fell}
    bench.resolve(1, fell, slot=1)
    assert doubt_seen(bench.machine) is None


def test_tablets_put_in_while_a_drop_is_in_doubt_are_counted_on_top() -> None:
    bench = in_doubt()
    bench.load(count=10)
    assert remaining(bench) == (110, 108)
    bench.resolve(1, 2, slot=1)
    assert remaining(bench) == (108, 108)


def test_a_drop_whose_cassette_was_not_there_is_resolved_with_nothing() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.load(6, 12345)
    bench.run(1, [(5, 1234, 1), (6, 12345, 1)])
    bench.machine.unload(6)
    bench.load(6, 999)
    bench.tick(0.2)
    bench.power_on()
    bench.hello()
    assert bench.resolve(1, 1, slot=1) == (BAD_REQUEST, b"")
    assert bench.resolve(1, 0, slot=1)[0] == OK
    assert bench.told(0x4A)["data"] == struct.pack("<IBBH", 12345, 1, 0, 0)
    assert bench.memory.world.cassettes[6].remaining == 100
