"""What the console does at a machine beside looking: jogs, asks the journal, captures and bundles; against the simulated packager."""

import base64
import hashlib
import json
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from firmware_bridge.contract import RunCommand, RunLabel, label_digest
from tests.bridge.orders import run_command
from tests.bridge.plant import DEVICE, SITE, HubClient, bridge, mosquitto, wait_until
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.bridge.test_with_simulated_packager import pass_at_camera
from tests.console.console_plant import Live, Plant
from tests.console.test_console_wireshark import needs_tshark, tshark

GIVEN_BACK = "the service lock is given back"
FILM = "1"
PATIENT = "ИВАНОВА АННА"
ROW_BYTES = 60
MEMBERS = {
    "description.json", "state.json", "status.json", "counters.json", "self-test.json", "jobs.json", "versions.json", "trace.jsonl",
    "manifest.json",
}  # fmt: skip


def film_position(plant: Plant) -> int:
    return int(plant.machine()["jog"]["positions"][FILM])


def test_handle_is_held_for_as_long_as_was_said_and_the_position_is_told(plant: Plant) -> None:
    jogged = plant.run("--control", "ivanova", "--jog", "film:forward", "--seconds", "1")
    assert (jogged.returncode, jogged.stderr) == (0, "")
    told = [int(line.rsplit(maxsplit=1)[1]) for line in jogged.stdout.splitlines() if line.startswith("film forward")]
    assert told == sorted(told)
    assert 500 <= told[-1] <= 1300
    assert jogged.stdout.splitlines()[-1] == GIVEN_BACK
    assert film_position(plant) in {told[-1], told[-1] + 1}
    back = plant.run("--control", "ivanova", "--jog", "film:back", "--seconds", "0.2")
    assert back.returncode == 0
    assert film_position(plant) < told[-1]


def test_handle_is_let_go_at_once_on_ctrl_c(plant: Plant) -> None:
    console = Live(plant, "--control", "ivanova", "--jog", "film:forward", "--seconds", "30")
    console.wait_for("film forward: position")
    wait_until(lambda: plant.machine()["jog"]["running"] == 1, "the motor")
    status, out, errors = console.end(signal.SIGINT)
    assert (status, errors) == (0, "")
    position, given_back = out.splitlines()[-2:]
    assert given_back == GIVEN_BACK
    assert film_position(plant) - int(position.rsplit(maxsplit=1)[1]) in {0, 1}
    assert plant.machine()["jog"]["running"] == 0


def test_console_that_is_killed_leaves_a_motor_that_stops_by_itself(plant: Plant) -> None:
    console = Live(plant, "--control", "ivanova", "--jog", "tray:back", "--seconds", "30")
    console.wait_for("tray back: position")
    console.end(signal.SIGKILL)
    wait_until(lambda: plant.machine()["jog"]["running"] == 0, "the motor's own end")
    assert plant.run("--control", "ivanova", "--release").returncode == 0


def test_open_door_stops_the_handle_with_its_reason(plant: Plant) -> None:
    plant.packager.post("/door", {"open": True})
    jogged = plant.run("--control", "ivanova", "--jog", "gate:forward", "--seconds", "5")
    assert jogged.returncode == 1
    assert "STOPPED: the door is open" in jogged.stderr
    assert jogged.stdout.splitlines()[-1] == GIVEN_BACK


def test_journal_tells_of_a_job_that_is_done_and_of_one_that_is_unknown(plant: Plant) -> None:
    plant.ear.say("ready")
    done = run_command(1)
    plant.ear.send(done)
    pass_at_camera(plant.ear, 1, done)
    shown = plant.run("--journal", "--job", done.job, "--job", "0f" * 16)
    assert (shown.returncode, shown.stderr) == (0, "")
    told = {block.split("\n", 1)[0]: block for block in shown.stdout.split("\njob ")[1:]}
    assert re.search(r"journal +done\n", told[done.job])
    assert "does not know this job" in told["0f" * 16]
    wait_until(lambda: plant.ear.retained["status"]["job"] is None, "a status without a job")
    nothing = plant.run("--journal")
    assert "the machine names no job now" in nothing.stdout


def test_doubt_that_happens_is_told_with_where_it_is_answered(tmp_path: Path) -> None:
    doubtful = run_command(2)
    with (
        mosquitto(tmp_path) as port,
        HubClient(port, acknowledges=False) as hub,
        MachineOnPty(ScriptedMachine(holds_jobs=True)) as machine,
        bridge(tmp_path, port, machine.path) as running,
    ):
        hub.say("ready")
        running.wait_ready()
        hub.send(doubtful)
        hub.wait_for("accepted")
        machine.tell(lambda scripted: scripted.fall_into_doubt(bytes.fromhex(doubtful.job), 0))
        hub.wait_for("stopped")
        options = ["--broker", f"mqtt://127.0.0.1:{port}", "--site", SITE, "--journal", "--job", doubtful.job]
        command = [sys.executable, "-m", "hub.cli", "console", DEVICE, *options]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert re.search(r"journal +doubt\n", shown)
    assert re.search(
        r"waits for +a person who counts what fell in slot 0: on the page /line of the hub, or --resolve COUNTED", shown
    )


def test_jobs_that_run_are_told_while_frames_are_followed(plant: Plant) -> None:
    plant.ear.say("ready")
    console = Live(plant)
    console.wait_for("REQ       STATUS")
    command = run_command(1)
    plant.ear.send(command)
    console.wait_for(f"* job {command.job} accepted at slot 0")
    console.wait_for(f"* job {command.job} dropped at slot 0")
    console.end(signal.SIGINT)


@needs_tshark
def test_capture_of_a_watch_is_read_by_wireshark(plant: Plant) -> None:
    file = plant.folder / "trace.pcapng"
    console = Live(plant, "--control", "ivanova", "--trace-to", str(file))
    console.wait_for("RSP       LOCK")
    console.wait_for("RSP       STATUS")
    assert console.end(signal.SIGINT)[0] == 0
    infos = tshark(file, "-T", "fields", "-e", "_ws.col.Info").splitlines()
    assert any(info.startswith("REQ LOCK") for info in infos)
    assert any(info.startswith("RSP LOCK") and info.endswith("OK") for info in infos)
    assert not tshark(file, "-Y", "ppl.wrong.crc || ppl.wrong.cobs || ppl.wrong.short || ppl.wrong.long")
    before = file.read_bytes()
    again = plant.run("--trace-to", str(file), "--follow", "1")
    assert (again.returncode, file.read_bytes()) == (1, before)


def labelled_with_name(number: int) -> RunCommand:
    """Return a run whose label is carried uncompressed and holds the patient's name as text."""
    raster = b"".join(PATIENT.encode().ljust(ROW_BYTES, b"\0") for _ in range(3))
    label = RunLabel(
        digest=label_digest(8 * ROW_BYTES, 3, raster).hex(),
        width=8 * ROW_BYTES,
        height=3,
        raster=zlib.compress(raster, 0),
    )
    return msgspec.structs.replace(run_command(number), label=label)


def traces_of(name: str, content: bytes) -> bool:
    """Tell whether a name is in a file, as text, in hex or in base64 at any place."""
    raw = name.encode()
    whole = content.lower()
    encoded = [base64.b64encode(b"\0" * shift + raw)[4:-4].lower() for shift in range(3)]
    return any(found.lower() in whole for found in (raw, raw.hex().encode(), json.dumps(name)[1:-1].encode(), *encoded))


def test_bundle_holds_what_an_engineer_needs_and_no_patient(plant: Plant) -> None:
    assert plant.run("--control", "ivanova", "--self-test").returncode == 0
    plant.ear.say("ready")
    bundle, trace = plant.folder / "bundle.zip", plant.folder / "trace.jsonl"
    console = Live(plant, "--bundle", str(bundle), "--trace-to", str(trace), "--follow", "60")
    console.wait_for("REQ       STATUS")
    command = labelled_with_name(1)
    plant.ear.send(command)
    console.wait_for("EVT       AT_CAMERA")
    assert console.end(signal.SIGINT)[0] == 0
    assert traces_of(PATIENT, trace.read_bytes()), "the name was on the wire"
    assert not traces_of(PATIENT, bundle.read_bytes())
    with ZipFile(bundle) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    assert set(members) == MEMBERS
    assert [name for name, content in members.items() if traces_of(PATIENT, content)] == []
    assert_tells_of_the_machine(members, command)


def assert_tells_of_the_machine(members: dict[str, bytes], command: RunCommand) -> None:
    told = {name: json.loads(content) for name, content in members.items() if name.endswith(".json")}
    assert told["description.json"]["serial"] == "SIM000005"
    assert told["versions.json"]["firmware"] == "1.1.0"
    assert set(told["self-test.json"]["results"].values()) == {"passed"}
    assert told["counters.json"] == told["status.json"]["counters"]
    assert list(told["jobs.json"]) == [command.job]
    digests = told["manifest.json"]["sha256"]
    assert digests == {name: hashlib.sha256(members[name]).hexdigest() for name in MEMBERS - {"manifest.json"}}
    frames = [json.loads(line) for line in members["trace.jsonl"].splitlines()]
    assert told["manifest.json"]["frames"] == len(frames)
    assert any(
        frame["op"] == "JOB_RUN" and frame["fields"].get("job") == command.job and frame["hex"] for frame in frames
    )
    (piece,) = [frame for frame in frames if frame["op"] == "LABEL_DATA" and frame["type"] == "REQ"]
    carried = bytes.fromhex(command.label.digest)[:4] + bytes(4) + command.label.raster
    assert piece["closed"] == {"length": len(carried), "sha256": hashlib.sha256(carried).hexdigest()}
    assert "hex" not in piece


def test_bundle_is_written_also_where_the_console_fails_and_says_why(plant: Plant, tmp_path: Path) -> None:
    plant.packager.post("/door", {"open": True})
    bundle = tmp_path / "bundle.zip"
    failed = plant.run("--control", "ivanova", "--self-test", "--bundle", str(bundle))
    assert failed.returncode == 1
    with ZipFile(bundle) as opened:
        assert opened.read("ended-with.txt") == b"failed: door\n"
        assert json.loads(opened.read("self-test.json"))["results"]["door"] == "failed"
        assert b'"op": "SELFTEST"' in opened.read("trace.jsonl")
    before = bundle.read_bytes()
    again = plant.run("--bundle", str(bundle))
    assert (again.returncode, bundle.read_bytes()) == (1, before)
    assert str(bundle) in again.stderr


@pytest.mark.parametrize("opens_door", [False, True])
def test_card_tells_of_the_last_self_test_also_after_the_bridge_was_away(plant: Plant, opens_door: bool) -> None:
    assert "last self test  none told" in plant.run("--follow", "0").stdout
    plant.packager.post("/door", {"open": opens_door})
    assert plant.run("--control", "ivanova", "--self-test").returncode == int(opens_door)
    plant.bridge.kill()
    plant.restart_bridge()
    words = "last self test  failed: door, 20" if opens_door else "last self test  passed, 7 tests, 20"
    assert words in plant.run("--follow", "0").stdout
