"""Labels: from a document to the proven raster, and the bytes of a small one, beside a bare picture with the same two symbols.

The limit program makes the symbols, pastes them into a white picture of the same size and reads both back: no text, no layout.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import zxingcpp
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "labels"))

from label_samples import AMPOULES, FIVE_DRUGS, MANIFEST, RUSSIAN_POUCH

from devices.label_printer import job_bytes
from labels.documents import LabelDocument
from labels.proof import prove
from labels.render import render
from labels.serial import make_serial
from tests.benchmarks.figures import Figure, beside, percentile, print_table

GOAL_MS = 15.0
GOAL_BYTES = 20_000
LABELS = 200
PROCESS_ID = b"0001"
_FORMATS = zxingcpp.barcode_formats_from_str("DataMatrix,Code128")


def figures(labels: int = LABELS) -> list[Figure]:
    """Draw and prove different labels of each kind one after the other; CPU time of this thread, one label at a time."""
    return [
        *_figure("pouch of three drugs, 80 x 50 mm", _pouches(RUSSIAN_POUCH, labels), 80),
        *_figure("pouch of five drugs, 80 x 50 mm", _pouches(FIVE_DRUGS, labels), 80),
        *_figure("pouch of three drugs, film of 60 mm", _pouches(RUSSIAN_POUCH, labels), 60),
        *_figure("ampoule bag, 60 x 40 mm", _pouches(AMPOULES, labels), 60),
        *_figure("page of a manifest, 80 x 100 mm", [replace(MANIFEST, serial=make_serial(b"%d" % n)) for n in range(labels)], 80),
        _bytes_figure(),
    ]


def _pouches(sample: LabelDocument, labels: int) -> list[LabelDocument]:
    """Make labels of different people, so that nothing that was set once is only looked up."""
    return [replace(sample, serial=make_serial(b"%d" % n), patient=f"{sample.patient} {n}") for n in range(labels)]  # type: ignore[union-attr, call-arg]


def _figure(name: str, documents: list[LabelDocument], width_mm: int) -> list[Figure]:
    size = render(documents[0], width_mm)
    ours = sorted(_each_ms(lambda document: _proven(document, width_mm), documents))
    bare = sorted(_each_ms(lambda document: _bare(document.code, size.width, size.height), documents))
    middle, rare = percentile(ours, 50), percentile(ours, 95)
    return [
        beside(f"label, {name}: drawn and proven, p50", middle, "ms", percentile(bare, 50), f"≤ {GOAL_MS:.0f} ms", middle <= GOAL_MS),
        beside(f"label, {name}: drawn and proven, p95", rare, "ms", percentile(bare, 95), f"≤ {GOAL_MS:.0f} ms", rare <= GOAL_MS),
    ]


def _each_ms(work: Callable[[LabelDocument], None], documents: Iterable[LabelDocument]) -> list[float]:
    found = []
    for document in documents:
        began_s = time.thread_time()
        work(document)
        found.append((time.thread_time() - began_s) * 1000)
    return found


def _proven(document: LabelDocument, width_mm: int) -> None:
    proof = prove(render(document, width_mm), document.code)
    if not proof.passed:
        raise AssertionError(proof.fault)


def _bare(code: str, width: int, height: int) -> None:
    """Make, paste and read two symbols, and nothing else."""
    picture = Image.new("L", (width, height), 255)
    matrix = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    picture.paste(Image.fromarray(matrix.to_image(scale=5, add_quiet_zones=False)), (20, height - 100))
    line = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128)
    picture.paste(Image.fromarray(line.to_image(scale=2, add_quiet_zones=False)), (130, height - 100))
    read = zxingcpp.read_barcodes(picture, formats=_FORMATS, try_rotate=False, try_downscale=False, try_invert=False)
    if {bytes(each.bytes).decode() for each in read} != {code}:
        raise AssertionError(f"the bare picture of {code} was not read")


def _bytes_figure() -> Figure:
    raster = render(AMPOULES, 60)
    size = len(job_bytes(raster, PROCESS_ID))
    return beside("label, 60 x 40 mm as ESC/POS", size, "bytes", len(raster.bits), f"≤ {GOAL_BYTES:,} bytes", size <= GOAL_BYTES)


if __name__ == "__main__":
    print_table(figures())
