"""A hub with a real broker, a real bridge and the simulated packager on a pty, for the engineer's console."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from web_plant import DAY, PIN, _people, client_of, served

from hub.adapters.ledger_pages import ledger_page
from hub.bootstrap import RunningHub, context_of, open_hub
from hub.demo.run import set_up
from hub.domain.people import Role
from hub.services.views import LedgerQuestion
from hub.settings import HubSettings
from hub.web.app import create_app
from tests.bridge.plant import DEVICE, SITE, BridgeProcess, bridge, mosquitto, wait_until
from tests.bridge.test_with_simulated_packager import CASSETTE, Packager


@dataclass
class ConsolePlant:
    """The hub, its address, the machine; broker and bridge may be ended before the rest, and begun again."""

    hub: RunningHub
    url: str
    packager: Packager
    broker: ExitStack
    broker_port: int
    folder: Path
    clients: ExitStack
    bridge: BridgeProcess
    running: ExitStack

    def client(self, role: Role) -> httpx.Client:
        """Return a program signed in as a role."""
        client = self.clients.enter_context(client_of(self.url))
        token = client.post("/api/session", json={"badge": f"T-{role.value}", "pin": PIN}).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        return client

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of a kind in order, each with its actor."""
        question = LedgerQuestion(limit=1000, kind=kind, oldest_first=True)
        page = self.hub.writer.submit_read(lambda unit: ledger_page(unit.connection, question)).result()
        return [{**entry.data, "actor": entry.actor} for entry in page.entries]

    def restart_broker(self) -> None:
        """Begin the broker again, on the port that it had."""
        self.broker.enter_context(mosquitto(self.folder, self.broker_port))

    def restart_bridge(self) -> None:
        """Begin a bridge in place of one that was killed."""
        self.bridge = self.running.enter_context(bridge(self.folder, self.broker_port, str(self.packager.port)))
        self.bridge.wait_ready()

    def state(self) -> str:
        """Return the machine's state as the hub last heard it."""
        device = self.hub.writer.submit_read(lambda unit: unit.devices.get(DEVICE)).result()
        return device.state if device is not None else ""


@contextmanager
def console_plant(folder: Path) -> Iterator[ConsolePlant]:
    """Run all of it until the block ends."""
    with ExitStack() as running:
        packager = Packager(folder)
        running.callback(packager.stop)
        packager.post("/cassettes/5", CASSETTE)
        broker = running.enter_context(ExitStack())
        port = broker.enter_context(mosquitto(folder))
        beside_it = running.enter_context(bridge(folder, port, str(packager.port)))
        beside_it.wait_ready()
        hub = _hub(folder / "hub", port)
        running.callback(hub.stop)
        url = running.enter_context(served(create_app(context_of(hub))))
        clients = running.enter_context(ExitStack())
        plant = ConsolePlant(hub, url, packager, broker, port, folder, clients, beside_it, running)
        wait_until(
            lambda: plant.state() in ("idle", "ready") and hub.service.description(DEVICE) is not None,
            "the machine at the hub",
        )
        yield plant


def _hub(folder: Path, broker_port: int) -> RunningHub:
    folder.mkdir()
    set_up(folder, DAY)
    hub = open_hub(HubSettings(data_dir=folder, broker=f"mqtt://127.0.0.1:{broker_port}", site=SITE))
    hub.writer.submit("system", _people).result()
    hub.start()
    return hub
