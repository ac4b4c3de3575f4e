"""`dosehub-sim people`: the process of the simulated people, steered chore by chore through its control port."""

import argparse
import json
import random
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulators.control import ControlRefusal, ControlServer, Route
from simulators.people import bench, stockroom, trolleys, ward
from simulators.people.calls import Hub, Machine
from simulators.people.crew import BadRequest, Chore, Crew
from simulators.people.matter import World
from simulators.truth import Truth

CHORES: Mapping[str, Chore] = {
    "start": stockroom.start,
    "stock": stockroom.receive_stock,
    "cassettes": stockroom.fill_cassettes,
    "bench": bench.bench,
    "load": trolleys.load,
    "deliver": trolleys.deliver,
    "handover": trolleys.hand_over,
    "round": ward.make_round,
    "returns": ward.bring_back,
    "close": trolleys.close,
}


class Staff:
    """The people as routes of a control server: one chore at a time, in the order in which they were asked for."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._busy = threading.Lock()
        self._totals: dict[str, dict[str, int]] = {}

    def routes(self) -> dict[tuple[str, str], Route]:
        """Give the routes `POST /do/<chore>` and `GET /state`."""
        chores = {("POST", f"/do/{name}"): self._route(name, chore) for name, chore in CHORES.items()}
        return {**chores, ("GET", "/state"): lambda names, body: self.state()}

    def state(self) -> dict[str, Any]:
        """Tell what is held, who has logged in, and the counts of all chores since the start."""
        totals = {name: dict(counts) for name, counts in list(self._totals.items())}
        return {"held": self._crew.world.count(), "people": self._crew.hub.roles(), "totals": totals}

    def _route(self, name: str, chore: Chore) -> Route:
        def do(names: Mapping[str, str], body: Any) -> dict[str, Any]:
            if body is not None and not isinstance(body, dict):
                raise ControlRefusal(400, "the body is no JSON object")
            with self._busy:
                return self._do(name, chore, body or {})

        return do

    def _do(self, name: str, chore: Chore, request: Mapping[str, Any]) -> dict[str, Any]:
        started_s = time.monotonic()
        try:
            report = chore(self._crew, request)
        except BadRequest as error:
            raise ControlRefusal(400, f"{name}: {error}") from error
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            traceback.print_exc()
            raise ControlRefusal(500, f"{name} broke off: {type(error).__name__}: {error}") from error
        totals = self._totals.setdefault(name, {"times": 0, "troubles": 0})
        totals["times"] += 1
        totals["troubles"] += len(report.troubles) + report.troubles_left_out
        for count, number in report.counts.items():
            totals[count] = totals.get(count, 0) + number
        return {**report.answer(), "took_s": round(time.monotonic() - started_s, 4)}


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line of docs/simulators.md."""
    parser = argparse.ArgumentParser(prog="dosehub-sim people", description="Simulated technicians and nurses.")
    parser.add_argument("--hub", required=True, metavar="URL")
    parser.add_argument("--packager", required=True, metavar="URL", help="control port of the packager")
    parser.add_argument("--printer", required=True, metavar="URL", help="control port of the label printer")
    parser.add_argument("--control", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--truth", required=True, type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Serve chores until SIGTERM or SIGINT; the first line on standard output is the ready line."""
    options = parse_arguments(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Truth(options.truth) as truth:
        # A second start on the same truth file must not repeat the event ids of the first.
        chance = random.Random(f"{options.seed}/{options.truth.stat().st_size}")
        crew = Crew(
            hub=Hub(options.hub, chance), packager=Machine(options.packager), printer=Machine(options.printer), world=World(),
            truth=truth, seed=str(options.seed), clock_s=time.monotonic, sought_since_s={},
        )  # fmt: skip
        server = ControlServer(options.control, Staff(crew).routes())
        host, port = server.start()
        print(json.dumps({"ready": True, "control": f"http://{host}:{port}"}), flush=True)
        ended.wait()
        server.stop()
        for line in (crew.hub, crew.packager, crew.printer):
            line.close()
    return 0
