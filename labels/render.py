"""Draw a planned label dot by dot: the same document gives the same raster, for ever."""

from functools import lru_cache

from PIL import Image, ImageDraw

from labels.documents import LabelDocument
from labels.fonts import Face, ascent, font
from labels.geometry import Plan, SymbolKind, SymbolPlace, TextRun
from labels.layout import STANDARD_WIDTH_MM, plan_label
from labels.raster import Raster, raster_of
from labels.symbols import Symbol, code_128, data_matrix


def render(document: LabelDocument, width_mm: int = STANDARD_WIDTH_MM) -> Raster:
    """Lay out and draw a document on film or roll of a width; raises LabelError."""
    return draw(plan_label(document, width_mm))


def draw(plan: Plan) -> Raster:
    """Draw a plan: bars, then texts, then codes."""
    image = Image.new("1", (plan.width, plan.height), 0)
    pen = ImageDraw.Draw(image)
    for bar in plan.bars:
        pen.rectangle((bar.x, bar.y, bar.right - 1, bar.bottom - 1), fill=1)
    for run in plan.runs:
        _draw_run(image, run)
    for place in plan.symbols:
        _draw_symbol(image, place, plan.code)
    return raster_of(image)


def _draw_run(image: Image.Image, run: TextRun) -> None:
    ink, left, top = _ink(run.face, run.size, run.text)
    image.paste(0 if run.inverted else 1, (run.box.x + left, run.box.y + ascent(run.size) + top), ink)


@lru_cache(maxsize=2048)
def _ink(face: Face, size: int, text: str) -> tuple[Image.Image, int, int]:
    """Draw a text once: names of drugs, rules and the label's own words come again; returns it and its place from the base line."""
    left, top, right, bottom = (round(edge) for edge in font(face, size).getbbox(text, mode="1", anchor="ls"))
    ink = Image.new("1", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(ink).text((-left, -top), text, fill=1, font=font(face, size), anchor="ls")
    return ink, left, top


def _draw_symbol(image: Image.Image, place: SymbolPlace, code: str) -> None:
    symbol = symbol_of(place, code)
    width, height = symbol.size
    left = place.box.x + (place.box.width - width) // 2
    image.paste(symbol.image, (left, place.box.y + (place.box.height - height) // 2))


def symbol_of(place: SymbolPlace, code: str) -> Symbol:
    """Draw the symbol of a place; raises LabelOverflow where the code is too long for it."""
    if place.kind is SymbolKind.DATA_MATRIX:
        return data_matrix(code, place.module_dots, min(place.box.width, place.box.height))
    return code_128(code, place.module_dots, place.box.width, place.box.height)
