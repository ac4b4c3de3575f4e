"""The replay's chart: how many packed doses came back, for each number of packings a day, as a small SVG file."""

from collections.abc import Sequence
from html import escape

from hub.replay.figures import Figures

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 360, 70, 60, 50
PALETTE = ("#1f5f8b", "#d98f2b", "#7a9e3a", "#a34a4a", "#6b5b95", "#4d9a9a", "#8c8c8c")


def returns_chart(runs: Sequence[Figures], title: str) -> str:
    """Return bars of returned doses by reason, one for each run; the share of packed doses stands above it."""
    highest = max((run.came_back for run in runs), default=0) or 1
    reasons = sorted({reason for run in runs for reason in run.returns}, key=lambda name: -sum(run.returns[name] for run in runs))
    step = (WIDTH - LEFT - 190) / max(len(runs), 1)
    parts = [part for place, run in enumerate(runs) for part in _bar(run, reasons, LEFT + place * step, step * 0.6, highest)]
    return "\n".join((_head(title), *_axis(highest), *parts, *_legend(reasons), "</svg>")) + "\n"


def _head(title: str) -> str:
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    style = 'font-family="sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{_text(LEFT, 24, title, size=15)}'
    )


def _axis(highest: int) -> list[str]:
    lines = []
    for share in (0, 0.5, 1):
        y = _y(highest * share, highest)
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - 190}" y1="{y:.1f}" y2="{y:.1f}" stroke="#cccccc"/>')
        lines.append(_text(LEFT - 8, y + 4, f"{highest * share:.0f}", anchor="end"))
    return lines


def _bar(run: Figures, reasons: Sequence[str], x: float, width: float, highest: int) -> list[str]:
    parts, below = [], 0
    for number, reason in enumerate(reasons):
        count = run.returns[reason]
        top, height = _y(below + count, highest), _y(below, highest) - _y(below + count, highest)
        colour = PALETTE[number % len(PALETTE)]
        parts.append(f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')
        below += count
    middle = x + width / 2
    parts.append(_text(middle, _y(below, highest) - 6, f"{run.came_back} ({run.share_back:.1%})", anchor="middle"))
    parts.append(_text(middle, HEIGHT - BOTTOM + 18, f"{run.packings} × a day", anchor="middle"))
    return parts


def _legend(reasons: Sequence[str]) -> list[str]:
    parts, x = [], WIDTH - 175
    for number, reason in enumerate(reasons):
        y = TOP + 20 * number
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{PALETTE[number % len(PALETTE)]}"/>')
        parts.append(_text(x + 18, y + 10, reason))
    return parts


def _y(count: float, highest: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP - 20) * count / highest


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
