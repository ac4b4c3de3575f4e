"""What the bridge tells systemd, and when it says nothing more because the loop of a machine hangs."""

import socket
import time
from pathlib import Path

import pytest

from firmware_bridge.__main__ import STUCK_S, BridgeTable, Config, DeviceTable, Plant
from firmware_bridge.spool import Spool
from firmware_bridge.supervision import QUIET_PERIOD_S, Supervision, supervision_of


def test_environment_of_systemd_is_read() -> None:
    assert supervision_of({}) == Supervision(None, QUIET_PERIOD_S)
    assert supervision_of({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "30000000"}) == Supervision("/run/n", 15.0)
    assert supervision_of({"NOTIFY_SOCKET": "@name"}).address == "\0name"
    supervision_of({}).tell("READY=1")


def test_systemd_that_does_not_listen_stops_no_machine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Supervision(str(tmp_path / "nobody"), 1.0).tell("READY=1")
    assert "systemd was not told READY=1" in caplog.text


def test_loop_that_hangs_ends_the_signs_of_life(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    config = Config(
        bridge=BridgeTable(site="mercy", broker="mqtt://127.0.0.1:1", spool=str(tmp_path / "spool.db")),
        device=(DeviceTable(id="a", url="/none"), DeviceTable(id="b", url="/none")),
    )
    spool = Spool(tmp_path / "spool.db")
    plant = Plant(config, spool, Supervision(place, QUIET_PERIOD_S))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(place)
        systemd.setblocking(False)
        plant._tell_that_it_lives()
        assert systemd.recv(100) == b"WATCHDOG=1"
        plant._machines[1].turned_at_s = time.monotonic() - STUCK_S
        plant._tell_that_it_lives()
        try:
            told = systemd.recv(100)
        except BlockingIOError:
            told = b""
    spool.close()
    assert told == b""
