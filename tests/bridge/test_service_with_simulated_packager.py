"""Service through the real broker, the real bridge and the simulated packager: whoever holds the lock, no job begins."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.contract import encode
from firmware_bridge.service_contract import ServiceEvent
from tests.bridge.engineer import Engineer, jog_command, lock_command, self_test_command, watch_command
from tests.bridge.orders import run_command
from tests.bridge.plant import HubClient, bridge, mosquitto, wait_until
from tests.bridge.test_with_simulated_packager import CASSETTE, Packager, pass_at_camera

IVANOVA = {"locked": True, "owner": "ivanova"}


@pytest.fixture
def packager(tmp_path: Path) -> Iterator[Packager]:
    running = Packager(tmp_path)
    running.post("/cassettes/5", CASSETTE)
    yield running
    running.stop()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as chosen:
        yield chosen


def test_locked_machine_refuses_jobs_is_tested_and_goes_on_when_the_lock_is_given_back(
    tmp_path: Path, port: int, packager: Packager
) -> None:
    with (
        HubClient(port) as hub,
        Engineer(port) as engineer,
        bridge(tmp_path, port, str(packager.port)) as running,
    ):
        hub.say("ready")
        running.wait_ready()
        assert engineer.ask(self_test_command(1)).rc == "NOT_LOCKED"
        assert engineer.ask(jog_command(1)).rc == "NOT_LOCKED"
        taken = engineer.ask(lock_command(1, "take", "ivanova"))
        assert (taken.rc, taken.reason, taken.data) == ("OK", "", IVANOVA)
        refused = engineer.ask(lock_command(2, "take", "petrov"))
        assert (refused.rc, refused.data) == ("LOCKED", IVANOVA)
        engineer.ask(watch_command(1))
        command = run_command(1)
        hub.send(command)
        wait_until(lambda: ("JOB_RUN", "LOCKED") in answered(engineer), "the firmware's own refusal")
        wait_until(lambda: hub.retained.get("status", {}).get("state") == "locked", "the state locked")
        tested = engineer.ask(self_test_command(2, "memory", "gate"))
        assert (tested.rc, tested.data) == ("OK", {"memory": "passed", "gate": "passed"})
        moved = engineer.ask(jog_command(2))
        assert (moved.rc, list(moved.data)) == ("OK", ["position"])
        assert "accepted" not in hub.kinds()
        assert engineer.ask(lock_command(3, "release", "ivanova")).data == {"locked": False, "owner": ""}
        pass_at_camera(hub, 1, command)
        assert len(packager.facts("tablet-dropped")) == 1


def answered(engineer: Engineer) -> set[tuple[str, object]]:
    return {(frame.op, frame.fields.get("rc")) for frame in engineer.frames() if frame.type == "RSP"}


def test_command_that_comes_twice_moves_once_and_gets_the_same_answer(
    tmp_path: Path, port: int, packager: Packager
) -> None:
    with Engineer(port) as engineer, bridge(tmp_path, port, str(packager.port)) as running:
        running.wait_ready()
        engineer.ask(lock_command(1, "take", "ivanova"))
        engineer.ask(watch_command(1))
        jog = jog_command(1, hold_ms=500)
        first = engineer.ask(jog)
        assert first == engineer.ask(jog)
        engineer.ask(self_test_command(1, "memory"))
        wait_until(lambda: ("SELFTEST", "OK") in answered(engineer), "the trace of what came after")
        asked = [frame.op for frame in engineer.frames() if frame.type == "REQ"]
        assert asked.count("JOG") == 1


def test_refusals_name_their_reason(tmp_path: Path, port: int, packager: Packager) -> None:
    with Engineer(port) as engineer, bridge(tmp_path, port, str(packager.port), fence=4) as running:
        running.wait_ready()
        assert engineer.ask(lock_command(1, "take", "ivanova")).rc == "FENCED"
        assert engineer.ask(lock_command(2, "take", "ivanova", fence=4, seconds=-1)).rc == "EXPIRED"
        unreadable = json.loads(encode(lock_command(3, "take", "ivanova", fence=4))) | {"mode": "steal"}
        refused = engineer.ask(json.dumps(unreadable).encode())
        assert (refused.command, refused.rc) == ("lock-3", "INVALID")
        assert "$.mode" in refused.reason
        packager.kill()
        answer = ask_until_down(engineer)
        assert "nothing was done" in answer.reason
        packager.start()


def ask_until_down(engineer: Engineer) -> ServiceEvent:
    """Ask until the bridge knows that the link is down: what was asked before that has no answer."""
    heard: list[ServiceEvent] = []

    def is_down() -> bool:
        heard.append(engineer.ask(lock_command(100 + len(heard), "take", "ivanova", fence=4)))
        return heard[-1].rc == "LINK_DOWN"

    wait_until(is_down, "the link is down")
    assert {answer.rc for answer in heard[:-1]} <= {"NO_ANSWER", "NOT_AT_ONCE", "OK"}
    return heard[-1]


def test_retained_command_is_never_done(tmp_path: Path, port: int, packager: Packager) -> None:
    with Engineer(port) as engineer:
        with bridge(tmp_path, port, str(packager.port)) as running:
            running.wait_ready()
        engineer.send(lock_command(2, "take", "petrov"), retain=True)
        with bridge(tmp_path, port, str(packager.port)) as running:
            running.wait_ready()
            answer = engineer.ask(lock_command(3, "take", "ivanova"))
            assert (answer.rc, answer.data) == ("OK", IVANOVA)
