"""Seven patients with a dose each at one place on its way, and the seven kinds of change, one a patient."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from hub.domain.identifiers import PatientId
from hub.domain.late_changes import ChangeKind, Position
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, SheetChange, Stay
from hub.services.administer import BedsideScan, give
from hub.services.machine_events import send_next
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_sheet
from tests.services.small_world import NURSE, PACKAGER, World, order_line

KINDS = tuple(ChangeKind)
NUMBER = {kind: number for number, kind in enumerate(KINDS, start=1)}
PEOPLE = tuple(Patient(PatientId(f"p{n}"), f"W-{n}", f"Family{n}", "Name", date(1960, 1, n), ()) for n in range(1, 8))
BEDS = tuple(Stay(patient.id, f"e-{patient.id}", "Therapy", str(10 + n), "1") for n, patient in enumerate(PEOPLE, start=1))


def line_of(kind: ChangeKind, **changes: Any) -> OrderLine:
    return order_line(f"o-{kind.value}", NUMBER[kind], **changes)


def brought_to(world: World, position: Position) -> None:
    """Take one morning dose of each of the seven patients to a place on its way."""
    sheet = OrderSheet("hospital", "sheet", world.fresh("sha"), PEOPLE, BEDS, tuple(map(line_of, KINDS)))
    world.do(lambda unit: receive_sheet(unit, sheet, world.house))
    steps: tuple[tuple[Position, Callable[[], object]], ...] = (
        (Position.FROZEN, lambda: world.at("06:15")),
        (Position.SENT, lambda: sent(world)),
        (Position.PACKED, lambda: [world.machine.run(job) for job in world.all("jobs")]),
        (Position.ON_TROLLEY, lambda: [world.load(pack) for pack in world.all("packs")]),
        (Position.ON_WARD, lambda: to_ward(world)),
        (Position.GIVEN, lambda: given(world)),
    )
    places = list(Position)
    for place, step in steps:
        if places.index(place) <= places.index(position):
            step()


def sent(world: World) -> None:
    world.do(lambda unit: send_next(unit, PACKAGER, len(KINDS)))
    for job in world.all("jobs"):
        world.machine.say("accepted", job.id)


def to_ward(world: World) -> None:
    (trolley,) = world.all("trolleys")
    for step in (world.seal, world.dispatch, world.receive):
        step(trolley.id)


def given(world: World) -> None:
    world.at("08:00")
    for pack in world.all("packs"):
        code = f"W-{pack.patient.removeprefix('p')}"
        world.do(lambda unit, pack=pack, code=code: give(unit, BedsideScan(code, pack.serial), world.house), NURSE)


def change_of(world: World, kind: ChangeKind) -> SheetChange:
    """Return the change that lands on the patient of a kind, now."""
    line, patient = line_of(kind), PEOPLE[NUMBER[kind] - 1]
    stay = BEDS[NUMBER[kind] - 1]
    made: dict[ChangeKind, dict[str, Any]] = {
        ChangeKind.STOP: {"line": replace(line, status=OrderStatus.STOPPED)},
        ChangeKind.DOSE_CHANGE: {"line": line_of(kind, units=2)},
        ChangeKind.HOLD: {"line": replace(line, status=OrderStatus.ON_HOLD)},
        ChangeKind.ALLERGY: {"patient": replace(patient, allergies=("metformin",))},
        ChangeKind.TRANSFER: {"stay": replace(stay, department="Surgery", room="5")},
        ChangeKind.DISCHARGE: {"stay": replace(stay, finished_at=world.now)},
        ChangeKind.DEATH: {"stay": replace(stay, finished_at=world.now, died=True)},
    }
    return SheetChange(world.now, **made[kind])


def told(world: World, *changes: SheetChange, sha: str = "") -> Any:
    """Send changes as one file of the feed."""
    sheet = OrderSheet("hospital", world.fresh("changes"), sha or world.fresh("sha"), changes=changes)
    return world.do(lambda unit: receive_changes(unit, sheet, world.house))

