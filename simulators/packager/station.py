"""The light box under the camera: tells the camera simulator what lies there, in the order in which it came and went."""

import http.client
import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Scene = dict[str, Any] | None

ANSWER_TIMEOUT_S = 5.0
PATIENCE_S = 2.0
RETRY_S = 0.2


class Station:
    """Posts scenes from a thread of its own, so that the firmware answers its line meanwhile.

    A camera that is away holds the machine up for two seconds at most, as a real one would not hold it up at all; the
    scene is posted again and again until the camera has it or something else lies there. Without a URL nothing is posted.
    """

    def __init__(self, url: str | None, wake: Callable[[], None]) -> None:
        self._address = None if url is None else urlsplit(url).netloc
        self._wake = wake
        self._shown = threading.Event()
        self._queue: queue.Queue[tuple[bool, Scene]] = queue.Queue(maxsize=16)
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="station", daemon=True)
        self._thread.start()

    def show(self, scene: Scene) -> None:
        """Lay a pouch into the station, or clear it (None)."""
        if self._address is not None:
            self._queue.put((True, scene), timeout=ANSWER_TIMEOUT_S)
        elif scene is not None:
            self._report()

    def take_shown(self) -> bool:
        """Tell, once for each scene, that its picture is being sent."""
        shown = self._shown.is_set()
        self._shown.clear()
        return shown

    def wait_shown(self, timeout_s: float) -> None:
        """Wait until the scene laid last is being sent; for the start, before the port is open."""
        self._shown.wait(timeout_s)

    def close(self) -> None:
        """End the thread; a scene that could not be posted is given up."""
        self._queue.put((False, None), timeout=ANSWER_TIMEOUT_S)
        self._thread.join(ANSWER_TIMEOUT_S)
        self._hang_up()

    def _run(self) -> None:
        while True:
            going_on, scene = self._queue.get()
            if not going_on:
                return
            self._deliver(scene)

    def _deliver(self, scene: Scene) -> None:
        begun = time.monotonic()
        told = scene is None
        while not self._send(scene):
            if not told and time.monotonic() - begun > PATIENCE_S:
                told = True
                print("packager: the camera does not take the scene", file=sys.stderr, flush=True)
                self._report()
            if not self._queue.empty() and told:
                return
            time.sleep(RETRY_S)
        if not told:
            self._report()

    def _send(self, scene: Scene) -> bool:
        body = None if scene is None else json.dumps(scene)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(str(self._address), timeout=ANSWER_TIMEOUT_S)
            self._connection.request("DELETE" if scene is None else "POST", "/scene", body)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return False
        if response.status >= 400:
            print(f"packager: the camera refused a scene: {answer!r}", file=sys.stderr, flush=True)
        return response.status < 500

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _report(self) -> None:
        self._shown.set()
        self._wake()
