"""HL7 v2 messages over MLLP on loopback into the database, beside a bare echo that only acknowledges blocks.

The load comes from processes of their own: one sender that pipelines, and eight.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from hub.adapters.feeds.framing import END, framed
from hub.adapters.feeds.mllp import start_mllp
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.orders import SourceSettings
from hub.settings import HubSettings
from tests.benchmarks.figures import Figure, beside, note
from tests.benchmarks.load_mllp import DRUGS

MESSAGES = int(os.environ.get("MLLP_MESSAGES", "4000"))
GOAL_A_SECOND = 5_000
SENDERS = (1, 8)


def figures() -> list[Figure]:
    """Return messages a second of movements, of new orders and of what was said before, by one sender and by eight."""
    found: list[Figure] = []
    for senders in SENDERS:
        bare = _measured(_bare_server, senders, "moves")
        for kind, told in (("moves", "movements of patients (ADT)"), ("orders", "new orders (RDE), decided and planned"), ("again", "orders sent again")):
            note(f"MLLP: {told}, {senders} at once")
            rate = _measured(_hub_server, senders, kind)
            found.append(beside(f"MLLP, {told}, {senders} sender{'s' * (senders > 1)}", rate, "msg/s", bare, f">= {GOAL_A_SECOND:,}", rate >= GOAL_A_SECOND))
    return found


Server = Callable[[Path], tuple[int, Callable[[], None]]]


def _measured(serve: Server, senders: int, kind: str) -> float:
    """Return answers a second; what is sent again was sent once before the clock runs."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        port, end = serve(Path(folder))
        share = MESSAGES // senders
        _sent(port, "moves", senders, 1)
        if kind == "again":
            _sent(port, "orders", senders, share)
        taken, spent_s = _sent(port, "orders" if kind == "again" else kind, senders, share)
        end()
    assert taken == share * senders, f"{taken} of {share * senders} were taken"
    return taken / spent_s


def _hub_server(folder: Path) -> tuple[int, Callable[[], None]]:
    house = replace(house_of(HubSettings(data_dir=folder)), sources={"his": SourceSettings("his", False, False, 3, False, ())})
    writer = Writer(folder / "hub.sqlite", lambda: _now(house.zone))
    writer.submit("system", lambda unit: unit.drugs.put_many(_drug(number) for number in range(DRUGS))).result()
    server = start_mllp(writer, house, "his", "127.0.0.1", 0)

    def end() -> None:
        server.stop()
        writer.close()

    return server.port, end


def _now(zone: tzinfo) -> datetime:
    return datetime.now(zone)


def _bare_server(_: Path) -> tuple[int, Callable[[], None]]:
    """Serve an echo that finds the ends of blocks and answers each, in a thread as the hub's server does."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []
    answer = framed(b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|1\r")

    async def connected(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            out.write(answer * data.count(END))
            await out.drain()
        out.close()

    async def listen() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()

    loop.create_task(listen())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    ready.wait()
    return ports[0], lambda: loop.call_soon_threadsafe(loop.stop) and None


def _sent(port: int, kind: str, senders: int, count: int) -> tuple[int, float]:
    """Have all senders send at once; returns how many messages were taken, and in how many seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.load_mllp", str(port), kind]
    running = [subprocess.Popen([*command, str(sender), str(count)], stdout=subprocess.PIPE) for sender in range(senders)]
    told = [json.loads(process.communicate(timeout=600)[0]) for process in running]
    return sum(one["taken"] for one in told), max(one["ended_s"] for one in told) - min(one["began_s"] for one in told)


def _drug(number: int) -> Drug:
    return Drug(
        code=DrugCode(f"D{number}"), inn=f"substance {number}", trade_name=f"Trade {number}", form=Form.TABLET, strength="500 mg", unit="tablet", group="",
        drug_class=DrugClass.ORDINARY, high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=2,
        prepack_allowed=True, price=None,
    )  # fmt: skip


def main() -> None:
    """Print the figures of this part alone."""
    for figure in figures():
        sys.stdout.write(json.dumps({"name": figure.name, "value": round(figure.value), "bare": round(figure.bare or 0)}) + "\n")
    sys.stdout.write(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()
