"""What pages ask of the camera while it runs: its state, its picture, what is measured of it, and its lights."""

from dataclasses import dataclass
from typing import Any, Protocol

from hub.domain.camera_set_up import CameraFigures, CameraSetUp, what_to_move
from hub.domain.identifiers import DeviceId, UserId
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.maintenance import accept_set_up, open_tickets
from hub.services.ports import UnitOfWork

CAMERA = DeviceId("camera-1")
NO_CAMERA = Refusal("no-camera", "This hub was started without a camera: name it with --camera.", "Программа запущена без камеры: укажите её ключом --camera.")


@dataclass(frozen=True, slots=True)
class CameraNow:
    """State of the stream as its name, what is wrong (empty: nothing), counters, whether lights are switched, and which burn."""

    state: str
    trouble: Words
    frames: int = 0
    bad_frames: int = 0
    connections: int = 0
    has_lights: bool = False
    light: str = "both"

    @property
    def light_number(self) -> int:
        """Return the number of the one light that burns, 0 where it is not one."""
        return {"first": 1, "second": 2}.get(self.light, 0) if self.has_lights else 0


class CameraAtHand(Protocol):
    """The running camera; every call may take as long as a picture takes to be measured."""

    def now(self) -> CameraNow:
        """Say how camera and lights are."""

    def picture(self) -> bytes | None:
        """Return the newest frame as JPEG, or None where there is none that is new."""

    def measured(self) -> CameraFigures | Refusal:
        """Measure the newest frame by the label that lies there."""

    def show_light(self, name: str) -> Refusal | None:
        """Switch to `first`, `second`, `both` or `off` until the next pouch comes."""


class NoCamera:
    """A hub without a camera."""

    def now(self) -> CameraNow:
        """Say that there is none."""
        return CameraNow("unknown", Words(NO_CAMERA.text, NO_CAMERA.text_ru))

    def picture(self) -> bytes | None:
        """Return none."""
        return None

    def measured(self) -> CameraFigures | Refusal:
        """Refuse."""
        return NO_CAMERA

    def show_light(self, name: str) -> Refusal | None:
        """Refuse."""
        return NO_CAMERA


def accept_if_right(unit: UnitOfWork, figures: CameraFigures, height_mm: int, light: int, by: UserId) -> CameraSetUp | Refusal:
    """Keep figures as an accepted set-up, or refuse with all that is still to be moved."""
    moves = what_to_move(figures, height_mm, light)
    if moves:
        return Refusal("set-up-not-right", " ".join(move.en for move in moves), " ".join(move.ru for move in moves))
    return accept_set_up(unit, CAMERA, figures, by)


def set_up_board(unit: UnitOfWork) -> dict[str, Any]:
    """Return the accepted set-up with its person's name, the open tickets, and how each printer prints."""
    set_up = unit.camera_set_ups.get(CAMERA)
    person = unit.users.get(set_up.accepted_by) if set_up is not None else None
    return {
        "accepted": set_up, "accepted_by": person.name if person is not None else "", "tickets": open_tickets(unit),
        "printers": unit.print_qualities.where(order_by="device"),
    }  # fmt: skip
