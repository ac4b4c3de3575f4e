"""Camera: from a pouch laid into the station to its serial, reading cost, and the idle reader, beside their bare limits."""

import hashlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "camera"))

from camera_plant import CameraProcess, camera_process, look, lying, picture, tablet
from camera_rasters import label

from devices.barcode_camera import read_codes
from devices.barcode_camera.decode import read_code_128, read_data_matrix, read_half_size
from devices.barcode_camera.frame import Frame, Grey
from devices.barcode_camera.inspect import Expected, inspect, look_for
from devices.barcode_camera.stream import CameraStream
from simulators.camera.scene import Scene
from tests.benchmarks.figures import Figure, print_table
from tests.verification.hard_set import hard_case, ordinary_case

TABLETS = ("#ffffff", "round", 9.0), ("#c03030", "capsule", 18.0), ("#e8d060", "oval", 14.0)
POUCHES = 120
DATA_MATRIX = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix)


def percentile_ms(values_s: list[float], share: float) -> float:
    """Give a percentile of durations in ms."""
    return sorted(values_s)[min(len(values_s) - 1, int(len(values_s) * share))] * 1000


def cpu_s(work: Callable[[], object]) -> float:
    """Measure the CPU time of this thread."""
    began_s = time.thread_time()
    work()
    return time.thread_time() - began_s


def expected(number: int) -> Expected:
    """Give the pouch of this number."""
    return Expected(f"{number:04d}K3M9QX2A", tuple(look(*each) for each in TABLETS))


found: list[Figure] = []


def report(name: str, value: float, unit: str, limit: float | None = None) -> None:
    """Keep one figure, and its ratio to the bare limit of the same run."""
    ratio = None if limit is None else value / limit
    found.append(Figure(name, value, unit, limit, ratio))


def bench_inspection() -> None:
    """CPU of one inspection, beside decoding the half-size JPEG and reading it and nothing else."""
    ours_s, bare_s, three_s = [], [], []
    for number in range(60):
        wanted = expected(number)
        jpeg = picture(scene_of(number), 3, "mild").jpeg
        ours_s.append(cpu_s(partial(inspect, Frame(1, 0.0, jpeg), wanted)))
        three_s.append(cpu_s(partial(look_for, [Frame(n, 0.0, jpeg) for n in range(3)], wanted)))
        bare_s.append(cpu_s(partial(bare_read, jpeg or b"")))
    p50_ms = percentile_ms(ours_s, 0.5)
    report("inspection of a frame, CPU p50", p50_ms, "ms", percentile_ms(bare_s, 0.5))
    report("inspection of a frame, CPU p95", percentile_ms(ours_s, 0.95), "ms", percentile_ms(bare_s, 0.95))
    report("looking in three frames, CPU mean", sum(three_s) / 60 * 1000, "ms", sum(bare_s) / 60 * 1000)


def scene_of(number: int) -> Scene:
    """Make the pouch of this number with all its tablets."""
    return Scene(f"b{number}", label(expected(number).serial), tuple(lying(*each) for each in TABLETS))


def bare_read(jpeg: bytes) -> object:
    """Decode a JPEG at half size and read its Data Matrix."""
    half = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_2)
    return zxingcpp.read_barcodes(half, DATA_MATRIX, try_invert=False, try_downscale=False)


def bench_scene() -> None:
    """CPU of drawing a scene in the simulator, beside encoding a JPEG of the same picture alone."""
    drawn_s = [cpu_s(partial(picture, scene_of(number), 3, "mild")) for number in range(30)]
    pixels = cv2.imdecode(np.frombuffer(picture(scene_of(0), 3, "mild").jpeg or b"", np.uint8), cv2.IMREAD_COLOR)
    encoded_s = [cpu_s(partial(cv2.imencode, ".jpg", pixels)) for _ in range(30)]
    report("simulated scene drawn and encoded, CPU p50", percentile_ms(drawn_s, 0.5), "ms", percentile_ms(encoded_s, 0.5))


def bench_decode() -> None:
    """CPU of reading ordinary frames and hard ones, beside half size and zxing-cpp alone on the same frames."""
    ordinary = [ordinary_case(3, number).frames[0] for number in range(40)]
    hard = [hard_case(3, number).frames[0] for number in range(20)]
    readers: dict[str, Callable[[Grey], object]] = {
        "Data Matrix, station": read_data_matrix, "every code, read_codes": read_codes, "Code 128, second reader": read_code_128,
    }
    for kind, frames in (("ordinary", ordinary), ("hard", hard)):
        bare_s = [cpu_s(partial(bare_half, frame)) for frame in frames]
        for name, reader in readers.items():
            ours_s = [cpu_s(partial(reader, frame)) for frame in frames]
            for part, share in (("p50", 0.5), ("p95", 0.95)):
                report(f"{name}, {kind} frame, CPU {part}", percentile_ms(ours_s, share), "ms", percentile_ms(bare_s, share))


def bare_half(frame: Grey) -> object:
    """Halve a grey picture and read its Data Matrix."""
    return zxingcpp.read_barcodes(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), DATA_MATRIX, try_invert=False, try_downscale=False)


def bench_frame_rate() -> None:
    """Frames a second of CPU: JPEG decoded, Data Matrix read, evidence written to a file; beside the same without us."""
    jpegs = [bytes(cv2.imencode(".jpg", ordinary_case(4, number).frames[0])[1]) for number in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        ours_s = cpu_s(lambda: [keep(Path(folder), read_frame(jpeg)) for jpeg in jpegs])
        bare_s = cpu_s(lambda: [(bare_read(jpeg), keep(Path(folder), jpeg)) for jpeg in jpegs])
    report("frames a second of one core, decoded, read and kept", len(jpegs) / ours_s, "1/s", len(jpegs) / bare_s)


def read_frame(jpeg: bytes) -> bytes:
    """Read a frame's Data Matrix and give what is kept of it."""
    frame = Frame(1, 0.0, jpeg)
    if not read_half_size(frame.half_grey):
        read_data_matrix(frame.grey, frame.half_grey)
    return frame.evidence()


def keep(folder: Path, jpeg: bytes) -> None:
    """Write evidence under its hash."""
    (folder / hashlib.sha256(jpeg).hexdigest()).write_bytes(jpeg)


def bench_latency(camera: CameraProcess, stream: CameraStream, fps: int) -> None:
    """Wall time from POST /scene to an inspected frame, beside the POST alone."""
    latencies_s, posts_s, missed = [], [], 0
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    for number in range(POUCHES):
        wanted = expected(number)
        asked_s = time.monotonic()
        camera.lay(wanted.serial, [tablet(*each) for each in TABLETS], f"l{number}")
        posts_s.append(time.monotonic() - asked_s)
        before = expected(number - 1).serial if number else ""
        found = look_for(stream.frames_after(arrived_s=asked_s, timeout_s=1), wanted, before=before)
        missed += found is None or found.serials != (wanted.serial,)
        latencies_s.append(time.monotonic() - asked_s)
    passed_s, cpu = time.monotonic() - began_s, time.process_time() - began_cpu_s
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        bare_ms = percentile_ms(posts_s, share)
        report(f"POST /scene to inspected frame, {fps} fps, {name}", percentile_ms(latencies_s, share), "ms", bare_ms)
    report("pouches a second, one after the other", POUCHES / passed_s, "1/s")
    report("CPU a pouch, this process (makes the label too)", cpu / POUCHES * 1000, "ms")
    report(f"pouches not read, of {POUCHES}", missed, "")


def bench_idle(stream: CameraStream) -> None:
    """CPU of the reader while nothing happens."""
    frames, began_cpu_s, began_s = stream.health().frames, time.process_time(), time.monotonic()
    threading.Event().wait(3)
    share = (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)
    report(f"idle reader at {(stream.health().frames - frames) / 3:.0f} fps, share of one core", share * 100, "%")


def figures() -> list[Figure]:
    """Measure scene, inspection, latency and the idle reader."""
    found.clear()
    cv2.setNumThreads(1)
    bench_scene()
    bench_inspection()
    bench_decode()
    bench_frame_rate()
    for fps in (30, 10):
        options = ("--fps", str(fps), "--faults", "mild", "--seed", "3")
        with camera_process(*options) as camera, CameraStream(camera.stream) as stream:
            bench_latency(camera, stream, fps)
            bench_idle(stream)
    return list(found)


def main() -> None:
    """Print all figures."""
    print_table(figures())


if __name__ == "__main__":
    main()
