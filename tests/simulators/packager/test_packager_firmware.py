"""The device side of PPL/1, request by request, without a process."""

import struct
import zlib

import pytest
from packager_bench import (
    BAD_REQUEST,
    BUSY,
    CASSETTE_MISMATCH,
    CONFLICT,
    DIGEST,
    EMPTY,
    FENCED,
    NO_LABEL,
    OFFSET,
    OK,
    STALE_EVENT,
    STOPPED,
    UNKNOWN_JOB,
    UNSUPPORTED,
    Bench,
    a_label,
    job_id,
    run_payload,
)

from simulators.packager.build import INSTANT, Build, Motions
from simulators.packager.codec import REQ, Frame, encode_frame
from simulators.packager.world import Impossible


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.hello()
    made.load()
    return made


def test_hello_tells_who_the_device_is() -> None:
    bench = Bench(Build(motions=INSTANT, cassette_slots=40, label_width=576))
    answer = bench.hello(fence=42).payload
    schema = zlib.crc32(b"PPL/1.1").to_bytes(4, "little").hex()
    assert answer == bytes.fromhex(f"00 01 01 {schema} 01000000 00 01000000 7f000000 28 4002 05 312e312e30 04 53303037")


def test_a_lower_fence_opens_no_session_and_outlives_power(bench: Bench) -> None:
    assert bench.hello(1, fence=9).payload[0] == OK
    bench.power_on()
    assert bench.hello(2, fence=8).payload[0] == FENCED
    assert bench.feed(encode_frame(Frame(REQ, 1, 2, 6, b"x"))) == []
    assert bench.firmware.counters.stale_sid == 1
    assert bench.hello(3, fence=9).payload[0] == OK


def test_a_request_of_another_session_is_counted_and_not_answered(bench: Bench) -> None:
    assert bench.feed(encode_frame(Frame(REQ, 1, 0x1234, 6, b"x"))) == []
    assert bench.firmware.counters.stale_sid == 1


def test_before_hello_nothing_is_answered() -> None:
    bench = Bench()
    assert bench.feed(encode_frame(Frame(REQ, 1, 0, 6, b"x"))) == []


def test_ping_gives_the_bytes_back_and_unknown_operations_are_unsupported(bench: Bench) -> None:
    assert bench.ask(0x06, b"\0\1hi") == (OK, b"\0\1hi")
    assert bench.ask(0x06, bytes(225)) == (OK, bytes(225))
    assert bench.ask(0x06, bytes(226)) == (BAD_REQUEST, b"")
    for op in (0x00, 0x0B, 0x0F, 0x15, 0x24, 0x99):
        assert bench.ask(op) == (UNSUPPORTED, b"")


def test_a_repeated_request_gets_the_stored_reply_and_is_not_executed_again(bench: Bench) -> None:
    label = bench.upload()
    request = encode_frame(Frame(REQ, 77, bench.sid, 2, run_payload(job_id(1), label, [(5, 1234, 2)])))
    first = bench.feed(request)
    assert first[0].payload[:2] == bytes([OK, 1])
    assert [bench.feed(request) for _ in range(3)] == [first] * 3
    assert bench.firmware.counters.dup == 3
    assert [fact["what"] for fact in bench.facts].count("tablet-dropped") == 2


def test_the_reply_is_repeated_only_for_the_same_bytes(bench: Bench) -> None:
    ask = encode_frame(Frame(REQ, 7, bench.sid, 6, b"a"))
    bench.feed(ask)
    bench.feed(ask)
    assert bench.firmware.counters.dup == 1
    assert bench.feed(encode_frame(Frame(REQ, 7, bench.sid, 6, b"b")))[0].payload == b"\0b"
    assert bench.firmware.counters.dup == 1


def test_status_pages_tell_every_slot(bench: Bench) -> None:
    bench.load(6, 12345, 2)
    rc, answer = bench.ask(0x01, b"\x05")
    assert rc == OK
    assert answer[:19] == bytes(19)
    assert answer[47:50] == bytes([250, 5, 20])
    assert answer[50:64] == bytes.fromhex("05 d2040000 6400 06 39300000 0200")
    assert answer[64:71] == bytes([7, 0, 0, 0, 0, 0, 0])
    assert len(answer) == 50 + 20 * 7
    assert bench.ask(0x01, b"\xf5")[1][49] == 6
    assert bench.ask(0x01, b"\x00") == (BAD_REQUEST, b"")
    assert bench.ask(0x01, b"\xff")[1][49] == 0


def test_status_counts_what_the_receiver_dropped(bench: Bench) -> None:
    bench.feed(b"\0\1\0" + b"\0" + b"\1" * 237 + b"\0")
    counters = struct.unpack_from("<6I", bench.ask(0x01, b"\1")[1], 23)
    assert counters[:3] == (0, 1, 1)
    assert counters[3] == bench.firmware.counters.ok


def test_a_job_gives_its_events_in_order_and_moves_the_tablets(bench: Bench) -> None:
    bench.load(6, 12345, 2, item="B", lot="L2")
    assert bench.run(1, [(5, 1234, 1), (6, 12345, 2)]) == OK
    assert bench.query(1)[:3] == (3, 1, 1)
    assert bench.ask(0x01, b"\1")[1][:2] == b"\2\0"
    assert bench.verdict(1) == OK
    assert bench.query(1)[0] == 4
    assert bench.kinds(1) == [0x41, 0x42, 0x42, 0x43, 0x44, 0x46]
    drops = [event for event in bench.events if event["kind"] == 0x42]
    assert [(event["slot"], event["data"].hex()) for event in drops] == [(0, "d204000001016300"), (1, "3930000002020000")]
    assert [fact["what"] for fact in bench.facts] == [
        *["tablet-dropped"] * 3, "label-printed", "pouch-cut", "pouch-released", "pouch-labelled"]
    assert bench.facts[0] == {"what": "tablet-dropped", "pouch": "P-000001", "job": job_id(1).hex(), "slot": 0,
                              "item": "A", "lot": "L1", "quantity": "1"}
    assert [pouch.id for pouch in bench.memory.world.output] == ["P-000001"]


def test_the_scene_is_laid_before_the_camera_event_and_cleared_when_the_pouch_leaves(bench: Bench) -> None:
    bench.shows = False
    bench.run(1)
    assert [scene["pouch"] for scene in bench.scenes if scene] == ["P-000001"]
    assert 0x43 not in bench.kinds(1)
    bench.machine.scene_shown(bench.now)
    bench.tick()
    assert bench.kinds(1)[-1] == 0x43
    bench.verdict(1)
    assert bench.scenes[-1] is None
    assert bench.scenes[0] is not None
    assert bench.scenes[0]["print"] == {"contrast": 1.0, "dead_columns": []}


@pytest.mark.parametrize("verdict", [2, 3])
def test_everything_but_pass_diverts_into_the_reject_bin(bench: Bench, verdict: int) -> None:
    bench.run(1)
    assert bench.verdict(1, verdict) == OK
    assert bench.query(1)[0] == 5
    assert bench.kinds(1)[-2:] == [0x45, 0x46]
    assert bench.events[-2]["data"] == bytes([verdict])
    assert bench.events[-1]["data"] == b"\5"
    assert [pouch.id for pouch in bench.memory.world.reject] == ["P-000001"]


def test_the_same_job_answers_its_state_and_another_digest_conflicts(bench: Bench) -> None:
    label = bench.upload()
    payload = run_payload(job_id(1), label, [(5, 1234, 1)])
    assert bench.ask(0x02, payload)[0] == OK
    bench.verdict(1)
    rc, answer = bench.ask(0x02, payload)
    assert (rc, answer[0]) == (OK, 4)
    assert bench.ask(0x02, run_payload(job_id(1), label, [(5, 1234, 2)])) == (CONFLICT, b"")
    assert len([fact for fact in bench.facts if fact["what"] == "tablet-dropped"]) == 1


def test_a_fifth_job_is_busy_and_labels_travel_while_a_pouch_waits(bench: Bench) -> None:
    assert [bench.run(n) for n in range(1, 6)] == [OK, OK, OK, OK, BUSY]
    assert bench.query(1)[0] == 3
    assert bench.query(2)[0] == 1
    bench.upload(a_label(b"\x55" * 60, 8))
    bench.verdict(1)
    assert bench.query(2)[0] == 3
    assert bench.run(5) == OK


def test_unknown_labels_cassettes_and_jobs_are_refused(bench: Bench) -> None:
    label = bench.upload()
    assert bench.ask(0x02, run_payload(job_id(1), bytes(32), [(5, 1234, 1)])) == (NO_LABEL, b"")
    assert bench.ask(0x02, run_payload(job_id(1), label, [(5, 1235, 1)])) == (CASSETTE_MISMATCH, b"")
    assert bench.ask(0x02, run_payload(job_id(1), label, [(6, 1234, 1)])) == (CASSETTE_MISMATCH, b"")
    assert bench.ask(0x02, run_payload(job_id(1), label, [(5, 1234, 60), (5, 1234, 41)])) == (EMPTY, b"")
    assert bench.ask(0x03, job_id(1)) == (UNKNOWN_JOB, b"")
    assert bench.ask(0x23, job_id(1) + struct.pack("<BIIB", 0, 1, 1, 1)) == (UNKNOWN_JOB, b"")
    assert bench.kinds(1) == []


def test_tablets_promised_to_accepted_jobs_are_not_promised_twice(bench: Bench) -> None:
    assert bench.run(1, [(5, 1234, 60)]) == OK
    assert bench.run(2, [(5, 1234, 30)]) == OK
    assert bench.run(3, [(5, 1234, 11)]) == EMPTY
    assert bench.run(3, [(5, 1234, 10)]) == OK


def test_a_job_whose_digest_is_not_that_of_its_bytes_is_refused(bench: Bench) -> None:
    payload = bytearray(run_payload(job_id(1), bench.upload(), [(5, 1234, 1)]))
    payload[-1] = 2
    assert bench.ask(0x02, bytes(payload)) == (DIGEST, b"")


@pytest.mark.parametrize("damage", ["short", "none", "thirteen", "zero-count", "slot-zero", "job-zero"])
def test_a_malformed_job_is_a_bad_request(bench: Bench, damage: str) -> None:
    label = bench.upload()
    payload = {
        "short": run_payload(job_id(1), label, [(5, 1234, 1)])[:-1],
        "none": run_payload(job_id(1), label, []),
        "thirteen": run_payload(job_id(1), label, [(5, 1234, 1)] * 13),
        "zero-count": run_payload(job_id(1), label, [(5, 1234, 0)]),
        "slot-zero": run_payload(job_id(1), label, [(0, 1234, 1)]),
        "job-zero": run_payload(bytes(16), label, [(5, 1234, 1)]),
    }[damage]
    assert bench.ask(0x02, payload) == (BAD_REQUEST, b"")


def test_a_verdict_for_another_event_is_stale_and_a_repetition_is_taken(bench: Bench) -> None:
    bench.run(1)
    event = bench.events[-1]
    right = job_id(1) + struct.pack("<BIIB", 0, event["boot"], event["evt"], 1)
    assert bench.ask(0x23, job_id(1) + struct.pack("<BIIB", 0, event["boot"], event["evt"] - 1, 1))[0] == STALE_EVENT
    assert bench.ask(0x23, job_id(1) + struct.pack("<BIIB", 0, event["boot"] + 1, event["evt"], 1))[0] == STALE_EVENT
    assert bench.ask(0x23, job_id(1) + struct.pack("<BIIB", 0, event["boot"], event["evt"], 4))[0] == BAD_REQUEST
    assert bench.ask(0x23, right)[0] == OK
    assert bench.ask(0x23, right)[0] == OK
    assert bench.ask(0x23, right[:-1] + b"\2")[0] == STALE_EVENT
    assert bench.query(1)[0] == 4


def test_no_verdict_in_time_stops_the_machine_until_one_comes(bench: Bench) -> None:
    bench.run(1)
    bench.run(2)
    bench.tick(29.9)
    assert bench.ask(0x01, b"\1")[1][:2] == b"\2\0"
    bench.tick(0.2)
    assert bench.ask(0x01, b"\1")[1][:2] == b"\3\1"
    assert bench.kinds(1)[-1] == 0x47
    assert bench.run(3) == STOPPED
    assert bench.verdict(1) == OK
    assert bench.kinds(1)[-4:] == [0x47, 0x48, 0x44, 0x46]
    assert bench.query(2)[0] == 3


def test_label_data_at_another_offset_names_the_next(bench: Bench) -> None:
    digest, width, height, stream = a_label(bytes(range(256)) * 3, 8)
    assert bench.ask(0x21, digest[:4] + struct.pack("<I", 0) + b"x") == (NO_LABEL, b"")
    begin = digest + struct.pack("<HHI", width, height, len(stream))
    assert bench.ask(0x20, begin) == (OK, struct.pack("<I", 0))
    assert bench.ask(0x21, digest[:4] + struct.pack("<I", 0) + stream[:100]) == (OK, struct.pack("<I", 100))
    assert bench.ask(0x21, digest[:4] + struct.pack("<I", 0) + stream[:100]) == (OFFSET, struct.pack("<I", 100))
    assert bench.ask(0x22, digest) == (OFFSET, b"")
    bench.hello(5)
    assert bench.ask(0x20, begin) == (OK, struct.pack("<I", 100))
    assert bench.upload((digest, width, height, stream)) == digest
    assert bench.ask(0x20, begin) == (OK, struct.pack("<I", len(stream)))


def test_a_label_that_is_not_what_was_named_is_dropped(bench: Bench) -> None:
    digest, width, height, _ = a_label()
    for stream in (zlib.compress(b"other!"), b"no zlib", zlib.compress(bytes(70000)), zlib.compress(b"abc") + b"tail"):
        assert bench.ask(0x20, digest + struct.pack("<HHI", width, height, len(stream))) == (OK, bytes(4))
        assert bench.ask(0x21, digest[:4] + bytes(4) + stream)[0] == OK
        assert bench.ask(0x22, digest) == (DIGEST, b"")
        assert bench.ask(0x22, digest) == (NO_LABEL, b"")
    for size in ((641, 1, 9), (8, 801, 9), (0, 3, 9), (8, 1, 0), (8, 1, 65537)):
        assert bench.ask(0x20, digest + struct.pack("<HHI", *size)) == (BAD_REQUEST, b"")


def test_the_label_longest_unused_goes_first_but_none_that_a_job_needs(bench: Bench) -> None:
    bench.run(1)
    needed = bench.upload()
    others = [bench.upload(a_label(bytes([n]) * 4, 8)) for n in range(8)]
    assert list(bench.memory.labels) == [needed, *others[1:]]
    assert len(bench.memory.labels) == 8
    assert bench.ask(0x02, run_payload(job_id(2), others[0], [(5, 1234, 1)])) == (NO_LABEL, b"")


def test_events_are_repeated_every_200_ms_until_acknowledged(bench: Bench) -> None:
    bench.ack_all()
    bench.events.clear()
    bench.run(1)
    numbers = [event["evt"] for event in bench.events]
    assert numbers == [2, 3, 4]
    bench.tick(0.19)
    assert len(bench.events) == 3
    bench.tick(0.02)
    assert [event["evt"] for event in bench.events] == [2, 3, 4, 2]
    assert bench.firmware.event_due() == pytest.approx(bench.now + 0.2)
    assert bench.ask(0x05, struct.pack("<II", 1, 3)) == (OK, b"")
    assert bench.events[-1]["evt"] == 4
    assert bench.ask(0x05, struct.pack("<II", 1, 99)) == (BAD_REQUEST, b"")
    assert bench.ask(0x05, struct.pack("<II", 2, 4)) == (STALE_EVENT, b"")
    bench.ack_all()
    assert bench.firmware.event_due() is None


def test_at_most_sixteen_events_are_on_the_way_and_a_new_session_sends_them_again(bench: Bench) -> None:
    for n in range(30):
        bench.load(5, 1234, n)
    assert [event["evt"] for event in bench.events] == list(range(1, 17))
    assert all(event["seq"] == event["evt"] & 0xFF for event in bench.events)
    bench.hello(9)
    assert [event["evt"] for event in bench.events[16:]] == list(range(1, 17))
    bench.ask(0x05, struct.pack("<II", 1, 10))
    assert [event["evt"] for event in bench.events[32:]] == list(range(17, 27))


def test_with_256_events_stored_no_new_job_starts(bench: Bench) -> None:
    for _ in range(255):
        bench.load(5, 1234, 0)
    assert bench.run(1) == BUSY
    bench.ack_all()
    assert bench.run(1) == OK


def test_a_cassette_taken_out_before_its_drop_drops_nothing() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.load(6, 12345)
    bench.run(1, [(5, 1234, 1), (6, 12345, 1)])
    bench.machine.unload(6)
    while bench.query(1)[0] != 3:
        bench.tick(0.05)
    drops = {event["slot"]: event["data"] for event in bench.events if event["kind"] == 0x42}
    assert drops[1] == struct.pack("<IBBH", 12345, 1, 0, 0)
    assert bench.told(0x49)["data"] == bytes.fromhex("06 00000000 0000")


def test_a_cassette_is_latched_from_the_intent_until_its_drop_is_counted() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.run(1)
    for seconds in (0.0, 0.05, 0.05):
        bench.tick(seconds)
        with pytest.raises(Impossible, match="latched"):
            bench.machine.unload(5)
    bench.load(count=7)
    bench.tick(0.05)
    assert bench.told(0x42)["data"] == struct.pack("<IBBH", 1234, 1, 1, 106)
    bench.machine.unload(5)


def test_film_out_and_a_full_reject_bin_stop_the_machine_for_a_person() -> None:
    bench = Bench(Build(motions=INSTANT, reject_room=1))
    bench.hello()
    bench.load()
    bench.run(1)
    bench.verdict(1, 2)
    assert bench.run(2) == OK
    assert bench.ask(0x01, b"\1")[1][:2] == b"\3\5"
    with pytest.raises(Impossible, match="still full"):
        bench.machine.reset_stop(bench.now)
    bench.machine.take("reject")
    bench.memory.world.film = 0
    bench.machine.reset_stop(bench.now)
    bench.tick()
    assert bench.ask(0x01, b"\1")[1][:2] == b"\3\2"
    bench.machine.reset_stop(bench.now)
    bench.tick()
    assert bench.verdict(2) == OK
    assert bench.query(2)[0] == 4


@pytest.mark.parametrize(("trouble", "reason"), [("jam", 4), ("ribbon-out", 6), ("gate-stuck", 7)])
def test_trouble_stops_the_machine_before_its_next_motion_until_a_person_put_it_right(
    bench: Bench, trouble: str, reason: int,
) -> None:
    bench.machine.befall(trouble)
    assert bench.run(1) == OK
    assert bench.status() == (3, reason)
    assert bench.told(0x47)["data"] == bytes([reason])
    assert bench.run(2) == STOPPED
    bench.machine.reset_stop(bench.now)
    bench.tick()
    assert bench.query(1)[0] == 3
    assert bench.kinds(1) == [0x41, 0x47, 0x48, 0x42, 0x43]


def test_an_open_door_stops_the_machine_until_it_is_closed() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.run(1, [(5, 1234, 1), (5, 1234, 1)])
    bench.machine.open_door(True, bench.now)
    bench.tick(1.0)
    assert bench.status() == (3, 3)
    assert [fact["slot"] for fact in bench.facts] == [0]
    with pytest.raises(Impossible, match="door"):
        bench.machine.reset_stop(bench.now)
    bench.machine.open_door(False, bench.now)
    bench.machine.reset_stop(bench.now)
    bench.tick(1.0)
    assert bench.query(1)[0] == 3


def test_where_nothing_is_stopped_there_is_nothing_to_reset(bench: Bench) -> None:
    with pytest.raises(Impossible, match="nothing is stopped"):
        bench.machine.reset_stop(bench.now)
    bench.machine.befall("jam")
    bench.machine.reset_stop(bench.now)
    assert bench.run(1) == OK
    assert bench.query(1)[0] == 3


def test_a_job_that_has_not_begun_is_aborted_and_nothing_of_it_moves(bench: Bench) -> None:
    bench.run(1)
    assert bench.run(2) == OK
    request = encode_frame(Frame(REQ, 99, bench.sid, 0x07, job_id(2)))
    answered = bench.feed(request)
    assert answered[0].payload == bytes([OK, 8]) + struct.pack("<I", bench.told(0x46)["evt"])
    assert bench.feed(request) == answered
    assert bench.kinds(2) == [0x41, 0x46]
    assert bench.told(0x46)["data"] == b"\10"
    assert bench.ask(0x07, job_id(2))[1][0] == 8
    assert bench.ask(0x02, run_payload(job_id(2), bench.upload(), [(5, 1234, 1)]))[1][0] == 8
    bench.verdict(1)
    assert bench.query(2)[0] == 8
    assert {fact["job"] for fact in bench.facts if "job" in fact} == {job_id(1).hex()}


def test_a_job_that_has_begun_is_not_aborted_and_of_an_ended_one_the_state_is_told(bench: Bench) -> None:
    bench.run(1)
    assert bench.ask(0x07, job_id(1)) == (BUSY, b"")
    bench.verdict(1)
    assert bench.ask(0x07, job_id(1)) == (OK, b"\4" + struct.pack("<I", bench.told(0x46)["evt"]))
    assert bench.ask(0x07, job_id(9)) == (UNKNOWN_JOB, b"")


def test_a_job_that_waits_for_a_person_can_be_aborted_and_the_stop_outlasts_it(bench: Bench) -> None:
    bench.machine.befall("jam")
    bench.run(1)
    assert bench.ask(0x07, job_id(1))[1][0] == 8
    assert bench.status() == (3, 4)
    bench.machine.reset_stop(bench.now)
    bench.tick()
    assert bench.status() == (0, 0)
    assert bench.told(0x48)["job"] == bytes(16)
    bench.power_on()
    bench.hello()
    assert bench.query(1)[0] == 8
