"""What is told of the frames on the wire, and how much of it is kept; no threads in here."""

import struct

import msgspec
import pytest

from firmware_bridge.codec import Frame, FrameType, cobs_decode, encode_frame
from firmware_bridge.frame_words import fields_of, name_of
from firmware_bridge.link import Crossing, Link, LinkEvent
from firmware_bridge.packets import Op
from firmware_bridge.trace import FRAMES_WAITING, SPACING_S, Trace, traced
from firmware_bridge.trace_contract import FRAMES_A_MESSAGE, FieldValue, TracedFrame, TraceReport, decode_trace
from tests.bridge.scripted_machine import ScriptedMachine

BAUD, SESSION, JOB = 115_200, 0x1234, bytes(range(16))
HEX = JOB.hex()


def opened(link: Link, machine: ScriptedMachine) -> None:
    link.hello(SESSION, 0, 0.0)
    link.receive(machine.receive(link.data_to_send()), 0.001)


def watched() -> tuple[Link, ScriptedMachine, list[Crossing]]:
    seen: list[Crossing] = []
    return Link(BAUD, seen.append), ScriptedMachine(), seen


def test_requests_answers_and_events_are_told_with_their_round_trip() -> None:
    link, machine, seen = watched()
    opened(link, machine)
    link.accept_events(0)
    link.request(Op.STATUS, b"\x01", 1.0)
    machine.happen(0x48)
    link.receive(machine.receive(link.data_to_send()), 1.002)
    told = [traced(crossing, 0.0) for crossing in seen]
    assert [(frame.direction, frame.type, frame.op, frame.error) for frame in told] == [
        ("to-device", "HELLO", "HELLO", ""),
        ("from-device", "HELLO_RSP", "HELLO", ""),
        ("to-device", "REQ", "STATUS", ""),
        ("from-device", "RSP", "STATUS", ""),
        ("from-device", "EVT", "READY", ""),
    ]
    assert [frame.round_trip_us for frame in told] == [None, 1000, None, 2000, None]
    assert [frame.at_us for frame in told] == [0, 1000, 1_000_000, 1_002_000, 1_002_000]
    assert told[4].fields == {"boot": 3, "evt": 1}
    assert told[2].hex == cobs_decode(encode_frame(Frame(FrameType.REQ, 0, SESSION, Op.STATUS, b"\x01"))[1:-1]).hex()


def test_repetition_by_the_link_is_told_as_a_frame_of_its_own() -> None:
    link, machine, seen = watched()
    opened(link, machine)
    link.request(Op.PING, b"", 1.0)
    link.tick(2.0)
    assert [(crossing.frame.op, crossing.frame.seq) for crossing in seen[2:] if crossing.frame] == [(Op.PING, 0)] * 2


GOOD = encode_frame(Frame(FrameType.RSP, 9, SESSION, Op.PING, b"\0"))
FOREIGN = encode_frame(Frame(FrameType.RSP, 0, SESSION + 1, Op.PING, b"\0"))
SHORT_EVENT = encode_frame(Frame(FrameType.EVT, 0, SESSION, 0x41, b"\0"))


@pytest.mark.parametrize(
    ("noise", "error", "hex_"),
    [
        (b"\0\x05\x01\0", "cobs", "0501"),
        (GOOD[:6] + bytes([GOOD[6] ^ 1]) + GOOD[7:], "crc", None),
        (b"\xaa" * 300 + b"\0", "overrun", "aa" * 237),
        (GOOD, "stale", None),
        (FOREIGN, "stale", None),
        (SHORT_EVENT, "payload", None),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_what_is_wrong_on_the_wire_is_told_however_it_is_cut(
    noise: bytes, error: str, hex_: str | None, piece: int
) -> None:
    link, machine, seen = watched()
    opened(link, machine)
    link.accept_events(0)
    seen.clear()
    for at in range(0, len(noise), piece):
        link.receive(noise[at : at + piece], 1.0)
    (told,) = [traced(crossing, 0.0) for crossing in seen]
    assert told.error == error
    if hex_ is not None and piece == 1000:
        assert told.hex == hex_
    assert told.hex


def test_link_does_the_same_whether_somebody_watches_or_not() -> None:
    def lived(link: Link) -> list[LinkEvent]:
        machine = ScriptedMachine()
        opened(link, machine)
        events = link.accept_events(0)
        machine.happen(0x48)
        link.request(Op.STATUS, b"\x01", 1.0)
        answer = b"noise\0" + machine.receive(link.data_to_send())
        for at in range(0, len(answer), 5):
            events += link.receive(answer[at : at + 5], 1.0 + at)
        return events

    plain, tapped = Link(BAUD), Link(BAUD, lambda _crossing: None)
    assert lived(plain) == lived(tapped)
    assert plain.counters == tapped.counters
    assert plain.decoder.counters == tapped.decoder.counters


@pytest.mark.parametrize(
    ("kind", "op", "payload", "fields"),
    [
        (FrameType.HELLO, 0, b"\x01\x01\x07\0\0\0", {"proto_major": 1, "proto_minor": 1, "fence": 7}),
        (FrameType.REQ, Op.STATUS, b"\x15", {"first": 21}),
        (FrameType.REQ, Op.JOB_QUERY, JOB, {"job": HEX}),
        (FrameType.REQ, Op.EVT_ACK, struct.pack("<II", 3, 9), {"boot": 3, "evt": 9}),
        (FrameType.REQ, Op.LOCK, b"\x02\x03eve", {"mode": "take-over", "owner": "eve"}),
        (FrameType.REQ, Op.JOG, b"\x01\x01\x2c\x01", {"motor": "film", "direction": "forward", "hold_ms": 300}),
        (FrameType.REQ, Op.SELFTEST, b"\x22", {"tests": "drop-sensor gate"}),
        (FrameType.REQ, Op.SELFTEST, b"\0", {"tests": "all"}),
        (
            FrameType.REQ,
            Op.VERDICT,
            JOB + struct.pack("<BIIB", 0, 3, 9, 1),
            {"job": HEX, "job_slot": 0, "boot": 3, "evt": 9, "verdict": 1},
        ),
        (
            FrameType.REQ,
            Op.JOB_RUN,
            JOB + b"\x01\0\0\0" + b"\xab" * 32 + b"\x01" + struct.pack("<BIB", 5, 1234, 2),
            {"job": HEX, "digest": 1, "label": "ab" * 32, "drops": "2 of 1234 in 5"},
        ),
        (FrameType.REQ, Op.LABEL_DATA, b"\x01\x02\x03\x04\xc8\0\0\0abc", {"tag": "04030201", "offset": 200, "bytes": 3}),
        (FrameType.RSP, Op.LOCK, b"\x0e\x01\x03eve", {"rc": "LOCKED", "locked": True, "owner": "eve"}),
        (FrameType.RSP, Op.JOG, b"\0\x05\0\0\0", {"rc": "OK", "position": 5}),
        (FrameType.RSP, Op.SELFTEST, b"\0\x01\x06\x02", {"rc": "OK", "gate": "not-fitted"}),
        (FrameType.RSP, Op.JOB_RUN, b"\x0e", {"rc": "LOCKED"}),
        (FrameType.RSP, Op.LABEL_DATA, b"\x07\xc8\0\0\0", {"rc": "OFFSET", "next_offset": 200}),
        (FrameType.RSP, 0x77, b"\x63", {"rc": "99"}),
        (FrameType.EVT, 0x45, struct.pack("<II", 3, 4) + JOB + b"\x02\x01", {"boot": 3, "evt": 4, "job": HEX, "job_slot": 2, "verdict": "PASS"}),
        (FrameType.REQ, Op.JOG, b"\x01", {}),
        (FrameType.RSP, Op.JOG, b"", {}),
        (FrameType.EVT, 0x7E, b"\xff", {}),
        (0x99, 0, b"\xff", {}),
    ],
)  # fmt: skip
def test_payloads_are_told_by_name_and_unknown_ones_not_at_all(
    kind: int, op: int, payload: bytes, fields: dict[str, FieldValue]
) -> None:
    assert fields_of(Frame(kind, 0, SESSION, op, payload)) == fields


def test_numbers_without_a_word_are_told_as_numbers() -> None:
    assert name_of(Frame(0x99, 0, 1, 0x77)) == ("0x99", "0x77")
    assert name_of(Frame(FrameType.EVT, 0, 1, 0x4B)) == ("EVT", "LOCK")
    assert name_of(Frame(FrameType.REQ, 0, 1, 0x08)) == ("REQ", "LOCK")


PING = Crossing(5.0, True, Frame(FrameType.REQ, 0, SESSION, Op.PING))


def crossed(trace: Trace, times: int, now_s: float) -> None:
    tap = trace.tap(now_s)
    assert tap is not None
    for _ in range(times):
        tap(PING)


def told(trace: Trace, now_s: float) -> list[TraceReport]:
    reports = []
    while (report := trace.message_due(now_s)) is not None:
        reports.append(report)
    return reports


def test_nothing_is_taken_while_nobody_watches() -> None:
    trace = Trace()
    assert (trace.tap(1.0), trace.message_due(1.0), trace.due_in_s(1.0)) == (None, None, None)
    trace.watch(10, 1.0)
    assert trace.tap(10.9) is not None
    assert trace.tap(11.0) is None


def test_frames_are_told_together_after_a_tenth_of_a_second_or_when_a_message_is_full() -> None:
    trace = Trace()
    trace.watch(10, 5.0)
    crossed(trace, 3, 5.0)
    assert told(trace, 5.0) == []
    assert trace.due_in_s(5.0) == pytest.approx(SPACING_S)
    (report,) = told(trace, 5.0 + SPACING_S)
    assert (len(report.frames), report.dropped, report.ended) == (3, 0, False)
    crossed(trace, FRAMES_A_MESSAGE + 1, 5.2)
    assert [len(report.frames) for report in told(trace, 5.1 + SPACING_S / 2)] == [FRAMES_A_MESSAGE]


def test_what_is_too_much_is_dropped_counted_and_told() -> None:
    trace = Trace()
    trace.watch(10, 5.0)
    crossed(trace, FRAMES_WAITING + 7, 5.0)
    reports = told(trace, 6.0)
    assert sum(len(report.frames) for report in reports) == FRAMES_WAITING
    assert {report.dropped for report in reports} == {7}
    trace.lose(reports[0])
    crossed(trace, 1, 7.0)
    (after,) = told(trace, 8.0)
    assert after.dropped == 7 + FRAMES_A_MESSAGE


def test_watch_ends_with_a_last_message_and_a_second_one_prolongs_it() -> None:
    trace = Trace()
    trace.watch(10, 5.0)
    trace.watch(20, 6.0)
    trace.watch(1, 7.0)
    assert trace.tap(25.9) is not None
    crossed(trace, FRAMES_A_MESSAGE + 1, 25.9)
    assert [(len(report.frames), report.ended) for report in told(trace, 26.0)] == [
        (FRAMES_A_MESSAGE, False),
        (1, True),
    ]
    assert (trace.tap(26.0), trace.due_in_s(26.0)) == (None, None)


def test_message_is_read_back_as_it_was_written_and_says_no_more_than_it_must() -> None:
    frame = TracedFrame(at_us=1, direction="from-device", hex="00", error="cobs")
    report = TraceReport(frames=(frame,), dropped=0, ended=False)
    written = msgspec.json.encode(report)
    assert decode_trace(written) == report
    assert written == (
        b'{"frames":[{"at_us":1,"direction":"from-device","hex":"00","error":"cobs"}],"dropped":0,"ended":false}'
    )
