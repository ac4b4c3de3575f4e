"""Trolleys: choose one, load it by scan, seal it, send it, receive it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork
from hub.services.views import trolley_board, trolley_list
from hub.web.context import Hub, HubContext, allowed, refuse
from hub.web.pages.rendering import page

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
    if id:
        return page(request, user, "trolley.html", trolley=await _board(hub, id))

    def read(unit: UnitOfWork) -> list[dict[str, Any]]:
        return trolley_list(unit)

    return page(request, user, "trolleys.html", trolleys=await hub.decisions.read(read))


@router.get("/trolley/board")
async def board(request: Request, hub: Hub, user: Reader, id: str = "") -> HTMLResponse:
    """Return the live part of a page alone: of one trolley, or of the list."""
    if id:
        return page(request, user, "trolley_board.html", trolley=await _board(hub, id))
    return page(request, user, "trolleys_board.html", trolleys=await hub.decisions.read(trolley_list))
