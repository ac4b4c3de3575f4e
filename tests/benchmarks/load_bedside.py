"""A load of bedside scans: raw sockets that are kept open, one question at a time on each, in a process of its own.

Several servers are asked in turns of a batch each, so that whatever else the machine does hits all of them alike. It prints one
JSON object with a list: for each server requests a second, and p50 and p99 in ms from sending to the whole answer.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
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


async def batch(target: "Target", count: int, clients: int) -> None:
    """Scan the next `count` packs of a server with so many screens at once."""
    loop = asyncio.get_running_loop()
    port, token, first = target.port, target.token, target.next_pack
    ends = [loop.create_future() for _ in range(clients)]
    target.next_pack += count
    started = time.perf_counter()
    made = await asyncio.gather(
        *(
            loop.create_connection(lambda at=at: Screen(range(first + at, first + count, clients), token, ends[at]), "127.0.0.1", port)  # type: ignore[misc]
            for at in range(clients)
        )
    )
    await asyncio.wait_for(asyncio.gather(*ends), LONGEST_S)
    target.spent_s += time.perf_counter() - started
    target.latencies_ms += [latency * 1e3 for _, screen in made for latency in screen.latencies]


@dataclass
class Target:
    """One server, and what was measured of it."""

    port: int
    token: str
    next_pack: int
    spent_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """Return rate, p10, p50 and p99."""
        seen = self.latencies_ms
        return {"rate": len(seen) / self.spent_s, "p10": percentile(seen, 10), "p50": percentile(seen, 50), "p99": percentile(seen, 99)}


async def measure(targets: list[Target], count: int, turns: int, clients: int) -> None:
    """Ask each server in turns."""
    for turn in range(turns):
        for target in targets if turn % 2 == 0 else targets[::-1]:
            await batch(target, count // turns, clients)


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser()
    for name in ("count", "turns", "clients"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("targets", nargs="+", help="PORT:FIRST PACK:TOKEN")
    told = parser.parse_args()
    targets = [Target(int(port), token, int(first)) for port, first, token in (text.split(":") for text in told.targets)]
    uvloop.run(measure(targets, told.count, told.turns, told.clients))
    sys.stdout.write(json.dumps({"servers": [target.told() for target in targets]}) + "\n")


if __name__ == "__main__":
    main()
