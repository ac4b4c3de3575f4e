"""A small threaded HTTP JSON server on the loopback address, by which tests and simulated people steer a simulator."""

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit

BODY_LIMIT_BYTES = 1 << 20
IDLE_TIMEOUT_S = 300.0


class ControlRefusal(Exception):
    """What a route raises to answer another HTTP status than 200, with `{"error": reason}`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Stream:
    """An answer without an end: the parts are written as they come, until they end or the client goes away."""

    content_type: str
    parts: Iterable[bytes]


Route = Callable[[Mapping[str, str], Any], Any]
"""Called with the values of the {names} in its pattern and the decoded JSON body (None where there is none);
returns what `json.dumps` can write, or a `Stream`. It runs in the connection's own thread."""

Routes = Mapping[tuple[str, str], Route]


def parse_address(address: str) -> tuple[str, int]:
    """Split "host:port" at its last colon; port 0 lets the kernel choose. Raises ValueError for anything else."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"not an address host:port: {address!r}")
    return host, int(port)


def pattern_expression(pattern: str) -> re.Pattern[str]:
    """Make "/cassettes/{slot}" match one path; each {name} takes one segment."""
    parts = re.split(r"\{(\w+)\}", pattern)
    text = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_TIMEOUT_S
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: standard output belongs to the ready line."""

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except ControlRefusal as refusal:
            self._send_json(refusal.status, {"error": refusal.reason})
            return
        if isinstance(answer, Stream):
            self._send_stream(answer)
        else:
            self._send_json(200, answer)

    def _answer(self) -> Any:
        body = self._body()
        path = urlsplit(self.path).path
        matches = [(method, found, route) for method, expression, route in self.server.routes
                   if (found := expression.fullmatch(path))]
        for method, found, route in matches:
            if method == self.command:
                return route({name: unquote(value) for name, value in found.groupdict().items()}, body)
        raise ControlRefusal(405 if matches else 404, f"no {self.command} {path}")

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
            self.close_connection = True
            raise ControlRefusal(413, f"a body of at most {BODY_LIMIT_BYTES} bytes with Content-Length is taken")
        raw = self.rfile.read(int(length))
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            raise ControlRefusal(400, "the body is not JSON") from None

    def _send_json(self, status: int, answer: Any) -> None:
        raw = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def _send_stream(self, answer: Stream) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        for part in answer.parts:
            self.wfile.write(part)
            self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    unwelcome: ClassVar[tuple[type[BaseException], ...]] = (ConnectionError, TimeoutError)

    def __init__(self, address: tuple[str, int], routes: Routes) -> None:
        self.routes = [(method, pattern_expression(pattern), route) for (method, pattern), route in routes.items()]
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that went away; print the trace of anything else."""
        if not isinstance(sys.exc_info()[1], self.unwelcome):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End every open connection, so that no thread waits on a client."""
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class ControlServer:
    """Serve `routes`, a dict of (method, pattern) to function, in threads of its own from `start` to `stop`."""

    def __init__(self, address: str, routes: Routes) -> None:
        self._address = parse_address(address)
        self._routes = routes
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[str, int]:
        """Listen and answer; returns the (host, port) bound. Raises OSError where the port is taken."""
        self._server = _Server(self._address, self._routes)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)
        self._thread.start()
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def stop(self) -> None:
        """Stop listening and hang up on every client; safe to repeat."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
