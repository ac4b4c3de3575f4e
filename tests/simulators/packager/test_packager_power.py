"""What the packager knows after the power was cut, and that matter is conserved whatever happens."""

import contextlib
import random
import struct
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packager_bench import OK, STALE_EVENT, UNKNOWN_JOB, Bench, a_label, job_id, run_payload

from simulators.packager.build import INSTANT, Build, Motions
from simulators.packager.faults import Plant, draw_faults, faults_of_job
from simulators.packager.journal import INTENT, Extent, Step, decode_entries, encode_together
from simulators.packager.world import Impossible


def ready(build: Build | None = None) -> Bench:
    bench = Bench(build)
    bench.hello()
    bench.load()
    bench.load(6, 12345, 50, "B", "L2")
    return bench


def slow() -> Bench:
    return ready(Build(motions=Motions()))


TWO = [(5, 1234, 2), (6, 12345, 1)]


def test_a_journal_step_is_28_bytes_with_its_check_sum() -> None:
    step = Step(INTENT, 1, 2, 17, bytes(range(8)), 0xB501AC27)
    assert step.encode().hex() == "a502010211000000" + "0001020304050607" + "27ac01b5" + "00000000" + "d363e4fd"


def test_a_torn_or_damaged_record_ends_the_log() -> None:
    one, two = Step(1, 0, 1, 1, bytes(8), 7).encode(), Extent(3, b"some bytes").encode()
    whole = one + two
    assert [entry for entry, _ in decode_entries(whole)] == [Step(1, 0, 1, 1, bytes(8), 7), Extent(3, b"some bytes")]
    for cut in range(len(whole)):
        assert len(list(decode_entries(whole[:cut]))) == (cut >= len(one))
    assert list(decode_entries(bytes([whole[0], whole[1] ^ 1]) + whole[2:])) == []


def test_records_appended_together_are_all_there_or_none_wherever_the_end_is_torn_off() -> None:
    before, together = Step(1, 0, 1, 1, bytes(8), 7), [Step(2, 0, 1, 1, bytes(8), 7), Extent(3, b"some bytes")]
    first, group = before.encode(), encode_together(together)
    for cut in range(len(group)):
        assert [entry for entry, _ in decode_entries(first + group[:cut])] == [before]
    assert list(decode_entries(first + group)) == [(before, 28), *((entry, 28 + len(group)) for entry in together)]


def test_a_job_goes_on_by_itself_from_accepted_and_from_dropped() -> None:
    bench = slow()
    bench.run(1, TWO)
    bench.run(2)
    bench.tick(0.15)
    steps = [entry.state for entry in bench.entries() if isinstance(entry, Step)]
    assert steps[-2:] == [3, 2]
    dropped = max(end for entry, end in decode_entries(bench.log) if isinstance(entry, Step) and entry.state == 3)
    bench.log = bench.log[:dropped]
    bench.power_on()
    bench.hello()
    assert bench.query(1)[:2] == (2, 1)
    for _ in range(20):
        bench.tick(0.1)
    assert bench.query(1)[0] == 3
    assert bench.verdict(1) == OK
    bench.tick(0.5)
    assert bench.query(1)[0] == 4
    assert [fact["item"] for fact in bench.facts if fact["what"] == "tablet-dropped"][:3] == ["A", "A", "B"]


def test_a_pouch_at_the_camera_asks_again_after_power_loss_and_the_old_verdict_is_stale() -> None:
    bench = ready()
    bench.run(1)
    old = bench.events[-1]
    bench.ack_all()
    bench.power_on()
    assert bench.scenes[-1] is not None
    bench.hello()
    bench.tick()
    assert bench.query(1)[0] == 3
    fresh = bench.events[-1]
    assert (fresh["kind"], fresh["boot"]) == (0x43, 2)
    bench.events.append(old)
    assert bench.verdict(1) == STALE_EVENT
    bench.events.append(fresh)
    assert bench.verdict(1) == OK
    assert len([fact for fact in bench.facts if fact["what"] == "pouch-cut"]) == 1


def test_unacknowledged_events_come_again_in_their_order_with_numbers_of_the_new_boot() -> None:
    bench = ready()
    bench.run(1, TWO)
    assert bench.ask(0x05, (1).to_bytes(4, "little") + (3).to_bytes(4, "little"))[0] == OK
    before = [(event["kind"], event["data"]) for event in bench.events[3:]]
    bench.power_on()
    bench.events.clear()
    bench.hello()
    assert [(event["kind"], event["data"]) for event in bench.events] == before
    assert [(event["boot"], event["evt"]) for event in bench.events] == [(2, n) for n in range(1, len(before) + 1)]
    assert bench.verdict(1) == OK


def test_labels_jobs_and_fence_outlive_power_but_a_half_carried_label_does_not() -> None:
    bench = ready()
    bench.hello(7, fence=5)
    bench.run(1)
    bench.verdict(1)
    bench.power_on()
    assert len(bench.memory.labels) == 1
    assert bench.memory.fence == 5
    bench.hello(8, fence=5)
    assert bench.query(1)[0] == 4
    assert bench.run(1) == OK
    assert bench.ask(0x03, job_id(9))[0] == UNKNOWN_JOB


def test_a_log_written_anew_says_the_same() -> None:
    for seconds in (0.0, 0.05, 0.1, 0.2, 1.5):
        bench = slow()
        bench.run(1, TWO)
        bench.run(2)
        bench.tick(0.5)
        bench.tick(1.5)
        bench.verdict(1, 2)
        bench.tick(0.2)
        bench.tick(seconds)
        whole = bench.log
        bench.log = b"".join(entry.encode() for entry in bench.memory.entries())
        bench.power_on()
        short = bench.memory
        bench.log = whole
        bench.power_on()
        assert short == bench.memory


def tablets(bench: Bench) -> Counter[tuple[str, str]]:
    return Counter(bench.memory.world.tablets())


def counts_agree(bench: Bench) -> bool:
    """What the machine believes is what is there, where no drop is being counted."""
    under_way = bench.machine.phase.name in ("FALLING", "COUNTING")
    return under_way or all(each.remaining == each.tablets for each in bench.memory.world.cassettes.values())


def resolve_or_reset(bench: Bench, source: random.Random) -> None:
    doubt = bench.machine.doubt
    if doubt is None:
        with contextlib.suppress(Impossible):
            bench.machine.reset_stop(bench.now)
        return
    fell = len(bench.memory.world.forming.fallen_in(doubt.slot)) if bench.memory.world.forming else 0
    where = (doubt.slot, bench.memory.boot, doubt.doubt_evt, fell)
    assert bench.ask(0x04, doubt.id + struct.pack("<BIIB", *where))[0] == OK


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(list(Plant)))
def test_tablets_are_conserved_through_any_work_power_loss_and_plant(seed: int, plant: Plant) -> None:
    source = random.Random(seed)
    bench = ready(Build(seed=seed, mild_faults=True, plant=plant, motions=source.choice([INSTANT, Motions()])))
    loaded = tablets(bench)
    for n in range(1, 40):
        match source.randrange(6):
            case 0:
                bench.power_on()
                bench.hello(source.randrange(1, 65536))
            case 1:
                bench.load(5, 1234, 7)
                loaded[("A", "L1")] += 7
            case 2:
                resolve_or_reset(bench, source)
            case 3:
                for event in [event for event in bench.events if event["kind"] == 0x43][-3:]:
                    payload = event["job"] + bytes([event["slot"]]) + event["boot"].to_bytes(4, "little")
                    bench.ask(0x23, payload + event["evt"].to_bytes(4, "little") + bytes([source.randint(1, 3)]))
            case _:
                bench.run(n, [(5, 1234, source.randint(1, 3)), (6, 12345, 1)][: source.randint(1, 2)])
        bench.tick(source.random())
        assert tablets(bench) == loaded
        assert plant is Plant.DOUBLE_DROP or bench.machine.doubt or counts_agree(bench)
        bench.ack_all()
    in_pouches = sum(fact["what"] == "tablet-dropped" for fact in bench.facts)
    assert in_pouches == sum(loaded.values()) - sum(cassette.tablets for cassette in bench.memory.world.cassettes.values())
    intents = [(step.job_head, step.slot) for step in bench.entries() if isinstance(step, Step) and step.state == INTENT]
    assert len(intents) == len(set(intents))


def test_the_same_seed_gives_the_same_faults_and_each_befalls_about_one_pouch_in_a_hundred() -> None:
    drawn = [faults_of_job(3, n.to_bytes(16, "big"), slots=3, label_width=400) for n in range(5000)]
    assert drawn == [faults_of_job(3, n.to_bytes(16, "big"), slots=3, label_width=400) for n in range(5000)]
    assert drawn != [faults_of_job(4, n.to_bytes(16, "big"), slots=3, label_width=400) for n in range(5000)]
    for hit in (
        [each.extra_at is not None for each in drawn], [each.missing_at is not None for each in drawn],
        [each.broken_at is not None for each in drawn],
        [each.print.contrast < 1 or bool(each.print.dead_columns) for each in drawn],
    ):
        assert 25 <= sum(hit) <= 80


@given(st.integers(0, 2**64), st.integers(1, 12), st.integers(1, 640))
def test_drawn_faults_lie_within_the_pouch(seed: int, slots: int, width: int) -> None:
    faults = draw_faults(random.Random(seed), slots=slots, label_width=width)
    assert all(at is None or 0 <= at < slots for at in (faults.extra_at, faults.missing_at, faults.broken_at))
    assert all(0 <= column < width for column in faults.print.dead_columns)


def faulty(bench: Bench, wanted: str) -> int:
    return next(n for n in range(1, 5000)
                if wanted in str(faults_of_job(0, job_id(n), slots=1, label_width=12)).replace("=None", ""))


@pytest.mark.parametrize(("wanted", "fell"), [("extra_at=", 3), ("missing_at=", 1)])
def test_the_sensor_sees_a_tablet_too_many_and_one_missing(wanted: str, fell: int) -> None:
    bench = ready(Build(motions=INSTANT, mild_faults=True))
    n = faulty(bench, wanted)
    bench.run(n, [(5, 1234, 2)])
    [drop] = [event for event in bench.events if event["kind"] == 0x42]
    assert drop["data"] == (1234).to_bytes(4, "little") + bytes([2, fell, 100 - fell, 0])
    assert len([fact for fact in bench.facts if fact["what"] == "tablet-dropped"]) == fell


def test_only_the_camera_sees_a_broken_tablet() -> None:
    bench = ready(Build(motions=INSTANT, mild_faults=True))
    bench.run(faulty(bench, "broken_at="), [(5, 1234, 2)])
    assert bench.scenes[-1] is not None
    assert [tablet["broken"] for tablet in bench.scenes[-1]["tablets"]] == [True, False]
    assert [fact.get("broken", False) for fact in bench.facts if fact["what"] == "tablet-dropped"] == [True, False]


def work(plant: Plant, pouches: int = 5) -> Bench:
    bench = ready(Build(motions=INSTANT, plant=plant))
    for n in range(1, pouches + 1):
        assert bench.run(n, [(5, 1234, 1), (6, 12345, 1)]) == OK
        bench.ack_all()
        assert bench.verdict(n) == OK
        bench.ack_all()
    return bench


def test_planted_double_drop_is_known_to_the_truth_alone() -> None:
    bench = work(Plant.DOUBLE_DROP)
    drops = Counter(fact["pouch"] for fact in bench.facts if fact["what"] == "tablet-dropped")
    assert drops == {"P-000001": 2, "P-000002": 2, "P-000003": 3, "P-000004": 2, "P-000005": 2}
    assert [event["data"][5] for event in bench.events if event["kind"] == 0x42] == [1] * 10
    assert bench.memory.world.cassettes[5].remaining == 95
    assert bench.memory.world.cassettes[5].tablets == 94
    assert all(len(scene["tablets"]) == 2 for scene in bench.scenes if scene)


def test_planted_lost_event_is_one_drop_never_told() -> None:
    bench = work(Plant.LOST_EVENT)
    assert [len([kind for kind in bench.kinds(n) if kind == 0x42]) for n in range(1, 6)] == [2, 2, 1, 2, 2]
    assert len([fact for fact in bench.facts if fact["what"] == "tablet-dropped"]) == 10


def test_planted_swapped_label_changes_the_labels_of_two_pouches_after_the_camera() -> None:
    bench = ready(Build(motions=INSTANT, plant=Plant.SWAPPED_LABEL))
    for n in range(1, 6):
        label = bench.upload(a_label(bytes([n]) * 6))
        assert bench.ask(0x02, run_payload(job_id(n), label, [(5, 1234, 1)]))[0] == OK
        assert bench.verdict(n) == OK
        bench.ack_all()
    printed = {fact["pouch"]: fact["digest"] for fact in bench.facts if fact["what"] == "label-printed"}
    worn = {fact["pouch"]: fact["digest"] for fact in bench.facts if fact["what"] == "pouch-labelled"}
    assert [pouch.id[-1] for pouch in bench.memory.world.output] == ["1", "2", "3", "4", "5"]
    assert worn["P-000003"] == printed["P-000004"]
    assert worn["P-000004"] == printed["P-000003"]
    assert all(worn[pouch] == printed[pouch] for pouch in ("P-000001", "P-000002", "P-000005"))
    assert all(bench.kinds(n)[-2:] == [0x44, 0x46] for n in range(1, 6))
