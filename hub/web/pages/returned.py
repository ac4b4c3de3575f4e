"""What went back to the wards, for senior nurses and the pharmacy."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User, may
from hub.services.decided_lines import lines_to_rule_about
from hub.services.ports import UnitOfWork
from hub.services.returned_lines import error_statistics, returned_queue, totals
from hub.web.context import Hub, HubContext, allowed
from hub.web.pages.rendering import page

router = APIRouter()
Senior = Annotated[User, Depends(allowed(Action.RETURN_LINES))]
DAYS = 31
MOST_SHOWN = 200


async def _read(hub: HubContext, user: User, department: str) -> dict[str, Any]:
    rules = may(user.role, Action.DECIDE_LINES)

    def read(unit: UnitOfWork) -> dict[str, Any]:
        counts = error_statistics(unit, hub.house, department, DAYS)
        return {
            "department": department, "days": DAYS, "lines": returned_queue(unit, department, limit=MOST_SHOWN),
            "done": returned_queue(unit, department, closed=True, limit=20), "counts": counts[:MOST_SHOWN], "totals": totals(counts),
            "reviews": lines_to_rule_about(unit, department, MOST_SHOWN) if rules else [],
        }  # fmt: skip

    return await hub.decisions.read(read)


@router.get("/returned")
async def returned(request: Request, hub: Hub, user: Senior, department: str = "") -> HTMLResponse:
    """Show rejected lines with what to correct, what was corrected, and the errors of the last month."""
    return page(request, user, "returned.html", **await _read(hub, user, department))


@router.get("/returned/board")
async def board(request: Request, hub: Hub, user: Senior, department: str = "") -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "returned_board.html", **await _read(hub, user, department))
