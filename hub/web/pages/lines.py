"""Decided lines: what became of every line of the sheets, newest decision first, each with its reasons and "Why?"."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hub.domain.orders import Outcome
from hub.domain.people import Action, User
from hub.domain.state_words import state_ru
from hub.services.decided_lines import decided_lines
from hub.web.context import Hub, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Text = Annotated[str, Query(max_length=200)]
MOST_SHOWN = 200
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Строки назначений", "Order lines"), "all": ("все", "all"), "none": ("Таких строк нет.", "There are no such lines."), "outcome": ("Итог", "Outcome"),
    "more": (f"Показаны {MOST_SHOWN} последних.", f"The newest {MOST_SHOWN} are shown."), "department": ("Отделение", "Department"), "show": ("Показать", "Show"),
    "no_place": ("место неизвестно", "place not known"),
}  # fmt: skip


@router.get("/lines")
async def lines(request: Request, hub: Hub, user: Reader, outcome: Outcome | None = None, department: Text = "") -> HTMLResponse:
    """Show decided lines, by outcome and department where asked."""
    language = language_of(request, hub.house.language)
    wanted = outcome.value if outcome is not None else ""
    rows = await hub.decisions.read(lambda unit: decided_lines(unit, wanted, department.strip(), MOST_SHOWN))
    shown: dict[str, Any] = {"lines": rows, "most": MOST_SHOWN, "outcome": wanted, "department": department}
    words = spoken(_WORDS, language)
    outcomes = {each.value: state_ru(each) if language == "ru" else each.value.replace("-", " ") for each in Outcome}
    return page(request, user, "lines.html", **shown, say=words, outcomes=outcomes, language=language)
