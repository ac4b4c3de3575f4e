"""A manifest over as many pages as it needs: each row stands whole on one of them, and each page says which of how many it is."""

from dataclasses import replace

from labels.documents import ManifestLabel
from labels.errors import LabelOverflow
from labels.layout import STANDARD_WIDTH_MM, fits, plan_label

MOST_PAGES = 20
MOST_ROWS_A_PAGE = 60


def pages_of(manifest: ManifestLabel, width_mm: int = STANDARD_WIDTH_MM) -> tuple[ManifestLabel, ...]:
    """Split a manifest into pages that fit; raises LabelOverflow where one row alone does not, or there are over 20 pages."""
    found: list[ManifestLabel] = []
    rest = replace(manifest, page=MOST_PAGES, pages=MOST_PAGES)
    while rest.rows:
        page = _first_page(rest, width_mm)
        found.append(page)
        if len(found) > MOST_PAGES:
            raise LabelOverflow(f"rows: {len(manifest.rows)} patients need more than {MOST_PAGES} pages")
        if len(page.rows) == len(rest.rows):
            break
        rest = replace(rest, rows=rest.rows[len(page.rows) :])
    return tuple(replace(page, page=number, pages=len(found)) for number, page in enumerate(found, 1))


def _first_page(manifest: ManifestLabel, width_mm: int) -> ManifestLabel:
    """Take as many rows as fit one page, by halving; raises LabelOverflow where not even the first does."""
    fitting, over = 0, min(len(manifest.rows), MOST_ROWS_A_PAGE) + 1
    while over - fitting > 1:
        middle = (fitting + over) // 2
        if fits(replace(manifest, rows=manifest.rows[:middle]), width_mm):
            fitting = middle
        else:
            over = middle
    if not fitting:
        plan_label(replace(manifest, rows=manifest.rows[:1]), width_mm)
    return replace(manifest, rows=manifest.rows[:fitting])
