"""Signing in with badge and PIN, signing out, the way to one's own page, and pages that say why something is refused."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.domain.refusals import Refusal
from hub.web.context import COOKIE, Hub, current_user, person_of
from hub.web.pages.rendering import home_of, local_path, page

router = APIRouter()
LASTS_S = 12 * 3600
Field = Annotated[str, Form(max_length=1000)]


@router.get("/")
async def home(request: Request) -> Response:
    """Lead to the page of one's role."""
    user = await current_user(request)
    return RedirectResponse(home_of(user.role), 303)


@router.get("/sign-in")
async def ask(request: Request, next: str = "") -> HTMLResponse:
    """Ask for badge and PIN."""
    return page(request, None, "sign_in.html", next=local_path(next), badge="", problem="")


@router.post("/sign-in")
async def sign_in(request: Request, hub: Hub, badge: Field = "", pin: Field = "", next: Field = "") -> Response:
    """Open a session and lead on, to a page of this hub only; a badge without PIN is asked for the PIN."""
    badge, target = badge.strip(), local_path(next)
    user = await person_of(hub, badge, pin) if pin else None
    if user is None or isinstance(user, Refusal):
        problem = user.text if isinstance(user, Refusal) else ""
        return page(
            request, None, "sign_in.html", 403 if pin else 200, next=target, badge="" if pin else badge, problem=problem
        )
    token = await hub.sessions.open(user)
    answer = RedirectResponse(target or home_of(user.role), 303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", max_age=LASTS_S, secure=request.url.scheme == "https"
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, hub: Hub) -> Response:
    """End the session of this browser."""
    token = request.cookies.get(COOKIE, "")
    if token:
        await hub.sessions.close(token)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def refused(request: Request, status: int, reason: str) -> Response:
    """Answer a page that may not be shown: to the sign-in where nobody is signed in, else with the reason in words."""
    if status == 401:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(
            f"/sign-in?next={quote(back, safe='/')}" if request.method == "GET" else "/sign-in", 303
        )
    words = {403: "This page is not for your role", 404: "There is no such page"}
    return page(request, None, "refused.html", status, title=words.get(status, "This cannot be shown"), reason=reason)
