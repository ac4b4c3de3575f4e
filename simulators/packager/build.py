"""How the machine was built, and the words for what it does and why it stands still."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from simulators.packager.faults import Plant


class State(IntEnum):
    """What STATUS tells of the machine."""

    IDLE, RUNNING, AT_CAMERA, STOPPED, DOUBT, LOCKED, SAFE_MODE = range(7)


class Reason(IntEnum):
    """Why the machine waits for a person."""

    NONE, NO_VERDICT, FILM_OUT, DOOR_OPEN, JAM, REJECT_FULL, RIBBON_OUT, GATE_STUCK = range(8)


TROUBLES = {"jam": Reason.JAM, "ribbon-out": Reason.RIBBON_OUT, "gate-stuck": Reason.GATE_STUCK}
"""What can befall the mechanics until a person has put it right, as the control port names it."""


class Phase(Enum):
    """The motion under way."""

    REST, FALLING, COUNTING, CUTTING, SHOWING, WAITING, LEAVING = range(7)


@dataclass(frozen=True)
class Motions:
    """How long each motion takes, in seconds of simulated time."""

    fall_s: float = 0.08
    count_s: float = 0.06
    cut_s: float = 0.25
    leave_s: float = 0.15


INSTANT = Motions(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Build:
    """How this machine was built and what is wrong with it."""

    seed: int = 0
    mild_faults: bool = False
    plant: Plant = Plant.NONE
    motions: Motions = field(default_factory=Motions)
    cassette_slots: int = 250
    label_width: int = 640
    reject_room: int = 1000
