"""The pharmacist's page of unknown words: one question a card, answered by touch or by keyboard, in Russian or English."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.codes import code_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
# What is offered to touch; anything else that is known may be typed. Each is (meaning, Russian, English).
CHOICES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "frequency": (
        ("1 р/д", "1 раз в день", "once a day"), ("2 р/д", "2 раза в день", "twice a day"), ("3 р/д", "3 раза в день", "3 times a day"),
        ("4 р/д", "4 раза в день", "4 times a day"), ("на ночь", "на ночь", "at bedtime"), ("PRN", "по потребности", "when needed"),
        ("not-packed", "не фасуется (схема, инфузия)", "not packed (protocol, infusion)"),
    ),
    "route": (
        ("внутрь", "внутрь", "by mouth"), ("в/в", "внутривенно", "intravenous"), ("в/м", "внутримышечно", "intramuscular"),
        ("п/к", "подкожно", "subcutaneous"), ("ингаляционно", "ингаляционно", "inhaled"), ("наружно", "наружно", "topical"),
        ("ректально", "ректально", "rectal"),
    ),
    "unit": (
        ("mg", "мг", "mg"), ("g", "г", "g"), ("mcg", "мкг", "mcg"), ("mL", "мл", "mL"), ("IU", "ЕД (МЕ)", "IU"), ("tablet", "таблетка", "tablet"),
        ("capsule", "капсула", "capsule"), ("ampoule", "ампула", "ampoule"), ("drop", "капля", "drop"),
    ),
    "drug": (),
}  # fmt: skip
WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {"ru": "Непонятные обозначения", "en": "Unknown words"},
    "lead": {
        "ru": "Слова источников, которых система не понимает. Ответ запоминается для этого источника; все ждущие строки решаются заново сразу.",
        "en": "Words of the sources that nobody here understands. An answer is remembered for its source, and every waiting line is judged again at once.",
    },
    "none": {"ru": "Вопросов нет: все обозначения понятны.", "en": "Nothing to ask: every word is understood."},
    "frequency": {"ru": "Кратность", "en": "Frequency"},
    "route": {"ru": "Путь введения", "en": "Route"},
    "unit": {"ru": "Единица дозы", "en": "Unit of the dose"},
    "drug": {"ru": "Препарат", "en": "Drug"},
    "waiting": {"ru": "ждёт строк:", "en": "lines waiting:"},
    "seen": {"ru": "впервые", "en": "first seen"},
    "example": {"ru": "Пример строки", "en": "Example"},
    "from": {"ru": "Источник", "en": "Source"},
    "means": {"ru": "Это означает", "en": "It means"},
    "like": {"ru": "Похожие названия — выберите сами, ничего не выбрано заранее:", "en": "Similar names: choose one yourself, none is chosen for you:"},
    "no_like": {"ru": "Похожих препаратов в справочнике нет.", "en": "The directory has no drug with a similar name."},
    "hint_frequency": {"ru": "код из таблицы, часы 08:00;20:00, PRN или not-packed", "en": "a code of the table, times 08:00;20:00, PRN or not-packed"},
    "hint_route": {"ru": "путь из таблицы путей", "en": "a route of the route table"},
    "hint_unit": {"ru": "единица: мг, мл, таб …", "en": "a unit: mg, mL, tablet …"},
    "hint_drug": {"ru": "код препарата из справочника", "en": "the code of a drug of the directory"},
    "save": {"ru": "Запомнить", "en": "Remember this"},
    "more": {"ru": "Остальные вопросы появятся после ответов; их ещё:", "en": "The other questions come up once these are answered; there are"},
    "only": {"ru": "Ответить может фармацевт.", "en": "A pharmacist must answer."},
    "answered": {"ru": "Уже отвечено", "en": "Answered"},
    "change": {"ru": "Изменить", "en": "Change"},
    "change_why": {
        "ru": "Строки с этим обозначением, которые уже действуют, будут решены заново; упакованное по-старому — отозвано.",
        "en": "Lines in force that have this word are judged again; what is packed under the old meaning is called back.",
    },
    "keys": {
        "ru": "Клавиши: Tab — к следующему полю, 1–9 — выбрать вариант карточки, Enter — запомнить.",
        "en": "Keys: Tab to the next field, 1-9 choose within a card, Enter remembers.",
    },
    "done": {"ru": "Запомнено. Решено заново строк: {lines}, ещё ждут: {waiting}.", "en": "Remembered. Lines judged again: {lines}, still waiting: {waiting}."},
}


async def _read(hub: HubContext, spoken: str) -> dict[str, Any]:
    board = await hub.decisions.read(lambda unit: code_board(unit, hub.house, hub.suggest_drugs))
    for row in board["questions"]:
        row["since_at"] = datetime.fromisoformat(row["since"])
    for row in board["answered"]:
        row["decided_at"] = datetime.fromisoformat(row["at"]) if row["at"] else None
    words = {name: said[spoken] for name, said in WORDS.items()}
    choices = {kind: [(meaning, ru if spoken == "ru" else en) for meaning, ru, en in offered] for kind, offered in CHOICES.items()}
    return {**board, "say": words, "choices": choices, "language": spoken}


@router.get("/codes")
async def codes(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show what is to be answered, the words with the most waiting lines first."""
    return page(request, user, "codes.html", **await _read(hub, language_of(request, hub.house.language)))
