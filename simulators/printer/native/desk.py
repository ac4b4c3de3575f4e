"""Takes print commands and works on them: one label after the other, each at most once, its outcome told until it is acknowledged."""

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulators.packager.native.reading import Members, Misfit, named_command, parse
from simulators.printer.mechanism import Mechanism
from simulators.printer.native.connection import Connection, Place, utc
from simulators.printer.native.memory import Memory, Order, Taken
from simulators.printer.paper import HEAD_DOTS
from simulators.printer.parser import AskProcess, CommandParser, Cut
from simulators.printer.zpl import Page, ZplParser

DATA_LIMIT_BYTES = 131_072
PRINT_TIMEOUT_S = 10.0
RESEND_S = 2.0
TURN_S = 0.5
POLL_S = 0.05
LONG = 0xFFFFFFFF
COMMAND = r"[^\ud800-\udfff]{1,200}"


class PrintDesk:
    """The part of the printer that a network cable goes into."""

    def __init__(self, place: Place, memory: Memory, mechanism: Mechanism, language: str = "escpos") -> None:
        self._memory, self._mechanism, self._language = memory, mechanism, language
        self._connection = Connection(place, self._heard, self._opened)
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._opened_anew = threading.Event()
        self._thread = threading.Thread(target=self._run, name="print desk", daemon=True)
        self._hub: tuple[str, bool] = ("", False)
        self._told_at: dict[str, float] = {}
        self._published: dict[str, Any] | None = None
        self._reason = "in-doubt" if memory.last_attempt() == "in-doubt" else "none"
        self._counters = {"printed": 0, "refused": 0, "in_doubt": 0, "unreadable": 0, "not_taken": 0}
        self.unknown_bytes = 0

    def start(self) -> None:
        """Put in doubt what was begun before the power went, then connect and work."""
        while (order := self._memory.next(begun=True)) is not None:
            self._end(order, "in-doubt", "INTERRUPTED", "the printer lost power in the middle of this label")
        self._connection.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the label at hand."""
        self._ended.set()
        self._changed.set()
        self._thread.join()
        self._connection.stop()

    # What comes by the network, in its thread

    def _opened(self) -> None:
        self._opened_anew.set()
        self._changed.set()

    def _heard(self, leaf: str, message: bytes) -> None:
        takers: dict[str, Callable[[bytes], None]] = {
            "hub": self._hear_hub, "print/cmd": self._take, "print/ack": self._acknowledged}
        try:
            takers[leaf](message)
        except Misfit as misfit:
            print(f"printer: {leaf}: {misfit}", file=sys.stderr, flush=True)
        self._changed.set()

    def _hear_hub(self, message: bytes) -> None:
        """A death counts for the session of the last birth, or where none was heard."""
        members = Members(parse(message))
        lost, session = members.text("state", "init|ready|lost") == "lost", members.text("session", ".{1,64}")
        if not lost or self._hub[0] in ("", session):
            self._hub = (session, lost)

    def _acknowledged(self, message: bytes) -> None:
        self._memory.acknowledged(Members(parse(message)).text("command", COMMAND))

    def _take(self, message: bytes) -> None:
        try:
            order, fence = _read(message, self._language)
        except (ValueError, OverflowError) as misfit:
            self._refuse(Order(named_command(message), b"", b"", 0.0), "INVALID", str(misfit))
            return
        highest = self._memory.raise_fence(fence)
        if fence < highest:
            self._refuse(order, "FENCED", f"the fence {fence} is older than {highest}")
        else:
            self._keep(order, None)

    def _refuse(self, order: Order, rc: str, reason: str) -> None:
        if not order.command:
            self._counters["unreadable"] += 1
        elif self._keep(order, _outcome(order, "refused", rc, reason)):
            self._counters["refused"] += 1

    def _keep(self, order: Order, outcome: dict[str, Any] | None) -> bool:
        """Note an order, or its refusal; True where it is new. What there is no room for is counted, and comes again."""
        taken = self._memory.take(order, outcome)
        if taken is Taken.FULL:
            self._counters["not_taken"] += 1
            print(f"printer: {order.command!r} is not taken: too many are open", file=sys.stderr, flush=True)
        return taken is Taken.NEW

    # The work, in its own thread

    def _run(self) -> None:
        while not self._ended.is_set():
            self._changed.clear()
            order = self._memory.next(begun=False)
            if order is not None:
                self._work_on(order)
            self._tell()
            if order is None or not self._may_begin:
                self._changed.wait(TURN_S)

    @property
    def _may_begin(self) -> bool:
        return self._connection.is_open and not self._hub[1]

    def _work_on(self, order: Order) -> None:
        if order.expires_at <= time.time():
            self._end(order, "refused", "EXPIRED", "its time was over before it was begun")
        elif self._may_begin:
            state = self._state()
            if state != "ready":
                self._end(order, "refused", "NOT_READY", f"nothing was printed: the printer is {state}")
            else:
                self._print(order)

    def _print(self, order: Order) -> None:
        self._memory.begin(order)
        named = threading.Event()
        (self._put_format if self._language == "zpl" else self._put_commands)(order, named)
        until = time.monotonic() + PRINT_TIMEOUT_S
        while not named.wait(POLL_S) and time.monotonic() < until and self._state() == "ready":
            if self._ended.is_set():
                break
        if not named.is_set():
            self._mechanism.clear()
            self._mechanism.put(Cut(0), lambda _: None)  # what hangs under the head is no part of the next label
        if named.is_set():
            self._end(order, "printed", "OK", "")
        else:
            self._end(order, "in-doubt", "NOT_CONFIRMED", f"it was not confirmed: the printer is {self._state()}")

    def _put_commands(self, order: Order, named: threading.Event) -> None:
        parser, answer = CommandParser(), b'7"' + order.process_id + b"\0"
        for command in parser.feed(order.data):
            self._mechanism.put(command, lambda told: named.set() if told == answer else None)
        self.unknown_bytes += parser.unknown_bytes

    def _put_format(self, order: Order, named: threading.Event) -> None:
        """This printer knows of itself when a label is out: it asks its own mechanism behind the format, and needs no ~HS."""
        parser = ZplParser()
        pages = [wanted for wanted in parser.feed(order.data) if isinstance(wanted, Page)]
        if pages and not parser.spoiled_graphics:
            for page in pages:
                self._mechanism.put(page, lambda _: None)
            self._mechanism.put(AskProcess(order.process_id), lambda _: named.set())
        self.unknown_bytes += parser.unknown_bytes

    def _end(self, order: Order, kind: str, rc: str, reason: str) -> None:
        self._memory.end(order, _outcome(order, kind, rc, reason))
        self._counters[kind.replace("-", "_")] += 1
        if kind != "refused":
            self._reason = "in-doubt" if kind == "in-doubt" else "none"

    def _state(self) -> str:
        seen = self._mechanism.state()
        return "cover-open" if seen["cover_open"] else "out-of-paper" if seen["paper_out"] else "ready"

    # What is told

    def _tell(self) -> None:
        if not self._connection.is_open:
            return
        if self._opened_anew.is_set():
            self._opened_anew.clear()
            self._told_at, self._published = {}, None
        told: dict[str, float] = {}
        for outcome in self._memory.untold():
            before, now = self._told_at.get(outcome["command"], float("-inf")), time.monotonic()
            if now >= before + RESEND_S:
                self._connection.publish("print/evt", outcome)
            told[outcome["command"]] = now if now >= before + RESEND_S else before
        self._told_at = told
        self._report()

    def _report(self) -> None:
        status: dict[str, Any] = {
            "state": self._state(), "reason": self._reason, "job": None, "cassettes": [], "link": "up",
            "counters": dict(self._counters), "queued": self._memory.waiting()}
        if self._published is None:
            self._connection.publish("$description", _description(self._language), retain=True)
            self._connection.publish_birth()
        if status != self._published:
            self._connection.publish("status", status, retain=True)
            self._published = status


def _description(language: str) -> dict[str, Any]:
    return {
        "serial": "SIM-PRINTER", "firmware": "1.0", "protocol": "ZPL" if language == "zpl" else "ESC/POS", "schema_crc": 0, "boot": 0,
        "reset_cause": "power-on", "cassette_slots": 0, "label_width": HEAD_DOTS, "capabilities": ["print"], "bridge": "",
    }  # fmt: skip


def _read(message: bytes, language: str) -> tuple[Order, int]:
    """Give the order in a message of `print/cmd` and its fence; raises Misfit."""
    told = parse(message)
    members = Members(told)
    process_id = members.text("process_id", "[ -~]{4}").encode()
    data = members.data("data", DATA_LIMIT_BYTES)
    if (members.text("language", "escpos|zpl") if "language" in told else "escpos") != language:
        raise members.misfit("language", f"this printer speaks {language}")
    if not data.endswith(_ending(process_id, language)):
        raise members.misfit("data", "it does not end with the request for process_id")
    order = Order(members.text("command", COMMAND), process_id, data, members.moment("expires_at"))
    return order, members.whole("fence", 0, LONG)


def _ending(process_id: bytes, language: str) -> bytes:
    if language == "escpos":
        return b"\x1d(H\x06\x0000" + process_id
    return b"^FN1^FD" + process_id.hex().upper().encode() + b"^FS^FH_^HV1,8,,_0D_0A,L^FS^PQ1,0,0,N^XZ"


def _outcome(order: Order, kind: str, rc: str, reason: str) -> dict[str, Any]:
    return {"command": order.command, "kind": kind, "rc": rc, "reason": reason, "at": utc(datetime.now(UTC))}
