"""The engineer's set-up page of the camera: live picture, figures beside what they should be, and what to move; in both languages."""

import asyncio
from collections.abc import Mapping
from fractions import Fraction
from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hub.domain import camera_set_up as limits
from hub.domain.camera_set_up import CameraFigures, decimal, what_to_move
from hub.domain.people import Action, User
from hub.domain.print_quality import LEAST_UNUSED, PrintQuality
from hub.domain.refusals import Refusal
from hub.services.camera_at_hand import set_up_board
from hub.web.api.camera import USUAL_HEIGHT_MM
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
Looker = Annotated[User, Depends(allowed(Action.OPERATE_DEVICES))]
Height = Annotated[int, Query(ge=50, le=2000)]
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Настройка камеры", "Camera set-up"),
    "devices": ("Устройства", "Devices"),
    "lead": (
        "Положите напечатанную этикетку пакета ровно под камеру. Меряется каждую секунду по Data Matrix этикетки.",
        "Lay a printed pouch label straight under the camera. It is measured every second by the label's Data Matrix.",
    ),
    "picture": ("Живой снимок камеры", "Live picture of the camera"),
    "no_picture": ("Новых снимков нет.", "No new pictures."),
    "figures": ("Измерено", "Measured"),
    "state_live": ("работает", "live"), "state_connecting": ("подключается", "connecting"), "state_stale": ("молчит", "silent"),
    "state_frozen": ("застыла", "frozen"), "state_black": ("чёрный снимок", "black"), "state_torn": ("рваный снимок", "torn"),
    "state_slow": ("медленно", "slow"), "state_down": ("нет связи", "down"), "state_unknown": ("нет камеры", "no camera"),
    "figure": ("Величина", "Figure"), "value": ("Сейчас", "Now"), "wanted": ("Должно быть", "Should be"), "accepted": ("Принято", "Accepted"),
    "moves": ("Что сделать", "What to move"),
    "right": ("Камера стоит верно.", "The camera stands right."),
    "height": ("Высота объектива над пакетом, мм", "Height of the lens above the pouch, mm"),
    "lights": ("Свет", "Lights"), "first": ("Свет 1", "Light 1"), "second": ("Свет 2", "Light 2"), "both": ("Оба", "Both"), "off": ("Выключить", "Off"),
    "one_light": ("Плата реле не настроена: один постоянный свет.", "No relay board is set: one fixed light."),
    "accept": ("Принять настройку", "Accept this set-up"),
    "accept_lead": (
        "Принятые величины хранятся с датой и вашим именем; каждый пакет сравнивается с ними.",
        "Accepted figures are kept with date and your name; every pouch is compared with them.",
    ),
    "done": ("Принято.", "Accepted."), "closed": ("Закрыто.", "Closed."), "light_set": ("Свет переключён.", "The light is switched."),
    "ready": ("Готово", "Ready"), "prompt": ("Принимается то, что измерено в этот момент.", "What is measured at that moment is accepted."),
    "by": ("принято", "accepted"), "never": ("Настройка ещё не принималась.", "No set-up was accepted yet."),
    "tickets": ("Заявки на обслуживание", "Maintenance tickets"), "no_tickets": ("Заявок нет.", "No tickets."),
    "reason": ("Что сделано или выяснено", "What was done or found"),
    "renewed": ("головка или лента заменена: мерить заново", "head or ribbon was changed: measure anew"),
    "close": ("Закрыть", "Close"), "since": ("с", "since"),
    "print": ("Качество печати", "Print quality"),
    "print_lead": ("Неизрасходованная избыточность Data Matrix прошедших пакетов, %", "Unused error correction of the Data Matrix of passed pouches, %"),
    "fresh": ("после замены", "after the last change"), "last": ("последние", "last"), "printed": ("пакетов", "pouches"), "least": ("не ниже", "at least"),
    "no_print": ("Пакетов ещё не было.", "No pouches yet."),
    "frames": ("Снимков", "Pictures"), "bad": ("повреждено", "damaged"), "connections": ("соединений", "connections"),
    "engineer": ("Настройку принимает инженер.", "A maintenance engineer accepts the set-up."),
    "pixels_per_module": ("Пикселей на модуль", "Pixels a module"), "pixels_per_mm": ("Пикселей на мм", "Pixels a mm"),
    "edge_px": ("Ширина края, пикс", "Width of an edge, px"), "turn": ("Поворот, °", "Rotation, °"), "tilt": ("Наклон, %", "Tilt, %"),
    "paper": ("Уровень бумаги, 0–255", "Level of paper, 0-255"), "unevenness": ("Неровность основания, уровней", "Unevenness of the base, levels"),
    "glare": ("Блики, ‰ снимка", "Glare, ‰ of the picture"),
}  # fmt: skip


@router.get("/devices/camera-1")
async def camera(request: Request, hub: Hub, user: Looker, height_mm: Height = USUAL_HEIGHT_MM) -> HTMLResponse:
    """Show the set-up page."""
    return page(request, user, "camera.html", **await _read(hub, language_of(request, hub.house.language), height_mm))


@router.get("/devices/camera-1/board")
async def board(request: Request, hub: Hub, user: Looker, height_mm: Height = USUAL_HEIGHT_MM) -> HTMLResponse:
    """Return what is measured, alone."""
    return page(request, user, "camera_board.html", **await _read(hub, language_of(request, hub.house.language), height_mm))


async def _read(hub: HubContext, language: str, height_mm: int) -> dict[str, Any]:
    measured = await asyncio.to_thread(hub.camera.measured)
    now = hub.camera.now()
    kept = await hub.decisions.read(set_up_board)
    accepted = kept["accepted"].figures if kept["accepted"] is not None else None
    words = spoken(WORDS, language)
    shown = {"rows": [], "moves": [], "refused": measured.said(language)} if isinstance(measured, Refusal) else {
        "rows": _rows(measured, accepted), "refused": "",
        "moves": [move.said(language) for move in what_to_move(measured, height_mm, now.light_number)],
    }  # fmt: skip
    return {
        **kept, **shown, "printers": [_printer(one) for one in kept["printers"]], "say": words, "now_camera": now,
        "trouble": now.trouble.said(language), "height_mm": height_mm, "language": language,
    }  # fmt: skip


def _rows(now: CameraFigures, accepted: CameraFigures | None) -> list[dict[str, Any]]:
    """Return each figure beside what it should be and what was accepted."""
    scale, slack = limits.SCALE_WANTED, limits.SCALE_SLACK
    shown = {
        "pixels_per_mm": (now.pixels_per_mm, f"{decimal(scale - slack, 1)}–{decimal(scale + slack, 1)}", abs(now.pixels_per_mm - scale) <= slack),
        "pixels_per_module": (now.pixels_per_module, f"≥ {decimal(limits.MODULE_PX_LEAST, 1)}", now.pixels_per_module >= limits.MODULE_PX_LEAST),
        "edge_px": (now.edge_px, f"≤ {decimal(limits.EDGE_PX_MOST, 1)}", now.edge_px <= limits.EDGE_PX_MOST),
        "turn": (now.turn, f"±{decimal(limits.TURN_MOST, 0)}", abs(now.turn) <= limits.TURN_MOST),
        "tilt": (now.tilt * 100, f"≤ {decimal(limits.TILT_MOST * 100, 0)}", now.tilt <= limits.TILT_MOST),
        "paper": (Fraction(now.paper), f"{limits.PAPER_LEAST}–{limits.PAPER_MOST}", limits.PAPER_LEAST <= now.paper <= limits.PAPER_MOST),
        "glare": (Fraction(_glare(now)), f"≤ {limits.GLARE_MOST_PERMILLE}", _worst_glare(now) <= limits.GLARE_MOST_PERMILLE),
        "unevenness": (Fraction(now.unevenness), f"≤ {limits.UNEVEN_MOST}", now.unevenness <= limits.UNEVEN_MOST),
    }  # fmt: skip
    return [
        {"name": name, "value": _figure(value), "wanted": wanted, "is_right": is_right, "accepted": _accepted(accepted, name)}
        for name, (value, wanted, is_right) in shown.items()
    ]


def _figure(value: Fraction) -> str:
    return decimal(value, 0 if value.denominator == 1 else 1)


def _accepted(accepted: CameraFigures | None, name: str) -> str:
    if accepted is None:
        return ""
    value = _glare(accepted) if name == "glare" else getattr(accepted, name) * (100 if name == "tilt" else 1)
    return _figure(Fraction(value))


def _glare(figures: CameraFigures) -> int:
    return sum(place.permille for place in figures.glare)


def _worst_glare(figures: CameraFigures) -> int:
    return max((place.permille for place in figures.glare), default=0)


def _printer(quality: PrintQuality) -> dict[str, Any]:
    """Return the trend of one printer: medians, and the last prints as the points of a line in a box of 100 x 100."""
    step = 100 / max(1, len(quality.last) - 1)
    points = " ".join(f"{number * step:.1f},{100 - unused}" for number, unused in enumerate(quality.last))
    return {
        "device": quality.device, "printed": quality.printed, "points": points, "least": LEAST_UNUSED,
        "fresh": round(median(quality.fresh)) if quality.fresh else None, "now": round(median(quality.last)) if quality.last else None,
    }  # fmt: skip
