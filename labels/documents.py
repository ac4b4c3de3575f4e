"""What a label says, before it is known where on the paper: frozen documents without measures."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from labels.serial import is_valid_serial


class Language(StrEnum):
    """The language of the label's own words; the ward chooses it."""

    RUSSIAN = "ru"
    ENGLISH = "en"


class Mark(StrEnum):
    """A warning that is printed white on black, in the order given here."""

    HIGH_ALERT = "high-alert"
    ALLERGIES_NOT_CHECKED = "allergies-not-checked"
    HAZARDOUS = "hazardous"
    COLD = "cold"
    LIGHT_SENSITIVE = "light-sensitive"
    LOOK_ALIKE = "look-alike"


class ItemKind(StrEnum):
    """What an item label is stuck on."""

    AMPOULES = "ampoules"
    HALF_TABLET = "half-tablet"
    LIQUID = "liquid"
    COLD = "cold"
    HAZARDOUS = "hazardous"
    OWN_MEDICINE = "own-medicine"
    TABLETS = "tablets"
    TRAY = "tray"


@dataclass(frozen=True, slots=True)
class DoseLine:
    """One drug of a pack, as ASHP asks: generic name, strength, form, and units with the total dose."""

    drug: str
    strength: str
    form: str
    units: str
    """For instance `2 × 250 mg = 500 mg`."""
    high_alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PouchLabel:
    """The label of a machine pouch: the tablets of one patient at one intake time. `due` is the ward's wall-clock."""

    serial: str
    language: Language
    department: str
    room: str
    patient: str
    birth_date: date | None
    slot: str
    due: datetime
    lines: tuple[DoseLine, ...]
    rules: str = ""
    expiry: date
    lot_set: str
    marks: frozenset[Mark] = frozenset()
    position: int = 1
    total: int = 1

    def __post_init__(self) -> None:
        _require_serial(self.serial)
        _require(bool(self.lines), "a pouch label names at least one drug")
        _require(bool(self.patient.strip()), "a pouch label names the patient")
        _require_position(self.position, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLabel:
    """The label of a bag, bottle, single item or tray that people fill; a tray names no patient and no drug."""

    serial: str
    language: Language
    kind: ItemKind
    department: str
    ward: str = ""
    patient: str = ""
    birth_date: date | None = None
    slot: str = ""
    due: datetime | None = None
    lines: tuple[DoseLine, ...] = ()
    rules: str = ""
    expiry: date | None = None
    lot_set: str = ""
    marks: frozenset[Mark] = frozenset()
    position: int = 1
    total: int = 1

    def __post_init__(self) -> None:
        _require_serial(self.serial)
        _require_position(self.position, self.total)
        if self.kind is not ItemKind.TRAY:
            _require(bool(self.lines), "an item label names at least one drug")
            _require(bool(self.patient.strip()), "an item label names the patient")


@dataclass(frozen=True, slots=True, kw_only=True)
class WristbandLabel:
    """The label of a patient's wristband; `serial` is the code of the patient that the bedside scan reads."""

    serial: str
    language: Language
    patient: str
    birth_date: date
    department: str
    room: str = ""
    record_number: str = ""
    marks: frozenset[Mark] = frozenset()

    def __post_init__(self) -> None:
        _require_serial(self.serial)
        _require(bool(self.patient.strip()), "a wristband names the patient")


LabelDocument = PouchLabel | ItemLabel | WristbandLabel


def _require(fact: bool, message: str) -> None:
    if not fact:
        raise ValueError(message)


def _require_serial(serial: str) -> None:
    _require(is_valid_serial(serial), f"not a serial: {serial!r}")


def _require_position(position: int, total: int) -> None:
    _require(1 <= position <= total, f"not a position in a set: {position} of {total}")
