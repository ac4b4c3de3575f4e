"""Rejected lines on their way back to the ward: what the senior nurse is to correct, when that is done, and who errs in what."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.domain.identifiers import DrugCode, OrderId, PatientId, UserId
from hub.domain.orders import Order, OrderLine, OrderStatus, Outcome, Reason

RETURNS_SOURCE = "Kemerovo order 1088, section II: the senior nurses are told of errors in the sheets"
_ENDED = frozenset({OrderStatus.STOPPED, OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.ENTERED_IN_ERROR})


class ReturnState(StrEnum):
    """How far a returned line is: nobody has looked, the senior nurse has seen it or passed it on, it is done."""

    OPEN = "open"
    SEEN = "seen"
    PASSED_ON = "passed-on"
    CLOSED = "closed"


OPEN_RETURNS = (ReturnState.OPEN, ReturnState.SEEN, ReturnState.PASSED_ON)


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """A rejected line in the queue of its department; no name of the patient, who is told by code, room and bed.

    `line` is what was rejected, `corrected_by` the order that came instead. `nurse` signed the sheet's line, where it says so.
    """

    id: str
    order: OrderId
    version: int
    line: OrderLine
    reasons: tuple[Reason, ...]
    patient: PatientId
    code: str
    department: str
    room: str
    bed: str
    nurse: str
    returned_at: datetime
    state: ReturnState
    seen_by: UserId | None = None
    seen_at: datetime | None = None
    passed_to: str = ""
    closed_at: datetime | None = None
    closed_by: UserId | None = None
    closed_because: str = ""
    corrected_by: OrderId | None = None

    @property
    def drug(self) -> DrugCode:
        """The drug of the rejected line; empty where it could not be told."""
        return self.line.drug

    @property
    def place(self) -> str:
        """File and line (or entry) where it stands."""
        return f"{self.line.sheet}: {self.line.position}"


CORRECTIONS: Mapping[str, tuple[str, str]] = {
    "dose": ("write how much is given at a time, with its unit", "укажите разовую дозу с единицей измерения"),
    "frequency": ("write when or how often it is given", "укажите время или кратность приёма"),
    "course": ("write the end of the course, or have the doctor confirm the order", "укажите конец курса или подтвердите назначение у врача"),
    "signature": ("have the line signed", "подпишите строку листа назначений"),
    "course-order": ("put start and end of the course right", "исправьте даты начала и конца курса"),
    "course-over": ("have the doctor prolong the course, or take the line off the sheet", "продлите курс у врача или уберите строку из листа"),
    "discharged": ("take the line off the sheet, or tell the pharmacy that the patient is still here", "уберите строку из листа или сообщите, что пациент не выписан"),
    "unreadable": ("write the line anew, as the reason says", "заполните строку заново, как указано в причине"),
    "status": ("have the doctor put the order in force, or take the line off the sheet", "введите назначение в действие у врача или уберите строку из листа"),
    "pharmacist-refused": ("ask the doctor for another order, as the pharmacist says", "обратитесь к врачу за другим назначением, как указал провизор"),
}  # fmt: skip
_ANY = ("put right what the reason names, and send the sheet again", "исправьте указанное в причине и пришлите лист снова")


def correction_of(rule: str) -> tuple[str, str]:
    """Return what to correct where a rule rejected a line, in English and Russian."""
    return CORRECTIONS.get(rule, _ANY)


def asks_for_nothing(order: Order) -> bool:
    """Tell whether a rejected line has nothing to correct: the prescriber ended the order, and the sheet only says so."""
    return order.line.status in _ENDED or all(reason.rule == "status" and order.line.status is not OrderStatus.DRAFT for reason in order.reasons)


def is_corrected_by(returned: ReturnedLine, order: Order) -> bool:
    """Tell whether an accepted order is the correction: the same order, or a newer one of the same patient and drug.

    Another order of that drug which was there before, or came with the same file, corrects nothing.
    """
    if order.outcome in (Outcome.REJECTED, Outcome.NEEDS_REVIEW):
        return False
    if order.id == returned.order:
        return True
    is_newer = order.first_seen_at is not None and order.first_seen_at > returned.returned_at
    return is_newer and order.patient == returned.patient and bool(returned.drug) and returned.drug == order.line.drug


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many rejected lines of one department broke a rule on a day; `nurse` signed them, empty where nobody did."""

    day: date
    department: str
    rule: str
    nurse: str
    lines: int


def error_counts(lines: Iterable[tuple[date, ReturnedLine]]) -> tuple[ErrorCount, ...]:
    """Count errors by day, department, rule and ward nurse, the newest day first; a line with two errors counts in both.

    What the prescriber ended is no error of a nurse and is not counted.
    """
    counted = Counter(
        (day, line.department, reason.rule, line.nurse)
        for day, line in lines
        if line.closed_because != NOTHING_TO_CORRECT
        for reason in line.reasons
    )
    rows = [ErrorCount(*key, lines=number) for key, number in counted.items()]
    return tuple(sorted(rows, key=lambda row: (-row.day.toordinal(), row.department, -row.lines, row.rule, row.nurse)))


NOTHING_TO_CORRECT = "nothing-to-correct"
CORRECTED = "corrected"
RETURNED_AGAIN = "returned-again"
