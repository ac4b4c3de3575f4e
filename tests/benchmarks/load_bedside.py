"""A load of bedside scans: raw sockets that are kept open, one question at a time on each, in a process of its own.

It prints one JSON object: requests a second, and p50 and p99 in ms of the time from sending to the whole answer.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from tests.benchmarks.figures import percentile
from tests.benchmarks.generated_ward import patient_code, serial

LONGEST_S = 120.0


class Screen(asyncio.Protocol):
    """One nurse's screen: sends its next scan when the last one was answered."""

    def __init__(self, numbers: range, token: str, ended: "asyncio.Future[None]") -> None:
        self.latencies: list[float] = []
        self._numbers = iter(numbers)
        self._token = token
        self._ended = ended
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        """Send the first scan."""
        self._transport = transport
        self._next()

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self._end()
            return
        request = _request(number, self._token)
        self._started = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take the answer when it is whole."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self.latencies.append(time.perf_counter() - self._started)
        self._received = b""
        if not head.startswith(b"HTTP/1.1 200") or not body.startswith(b'{"given":["'):
            self._end(RuntimeError(f"{head!r} {body!r}"))
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """End where the server hung up."""
        self._end(error or ConnectionError("the server closed the connection"))

    def _end(self, error: Exception | None = None) -> None:
        if self._ended.done():
            return
        if error is not None:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)
        self._transport.close()


def _request(number: int, token: str) -> bytes:
    body = json.dumps({"event": f"event-{number:012}", "patient_code": patient_code(number), "pack_code": serial(number)}).encode()
    head = (
        f"POST /api/bedside/give HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without its length: {head!r}")


async def measure(port: int, token: str, first: int, count: int, clients: int) -> dict[str, float]:
    """Scan packs `first` to `first + count` with so many screens at once."""
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(clients)]
    started = time.perf_counter()
    made = await asyncio.gather(
        *(
            loop.create_connection(lambda at=at: Screen(range(first + at, first + count, clients), token, ends[at]), "127.0.0.1", port)  # type: ignore[misc]
            for at in range(clients)
        )
    )
    await asyncio.wait_for(asyncio.gather(*ends), LONGEST_S)
    spent = time.perf_counter() - started
    latencies = [latency * 1e3 for _, screen in made for latency in screen.latencies]
    return {"rate": count / spent, "p50": percentile(latencies, 50), "p99": percentile(latencies, 99)}


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser()
    for name in ("port", "first", "count", "clients"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--token", default="none")
    told = parser.parse_args()
    uvloop.install()
    sys.stdout.write(json.dumps(asyncio.run(measure(told.port, told.token, told.first, told.count, told.clients))) + "\n")


if __name__ == "__main__":
    main()
