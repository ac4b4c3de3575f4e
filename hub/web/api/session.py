"""Signing in and out."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from hub.domain.refusals import Refusal
from hub.web.api.bodies import SignIn
from hub.web.context import COOKIE, Hub, person_of

router = APIRouter(prefix="/api", tags=["session"])


@router.post("/session")
async def sign_in(body: SignIn, hub: Hub, request: Request, response: Response) -> dict[str, Any]:
    """Open a session for badge and PIN; the answer to a wrong one never says which was wrong."""
    user = await person_of(hub, body.badge, body.pin)
    if isinstance(user, Refusal):
        raise HTTPException(429 if user.code == "wait" else 401, user.told())
    token = await hub.sessions.open(user)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", max_age=12 * 3600)
    return {"token": token, "name": user.name, "role": user.role.value}


@router.delete("/session")
async def sign_out(request: Request, hub: Hub, response: Response) -> dict[str, Any]:
    """End the session of the cookie or bearer token."""
    header = request.headers.get("authorization", "")
    await hub.sessions.close(header.removeprefix("Bearer ") or request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)
    return {"signed_out": True}
