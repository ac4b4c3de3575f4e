"""The label that the product prints is read by the product's camera, in pictures as they come from a working station."""

from datetime import date, datetime

import numpy as np
from camera_plant import look, lying, picture

from devices.barcode_camera.inspect import Expected, inspect
from labels.documents import DoseLine, Language, Mark, PouchLabel
from labels.render import render
from labels.serial import make_serial
from simulators.camera.scene import Scene, draw_conditions, scene_random

LOOKS = (("#ffffff", "round", 9.0), ("#c03030", "capsule", 18.0))


def printed(serial: str) -> np.ndarray:
    """Render a pouch label as rows x columns of 0 and 1."""
    raster = render(PouchLabel(
        serial=serial, language=Language.RUSSIAN, department="Терапия", room="12-3", patient="Иванова Мария Петровна",
        birth_date=date(1950, 1, 2), slot="08:00", due=datetime.fromisoformat("2026-11-23T08:00"), expiry=date(2026, 12, 1), lot_set="L1",
        lines=(DoseLine("Парацетамол", "500 мг", "таблетки", "1 × 500 мг"), DoseLine("Омепразол", "20 мг", "капсулы", "1")),
        marks=frozenset({Mark.HIGH_ALERT, Mark.LOOK_ALIKE}),
    ))
    rows = np.frombuffer(raster.bits, np.uint8).reshape(raster.height, -1)
    return np.unpackbits(rows, axis=1)[:, :raster.width]


def test_serial_of_every_readable_pouch_is_read_and_no_other() -> None:
    for number in range(40):
        serial = make_serial(f"pouch {number}".encode())
        scene = Scene(f"product {number}", printed(serial), tuple(lying(*each) for each in LOOKS))
        inspection = inspect(picture(scene, 2, "mild"), Expected(serial, tuple(look(*each) for each in LOOKS)))
        unreadable = draw_conditions(scene_random(2, scene.pouch), "mild").unreadable
        assert inspection.serials == (serial,) or (unreadable and inspection.serials == ())
        assert inspection.count == 2 or not inspection.certain
