"""The page of labels that people ask for: one button a badge, a drawer, a command card or a trolley's list."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, Role, User
from hub.domain.people_words import ROLES_RU
from hub.services.house_labels import label_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page

router = APIRouter()
Printer = Annotated[User, Depends(allowed(Action.PRINT_LABELS))]
Row = Mapping[str, Any]
WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {"ru": "Этикетки", "en": "Labels"},
    "lead": {
        "ru": "Нажатие отправляет этикетку на принтер этикеток. Каждая перед печатью читается с рисунка; если имя не помещается, скажут, какое и почему.",
        "en": "A button sends its label to the label printer. Each is read back before it is printed; where a name does not fit, you are told which and why.",
    },
    "ready": {"ru": "Готово", "en": "Ready"},
    "prompt": {"ru": "Выберите, что напечатать.", "en": "Choose what to print."},
    "print": {"ru": "Печать", "en": "Print"},
    "done": {"ru": "Отправлено на принтер, листов:", "en": "Sent to the printer, sheets:"},
    "manifests": {"ru": "Описи тележек", "en": "Lists of trolleys"},
    "drawers": {"ru": "Ячейки кассет", "en": "Drawers of cassettes"},
    "badges": {"ru": "Бейджи", "en": "Badges"},
    "commands": {"ru": "Карточки команд", "en": "Command cards"},
    "cassette": {"ru": "Кассета", "en": "Cassette"},
    "slot": {"ru": "ячейка", "en": "slot"},
    "none": {"ru": "Ничего нет.", "en": "There are none."},
}


async def _read(hub: HubContext, spoken: str) -> dict[str, Any]:
    words = {name: said[spoken] for name, said in WORDS.items()}
    board = await hub.decisions.read(label_board)
    rows = {
        "manifests": [(row["subject"], f"{row['department']} · {_slot(hub, row['slot'], spoken)} · {date.fromisoformat(row['day']):%d.%m.%Y}", "") for row in board["manifests"]],
        "drawers": [
            (row["subject"], row["name"], f"{words['cassette']} {row['subject']}, {words['slot']} {row['slot']} · {row['device']}") for row in board["drawers"]
        ],
        "badges": [(row["subject"], row["name"], _role(row["role"], spoken)) for row in board["badges"]],
        "commands": [_command(row, spoken) for row in board["commands"]],
    }  # fmt: skip
    sections = [(name, words[name], rows[name]) for name in ("manifests", "drawers", "badges", "commands")]
    return {"sections": sections, "say": words, "language": spoken}


def _slot(hub: HubContext, name: str, spoken: str) -> str:
    slot = hub.house.slot_named(name)
    return slot.label_ru if spoken == "ru" else slot.label_en


def _role(role: str, spoken: str) -> str:
    return ROLES_RU[Role(role)] if spoken == "ru" else role.replace("-", " ")


def _command(row: Row, spoken: str) -> tuple[str, str, str]:
    ending = "_ru" if spoken == "ru" else ""
    return row["subject"], row[f"deed{ending}"], f"{row[f'place{ending}']} · {row['subject']}"


@router.get("/labels")
async def labels(request: Request, hub: Hub, user: Printer) -> HTMLResponse:
    """Show what may be printed."""
    return page(request, user, "labels.html", **await _read(hub, language_of(request, hub.house.language)))
