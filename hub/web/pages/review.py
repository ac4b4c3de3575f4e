"""The page Review: lines that wait for a pharmacist, the most urgent first, each with what is needed to decide about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.orders import Outcome
from hub.domain.people import Action, User
from hub.domain.state_words import state_ru
from hub.services.lines_in_review import review_board, review_statistics
from hub.services.ports import UnitOfWork
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.review_words import review_words, ruling_kinds

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
MOST_SHOWN = 100
DAYS = 31


async def _read(hub: HubContext, department: str, language: str) -> dict[str, Any]:
    def read(unit: UnitOfWork) -> dict[str, Any]:
        return {"board": review_board(unit, hub.house, department, MOST_SHOWN), "counted": review_statistics(unit, hub.house, DAYS)}

    outcomes = {outcome.value: state_ru(outcome) if language == "ru" else outcome.value.replace("-", " ") for outcome in Outcome}
    return {**await hub.decisions.read(read), "language": language, "say": review_words(language), "kinds": ruling_kinds(language), "outcomes": outcomes}


@router.get("/review")
async def review(request: Request, hub: Hub, user: Reader, department: str = "") -> HTMLResponse:
    """Show what waits; those who decide about lines also see what they can do."""
    return page(request, user, "review.html", **await _read(hub, department, language_of(request, hub.house.language)))


@router.get("/review/board")
async def board(request: Request, hub: Hub, user: Reader, department: str = "") -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "review_board.html", **await _read(hub, department, language_of(request, hub.house.language)))
