"""`firmware-bridge --config bridge.toml`: carry jobs and labels from the hub to the machines and printers on this box, and what came of them back."""

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
from firmware_bridge.printer_bridge import PrinterBridge, PrinterSettings
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage
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
    """`[[device]]`: id in topics, port URL, baud rate, lowest fence, serial number of the one machine that is driven (empty: any)."""

    id: Name
    url: str
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    fence: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    serial: Annotated[str, Meta(max_length=32)] = ""


class PrinterTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[printer]]`: id in topics, `tcp://host:port` or serial port URL, baud rate of a serial one, `"escpos"` or `"zpl"`."""

    id: Name
    url: str
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    language: PrinterLanguage = PrinterLanguage.ESCPOS


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    bridge: BridgeTable
    device: Annotated[tuple[DeviceTable, ...], Meta(max_length=32)] = ()
    printer: Annotated[tuple[PrinterTable, ...], Meta(max_length=32)] = ()

    @property
    def names(self) -> list[str]:
        """The ids in topics, first those of the machines."""
        return [*(device.id for device in self.device), *(printer.id for printer in self.printer)]


def read_config(path: Path) -> Config:
    """Return the configuration; raise ConfigError."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Config)
        parse_address(config.bridge.broker)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    names = config.names
    if not names:
        raise ConfigError(f"{path}: there is neither a [[device]] nor a [[printer]]")
    if len(set(names)) != len(names) or "hub" in names:
        raise ConfigError(f"{path}: device ids must differ from each other and from 'hub'")
    return config


class Plant:
    """All machines and printers of one bridge process, a thread each."""

    def __init__(self, config: Config, spool: Spool, supervision: Supervision) -> None:
        self._supervision = supervision
        self.ended = threading.Event()
        self.failed = False
        self._not_ready = len(config.device) + len(config.printer)
        self._lock = threading.Lock()
        self._prints = PrintSpool(Path(config.bridge.spool))
        self._machines = self._machines_of(config, spool)
        self._printers = self._printers_of(config)
        self._served: list[MachineBridge | PrinterBridge] = [*self._machines, *self._printers]
        self._threads = [
            threading.Thread(target=self._serve, args=(bridge,), name=name, daemon=True)
            for bridge, name in zip(self._served, config.names, strict=True)
        ]

    def _machines_of(self, config: Config, spool: Spool) -> list[MachineBridge]:
        address = parse_address(config.bridge.broker)
        return [
            MachineBridge(
                MachineSettings(device.id, device.url, device.baud, device.fence, device.serial),
                site=config.bridge.site,
                address=address,
                spool=spool,
                on_ready=self._one_is_ready,
            )
            for device in config.device
        ]

    def _printers_of(self, config: Config) -> list[PrinterBridge]:
        address = parse_address(config.bridge.broker)
        return [
            PrinterBridge(
                PrinterSettings(printer.id, printer.url, printer.baud, printer.language),
                site=config.bridge.site,
                address=address,
                spool=self._prints,
                on_ready=self._one_is_ready,
            )
            for printer in config.printer
        ]

    def run(self) -> None:
        """Serve until `ended` is set, by a signal or by a failure."""
        for thread in self._threads:
            thread.start()
        self._supervision.tell("READY=1")
        while not self.ended.wait(self._supervision.period_s):
            self._tell_that_it_lives()
        self._supervision.tell("STOPPING=1")
        for bridge in self._served:
            bridge.stop()
        for thread in self._threads:
            thread.join(STOP_WAIT_S)
        self._prints.close()

    def _tell_that_it_lives(self) -> None:
        """A loop turns at least once a second; while one hangs systemd hears nothing, and starts the bridge anew."""
        oldest_s = min(bridge.turned_at_s for bridge in self._served)
        if time.monotonic() - oldest_s < STUCK_S:
            self._supervision.tell("WATCHDOG=1")
        else:
            logger.error("the loop of a machine or printer hangs")

    def _serve(self, bridge: MachineBridge | PrinterBridge) -> None:
        try:
            bridge.run()
        except Exception:
            logger.exception("the loop of a machine or printer failed")
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
