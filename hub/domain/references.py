"""Reference looks of tablets, learned from the first verified packs of a lot and confirmed once by a pharmacist.

learning → waiting → confirmed or rejected; what waits goes back to learning when a pack that taught it is withdrawn; a confirmed one is retired when another look comes, or by a person. What was rejected or
retired may be learned anew.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median

from hub.domain.identifiers import DrugCode, LotId, PackSerial, UserId

PACKS_TO_LEARN = 5
"""First packs of a lot that a look is learned from: more make it surer, and later."""
MOST_OF_A_PACK = 4
MOST_UNPROVEN = 20
Rgb = tuple[int, int, int]
_MAKER = re.compile(r"\d{14}", re.ASCII)


class ReferenceState(StrEnum):
    """State of a reference look."""

    LEARNING = "learning"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETIRED = "retired"


class ReferenceDeed(StrEnum):
    """What a pharmacist does with a reference."""

    CONFIRM = "confirm"
    REJECT = "reject"
    RETIRE = "retire"
    ANEW = "anew"


DEEDS: Mapping[ReferenceState, tuple[ReferenceDeed, ...]] = {
    ReferenceState.LEARNING: (ReferenceDeed.ANEW,),
    ReferenceState.WAITING: (ReferenceDeed.CONFIRM, ReferenceDeed.REJECT),
    ReferenceState.CONFIRMED: (ReferenceDeed.RETIRE,),
    ReferenceState.REJECTED: (ReferenceDeed.ANEW,),
    ReferenceState.RETIRED: (ReferenceDeed.ANEW,),
}
"""What may be done in each state."""
STATE_AFTER: Mapping[ReferenceDeed, ReferenceState] = {
    ReferenceDeed.CONFIRM: ReferenceState.CONFIRMED, ReferenceDeed.REJECT: ReferenceState.REJECTED,
    ReferenceDeed.RETIRE: ReferenceState.RETIRED, ReferenceDeed.ANEW: ReferenceState.LEARNING,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeasuredLook:
    """A tablet as it was measured: sides in µm, area of the outline over its box in 1/1000, colours (red, green, blue) of its ends."""

    length_um: int
    width_um: int
    fill_permille: int
    first: Rgb
    second: Rgb


@dataclass(frozen=True, slots=True)
class Sighting:
    """A whole tablet that lay apart in a pouch, of a lot that learns: its look and the digest of its picture.

    `like`: the lot with a confirmed look of the same item that it fits, if there is one.
    """

    lot: LotId
    look: MeasuredLook
    crop: str
    like: LotId | None = None


@dataclass(frozen=True, slots=True)
class TabletSample:
    """A sighting kept for learning; `proven` once its pack passed, or a person accepted it."""

    pack: PackSerial
    look: MeasuredLook
    crop: str
    like: LotId | None
    proven: bool


@dataclass(frozen=True, slots=True)
class TabletReference:
    """The reference look of one lot; `took_over`: the lot of the same maker whose confirmed look it has."""

    lot: LotId
    item: DrugCode
    state: ReferenceState = ReferenceState.LEARNING
    samples: tuple[TabletSample, ...] = ()
    look: MeasuredLook | None = None
    took_over: LotId | None = None
    decided_by: UserId | None = None
    decided_at: datetime | None = None
    reason: str = ""

    @property
    def packs(self) -> int:
        """How many proven packs it was learned from."""
        return len({sample.pack for sample in self.samples if sample.proven})

    @property
    def crops(self) -> tuple[str, ...]:
        """The digests of the proven pictures, each once."""
        return tuple(dict.fromkeys(sample.crop for sample in self.samples if sample.proven and sample.crop))

    @property
    def shown(self) -> str:
        """What names the look and the pictures that a person rules on: SHA-256 of both."""
        return hashlib.sha256(f"{self.look} {' '.join(self.crops)}".encode()).hexdigest()

    @property
    def like(self) -> LotId | None:
        """The lot whose confirmed look every proven tablet fits, or None."""
        likes = {sample.like for sample in self.samples if sample.proven}
        return next(iter(likes)) if len(likes) == 1 else None


def with_sightings(reference: TabletReference, pack: PackSerial, seen: Iterable[Sighting], *, proven: bool) -> TabletReference:
    """Return a learning reference with the sightings of one more pack; a pack counts once, and what is not proven has a limit: the oldest goes."""
    if reference.state is not ReferenceState.LEARNING or any(sample.pack == pack for sample in reference.samples):
        return reference
    new = [TabletSample(pack, one.look, one.crop, one.like, proven) for one in seen if one.lot == reference.lot][:MOST_OF_A_PACK]
    kept = list(reference.samples)
    for oldest in [sample for sample in kept if not sample.proven][: _too_many(kept, 0 if proven else len(new))]:
        kept.remove(oldest)
    return replace(reference, samples=(*kept, *new))


def _too_many(samples: Sequence[TabletSample], more: int) -> int:
    """Return how many unproven samples have to go before so many more come: the oldest, whose packs nobody has decided about."""
    return max(0, sum(not sample.proven for sample in samples) + more - MOST_UNPROVEN)


def forgotten_pack(reference: TabletReference, pack: PackSerial) -> TabletReference:
    """Return a reference without what a pack taught that does not count any more; one that waits for a pharmacist learns on.

    A confirmed look stands: a person has seen it.
    """
    kept = tuple(sample for sample in reference.samples if sample.pack != pack)
    if reference.state not in (ReferenceState.LEARNING, ReferenceState.WAITING) or kept == reference.samples:
        return reference
    return replace(reference, samples=kept, look=None, state=ReferenceState.LEARNING)


def decided_pack(reference: TabletReference, pack: PackSerial, *, accepted: bool) -> TabletReference:
    """Return a reference after a person decided about a pack: its sightings are proven, or dropped."""
    if reference.state is not ReferenceState.LEARNING:
        return reference
    if not accepted:
        return replace(reference, samples=tuple(sample for sample in reference.samples if sample.pack != pack))
    return replace(reference, samples=tuple(replace(sample, proven=True) if sample.pack == pack else sample for sample in reference.samples))


def learned(reference: TabletReference, predecessors: Mapping[LotId, str], maker: str) -> TabletReference:
    """Return a reference as it stands after its newest pack: with enough proven packs it waits, or has taken over.

    `predecessors` are the makers of the item's confirmed lots. It takes over only where both makers are known and the same, and every
    tablet fits; else it is new and waits for a pharmacist.
    """
    if reference.state is not ReferenceState.LEARNING or reference.packs < PACKS_TO_LEARN:
        return reference
    proven = tuple(sample for sample in reference.samples if sample.proven)
    found = replace(reference, samples=proven, look=middle_look([sample.look for sample in proven]), state=ReferenceState.WAITING)
    if found.like is None or not maker or predecessors.get(found.like) != maker:
        return found
    return replace(found, state=ReferenceState.CONFIRMED, took_over=found.like)


def middle_look(looks: Sequence[MeasuredLook]) -> MeasuredLook:
    """Return the medians of sides, fill and of each end's colour."""
    return MeasuredLook(
        round(median(look.length_um for look in looks)), round(median(look.width_um for look in looks)),
        round(median(look.fill_permille for look in looks)),
        _middle_colour([look.first for look in looks]), _middle_colour([look.second for look in looks]),
    )  # fmt: skip


def _middle_colour(colours: Sequence[Rgb]) -> Rgb:
    red, green, blue = (round(median(channel)) for channel in zip(*colours, strict=True))
    return red, green, blue


def maker_of(codes: Iterable[str]) -> str:
    """Return the GTIN that every pack's code of a lot begins with; empty where one has none or they differ."""
    makers = {found[0] if (found := _MAKER.match(code)) else "" for code in codes}
    return next(iter(makers)) if len(makers) == 1 else ""
