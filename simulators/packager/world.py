"""The mechanics of the machine as plain matter: cassettes, film, pouches and bins, changed only by recorded movements.

A movement is a JSON object that says what happened, with every accident already decided; applying the same movements in
the same order gives the same world and the same facts, so a world is brought back from its record after a power loss.
"""

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

FILM_POUCHES = 100_000
REMAINING_LIMIT = 65535

Movement = dict[str, Any]
Fact = dict[str, Any]


class Impossible(Exception):
    """A movement that matter cannot make, such as a second cassette in one slot."""


@dataclass(frozen=True)
class Label:
    """A printed raster: `digest` is its name, `stream` the zlib stream it came in."""

    digest: bytes
    width: int
    height: int
    stream: bytes

    def raster_base64(self) -> str:
        """Give the unpacked raster as base64 text."""
        return base64.b64encode(zlib.decompress(self.stream)).decode()


@dataclass(frozen=True)
class Layer:
    """Tablets of one lot that lie in a cassette; the first layer is the lowest and drops first."""

    item: str
    lot: str
    count: int
    look: dict[str, Any]


@dataclass(frozen=True)
class Cassette:
    """A cassette in its slot; `remaining` is what the machine believes, the layers are what is there."""

    number: int
    remaining: int = 0
    layers: tuple[Layer, ...] = ()

    @property
    def tablets(self) -> int:
        """Count what is really there."""
        return sum(layer.count for layer in self.layers)


@dataclass(frozen=True)
class Tablet:
    """One tablet in a pouch, fallen in `drop` of its job; a hidden one lies under another and no camera sees it."""

    item: str
    lot: str
    look: dict[str, Any]
    drop: int
    broken: bool = False
    hidden: bool = False


@dataclass
class Pouch:
    """One pouch, from its first tablet to the bin; it bears a label once it is cut."""

    id: str
    job: str
    tablets: list[Tablet] = field(default_factory=list)
    label: Label | None = None
    contrast: float = 1.0
    dead_columns: list[int] = field(default_factory=list)

    def scene(self) -> dict[str, Any]:
        """Give what lies in the camera station, as the camera simulator takes it."""
        label = self.printed()
        seen = [{"look": tablet.look, "broken": tablet.broken} for tablet in self.tablets if not tablet.hidden]
        marks = {"contrast": self.contrast, "dead_columns": self.dead_columns}
        return {"pouch": self.id, "width": label.width, "height": label.height, "raster": label.raster_base64(),
                "print": marks, "tablets": seen}

    def in_hand(self) -> dict[str, Any]:
        """Give the pouch as somebody finds it who takes it out of a bin."""
        label = self.printed()
        tablets = [{"item": tablet.item, "lot": tablet.lot, "look": tablet.look, "broken": tablet.broken}
                   for tablet in self.tablets]
        return {"pouch": self.id, "job": self.job, "width": label.width, "height": label.height,
                "raster": label.raster_base64(), "tablets": tablets}

    def fallen_in(self, drop: int) -> list[Tablet]:
        """Give the tablets that fell in one drop of the job, as somebody finds them who opens the pouch."""
        return [tablet for tablet in self.tablets if tablet.drop == drop]

    def printed(self) -> Label:
        """Give the label; only a pouch that is cut has one."""
        if self.label is None:
            raise Impossible(f"pouch {self.id} is not printed yet")
        return self.label


@dataclass
class World:
    """All matter in the machine; `pouch_name` begins the ids of its pouches."""

    pouch_name: str = "pouch"
    cassettes: dict[int, Cassette] = field(default_factory=dict)
    forming: Pouch | None = None
    station: Pouch | None = None
    chute: Pouch | None = None
    output: list[Pouch] = field(default_factory=list)
    reject: list[Pouch] = field(default_factory=list)
    pouches_begun: int = 0
    film: int = FILM_POUCHES
    planted: bool = False
    door_open: bool = False
    trouble: str = ""

    def apply(self, movement: Movement, label: Label | None = None) -> list[Fact]:
        """Make one movement and give the facts that became true; `label` is what the head prints in a "cut"."""
        self.planted = self.planted or bool(movement.get("planted"))
        match movement["op"]:
            case "load":
                self._load(movement)
            case "unload":
                self._unload(movement)
            case "drop":
                return self._drop(movement)
            case "cut":
                return self._cut(movement, label)
            case "leave":
                return self._leave(movement)
            case "take":
                self.bin(movement["bin"]).clear()
            case "film":
                self.film = FILM_POUCHES
            case "door":
                self.door_open = movement["open"]
            case "trouble":
                self.trouble = movement["trouble"]
            case "nothing":
                return []
            case other:
                raise Impossible(f"no movement {other!r}")
        return []

    def check(self, movement: Movement) -> None:
        """Raise Impossible where a cassette cannot be put in ("load") or taken out ("unload") as `movement` says."""
        sitting = self.cassettes.get(movement["slot"])
        if movement["op"] == "unload":
            if sitting is None:
                raise Impossible(f"no cassette in slot {movement['slot']}")
            return
        number = movement["cassette"]
        if sitting is not None and sitting.number != number:
            raise Impossible(f"cassette {sitting.number} sits in slot {movement['slot']}")
        if sitting is None and any(other.number == number for other in self.cassettes.values()):
            raise Impossible(f"cassette {number} sits in another slot")
        if (sitting.remaining if sitting else 0) + movement["count"] > REMAINING_LIMIT:
            raise Impossible(f"no room for {movement['count']} more")

    def count(self, slot: int, counted: int) -> None:
        """Lower what the machine believes is left in a slot; matter is not changed by that."""
        cassette = self.cassettes[slot]
        self.cassettes[slot] = replace(cassette, remaining=max(0, cassette.remaining - counted))

    def bin(self, name: str) -> list[Pouch]:
        """Give the pouches in the "output" or the "reject" bin, oldest first."""
        return {"output": self.output, "reject": self.reject}[name]

    def tablets(self) -> Iterator[tuple[str, str]]:
        """Give (item, lot) of every tablet in the machine, in cassettes and pouches alike."""
        for cassette in self.cassettes.values():
            for layer in cassette.layers:
                yield from [(layer.item, layer.lot)] * layer.count
        under_way = [pouch for pouch in (self.forming, self.station, self.chute) if pouch is not None]
        for pouch in [*under_way, *self.output, *self.reject]:
            yield from ((tablet.item, tablet.lot) for tablet in pouch.tablets)

    def _load(self, movement: Movement) -> None:
        self.check(movement)
        slot, count = movement["slot"], movement["count"]
        cassette = self.cassettes.get(slot, Cassette(movement["cassette"]))
        layer = Layer(movement["item"], movement["lot"], count, movement["look"])
        layers = (*cassette.layers, layer) if count else cassette.layers
        self.cassettes[slot] = Cassette(cassette.number, cassette.remaining + count, layers)

    def _unload(self, movement: Movement) -> None:
        self.check(movement)
        del self.cassettes[movement["slot"]]

    def _drop(self, movement: Movement) -> list[Fact]:
        pouch = self._forming(movement["job"])
        fell = movement["fell"]
        if fell:
            tablets = self._fall(movement["slot"], fell, movement["drop"])
            tablets[0] = replace(tablets[0], broken=movement["broken"])
            tablets[-1] = replace(tablets[-1], hidden=movement["hidden"])
            pouch.tablets.extend(tablets)
            return [{"what": "tablet-dropped", "pouch": pouch.id, "job": pouch.job, "slot": movement["drop"],
                     "item": tablet.item, "lot": tablet.lot, "quantity": "1", **({"broken": True} if tablet.broken else {})}
                    for tablet in tablets]
        return []

    def _fall(self, slot: int, count: int, drop: int) -> list[Tablet]:
        cassette = self.cassettes[slot]
        layers = list(cassette.layers)
        tablets: list[Tablet] = []
        while len(tablets) < count:
            layer = layers[0]
            take = min(layer.count, count - len(tablets))
            tablets += [Tablet(layer.item, layer.lot, layer.look, drop)] * take
            layers[:1] = [replace(layer, count=layer.count - take)] if layer.count > take else []
        self.cassettes[slot] = replace(cassette, layers=tuple(layers))
        return tablets

    def _forming(self, job: str) -> Pouch:
        if self.forming is None:
            self.pouches_begun += 1
            self.forming = Pouch(f"{self.pouch_name}-{self.pouches_begun:06d}", job)
        return self.forming

    def _cut(self, movement: Movement, label: Label | None) -> list[Fact]:
        if self.station is not None or label is None:
            raise Impossible("a pouch lies in the station" if label else "nothing to print")
        pouch = self._forming(movement["job"])
        pouch.label, pouch.contrast, pouch.dead_columns = label, movement["contrast"], movement["dead_columns"]
        self.station, self.forming = pouch, None
        self.film -= 1
        return [{"what": "label-printed", "pouch": pouch.id, "digest": label.digest.hex()},
                {"what": "pouch-cut", "pouch": pouch.id, "job": pouch.job}]

    def _leave(self, movement: Movement) -> list[Fact]:
        pouch, self.station = self.station, None
        if pouch is None:
            raise Impossible("no pouch lies in the station")
        if movement["to"] == "chute":
            self.chute = pouch
            return []
        if movement["to"] == "reject":
            self.reject.append(pouch)
            return [*_left(pouch, "pouch-diverted")]
        earlier, self.chute = self.chute, None
        if earlier is not None:
            earlier.label, pouch.label = pouch.label, earlier.label
            self.output.append(earlier)
        self.output.append(pouch)
        return [fact for each in (earlier, pouch) if each is not None for fact in _left(each, "pouch-released")]


def _left(pouch: Pouch, what: str) -> Iterator[Fact]:
    yield {"what": what, "pouch": pouch.id, "job": pouch.job}
    yield {"what": "pouch-labelled", "pouch": pouch.id, "digest": pouch.printed().digest.hex()}
