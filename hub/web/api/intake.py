"""Sheets, changes and discharge lists come in."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request

from hub.domain.people import Action, User, may
from hub.domain.refusals import Refusal
from hub.domain.schedule_rules import rules_told
from hub.services.decided_lines import decided_lines
from hub.services.feeds import SUSPICIOUS
from hub.services.ports import UnitOfWork
from hub.services.sheets_again import OLDER
from hub.web.context import Hub, HubContext, allowed

router = APIRouter(prefix="/api/intake", tags=["intake"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Receiver = Annotated[User, Depends(allowed(Action.RECEIVE_SHEETS))]
MOST_BYTES = 64 * 1024 * 1024
Kind = Literal["sheet", "changes", "discharges", "allergies"]
PHARMACIST = Refusal("not-allowed", "Only a pharmacist may confirm a sheet with so few orders.", "Лист, в котором так мало назначений, может подтвердить только провизор.")
Read = Callable[[UnitOfWork, str, str, bytes], "dict[str, Any] | Refusal"]


async def body_of(request: Request) -> bytes:
    """Return the bytes of a request; 413 where they are too many."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            told = Refusal("too-large", f"A file may have {MOST_BYTES} bytes at most.", f"В файле может быть не больше {MOST_BYTES} байт.")
            raise HTTPException(413, told.told())
        chunks.append(chunk)
    return b"".join(chunks)


async def hold_if_stump(hub: HubContext, refused: HTTPException, source: str, name: str, data: bytes) -> None:
    """Keep a sheet with suspiciously few orders, or one that a newer one has overtaken, for a pharmacist, as the feeds do."""
    if isinstance(refused.detail, dict) and refused.detail["refused"] in (SUSPICIOUS, OLDER):
        await asyncio.to_thread(hub.feeds.take, source, name, data)


async def _take(hub: HubContext, user: User, read: Read, source: str, name: str, data: bytes) -> dict[str, Any]:
    return told(await hub.decisions.run(user.id, lambda unit: read(unit, source, name, data)))


@router.post("/sheet")
async def sheet(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a day's sheet; 422 with file, line and reason where it is refused as a whole, or held for a pharmacist as `suspiciously-small` or `older-sheet`."""
    data = await body_of(request)
    try:
        return await _take(hub, user, hub.intake.sheet, source, name, data)
    except HTTPException as refused:
        await hold_if_stump(hub, refused, source, name, data)
        raise


@router.post("/changes")
async def changes(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in dated changes, in the order of their times."""
    return await _take(hub, user, hub.intake.changes, source, name, await body_of(request))


@router.post("/discharges")
async def discharges(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a list of discharged patients."""
    return await _take(hub, user, hub.intake.discharges, source, name, await body_of(request))


@router.post("/allergies")
async def allergies(source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Take in a source's complete list of allergies, before its sheet."""
    return await _take(hub, user, hub.intake.allergies, source, name, await body_of(request))


@router.post("/preview")
async def preview(kind: Kind, source: str, name: str, request: Request, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Tell what taking a file in would do, line by line; nothing is written. `state` goes with it into `/api/intake/take`."""
    return await look_at(hub, user, kind, source, name, await body_of(request))


@router.post("/take")
async def take(
    kind: Kind, source: str, name: str, state: str, request: Request, hub: Hub, user: Receiver, confirmed: bool = False
) -> dict[str, Any]:
    """Take in a file that was looked at: 422 `changed-since` where it would do anything else than what was shown.

    `confirmed`, by a pharmacist: also a sheet with suspiciously few orders or an older one; without it such a sheet is held.
    """
    if confirmed and not may(user.role, Action.DECIDE_LINES):
        raise HTTPException(403, PHARMACIST.told())
    data = await body_of(request)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        return hub.intake.take_as_shown(unit, kind, source, name, data, state, confirmed=confirmed)

    try:
        taken = told(await hub.decisions.run(user.id, decide))
    except HTTPException as refused:
        await hold_if_stump(hub, refused, source, name, data)
        raise
    await asyncio.to_thread(hub.feeds.forget, hashlib.sha256(data).hexdigest())
    return taken


async def look_at(hub: HubContext, user: User, kind: Kind, source: str, name: str, data: bytes) -> dict[str, Any]:
    """Return what taking a file in would do, in a decision that is taken back, and beside the writer the schedules in words."""
    looked = told(await hub.decisions.try_out(user.id, lambda unit: hub.intake.looked_at(unit, kind, source, name, data)))
    words = await hub.decisions.read(lambda unit: hub.intake.words(unit, kind, source, name, data))
    lines = [{**line, "words": words.get(line["order"], {})} for line in looked["lines"]]
    return {**looked, "lines": lines}


def told(result: dict[str, Any] | Refusal) -> dict[str, Any]:
    """Return an answer, or raise the refusal that it is as 422."""
    if isinstance(result, Refusal):
        raise HTTPException(422, result.told())
    return result


@router.get("/lines")
async def lines(hub: Hub, _: Reader, outcome: str = "", department: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """Return order lines with outcome, checks, reasons and the rules of schedules in force, newest decision first; by outcome and department where asked."""
    rows = await hub.decisions.read(lambda unit: decided_lines(unit, outcome, department, max(1, min(limit, 1000))))
    rules = {source: rules_told(hub.house.rules_for(source)) for source in {row["source"] for row in rows}}
    return [{**row, "schedule_rules": rules[row["source"]]} for row in rows]
