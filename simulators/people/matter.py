"""What people hold in their hands: source packs on shelves, tablets, pouches and labelled bags, each in one place."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

COLOURS = ("#f2efe6", "#ece2c6", "#f0d9a8", "#e8b7b0", "#d98f80", "#b8d4e8", "#9cc4a4", "#c9b3dc", "#e6a860", "#dcd15e")
SIZES_MM = {"round": (6.0, 10.0), "oval": (9.0, 14.0), "capsule": (13.0, 17.0)}
SHAPES = ("round", "round", "oval", "capsule")

LINE = "line"
REJECT = "reject"
TREATMENT = "treatment"
"""In the hands of the treatment nurse, for one ward."""
BY_HAND = "by-hand"
"""In the hands of a nurse, for the ward that is printed on it."""


def trolley_place(trolley: str) -> str:
    """Name the place of what lies in a trolley."""
    return f"trolley:{trolley}"


def ward_place(department: str) -> str:
    """Name the place of what a ward has received."""
    return f"ward:{department}"


def bag_place(department: str) -> str:
    """Name the place of what waits in a ward's returns bag."""
    return f"bag:{department}"


def look_text(look: dict[str, Any]) -> str:
    """Write a look as a receipt carries it: `#rrggbb shape size_mm`."""
    return f"{look['colour']} {look['shape']} {look['size_mm']:g}"


def read_look(text: str) -> dict[str, Any]:
    """Read what `look_text` writes; raises ValueError."""
    colour, shape, size_mm = text.split()
    return {"colour": colour, "shape": shape, "size_mm": float(size_mm)}


def look_of(item: str, lot: str) -> dict[str, Any]:
    """Give the look of the tablets of a lot: the same item and lot look alike for ever; sizes in mm, longest side."""
    digest = hashlib.sha256(f"look\x1f{item}\x1f{lot}".encode()).digest()
    shape = SHAPES[digest[0] % len(SHAPES)]
    least, most = SIZES_MM[shape]
    steps = int((most - least) * 2) + 1
    return {"colour": COLOURS[digest[1] % len(COLOURS)], "shape": shape, "size_mm": least + digest[2] % steps / 2}


@dataclass(frozen=True, slots=True)
class Part:
    """So many units of one lot out of one source pack."""

    code: str
    item: str
    lot: str
    units: Fraction


@dataclass(frozen=True, slots=True)
class Pouring:
    """Tablets of one lot that the hub has booked into a cassette and that are on their way into it."""

    slot: int
    cassette: int
    parts: tuple[Part, ...]

    @property
    def tablets(self) -> int:
        """Count them."""
        return sum(int(part.units) for part in self.parts)


@dataclass(slots=True)
class HeldPack:
    """One pouch or labelled bag; `name` is the machine's or the printer's own id of it, `serial` what a scanner read."""

    kind: str
    name: str
    serial: str
    place: str
    lane: str = ""
    department: str = ""
    job: str = ""
    parts: tuple[Part, ...] = ()
    broken: int = 0
    opened: bool = False

    def identity(self) -> dict[str, str]:
        """Give the member that names this pack in the truth: `pouch` or `label`."""
        return {self.kind: self.name}

    def content(self) -> Counter[str]:
        """Count the units in it by item."""
        units: Counter[str] = Counter()
        for part in self.parts:
            units[part.item] += part.units  # type: ignore[assignment]
        return units


@dataclass(slots=True)
class _LotOnShelf:
    expires_on: str
    units_of: dict[str, Fraction] = field(default_factory=dict)
    size_of: dict[str, Fraction] = field(default_factory=dict)


class Shelf:
    """Source packs in a store or a ward cupboard: units left in each, found by item and lot, in order of arrival."""

    def __init__(self) -> None:
        self._lots: dict[str, dict[str, _LotOnShelf]] = {}

    def put(self, part: Part, expires_on: str) -> None:
        """Put units of a source pack here, or more of a pack that is here already."""
        lot = self._lots.setdefault(part.item, {}).setdefault(part.lot, _LotOnShelf(expires_on))
        lot.units_of[part.code] = lot.units_of.get(part.code, Fraction(0)) + part.units
        lot.size_of[part.code] = lot.size_of.get(part.code, Fraction(0)) + part.units

    def put_back(self, part: Part) -> bool:
        """Put loose units back into packs of their lot that have room, their own first; False where there is no room."""
        lot = self._lots.get(part.item, {}).get(part.lot)
        if lot is None:
            return False
        rest = part.units
        for code in sorted(lot.size_of, key=lambda code: code != part.code):
            room = lot.size_of[code] - lot.units_of.get(code, Fraction(0))
            if rest and room:
                lot.units_of[code] = lot.units_of.get(code, Fraction(0)) + min(rest, room)
                rest -= min(rest, room)
        return not rest

    def lots(self, item: str) -> list[str]:
        """List the lots of an item of which something is left, the first to expire first."""
        lots = self._lots.get(item, {})
        return sorted((number for number, lot in lots.items() if lot.units_of), key=lambda n: (lots[n].expires_on, n))

    def expires_on(self, item: str, lot: str) -> str:
        """Give the date on the packs of a lot, `YYYY-MM-DD`."""
        return self._lots[item][lot].expires_on

    def units(self, item: str, lot: str) -> Fraction:
        """Count the units left of a lot."""
        found = self._lots.get(item, {}).get(lot)
        return sum(found.units_of.values(), Fraction(0)) if found else Fraction(0)

    def choose(self, item: str, lot: str, units: Fraction) -> tuple[Part, ...]:
        """Choose packs of a lot that hold these units, the earliest first; nothing where they do not hold enough."""
        chosen = tuple(self._from_packs(item, lot, units, whole=False))
        return chosen if sum((part.units for part in chosen), Fraction(0)) == units else ()

    def choose_whole(self, item: str, lot: str, units: int) -> tuple[Part, ...]:
        """Choose whole units of a lot, the earliest pack first; fewer than asked where there are fewer."""
        return tuple(self._from_packs(item, lot, Fraction(units), whole=True))

    def take(self, parts: Iterable[Part]) -> None:
        """Take what was chosen; raises ValueError where a pack does not hold it any more."""
        for part in parts:
            units_of = self._lots[part.item][part.lot].units_of
            left = units_of.get(part.code, Fraction(0)) - part.units
            if left < 0:
                raise ValueError(f"pack {part.code} does not hold {part.units} units")
            units_of[part.code] = left
            if not left:
                del units_of[part.code]

    def count(self) -> dict[str, Any]:
        """Count packs that are not empty and units in them, as exact text."""
        units = [left for lots in list(self._lots.values()) for lot in list(lots.values()) for left in list(lot.units_of.values())]
        return {"packs": len(units), "units": str(sum(units, Fraction(0)))}

    def _from_packs(self, item: str, lot: str, units: Fraction, *, whole: bool) -> Iterator[Part]:
        found = self._lots.get(item, {}).get(lot)
        for code, left in (found.units_of if found else {}).items():
            if units <= 0:
                return
            take = min(units, Fraction(int(left)) if whole else left)
            if take > 0:
                units -= take
                yield Part(code, item, lot, take)


class World:
    """Everything people hold: the store's shelf, ward cupboards, packs by their scanned serial, labels not yet stuck on."""

    def __init__(self) -> None:
        self.store = Shelf()
        self.cupboards: dict[str, Shelf] = {}
        self.packs: dict[str, HeldPack] = {}
        self.unpoured: list[Pouring] = []
        self.unread: list[HeldPack] = []
        self.doubles: list[HeldPack] = []
        self.labels: dict[str, str] = {}
        self.spare_labels: list[str] = []
        self.used_serials: set[str] = set()
        self.looks: dict[tuple[str, str], dict[str, Any]] = {}

    def look(self, item: str, lot: str) -> dict[str, Any]:
        """Give the look of the tablets of a lot, as it was received or as it follows from item and lot."""
        return self.looks.setdefault((item, lot), look_of(item, lot))

    def cupboard(self, department: str) -> Shelf:
        """Give the cupboard of a ward, empty at first."""
        return self.cupboards.setdefault(department, Shelf())

    def hold(self, pack: HeldPack) -> bool:
        """Take a pack into the hand; False where its label could not be read or bears a serial that is here already."""
        if not pack.serial:
            self.unread.append(pack)
            return False
        if pack.serial in self.packs:
            self.doubles.append(pack)
            return False
        self.packs[pack.serial] = pack
        return True

    def let_go(self, pack: HeldPack) -> None:
        """Part with a pack for ever."""
        if self.packs.get(pack.serial) is pack:
            del self.packs[pack.serial]
        self.unread = [other for other in self.unread if other is not pack]

    def lying(self, *places: str) -> list[HeldPack]:
        """List the readable packs in these places."""
        return [pack for pack in self.packs.values() if pack.place in places]

    def count(self) -> dict[str, Any]:
        """Count what is held, by place; made for a reader in another thread."""
        places = Counter(pack.place for pack in list(self.packs.values()))
        return {
            "store": self.store.count(),
            "cupboards": {name: shelf.count() for name, shelf in sorted(self.cupboards.items())},
            "packs": dict(sorted(places.items())),
            "unpoured": len(self.unpoured),
            "unread": len(self.unread),
            "doubles": len(self.doubles),
            "labels": len(self.labels),
            "spare_labels": len(self.spare_labels),
        }
