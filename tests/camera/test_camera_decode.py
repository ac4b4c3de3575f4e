"""The codes of a picture are read, and told apart, as the camera sees them."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import zxingcpp
from camera_plant import ROOT, picture
from camera_rasters import label, symbol

from devices.barcode_camera.decode import (
    CODE_128,
    DATA_MATRIX,
    _is_read_alike,
    read_code_128,
    read_data_matrix,
    second_reader_missing,
)
from simulators.camera.scene import Scene, draw_conditions, scene_random

SERIAL = "7K3M9QX2AB4T1HWZ"


def drawn(raster: np.ndarray, margin: int = 40) -> np.ndarray:
    """Print a raster in grey, twice as large, with a white margin."""
    return np.pad(np.where(raster > 0, 20, 230).astype(np.uint8).repeat(2, 0).repeat(2, 1), margin, constant_values=230)


def data_matrix(content: str, **options: object) -> np.ndarray:
    return symbol(content, zxingcpp.BarcodeFormat.DataMatrix, 5, force_square=True, **options)


def test_reads_serial_with_identifier_and_print_quality() -> None:
    (read,) = read_data_matrix(drawn(data_matrix(SERIAL)))
    assert (read.payload, read.symbology, read.identifier, read.reader) == (SERIAL.encode(), "DataMatrix", DATA_MATRIX, "zxing-cpp/half")
    assert read.quality == 1.0


def test_damage_lowers_the_unused_error_correction_before_the_code_is_lost() -> None:
    raster = data_matrix(SERIAL)
    raster[30:50, 40:50] ^= 1
    (read,) = read_data_matrix(drawn(raster))
    assert read.text == SERIAL
    assert read.quality is not None and read.quality < 0.9


def test_gs1_code_of_a_supplier_keeps_its_own_identifier() -> None:
    raster = data_matrix("(01)04012345678901(21)A1", gs1=True)
    (read,) = read_data_matrix(drawn(raster))
    assert (read.payload, read.identifier) == (b"010401234567890121A1", "]d2")


def test_other_symbologies_are_not_read() -> None:
    raster = symbol(SERIAL, zxingcpp.BarcodeFormat.QRCode, 4)
    assert read_data_matrix(drawn(raster)) == ()


def test_two_codes_in_one_picture_are_both_reported() -> None:
    first, second = data_matrix("AAAABBBBCCCC1111"), data_matrix("DDDDEEEEFFFF2222")
    both = np.hstack([first, np.zeros((first.shape[0], 60), np.uint8), second])
    assert {read.text for read in read_data_matrix(drawn(both))} == {"AAAABBBBCCCC1111", "DDDDEEEEFFFF2222"}


def test_an_empty_station_has_no_code() -> None:
    frame = picture(None)
    assert read_data_matrix(frame.grey, frame.half_grey) == ()
    assert read_code_128(frame.grey) == ()


def test_every_readable_scene_is_read_rightly_under_blur_noise_and_tilt() -> None:
    unread = 0
    for number in range(60):
        serial = f"{number:04d}K3M9QX2AB4T1"
        scene = Scene(f"d{number}", label(serial))
        frame = picture(scene, 11, "mild")
        payloads = [read.text for read in read_data_matrix(frame.grey, frame.half_grey)]
        unreadable = draw_conditions(scene_random(11, scene.pouch), "mild").unreadable
        assert payloads == [serial] or (unreadable and payloads == [])
        unread += payloads == []
    assert unread <= 3


@pytest.mark.parametrize(("angle", "blur_sigma", "noise_sigma"), [(6, 0.8, 4), (0, 2.5, 4), (2, 0.8, 25), (20, 1.5, 8)])
def test_reads_single_hard_conditions(angle: float, blur_sigma: float, noise_sigma: float) -> None:
    frame = picture(Scene("hard", label(SERIAL)), angle=angle, blur_sigma=blur_sigma, noise_sigma=noise_sigma)
    assert [read.text for read in read_data_matrix(frame.grey, frame.half_grey)] == [SERIAL]


def test_second_reader_reads_the_code_128_by_itself_or_says_that_it_is_missing() -> None:
    frame = picture(Scene("bars", label("7K3M9QX2AB4T")))
    expected = [("7K3M9QX2AB4T", CODE_128)] if second_reader_missing() is None else []
    assert [(read.text, read.identifier) for read in read_code_128(frame.grey)] == expected


def test_without_the_system_library_there_is_no_second_reader_and_nothing_fails() -> None:
    program = """
import sys
sys.modules["pyzbar"] = None
import numpy
from devices.barcode_camera import decode
assert "libzbar0" in decode.second_reader_missing()
assert decode.read_code_128(numpy.full((200, 200), 255, numpy.uint8)) == ()
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)


def test_devices_are_imported_without_opencv() -> None:
    program = "import sys, devices; assert 'cv2' not in sys.modules and 'zxingcpp' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)


def test_a_linear_code_that_is_no_serial_of_ours_counts_only_if_both_readers_agree() -> None:
    bars = drawn(symbol("SUPPLIER 42", zxingcpp.BarcodeFormat.Code128, 2)[:1].repeat(64, axis=0))
    (read,) = read_code_128(bars)
    assert read.text == "SUPPLIER 42"
    assert _is_read_alike(read, bars)
    assert not _is_read_alike(replace(read, payload=b"(UPPLIER 42"), bars)
