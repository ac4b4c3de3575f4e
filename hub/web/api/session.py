"""Signing in and out."""

import asyncio
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from hub.services.sign_in import WRONG, user_of_badge
from hub.web.api.bodies import SignIn
from hub.web.context import COOKIE, Hub

router = APIRouter(prefix="/api", tags=["session"])


@router.post("/session")
async def sign_in(body: SignIn, hub: Hub, response: Response) -> dict[str, Any]:
    """Open a session for badge and PIN; the answer to a wrong one never says which was wrong."""
    user = await hub.decisions.read(lambda unit: user_of_badge(unit, body.badge))
    if user is None or not await asyncio.to_thread(hub.pins.matches, user.pin_hash, body.pin):
        raise HTTPException(401, {"refused": WRONG.code, "reason": WRONG.text})
    token = await hub.sessions.open(user)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=12 * 3600)
    return {"token": token, "name": user.name, "role": user.role.value}


@router.delete("/session")
async def sign_out(request: Request, hub: Hub, response: Response) -> dict[str, Any]:
    """End the session of the cookie or bearer token."""
    header = request.headers.get("authorization", "")
    await hub.sessions.close(header.removeprefix("Bearer ") or request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)
    return {"signed_out": True}
