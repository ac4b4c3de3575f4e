"""The devices that are tried at the MQTT contract: one that was given, or simulated ones at a real broker of their own."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from contract_machine import Machine, simulated, until
from contract_mqtt import MqttHost

HERE = Path(__file__).parents[2]
SITE, DEVICE = "kit", "packager-1"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


@dataclass(frozen=True)
class Device:
    """A device at a broker; `machine` has its hands, `break_off` ends its connection without a word and lets it come back."""

    broker: str
    site: str
    name: str
    machine: Machine
    break_off: Callable[[], None] | None

    def host(self) -> MqttHost:
        """Connect as its hub."""
        address = urlsplit(self.broker)
        root = f"dosehub/v1/{self.site}/{self.name}"
        return MqttHost(address.hostname or "127.0.0.1", address.port or 1883, root, self.machine.fence)


def given(broker: str, site: str, name: str, control: str | None, fence: int) -> Device:
    """Take the device that somebody gave; with a control port its power can be cut."""
    machine = Machine("", control, fence)
    return Device(broker, site, name, machine, None if control is None else lambda: power_cycle(machine))


def power_cycle(machine: Machine) -> None:
    """Switch a machine off and on."""
    machine.steer("POST", "/power", {"cut": "now"})
    machine.steer("POST", "/power", {"on": True})


@contextlib.contextmanager
def started(folder: Path, way: str, fence: int) -> Iterator[Device]:
    """Start a broker and a simulated device: `native`, or a `bridge` before a simulated machine at a pty."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(_broker(folder))
        if way == "native":
            yield stack.enter_context(_native(folder, broker, fence))
        else:
            yield stack.enter_context(_bridged(folder, broker, fence))


@contextlib.contextmanager
def _broker(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_dest none\n")
    with _process([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL):
        until(lambda: _answers(port), lambda: "the broker did not start")
        yield f"mqtt://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@contextlib.contextmanager
def _native(folder: Path, broker: str, fence: int) -> Iterator[Device]:
    command = [sys.executable, "-m", "simulators", "packager", "--mqtt", broker, "--site", SITE, "--device", DEVICE, "--truth",
               str(folder / "truth.ndjson"), "--state", str(folder / "state"), "--speed", "max"]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        machine = Machine("", json.loads(process.stdout.readline())["control"], fence)
        yield Device(broker, SITE, DEVICE, machine, lambda: power_cycle(machine))


@contextlib.contextmanager
def _bridged(folder: Path, broker: str, fence: int) -> Iterator[Device]:
    with simulated(folder, "pty", fence) as machine, contextlib.ExitStack() as running:
        config = folder / "bridge.toml"
        config.write_text(f'[bridge]\nsite = "{SITE}"\nbroker = "{broker}"\nspool = "{folder / "spool.db"}"\n'
                          f'[[device]]\nid = "{DEVICE}"\nurl = "{machine.url}"\nbaud = 115200\n')
        command = [sys.executable, "-m", "firmware_bridge", "--config", str(config)]
        log = running.enter_context((folder / "bridge.log").open("ab"))
        bridges = [running.enter_context(_process(command, stdout=subprocess.PIPE, stderr=log))]

        def break_off() -> None:
            bridges[-1].kill()
            bridges[-1].wait()
            bridges.append(running.enter_context(_process(command, stdout=subprocess.PIPE, stderr=log)))

        yield Device(broker, SITE, DEVICE, machine, break_off)


@contextlib.contextmanager
def _process(command: list[str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, cwd=HERE, **streams) as process:
        try:
            yield process
        finally:
            process.terminate()


def need_break_off(device: Device) -> Callable[[], None]:
    """Give what breaks the device's connection off; skip the test where nobody can."""
    if device.break_off is None:
        pytest.skip("no --packager-control was given: nobody can break its connection off")
    return device.break_off
