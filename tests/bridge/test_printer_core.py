"""A printer's decisions: what is begun and when, what its outcome is called, and what is told to whom."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devices.label_printer import job_bytes
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.print_contract import PrintEvent, decode_print_event
from firmware_bridge.printer_bridge import description_of
from firmware_bridge.printer_conversation import PrintReceipt
from firmware_bridge.printer_core import RESEND_S, TURN_S, PrinterCore
from firmware_bridge.printer_escpos import parse_status
from firmware_bridge.printer_intake import PrintIntake
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage, PrinterState, PrinterStatus
from firmware_bridge.printer_transport import Unreachable
from tests.bridge.printer_desk import PRINTER, TINY, print_command

GOOD = parse_status({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12})
NO_PAPER = parse_status({1: 0x1A, 2: 0x32, 3: 0x12, 4: 0x72})
PRINTED = PrintReceipt(True, PrinterState.READY)
LOST = PrintReceipt(False, PrinterState.UNKNOWN, "the line was lost", in_doubt=True)
REFUSED = PrintReceipt(False, PrinterState.OUT_OF_PAPER, "nothing was sent")


@dataclass
class ScriptedLine:
    """A printer that answers as the test says; `receipt` None: nobody is there."""

    receipt: PrintReceipt | None = PRINTED
    seen: PrinterStatus | None = GOOD
    printed: list[bytes] = field(default_factory=list)
    cleared: int = 0
    forgets: bool = True
    after_doubt: list[bool] = field(default_factory=list)

    def status(self) -> PrinterStatus:
        if self.seen is None:
            raise Unreachable("nobody is there")
        return self.seen

    def clear(self) -> bool:
        if self.seen is None:
            raise Unreachable("nobody is there")
        self.cleared += 1
        return self.forgets

    def print_job(self, job: bytes, process_id: bytes, timeout_s: float, *, after_doubt: bool = False) -> PrintReceipt:
        assert job.endswith(process_id) and timeout_s > 0
        self.after_doubt.append(after_doubt)
        if self.receipt is None:
            raise Unreachable("nobody is there")
        self.printed.append(process_id)
        return self.receipt


@dataclass
class Told:
    """A broker that keeps what it was told; while it is away nothing leaves."""

    is_connected: bool = True
    hub_is_lost: bool = False
    denials: int = 0
    unreadable: int = 0
    refused: int = 0
    not_taken: int = 0
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        assert retain == (leaf != "print/evt")
        if self.is_connected:
            self.messages.append((leaf, msgspec.json.decode(message)))
        return self.is_connected

    def publish_state(self, state: str) -> None:
        self.publish("$state", msgspec.json.encode({"state": state}), retain=True)

    def of(self, leaf: str) -> list[dict[str, Any]]:
        return [content for told, content in self.messages if told == leaf]


@dataclass
class Desk:
    """One printer with everything around it in the test's hands."""

    spool: PrintSpool
    line: ScriptedLine = field(default_factory=ScriptedLine)
    outside: Told = field(default_factory=Told)
    now_s: float = 0.0
    ready: int = 0

    def __post_init__(self) -> None:
        self.core = self.started()

    def started(self) -> PrinterCore:
        """Start the bridge of this printer (again)."""
        core = PrinterCore(
            PRINTER, self.spool, self.outside, self.line, description_of(PrinterLanguage.ESCPOS), lambda: datetime.now(UTC), self._is_ready
        )
        core.recover()
        self.core = core
        return core

    def _is_ready(self) -> None:
        self.ready += 1

    def order(self, *names: str, seconds: float = 600.0) -> None:
        for name in names:
            self.spool.take(PRINTER, print_command(name, seconds=seconds))

    def turn(self, *signs: Sign, after_s: float = 1.0) -> None:
        self.now_s += after_s
        self.core.turn(set(signs), self.now_s)

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(told["command"], told["kind"], told["rc"]) for told in self.outside.of("print/evt")]

    @property
    def status(self) -> dict[str, Any]:
        return self.outside.of("status")[-1]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    spool = PrintSpool(tmp_path / "spool.db")
    yield Desk(spool)
    spool.close()


def test_what_was_taken_in_for_a_printer_of_another_language_is_refused_and_nothing_is_sent(desk: Desk) -> None:
    data = job_bytes(TINY, b"J?1!", PrinterLanguage.ZPL)
    desk.spool.take(PRINTER, msgspec.structs.replace(print_command("zpl"), data=data, language=PrinterLanguage.ZPL))
    desk.order("escpos")
    desk.turn()
    desk.turn()
    assert desk.outcomes()[:2] == [("zpl", "refused", "INVALID"), ("escpos", "printed", "OK")]
    assert len(desk.line.printed) == 1
    assert "speaks ESC/POS, not ZPL" in desk.outside.of("print/evt")[0]["reason"]


def test_prints_one_label_a_turn_in_order_of_arrival(desk: Desk) -> None:
    desk.order("a", "b")
    assert desk.core.sleep_s() == 0.0
    desk.turn()
    assert desk.outcomes() == [("a", "printed", "OK")]
    assert desk.status["queued"] == 1
    desk.turn()
    assert desk.outcomes() == [("a", "printed", "OK"), ("b", "printed", "OK")]
    assert desk.core.sleep_s() == TURN_S


@pytest.mark.parametrize(
    ("receipt", "kind", "rc"),
    [
        (LOST, "in-doubt", "NOT_CONFIRMED"),
        (REFUSED, "refused", "NOT_READY"),
        (None, "refused", "UNREACHABLE"),
    ],
)
def test_label_that_is_not_confirmed_is_not_tried_again(
    desk: Desk, receipt: PrintReceipt | None, kind: str, rc: str
) -> None:
    desk.line.receipt = receipt
    desk.order("a")
    desk.turn()
    desk.line.receipt = PRINTED
    desk.turn()
    assert desk.outcomes() == [("a", kind, rc)]
    assert desk.outside.of("print/evt")[0]["reason"]


def test_begun_and_never_ended_is_in_doubt_and_not_begun_again(desk: Desk) -> None:
    desk.order("a", "b")
    begun = desk.spool.waiting(PRINTER)
    assert begun is not None
    desk.spool.begin(begun)
    desk.started()
    desk.turn()
    assert desk.outcomes() == [("a", "in-doubt", "INTERRUPTED"), ("b", "printed", "OK")]
    assert len(desk.line.printed) == 1


def test_printer_that_is_away_at_the_start_is_made_to_forget_the_doubt_when_it_is_back(desk: Desk) -> None:
    desk.order("a")
    begun = desk.spool.waiting(PRINTER)
    assert begun is not None
    desk.spool.begin(begun)
    desk.line.seen = None
    desk.started()
    desk.turn()
    assert desk.outcomes() == [("a", "in-doubt", "INTERRUPTED")]
    desk.line.seen, desk.line.forgets = GOOD, False
    desk.turn(after_s=10)
    desk.line.forgets = True
    desk.turn(after_s=10)
    desk.turn(after_s=10)
    assert desk.line.cleared == 2


def test_doubt_is_remembered_over_a_start_until_a_label_is_printed(desk: Desk) -> None:
    desk.line.receipt = LOST
    desk.order("a", "b", "c", "d")
    desk.turn()
    desk.spool.acknowledge(PRINTER, "a")
    desk.line.receipt = REFUSED
    desk.turn()
    desk.started()
    desk.turn(Sign.BROKER)
    assert desk.status["reason"] == "in-doubt"
    desk.line.receipt = PRINTED
    desk.turn()
    assert desk.line.after_doubt == [False, True, True, True]
    desk.started()
    desk.turn(Sign.BROKER)
    assert desk.status["reason"] == "none"


@pytest.mark.parametrize("change", [{"is_connected": False}, {"hub_is_lost": True}])
def test_nothing_is_begun_without_broker_or_hub_and_what_expires_is_refused(
    desk: Desk, change: dict[str, bool]
) -> None:
    for name, value in change.items():
        setattr(desk.outside, name, value)
    desk.order("late", seconds=-1)
    desk.order("a")
    desk.turn()
    desk.turn()
    assert desk.line.printed == []
    assert desk.core.sleep_s() == TURN_S
    desk.outside.is_connected, desk.outside.hub_is_lost = True, False
    desk.turn(Sign.HUB)
    assert sorted(set(desk.outcomes())) == [("a", "printed", "OK"), ("late", "refused", "EXPIRED")]


def test_outcome_is_told_again_until_acknowledged_and_at_once_to_a_new_connection(desk: Desk) -> None:
    desk.order("a")
    desk.turn()
    desk.turn(after_s=RESEND_S / 2)
    assert len(desk.outcomes()) == 1
    desk.turn(after_s=RESEND_S / 2)
    assert len(desk.outcomes()) == 2
    desk.turn(Sign.BROKER, after_s=0.1)
    assert len(desk.outcomes()) == 3
    desk.spool.acknowledge(PRINTER, "a")
    desk.turn(Sign.ACKNOWLEDGED, after_s=RESEND_S)
    assert len(desk.outcomes()) == 3


def test_outcome_that_could_not_leave_is_told_when_the_broker_is_back(desk: Desk) -> None:
    desk.order("a")
    desk.turn()
    desk.outside.messages.clear()
    desk.outside.is_connected = False
    desk.turn(after_s=60)
    desk.outside.is_connected = True
    desk.turn(Sign.BROKER, after_s=0.1)
    assert desk.outcomes() == [("a", "printed", "OK")]


def test_birth_follows_the_printer_and_each_connection_hears_everything(desk: Desk) -> None:
    desk.line.seen = None
    desk.turn()
    assert desk.outside.of("$state") == [{"state": "init"}]
    assert (desk.status["state"], desk.status["link"]) == ("unknown", "down")
    assert desk.ready == 0
    desk.line.seen = GOOD
    desk.turn(after_s=10)
    desk.turn(after_s=10)
    assert desk.outside.of("$state") == [{"state": "init"}, {"state": "ready"}]
    assert (desk.status["state"], desk.status["link"], desk.ready) == ("ready", "up", 1)
    desk.outside.messages.clear()
    desk.turn(Sign.BROKER)
    assert [leaf for leaf, _ in desk.outside.messages] == ["$description", "$state", "status"]


def test_status_tells_of_paper_and_of_a_doubt_until_the_next_label(desk: Desk) -> None:
    desk.turn()
    desk.line.seen = NO_PAPER
    desk.turn(after_s=10)
    assert (desk.status["state"], desk.status["reason"]) == ("out-of-paper", "none")
    desk.line.seen, desk.line.receipt = GOOD, LOST
    desk.order("a")
    desk.turn(after_s=10)
    assert desk.status["reason"] == "in-doubt"
    desk.line.receipt = REFUSED
    desk.order("b")
    desk.turn(after_s=10)
    assert desk.status["reason"] == "in-doubt"
    desk.line.receipt = PRINTED
    desk.order("c")
    desk.turn(after_s=10)
    assert desk.status["reason"] == "none"
    assert desk.status["counters"] == {"printed": 1, "refused": 1, "in_doubt": 1, "denied": 0, "unreadable": 0, "not_taken": 0}


def test_status_is_told_at_most_twice_a_second_and_only_its_news(desk: Desk) -> None:
    desk.turn()
    told = len(desk.outside.of("status"))
    desk.order("a", "b")
    desk.turn(after_s=0.1)
    desk.turn(after_s=0.1)
    assert len(desk.outside.of("status")) == told
    desk.turn()
    desk.turn()
    assert len(desk.outside.of("status")) == told + 1
    assert desk.status["counters"]["printed"] == 2


def outcomes_of(spool: PrintSpool) -> list[PrintEvent]:
    return spool.untold(PRINTER, 100)


@pytest.mark.parametrize("message", [b"", b"no JSON", b"[]", b'{"command": 7}', b"[" * 100_000])
def test_message_without_a_name_is_counted_and_refuses_nothing(desk: Desk, message: bytes) -> None:
    intake = PrintIntake(desk.spool, PRINTER, Inbox())
    intake.command(message)
    intake.acknowledgement(message)
    assert intake.unreadable == 1
    assert outcomes_of(desk.spool) == []


def test_what_is_refused_as_it_comes_is_counted_once(desk: Desk) -> None:
    intake = PrintIntake(desk.spool, PRINTER, Inbox())
    intake.command(msgspec.json.encode(print_command("new", fence=5)))
    for _ in range(2):
        intake.command(msgspec.json.encode(print_command("old", fence=1)))
    intake.command(b'{"command": "unsound"}')
    assert intake.refused == 2
    desk.outside.refused = intake.refused
    desk.turn()
    assert desk.status["counters"]["refused"] == 2


def test_unsound_command_is_refused_once_with_the_place_of_its_fault(desk: Desk) -> None:
    intake = PrintIntake(desk.spool, PRINTER, Inbox())
    for _ in range(2):
        intake.command(b'{"command": "a"}')
    (refusal,) = outcomes_of(desk.spool)
    assert (refusal.command, refusal.kind, refusal.rc) == ("a", "refused", "INVALID")
    assert "$.fence" in refusal.reason
    assert decode_print_event(msgspec.json.encode(refusal)) == refusal
