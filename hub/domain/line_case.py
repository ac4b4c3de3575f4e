"""What the judgement of one line looks at: the line with everything known of its patient, its drug and the orders beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from hub.domain.allergies import AllergyHit
from hub.domain.divided_doses import are_gives_of_one, is_divided
from hub.domain.drugs import Drug
from hub.domain.duplicates import OtherOrder, Twin
from hub.domain.line_content import LineContent
from hub.domain.orders import OrderLine, Patient, Reason, SourceSettings, Stay
from hub.domain.rulings import Ruling
from hub.domain.schedule import (
    HOUSE_RULES,
    FrequencyTable,
    IntakeSlot,
    Schedule,
    ScheduleKind,
    ScheduleRules,
    schedule_for,
)


@dataclass(frozen=True, slots=True)
class Case:
    """What one judgement looks at."""

    line: OrderLine
    patient: Patient
    stay: Stay | None
    drug: Drug | None
    content: LineContent
    settings: SourceSettings
    confirmed_at: datetime | None
    now: datetime
    slots: tuple[IntakeSlot, ...]
    planned_from: datetime | None
    hits: tuple[AllergyHit, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    twins: tuple[Twin, ...] = ()
    table: FrequencyTable | None = None
    infused: bool = False
    unconfirmed: Reason | None = None
    beside: Sequence[OtherOrder] = ()
    rules: ScheduleRules = HOUSE_RULES

    @property
    def schedule(self) -> Schedule | Reason:
        """What the line's dosages mean, or why nobody can tell."""
        return self.content.schedule

    def kind_of(self, line: OrderLine) -> ScheduleKind | None:
        """Return what kind of schedule another line of the same patient has, None where nobody can tell."""
        schedule = self.schedule_of(line)
        return schedule.kind if schedule is not None else None

    def divides(self, line: OrderLine) -> bool:
        """Tell whether another line of the same patient gives its doses at other times than this one, as parts of one dose or of one order."""
        own, other = self.schedule_of(self.line), self.schedule_of(line)
        if own is None or other is None:
            return False
        return is_divided(own, other) or are_gives_of_one(self.line.id, line.id, own, other)

    def schedule_of(self, line: OrderLine) -> Schedule | None:
        """Return what another line of the same patient means at its ward by the rules of its own source, None where nobody can tell."""
        if line is self.line:
            return self.schedule if isinstance(self.schedule, Schedule) else None
        if self.table is None:
            return None
        known = next((other.known.rules for other in self.beside if other.line.id == line.id), None)
        schedule = schedule_for(line.dosages, self.table, self.stay.department if self.stay is not None else "", self.slots, known or self.rules)
        return schedule if isinstance(schedule, Schedule) else None

    @property
    def zone(self) -> tzinfo:
        """The zone in which the patient's days are counted."""
        planned = self.planned_from.tzinfo if self.planned_from is not None else None
        return planned or self.now.tzinfo or UTC
