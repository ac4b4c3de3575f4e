"""Planned doses: what one patient is to get at one time, and the states a dose goes through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from hub.domain.identifiers import BatchId, DoseId, DrugCode, OrderId, PackSerial, PatientId


class Lane(StrEnum):
    """The way a dose takes from the store to the patient."""

    MACHINE = "machine"
    HALF_TABLET = "half-tablet"
    TRAY = "tray"
    AMPOULE = "ampoule"
    INJECTION = "injection"
    LIQUID = "liquid"
    COLD = "cold"
    HAZARDOUS = "hazardous"
    WARD_STOCK = "ward-stock"


PICKED_LANES = frozenset({Lane.HALF_TABLET, Lane.TRAY, Lane.AMPOULE, Lane.LIQUID, Lane.COLD, Lane.HAZARDOUS})
WARD_LANES = frozenset({Lane.INJECTION, Lane.WARD_STOCK})


class DoseState(StrEnum):
    """State of a planned dose (architecture, section 4)."""

    PLANNED = "planned"
    FROZEN = "frozen"
    PACKED = "packed"
    NOT_GIVEN = "not-given"
    GIVEN = "given"
    RETURNED = "returned"
    WASTED = "wasted"
    CANCELLED = "cancelled"
    MISSED = "missed"
    UNFULFILLABLE = "unfulfillable"
    LOST = "lost"


TERMINAL_DOSE_STATES = frozenset(
    {
        DoseState.GIVEN, DoseState.RETURNED, DoseState.WASTED, DoseState.CANCELLED,
        DoseState.MISSED, DoseState.UNFULFILLABLE, DoseState.LOST,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """One dose of one order version at one time.

    `units` counts dispensing units (tablets, ampoules, mL …) exactly; `slot` is the intake slot's name and `day` the
    slot's day; `dose_text` is the label's sentence (`2 × 250 mg = 500 mg`). `stat` says how it travels, made at once and by
    hand; it says nothing of when it may be given.
    """

    id: DoseId
    order: OrderId
    version: int
    patient: PatientId
    drug: DrugCode
    due: datetime
    slot: str
    lane: Lane
    units: Fraction
    dose_text: str
    department: str
    room: str
    bed: str
    stat: bool
    combine: bool
    state: DoseState
    batch: BatchId | None = None
    pack: PackSerial | None = None
    reason: str = ""
