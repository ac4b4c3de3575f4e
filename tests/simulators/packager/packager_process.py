"""The packager as a process, and a bare host at its serial port."""

import contextlib
import http.client
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from packager_bench import OK, ROUND, a_label, event_of, job_id, run_payload

from simulators.packager.codec import EVT, HELLO, REQ, Counters, Frame, Receiver, encode_frame

DEADLINE_S = 20.0


class Packager:
    """One packager process over files in `folder`; `start` again after `kill` is the power coming back."""

    def __init__(self, folder: Path, *more: str, port: tuple[str, ...] | None = None) -> None:
        self.folder = folder
        self.link = folder / "ttyPackager"
        self._more = more
        self._port = port or ("--port-link", str(self.link))
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> Self:
        """Start and wait for the ready line."""
        command = [sys.executable, "-m", "simulators", "packager", *self._port, "--control", "127.0.0.1:0", "--truth",
                   str(self.folder / "truth.ndjson"), "--state", str(self.folder / "state"), *self._more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"ended with {self.process.wait()}"
        self.ready = json.loads(line)
        return self

    def signal(self, number: int) -> int:
        """Send a signal and wait for the end; gives the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status

    def kill(self) -> None:
        """Cut the power."""
        self.signal(signal.SIGKILL)

    def http(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Make one request at the control port."""
        address = urlsplit(self.ready["control"])
        connection = http.client.HTTPConnection(address.netloc, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def load(self, slot: int = 5, cassette: int = 1234, count: int = 100, item: str = "A", lot: str = "L1") -> None:
        """Put a cassette in."""
        body = {"cassette": cassette, "item": item, "lot": lot, "count": count, "look": ROUND}
        assert self.http("POST", f"/cassettes/{slot}", body)[0] == 200

    def truth(self) -> list[dict[str, Any]]:
        """Read the truth so far."""
        return [json.loads(line) for line in (self.folder / "truth.ndjson").read_text().splitlines()]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.signal(signal.SIGTERM)


class Host:
    """The far end of the line: one request at a time, repeated until it is answered; acknowledges events."""

    def __init__(self, descriptor: int, *, acknowledges: bool = True) -> None:
        self._descriptor = descriptor
        self._receiver = Receiver(Counters())
        self._acknowledges = acknowledges
        self._seq = 0
        self._sid = 0
        self._expected = 0
        self._answers: list[Frame] = []
        self.events: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        os.write(self._descriptor, data)

    def read_raw(self, size: int) -> bytes:
        """Read exactly `size` raw bytes."""
        data, end = b"", time.monotonic() + DEADLINE_S
        while len(data) < size:
            if select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                data += os.read(self._descriptor, size - len(data))
            assert time.monotonic() < end, data.hex()
        return data

    def poll(self, timeout_s: float) -> None:
        """Take in what comes within the time."""
        if select.select([self._descriptor], [], [], max(0.0, timeout_s))[0]:
            for frame in self._receiver.feed(os.read(self._descriptor, 4096)):
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.type != EVT:
            self._answers.append(frame)
            return
        event = event_of(frame)
        if event["evt"] == self._expected or not self._expected or not self._acknowledges:
            self._expected = event["evt"] + 1
            self.events.append(event)

    def hello(self, sid: int = 0x4242, fence: int = 1) -> bytes:
        """Open a session; gives the payload of the answer."""
        self._sid, self._seq, self._expected = sid, 0, 0
        answer = self._exchange(Frame(HELLO, 0, sid, 0, struct.pack("<BBI", 1, 0, fence)))
        self.boot = struct.unpack_from("<I", answer.payload, 7)[0]
        return answer.payload

    def ask(self, op: int, payload: bytes = b"") -> tuple[int, bytes]:
        """Make one request; gives (rc, what follows)."""
        self._seq = (self._seq + 1) % 256
        answer = self._exchange(Frame(REQ, self._seq, self._sid, op, payload))
        return answer.payload[0], answer.payload[1:]

    def _exchange(self, frame: Frame) -> Frame:
        end = time.monotonic() + DEADLINE_S
        while True:
            self.write(encode_frame(frame))
            again = time.monotonic() + 0.5
            while time.monotonic() < again:
                self.poll(again - time.monotonic())
                for answer in self._answers:
                    if (answer.seq, answer.op, answer.sid) == (frame.seq, frame.op, frame.sid):
                        self._answers.clear()
                        return answer
            assert time.monotonic() < end, frame

    def upload(self, label: tuple[bytes, int, int, bytes] | None = None) -> bytes:
        """Carry a label over."""
        digest, width, height, stream = label or a_label()
        rc, answer = self.ask(0x20, digest + struct.pack("<HHI", width, height, len(stream)))
        assert rc == OK
        offset = struct.unpack("<I", answer)[0]
        while offset < len(stream):
            rc, answer = self.ask(0x21, digest[:4] + struct.pack("<I", offset) + stream[offset : offset + 200])
            assert rc == OK
            offset = struct.unpack("<I", answer)[0]
        assert self.ask(0x22, digest)[0] == OK
        return digest

    def run(self, n: int, drops: list[tuple[int, int, int]] | None = None, label: bytes | None = None) -> int:
        """Order job n; gives the rc."""
        return self.ask(0x02, run_payload(job_id(n), label or self.upload(), drops or [(5, 1234, 1)]))[0]

    def await_event(self, n: int, kind: int) -> dict[str, Any]:
        """Wait for an event of job n, acknowledging all that come."""
        end = time.monotonic() + DEADLINE_S
        while True:
            for event in self.events:
                if event["job"] == job_id(n) and event["kind"] == kind and event["boot"] == self.boot:
                    return event
            assert time.monotonic() < end, (n, hex(kind), self.events)
            self.poll(0.5)
            if self._acknowledges and self._expected > 1:
                assert self.ask(0x05, struct.pack("<II", self.boot, self._expected - 1))[0] == OK

    def finish(self, n: int, verdict: int = 1) -> None:
        """Answer the camera event of job n and wait for its end."""
        event = self.await_event(n, 0x43)
        payload = job_id(n) + bytes([event["slot"]]) + struct.pack("<IIB", event["boot"], event["evt"], verdict)
        assert self.ask(0x23, payload)[0] == OK
        self.await_event(n, 0x46)

    def query(self, n: int) -> tuple[int, ...]:
        """Give (job_state, job_slot, running, evt)."""
        rc, answer = self.ask(0x03, job_id(n))
        assert rc == OK
        return struct.unpack("<BBBI", answer)


@contextlib.contextmanager
def open_port(path: Path, **how: Any) -> Any:
    """Open a serial port as a bare host does: raw, input flushed."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor)
        termios.tcflush(descriptor, termios.TCIFLUSH)
        yield Host(descriptor, **how)
    finally:
        os.close(descriptor)
