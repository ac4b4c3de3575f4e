"""The firmware bridge as the shipped unit starts it, over TLS, under the shipped rights; the pages name what is shipped."""

import configparser
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.main import get_command

from firmware_bridge.contract import encode
from hub.cli import app
from hub.demo.plant import Plant
from tests.bridge.orders import run_command
from tests.bridge.plant import DEADLINE_S, ended
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.mqtt.secure_broker import DEPLOYMENT, Client, SecureBroker, secure_broker

UNITS = ("firmware-bridge@.service", "dosehub.service")


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string((DEPLOYMENT / name).read_text("utf-8"))
    return read


@contextmanager
def started_bridge(folder: Path, broker: SecureBroker, url: str) -> Iterator[None]:
    """Run the program of the unit with its one variable, until the machine answered and the block ended."""
    service = unit("firmware-bridge@.service")["Service"]
    variable = service["Environment"].split("=", 1)[0]
    program, *options = service["ExecStart"].split()
    assert (Path(program).name, options[0]) == ("firmware-bridge", "--config")
    config = folder / "packager-1.toml"
    config.write_text(
        f'[bridge]\nsite = "mercy"\nbroker = "{broker.url("mercy.packager-1")}"\nspool = "{folder / "spool.db"}"\n'
        f'[[device]]\nid = "packager-1"\nurl = "{url}"\n',
        "utf-8",
    )
    command = [Path(sys.executable).with_name("firmware-bridge"), "--config", config]
    environment = os.environ | {variable: str(broker.authority)}
    with (folder / "bridge.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
    assert process.stdout is not None
    try:
        assert select.select([process.stdout], [], [], DEADLINE_S)[0], (folder / "bridge.log").read_text()
        assert json.loads(process.stdout.readline()) == {"ready": True}
        yield
    finally:
        assert ended(process) == 0
        process.stdout.close()


def wait_for(hub: Client, topic: str, **members: object) -> None:
    """Wait until the hub hears a message with these members there."""
    while True:
        heard, payload = hub.heard.get(timeout=DEADLINE_S)
        if heard == topic and members.items() <= json.loads(payload).items():
            return


def test_bridge_serves_its_hub_over_tls_under_the_shipped_rights(tmp_path: Path) -> None:
    place = "dosehub/v1/mercy/packager-1"
    with (
        secure_broker(tmp_path) as broker,
        MachineOnPty(ScriptedMachine()) as machine,
        Client(broker.port, broker.authority, "mercy.hub") as hub,
    ):
        hub.subscribe("dosehub/v1/mercy/+/$state", "dosehub/v1/mercy/+/status", "dosehub/v1/mercy/+/job/evt")
        with started_bridge(tmp_path, broker, machine.path):
            wait_for(hub, f"{place}/$state", state="ready")
            wait_for(hub, f"{place}/status", link="up")
            assert hub.publish(f"{place}/job/cmd", encode(run_command(1)))
            wait_for(hub, f"{place}/job/evt", kind="done")
        wait_for(hub, f"{place}/$state", state="lost")


def test_bridge_tells_systemd_that_it_runs_lives_and_stops_though_no_machine_answers(tmp_path: Path) -> None:
    assert unit("firmware-bridge@.service")["Service"]["Type"] == "notify"
    config, told = tmp_path / "bridge.toml", str(tmp_path / "notify")
    config.write_text(
        f'[bridge]\nsite = "mercy"\nbroker = "mqtt://127.0.0.1:1"\nspool = "{tmp_path / "spool.db"}"\n'
        f'[[device]]\nid = "packager-1"\nurl = "{tmp_path / "unplugged"}"\n',
        "utf-8",
    )
    command = [sys.executable, "-m", "firmware_bridge", "--config", str(config)]
    environment = os.environ | {"NOTIFY_SOCKET": told, "WATCHDOG_USEC": "100000"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (tmp_path / "bridge.log").open("ab") as log:
        systemd.bind(told)
        systemd.settimeout(DEADLINE_S)
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        heard = [systemd.recv(100) for _ in range(3)]
        assert ended(process) == 0
        while (last := systemd.recv(100)) == b"WATCHDOG=1":
            pass
    assert (heard, last) == ([b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"], b"STOPPING=1")


@pytest.mark.parametrize("name", UNITS)
def test_unit_comes_back_after_every_end_and_can_write_only_where_it_keeps_its_state(name: str) -> None:
    service = unit(name)["Service"]
    assert (service["Restart"], unit(name)["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    assert (service["ProtectSystem"], service["StateDirectoryMode"], service["UMask"]) == ("strict", "0700", "0077")
    assert service["User"] not in {"", "root"}


def test_options_of_the_hubs_unit_are_those_of_its_program() -> None:
    program, subcommand, *rest = unit("dosehub.service")["Service"]["ExecStart"].split()
    assert (Path(program).name, subcommand) == ("dosehub", "serve")
    taken = {option for parameter in get_command(app).commands["serve"].params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= taken


def test_page_names_every_shipped_file() -> None:
    page = (DEPLOYMENT.parent / "deployment.md").read_text("utf-8")
    assert [file.name for file in sorted(DEPLOYMENT.iterdir()) if f"`{file.name}`" not in page] == []


def test_broker_keeps_the_settings_that_were_measured() -> None:
    lines = (DEPLOYMENT / "mosquitto.conf").read_text("utf-8").splitlines()
    assert {
        "per_listener_settings false",
        "allow_anonymous false",
        "persistence true",
        "autosave_interval 1",
        "set_tcp_nodelay true",
    } <= set(lines)
    assert [line for line in lines if line.startswith(("listener", "autosave_on_changes"))] == ["listener 8883"]


def test_demonstration_runs_its_broker_with_the_same_settings(tmp_path: Path) -> None:
    plant = Plant(tmp_path, "max", 1, "none")
    try:
        plant._start_broker()
    finally:
        plant.stop()
    demo, shipped = settings(tmp_path / "mosquitto.conf"), settings(DEPLOYMENT / "mosquitto.conf")
    for name in ("set_tcp_nodelay", "persistence", "autosave_interval", "max_inflight_messages", "max_queued_messages"):
        assert demo[name] == shipped[name]


def settings(file: Path) -> dict[str, str]:
    lines = [line.partition(" ") for line in file.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return {name: value for name, _, value in lines}
