"""A small hospital whose source has a feed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.adapters.database import open_writer
from hub.adapters.feeds.feed_desk import FeedDesk
from hub.adapters.feeds.fhir_pull import FhirPull
from hub.adapters.feeds.fhir_server import FhirServer, PullLimits
from hub.adapters.intake_desk import IntakeDesk
from hub.domain.feeds import FeedSettings
from hub.domain.records import Feed, Incident
from hub.services.feeds import feed_of, open_alarms
from tests.services.small_world import World

SOURCE = "hospital"
SETTINGS = FeedSettings(SOURCE, expected_by=(time(6, 30),), least_share=Fraction(1, 2))


@dataclass
class FeedWorld:
    """The hospital, its desk, and what was waited for."""

    world: World
    desk: FeedDesk
    folder: Path
    waits: list[float] = field(default_factory=list)

    def alarms(self) -> list[Incident]:
        return self.world.do(open_alarms)

    def kinds(self) -> list[str]:
        return [alarm.kind for alarm in self.alarms()]

    def feed(self) -> Feed:
        return self.world.do(lambda unit: feed_of(unit, SOURCE))

    def orders(self) -> dict[str, Any]:
        return {order.id: order for order in self.world.do(lambda unit: unit.orders.where(order_by="id"))}

    def entries(self) -> int:
        return int(self.world.do(lambda unit: unit.connection.execute("SELECT count(*) FROM ledger").fetchone()[0]))

    def later(self, **span: float) -> None:
        self.world.now += timedelta(**span)

    def pull(self, url: str, token: str = "") -> FhirPull:
        """Return a pull whose waiting is written down and takes no time."""
        limits = PullLimits(tries=3, timeout_s=5, longest_pause_s=60, pages=20, page_bytes=200_000)

        def pause(seconds: float) -> bool:
            self.waits.append(seconds)
            return True

        return FhirPull(SOURCE, FhirServer(url, token, pause, limits), self.desk._pull_door(SOURCE))

    @property
    def intake(self) -> IntakeDesk:
        return IntakeDesk(self.world.house)


@cache
def _empty_store() -> bytes:
    """Return a store without records: its tables are made once for all tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        open_writer(path).close()
        return path.read_bytes()


def small_hospital(folder: Path) -> World:
    """Open a hospital without stock in a folder, anew or as it was left there."""
    folder.mkdir(exist_ok=True)
    if not (folder / "hub.sqlite").exists():
        (folder / "hub.sqlite").write_bytes(_empty_store())
    return World(folder, stocked=False)


@contextmanager
def feed_world(folder: Path, settings: FeedSettings = SETTINGS, hint_token: str = "") -> Iterator[FeedWorld]:
    """Open a hospital with one feed."""
    world = small_hospital(folder / "hub")
    world.house = replace(world.house, feeds={SOURCE: settings})
    desk = FeedDesk(world.writer, world.house, folder / "hub" / "intake", {SOURCE: ("", hint_token)})
    try:
        yield FeedWorld(world, desk, folder)
    finally:
        world.close()


def csv_sheet(*orders: str, amount: str = "1") -> bytes:
    """Return a ward sheet with one line an order, each of a patient of its own."""
    rows = [f"Therapy;4;1;W-{order};Family {order};01.01.1960;PLAIN;500 mg;{amount};tablet;PO;1;{order}" for order in orders]
    head = "department;room;bed;patient code;patient;birth date;drug code;strength;dose;unit;route;morning;order code"
    return "\n".join([head, *rows]).encode()
