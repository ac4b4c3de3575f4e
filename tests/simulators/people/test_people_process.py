"""The people as a process beside a real packager process, steered through the control port."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from people_plant import Script

ROOT = Path(__file__).parents[3]
DEADLINE_S = 20.0


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A simulator process with its ready line; ended by its own handle."""
    command = [sys.executable, "-m", "simulators", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(DEADLINE_S)


class People:
    def __init__(self, process: subprocess.Popen[str], url: str, packager: str, truth: Path) -> None:
        self.process, self.url, self.packager, self.truth = process, url, packager, truth

    def do(self, chore: str, status: int = 200, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}/do/{chore}", json=body, timeout=DEADLINE_S, trust_env=False)
        assert answer.status_code == status, answer.text
        return answer.json()

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth.read_text().splitlines()]


@pytest.fixture
def hub_and_people(serve_script: Callable[[], tuple[Script, str]], tmp_path: Path) -> Iterator[tuple[Script, People]]:
    (hub, hub_url), (_, printer_url), truth = serve_script(), serve_script(), tmp_path / "people.ndjson"
    hub.on("POST", "/api/session", lambda body: (200, {"token": f"token-{body['badge']}"}))
    hub.on("GET", "/api/state", (200, {"now": "2026-11-22T06:00:00+03:00"}))
    with ExitStack() as stack:
        files = ("--truth", str(tmp_path / "packager.ndjson"), "--state", str(tmp_path / "state"))
        _, machine = stack.enter_context(simulator("packager", "--tcp", "127.0.0.1:0", "--speed", "max", *files))
        urls = ("--hub", hub_url, "--packager", machine["control"], "--printer", printer_url)
        process, ready = stack.enter_context(simulator("people", *urls, "--truth", str(truth), "--seed", "3"))
        assert ready["ready"] is True
        yield hub, People(process, ready["control"], machine["control"], truth)


def test_a_morning_at_the_machine(hub_and_people: tuple[Script, People]) -> None:
    hub, people = hub_and_people
    roles = ("technician", "technician2", "nurse")
    people.do("start", people={role: {"badge": role, "pin": "1234"} for role in roles})
    pack = {"item": "A1", "lot": "L1", "expires_on": "2028-01-31", "units": "300", "unit_cost": "1.5"}
    people.do("stock", packs=[{"code": f"c{number}", **pack} for number in range(3)])
    row = {"item": "A1", "name": "A1", "device": "packager-1", "capacity": 300, "count": 0, "state": "empty", "needs_second": True}
    hub.on("GET", "/api/cassettes", (200, [{"cassette": 100 + slot, "slot": slot, **row} for slot in range(1, 21)]))
    answer = people.do("cassettes", fill=40)
    assert (answer["filled"], answer["tablets"], answer["troubles"]) == (20, 800, [])
    assert answer["took_s"] < 5
    seated = httpx.get(f"{people.packager}/state", trust_env=False).json()["cassettes"]
    assert {int(slot): cassette["cassette"] for slot, cassette in seated.items()} == {slot: 100 + slot for slot in range(1, 21)}
    assert sum(int(fact["quantity"]) for fact in people.facts()) == 800
    assert people.do("bench")["troubles"] == []
    state = httpx.get(f"{people.url}/state", trust_env=False).json()
    assert state["held"]["store"] == {"packs": 1, "units": "100"}
    assert (state["people"], state["totals"]["cassettes"]["filled"]) == (["nurse", "technician", "technician2"], 20)


def test_bad_requests_are_named_and_the_process_ends_cleanly(hub_and_people: tuple[Script, People]) -> None:
    hub, people = hub_and_people
    assert people.do("round", status=400)["error"] == "round: 'until' is missing"
    people.do("dance", status=404)
    hub.on("GET", "/api/trolleys", (200, [{"trolley": "T1"}]))
    people.do("start", people={"technician": {"badge": "technician", "pin": "1"}})
    assert "broke off: KeyError" in people.do("load", status=500)["error"]
    assert people.do("cassettes", fill=1)["filled"] == 0
    people.process.send_signal(signal.SIGTERM)
    assert people.process.wait(DEADLINE_S) == 0
