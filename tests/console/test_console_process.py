"""`dosehub console` as a process, against a real broker, a real bridge and the simulated packager."""

import json
import os
import pty
import select
import signal
import subprocess
import sys

import msgspec
import pytest

from firmware_bridge.trace_contract import TracedFrame
from tests.bridge.orders import run_command
from tests.bridge.plant import DEADLINE_S, DEVICE, free_port, wait_until
from tests.console.console_plant import Live, Plant

ESCAPE = "\x1b"
GIVEN_BACK = "the service lock is given back"


def test_looking_shows_card_state_and_counters_as_plain_text_and_takes_nothing(plant: Plant) -> None:
    shown = plant.run("--follow", "0")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    for fact in (["serial", "SIM000005"], ["machine", "idle, link up"], ["crc_err", "0"], ["link_retransmits", "0"]):
        assert fact in lines
    assert "1 in their slots, 100 tablets" in shown.stdout
    assert ESCAPE not in shown.stdout
    assert "->" not in shown.stdout
    assert plant.state() == "idle"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_lock_is_held_while_the_console_runs_and_given_back_however_it_is_ended(
    plant: Plant, number: signal.Signals
) -> None:
    console = Live(plant, "--control", "ivanova")
    console.wait_for("the service lock is ivanova's")
    console.wait_for("RSP       LOCK")
    console.wait_for("REQ       STATUS")
    wait_until(lambda: plant.state() == "locked", "the lock")
    status, out, errors = console.end(number)
    assert (status, errors) == (0, "")
    assert out.splitlines()[-1] == GIVEN_BACK
    assert "frames a second" in out
    wait_until(lambda: plant.state() == "idle", "the lock given back")


def test_lock_that_is_kept_is_refused_to_others_and_given_back_by_its_owner(plant: Plant) -> None:
    kept = plant.run("--control", "ivanova", "--lock")
    assert (kept.returncode, kept.stdout.splitlines()[-1][:32]) == (0, "the service lock stays ivanova's")
    wait_until(lambda: plant.state() == "locked", "the lock")
    refused = plant.run("--control", "petrov", "--follow", "0")
    assert refused.returncode == 1
    assert "LOCKED: somebody else holds the service lock (it is ivanova's)" in refused.stderr
    assert plant.run("--control", "petrov", "--release").returncode == 1
    assert plant.state() == "locked"
    given = plant.run("--control", "ivanova", "--release")
    assert (given.returncode, given.stdout.splitlines()[-1]) == (0, GIVEN_BACK)
    wait_until(lambda: plant.state() == "idle", "the lock given back")


def test_self_test_tells_each_result_and_gives_the_lock_back(plant: Plant) -> None:
    tested = plant.run("--control", "ivanova", "--self-test")
    assert (tested.returncode, tested.stderr) == (0, "")
    results = tested.stdout.split("self test\n")[1].split()
    assert dict(zip(results[0:14:2], results[1:14:2], strict=True)) == dict.fromkeys(
        ("memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin"), "passed"
    )
    assert tested.stdout.splitlines()[-1] == GIVEN_BACK


def test_frames_are_written_to_a_new_file_one_a_line(plant: Plant) -> None:
    file = plant.folder / "trace.jsonl"
    console = Live(plant, "--trace-to", str(file))
    console.wait_for("RSP       STATUS")
    assert console.end(signal.SIGINT)[0] == 0
    frames = [msgspec.json.decode(line, type=TracedFrame) for line in file.read_text().splitlines()]
    assert {"REQ", "RSP"} <= {frame.type for frame in frames}
    assert any(frame.fields.get("state") == "idle" and frame.round_trip_us is not None for frame in frames)
    before = file.read_text()
    again = plant.run("--trace-to", str(file), "--follow", "1")
    assert again.returncode == 1
    assert str(file) in again.stderr
    assert file.read_text() == before


def test_frames_are_followed_for_as_long_as_was_said(plant: Plant) -> None:
    shown = plant.run("--follow", "2.5")
    assert shown.returncode == 0
    assert "REQ       STATUS" in shown.stdout
    assert "round trip, median" in shown.stdout


def test_terminal_gets_tables_and_colours(plant: Plant) -> None:
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(plant.command("--follow", "0"), stdout=terminal, env=environment)
    os.close(terminal)
    shown = b""
    while select.select([controller], [], [], DEADLINE_S)[0]:
        try:
            shown += os.read(controller, 4096)
        except OSError:
            break
    os.close(controller)
    assert process.wait(DEADLINE_S) == 0
    assert "│ serial" in shown.decode()
    assert ESCAPE in shown.decode()


def test_broker_lost_for_good_ends_the_console_and_says_that_the_lock_may_be_held(plant: Plant) -> None:
    console = Live(plant, "--control", "ivanova")
    console.wait_for("the service lock is ivanova's")
    plant.broker.close()
    status, _, errors = console.end(None)
    assert status == 1
    assert "the service lock may still be ivanova's" in errors


def test_older_fence_and_unknown_device_are_told(plant: Plant) -> None:
    plant.ear.send(run_command(1, fence=5, seconds=-1))
    plant.ear.wait_for("refused")
    for options in (["--control", "ivanova", "--self-test"], ["--follow", "5"]):
        refused = plant.run(*options)
        assert refused.returncode == 1
        assert "FENCED: the fence 1 is older than 5" in refused.stderr
    assert plant.run("--control", "ivanova", "--self-test", "--fence", "5").returncode == 0
    unknown = plant.run("--follow", "0", device="packager-9")
    assert unknown.returncode == 1
    assert "no bridge has told of packager-9" in unknown.stderr


def test_broker_that_is_not_there_is_told_at_once() -> None:
    command = [sys.executable, "-m", "hub.cli", "console", DEVICE, "--broker", f"mqtt://127.0.0.1:{free_port()}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "cannot be reached" in ended.stderr


@pytest.mark.parametrize("options", [["--self-test"], ["--lock"], ["--release"], ["--control", "a\tb"]])
def test_wrong_use_ends_with_status_2_and_reaches_nobody(options: list[str]) -> None:
    command = [sys.executable, "-m", "hub.cli", "console", DEVICE, "--broker", f"mqtt://127.0.0.1:{free_port()}"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--control" in ended.stderr


def test_command_line_loads_the_console_only_when_it_is_asked_for() -> None:
    code = "import json, sys, hub.cli; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert "typer" in loaded
    assert not {"paho", "hub.console", "msgspec"} & set(loaded)
