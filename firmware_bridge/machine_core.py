"""What one machine's bridge decides: signs, bytes and the time go in; requests, messages and what to do with the port come out.

No clock, thread, socket or chance is in here: all of it comes through `Surroundings` and the arguments of `turn`, so the same code runs
beside a real machine and under virtual time. It may not decide anything about doses: it carries what the hub decided and what
the machine did. When the link, the broker or the hub is lost, the machine ends the jobs it has accepted; no new one is started until
all three are back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from firmware_bridge import packets
from firmware_bridge.contract import encode
from firmware_bridge.event_sender import EventSender
from firmware_bridge.inbox import Sign
from firmware_bridge.link import Answered, Down, Greeted, Happened, Link, LinkEvent, Refused, Repeated
from firmware_bridge.machine_view import WRONG_MACHINE, MachineView, wrong_machine
from firmware_bridge.machine_voice import MachineVoice
from firmware_bridge.packets import DecodeError, FirmwareEvent, Op, Rc
from firmware_bridge.service_desk import ServiceDesk, Standing
from firmware_bridge.service_voice import ServiceVoice
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import SpoolFull
from firmware_bridge.surroundings import PortLost, Surroundings, reopen_wait_s
from firmware_bridge.trace import Trace
from firmware_bridge.work_queue import Work, WorkQueue

HEARTBEAT_S = 1.0
STATUS_SPACING_S = 0.5
WHOLE_STATUS_S = 60.0
LONG_WAIT_FAILURES = 6
LONGEST_SLEEP_S = 1.0
EXPECTED_ANSWERS = frozenset({Rc.OK, Rc.BUSY, Rc.STOPPED, Rc.LOCKED, Rc.UNKNOWN_JOB})

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MachineSettings:
    """One machine: its id in topics, its port, and the lowest fence under which it is driven.

    `serial`: only the machine with this serial number is driven; empty: whichever answers at the port.
    """

    id: str
    url: str
    baud: int = 115_200
    fence: int = 0
    serial: str = ""


class MachineCore:
    """One machine between its port and the broker; call `turn` with what came, at the latest after `sleep_s`."""

    def __init__(self, settings: MachineSettings, spool: Spool, outside: Surroundings, on_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._spool = spool
        self._outside = outside
        self._on_ready: Callable[[], None] | None = on_ready
        self._sender = EventSender(spool, settings.id, lambda message: outside.publish("job/evt", message))
        self._queue = WorkQueue(spool, settings.id, lambda: self._now)
        self._view = MachineView()
        self._voice = MachineVoice(outside)
        self._trace = Trace()
        voice = ServiceVoice(settings.id, outside, lambda: self._now)
        self._desk = ServiceDesk(voice.answer, self._trace.watch, voice.tested)
        self._link = Link(settings.baud)
        self._is_open = False
        self._is_up = self._is_known = False
        self._failures = 0
        self._reopen_at_s = 0.0
        self._fence = self._highest_fence = 0
        self._seq_gaps = spool.seq_gaps(settings.id)
        self._on_answer: Callable[[Answered, float], None] | None = None
        self._events_owed: tuple[int, int] | None = None
        self._events_settled = 0
        self._status_page: int | None = None
        self._status_at_s = 0.0
        self._whole_status_at_s = 0.0
        self._heartbeat_at_s = 0.0
        self._now = datetime.fromtimestamp(0, UTC)
        spool.raise_fence(settings.id, settings.fence)
        self._queue.reload()

    def turn(self, data: bytes, signs: set[Sign], now_s: float, now: datetime) -> None:
        """Take bytes and signs, and do what is due: `now_s` counts evenly, `now` is the wall clock's time, which may jump."""
        self._now = now
        try:
            self._turn(data, signs, now_s)
        except SpoolFull as error:
            self._failures = max(self._failures, LONG_WAIT_FAILURES)
            self._lose_link(f"the spool is full: {error}", now_s)

    def _turn(self, data: bytes, signs: set[Sign], now_s: float) -> None:
        self._heed(signs, now_s)
        if not self._is_open and now_s >= self._reopen_at_s:
            self._open_port(now_s)
        self._link.tap = self._trace.tap(now_s)
        self._handle([*self._link.receive(data, now_s), *self._link.tick(now_s)], now_s)
        # What happened goes out first: the hub waits for it, and what follows writes to port and spool.
        self._send_events(now_s)
        if self._link.is_idle:
            self._ask_next(now_s)
        self._write(now_s)
        if now_s >= self._heartbeat_at_s:
            self._heartbeat_at_s = now_s + HEARTBEAT_S
            self._expire()
        self._queue.finish_taken()
        self._send_events(now_s)
        self._desk.refuse_late(now_s)
        self._voice.report(
            self._view, self._link, now_s, is_up=self._is_up, queued=self._queue.queued, seq_gaps=self._seq_gaps
        )
        self._tell_trace(now_s)

    def _send_events(self, now_s: float) -> None:
        if self._queue.take_refused():
            self._sender.look_again()
        self._sender.send(now_s, again=not self._outside.hub_is_lost)

    def _expire(self) -> None:
        try:
            self._queue.expire(self._now.timestamp())
        except SpoolFull as error:
            # Refusals wait for room; what the machine must hear does not.
            logger.warning("%s: nothing can be refused now: %s", self._settings.id, error)

    def sleep_s(self, now_s: float) -> float:
        """Return the seconds after which `turn` has something to do even if nothing comes."""
        waits = [LONGEST_SLEEP_S, self._heartbeat_at_s - now_s]
        if not self._is_open:
            waits.append(self._reopen_at_s - now_s)
        dues = (self._link.next_timeout_s, self._sender.due_in_s, self._desk.due_in_s, self._trace.due_in_s)
        waits += [due_in_s for due in dues if (due_in_s := due(now_s)) is not None]
        due_s = self._queue.next_due_s()
        if due_s is not None and due_s > now_s:
            waits.append(due_s - now_s)
        if self._status_page is not None and self._link.is_idle:
            waits.append(self._status_at_s - now_s)
        return max(0.0, min(waits))

    # Signs of other threads

    def _heed(self, signs: set[Sign], now_s: float) -> None:
        if Sign.COMMANDS in signs:
            self._highest_fence = self._spool.fence(self._settings.id)
            self._seq_gaps = self._spool.seq_gaps(self._settings.id)
            if self._queue.reload():
                self._want_whole_status(now_s)
                self._voice.describe(self._view)
        if Sign.ACKNOWLEDGED in signs:
            self._sender.look_again()
        if Sign.HUB in signs and not self._outside.hub_is_lost:
            self._sender.start_over()
        if Sign.BROKER in signs and self._outside.is_connected:
            self._announce()
        if Sign.PORT_LOST in signs:
            self._lose_link("the port was lost", now_s)
        if Sign.SERVICE in signs:
            for message in self._outside.take_service():
                self._desk.take(message, self._standing(now_s))

    def _announce(self) -> None:
        """Publish the birth of this connection, all that is retained, and the events that wait."""
        self._outside.publish_state("ready" if self._is_up else "init")
        self._voice.describe(self._view)
        self._voice.tell_anew()
        self._sender.start_over()
        self._tell_ready()

    def _tell_ready(self) -> None:
        if self._on_ready is not None and self._is_up and self._outside.is_connected:
            self._on_ready()
            self._on_ready = None

    # Port and link

    def _open_port(self, now_s: float) -> None:
        self._link = Link(self._settings.baud, self._trace.tap(now_s))
        try:
            self._outside.open_port()
        except PortLost as error:
            self._lose_link(str(error), now_s)
            return
        self._is_open = True
        self._is_known = not self._settings.serial
        self._greet(now_s)

    def _greet(self, now_s: float) -> None:
        """Open a session; a machine whose serial is to be looked at first is greeted without a fence, which would be another's for ever."""
        self._highest_fence = self._spool.fence(self._settings.id)
        self._fence = self._highest_fence if self._is_known else 0
        self._on_answer = None
        self._queue.forget_progress()
        self._link.hello(self._outside.new_session(), self._fence, now_s)

    def _lose_link(self, reason: str, now_s: float) -> None:
        if self._is_up or self._failures in {0, LONG_WAIT_FAILURES}:
            logger.warning("%s: link down: %s", self._settings.id, reason)
        self._link.close(reason)
        self.close_port()
        self._queue.forget_progress()
        self._on_answer = None
        self._desk.lose_link()
        self._status_page = None
        self._reopen_at_s = now_s + reopen_wait_s(self._failures)
        self._failures += 1
        if self._is_up:
            self._is_up = False
            self._outside.publish_state("init")

    def close_port(self) -> None:
        """Let go of the port."""
        if self._is_open:
            self._is_open = False
            self._outside.close_port()

    def _write(self, now_s: float) -> None:
        data = self._link.data_to_send()
        if not data or not self._is_open:
            return
        try:
            self._outside.write(data)
        except PortLost as error:
            self._lose_link(str(error), now_s)

    # What the link tells

    def _handle(self, events: list[LinkEvent], now_s: float) -> None:
        happened: list[FirmwareEvent] = []
        for event in events:
            match event:
                case Happened():
                    self._warn_of_gap(event)
                    happened.append(event.event)
                case Repeated():
                    self._owe(event.boot, self._link.taken_event or 0)
                case Answered():
                    self._answered(event, now_s)
                case Greeted():
                    self._greeted(event, now_s)
                case Refused():
                    self._refused(event, now_s)
                case Down():
                    self._lose_link(event.reason, now_s)
        if happened:
            self._keep(happened)

    def _greeted(self, event: Greeted, now_s: float) -> None:
        hello = event.hello
        wrong = wrong_machine(hello, self._settings.serial)
        if wrong:
            self._turn_away(wrong, now_s)
            self._view = MachineView(reason=WRONG_MACHINE)
            return
        self._is_known = True
        self._failures = 0
        self._is_up = True
        self._view = MachineView(hello=hello, boots_before=self._spool.boots_before(self._settings.id, hello.serial))
        self._events_owed, self._events_settled = None, 0
        self._want_whole_status(now_s)
        logger.info("%s: link up, firmware %s, boot %d", self._settings.id, hello.firmware, hello.boot)
        self._outside.publish_state("ready")
        self._voice.describe(self._view)
        self._tell_ready()
        self._handle(self._link.accept_events(self._last_event_kept(hello)), now_s)

    def _refused(self, event: Refused, now_s: float) -> None:
        """Greet the machine again with our own fence, once it has said who it is; else leave it."""
        wrong = "" if event.hello is None else wrong_machine(event.hello, self._settings.serial)
        if not (self._is_known or wrong or event.hello is None) and event.rc == Rc.FENCED:
            self._is_known = True
            self._greet(now_s)
            return
        self._turn_away(wrong or f"HELLO refused, rc {event.rc} (fence {self._fence})", now_s)
        self._view = MachineView(reason=WRONG_MACHINE) if wrong else self._view

    def _turn_away(self, told: str, now_s: float) -> None:
        self._failures = max(self._failures, LONG_WAIT_FAILURES)
        logger.error("%s: %s", self._settings.id, told)
        self._lose_link(told, now_s)

    def _last_event_kept(self, hello: packets.Hello) -> int:
        kept = self._spool.last_event(self._settings.id, hello.serial, self._view.boots_before + hello.boot)
        if kept < hello.next_event:
            return kept
        logger.warning("%s: the machine counts its events anew", self._settings.id)
        return 0

    def _warn_of_gap(self, happened: Happened) -> None:
        if happened.skipped:
            number = happened.event.event
            logger.error("%s: %d events missing before event %d", self._settings.id, happened.skipped, number)

    def _keep(self, happened: list[FirmwareEvent]) -> None:
        """Make events durable; only then are they owed to the firmware as acknowledged."""
        serial = self._view.hello.serial if self._view.hello is not None else ""
        self._spool.keep_events(self._settings.id, serial, [self._view.recorded(event, self._now) for event in happened])
        self._owe(happened[-1].boot, happened[-1].event)
        self._sender.look_again()
        self._status_page = self._status_page or 1
        self._queue.heard(event.kind for event in happened)

    def _owe(self, boot: int, event: int) -> None:
        if event > self._events_settled:
            self._events_owed = (boot, event)

    # Requests

    def _request(self, op: int, payload: bytes, on_answer: Callable[[Answered, float], None], now_s: float) -> None:
        self._on_answer = on_answer
        self._link.request(op, payload, now_s)

    def _answered(self, answer: Answered, now_s: float) -> None:
        on_answer, self._on_answer = self._on_answer, None
        if on_answer is None:
            return
        try:
            on_answer(answer, now_s)
        except DecodeError as error:
            self._lose_link(f"answer to op {answer.op:#04x} is not readable: {error}", now_s)

    def _ask_next(self, now_s: float) -> None:
        """Send the most urgent request: decision, event acknowledgement, service command, status, then the jobs."""
        if self._highest_fence > self._fence:
            self._greet(now_s)
            return
        wall_s = self._now.timestamp()
        may_start = self._outside.is_connected and not self._outside.hub_is_lost
        decision = self._queue.decision_to_ask(now_s, wall_s)
        if decision is not None:
            self._ask_for(decision, now_s)
        elif self._events_owed is not None:
            self._acknowledge_events(self._events_owed, now_s)
        elif self._desk.has_waiting and (service := self._desk.ask(self._standing(now_s))) is not None:
            on_answer = lambda answer, _: self._desk.answered(answer.rc, answer.payload)  # noqa: E731
            self._request(service.op, service.payload, on_answer, now_s)
        elif self._status_page is not None and now_s >= self._status_at_s:
            self._request(Op.STATUS, packets.pack_status(self._status_page), self._status_answered, now_s)
        elif (run := self._queue.run_to_ask(now_s, wall_s, may_start=may_start)) is not None:
            self._ask_for(run, now_s)
        elif now_s >= self._status_at_s + HEARTBEAT_S - STATUS_SPACING_S:
            self._request(Op.STATUS, packets.pack_status(1), self._status_answered, now_s)

    def _ask_for(self, work: Work, now_s: float) -> None:
        def on_answer(answer: Answered, then_s: float) -> None:
            refuse = self._queue.answered(work, answer.rc, answer.payload, then_s)
            if refuse is None and answer.rc not in EXPECTED_ANSWERS:
                logger.warning("%s: command %s waits: the machine answers rc %d", self._settings.id, work.waiting.command, answer.rc)
            if refuse is not None:
                logger.warning("%s: command %s refused: %s", self._settings.id, work.waiting.command, refuse.rc)
                self._sender.look_again()

        request = self._queue.ask(work, self._view.boots_before)
        self._request(request.op, request.payload, on_answer, now_s)

    def _acknowledge_events(self, owed: tuple[int, int], now_s: float) -> None:
        def on_answer(answer: Answered, _then_s: float) -> None:
            if answer.rc != Rc.OK:
                logger.warning("%s: EVT_ACK refused, rc %d", self._settings.id, answer.rc)
            self._events_settled = owed[1]
            if self._events_owed == owed:
                self._events_owed = None

        self._request(Op.EVT_ACK, packets.pack_event_ack(*owed), on_answer, now_s)

    def _standing(self, now_s: float) -> Standing:
        return Standing(now_s, self._now, self._spool.fence(self._settings.id), self._is_up)

    def _want_whole_status(self, now_s: float) -> None:
        self._status_page, self._status_at_s, self._whole_status_at_s = 1, now_s, now_s
        self._voice.tell_anew()

    def _status_answered(self, answer: Answered, now_s: float) -> None:
        """Take a page; the pages behind the first are asked for once a minute only, events tell of changes before."""
        if answer.rc != Rc.OK:
            logger.warning("%s: STATUS refused, rc %d", self._settings.id, answer.rc)
            self._status_page, self._status_at_s = None, now_s + STATUS_SPACING_S
            return
        following = self._view.take_page(packets.unpack_status(answer.payload))
        self._status_page = following if now_s >= self._whole_status_at_s else None
        if following is None:
            self._whole_status_at_s = now_s + WHOLE_STATUS_S
        if self._status_page is None:
            self._status_at_s = now_s + STATUS_SPACING_S

    # Publishing

    def _tell_trace(self, now_s: float) -> None:
        while (report := self._trace.message_due(now_s)) is not None:
            if not self._outside.publish("trace", encode(report)):
                self._trace.lose(report)
