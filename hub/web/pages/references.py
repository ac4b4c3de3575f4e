"""The page of reference looks: pictures beside what somebody typed, what waits for a pharmacist, thresholds and measured rates."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.references import reference_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
PICTURES_SHOWN = 12
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Образцы таблеток", "Reference looks"),
    "lead": (
        "Образец изучается по первым проверенным пакетам серии и подтверждается провизором один раз. Снимок только останавливает пакет и никогда не пропускает его сам.",
        "A look is learned from the first verified packs of a lot and confirmed once by a pharmacist. A picture stops a pouch, and never lets one pass by itself.",
    ),
    "none": ("Ещё ничего не изучено.", "Nothing is learned yet."),
    "lot": ("серия", "lot"),
    "learning": ("изучается", "learning"), "waiting": ("ждёт подтверждения", "waits for you"), "confirmed": ("подтверждён", "confirmed"),
    "rejected": ("отклонён", "rejected"), "retired": ("снят", "retired"),
    "packs": ("Пакетов: {packs} из {of}", "Packs: {packs} of {of}"),
    "typed": ("Записано при приёмке", "Typed at receipt"), "learned": ("Изучено", "Learned"), "nobody": ("никто не записал", "nobody recorded it"),
    "took_over": ("Тот же изготовитель и вид, что у серии {lot}", "Same maker and look as lot {lot}"),
    "alt": ("Таблетка {number}: {name}, серия {lot}", "Tablet {number}: {name}, lot {lot}"),
    "reason": ("Причина", "Why"), "confirm": ("Подтвердить", "Confirm"), "reject": ("Отклонить", "Reject"), "retire": ("Снять", "Retire"),
    "anew": ("Изучить заново", "Learn anew"), "done": ("Записано: {state}", "Recorded: {state}"),
    "thresholds": ("Пороги", "Thresholds"), "name": ("Порог", "Threshold"), "value": ("Значение", "Value"), "trades": ("Что меняет", "What it trades"),
    "rates": ("Измеренные ошибки снимка без датчика", "Measured errors of the picture, without the sensor"), "not_measured": ("Не измерено.", "Not measured."),
    "other_values": ("Измерено с другими порогами: повторите измерение.", "Measured with other thresholds: measure again."),
    "measured_by": ("Симуляция; измерено командой", "Simulated; measured by"),
    "lay": ("Как лежат", "How they lie"), "fault": ("Что не так", "What is wrong"), "tried": ("Пакетов", "Pouches"), "passed": ("Пропущено", "Let by"),
    "looked": ("LOOK", "LOOK"), "failed": ("FAIL", "FAIL"), "figure": ("Доля пропусков", "Share missed"),
}  # fmt: skip


@router.get("/references")
async def references(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show every look, what waits for a pharmacist first; then the thresholds and what was measured with them."""
    return page(request, user, "references.html", **await _read(hub, language_of(request, hub.house.language)))


async def _read(hub: HubContext, language: str) -> dict[str, Any]:
    say = spoken(WORDS, language)
    learned, reason = ("learned_ru", "reason_ru") if language == "ru" else ("learned", "reason")
    board = [
        {**row, "pictures": row["crops"][:PICTURES_SHOWN], "learned": row[learned], "reason": row[reason]} for row in await hub.decisions.read(reference_board)
    ]
    figures = hub.picture
    thresholds = [{"name": each.name, "value": each.value, "unit": each.unit.said(language), "trades": each.trades.said(language)} for each in figures.thresholds]
    rates = [rate.said(language) for rate in figures.rates]
    return {"board": board, "say": say, "figures": figures, "thresholds": thresholds, "rates": rates, "language": language}
