"""Why is it so? One sentence about a line, dose, lane, pack or refusal, with its rule, source and what it rests on."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request

from hub.domain.people import Action, User, may
from hub.domain.refusals import Refusal
from hub.services.why import WhyKind, why, why_facts
from hub.web.context import Hub, HubContext, current_user, not_allowed, refuse
from hub.web.language import language_of

router = APIRouter(prefix="/api", tags=["why"])
# Whoever may see a thing may ask why it is so; patients are told by code alone.
RIGHTS: Mapping[WhyKind, tuple[Action, ...]] = {
    WhyKind.LINE: (Action.READ_LINE,),
    WhyKind.DOSE: (Action.READ_LINE, Action.READ_WARD),
    WhyKind.LANE: (Action.READ_LINE, Action.READ_WARD),
    WhyKind.PACK: (Action.READ_LINE, Action.READ_WARD),
    WhyKind.REFUSAL: (Action.READ_LINE, Action.READ_WARD),
}


def may_ask(user: User, kind: WhyKind) -> bool:
    """Tell whether a person may ask about things of a kind."""
    return any(may(user.role, action) for action in RIGHTS[kind])


async def asker(request: Request, kind: WhyKind) -> User:
    """Return who asks; 401 where nobody is signed in, 403 where the role may not see things of that kind."""
    user = await current_user(request)
    if not may_ask(user, kind):
        raise not_allowed(user, RIGHTS[kind][0])
    return user


async def answer_to(hub: HubContext, kind: WhyKind, id: str, language: str) -> dict[str, Any]:
    """Return the answer as JSON; 404 where nothing of that id is known."""
    found = await hub.decisions.read(lambda unit: why(unit, hub.house, kind, id))
    if isinstance(found, Refusal):
        raise refuse(404, found)
    return why_facts(found, language)


@router.get("/why/{kind}/{id:path}")
async def asked(
    kind: WhyKind, id: str, request: Request, hub: Hub, language: Literal["ru", "en", ""] = ""
) -> dict[str, Any]:
    """Tell why; `said` is in the language that is asked for, else the person's own, both stand beside each other."""
    await asker(request, kind)
    return await answer_to(hub, kind, id, language or language_of(request, hub.house.language))
