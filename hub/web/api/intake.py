"""Sheets, changes and discharge lists come in."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.decided_lines import decided_lines
from hub.services.ports import UnitOfWork
from hub.web.context import Hub, HubContext, allowed

router = APIRouter(prefix="/api/intake", tags=["intake"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Receiver = Annotated[User, Depends(allowed(Action.RECEIVE_SHEETS))]
MOST_BYTES = 64 * 1024 * 1024
Read = Callable[[UnitOfWork, str, str, bytes], "dict[str, Any] | Refusal"]


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise HTTPException(413, {"refused": "too-large", "reason": f"A file may have {MOST_BYTES} bytes at most."})
        chunks.append(chunk)
    return b"".join(chunks)


async def _take(hub: HubContext, user: User, read: Read, source: str, name: str, data: bytes) -> dict[str, Any]:
    result = await hub.decisions.run(user.id, lambda unit: read(unit, source, name, data))
    if isinstance(result, Refusal):
        raise HTTPException(422, {"refused": result.code, "reason": result.text})
    return result


@router.post("/sheet")
async def sheet(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a day's sheet; 422 with file, line and reason where it is refused as a whole."""
    return await _take(hub, user, hub.intake.sheet, source, name, await _body(request))


@router.post("/changes")
async def changes(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in dated changes, in the order of their times."""
    return await _take(hub, user, hub.intake.changes, source, name, await _body(request))


@router.post("/discharges")
async def discharges(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a list of discharged patients."""
    return await _take(hub, user, hub.intake.discharges, source, name, await _body(request))


@router.post("/allergies")
async def allergies(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a source's complete list of allergies, before its sheet."""
    return await _take(hub, user, hub.intake.allergies, source, name, await _body(request))


@router.get("/lines")
async def lines(hub: Hub, _: Reader, outcome: str = "", department: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """Return order lines with outcome, checks and reasons, newest decision first; by outcome and department where asked."""
    return await hub.decisions.read(lambda unit: decided_lines(unit, outcome, department, max(1, min(limit, 1000))))
