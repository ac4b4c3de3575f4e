"""Feeds: what each source last sent, its alarms, the sheets that are held, and the calls that there is news."""

import asyncio
import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import Field

from hub.domain.people import Action, User
from hub.domain.records import Incident
from hub.domain.refusals import Refusal
from hub.services.feeds import clear_alarm, end_held, feed_board, held_alarm, held_digest
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import Code, Write
from hub.web.api.intake import look_at
from hub.web.context import Hub, HubContext, allowed
from hub.web.once import once

router = APIRouter(prefix="/api/intake", tags=["intake"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Receiver = Annotated[User, Depends(allowed(Action.RECEIVE_SHEETS))]
Pharmacist = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]
LONGEST_HINT = 1024 * 1024
NOT_HELD = Refusal("unknown-sheet", "No such sheet is held any more: look at the list.", "Такой лист больше не задержан: посмотрите список.")


class AlarmBody(Write):
    """An alarm that a person clears, and what was found out."""

    alarm: Code
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HeldBody(Write):
    """A pharmacist's decision about a held sheet; `state` is that of the preview."""

    sheet: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    decision: Literal["take", "discard"]
    state: Annotated[str, Field(max_length=100)] = ""
    reason: Annotated[str, Field(max_length=500)] = ""


@router.get("/feeds")
async def feeds(hub: Hub, _: Reader) -> list[dict[str, Any]]:
    """Return every source: what it last sent and when, its ways to the hub, and its alarms."""
    rows = await hub.decisions.read(lambda unit: feed_board(unit, hub.house))
    return [{**row, "heard_at": row["heard_at"].isoformat() if row["heard_at"] else None, "alarms": [alarm_facts(alarm) for alarm in row["alarms"]]} for row in rows]


def alarm_facts(alarm: Incident) -> dict[str, Any]:
    """Return an alarm as JSON; `sheet` is the SHA-256 of the sheet that waits, empty where none does."""
    return {
        "alarm": alarm.id, "kind": alarm.kind, "source": alarm.subject, "since": alarm.opened_at.isoformat(), "text": alarm.said("en"),
        "text_ru": alarm.said("ru"), "sheet": held_digest(alarm),
    }  # fmt: skip


@router.post("/alarms")
async def alarms(body: AlarmBody, hub: Hub, user: Receiver) -> Response:
    """Clear an alarm in one's own name."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        cleared = clear_alarm(unit, body.alarm, body.reason)
        return cleared if isinstance(cleared, Refusal) else {"cleared": cleared.id}

    return await once(hub, user, body, decide)


@router.get("/held/{sheet}")
async def held(sheet: str, hub: Hub, user: Receiver) -> dict[str, Any]:
    """Tell what taking a held sheet in would do; nothing is written."""
    return await look_at_held(hub, user, sheet)


@router.post("/held")
async def decide_held(body: HeldBody, hub: Hub, user: Pharmacist) -> Response:
    """Take a held sheet in as it was shown, or discard it with a reason."""
    kept = await asyncio.to_thread(hub.feeds.held, body.sheet)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        if kept is None or held_alarm(unit, body.sheet) is None:
            return NOT_HELD
        if body.decision == "take":
            return hub.intake.take_as_shown(unit, "sheet", kept.source, kept.name, kept.data, body.state, confirmed=True)
        if not body.reason.strip():
            return Refusal("reason", "Say why it is discarded: the reason is kept with your name.", "Напишите, почему лист отклонён: причина хранится вместе с вашим именем.")
        ended = end_held(unit, body.sheet, f"discarded: {body.reason.strip()}")
        return ended if isinstance(ended, Refusal) else {"discarded": kept.name}

    answer = await once(hub, user, body, decide)
    await asyncio.to_thread(hub.feeds.forget, body.sheet)
    return answer


async def look_at_held(hub: HubContext, user: User, sheet: str) -> dict[str, Any]:
    """Return what taking a held sheet in would do; 409 where it is not held."""
    kept = await asyncio.to_thread(hub.feeds.held, sheet)
    if kept is None:
        raise HTTPException(409, NOT_HELD.told())
    return await look_at(hub, user, "sheet", kept.source, kept.name, kept.data)


async def _hinted(source: str, request: Request, hub: HubContext) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    body = await _small_body(request)
    answer = await asyncio.to_thread(hub.feeds.hint, source, token if scheme.lower() == "bearer" else "", body)
    if isinstance(answer, Refusal):
        raise HTTPException(401, answer.told())
    if answer is not None:
        return Response(status_code=429, headers={"retry-after": str(math.ceil(answer))})
    return Response(status_code=204)


async def _small_body(request: Request) -> bytes:
    """Return the body of a hint, cut off at its limit: what it says is not believed anyway."""
    body = b""
    async for chunk in request.stream():
        body += chunk[: LONGEST_HINT - len(body)]
    return body


@router.post("/hint/{source}", status_code=204)
async def hint(source: str, request: Request, hub: Hub) -> Response:
    """Take a call of a FHIR Subscription by the source's own bearer token: the pull runs soon; 401, or 429 with Retry-After."""
    return await _hinted(source, request, hub)


@router.put("/hint/{source}/{resource}/{identity}", status_code=204)
async def hint_with_payload(source: str, resource: str, identity: str, request: Request, hub: Hub) -> Response:
    """Take the call of an R4 rest-hook with a payload, which puts the resource at the endpoint; it is not read."""
    return await _hinted(source, request, hub)
