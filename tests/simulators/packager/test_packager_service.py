"""The service lock and what it guards: the dead man's handle and the self test."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from packager_bench import BAD_REQUEST, BUSY, LOCKED, NOT_LOCKED, OK, STOPPED, Bench, job_id, run_payload

from simulators.packager.build import Build, Motions
from simulators.packager.codec import REQ, Frame, encode_frame
from simulators.packager.labels import Label

MALFORMED = json.loads((Path(__file__).parents[2] / "vectors" / "malformed.json").read_text())
MINE = b"\1\12engineer 1"
HERS = b"\1\4Anna"


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.hello()
    made.load()
    return made


def jog(bench: Bench, motor: int = 1, direction: int = 1, hold_ms: int = 500) -> int:
    """Press the handle; gives the position told."""
    rc, answer = bench.ask(0x09, struct.pack("<BBH", motor, direction, hold_ms))
    assert rc == OK
    return struct.unpack("<I", answer)[0]


def position(bench: Bench, motor: int = 1) -> int:
    return bench.machine.handle.positions(bench.now)[motor]


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("wrong", MALFORMED, ids=lambda wrong: f"{wrong['op']:02x}-{wrong['why']}")
def test_a_payload_of_another_shape_is_a_bad_request_and_changes_nothing(
    bench: Bench, wrong: dict[str, Any], locked: bool,
) -> None:
    if locked:
        bench.lock()
    before = bench.log
    assert bench.ask(wrong["op"], bytes.fromhex(wrong["payload"])) == (BAD_REQUEST, b"")
    assert bench.log == before


def test_the_lock_is_taken_kept_and_given_back(bench: Bench) -> None:
    assert bench.lock(0) == (OK, b"\0\0")
    assert bench.lock() == (OK, MINE)
    assert bench.status() == (5, 0)
    assert bench.told(0x4B)["data"] == MINE
    before = bench.log
    assert bench.lock() == (OK, MINE)
    assert bench.lock(2) == (OK, MINE)
    assert bench.log == before
    assert bench.lock(0) == (OK, b"\0\0")
    assert bench.told(0x4B)["data"] == b"\0\12engineer 1"
    assert bench.told(0x4B)["job"] == bytes(16)
    assert bench.status() == (0, 0)


def test_a_lock_that_is_held_is_told_and_can_be_taken_over_only(bench: Bench) -> None:
    bench.lock()
    assert bench.lock(1, "Anna") == (LOCKED, MINE)
    assert bench.lock(0, "Anna") == (LOCKED, MINE)
    assert bench.lock(2, "Anna") == (OK, HERS)
    assert bench.told(0x4B)["data"] == b"\2\4Anna"
    assert bench.lock(0) == (LOCKED, HERS)


def test_a_free_lock_that_is_taken_over_is_taken(bench: Bench) -> None:
    assert bench.lock(2) == (OK, MINE)
    assert bench.told(0x4B)["data"] == MINE


def test_a_repeated_lock_request_gets_the_stored_reply(bench: Bench) -> None:
    request = encode_frame(Frame(REQ, 9, bench.sid, 0x08, b"\1\4Anna"))
    first = bench.feed(request)
    before = bench.log
    assert bench.feed(request) == first
    assert (bench.log, bench.firmware.counters.dup) == (before, 1)


@pytest.mark.parametrize("anew", [False, True])
def test_the_lock_outlives_sessions_power_and_a_state_file_written_anew(bench: Bench, anew: bool) -> None:
    bench.lock()
    bench.hello(77)
    assert bench.lock(1, "Anna") == (LOCKED, MINE)
    if anew:
        bench.log = b"".join(entry.encode() for entry in bench.memory.entries())
    bench.power_on()
    bench.hello()
    assert bench.status() == (5, 0)
    assert bench.lock(1, "Anna") == (LOCKED, MINE)


def test_under_the_lock_new_jobs_are_refused_known_ones_told_and_accepted_ones_wait(bench: Bench) -> None:
    bench.run(1)
    bench.run(2)
    bench.lock()
    assert bench.status() == (2, 0)
    assert bench.run(3) == LOCKED
    assert bench.ask(0x02, run_payload(job_id(2), bench.upload(), [(5, 1234, 1)]))[1][0] == 1
    assert bench.verdict(1) == OK
    assert bench.query(1)[0] == 4
    bench.tick(100.0)
    assert bench.status() == (5, 0)
    assert bench.query(2)[0] == 1
    assert bench.lock(0)[0] == OK
    assert bench.query(2)[0] == 3
    assert bench.run(3) == OK


def test_waiting_jobs_do_not_begin_at_a_boot_under_the_lock(bench: Bench) -> None:
    bench.run(1)
    bench.run(2)
    bench.lock()
    bench.power_on()
    bench.hello()
    bench.tick()
    assert bench.verdict(1) == OK
    bench.power_on()
    bench.hello()
    bench.tick(10.0)
    assert bench.query(2)[0] == 1
    assert bench.ask(0x07, job_id(2))[1][0] == 8


def test_a_pouch_under_way_ends_under_the_lock_drop_by_drop() -> None:
    bench = Bench(Build(motions=Motions()))
    bench.hello()
    bench.load()
    bench.run(1, [(5, 1234, 1)] * 3)
    bench.tick(0.01)
    bench.lock()
    bench.tick(2.0)
    assert bench.query(1)[0] == 3
    assert len([fact for fact in bench.facts if fact["what"] == "tablet-dropped"]) == 3


GUARDED = {
    "jog": (0x09, b"\1\1\1\0"), "selftest": (0x0A, b"\0"), "fw-data": (0x11, bytes(8) + b"x"), "fw-commit": (0x13, bytes(32)),
    "fw-confirm": (0x14, b""),
    "fw-begin": (0x10, b"\0" + struct.pack("<II", 1, 2) + bytes(96) + b"\1v"),
}


@pytest.mark.parametrize("name", GUARDED)
def test_service_needs_the_lock_and_a_machine_at_rest(bench: Bench, name: str) -> None:
    assert bench.ask(*GUARDED[name]) == (NOT_LOCKED, b"")
    bench.run(1)
    bench.lock()
    assert bench.ask(*GUARDED[name]) == (BUSY, b"")
    bench.verdict(1)
    assert bench.ask(*GUARDED[name])[0] not in (NOT_LOCKED, BUSY)


def test_a_job_that_waits_for_the_lock_keeps_the_machine_from_being_at_rest(bench: Bench) -> None:
    bench.run(1)
    bench.run(2)
    bench.lock()
    bench.verdict(1)
    assert bench.ask(0x0A, b"\0") == (BUSY, b"")
    bench.ask(0x07, job_id(2))
    assert bench.ask(0x0A, b"\0")[0] == OK


def test_a_motor_runs_as_long_as_it_is_held_and_stops_by_itself(bench: Bench) -> None:
    bench.lock()
    assert jog(bench, hold_ms=300) == 0
    bench.tick(0.1)
    assert (position(bench), bench.machine.handle.running(bench.now)) == (100, 1)
    assert jog(bench, hold_ms=300) == 100
    bench.tick(10.0)
    assert (position(bench), bench.machine.handle.running(bench.now)) == (400, 0)
    assert jog(bench, direction=0, hold_ms=500) == 400
    bench.tick(10.0)
    assert jog(bench, direction=0, hold_ms=1) == (400 - 500) % 2**32


def test_a_repetition_of_the_same_frame_does_not_prolong(bench: Bench) -> None:
    bench.lock()
    request = encode_frame(Frame(REQ, 200, bench.sid, 0x09, struct.pack("<BBH", 1, 1, 300)))
    first = bench.feed(request)
    for _ in range(50):
        bench.tick(0.01)
        assert bench.feed(request) == first
    assert position(bench) == 300


def test_another_motor_or_direction_stops_the_first(bench: Bench) -> None:
    bench.lock()
    jog(bench, 1, 1)
    bench.tick(0.05)
    assert jog(bench, 3, 1) == 0
    bench.tick(0.05)
    assert jog(bench, 3, 0) == 50
    bench.tick(1.0)
    assert [position(bench, motor) for motor in (1, 2, 3)] == [50, 0, (50 - 500) % 2**32]


@pytest.mark.parametrize("how", ["session", "given-back", "taken-over", "door", "power"])
def test_session_lock_door_and_power_stop_the_motor_at_once(bench: Bench, how: str) -> None:
    bench.lock()
    jog(bench)
    bench.tick(0.02)
    before = position(bench)
    match how:
        case "session":
            bench.hello(99)
        case "given-back":
            bench.lock(0)
        case "taken-over":
            bench.lock(2, "Anna")
        case "door":
            bench.machine.open_door(True, bench.now)
        case "power":
            bench.power_on()
            before = 0
    assert not bench.machine.handle.running(bench.now)
    bench.tick(0.3)
    assert position(bench) == before


def test_a_hello_that_opens_no_session_stops_nothing(bench: Bench) -> None:
    bench.hello(5, fence=7)
    bench.lock()
    jog(bench)
    bench.hello(6, fence=6)
    bench.tick(0.1)
    assert position(bench) == 100


def test_with_an_open_door_nothing_is_jogged(bench: Bench) -> None:
    bench.lock()
    bench.machine.open_door(True, bench.now)
    assert bench.ask(0x09, b"\1\1\1\0") == (STOPPED, b"")
    bench.machine.open_door(False, bench.now)
    assert jog(bench) == 0


def test_no_motor_moves_a_tablet(bench: Bench) -> None:
    bench.lock()
    for motor in (1, 2, 3):
        jog(bench, motor)
        bench.tick(1.0)
    assert bench.facts == []
    assert bench.memory.world.cassettes[5].tablets == 100


def test_the_self_test_tells_what_is_wrong(bench: Bench) -> None:
    bench.lock()
    assert bench.ask(0x0A, b"\0") == (OK, bytes.fromhex("07 0100 0200 0300 0400 0500 0600 0700"))
    assert bench.ask(0x0A, b"\x30") == (OK, bytes.fromhex("02 0500 0600"))
    bench.machine.open_door(True, bench.now)
    bench.machine.befall("gate-stuck")
    bench.memory.world.film = 0
    assert bench.ask(0x0A, b"\x7f") == (OK, bytes.fromhex("07 0100 0200 0301 0400 0501 0601 0700"))
    for trouble, found in (("jam", "01 0201"), ("ribbon-out", "01 0200")):
        bench.machine.befall(trouble)
        assert bench.ask(0x0A, b"\2") == (OK, bytes.fromhex(found))
    assert bench.ask(0x0A, b"\x08") == (OK, bytes.fromhex("01 0401"))


def test_the_self_test_finds_a_label_that_is_no_longer_what_it_was(bench: Bench) -> None:
    digest = bench.upload()
    bench.lock()
    assert bench.ask(0x0A, b"\1") == (OK, b"\1\1\0")
    kept = bench.memory.labels[digest]
    bench.memory.labels[digest] = Label(digest, kept.width, kept.height + 1, kept.stream)
    assert bench.ask(0x0A, b"\1") == (OK, b"\1\1\1")


def test_the_self_test_finds_a_full_reject_bin() -> None:
    bench = Bench(Build(reject_room=0))
    bench.hello()
    bench.lock()
    assert bench.ask(0x0A, b"\x40") == (OK, b"\1\7\1")


def test_with_512_events_stored_the_lock_changes_no_more_until_some_are_acknowledged(bench: Bench) -> None:
    for _ in range(511):
        bench.load(count=0)
    assert bench.lock() == (BUSY, b"")
    assert bench.status() == (0, 0)
    bench.ack_all()
    assert bench.lock() == (OK, MINE)
