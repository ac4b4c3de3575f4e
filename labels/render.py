"""Draw a planned label dot by dot: the same document gives the same raster, for ever."""

from PIL import Image, ImageDraw

from labels.documents import LabelDocument
from labels.fonts import ascent, font
from labels.geometry import Plan, SymbolKind, SymbolPlace, TextRun
from labels.layout import plan_label
from labels.raster import Raster, raster_of
from labels.symbols import Symbol, code_128, data_matrix


def render(document: LabelDocument) -> Raster:
    """Lay out and draw a document; raises LabelOverflow or UnprintableText."""
    return draw(plan_label(document))


def draw(plan: Plan) -> Raster:
    """Draw a plan: bars, then texts, then codes."""
    image = Image.new("1", (plan.width, plan.height), 0)
    pen = ImageDraw.Draw(image)
    for bar in plan.bars:
        pen.rectangle((bar.x, bar.y, bar.right - 1, bar.bottom - 1), fill=1)
    for run in plan.runs:
        _draw_run(pen, run)
    for place in plan.symbols:
        _draw_symbol(image, place, plan.serial)
    return raster_of(image)


def _draw_run(pen: ImageDraw.ImageDraw, run: TextRun) -> None:
    base = (run.box.x, run.box.y + ascent(run.size))
    pen.text(base, run.text, fill=0 if run.inverted else 1, font=font(run.face, run.size), anchor="ls")


def _draw_symbol(image: Image.Image, place: SymbolPlace, serial: str) -> None:
    symbol = _symbol(place, serial)
    width, height = symbol.size
    left = place.box.x + (place.box.width - width) // 2
    image.paste(symbol.image, (left, place.box.y + (place.box.height - height) // 2))


def _symbol(place: SymbolPlace, serial: str) -> Symbol:
    if place.kind is SymbolKind.DATA_MATRIX:
        return data_matrix(serial)
    return code_128(serial, place.box.height)
