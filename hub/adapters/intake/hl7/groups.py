"""The orders of a message: each ORC with the segments that belong to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.adapters.intake.hl7.er7 import Message, Segment
from hub.domain.words import Words

CONTENT = frozenset({"RXE", "RXO", "RXG"})
_OF_PEOPLE = frozenset({"MSH", "SFT", "UAC", "ARV", "PID", "PD1", "NK1", "PV1", "PV2", "IN1", "IN2", "IN3", "GT1", "AL1", "IAM", "EVN", "MSA", "ERR"})


@dataclass(slots=True)
class Group:
    """One ORC and what follows it; `timings` are the TQ1 behind the ORC or RXO, `own_timings` those behind RXE or RXG."""

    common: Segment | None = None
    encoded: Segment | None = None
    requested: Segment | None = None
    give: Segment | None = None
    timings: list[Segment] = field(default_factory=list)
    own_timings: list[Segment] = field(default_factory=list)
    routes: list[Segment] = field(default_factory=list)
    components: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    odd: list[Words] = field(default_factory=list)

    @property
    def content(self) -> Segment | None:
        """Return the segment that says what is to be given: RXG, else RXE, else RXO."""
        return self.give or self.encoded or self.requested

    def begins_anew(self, name: str) -> bool:
        """Tell whether a segment of that name cannot belong to this order any more."""
        told = {"ORC": self.common, "RXE": self.encoded, "RXG": self.give, "RXO": self.requested}
        if name == "RXO":
            return self.content is not None
        return told.get(name) is not None or (name == "ORC" and self.content is not None)


def groups_of(message: Message) -> list[Group]:
    """Return the orders of a message; an RXE, RXO or RXG without an ORC of its own is one too, under the ORC before it."""
    groups: list[Group] = []
    for segment in message.segments:
        name = segment.name
        if name == "ORC" or name in CONTENT:
            _begin(groups, segment)
        elif groups:
            _add(groups[-1], segment)
    return groups


def _begin(groups: list[Group], segment: Segment) -> None:
    name = segment.name
    if not groups or groups[-1].begins_anew(name):
        earlier = groups[-1].common if groups and name != "ORC" else None
        groups.append(Group(common=segment if name == "ORC" else earlier))
        if name == "ORC":
            return
    group = groups[-1]
    if name == "ORC":
        group.common = segment
    elif name == "RXE":
        group.encoded, group.routes, group.components = segment, [], []
    elif name == "RXG":
        group.give, group.routes, group.components = segment, [], []
    else:
        group.requested = segment


def _add(group: Group, segment: Segment) -> None:
    name = segment.name
    if name == "TQ1":
        (group.own_timings if group.encoded or group.give else group.timings).append(segment)
    elif name == "RXR":
        group.routes.append(segment)
    elif name == "RXC":
        group.components.append(segment)
    elif name == "NTE":
        group.notes.append(segment)
    elif name == "TQ2":
        group.odd.append(Words("TQ2: the order depends on another one", "TQ2: назначение зависит от другого"))
    elif name[0] != "Z" and name not in _OF_PEOPLE and name not in _CARRIES_NO_ORDER:
        group.odd.append(Words(f"a segment {name}", f"сегмент {name}"))


_CARRIES_NO_ORDER = frozenset({"OBX", "DG1", "FT1", "BLG", "CTI", "PRT", "RXD", "CTD", "SPM", "RXV", "CDO", "DSC", "ARV", "OBR", "PRB", "GOL"})


def local_segments(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the names of Z segments, each once."""
    yield from dict.fromkeys(segment.name for segment in segments if segment.name.startswith("Z"))
