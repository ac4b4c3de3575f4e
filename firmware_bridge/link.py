"""The host's end of the serial link: session, stop and wait, events in order (docs/protocol.md section 1).

Pure: bytes and the time go in, events and bytes come out. A request is answered, or the link goes down; it never hangs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from firmware_bridge.codec import ENCODED_LIMIT_BYTES, DecoderCounters, Frame, FrameDecoder, FrameType, encode_frame
from firmware_bridge.packets import (
    DecodeError,
    FirmwareEvent,
    Hello,
    Op,
    Rc,
    pack_hello,
    result_code,
    unpack_event,
    unpack_hello,
)
from firmware_bridge.trace_contract import CrossingError

TRIES = 12
FIRST_WAIT_S = 0.030
WAIT_GROWTH = 1.5
LONGEST_WAIT_S = 0.400
BITS_PER_BYTE = 10
EVENTS_ON_THE_WAY = 16
GAP_PATIENCE_S = 0.5
GAP_REPEATS = 3


@dataclass(frozen=True)
class Greeted:
    """The machine answered HELLO: the session is open."""

    hello: Hello


@dataclass(frozen=True)
class Refused:
    """The machine answered HELLO but opened no session (a higher fence has been seen, or another protocol); it may say who it is."""

    rc: int
    hello: Hello | None = None


@dataclass(frozen=True)
class Answered:
    """The answer to the one request that was out; `payload` starts with its rc."""

    op: int
    rc: int
    payload: bytes
    round_trip_s: float


@dataclass(frozen=True)
class Happened:
    """A new event of the machine; `skipped` counts the numbers before it that the machine does not have."""

    event: FirmwareEvent
    skipped: int = 0


@dataclass(frozen=True)
class Repeated:
    """An event that was taken before came again: its acknowledgement is still owed."""

    boot: int
    event: int


@dataclass(frozen=True)
class Down:
    """The machine does not answer: reopen the port, HELLO, and query before anything is sent."""

    reason: str


LinkEvent = Greeted | Refused | Answered | Happened | Repeated | Down


@dataclass(frozen=True)
class Crossing:
    """What crossed the port: a frame, or with `error` cobs, crc or overrun the bytes (`raw`) that were dropped instead of one.

    `error` is stale where a frame belonged to nothing, payload where its content could not be read; an answer has its round trip.
    """

    at_s: float
    is_sent: bool
    frame: Frame | None
    raw: bytes = b""
    error: CrossingError = ""
    round_trip_s: float | None = None


Tap = Callable[[Crossing], None]


@dataclass
class LinkCounters:
    """What the link did since it was made."""

    sent: int = 0
    retransmits: int = 0
    stale: int = 0
    bad_payload: int = 0
    events_repeated: int = 0
    events_early: int = 0


@dataclass
class RoundTrip:
    """How long answers take, smoothed, and how much that varies (Jacobson 1988; requests that were repeated do not count, Karn 1987)."""

    smoothed_s: float | None = None
    variation_s: float = 0.0

    def take(self, sample_s: float) -> None:
        """Take the time from one request to its answer."""
        if self.smoothed_s is None:
            self.smoothed_s, self.variation_s = sample_s, sample_s / 2
            return
        self.variation_s += (abs(sample_s - self.smoothed_s) - self.variation_s) / 4
        self.smoothed_s += (sample_s - self.smoothed_s) / 8

    def wait_s(self, least_s: float) -> float:
        """Return how long to wait for an answer before the request is repeated: at least `least_s`, at most 400 ms."""
        usual_s = 0.0 if self.smoothed_s is None else self.smoothed_s + 4 * self.variation_s
        return min(max(least_s, usual_s), LONGEST_WAIT_S)


@dataclass
class _Outstanding:
    frame: Frame
    wire: bytes
    sent_at_s: float
    due_s: float
    wait_s: float
    tries: int = 1


@dataclass
class _Early:
    event: FirmwareEvent
    first_seen_s: float
    repeats: int = 0


class Link:
    """One machine on one port; `hello` opens a session, then one `request` at a time; `tap`, where there is one, is told all that crosses."""

    def __init__(self, baud: int, tap: Tap | None = None) -> None:
        self.counters = LinkCounters()
        self.decoder = FrameDecoder()
        self.is_open = False
        self.tap = tap
        self._piece = bytearray()
        self._baud = baud
        self._round_trip = RoundTrip()
        self._session = 0
        self._seq = 0
        self._outstanding: _Outstanding | None = None
        self._to_send = bytearray()
        self._boot = 0
        self._taken_event: int | None = None
        self._early: dict[int, _Early] = {}

    @property
    def is_idle(self) -> bool:
        """Tell whether a request may be made."""
        return self.is_open and self._outstanding is None

    @property
    def taken_event(self) -> int | None:
        """Return the highest event number given out or accepted in this session."""
        return self._taken_event

    def hello(self, session: int, fence: int, now_s: float) -> None:
        """Open a session under a fresh random number (1 .. 65535); whatever was out is forgotten."""
        if not 1 <= session <= 0xFFFF:
            raise ValueError(f"session id {session}")
        self.is_open = False
        self._session = session
        self._seq = 0
        self._taken_event = None
        self._early.clear()
        self._to_send.clear()
        self._send(Frame(FrameType.HELLO, 0, session, Op.HELLO, pack_hello(fence)), now_s)

    def request(self, op: int, payload: bytes, now_s: float) -> None:
        """Send one request; the answer comes as Answered, or Down. Raise RuntimeError when one is out already."""
        if not self.is_idle:
            raise RuntimeError("one request at a time, in an open session")
        self._send(Frame(FrameType.REQ, self._seq, self._session, op, payload), now_s)
        self._seq = (self._seq + 1) & 0xFF

    def accept_events(self, taken: int) -> list[LinkEvent]:
        """Tell up to which number the events of this boot are durable; return those that waited for this."""
        self._taken_event = taken
        return self._in_order()

    def receive(self, data: bytes, now_s: float) -> list[LinkEvent]:
        """Take bytes from the port; return what they tell, in order."""
        if self.tap is not None:
            return self._receive_tapped(data, now_s, self.tap)
        self._piece.clear()
        events: list[LinkEvent] = []
        for frame in self.decoder.feed(data):
            events += self._take(frame, now_s)
        return events

    def tick(self, now_s: float) -> list[LinkEvent]:
        """Repeat what was not answered in time; return Down after the last try."""
        waiting = self._outstanding
        if waiting is None or now_s < waiting.due_s:
            return []
        if waiting.tries >= TRIES:
            return [self.close(f"no answer to op {waiting.frame.op:#04x} in {TRIES} tries")]
        waiting.tries += 1
        waiting.wait_s = min(waiting.wait_s * WAIT_GROWTH, LONGEST_WAIT_S)
        waiting.due_s = now_s + waiting.wait_s
        self.counters.retransmits += 1
        self._put(waiting.frame, waiting.wire, now_s)
        return []

    def close(self, reason: str) -> Down:
        """End the session; return the event that says so."""
        self.is_open = False
        self._outstanding = None
        self._to_send.clear()
        return Down(reason)

    def data_to_send(self) -> bytes:
        """Return, once, the bytes to write to the port."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def next_timeout_s(self, now_s: float) -> float | None:
        """Return the seconds until `tick` has something to do, or None."""
        return None if self._outstanding is None else max(0.0, self._outstanding.due_s - now_s)

    def _send(self, frame: Frame, now_s: float) -> None:
        wire = encode_frame(frame)
        wait_s = self._round_trip.wait_s(FIRST_WAIT_S + 2 * len(wire) * BITS_PER_BYTE / self._baud)
        self._outstanding = _Outstanding(frame, wire, now_s, now_s + wait_s, wait_s)
        self.counters.sent += 1
        self._put(frame, wire, now_s)

    def _put(self, frame: Frame, wire: bytes, now_s: float) -> None:
        self._to_send += wire
        if self.tap is not None:
            self.tap(Crossing(now_s, True, frame))

    # What is told of each piece between two delimiters while somebody watches

    def _receive_tapped(self, data: bytes, now_s: float, tap: Tap) -> list[LinkEvent]:
        events: list[LinkEvent] = []
        *ended, rest = data.split(b"\0")
        for piece in (*(piece + b"\0" for piece in ended), rest):
            events += self._receive_piece(piece, now_s, tap)
        return events

    def _receive_piece(self, piece: bytes, now_s: float, tap: Tap) -> list[LinkEvent]:
        self._piece += piece[: ENCODED_LIMIT_BYTES + 1 - len(self._piece)]
        before = replace(self.decoder.counters)
        frames = self.decoder.feed(piece)
        error = _dropped(before, self.decoder.counters)
        if error:
            tap(Crossing(now_s, False, None, bytes(self._piece.rstrip(b"\0")), error))
        events = [event for frame in frames for event in self._take_tapped(frame, now_s, tap)]
        if piece.endswith(b"\0"):
            self._piece.clear()
        return events

    def _take_tapped(self, frame: Frame, now_s: float, tap: Tap) -> list[LinkEvent]:
        before, waiting = replace(self.counters), self._outstanding
        events = self._take(frame, now_s)
        error: CrossingError = "stale" if self.counters.stale > before.stale else ""
        if self.counters.bad_payload > before.bad_payload:
            error = "payload"
        is_answer = waiting is not None and self._outstanding is None
        round_trip_s = now_s - waiting.sent_at_s if waiting is not None and is_answer else None
        tap(Crossing(now_s, False, frame, b"", error, round_trip_s))
        return events

    def _take(self, frame: Frame, now_s: float) -> list[LinkEvent]:
        if frame.session != self._session:
            self.counters.stale += 1
            return []
        try:
            if frame.type == FrameType.HELLO_RSP:
                return self._greeted(frame)
            if frame.type == FrameType.RSP and self.is_open:
                return self._answered(frame, now_s)
            if frame.type == FrameType.EVT and self.is_open:
                return self._happened(unpack_event(frame.op, frame.payload), now_s)
        except DecodeError:
            self.counters.bad_payload += 1
            return []
        self.counters.stale += 1
        return []

    def _greeted(self, frame: Frame) -> list[LinkEvent]:
        waiting = self._outstanding
        if waiting is None or waiting.frame.type != FrameType.HELLO:
            self.counters.stale += 1
            return []
        rc = result_code(frame.payload)
        if rc != Rc.OK:
            self.close("refused")
            return [Refused(rc, _hello_of_refusal(frame.payload))]
        hello = unpack_hello(frame.payload)
        self._outstanding = None
        self._boot = hello.boot
        self.is_open = True
        return [Greeted(hello)]

    def _answered(self, frame: Frame, now_s: float) -> list[LinkEvent]:
        waiting = self._outstanding
        if waiting is None or (frame.seq, frame.op) != (waiting.frame.seq, waiting.frame.op):
            self.counters.stale += 1
            return []
        rc = result_code(frame.payload)
        self._outstanding = None
        if waiting.tries == 1:
            self._round_trip.take(now_s - waiting.sent_at_s)
        return [Answered(frame.op, rc, frame.payload, now_s - waiting.sent_at_s)]

    def _happened(self, event: FirmwareEvent, now_s: float) -> list[LinkEvent]:
        if event.boot != self._boot:
            # A late repetition of our HELLO opened this session again after the machine had lost its power.
            return [self.close(f"the machine started anew (boot {event.boot}) under an open session")]
        if self._taken_event is not None and event.event <= self._taken_event:
            self.counters.events_repeated += 1
            return [Repeated(event.boot, event.event)]
        self._keep(event, now_s)
        return self._in_order() or self._over_a_gap(event, now_s)

    def _keep(self, event: FirmwareEvent, now_s: float) -> None:
        early = self._early.get(event.event)
        if early is not None:
            early.repeats += 1
            return
        if self._taken_event is None or event.event != self._taken_event + 1:
            self.counters.events_early += 1
        if len(self._early) < EVENTS_ON_THE_WAY:
            self._early[event.event] = _Early(event, now_s)

    def _in_order(self) -> list[LinkEvent]:
        events: list[LinkEvent] = []
        if self._taken_event is None:
            return events
        for number in sorted(number for number in self._early if number <= self._taken_event):
            del self._early[number]
            events.append(Repeated(self._boot, number))
        while (early := self._early.pop(self._taken_event + 1, None)) is not None:
            self._taken_event += 1
            events.append(Happened(early.event))
        return events

    def _over_a_gap(self, event: FirmwareEvent, now_s: float) -> list[LinkEvent]:
        """Go on behind a number the machine does not have: only its oldest event is repeated."""
        early = self._early.get(event.event)
        if self._taken_event is None or early is None or event.event != min(self._early):
            return []
        if early.repeats < GAP_REPEATS or now_s - early.first_seen_s < GAP_PATIENCE_S:
            return []
        skipped = event.event - self._taken_event - 1
        self._taken_event = event.event
        del self._early[event.event]
        return [Happened(event, skipped), *self._in_order()]


def _hello_of_refusal(payload: bytes) -> Hello | None:
    try:
        return unpack_hello(payload)
    except DecodeError:
        return None


def _dropped(before: DecoderCounters, after: DecoderCounters) -> CrossingError:
    """Return why a piece was dropped, or an empty word where it was not."""
    if after.cobs_err > before.cobs_err:
        return "cobs"
    if after.crc_err > before.crc_err:
        return "crc"
    return "overrun" if after.overrun > before.overrun else ""
