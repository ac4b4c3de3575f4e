"""The device console: what each device last said, what waits for it, what it told; read only."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.views import LedgerQuestion, device_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.pages.rendering import page
from hub.web.pages.wording import told

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]


async def _read(hub: HubContext) -> dict[str, Any]:
    devices = await hub.decisions.read(device_board)
    for device in devices:
        found = await hub.read_ledger(LedgerQuestion(limit=12, actor=f"device:{device['device']}"))
        device["entries"] = [told(entry, {}) for entry in found.entries]
    return {"devices": devices}


@router.get("/devices")
async def devices(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show every device."""
    return page(request, user, "devices.html", **await _read(hub))


@router.get("/devices/board")
async def board(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "devices_board.html", **await _read(hub))
