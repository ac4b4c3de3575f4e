"""The page Why: one sentence, its rule and source, and links to what it rests on; in Russian and English."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, may
from hub.services.why import WhyKind
from hub.web.api.why import answer_to, asker, may_ask
from hub.web.context import Hub
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Почему?", "Why?"), "line": ("Строка назначения", "Order line"), "dose": ("Доза", "Dose"), "lane": ("Путь фасовки", "Lane"),
    "pack": ("Упаковка", "Pack"), "refusal": ("Отказ", "Refusal"), "rule": ("Правило", "Rule"), "source": ("Источник", "Source"),
    "also": ("Что ещё известно", "What else is known"), "rests_on": ("На чём это основано", "What it rests on"),
    "settings": ("Действующие настройки", "Settings in force"), "story": ("Вся история в журнале", "The whole story in the ledger"),
}  # fmt: skip


@router.get("/why/{kind}/{id:path}")
async def asked(kind: WhyKind, id: str, request: Request, hub: Hub) -> HTMLResponse:
    """Show why something is as it is."""
    user = await asker(request, kind)
    language = language_of(request, hub.house.language)
    answer = await answer_to(hub, kind, id, language)
    grounds = [ground for ground in answer["rests_on"] if ground["kind"] and may_ask(user, WhyKind(ground["kind"]))]
    told = [ground for ground in answer["rests_on"] if ground not in grounds]
    words = spoken(_WORDS, language)
    reads_ledger = may(user.role, Action.READ_LEDGER) and kind is not WhyKind.REFUSAL
    shown: dict[str, Any] = {"answer": answer, "grounds": grounds, "told": told, "say": words, "ledger": reads_ledger}
    return page(request, user, "why.html", **shown, language=language)
