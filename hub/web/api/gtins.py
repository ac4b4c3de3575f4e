"""What the numbers of makers' packs mean here, and what a scan of a pack says before it is received."""

from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.identifiers import DrugCode
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.gtins import gtin_board, tell_gtin
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import GtinBody
from hub.web.context import Hub, allowed
from hub.web.once import once

router = APIRouter(prefix="/api/gtins", tags=["pharmacy"])
Stockman = Annotated[User, Depends(allowed(Action.RECEIVE_STOCK))]
Decider = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]


@router.get("")
async def gtins(hub: Hub, _: Stockman) -> list[dict[str, Any]]:
    """Return what every known number means."""
    return await hub.decisions.read(gtin_board)


@router.post("")
async def tell(body: GtinBody, hub: Hub, user: Decider) -> Response:
    """Say which drug a number is and how much a pack of it holds."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        told = tell_gtin(unit, body.gtin, DrugCode(body.item), Fraction(body.units), user.id)
        return told if isinstance(told, Refusal) else {"gtin": told.gtin, "item": told.item}

    return await once(hub, user, body, decide)
