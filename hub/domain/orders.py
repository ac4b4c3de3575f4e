"""Prescription sheets as facts: patients, stays, order lines and what becomes of a line."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, Timing
from hub.domain.words import Topic, Words


class OrderStatus(StrEnum):
    """What the prescriber says of an order (FHIR R4 MedicationRequest.status, as far as it is used)."""

    ACTIVE = "active"
    ON_HOLD = "on-hold"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"
    DRAFT = "draft"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """The one named end of every line of every sheet."""

    SCHEDULED = "scheduled"
    PRN = "prn"
    ONCE = "once"
    NOT_PACKABLE = "not-packable"
    NEEDS_REVIEW = "needs-review"
    REJECTED = "rejected"
    EXCLUDED = "excluded"


class LineState(StrEnum):
    """State of an order line (architecture, section 4)."""

    RECEIVED = "received"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REJECTED = "rejected"
    EXCLUDED = "excluded"
    NEEDS_REVIEW = "needs-review"
    STOPPED = "stopped"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Patient:
    """A person in a bed; `code` is what the wristband carries. `allergies` None: the feed has none, so they are not checked."""

    id: PatientId
    code: str
    family: str
    given: str
    birth_date: date | None
    allergies: tuple[str, ...] | None = None

    @property
    def full_name(self) -> str:
        """Family and given names in the order of the sheet."""
        return f"{self.family} {self.given}".strip()


@dataclass(frozen=True, slots=True)
class Stay:
    """Where a patient is; `finished_at` is set by a discharge, or by a death, which `died` tells."""

    patient: PatientId
    encounter: str
    department: str
    room: str
    bed: str
    finished_at: datetime | None = None
    died: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What a source wrote, where its own codes were taken for others: `taken` is (kind, as written, what it was taken for)."""

    drug: DrugCode
    dosages: tuple[Dosage, ...]
    taken: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of a sheet, as received; `version` counts the edits of the same order id, from 1.

    `dosages` has at least one member; `dose`, `route` and `timing` are the first one's, which is all of most lines.
    `unsupported` names what the source wrote and this reader may not ignore (modifier extensions, a rate ...).
    `unreadable` says why the line could not be read at all (None: it could); such a line is rejected, and the rest of its sheet goes on.
    `starts_on_day`: the start is a date without a time; `starts_at` is then the day's first moment.
    `written`: what stood there before the source's code table was applied; None where nothing was taken for anything else.
    """

    id: OrderId
    version: int
    source: str
    sheet: str
    position: str
    patient: PatientId
    drug: DrugCode
    drug_text: str
    dosages: tuple[Dosage, ...]
    status: OrderStatus
    authored_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    signed_by: str
    note: str = ""
    stat: bool = False
    unsupported: tuple[Words, ...] = ()
    starts_on_day: bool = False
    unreadable: Words | None = None
    written: Written | None = None

    @property
    def dose(self) -> tuple[Quantity, Quantity] | None:
        """The dose of the first dosage."""
        return self.dosages[0].dose

    @property
    def route(self) -> str:
        """The route of the first dosage."""
        return self.dosages[0].route

    @property
    def times_are_read(self) -> bool:
        """Tell whether all that is written of its times was read: half a timing is another timing."""
        return self.unreadable is None and all(what.about is not Topic.TIMES for what in self.unsupported)

    @property
    def timing(self) -> Timing | None:
        """The timing of the first dosage."""
        return self.dosages[0].timing


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: the rule's name, a sentence for a person in both languages, and the rule's source.

    `about` stands for the matter where the sentence changes although nothing did (a line's place in its file); empty: the sentence.
    """

    rule: str
    text: str
    source: str = ""
    text_ru: str = ""
    about: str = ""

    def said(self, language: str) -> str:
        """Return the sentence in `ru` or `en`; English where nobody wrote the other one down (older entries)."""
        return self.text_ru if language == "ru" and self.text_ru else self.text


@dataclass(frozen=True, slots=True)
class Reject:
    """A part of a file that is not even a line: where it stands, the field (may be empty) and the reason."""

    position: str
    field: str
    reason: Words


@dataclass(frozen=True, slots=True)
class OrderSheet:
    """What one file said, in the order of the file. `position` in lines names file and line or entry.

    `rejects` are the entries that are no line at all; the rest of the file goes on. `announced`: of a sheet that comes in parts, how
    many lines follow its people.
    """

    source: str
    name: str
    sha256: str
    patients: tuple[Patient, ...] = ()
    stays: tuple[Stay, ...] = ()
    lines: tuple[OrderLine, ...] = ()
    changes: tuple["SheetChange", ...] = ()
    rejects: tuple[Reject, ...] = ()
    announced: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SheetChange:
    """One dated change of a changes feed: exactly one of the members is set. `allergies` are new ones of a patient; none goes by it.

    `at` is from when it holds; `told_at` when it was said, by which an order's changes overtake one another (None: `at`).
    """

    at: datetime
    patient: Patient | None = None
    stay: Stay | None = None
    line: OrderLine | None = None
    allergies: tuple[PatientId, tuple[str, ...]] | None = None
    told_at: datetime | None = None


class RangePolicy(StrEnum):
    """What a written range of a scheduled dose (`1-2 tablets`) means: a person is asked, or always its lower or upper end."""

    ASK = "ask"
    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What one source of sheets is bound to bring (printed with every decision that follows from it).

    `reconfirm_days`: an open-ended order counts as confirmed for that many days after it was written or last re-confirmed by a sheet.
    `decimal_sign` is how its tables write amounts, `,` or `.`; None: nobody told, so `5,000` is asked about.
    `duration_as_bounds`: the source writes the length of the course into `Timing.repeat.duration`, where only a dose's own length belongs.
    """

    name: str
    course_required: bool
    signature_required: bool
    reconfirm_days: int | None
    allergies_provided: bool
    excluded_departments: tuple[str, ...]
    stable_after_days: int | None = None
    decimal_sign: str | None = None
    duration_as_bounds: bool = False
    range_policy: RangePolicy = RangePolicy.ASK


@dataclass(frozen=True, slots=True)
class Check:
    """One of the regulation's separate checks of a line and the setting in force."""

    name: str
    passed: bool
    text: str
    text_ru: str = ""


@dataclass(frozen=True, slots=True)
class LineDecision:
    """What became of a line, with every check and every reason."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An order line as the hub holds it: the line, its outcome with every check and reason, and its state now.

    `first_seen_at` is when its line was decided first, whatever was decided since. `not_before`: no dose of an edited order is
    due before it, because an earlier version's dose was given so lately.
    """

    id: OrderId
    version: int
    line: OrderLine
    outcome: Outcome
    state: LineState
    reasons: tuple[Reason, ...]
    patient: PatientId
    decided_at: datetime
    checks: tuple[Check, ...] = ()
    stopped_at: datetime | None = None
    first_seen_at: datetime | None = None
    not_before: datetime | None = None


def has_ended(order: Order, at: datetime) -> bool:
    """Tell whether an order's announced end has come at a moment."""
    return order.stopped_at is not None and order.stopped_at <= at


IN_FORCE = (LineState.ACTIVE, LineState.ON_HOLD)


def is_in_force(order: Order, at: datetime) -> bool:
    """Tell whether a dose of an order is wanted at a moment: it is active or only on hold, and its end has not come."""
    return order.state in IN_FORCE and not has_ended(order, at)
