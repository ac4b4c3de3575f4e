"""The board of the packing line and what waits for people there."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User, may
from hub.services.doubt_view import doubt_board
from hub.services.drops import WRONG_CASSETTE
from hub.services.feeds import open_alarms
from hub.services.lines_in_review import waiting_count
from hub.services.machine_events import VERDICT_REFUSED
from hub.services.ports import UnitOfWork
from hub.services.reject_packs import LABEL_REVIEW
from hub.services.verify_pack import POUCH, POUCH_FAILED
from hub.services.views import bench_board, line_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page

router = APIRouter()
# What accepting and rejecting mean for each kind of question; an empty word: that answer is not offered.
# A pouch is accepted at the review station alone, where the look is timed.
DECISIONS: Mapping[str, tuple[str, str]] = {
    POUCH: ("", "Reject …"),
    POUCH_FAILED: ("Seen: into the reject bin", ""),
    LABEL_REVIEW: ("Seen: it cannot be packed here", ""),
    WRONG_CASSETTE: ("Right one again: unlock", "Leave it locked"),
    "job-refused": ("Make it anew", ""),
    VERDICT_REFUSED: ("Tell the machine again", "Leave it"),
    "label-refused": ("Mended: try it anew", ""),
    "label-in-doubt": ("None lies there, or it is thrown away", ""),
    "": ("Seen, settled", ""),
}
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]


async def _read(hub: HubContext, user: User) -> dict[str, Any]:
    packs = may(user.role, Action.PACK)

    def read(unit: UnitOfWork) -> dict[str, Any]:
        shown = {"board": line_board(unit, hub.house), "doubts": doubt_board(unit), "alarms": open_alarms(unit), "in_review": waiting_count(unit)}
        return {**shown, "bench": bench_board(unit) if packs else None}

    return {"decisions": DECISIONS, **await hub.decisions.read(read)}


@router.get("/line")
async def line(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show the line; those who pack there also see, by scan field and cards, what waits for them."""
    return page(request, user, "line.html", **await _read(hub, user), spoken=language_of(request, hub.house.language))


@router.get("/line/board")
async def board(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "line_board.html", **await _read(hub, user), spoken=language_of(request, hub.house.language))
