"""The camera as pages and board know it: what state it is in, its newest picture, and what the set-up measures of it."""

import json
import threading
import time
from dataclasses import asdict
from fractions import Fraction
from statistics import median_low

from devices.barcode_camera.capture import CaptureSettings
from devices.barcode_camera.codes import DATA_MATRIX
from devices.barcode_camera.decode import read_data_matrix
from devices.barcode_camera.frame import Frame, UnreadableFrame
from devices.barcode_camera.lights import Light, lights_of
from devices.barcode_camera.set_up import SetUpMeasure, measure
from devices.barcode_camera.stream import STALE_AFTER_S, CameraState, CameraStream
from hub.adapters.writer import Writer
from hub.domain.camera_set_up import CameraFigures, Glare
from hub.domain.camera_words import camera_words, lights_words, refused_words
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.camera_at_hand import CAMERA, CameraNow
from hub.services.devices import device_reported

NO_LABEL = Refusal(
    "no-test-label", "No Data Matrix of a label is read in the picture: lay a printed pouch label flat under the camera.",
    "На снимке не читается Data Matrix этикетки: положите под камеру напечатанную этикетку пакета, расправив её.",
)  # fmt: skip
BUSY = Refusal("camera-busy", "The station is looking at a pouch: try again in a moment.", "Станция осматривает пакет: повторите через мгновение.")
NO_BOARD = Words("no relay board is set, one light burns always", "плата реле не настроена, горит один постоянный свет")
TURN_S = 2.0


class CameraDesk:
    """One camera with its lights; `turn` is held by whoever looks at a pouch or switches lights."""

    def __init__(self, writer: Writer, settings: CaptureSettings, lights_path: str = "") -> None:
        self._writer = writer
        self.lights = lights_of(lights_path)
        self.stream = CameraStream(settings, lambda state, reason: self.report())
        self.turn = threading.Lock()
        self._light = self.lights.plan[0]
        self._reported: tuple[str, str] | None = None

    def start(self) -> None:
        """Begin to read the camera, and light what burns between two pouches."""
        self.lights.show(self._light)
        self.stream.start()
        self.report()

    def stop(self) -> None:
        """End the camera and let the lights go."""
        self.stream.stop()
        self.lights.close()

    def report(self) -> None:
        """Tell the board the state of camera and lights, where it changed."""
        health = self.stream.health()
        words = self.trouble()
        status = json.dumps({"reason": words.en, "reason_ru": words.ru}, ensure_ascii=False)
        told = (health.state.value, status)
        if told != self._reported:
            self._reported = told
            self._writer.submit("system", lambda unit: device_reported(unit, CAMERA, *told))

    def trouble(self) -> Words:
        """Say all that is wrong with camera and lights; empty where nothing is."""
        health = self.stream.health()
        told = [camera_words(health.state.value, health.reason)] if health.state is not CameraState.LIVE else []
        told += [lights_words(self.lights.trouble)] if self.lights.trouble else []
        told += [refused_words((each.setting, each.wanted, each.kept) for each in health.refused)] if health.refused else []
        return Words("; ".join(words.en for words in told), "; ".join(words.ru for words in told))

    def picture(self) -> bytes | None:
        """Return the newest frame as JPEG, or None where there is none that is new."""
        frame = self._newest()
        return frame.evidence() if frame is not None else None

    def measured(self) -> CameraFigures | Refusal:
        """Measure the newest frame by the label that lies there."""
        frame = self._newest()
        if frame is None:
            words = camera_words(self.stream.health().state.value, self.stream.health().reason)
            return Refusal("no-picture", f"No picture: {words.en or '-'}.", f"Нет снимка: {words.ru or '-'}.")
        found = measured_frame(frame)
        return NO_LABEL if found is None else figures_of((found,))

    def show_light(self, name: str) -> Refusal | None:
        """Switch to `first`, `second`, `both` or `off` until the next pouch comes; refused while the station looks at one."""
        if not self.turn.acquire(timeout=TURN_S):
            return BUSY
        try:
            self._light = Light[name.upper()]
            self.lights.show(self._light)
        finally:
            self.turn.release()
        self.report()
        trouble = Words(self.lights.trouble, self.lights.trouble) if self._has_lights else NO_BOARD
        return Refusal("no-lights", f"The light was not switched: {trouble.en}.", f"Свет не переключён: {trouble.ru}.") if trouble.en else None

    @property
    def _has_lights(self) -> bool:
        return len(self.lights.plan) > 1

    def now(self) -> CameraNow:
        """Say how camera and lights are."""
        health = self.stream.health()
        return CameraNow(
            health.state.value, self.trouble(), health.frames, health.bad_frames, health.connections, self._has_lights, self._light.name.lower()
        )

    def _newest(self) -> Frame | None:
        frame = self.stream.latest()
        return frame if frame is not None and time.monotonic() - frame.arrived_s <= STALE_AFTER_S else None


def measured_frame(frame: Frame) -> SetUpMeasure | None:
    """Measure a frame by the Data Matrix that is read in it; None where there is none, or no picture."""
    try:
        reads = [read for read in read_data_matrix(frame.grey) if read.identifier == DATA_MATRIX]
        return measure(frame, reads[0]) if reads else None
    except UnreadableFrame:
        return None


def figures_of(measures: tuple[SetUpMeasure, ...]) -> CameraFigures:
    """Return the medians of some measures as exact figures; glare as in the last of them."""
    def middle(name: str) -> Fraction:
        return Fraction(median_low(getattr(each, name) for each in measures)).limit_denominator(1000)

    return CameraFigures(
        pixels_per_module=middle("pixels_per_module"), pixels_per_mm=middle("pixels_per_mm"), edge_px=middle("edge_px"), turn=middle("turn_degrees"),
        tilt=middle("tilt"), paper=round(middle("paper")), unevenness=round(middle("unevenness")),
        glare=tuple(Glare(**asdict(place)) for place in measures[-1].glare),
    )  # fmt: skip
