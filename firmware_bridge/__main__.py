"""`firmware-bridge --config bridge.toml`: carry jobs from the hub to the machines on this box, and their events back."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from firmware_bridge.bridge import MachineBridge
from firmware_bridge.broker import parse_address
from firmware_bridge.machine_core import MachineSettings
from firmware_bridge.spool import Spool
from firmware_bridge.supervision import Supervision, supervision_of

STOP_WAIT_S = 10.0
STUCK_S = 20.0
Name = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}$")]

logger = logging.getLogger("firmware_bridge")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the place."""


class BridgeTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[bridge]`: the site in topics, `mqtt://[user:pass@]host:port`, the path of the spool file."""

    site: Name
    broker: str
    spool: str


class DeviceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]`: id in topics, port URL, baud rate, lowest fence."""

    id: Name
    url: str
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    fence: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    bridge: BridgeTable
    device: Annotated[tuple[DeviceTable, ...], Meta(min_length=1, max_length=32)]


def read_config(path: Path) -> Config:
    """Return the configuration; raise ConfigError."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Config)
        parse_address(config.bridge.broker)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    names = [device.id for device in config.device]
    if len(set(names)) != len(names) or "hub" in names:
        raise ConfigError(f"{path}: device ids must differ from each other and from 'hub'")
    return config


class Plant:
    """All machines of one bridge process, a thread each."""

    def __init__(self, config: Config, spool: Spool, supervision: Supervision) -> None:
        self._supervision = supervision
        self.ended = threading.Event()
        self.failed = False
        self._not_ready = len(config.device)
        self._lock = threading.Lock()
        address = parse_address(config.bridge.broker)
        self._machines = [
            MachineBridge(
                MachineSettings(device.id, device.url, device.baud, device.fence),
                site=config.bridge.site,
                address=address,
                spool=spool,
                on_ready=self._one_is_ready,
            )
            for device in config.device
        ]
        self._threads = [
            threading.Thread(target=self._serve, args=(machine,), name=device.id, daemon=True)
            for machine, device in zip(self._machines, config.device, strict=True)
        ]

    def run(self) -> None:
        """Serve until `ended` is set, by a signal or by a failure."""
        for thread in self._threads:
            thread.start()
        self._supervision.tell("READY=1")
        while not self.ended.wait(self._supervision.period_s):
            self._tell_that_it_lives()
        self._supervision.tell("STOPPING=1")
        for machine in self._machines:
            machine.stop()
        for thread in self._threads:
            thread.join(STOP_WAIT_S)

    def _tell_that_it_lives(self) -> None:
        """A loop turns at least once a second; while one hangs systemd hears nothing, and starts the bridge anew."""
        oldest_s = min(machine.turned_at_s for machine in self._machines)
        if time.monotonic() - oldest_s < STUCK_S:
            self._supervision.tell("WATCHDOG=1")
        else:
            logger.error("the loop of a machine hangs")

    def _serve(self, machine: MachineBridge) -> None:
        try:
            machine.run()
        except Exception:
            logger.exception("the loop of a machine failed")
            self.failed = True
            self.ended.set()

    def _one_is_ready(self) -> None:
        with self._lock:
            self._not_ready -= 1
            if self._not_ready == 0:
                sys.stdout.write(json.dumps({"ready": True}) + "\n")
                sys.stdout.flush()


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 0 then, 1 after a failure, 2 for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(prog="firmware-bridge", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = read_config(arguments.config)
    except ConfigError as error:
        logger.error("%s", error)
        sys.exit(2)
    spool = Spool(Path(config.bridge.spool))
    plant = Plant(config, spool, supervision_of(os.environ))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: plant.ended.set())
    plant.run()
    spool.close()
    sys.exit(1 if plant.failed else 0)


if __name__ == "__main__":
    main()
