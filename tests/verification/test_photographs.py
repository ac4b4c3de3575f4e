"""Pictures of a folder are read by both readers, and what only one of them reads is told with its file."""

from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from tests.verification.photographs import compared, read_by_both


def symbol(content: str, code: zxingcpp.BarcodeFormat) -> np.ndarray:
    return np.asarray(zxingcpp.create_barcode(content, code).to_image(scale=4), np.uint8)


def test_what_only_one_reader_reads_is_told_with_its_file() -> None:
    tallies = compared([("a.png", {("ITF", b"12")}, set()), ("b.png", {("EAN8", b"1")}, {("EAN8", b"1"), ("EAN8", b"2")})])
    assert vars(tallies["ITF"]) == {"alone": 1, "ours": 0, "only_alone": ["a.png: b'12'"], "only_ours": []}
    assert vars(tallies["EAN8"]) == {"alone": 1, "ours": 2, "only_alone": [], "only_ours": ["b.png: b'2'"]}


def test_files_are_read_by_both(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "matrix.png"), symbol("7K3M9QX2AB4T", zxingcpp.BarcodeFormat.DataMatrix))
    (tmp_path / "text.png").write_text("no picture")
    [(name, alone, ours)] = read_by_both(sorted(tmp_path.iterdir()))
    assert (name, alone, ours) == (str(tmp_path / "matrix.png"), {("DataMatrix", b"7K3M9QX2AB4T")}, {("DataMatrix", b"7K3M9QX2AB4T")})
