"""The link under virtual time: retries, sessions, events in order, and what a bad line may not do."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.codec import Frame, FrameType, encode_frame
from firmware_bridge.link import (
    LONGEST_WAIT_S,
    TRIES,
    Answered,
    Down,
    Greeted,
    Happened,
    Link,
    LinkEvent,
    Refused,
    Repeated,
    RoundTrip,
)
from firmware_bridge.packets import Op, Rc
from tests.bridge.scripted_machine import ScriptedMachine
from tests.bridge.vectors import named, payload_of

BAUD = 115_200
SESSION = 0xBEEF
Line = Callable[[bytes], bytes]


def clean(data: bytes) -> bytes:
    return data


def bad_line(chance: random.Random, rate: float) -> Line:
    """Lose, flip and double single bytes, and double or lose whole writes."""

    def spoil(data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            fate = chance.random()
            if fate < rate:
                continue
            out.append(byte ^ (1 << chance.randrange(8)) if fate < 2 * rate else byte)
            if 2 * rate <= fate < 3 * rate:
                out.append(byte)
        fate = chance.random()
        return bytes(out) * (2 if fate < 10 * rate else 0 if fate < 20 * rate else 1)

    return spoil


def play(
    link: Link, machine: ScriptedMachine, line: Line, now_s: float, until: Callable[[LinkEvent], bool]
) -> tuple[float, list[LinkEvent]]:
    """Run both ends under virtual time until an event for which `until` holds, or the link is down."""
    seen: list[LinkEvent] = []
    for _ in range(20_000):
        to_machine = link.data_to_send()
        back = machine.receive(line(to_machine) if to_machine else b"")
        back += machine.tick(now_s)
        events = link.receive(line(back), now_s) if back else []
        events += link.tick(now_s)
        seen += events
        if any(until(event) or isinstance(event, Down) for event in events):
            return now_s, seen
        now_s += 0.005
    raise AssertionError("the link hung")


def opened(machine: ScriptedMachine) -> Link:
    link = Link(BAUD)
    link.hello(SESSION, 0, 0.0)
    play(link, machine, clean, 0.0, lambda event: isinstance(event, Greeted))
    return link


def test_hello_has_the_bytes_of_the_vector_and_opens_the_session() -> None:
    link = Link(BAUD)
    link.hello(SESSION, 42, 0.0)
    assert link.data_to_send().hex() == named("hello")["hex"]
    (greeted,) = link.receive(bytes.fromhex(named("hello-rsp")["hex"]), 0.01)
    assert isinstance(greeted, Greeted)
    assert greeted.hello.serial == "S007"
    assert link.is_idle


def test_hello_under_a_low_fence_opens_nothing() -> None:
    link = Link(BAUD)
    link.hello(SESSION, 42, 0.0)
    (refused,) = link.receive(bytes.fromhex(named("hello-rsp-fenced")["hex"]), 0.01)
    assert isinstance(refused, Refused) and refused.rc == Rc.FENCED
    assert refused.hello is not None and refused.hello.serial == "S007", "it says who it is all the same"
    assert not link.is_open


def test_unanswered_request_is_repeated_byte_for_byte_with_growing_waits_then_the_link_is_down() -> None:
    link = opened(ScriptedMachine())
    link.request(Op.PING, b"abc", 0.0)
    first = link.data_to_send()
    wait_s, now_s, waits = link.next_timeout_s(0.0), 0.0, []
    assert wait_s == pytest.approx(0.030 + 2 * len(first) * 10 / BAUD)
    for _ in range(TRIES - 1):
        wait_s = link.next_timeout_s(now_s)
        assert wait_s is not None
        waits.append(wait_s)
        now_s += wait_s
        assert link.tick(now_s) == []
        assert link.data_to_send() == first
    assert waits == sorted(waits)
    assert max(waits) == pytest.approx(0.4)
    (down,) = link.tick(now_s + 0.4)
    assert isinstance(down, Down)
    assert link.next_timeout_s(now_s) is None


def test_second_request_while_one_is_out_is_a_mistake() -> None:
    link = opened(ScriptedMachine())
    link.request(Op.PING, b"", 0.0)
    with pytest.raises(RuntimeError):
        link.request(Op.PING, b"", 0.0)


def test_frames_of_another_session_are_dropped_and_counted() -> None:
    link = opened(ScriptedMachine())
    link.request(Op.PING, b"", 0.0)
    other = encode_frame(Frame(FrameType.RSP, 0, SESSION + 1, Op.PING, b"\0"))
    assert link.receive(other, 0.0) == []
    assert link.counters.stale == 1


def test_sequence_number_wraps_after_255() -> None:
    machine = ScriptedMachine()
    link = opened(machine)
    now_s = 0.0
    for number in range(300):
        link.request(Op.PING, bytes([number & 0xFF]), now_s)
        now_s, events = play(link, machine, clean, now_s, lambda event: isinstance(event, Answered))
        (answer,) = events
        assert isinstance(answer, Answered)
        assert answer.payload == bytes([0, number & 0xFF])


def test_event_vectors_come_out_in_order_however_they_arrive() -> None:
    link = Link(BAUD)
    link.hello(SESSION, 42, 0.0)
    link.receive(bytes.fromhex(named("hello-rsp")["hex"]), 0.0)
    link.accept_events(11)
    wire = {
        name: bytes.fromhex(named(name)["hex"]) for name in ("evt-accepted", "evt-dropped", "evt-dropped-one-too-many")
    }
    assert link.receive(wire["evt-dropped-one-too-many"], 0.1) == []
    assert link.receive(wire["evt-dropped"], 0.1) == []
    events = link.receive(wire["evt-accepted"], 0.2)
    assert [event.event.event for event in events if isinstance(event, Happened)] == [12, 13, 14]
    assert link.receive(wire["evt-dropped"], 0.3) == [Repeated(3, 13)]


def test_event_number_that_the_machine_lost_holds_nothing_up_for_long() -> None:
    machine = ScriptedMachine()
    link = opened(machine)
    link.accept_events(0)
    machine.happen(0x48)
    machine.skip_event_number()
    machine.happen(0x48)
    machine.unacknowledged.pop(1)
    now_s, events = play(link, machine, clean, 0.0, lambda event: isinstance(event, Happened) and event.skipped > 0)
    assert [(event.event.event, event.skipped) for event in events if isinstance(event, Happened)][-1] == (3, 1)
    assert now_s < 1.5


def test_event_of_another_boot_is_not_taken_and_ends_the_session() -> None:
    """A late repetition of HELLO can open the session again after the machine lost its power; its boot tells."""
    link = opened(ScriptedMachine(boot=4))
    link.accept_events(0)
    [down] = link.receive(bytes.fromhex(named("evt-accepted")["hex"]), 0.0)
    assert isinstance(down, Down) and "boot 3" in down.reason and not link.is_open
    assert len(payload_of("evt-accepted")) == 25


def test_a_slow_line_is_given_time_and_a_fast_one_the_least_that_the_protocol_names() -> None:
    line = RoundTrip()
    assert line.wait_s(0.035) == 0.035
    for _ in range(50):
        line.take(0.120)
    assert 0.120 <= line.wait_s(0.035) < 0.125
    line.take(0.200)
    assert line.wait_s(0.035) > 0.170
    for _ in range(50):
        line.take(2.0)
    assert line.wait_s(0.035) == LONGEST_WAIT_S
    for _ in range(200):
        line.take(0.0001)
    assert line.wait_s(0.035) == 0.035


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.0, 0.002, 0.01, 0.03]))
def test_request_on_a_bad_line_is_executed_at_most_once_and_ends_in_its_answer_or_down(seed: int, rate: float) -> None:
    line = bad_line(random.Random(seed), rate)
    machine = ScriptedMachine()
    link = opened(machine)
    machine.executed.clear()
    now_s = 0.0
    for number in range(8):
        payload = bytes([number]) * 20
        link.request(Op.PING, payload, now_s)
        now_s, events = play(link, machine, line, now_s, lambda event: isinstance(event, Answered))
        if isinstance(events[-1], Down):
            break
        assert isinstance(events[-1], Answered)
        assert events[-1].payload == b"\0" + payload
    assert all(times == 1 for times in machine.executed.values())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.0, 0.002, 0.01]))
def test_events_on_a_bad_line_come_once_in_order_and_none_is_missing(seed: int, rate: float) -> None:
    line = bad_line(random.Random(seed), rate)
    machine = ScriptedMachine()
    link = opened(machine)
    link.accept_events(0)
    for slot in range(12):
        machine.happen(0x44, bytes(range(16)), slot)
    taken: list[int] = []
    now_s, acknowledged = 0.0, 0
    while acknowledged < 12:
        now_s, events = play(link, machine, line, now_s, lambda event: isinstance(event, Happened | Answered))
        taken += [event.event.event for event in events if isinstance(event, Happened)]
        if any(isinstance(event, Down) for event in events):
            return
        acknowledged += sum(isinstance(event, Answered) for event in events) and len(taken) - acknowledged
        if link.is_idle and taken:
            link.request(Op.EVT_ACK, machine.boot.to_bytes(4, "little") + taken[-1].to_bytes(4, "little"), now_s)
    assert taken == list(range(1, 13))
