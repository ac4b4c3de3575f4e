"""The ward: the round's list and the bedside."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime

from hub.domain.doses import PlannedDose
from hub.domain.identifiers import DoseId
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.administer import BedsideScan, give, give_from_ward, not_given
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.ward_round import round_of
from hub.web.api.bodies import Give, GiveWard, NotGiven, Write
from hub.web.context import Hub, allowed, hub_of
from hub.web.once import once
from hub.web.scan_route import ScanRoute

router = APIRouter(prefix="/api", tags=["ward"])
scans = APIRouter(prefix="/api/bedside", tags=["ward"], route_class=ScanRoute)
Nurse = Annotated[User, Depends(allowed(Action.ADMINISTER))]
Reader = Annotated[User, Depends(allowed(Action.READ_WARD))]


@router.get("/ward/{department:path}/round")
async def ward_round(department: str, until: AwareDatetime, hub: Hub, _: Reader) -> list[dict[str, Any]]:
    """Return what is open at a ward and due up to `until`, patient by patient."""
    return await hub.decisions.read(lambda unit: round_of(unit, department, until))


@router.get("/wards")
async def wards(hub: Hub, _: Reader) -> list[str]:
    """Return the departments that have patients now."""
    return await hub.decisions.read(
        lambda unit: sorted({stay.department for stay in unit.stays.where(finished_at=None)})
    )


async def _bedside(
    request: Request, user: User, body: Write, name: str, act: Callable[[UnitOfWork, House], tuple[PlannedDose, ...] | Refusal]
) -> Response:
    hub = hub_of(request)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        doses = act(unit, hub.house)
        return doses if isinstance(doses, Refusal) else {name: [dose.id for dose in doses]}

    return await once(hub, user, body, decide)


@scans.post("/give")
async def bedside_give(body: Give, request: Request, user: Nurse) -> Response:
    """Record a pack as given to the patient whose wristband was scanned."""
    scan = BedsideScan(body.patient_code, body.pack_code)
    return await _bedside(request, user, body, "given", lambda unit, house: give(unit, scan, house))


@scans.post("/give-ward")
async def bedside_give_ward(body: GiveWard, request: Request, user: Nurse) -> Response:
    """Record an injection or a ward-stock dose as given."""
    scan = BedsideScan(body.patient_code, dose=DoseId(body.dose), source_code=body.source_code)
    return await _bedside(request, user, body, "given", lambda unit, house: give_from_ward(unit, scan, house))


@scans.post("/not-given")
async def bedside_not_given(body: NotGiven, request: Request, user: Nurse) -> Response:
    """Record that a pack or a ward dose was not given, with the reason."""
    scan = BedsideScan(body.patient_code, body.pack_code, DoseId(body.dose) if body.dose else None)
    return await _bedside(request, user, body, "not_given", lambda unit, _: not_given(unit, scan, body.reason))
