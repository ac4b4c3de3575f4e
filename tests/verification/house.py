"""What the runs that measure verification are about: a house's tablets and the labels that its printer made."""

import random
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import zxingcpp

from labels.documents import DoseLine, Language, Mark, PouchLabel
from labels.render import render
from labels.serial import make_serial
from simulators.camera.scene import Picture, Tablet

LABELS = 47
"""Shares no factor with faults and strata, so that each label meets all of them."""
QUIET_DOTS = 4
Box = tuple[int, int, int, int]


def _tablet(colour: str, shape: str, size_mm: float, second: str | None = None) -> Tablet:
    return Tablet(_bgr(colour), shape, size_mm, second_colour=None if second is None else _bgr(second))


def _bgr(text: str) -> tuple[int, int, int]:
    red, green, blue = (int(text[start : start + 2], 16) for start in (1, 3, 5))
    return blue, green, red


TABLETS = {
    "white round 6": _tablet("#ffffff", "round", 6),
    "white round 8": _tablet("#fdfdf8", "round", 8),
    "white round 8.2, its twin": _tablet("#ffffff", "round", 8.2),
    "white round 9.5": _tablet("#ffffff", "round", 9.5),
    "white round 12": _tablet("#f5f3ee", "round", 12),
    "white oval 14": _tablet("#ffffff", "oval", 14),
    "white oval 18": _tablet("#faf8f0", "oval", 18),
    "white capsule 18": _tablet("#ffffff", "capsule", 18),
    "cream round 10": _tablet("#f0e6c8", "round", 10),
    "yellow round 8": _tablet("#e8d060", "round", 8),
    "yellow round 8, its twin": _tablet("#ead868", "round", 8),
    "orange round 9": _tablet("#f0a030", "round", 9),
    "pink round 7": _tablet("#e080a0", "round", 7),
    "red capsule 19": _tablet("#c03030", "capsule", 19),
    "red-white capsule 19": _tablet("#c03030", "capsule", 19, "#ffffff"),
    "blue oval 15": _tablet("#3060b0", "oval", 15),
    "light blue round 8": _tablet("#60a0d0", "round", 8),
    "green capsule 21": _tablet("#50a060", "capsule", 21),
    "green-yellow capsule 17": _tablet("#50a060", "capsule", 17, "#e8d060"),
    "brown round 8": _tablet("#7a4a2a", "round", 8),
}
"""By the name under which the report tells of it; twins are there because every house has some, and no picture tells them apart."""

DRUGS = (
    ("Парацетамол", "500 мг", "таблетки", "2 × 500 мг = 1000 мг"),
    ("Омепразол", "20 мг", "капсулы", "1 × 20 мг"),
    ("Метопролола тартрат", "25 мг", "таблетки", "2 × 25 мг = 50 мг"),
    ("Ацетилсалициловая кислота", "100 мг", "таблетки", "1 × 100 мг"),
    ("Варфарин", "2,5 мг", "таблетки", "1 × 2,5 мг"),
    ("Амлодипин", "5 мг", "таблетки", "1 × 5 мг"),
)
PATIENTS = (
    "Иванова Мария Петровна",
    "Смирнов Алексей",
    "Кузнецова Ольга Викторовна",
    "Ли Андрей",
    "Константинопольский Пётр Ильич",
)


@dataclass(frozen=True)
class Label:
    """A label as it was sent to the printer: its serial, its dots (1 = black), and where its Data Matrix stands on it."""

    serial: str
    raster: Picture
    matrix: Box


def make_label(seed: int, number: int) -> Label:
    """Draw the product's own label of a made-up pouch; the same seed and number give the same."""
    chance, serial = random.Random(f"label/{seed}/{number}"), make_serial(f"verification {seed} {number}".encode())
    drugs = chance.sample(DRUGS, chance.randint(1, 3))
    drawn = render(
        PouchLabel(
            serial=serial,
            language=chance.choice(list(Language)),
            department=chance.choice(("Терапия", "Хирургия", "Кардиология")),
            room=f"{chance.randint(1, 30)}-{chance.randint(1, 6)}",
            patient=chance.choice(PATIENTS),
            birth_date=date(1950, 1, 2),
            slot=chance.choice(("08:00", "14:00", "20:00")),
            due=datetime.fromisoformat("2026-11-23T08:00"),
            expiry=date(2026, 12, 1),
            lot_set=f"L{number}",
            lines=tuple(DoseLine(*drug) for drug in drugs),
            marks=frozenset(chance.sample(list(Mark), chance.randint(0, 2))),
        )
    )
    raster = np.unpackbits(np.frombuffer(drawn.bits, np.uint8).reshape(drawn.height, -1), axis=1)[:, : drawn.width]
    return Label(serial, raster, _matrix_box(raster))


def _matrix_box(raster: Picture) -> Box:
    """Find left, top, right, bottom of the Data Matrix in dots."""
    grey = np.where(raster > 0, 0, 255).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormat.DataMatrix)
    corners = [getattr(found.position, name) for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return (
        max(0, min(across) - QUIET_DOTS),
        max(0, min(down) - QUIET_DOTS),
        max(across) + QUIET_DOTS,
        max(down) + QUIET_DOTS,
    )
