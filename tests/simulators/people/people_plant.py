"""A recorder that answers scripted bodies over real HTTP, in place of whatever the people call."""

import base64
import json
import random
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import zxingcpp

from simulators.people.calls import Hub, Machine
from simulators.people.crew import Crew
from simulators.people.matter import World
from simulators.truth import Truth

Answer = tuple[int, Any]
HANG_UP: Answer = (0, None)
"""Take the call and close the connection without an answer."""


class Script:
    """Scripted answers by method and path; the last one of a path is repeated, and a function is called with the body."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any, str]] = []
        self._answers: dict[tuple[str, str], deque[Any]] = {}

    def on(self, method: str, path: str, *answers: Any) -> None:
        self._answers[(method, path)] = deque(answers)

    def bodies(self, path: str) -> list[Any]:
        return [body for method, called, body, _ in self.calls if method == "POST" and called == path]

    def callers(self, path: str) -> list[str]:
        return [token for _, called, _, token in self.calls if called == path]

    def answer(self, method: str, path: str, body: Any, token: str) -> Answer:
        self.calls.append((method, path, body, token))
        waiting = self._answers.get((method, path.partition("?")[0]))
        if waiting is None:
            return (200, []) if method == "GET" or path.endswith("take") else (200, {})
        answer = waiting.popleft() if len(waiting) > 1 else waiting[0]
        return answer(body) if callable(answer) else answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "Recorder"

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def serve(self, method: str) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        answer = self.server.script.answer(method, unquote(self.path), json.loads(raw) if raw else None, token)
        if answer is HANG_UP:
            self.close_connection = True
            return
        body = json.dumps(answer[1]).encode()
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class Recorder(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, script: Script) -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Plant:
    """A crew with recorders for hub, packager and printer, everybody logged in."""

    def __init__(self, serve_script: Callable[[], tuple[Script, str]], truth: Path) -> None:
        self.hub, hub_url = serve_script()
        self.packager, packager_url = serve_script()
        self.printer, printer_url = serve_script()
        self.truth_file = truth
        self.now_s = 0.0
        self.pauses: list[float] = []
        self.hub.on("POST", "/api/session", lambda body: (200, {"token": f"token-{body['badge']}"}))
        self.crew = Crew(
            hub=Hub(hub_url, random.Random(1), self.pauses.append), packager=Machine(packager_url, self.pauses.append),
            printer=Machine(printer_url, self.pauses.append), world=World(), truth=Truth(truth), seed="1",
            clock_s=lambda: self.now_s, sought_since_s={},
        )  # fmt: skip
        for role in ("technician", "technician2", "pharmacist", "nurse", "treatment"):
            assert self.crew.hub.login(role, f"badge-{role}", "1234").ok

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth_file.read_text().splitlines()]

    def close(self) -> None:
        self.crew.truth.close()
        for line in (self.crew.hub, self.crew.packager, self.crew.printer):
            line.close()


def label_record(serial: str, *, code_128: bool = False) -> dict[str, Any]:
    """A label as it comes out of a tray or a bin: 600 x 300 dots, one code in the middle; no code for an empty serial."""
    ink = np.zeros((300, 600), dtype=np.uint8)
    if serial:
        kind = zxingcpp.BarcodeFormat.Code128 if code_128 else zxingcpp.BarcodeFormat.DataMatrix
        options = {} if code_128 else {"force_square": True}
        barcode = zxingcpp.create_barcode(serial, kind, **options)
        grey = np.array(barcode.to_image(scale=2 if code_128 else 5, add_quiet_zones=False))
        ink[60 : 60 + grey.shape[0], 100 : 100 + grey.shape[1]] = grey == 0
    raster = np.packbits(ink, axis=1).tobytes()
    return {"width": 600, "height": 300, "raster": base64.b64encode(raster).decode()}


def pouch_record(name: str, serial: str, job: str, *tablets: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A pouch as the packager's bins give it."""
    content = [{"item": item, "lot": lot, "look": {}, **more} for item, lot in tablets]
    return {"pouch": name, "job": job, "tablets": content, **label_record(serial)}


def wait_until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Wait for a condition, or fail at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.005)
