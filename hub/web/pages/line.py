"""The board of the packing line and what waits for people there."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User, may
from hub.domain.recorded_words import in_russian
from hub.services.doubt_view import doubt_board
from hub.services.feeds import open_alarms
from hub.services.lines_in_review import waiting_count
from hub.services.ports import UnitOfWork
from hub.services.views import bench_board, line_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.doubt_words import doubt_script_words, doubt_words, refused_answer
from hub.web.pages.line_words import (
    decisions_in,
    device_state,
    line_script_words,
    line_words,
    named,
    question_kind,
    reject_reasons,
)
from hub.web.pages.rendering import page
from hub.web.pages.spoken import slot_names

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]


async def _read(request: Request, hub: HubContext, user: User) -> dict[str, Any]:
    packs, language = may(user.role, Action.PACK), language_of(request, hub.house.language)

    def read(unit: UnitOfWork) -> dict[str, Any]:
        shown = {"board": line_board(unit, hub.house), "doubts": doubt_board(unit), "alarms": open_alarms(unit), "in_review": waiting_count(unit)}
        return {**shown, "bench": bench_board(unit) if packs else None}

    return {**_words(hub, language), **await hub.decisions.read(read)}


def _words(hub: HubContext, language: str) -> dict[str, Any]:
    return {
        "language": language, "say": line_words(language), "said": line_script_words(language), "doubt_say": doubt_words(language), "doubt_said": doubt_script_words(language),
        "decisions": decisions_in(language), "reject_reasons": reject_reasons(language), "slots": slot_names(hub.house.slots, language),
        "device_state": partial(device_state, language=language), "named": partial(named, language=language), "refused_answer": partial(refused_answer, language=language), "question": partial(question_kind, language=language), "recorded": in_russian if language == "ru" else str,
    }  # fmt: skip


@router.get("/line")
async def line(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show the line; those who pack there also see, by scan field and cards, what waits for them."""
    return page(request, user, "line.html", **await _read(request, hub, user))


@router.get("/line/board")
async def board(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "line_board.html", **await _read(request, hub, user))
