"""From a template and what was read to a page: every text escaped, times in the hospital's zone, links by role."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.domain.people import Action, User, may
from hub.web.context import hub_of
from hub.web.language import language_of, other_language
from hub.web.pages.frame_words import frame_words
from hub.web.pages.navigation import navigation

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip

# A state is told by word and shape; colour comes third.
LOOKS: Mapping[str, str] = {
    **dict.fromkeys(("ready", "idle", "done", "released", "armed", "received", "closed", "PASS", "reconciled", "up", "live"), "ok"),
    **dict.fromkeys(("running", "at-camera", "assembling", "dispatched", "in-round"), "run"),
    **dict.fromkeys(("sealed", "low", "loading", "LOOK", "partial", "held", "waiting"), "wait"),
    **dict.fromkeys(("stopped", "in-doubt", "refused", "aborted", "lost", "link-down", "locked", "FAIL", "revoked", "trouble", "stale", "frozen", "black", "torn", "slow", "down"), "stop"),
    **dict.fromkeys(("out-of-paper", "out-of-ribbon", "cover-open", "paused", "out-of-order", "offline", "unknown-language"), "stop"),
    "label-waiting": "wait",
}  # fmt: skip
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def look_of(state: str) -> str:
    """Return the shape and colour of a state: `ok`, `run`, `wait`, `stop`, or `none` where it is neither."""
    if state in LOOKS:
        return LOOKS[state]
    return "none" if re.fullmatch("[a-z-]*", state) else "stop"


def local_path(text: str) -> str:
    """Return a path of this hub, or an empty text where it would lead anywhere else."""
    return text if len(text) < 1000 and _LOCAL.fullmatch(text) else ""


def page(request: Request, user: User | None, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template for a person, or for nobody yet.

    `language` is that of the page; a page that gives none has its own words in English only, and what surrounds them
    (links, notices, refusals) in the language that was chosen.
    """
    hub = hub_of(request)
    language = values.get("language") or language_of(request)
    frame = frame_words(language)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")

    def clock(moment: datetime | None, form: str = "%H:%M") -> str:
        return moment.astimezone(hub.house.zone).strftime(form) if moment is not None else ""

    rights = {action.name.lower(): user is not None and may(user.role, action) for action in Action}
    text = TEMPLATES.get_template(template).render(
        user=user, pages=navigation(user.role, request.url.path) if user is not None else None, rights=rights, here=request.url.path, now=hub.now(), site=hub.site, clock=clock, look=look_of,
        stepped=hub.step_clock is not None,
        **{"language": language, "other": other_language(language), "frame": frame, "bilingual": "language" in values, "address": here, **values},
    )  # fmt: skip
    return HTMLResponse(text, status, {"x-hub-time": hub.now().astimezone(hub.house.zone).isoformat()})
