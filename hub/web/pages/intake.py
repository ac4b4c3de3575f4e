"""The page Intake: who sent what and when, alarms, and a file that is looked at before it counts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from hub.domain.orders import Outcome
from hub.domain.people import Action, User
from hub.services.feeds import HELD, feed_board, held_digest
from hub.services.lines_in_review import waiting_count
from hub.web.api.feeds import look_at_held
from hub.web.api.intake import Kind, body_of, look_at
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.intake_words import KINDS, words_of
from hub.web.pages.rendering import page

router = APIRouter()
Receiver = Annotated[User, Depends(allowed(Action.RECEIVE_SHEETS))]
LINES_SHOWN = 300


def _spoken(request: Request, hub: HubContext) -> dict[str, Any]:
    """Return the words of the page in the language that was asked for or chosen, else the house's."""
    spoken = language_of(request, hub.house.language)
    return {"language": spoken, "say": words_of(spoken)}


async def _read(hub: HubContext) -> dict[str, Any]:
    sources, in_review = await hub.decisions.read(lambda unit: (feed_board(unit, hub.house), waiting_count(unit)))
    alarms = sorted((alarm for row in sources for alarm in row["alarms"]), key=lambda alarm: alarm.opened_at)
    return {"sources": sources, "in_review": in_review, "alarms": alarms, "held": HELD, "held_digest": held_digest}


@router.get("/intake")
async def intake(request: Request, hub: Hub, user: Receiver) -> HTMLResponse:
    """Show the sources, what is wrong with them, and the place for a file."""
    return page(request, user, "intake.html", kinds=KINDS, **await _read(hub), **_spoken(request, hub))


@router.get("/intake/board")
async def board(request: Request, hub: Hub, user: Receiver) -> HTMLResponse:
    """Return sources and alarms alone."""
    return page(request, user, "intake_board.html", **await _read(hub), **_spoken(request, hub))


@router.post("/intake/look")
async def look(
    kind: Kind, source: str, name: str, request: Request, hub: Hub, user: Receiver
) -> Response:
    """Return what taking a file in would do, for a person; nothing is written. A refusal is JSON, as that of the API."""
    try:
        told = await look_at(hub, user, kind, source, name, await body_of(request))
    except HTTPException as refused:
        return JSONResponse(refused.detail, refused.status_code)
    return page(request, user, "intake_preview.html", **_shown(told), source=source, sheet="", **_spoken(request, hub))


@router.get("/intake/held/{sheet}")
async def held(sheet: str, request: Request, hub: Hub, user: Receiver) -> Response:
    """Return what taking a held sheet in would do, or the refusal as JSON."""
    try:
        told = await look_at_held(hub, user, sheet)
    except HTTPException as refused:
        return JSONResponse(refused.detail, refused.status_code)
    return page(request, user, "intake_preview.html", **_shown(told), source="", sheet=sheet, **_spoken(request, hub))


def _shown(told: dict[str, Any]) -> dict[str, Any]:
    """Return a preview with the lines that are not scheduled first, each list cut at what a person can look through."""
    others = [line for line in told["lines"] if line["outcome"] != Outcome.SCHEDULED]
    scheduled = [line for line in told["lines"] if line["outcome"] == Outcome.SCHEDULED]
    counted = {"orders": len(told["lines"]), "outcomes": _outcomes(told["lines"])}
    return {"told": {**told, **counted}, "others": others, "scheduled": scheduled, "most": LINES_SHOWN}


def _outcomes(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {outcome.value: count for outcome in Outcome if (count := sum(line["outcome"] == outcome for line in lines))}
