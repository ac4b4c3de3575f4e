"""Reference looks of tablets: what is learned, a pharmacist's deed on one, and the pictures it was learned from."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hub.domain.people import Action, User
from hub.domain.references import ReferenceDeed
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork
from hub.services.references import ReferenceRuling, reference_board, rule_reference
from hub.web.api.bodies import Code, Write
from hub.web.context import Hub, allowed, refuse
from hub.web.once import once

router = APIRouter(prefix="/api/references", tags=["pharmacy"])
Reader = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
Pharmacist = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]
NO_PICTURE = Refusal("unknown", "There is no picture of that digest.", "Снимка с таким отпечатком нет.")


class ReferenceBody(Write):
    """What is done with the look of a lot as it was `shown`; a reason is asked for anything but a confirmation."""

    item: Code
    lot: Code
    deed: ReferenceDeed
    shown: Code
    reason: Annotated[str, Field(max_length=500)] = ""


@router.get("")
async def references(hub: Hub, _: Reader) -> list[dict[str, Any]]:
    """Return every reference look with its state, its pictures and what may be done with it; what waits first."""
    return await hub.decisions.read(reference_board)


@router.post("")
async def rule(body: ReferenceBody, hub: Hub, user: Pharmacist) -> Response:
    """Confirm, reject, retire or learn anew the look of a lot."""
    ruling = ReferenceRuling(body.item, body.lot, body.deed, body.reason, user.id, body.shown)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        ruled = rule_reference(unit, ruling)
        return ruled if isinstance(ruled, Refusal) else {"state": ruled.state.value}

    return await once(hub, user, body, decide)


@router.get("/pictures/{digest}")
async def picture(digest: str, hub: Hub, _: Reader) -> Response:
    """Return one picture of a tablet, by its SHA-256."""
    crop = hub.tablet_pictures(digest)
    if crop is None:
        raise refuse(404, NO_PICTURE)
    return Response(crop, media_type="image/jpeg")
