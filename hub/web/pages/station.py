"""The review station's page, one case at a time, and the page of what machine and people miss."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.commands import CARDS, REASONS
from hub.domain.people import Action, User, may
from hub.domain.refusals import Refusal
from hub.services.review_station import queue_view, shown_case
from hub.services.station_figures import looking_view, misses_view
from hub.web.api.station import station_of
from hub.web.context import Hub, HubContext, allowed, refuse
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.station_words import station_words

router = APIRouter()
Reviewer = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
MissesReader = Annotated[User, Depends(allowed(Action.READ_MISSES))]
NOT_SHOWN = Refusal("look-again", "This pouch is not shown to you any more.", "Этот пакет вам больше не показан.")


def _words(request: Request, hub: HubContext) -> dict[str, Any]:
    spoken = language_of(request, hub.house.language)
    said = station_words(spoken)
    return {"language": spoken, "say": said, "spoken_by_script": json.dumps({key.removeprefix("say_"): text for key, text in said.items() if key.startswith("say_")})}


@router.get("/station")
async def station(request: Request, hub: Hub, user: Reviewer) -> HTMLResponse:
    """Show the station; what is shown in it is asked for by its script, so that opening the page starts no clock."""
    words = _words(request, hub)
    spoken = words["language"]
    cards = json.dumps({card.code: [card.command.value, card.reason] for card in CARDS})
    reasons = [(key, said.said(spoken)) for key, said in REASONS.items()]
    queue = await hub.decisions.read(lambda unit: queue_view(unit, station_of(hub, user)))
    return page(request, user, "station.html", **words, cards=cards, reasons=reasons, queue=queue)


@router.get("/station/queue")
async def queue(request: Request, hub: Hub, user: Reviewer) -> HTMLResponse:
    """Return how many wait, alone."""
    queue = await hub.decisions.read(lambda unit: queue_view(unit, station_of(hub, user)))
    return page(request, user, "station_queue.html", **_words(request, hub), queue=queue)


@router.get("/station/case")
async def case(case: str, request: Request, hub: Hub, user: Reviewer) -> HTMLResponse:
    """Return the case that was shown to this person, alone."""
    shown = await hub.decisions.read(lambda unit: shown_case(unit, station_of(hub, user), case))
    if shown is None:
        raise refuse(409, NOT_SHOWN)
    return page(request, user, "station_case.html", **_words(request, hub), case=shown)


@router.get("/misses")
async def misses(request: Request, hub: Hub, user: MissesReader) -> HTMLResponse:
    """Show what machine and people miss; how long each person looks only to the head."""
    seen = {**await hub.decisions.read(misses_view), "left_out": hub.trials_left_out()}
    looking = await hub.decisions.read(looking_view) if may(user.role, Action.READ_LOOKING) else None
    return page(request, user, "station_misses.html", **_words(request, hub), misses=seen, looking=looking)
