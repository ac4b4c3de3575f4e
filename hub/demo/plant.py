"""Starts and ends the processes of the line: broker, simulators, bridge, hub; each is asked for its address, none is guessed."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

READY_S = 60.0
ENDS_S = 15.0
LOOKING = ("--look-s", "1", "--look-high-alert-s", "2")
"""How long the people of a demonstration look at a doubtful pouch; they really do, and a whole day passes in a minute."""
MOSQUITTO_PLACES = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")


class PlantFailure(RuntimeError):
    """A process of the line did not start, or ended by itself; the message says which, and where its log is."""


@dataclass
class Process:
    """One running process of the line."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    told: Mapping[str, Any]
    command: Sequence[str]


@dataclass
class Plant:
    """The running line; `urls` are the addresses that the processes told."""

    folder: Path
    speed: str
    seed: int
    faults: str
    plant: str = ""
    processes: list[Process] = field(default_factory=list)
    broker_url: str = ""

    @property
    def truth_files(self) -> list[Path]:
        """The files in which each simulator writes what physically happened."""
        return [self.folder / f"{name}.truth.ndjson" for name in ("packager", "camera", "printer", "people")]

    def start_devices(self) -> None:
        """Start broker, camera, printer, packager and bridge."""
        self.broker_url = self._start_broker()
        common = ["--seed", str(self.seed), "--faults", self.faults]
        self._start(
            "camera", [*self.simulator("camera"), "--http", "127.0.0.1:0", *self._truth("camera"), *common, "--fps", "12",
             "--lights-link", str(self.folder / "lights.tty")],
        )  # fmt: skip
        self._start(
            "printer",
            [*self.simulator("printer"), "--tcp", "127.0.0.1:0", "--control", "127.0.0.1:0", "--paper", str(self.folder / "paper"),
             *self._truth("printer"), "--speed", self.speed, *common],
        )  # fmt: skip
        planted = ["--plant", self.plant] if self.plant else []
        self._start(
            "packager",
            [*self.simulator("packager"), "--port-link", str(self.folder / "packager.tty"), "--control", "127.0.0.1:0", "--camera",
             self.told("camera")["http"], *self._truth("packager"), "--state", str(self.folder / "packager.state"), "--speed", self.speed,
             *common, *planted],
        )  # fmt: skip
        self._start_bridge()

    def start_hub(self, data_dir: Path, clock_from: datetime, zone: str, language: str) -> str:
        """Start `dosehub serve` on the devices and return its URL."""
        return str(
            self._start(
                "hub",
                [sys.executable, "-m", "hub.cli", "serve", "--data-dir", str(data_dir), "--port", "0", "--broker", self.broker_url,
                 "--camera", f"{self.told('camera')['http']}/stream.mjpg", "--lights", self.told("camera")["lights"],
                 "--printer", self.told("printer")["printer"], "--zone", zone, "--language", language, "--stepped-from", clock_from.isoformat(),
                 *LOOKING],
            ).told["url"]
        )  # fmt: skip

    def start_people(self, hub_url: str) -> str:
        """Start the simulated people and return their control URL."""
        command = [
            *self.simulator("people"), "--hub", hub_url, "--packager", self.told("packager")["control"], "--printer",
            self.told("printer")["control"], "--control", "127.0.0.1:0", *self._truth("people"), "--seed", str(self.seed),
        ]  # fmt: skip
        return str(self._start("people", command).told["control"])

    def simulator(self, name: str) -> list[str]:
        """Return the command by which a simulator is started."""
        return [sys.executable, "-m", "simulators", name]

    def told(self, name: str) -> Mapping[str, Any]:
        """Return what a process said of itself when it was ready."""
        return self.process(name).told

    def process(self, name: str) -> Process:
        """Return a process that was started, whether it runs or has ended."""
        return next(process for process in self.processes if process.name == name)

    def kill(self, name: str) -> None:
        """End a process with SIGKILL, as a crash ends it: it gets no chance to put anything in order."""
        popen = self.process(name).popen
        popen.kill()
        popen.wait()
        if popen.stdout is not None:
            popen.stdout.close()

    def start_again(self, name: str, clock: datetime | None = None) -> None:
        """Start a process that has ended where it was, with nothing but what it left on its disk; a hub's clock stands at `clock`."""
        process = self.process(name)
        process.command = pinned(process.command, process.told, clock)
        process.popen = self._popen(process.command, process.log)
        self._await(process)

    def cut_power(self, at_append: int, dark_s: float) -> None:
        """Have the packager lose its power at the n-th thing that it writes down from now, for so many seconds."""
        order = {"cut": "at-append", "k": at_append, "dark_s": dark_s}
        httpx.post(f"{self.told('packager')['control']}/power", json=order, timeout=30.0).raise_for_status()

    def check_alive(self) -> None:
        """Raise PlantFailure if a process has ended by itself."""
        for process in self.processes:
            status = process.popen.poll()
            if status is not None:
                raise PlantFailure(
                    f"{process.name} ended by itself with status {status}; see {process.log}\n{_tail(process.log)}"
                )

    def stop(self, names: Sequence[str] = ()) -> None:
        """End processes (all, without names), the last started first; one that does not end in time is killed."""
        for process in reversed(self.processes):
            if names and process.name not in names:
                continue
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGTERM)
                try:
                    process.popen.wait(ENDS_S)
                except subprocess.TimeoutExpired:
                    process.popen.kill()
                    process.popen.wait()
            if process.popen.stdout is not None:
                process.popen.stdout.close()
        self.processes = [process for process in self.processes if names and process.name not in names]

    def _truth(self, name: str) -> list[str]:
        return ["--truth", str(self.folder / f"{name}.truth.ndjson")]

    def _start_broker(self) -> str:
        binary = next((found for place in MOSQUITTO_PLACES if (found := shutil.which(place))), None)
        if binary is None:
            raise PlantFailure(
                "mosquitto is not installed: install the packages named in system-packages.txt, then start again"
            )
        port = free_port()
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence true\n"
            f"persistence_location {self.folder}/\nautosave_interval 1\nmax_inflight_messages 20\nmax_queued_messages 100000\n"
            + ("user root\n" if os.geteuid() == 0 else ""),
            encoding="utf-8",
        )
        process = self._spawn("broker", [binary, "-c", str(config)])
        process.told = {"port": port}
        self._await(process)
        return f"mqtt://127.0.0.1:{port}"

    def _start_bridge(self) -> None:
        config = self.folder / "bridge.toml"
        config.write_text(
            f'[bridge]\nsite = "hospital"\nbroker = "{self.broker_url}"\nspool = "{self.folder / "bridge.spool"}"\n\n'
            f'[[device]]\nid = "packager-1"\nurl = "{self.folder / "packager.tty"}"\nbaud = 115200\nfence = 1\n',
            encoding="utf-8",
        )
        self._start("bridge", [sys.executable, "-m", "firmware_bridge", "--config", str(config)])

    def _start(self, name: str, command: list[str]) -> Process:
        process = self._spawn(name, command)
        self._await(process)
        return process

    def _spawn(self, name: str, command: list[str]) -> Process:
        log = self.folder / f"{name}.log"
        process = Process(name, self._popen(command, log), log, {}, command)
        self.processes.append(process)
        return process

    def _popen(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _await(self, process: Process) -> None:
        """Wait until a process can be used; only the broker does not say so."""
        if process.name == "broker":
            _wait_for_port(process.told["port"])
        else:
            process.told = _ready_line(process)


def pinned(command: Sequence[str], told: Mapping[str, Any], clock: datetime | None = None) -> list[str]:
    """Return a command in which the kernel's choices are replaced by the addresses that the process told; and a clock by `clock`."""
    again = list(command)
    for option, name in (("--http", "http"), ("--tcp", "printer"), ("--control", "control")):
        if option in again:
            again[again.index(option) + 1] = urlsplit(told[name]).netloc
    if "--port" in again:
        again[again.index("--port") + 1] = str(urlsplit(told["url"]).port)
    if clock is not None:
        again[again.index("--stepped-from") + 1] = clock.isoformat()
    return again


def free_port() -> int:
    """Return a TCP port that the kernel says is free on the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise PlantFailure(f"nothing answers on port {port}")


def _ready_line(process: Process) -> Mapping[str, Any]:
    """Read the JSON line that a process prints when it can be used."""
    assert process.popen.stdout is not None
    descriptor, deadline, text = process.popen.stdout.fileno(), time.monotonic() + READY_S, b""
    while time.monotonic() < deadline:
        readable, _, _ = select.select([descriptor], [], [], 0.2)
        chunk = os.read(descriptor, 65536) if readable else b""
        text += chunk
        for line in text.split(b"\n")[:-1]:
            if line.startswith(b"{"):
                told: Mapping[str, Any] = json.loads(line)
                return told
        if process.popen.poll() is not None or (readable and not chunk):
            break
    raise PlantFailure(f"{process.name} did not get ready; see {process.log}\n{_tail(process.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]) if log.exists() else ""
