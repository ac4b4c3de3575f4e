"""The words of the sources that nobody here understands yet, and a pharmacist's answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.codes import Answer, code_board, decide_code
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import DecideCode
from hub.web.context import Hub, allowed
from hub.web.once import once

router = APIRouter(prefix="/api/codes", tags=["intake"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Decider = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]


@router.get("")
async def codes(hub: Hub, _: Reader) -> dict[str, Any]:
    """Return the words that wait for an answer, those with the most waiting lines first, and the answers so far."""
    return await hub.decisions.read(lambda unit: code_board(unit, hub.house, hub.suggest_drugs))


@router.post("/decide")
async def decide(body: DecideCode, hub: Hub, user: Decider) -> Response:
    """Say what a word of a source means, or say it anew: it is remembered, and its lines are judged again at once."""
    answer = Answer(body.source, body.kind, body.code, body.meaning, user.id)

    def decided(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        result = decide_code(unit, hub.house, answer)
        if isinstance(result, Refusal):
            return result
        return {"meaning": result.entry.meaning, "lines": result.lines, "waiting": result.waiting, "planned": result.planned}

    return await once(hub, user, body, decided)
