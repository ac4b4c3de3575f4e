"""How the camera of a station must hang: what was measured of a test label, what to move, and when it was knocked since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from hub.domain.identifiers import DeviceId, UserId
from hub.domain.words import Words

MODULE_PX_LEAST = Fraction(4)
"""Below 4 px a module codes are lost (measured: 92 % read at 3, a third at 2.25, none below 1.9)."""
SCALE_WANTED, SCALE_SLACK = Fraction(9), Fraction(8, 10)
EDGE_PX_MOST = Fraction(25, 10)
TURN_MOST, TILT_MOST = Fraction(3), Fraction(6, 100)
PAPER_LEAST, PAPER_MOST = 150, 240
GLARE_MOST_PERMILLE = 5
UNEVEN_MOST = 40
SCALE_DRIFT = Fraction(4, 100)
EDGE_DRIFT_PX = Fraction(15, 10)


@dataclass(frozen=True, slots=True)
class Glare:
    """A saturated place: `down` top, middle or bottom and `across` left, middle or right of the picture, and its share in permille."""

    down: str
    across: str
    permille: int


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """What a picture of a test label shows of the camera.

    `pixels_per_module`, `pixels_per_mm`, `edge_px` (10 to 90 % of an edge) in px of the full frame; `turn` in degrees, positive where the label
    appears turned clockwise; `tilt`: how much longer one side of the symbol is than its opposite, as a share; `paper`: level of the white paper
    0 to 255; `unevenness`: levels between the brightest and the darkest part of the base.
    """

    pixels_per_module: Fraction
    pixels_per_mm: Fraction
    edge_px: Fraction
    turn: Fraction
    tilt: Fraction
    paper: int
    unevenness: int
    glare: tuple[Glare, ...] = ()

    @property
    def pixels_per_mm_text(self) -> str:
        """Return the scale as it is told."""
        return decimal(self.pixels_per_mm)

    def told(self) -> dict[str, str | int]:
        """Return the figures for the ledger, decimals as text."""
        return {
            "pixels_per_module": decimal(self.pixels_per_module), "pixels_per_mm": decimal(self.pixels_per_mm), "edge_px": decimal(self.edge_px),
            "turn": decimal(self.turn), "tilt": decimal(self.tilt, 3), "paper": self.paper, "unevenness": self.unevenness,
            "glare": sum(place.permille for place in self.glare),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CameraSetUp:
    """Figures that a person accepted: the camera stands right."""

    device: DeviceId
    accepted_at: datetime
    accepted_by: UserId
    figures: CameraFigures


def decimal(value: Fraction, places: int = 2) -> str:
    """Return a figure with so many places."""
    return f"{float(value):.{places}f}"


def what_to_move(figures: CameraFigures, height_mm: int, light: int = 0) -> tuple[Words, ...]:
    """Return what is to be moved before a set-up is accepted, the most important first; empty where the camera stands right.

    `height_mm`: of the lens above the pouch; `light`: the number of the one light that burns, 0 where that is not known.
    """
    return (*_height(figures, height_mm), *_focus(figures), *_exposure(figures), *_glares(figures, light), *_turns(figures), *_base(figures))


def _height(figures: CameraFigures, height_mm: int) -> Iterator[Words]:
    off = figures.pixels_per_mm - SCALE_WANTED
    if abs(off) <= SCALE_SLACK and figures.pixels_per_module >= MODULE_PX_LEAST:
        return
    # The picture of a thing is as large as the lens is near: scale times height stays the same.
    move_mm = round(height_mm * (1 - figures.pixels_per_mm / SCALE_WANTED))
    way, way_ru = ("Lower", "Опустите") if move_mm > 0 else ("Raise", "Поднимите")
    scale, module = decimal(figures.pixels_per_mm), decimal(figures.pixels_per_module, 1)
    yield Words(
        f"{way} the camera by about {centimetres(move_mm)} cm: {scale} px/mm ({module} px a module), wanted {decimal(SCALE_WANTED, 1)} ± {decimal(SCALE_SLACK, 1)}.",
        f"{way_ru} камеру примерно на {centimetres(move_mm)} см: {scale} пикс/мм ({module} пикс на модуль), нужно {decimal(SCALE_WANTED, 1)} ± {decimal(SCALE_SLACK, 1)}.",
    )


def centimetres(millimetres: int) -> str:
    """Return a distance in cm to half a centimetre, at least half a one."""
    return f"{max(5, round(abs(millimetres) / 5) * 5) / 10:g}"


def _focus(figures: CameraFigures) -> Iterator[Words]:
    if figures.edge_px > EDGE_PX_MOST:
        edge, most = decimal(figures.edge_px, 1), decimal(EDGE_PX_MOST, 1)
        yield Words(
            f"Focus the lens: edges are {edge} px wide, at most {most}.",
            f"Наведите резкость: края шириной {edge} пикс, допустимо {most}.",
        )


def _exposure(figures: CameraFigures) -> Iterator[Words]:
    if figures.paper < PAPER_LEAST:
        yield Words(
            f"Too dark: white paper has level {figures.paper}, at least {PAPER_LEAST}. Raise the exposure or the light.",
            f"Слишком темно: белая бумага имеет уровень {figures.paper}, нужно не меньше {PAPER_LEAST}. Увеличьте экспозицию или свет.",
        )
    if figures.paper > PAPER_MOST:
        yield Words(
            f"Too bright: white paper has level {figures.paper}, at most {PAPER_MOST}. Lower the exposure or the light.",
            f"Слишком светло: белая бумага имеет уровень {figures.paper}, допустимо {PAPER_MOST}. Уменьшите экспозицию или свет.",
        )


_PLACES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("top", "left"): ("at the top left", "слева вверху"), ("top", "middle"): ("at the top", "вверху"), ("top", "right"): ("at the top right", "справа вверху"),
    ("middle", "left"): ("at the left", "слева"), ("middle", "middle"): ("in the middle", "в середине"), ("middle", "right"): ("at the right", "справа"),
    ("bottom", "left"): ("at the bottom left", "слева внизу"), ("bottom", "middle"): ("at the bottom", "внизу"),
    ("bottom", "right"): ("at the bottom right", "справа внизу"),
}  # fmt: skip


def _glares(figures: CameraFigures, light: int) -> Iterator[Words]:
    which, which_ru = (f"Light {light}", f"Свет {light}") if light else ("The light", "Свет")
    for place in figures.glare:
        if place.permille > GLARE_MOST_PERMILLE:
            where, where_ru = _PLACES[place.down, place.across]
            share = decimal(Fraction(place.permille, 10), 1)
            yield Words(
                f"{which} glares {where} ({share} % of the picture): tilt it or move it outwards.",
                f"{which_ru} бликует {where_ru} ({share} % снимка): наклоните его или отодвиньте наружу.",
            )


def _turns(figures: CameraFigures) -> Iterator[Words]:
    if abs(figures.turn) > TURN_MOST:
        # Where the label appears turned clockwise, the camera is turned the other way.
        way, way_ru = ("clockwise", "по часовой стрелке") if figures.turn > 0 else ("counterclockwise", "против часовой стрелки")
        turn = decimal(abs(figures.turn), 0)
        yield Words(f"Turn the camera by {turn}° {way}.", f"Поверните камеру на {turn}° {way_ru}.")
    if figures.tilt > TILT_MOST:
        share, most = decimal(figures.tilt * 100, 0), decimal(TILT_MOST * 100, 0)
        yield Words(
            f"The camera does not look straight down: opposite sides of the code differ by {share} %, at most {most} %. Level it.",
            f"Камера смотрит не отвесно: противоположные стороны кода различаются на {share} %, допустимо {most} %. Выровняйте её.",
        )


def _base(figures: CameraFigures) -> Iterator[Words]:
    if figures.unevenness > UNEVEN_MOST:
        yield Words(
            f"The base is unevenly lit: {figures.unevenness} levels between its parts, at most {UNEVEN_MOST}. Clean it and set the lights alike.",
            f"Основание освещено неровно: {figures.unevenness} уровней между частями, допустимо {UNEVEN_MOST}. Очистите его и выровняйте свет.",
        )


def moved_words(device: DeviceId, accepted: CameraFigures, seen: CameraFigures) -> Words | None:
    """Say that a camera does not stand as it was accepted: its scale differs by 4 %, or edges are 1.5 px wider; None where it does."""
    scale_off = seen.pixels_per_mm / accepted.pixels_per_mm - 1
    if abs(scale_off) <= SCALE_DRIFT and seen.edge_px - accepted.edge_px <= EDGE_DRIFT_PX:
        return None
    now, then = f"{decimal(seen.pixels_per_mm)} px/mm, {decimal(seen.edge_px, 1)} px", f"{decimal(accepted.pixels_per_mm)} px/mm, {decimal(accepted.edge_px, 1)} px"
    return Words(
        f"{device} does not stand as it was set up: scale and edges are {now}, accepted were {then}. It was knocked or the lens moved: set it up anew.",
        f"{device} стоит не так, как при настройке: масштаб и края {now}, принято было {then} (пикс/мм, пикс). Камеру сдвинули или сбит объектив: настройте её заново.",
    )
