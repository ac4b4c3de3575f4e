"""Machines in doubt: what they ask, and a person's answer."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.doubts import Counting
from hub.domain.identifiers import DeviceId, JobId
from hub.domain.packs import PackJob
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.doubt_view import doubt_board
from hub.services.ports import UnitOfWork
from hub.services.resolve_doubt import end_without_machine, resolve_doubt
from hub.web.api.bodies import ResolveBody
from hub.web.context import Hub, HubContext, allowed, second_person
from hub.web.once import once

router = APIRouter(prefix="/api/doubts", tags=["pharmacy"])
Reviewer = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]


@router.get("")
async def doubts(hub: Hub, _: Reviewer) -> list[dict[str, Any]]:
    """Return the machines that wait for a person to count what fell, and whose answers are on their way."""
    return await hub.decisions.read(doubt_board)


@router.post("/resolve")
async def resolve(body: ResolveBody, hub: Hub, user: Reviewer) -> Response:
    """Answer a machine's question: so many fell. The pouch is destroyed in any case."""
    return await _decide(resolve_doubt, body, hub, user)


@router.post("/end")
async def end(body: ResolveBody, hub: Hub, user: Reviewer) -> Response:
    """End a doubt that its machine no longer knows of: two people counted. The pouch is destroyed in any case."""
    return await _decide(end_without_machine, body, hub, user)


async def _decide(deed: Callable[[UnitOfWork, Counting], PackJob | Refusal], body: ResolveBody, hub: HubContext, user: User) -> Response:
    second = await second_person(hub, body.second_badge, body.second_pin, user, Action.DECIDE_REVIEWS)
    told = Counting(
        DeviceId(body.device), JobId(body.job), body.boot, body.asked_event, body.counted, body.reason, user.id, second
    )

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        decided = deed(unit, told)
        return decided if isinstance(decided, Refusal) else {"told": decided.device, "counted": body.counted}

    return await once(hub, user, body, decide)
