"""Stock as double entry: lots, accounts, cassettes and how long a pack may be kept."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NewType

from hub.domain.identifiers import CassetteId, DeviceId, DrugCode, LotId

Account = NewType("Account", str)

SUPPLIER = Account("supplier")
STORE = Account("store")
WASTE = Account("waste")
QUARANTINE = Account("quarantine")
LOST = Account("lost")
SURPLUS = Account("surplus")
_LOOK = re.compile(r"(?P<colour>#[0-9a-fA-F]{6}) (?P<shape>round|oval|capsule) (?P<size_mm>\d{1,2}(?:\.\d{1,2})?)", re.ASCII)
MAY_BE_NEGATIVE = frozenset({SUPPLIER, SURPLUS})


def cassette_account(cassette: CassetteId) -> Account:
    """Return the account of the tablets in a cassette."""
    return Account(f"cassette:{cassette}")


def pack_account(serial: str) -> Account:
    """Return the account of what is in a pack."""
    return Account(f"pack:{serial}")


def ward_account(department: str) -> Account:
    """Return the account of a ward's own stock."""
    return Account(f"ward:{department}")


def patient_account(patient: str) -> Account:
    """Return the account of what a patient was given."""
    return Account(f"patient:{patient}")


def returned_account(serial: str) -> Account:
    """Return the account of a pack that came back whole: kept as a single pack, never poured into a cassette or counted as store stock."""
    return Account(f"returned:{serial}")


def lot_id(item: DrugCode, number: str) -> LotId:
    """Return the id of a lot: makers number their lots each for himself, so the item belongs to it."""
    return LotId(f"{item}/{number}")


def lot_number(item: DrugCode, lot: LotId) -> str:
    """Return the maker's own number of a lot of an item, as it stands on his pack."""
    return lot.removeprefix(f"{item}/")


def is_same_number(one: str, other: str) -> bool:
    """Tell whether two numbers of lots of one item are one lot: upper and lower case do not make another (a recall names either)."""
    return one.casefold() == other.casefold()


class CassetteState(StrEnum):
    """State of a cassette (architecture, section 4)."""

    EMPTY = "empty"
    LOADING = "loading"
    ARMED = "armed"
    LOW = "low"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot of one drug as received; `unit_cost` per dispensing unit in the hospital's currency.

    `look` is what a tablet of it looks like, as somebody saw it at receipt (`#ffffff round 8.5`: colour, shape, size in mm);
    `promised` units of the store's belong to packs and requisitions that were set up and not picked yet.
    """

    id: LotId
    item: DrugCode
    number: str
    expires_on: date
    unit_cost: Decimal
    promised: Fraction = Fraction(0)
    recalled: bool = False
    look: str = ""


def written_look(text: str) -> dict[str, str] | None:
    """Return a look that was written down by `colour`, `shape` and `size_mm`; None where it is none that can be drawn and compared."""
    written = _LOOK.fullmatch(text)
    return written.groupdict() if written is not None else None


def lot_is_usable(lot: Lot | None, on: date) -> bool:
    """Tell whether a lot may be used on a day: it is known, not recalled, and in date (the day of expiry is its last)."""
    return lot is not None and not lot.recalled and lot.expires_on >= on


@dataclass(frozen=True, slots=True)
class SourcePack:
    """A manufacturer's pack in the store with the code that is scanned; `units` it held when received, `left` that nobody took yet.

    A pack with a GTIN and a serial has both as its `code`, and its maker's code as it was scanned at receipt in `scanned`.
    """

    code: str
    item: DrugCode
    lot: LotId
    units: Fraction
    left: Fraction
    scanned: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """Tablets of one lot in a cassette; the layers of a cassette lie in the order of loading."""

    lot: LotId
    count: int


@dataclass(frozen=True, slots=True)
class Cassette:
    """A cassette made for one drug; `reserved` tablets belong to jobs that were queued and not yet dropped."""

    id: CassetteId
    item: DrugCode
    device: DeviceId
    slot: int
    capacity: int
    state: CassetteState
    layers: tuple[Layer, ...] = ()
    reserved: int = 0
    opened_at: datetime | None = None
    reason: str = ""

    @property
    def count(self) -> int:
        """Tablets in the cassette by the books."""
        return sum(layer.count for layer in self.layers)


@dataclass(frozen=True, slots=True)
class StockMove:
    """An exact quantity of one lot from one account to another."""

    item: DrugCode
    lot: LotId
    source: Account
    target: Account
    quantity: Fraction
