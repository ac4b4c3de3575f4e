"""Trolleys: choose one, load it by scan, seal it, send it, receive it."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.domain.recorded_words import in_russian
from hub.domain.refusals import Refusal
from hub.services.pull_lists import pull_lists
from hub.services.views import trolley_board, trolley_list
from hub.web.context import Hub, HubContext, allowed, refuse
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import slot_names
from hub.web.pages.trolley_words import trolley_script_words, trolley_state, trolley_words

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_WARD))]


async def _board(hub: HubContext, trolley_id: str) -> dict[str, Any]:
    board = await hub.decisions.read(lambda unit: trolley_board(unit, trolley_id))
    if board is None:
        raise refuse(404, Refusal("unknown", "There is no such trolley.", "Такой тележки нет."))
    return board


@router.get("/trolley")
async def trolleys(request: Request, hub: Hub, user: Reader, id: str = "") -> HTMLResponse:
    """Show the open trolleys, or the one that is named."""
    words = _words(hub, language_of(request, hub.house.language))
    if id:
        return page(request, user, "trolley.html", trolley=await _board(hub, id), **words)
    return page(request, user, "trolleys.html", trolleys=await hub.decisions.read(trolley_list), **words)


@router.get("/trolley/board")
async def board(request: Request, hub: Hub, user: Reader, id: str = "") -> HTMLResponse:
    """Return the live part of a page alone: of one trolley, or of the list."""
    words = _words(hub, language_of(request, hub.house.language))
    if id:
        return page(request, user, "trolley_board.html", trolley=await _board(hub, id), **words)
    return page(request, user, "trolleys_board.html", trolleys=await hub.decisions.read(trolley_list), **words)


@router.get("/trolley/pull")
async def pull(request: Request, hub: Hub, user: Reader, id: str = "") -> HTMLResponse:
    """Show what must come out of the trolleys, drawer by drawer; made to be printed."""
    lists = await hub.decisions.read(lambda unit: pull_lists(unit, id))
    return page(request, user, "pull_list.html", lists=lists, **_words(hub, language_of(request, hub.house.language)))


def _words(hub: HubContext, language: str) -> dict[str, Any]:
    """Return what the pages of trolleys say in `ru` or `en`; `slot`, `state` and `recorded` word what is shown."""
    slots = slot_names(hub.house.slots, language)
    return {
        "language": language, "say": trolley_words(language), "said": trolley_script_words(language),
        "slot": lambda name: slots.get(name, name), "state": partial(trolley_state, language=language), "recorded": in_russian if language == "ru" else str,
    }  # fmt: skip
