"""A bedside scan from its POST to the durable answer: `dosehub serve` beside a bare program that commits the same rows.

Both run as processes on copies of one prepared file; the load goes to them in turns, within each run. The slow disk is a preloaded shim,
compiled here, that adds 5 ms to every sync of the server's process.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.adapters.writer import Writer
from tests.benchmarks.figures import Figure, beside, in_own_process, note
from tests.benchmarks.generated_ward import BADGE, PIN, fill

RUNS = 5
ALONE = 400
CROWD, TOGETHER = 64, 2_560
TURNS, TURNS_OF_MANY = 20, 4
SLOW_SYNC_MS = 5
DATABASE = "dosehub.sqlite"
READY_S = 60.0

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    usleep(SLOW_MS * 1000);
    return real(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
"""


@dataclass
class Server:
    """A running server, the token to use, and the next pack that was not given yet."""

    port: int
    token: str
    process: subprocess.Popen[bytes]
    next_pack: int = 0


def scan(servers: Sequence[Server], count: int, clients: int) -> list[dict[str, float]]:
    """Give so many packs at each server, in turns, and return rate, p50 and p99 of each."""
    targets = [f"{server.port}:{server.next_pack}:{server.token}" for server in servers]
    turns = TURNS if clients == 1 else TURNS_OF_MANY
    told = in_own_process("load_bedside", "--count", count, "--turns", turns, "--clients", clients, "--", *targets)
    for server in servers:
        server.next_pack += count
    found: list[dict[str, float]] = told["servers"]
    return found


def figures(runs: int = RUNS) -> list[Figure]:
    """Measure one client and 64, on the disk as it is and on a slow one."""
    packs = (runs + 1) * (ALONE + TOGETHER)
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        _prepare(folder / "prepared", packs)
        with _pair(folder, "fast", {}) as (ours, bare):
            found = _alone(ours, bare, runs) + _together(ours, bare, runs, "")
        shim = _slow_disk(folder)
        if shim is None:
            note("no C compiler: the slow disk is not measured")
            return found
        with _pair(folder, "slow", {"LD_PRELOAD": str(shim)}) as (ours, bare):
            return found + _together(ours, bare, max(3, runs // 2), f", {SLOW_SYNC_MS} ms a sync")


def _alone(ours: Server, bare: Server, runs: int) -> list[Figure]:
    fast, limits = _interleaved(ours, bare, runs, ALONE, 1)
    ratios = [mine["p50"] / limit["p50"] for mine, limit in zip(fast, limits, strict=True)]
    ratio = statistics.median(ratios)
    p50 = Figure("bedside scan, 1 client: p50", _median(fast, "p50"), "ms", _median(limits, "p50"), ratio, "≤ 1.5 ×", ratio <= 1.5)
    return [p50, beside("bedside scan, 1 client: p99", _median(fast, "p99"), "ms", _median(limits, "p99"))]


def _together(ours: Server, bare: Server, runs: int, where: str) -> list[Figure]:
    fast, limits = _interleaved(ours, bare, runs, TOGETHER, CROWD)
    rate, p99 = _median(fast, "rate"), _median(fast, "p99")
    title = f"bedside scan, {CROWD} clients{where}"
    return [
        Figure(f"{title}: requests/s", rate, "1/s", _median(limits, "rate"), _median(limits, "rate") / rate, "≥ 1,000/s", rate >= 1000),
        beside(f"{title}: p99", p99, "ms", _median(limits, "p99"), "≤ 150 ms", p99 <= 150),
    ]


def _interleaved(ours: Server, bare: Server, runs: int, count: int, clients: int) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    scan((ours, bare), count // 4, clients)
    told: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    for _ in range(runs):
        for results, result in zip(told, scan((ours, bare), count, clients), strict=True):
            results.append(result)
        note(f"scan, {clients} clients: ours {_rounded(told[0][-1])}  bare {_rounded(told[1][-1])}")
    return told


def _median(results: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in results)


def _rounded(result: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in result.items()}


def _prepare(folder: Path, packs: int) -> None:
    folder.mkdir()
    now = datetime.now(UTC)
    with Writer(folder / DATABASE, lambda: now) as writer:
        writer.submit("system", lambda unit: fill(unit, packs, now)).result()


@contextmanager
def _pair(folder: Path, name: str, environment: dict[str, str]) -> Iterator[tuple[Server, Server]]:
    """Run the hub and the bare program, each on its copy of the prepared file."""
    ours, bare = folder / f"{name}-ours", folder / f"{name}-bare"
    for copy in (ours, bare):
        copy.mkdir()
        shutil.copy(folder / "prepared" / DATABASE, copy / DATABASE)
    hub = [sys.executable, "-m", "hub.cli", "serve", "--data-dir", str(ours), "--port", "0"]
    limit = [sys.executable, "-m", "tests.benchmarks.bare_scan", str(bare / DATABASE)]
    with _running(hub, environment, ours) as first, _running(limit, environment, bare) as second:
        first.token = _signed_in(first.port)
        yield first, second


@contextmanager
def _running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[Server]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment})
        try:
            assert process.stdout is not None
            deadline = time.monotonic() + READY_S
            told: dict[str, Any] = {}
            while "url" not in told:
                line = process.stdout.readline()
                if not line or time.monotonic() > deadline:
                    raise RuntimeError(f"{' '.join(command)} did not start: {(folder / 'server.log').read_text()[-2000:]}")
                told = json.loads(line) if line.startswith(b"{") else {}
            yield Server(int(told["url"].rsplit(":", 1)[1]), "none", process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _signed_in(port: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/session", json.dumps({"badge": BADGE, "pin": PIN}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["token"])


def _slow_disk(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, shim = folder / "slow.c", folder / "slow.so"
    source.write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", f"-DSLOW_MS={SLOW_SYNC_MS}", "-o", shim, source, "-ldl"], check=True)
    return shim


def main() -> None:
    """Print the figures of the scan."""
    from tests.benchmarks.figures import print_table

    print_table(figures())


if __name__ == "__main__":
    main()
