"""The pharmacist's page of names that may be taken for each other: each pair with its reasons, confirmed or dismissed by hand."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.look_alikes import pair_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {"ru": "Похожие названия", "en": "Names that are mixed up"},
    "lead": {
        "ru": "Пары названий справочника, которые можно спутать на вид или на слух. Подтверждённая пара требует второго человека при загрузке кассеты и метки на этикетке; отклонённая больше не показывается.",
        "en": "Pairs of names in the directory that look or sound alike. A confirmed pair asks for a second person at the cassette and marks the label; a dismissed one is not shown any more.",
    },
    "none": {"ru": "Таких пар в справочнике нет.", "en": "The directory has no such pairs."},
    "confirmed": {"ru": "подтверждена", "en": "confirmed"},
    "score": {"ru": "сходство из 100:", "en": "alike, of 100:"},
    "beside": {"ru": "Рядом в машине: {device}, ячейки {slots}", "en": "Side by side: {device}, slots {slots}"},
    "reason": {"ru": "Почему", "en": "Why"},
    "confirm": {"ru": "Путают", "en": "They are mixed up"},
    "dismiss": {"ru": "Не путают", "en": "Not mixed up"},
    "done": {"ru": "Записано для препаратов: {drugs}.", "en": "Recorded for {drugs} drugs."},
}


async def _read(hub: HubContext, spoken: str) -> dict[str, Any]:
    words = {name: said[spoken] for name, said in WORDS.items()}
    pairs = [_shown(pair, words, spoken) for pair in await hub.decisions.read(pair_board)]
    return {"pairs": pairs, "say": words, "language": spoken}


def _shown(pair: dict[str, Any], words: Mapping[str, str], spoken: str) -> dict[str, Any]:
    places = [words["beside"].format(device=place["device"], slots=", ".join(map(str, place["slots"]))) for place in pair["neighbours"]]
    return {**pair, "reasons": pair["why_ru" if spoken == "ru" else "why"], "places": places}


@router.get("/look-alikes")
async def look_alikes(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show the pairs, the nearest first."""
    return page(request, user, "look_alikes.html", **await _read(hub, language_of(request, hub.house.language)))
