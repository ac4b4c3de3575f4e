"""Names that may be taken for each other: the pairs of the directory, and a pharmacist's decision of one."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.look_alikes import PairDecision, PairRuling, pair_board, rule_pair
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import Code, Write
from hub.web.context import Hub, allowed
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["pharmacy"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Pharmacist = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]


class PairBody(Write):
    """What is decided of a pair of names, with the reason."""

    first: Code
    second: Code
    decision: Literal["confirm", "dismiss"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/look-alikes")
async def look_alikes(hub: Hub, _: Reader) -> list[dict[str, Any]]:
    """Return the pairs of names that may be taken for each other, with score, reasons, spelling, drugs and neighbouring slots."""
    return await hub.decisions.read(pair_board)


@router.post("/look-alikes")
async def rule(body: PairBody, hub: Hub, user: Pharmacist) -> Response:
    """Confirm a pair (one look-alike group) or dismiss it (not flagged any more)."""
    ruling = PairRuling(body.first, body.second, PairDecision(body.decision), body.reason)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        ruled = rule_pair(unit, ruling)
        return ruled if isinstance(ruled, Refusal) else {"drugs": ruled}

    return await once(hub, user, body, decide)
