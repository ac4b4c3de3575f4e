"""The driver reads the simulated camera by a real VideoCapture: new pictures at once, death and return, frozen and silent."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from camera_plant import CameraProcess, camera_process, look, picture, tablet

from devices.barcode_camera.capture import CaptureSettings
from devices.barcode_camera.content import ContentNote
from devices.barcode_camera.decode import read_half_size
from devices.barcode_camera.inspect import CodeNote, Expected, inspect, look_for
from devices.barcode_camera.stream import CameraState, CameraStream

SERIAL = "ABCDEF0123456789"
EXPECTED = Expected(SERIAL, (look(), look("#c03030", "capsule", 18)))
TABLETS = [tablet(), tablet("#c03030", "capsule", 18)]


def wait_until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.005)


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraProcess]:
    with camera_process("--fps", "10") as process:
        yield process


@pytest.fixture(scope="module")
def stream(camera: CameraProcess) -> Iterator[CameraStream]:
    with CameraStream(camera.stream) as running:
        wait_until(lambda: running.latest() is not None)
        yield running


def test_a_new_pouch_is_seen_at_once(camera: CameraProcess, stream: CameraStream) -> None:
    before = ""
    for number in range(12):
        serial = f"{number:04d}EF0123456789"
        asked_s = time.monotonic()
        camera.lay(serial, TABLETS, f"p{number}")
        found = look_for(
            stream.frames_after(arrived_s=asked_s, timeout_s=3), Expected(serial, EXPECTED.tablets), before=before
        )
        before = serial
        assert found is not None
        assert (found.serials, found.count, found.certain) == ((serial,), 2, True)


def test_three_takes_of_a_new_scene_come_without_waiting_for_the_frame_rate() -> None:
    wanted = Expected("BURST00000000000", EXPECTED.tablets)
    with camera_process("--fps", "1") as slow, CameraStream(slow.stream) as reader:
        wait_until(lambda: reader.latest() is not None)
        slow.lay(wanted.serial, TABLETS, "burst")
        frames = [frame for frame in reader.frames_after(timeout_s=1.5) if inspect(frame, wanted).serials]
    assert len({frame.jpeg for frame in frames}) == 3


def test_wrong_serial_is_seen(camera: CameraProcess, stream: CameraStream) -> None:
    asked_s = time.monotonic()
    camera.lay("WRONG00000000000", TABLETS, "wrong")
    never_laid = Expected("NEVERLAID0000000", EXPECTED.tablets)
    found = look_for(stream.frames_after(arrived_s=asked_s, timeout_s=2), never_laid, tries=100)
    assert found is not None
    assert "WRONG00000000000" in found.serials
    assert CodeNote.OTHER_SERIAL in found.notes


def test_empty_station_is_seen(camera: CameraProcess, stream: CameraStream) -> None:
    asked_s = time.monotonic()
    assert camera.request("DELETE", "/scene") == (200, {"pouch": None})
    never_laid = Expected("NEVERLAID0000000", EXPECTED.tablets)
    found = look_for(stream.frames_after(arrived_s=asked_s, timeout_s=2), never_laid, before="WRONG00000000000")
    assert found is not None
    assert ContentNote.NO_POUCH in found.notes


def test_every_reader_gets_the_picture(camera: CameraProcess, stream: CameraStream) -> None:
    with CameraStream(camera.stream) as other:
        wait_until(lambda: other.latest() is not None)
        asked_s = time.monotonic()
        wanted = Expected("FORBOTHREADERS00", EXPECTED.tablets)
        camera.lay(wanted.serial, TABLETS, "both")
        for reader in (stream, other):
            found = look_for(reader.frames_after(arrived_s=asked_s, timeout_s=3), wanted)
            assert found is not None and wanted.serial in found.serials


def test_frames_after_a_sequence_are_newer_and_end_in_time(stream: CameraStream) -> None:
    newest = stream.latest()
    assert newest is not None
    sequences = [frame.sequence for frame in stream.frames_after(sequence=newest.sequence, timeout_s=0.5)]
    assert sequences == sorted(set(sequences)) and sequences[0] > newest.sequence


def test_a_camera_that_dies_is_down_and_is_found_again() -> None:
    told: list[CameraState] = []
    with camera_process() as first:
        address = first.address
        reader = CameraStream(first.stream, lambda state, reason: told.append(state))
        reader.start()
        wait_until(lambda: reader.health().state is CameraState.LIVE)
        first.process.kill()
    try:
        wait_until(lambda: reader.health().state is CameraState.DOWN)
        assert reader.health().reason
        assert list(reader.frames_after(sequence=10**9, timeout_s=0.05)) == []
        with camera_process(address=address) as second:
            second.lay(SERIAL, TABLETS)
            wait_until(lambda: reader.health().state is CameraState.LIVE)
            found = look_for(reader.frames_after(timeout_s=5, arrived_s=time.monotonic()), EXPECTED)
            assert found is not None and found.serials == (SERIAL,)
            assert reader.health().connections == 2
            assert told == [CameraState.LIVE, CameraState.DOWN, CameraState.LIVE]
    finally:
        reader.stop()


def test_an_address_without_a_camera_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/stream.mjpg"
    with CameraStream(address) as reader:
        wait_until(lambda: reader.health().state is CameraState.DOWN)
        assert address in reader.health().reason
    assert reader.latest() is None


@contextmanager
def stubborn_camera(pictures: Iterator[bytes]) -> Iterator[str]:
    """Serve an MJPEG stream of these pictures, and silence once they end."""
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                self.wfile.write(b"--frame\r\n")
                for jpeg in pictures:
                    part = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n--frame\r\n" % (len(jpeg), jpeg)
                    self.wfile.write(part)
                ended.wait()
            except ConnectionError:
                return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/stream.mjpg"
        finally:
            ended.set()
            server.shutdown()
            thread.join()


def paced(jpeg: bytes, seconds: float) -> Iterator[bytes]:
    """Repeat one picture 100 times a second."""
    end_s, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < end_s:
        yield jpeg
        pause.wait(0.01)


def test_a_camera_that_repeats_the_same_bytes_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.barcode_camera.stream.FROZEN_AFTER_S", 0.3)
    jpeg = picture(None).jpeg
    assert jpeg is not None
    with stubborn_camera(paced(jpeg, 10)) as address, CameraStream(address) as reader:
        wait_until(lambda: reader.health().state is CameraState.FROZEN)


@pytest.mark.parametrize("spoil", [
    pytest.param(lambda jpeg, number: jpeg[: len(jpeg) // 2] if number % 2 else jpeg, id="half a JPEG now and then"),
    pytest.param(lambda jpeg, number: b"no picture at all" * 100 if number % 2 else jpeg, id="no JPEG now and then"),
    pytest.param(lambda jpeg, number: jpeg[: len(jpeg) // 2], id="nothing but halves"),
])
def test_a_camera_that_sends_parts_of_pictures_is_torn_and_no_part_is_offered(spoil: Callable[[bytes, int], bytes]) -> None:
    jpegs = [jpeg for jpeg in (picture(None, blur_sigma=0.5 + step / 10).jpeg for step in range(4)) if jpeg]

    def sent() -> Iterator[bytes]:
        for number, jpeg in enumerate(each for _ in paced(b"", 10) for each in jpegs):
            yield spoil(jpeg, number)

    with stubborn_camera(sent()) as address, CameraStream(address) as reader:
        wait_until(lambda: reader.health().state is CameraState.TORN)
        assert all(frame.jpeg in jpegs for frame in reader.frames_after(timeout_s=0.1))
        assert reader.health().bad_frames > 0


def test_a_covered_lens_is_black_and_a_raw_camera_that_repeats_its_pixels_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.barcode_camera.stream.FROZEN_AFTER_S", 0.0)
    reader = CameraStream("fed-by-hand")
    living = np.full((960, 1280, 3), 90, np.uint8)
    reader._keep(living)
    assert reader.health().state is CameraState.LIVE
    for _ in range(25):
        reader._keep(living.copy())
    assert reader.health().state is CameraState.FROZEN and reader.health().reason == "25"
    monkeypatch.setattr("devices.barcode_camera.stream.LOOK_EVERY_S", 0.0)
    living[0, 0] = 91
    reader._keep(living // 10)
    assert reader.health().state is CameraState.BLACK


def test_a_camera_with_too_few_pictures_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.barcode_camera.stream.SLOW_GAP_S", 0.001)
    jpegs = [jpeg for jpeg in (picture(None, blur_sigma=0.5 + step / 10).jpeg for step in range(4)) if jpeg]
    with stubborn_camera(each for _ in paced(b"", 10) for each in jpegs[:1]) as address, CameraStream(address) as reader:
        wait_until(lambda: reader.health().state is CameraState.SLOW)


def test_what_a_network_camera_does_not_take_is_told(camera: CameraProcess) -> None:
    asked = CaptureSettings.from_text(camera.stream, size="640x480", exposure=50)
    with CameraStream(asked) as reader:
        wait_until(lambda: reader.health().state is CameraState.LIVE)
        refused = reader.health().refused
    assert [each.setting for each in refused] == ["exposure-auto", "width", "height", "exposure"]
    assert (refused[1].wanted, refused[1].kept) == (640, 1280)


@pytest.mark.parametrize(("written", "wrong"), [
    ({"backend": "gstreamer"}, "backend"), ({"size": "640"}, "size"), ({"size": "0x0"}, "size"), ({"size": "99999x9"}, "size"), ({"fps": -1}, "frames"),
])
def test_settings_that_are_none_are_refused_with_what_is_wrong(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        CaptureSettings.from_text("0", **written)


def test_states_are_told_as_they_come_also_those_that_show_with_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.barcode_camera.stream.STALE_AFTER_S", 0.3)
    told: list[CameraState] = []
    jpegs = [jpeg for jpeg in (picture(None, blur_sigma=0.5 + step / 10).jpeg for step in range(3)) if jpeg]
    with stubborn_camera(iter(jpegs)) as address, CameraStream(address, lambda state, reason: told.append(state)):
        wait_until(lambda: CameraState.STALE in told)
    assert told[:2] == [CameraState.LIVE, CameraState.STALE]


def test_a_camera_that_falls_silent_is_stale_and_then_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.barcode_camera.stream.STALE_AFTER_S", 0.3)
    monkeypatch.setattr("devices.barcode_camera.capture.READ_TIMEOUT_MS", 1000)
    jpegs = [jpeg for jpeg in (picture(None, blur_sigma=0.5 + step / 10).jpeg for step in range(3)) if jpeg]
    with stubborn_camera(iter(jpegs * 2)) as address, CameraStream(address) as reader:
        wait_until(lambda: reader.health().state is CameraState.STALE)
        wait_until(lambda: reader.health().state is CameraState.DOWN)


def test_simulated_camera_refuses_what_is_no_scene_and_ends_cleanly(tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    with camera_process("--truth", str(truth)) as process:
        assert process.request("POST", "/scene", {"pouch": "p"})[0] == 400
        assert process.request("POST", "/scene", {"pouch": "p", "width": 8, "height": 2, "raster": "AA=="})[0] == 400
        process.lay(SERIAL, TABLETS, "p7")
        assert process.end() == 0
    facts = [json.loads(line) for line in truth.read_text().splitlines()]
    assert facts == [{
        "what": "pouch-pictured", "pouch": "p7", "tablets": 2, "unreadable": False, "touching": False, "stratum": "apart",
    }]


def test_simulated_camera_draws_the_same_picture_from_the_same_seed_and_pouch() -> None:
    jpegs = []
    for _ in range(2):
        with camera_process("--faults", "mild", "--seed", "5") as process, CameraStream(process.stream) as reader:
            process.lay(SERIAL, TABLETS, "again")
            frames = [frame for frame in reader.frames_after(timeout_s=1) if read_half_size(frame.half_grey)]
            jpegs.append({frame.jpeg for frame in frames})
    assert jpegs[0] == jpegs[1]
    assert len(jpegs[0]) == 3
