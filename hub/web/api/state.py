"""The state of the line in numbers, live events, the ledger's export, evidence, and the stepped clock."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.board import line_state
from hub.services.evidence import why_not_shown
from hub.web.api.bodies import ClockBody
from hub.web.context import Hub, allowed, current_user, refuse

router = APIRouter(prefix="/api", tags=["state"])
SignedIn = Annotated[User, Depends(current_user)]
REAL_CLOCK = Refusal("real-clock", "This hub runs by the real clock.", "Эта система идёт по настоящим часам.")
BACKWARDS = Refusal("backwards", "The clock only goes forward, by a time with its offset.", "Часы идут только вперёд, время указывается со смещением.")


@router.get("/state")
async def state(hub: Hub, _: SignedIn) -> dict[str, Any]:
    """Return how many jobs, packs and doses are in which state; no name and no patient is in it."""
    counts = await hub.decisions.read(line_state)
    return {"now": hub.now().isoformat(), **counts}


@router.get("/events")
async def events(request: Request, hub: Hub, _: SignedIn) -> StreamingResponse:
    """Send a `board` event whenever something was committed, at most four a second."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        async for number in hub.board_changes():
            if await request.is_disconnected():
                return
            yield f"event: board\ndata: {number}\n\n".encode()

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"cache-control": "no-store"})


@router.get("/ledger/export")
async def ledger_export(hub: Hub, _: Annotated[User, Depends(allowed(Action.READ_LEDGER))]) -> StreamingResponse:
    """Return the whole ledger as NDJSON (docs/ledger.md)."""
    return StreamingResponse(hub.export_ledger(), media_type="application/x-ndjson")


@router.get("/evidence/{digest}")
async def evidence(digest: str, hub: Hub, _: Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]) -> Response:
    """Return the frame that a verdict was based on, by its SHA-256."""
    frame = hub.evidence(digest)
    if frame is None:
        is_damaged = hub.evidence_is_damaged(digest)
        refusal = await hub.decisions.read(lambda unit: why_not_shown(unit, digest, hub.house, is_damaged=is_damaged))
        raise refuse(404 if refusal.code == "unknown" else 410, refusal)
    return Response(frame, media_type="image/jpeg")


@router.post("/clock")
async def clock(
    body: ClockBody, hub: Hub, _: Annotated[User, Depends(allowed(Action.ADVANCE_CLOCK))]
) -> dict[str, Any]:
    """Step the clock of a demonstration on; refused where the hub runs by the real clock, and never backwards."""
    if hub.step_clock is None:
        raise refuse(409, REAL_CLOCK)
    if body.now.tzinfo is None or body.now < hub.now():
        raise refuse(409, BACKWARDS)
    hub.step_clock(body.now)
    return {"now": hub.now().isoformat()}
