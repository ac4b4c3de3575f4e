"""Signing in with badge and PIN, signing out, the way to one's own page, and pages that say why something is refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.domain.refusals import Refusal
from hub.web.context import COOKIE, Hub, current_user, hub_of, person_of
from hub.web.language import LANGUAGE_COOKIE, language_of
from hub.web.language import LASTS_S as LANGUAGE_LASTS_S
from hub.web.pages.frame_words import frame_words
from hub.web.pages.navigation import home_of
from hub.web.pages.rendering import local_path, page

router = APIRouter()
LASTS_S = 12 * 3600
Field = Annotated[str, Form(max_length=1000)]


@router.get("/")
async def home(request: Request) -> Response:
    """Lead to the page of one's role."""
    user = await current_user(request)
    return RedirectResponse(home_of(user.role), 303)


@router.get("/sign-in")
async def ask(request: Request, hub: Hub, next: str = "") -> HTMLResponse:
    """Ask for badge and PIN."""
    return page(request, None, "sign_in.html", language=language_of(request, hub.house.language), next=local_path(next), badge="", problem="")


@router.post("/sign-in")
async def sign_in(request: Request, hub: Hub, badge: Field = "", pin: Field = "", next: Field = "") -> Response:
    """Open a session and lead on, to a page of this hub only; a badge without PIN is asked for the PIN."""
    badge, target = badge.strip(), local_path(next)
    user = await person_of(hub, badge, pin) if pin else None
    if user is None or isinstance(user, Refusal):
        language = language_of(request, hub.house.language)
        problem = user.said(language) if isinstance(user, Refusal) else ""
        return page(
            request, None, "sign_in.html", 403 if pin else 200, language=language, next=target, badge="" if pin else badge, problem=problem
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


@router.get("/language/{language}")
async def choose_language(request: Request, language: Literal["ru", "en"], next: str = "") -> Response:
    """Keep the language of this browser's person and lead back to the page; what its address asked for gives way."""
    path, _, query = (local_path(next) or "/").partition("?")
    kept = urlencode([(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "language"])
    answer = RedirectResponse(f"{path}?{kept}" if kept else path, 303)
    answer.set_cookie(
        LANGUAGE_COOKIE, language, httponly=True, samesite="lax", max_age=LANGUAGE_LASTS_S, secure=request.url.scheme == "https"
    )
    return answer


def refused(request: Request, status: int, told: Mapping[str, Any]) -> Response:
    """Answer a page that may not be shown: to the sign-in where nobody is signed in, else with the reason in the page's language."""
    if status == 401:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(
            f"/sign-in?next={quote(back, safe='/')}" if request.method == "GET" else "/sign-in", 303
        )
    language = language_of(request, hub_of(request).house.language)
    words = frame_words(language)
    title = words[{403: "not_for_role", 404: "no_page"}.get(status, "cannot")]
    reason = (told.get("reason_ru") if language == "ru" else "") or told["reason"]
    return page(request, None, "refused.html", status, title=title, reason=reason, language=language)
