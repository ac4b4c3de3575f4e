"""The console over TLS under the shipped rights: who looks on only sees, who serves is answered."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.mqtt.secure_broker import SecureBroker, secure_broker
from tests.mqtt.test_mqtt_deployment import started_bridge


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("broker")
    with (
        secure_broker(folder) as running,
        MachineOnPty(ScriptedMachine()) as machine,
        started_bridge(folder, running, machine.path),
    ):
        yield running


def console(broker: SecureBroker, user: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub.cli", "console", "packager-1", "--site", "mercy", *options]
    environment = os.environ | {"SSL_CERT_FILE": str(broker.authority), "DOSEHUB_BROKER": broker.url(user)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_who_looks_on_sees_the_machine_and_is_told_that_he_may_not_watch(broker: SecureBroker) -> None:
    shown = console(broker, "mercy.engineer.ivanova", "--follow", "0")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "S007" in shown.stdout
    refused = console(broker, "mercy.engineer.ivanova", "--follow", "5")
    assert refused.returncode == 1
    assert "does not let this user send service commands" in refused.stderr


def test_who_serves_is_answered_and_sees_frames(broker: SecureBroker) -> None:
    shown = console(broker, "mercy.service.ivanova", "--follow", "2.5")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "RSP       STATUS" in shown.stdout
    refused = console(broker, "mercy.service.ivanova", "--control", "ivanova", "--self-test")
    assert refused.returncode == 1
    assert "UNSUPPORTED: the machine cannot do this" in refused.stderr


def test_who_is_a_stranger_is_not_let_in(broker: SecureBroker) -> None:
    refused = console(broker, "mercy.service.petrov", "--follow", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Not authorized" in refused.stderr


def test_broker_of_another_authority_is_not_spoken_to(broker: SecureBroker, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hub.cli", "console", "packager-1", "--site", "mercy", "--follow", "0"]
    environment = os.environ | {"DOSEHUB_BROKER": broker.url("mercy.service.ivanova")}
    environment.pop("SSL_CERT_FILE", None)
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "certificate verify failed" in refused.stderr
