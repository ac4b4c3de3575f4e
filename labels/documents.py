"""What a label says, before it is known where on the paper: frozen documents without measures."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from labels.errors import LabelError
from labels.serial import is_valid_serial
from labels.symbols import is_code


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


class LabelKind(StrEnum):
    """What a label is stuck on: each kind has its templates, one for each width of film or roll."""

    POUCH = "pouch"
    AMPOULE_BAG = "ampoule-bag"
    ITEM = "item"
    TRAY = "tray"
    DRAWER = "drawer"
    BADGE = "badge"
    COMMAND = "command"
    MANIFEST = "manifest"
    WRISTBAND = "wristband"


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

    def __post_init__(self) -> None:
        _require_text("drug", self.drug)
        _require_text("units", self.units)


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
        _require_text("patient", self.patient)
        _require_text("department", self.department)
        _require_position(self.position, self.total)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.POUCH

    @property
    def code(self) -> str:
        """Give what its symbols say."""
        return self.serial


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
        _require_text("department", self.department)
        if self.kind is not ItemKind.TRAY:
            _require(bool(self.lines), "an item label names at least one drug")
            _require_text("patient", self.patient)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        kinds = {ItemKind.AMPOULES: LabelKind.AMPOULE_BAG, ItemKind.TRAY: LabelKind.TRAY}
        return kinds.get(self.kind, LabelKind.ITEM)

    @property
    def code(self) -> str:
        """Give what its symbols say."""
        return self.serial


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
        _require_text("patient", self.patient)
        _require_text("department", self.department)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.WRISTBAND

    @property
    def code(self) -> str:
        """Give what its symbols say."""
        return self.serial


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawerLabel:
    """The label of a cassette's drawer; `code` is the number that is scanned when the cassette is loaded."""

    code: str
    language: Language
    cassette: str
    slot: str
    device: str
    drug: str
    strength: str
    form: str
    marks: frozenset[Mark] = frozenset()

    def __post_init__(self) -> None:
        _require_code(self.code)
        for field in ("cassette", "slot", "drug"):
            _require_text(field, getattr(self, field))

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.DRAWER


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeLabel:
    """The badge of a person of the staff; `code` alone lets nobody in, the PIN stands on no label."""

    code: str
    language: Language
    name: str
    role: str
    site: str = ""

    def __post_init__(self) -> None:
        _require_code(self.code)
        _require_text("name", self.name)
        _require_text("role", self.role)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.BADGE


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLabel:
    """A card with one command that a page takes by scan; `deed` says what it does, `place` on which page."""

    code: str
    language: Language
    deed: str
    place: str

    def __post_init__(self) -> None:
        _require_code(self.code)
        _require_text("deed", self.deed)
        _require_text("place", self.place)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.COMMAND


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One patient of a trolley: `packs` lie in the drawer of the room, of the `wanted` that belong there."""

    room: str
    patient: str
    packs: int
    wanted: int

    def __post_init__(self) -> None:
        _require_text("patient", self.patient)
        _require(0 <= self.packs <= self.wanted, f"not packs of a drawer: {self.packs} of {self.wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLabel:
    """One page of the list that goes with a trolley, as it was at `made_at`; `serial` is that of its tray, which is scanned to choose it.

    It names no more of a patient than the order asks of a container: department, full name, room (order 1088, annex 1, II.3).
    """

    serial: str
    language: Language
    department: str
    slot: str
    due: datetime
    rows: tuple[ManifestRow, ...]
    made_at: datetime
    page: int = 1
    pages: int = 1

    def __post_init__(self) -> None:
        _require_serial(self.serial)
        _require_text("department", self.department)
        _require(bool(self.rows), "a manifest names at least one patient")
        _require_position(self.page, self.pages)

    @property
    def kind_of_label(self) -> LabelKind:
        """Give the kind whose templates it takes."""
        return LabelKind.MANIFEST

    @property
    def code(self) -> str:
        """Give what its symbols say."""
        return self.serial


LabelDocument = PouchLabel | ItemLabel | WristbandLabel | DrawerLabel | BadgeLabel | CommandLabel | ManifestLabel


def _require(fact: bool, message: str) -> None:
    if not fact:
        raise LabelError(message)


def _require_text(field: str, text: str) -> None:
    _require(bool(text.strip()), f"{field}: a label must name it, and it is empty")


def _require_serial(serial: str) -> None:
    _require(is_valid_serial(serial), f"serial: not one of ours: {serial!r}")


def _require_code(code: str) -> None:
    _require(is_code(code), f"code: 1 to 20 of A-Z, a-z, 0-9 and '-' are read by every scanner, not {code!r}")


def _require_position(position: int, total: int) -> None:
    _require(1 <= position <= total, f"not a position in a set: {position} of {total}")
