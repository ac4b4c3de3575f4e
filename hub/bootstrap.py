"""The only place that builds the hub: settings in, a running hub out."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from devices.barcode_camera.capture import CaptureSettings
from hub.adapters.camera_desk import CameraDesk
from hub.adapters.camera_station import CameraStation
from hub.adapters.clock import SteppedClock, clock_in, wall_clock
from hub.adapters.desk import WriterDecisions
from hub.adapters.device_link import DeviceLink
from hub.adapters.device_service import MqttDeviceService
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.evidence_retention import EvidenceRetention
from hub.adapters.feeds.feed_desk import FeedDesk, tokens_of
from hub.adapters.feeds.mllp import MllpServer, mllp_settings, start_mllp
from hub.adapters.intake.codes import codes_of
from hub.adapters.intake.drug_match import drugs_like
from hub.adapters.intake.sources import shipped_feeds, shipped_sources, sources_of_file
from hub.adapters.intake.ward_clock import shipped_table, ward_clock_of
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.known_bad_trials import KnownBadTrials
from hub.adapters.label_desk import LabelDesk
from hub.adapters.label_printing import LabelPrinting
from hub.adapters.labelling import Labeller, LabelWidths
from hub.adapters.ledger_pages import ledger_page
from hub.adapters.ledger_store import exported_lines
from hub.adapters.makers_codes import read_makers_code
from hub.adapters.picture_figures import picture_figures
from hub.adapters.sessions import ArgonPins, StoredSessions
from hub.adapters.stray_files import StrayFiles
from hub.adapters.workers import IDLE_S, Worker
from hub.adapters.writeback import Writeback
from hub.adapters.writer import Writer
from hub.domain.bedside import ISMP_TIMING
from hub.domain.expiry import USP_REPACKAGING
from hub.domain.identifiers import DeviceId
from hub.domain.schedule import DAY_SLOTS, HOUSE_RULES, FrequencyTable
from hub.services.camera_at_hand import CAMERA, NoCamera
from hub.services.close_day import tick
from hub.services.device_service import DeviceService, NoBroker
from hub.services.devices import ensure_device
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.references import pictures_named
from hub.settings import HubSettings
from hub.web.app import create_app
from hub.web.context import HubContext
from labels.serial import make_serial

_log = logging.getLogger(__name__)
TICK_S = 5.0
BOARD_EVERY_S = 0.25
EVIDENCE_EVERY_S = 60.0
KNOWN_BAD_EVERY_S = 60.0


def house_of(settings: HubSettings) -> House:
    """Return how the hospital of these settings works; raise IntakeError where its sources cannot be read."""
    sources, feeds = (shipped_sources(), shipped_feeds()) if settings.sources is None else sources_of_file(settings.sources)
    frequencies, rules = (frequency_table(), HOUSE_RULES) if settings.ward_clock is None else ward_clock_of(settings.ward_clock)
    return House(
        zone=ZoneInfo(settings.zone), slots=DAY_SLOTS, frequencies=frequencies, sources=sources,
        repackaging=USP_REPACKAGING, cassette_limit_days=settings.cassette_limit_days, timing=ISMP_TIMING, make_serial=make_serial, read_makers_code=read_makers_code,
        packager=DeviceId(settings.packager), printer=DeviceId(settings.label_printer), language=settings.language,
        schedule_rules=rules, feeds=feeds, station=settings.station, codes=codes_of({source: feed.code_table for source, feed in feeds.items()}, frequencies),
    )  # fmt: skip


def camera_of(settings: HubSettings, writer: Writer) -> CameraDesk:
    """Return the desk of the camera that the settings name; raise ValueError where they are none."""
    capture = CaptureSettings.from_text(
        settings.camera, settings.camera_backend, settings.camera_size, settings.camera_fps, settings.camera_exposure
    )
    return CameraDesk(writer, capture, settings.lights)


def frequency_table() -> FrequencyTable:
    """Return the frequency codes that ship with the hub."""
    return shipped_table()


@dataclass
class RunningHub:
    """A hub with its writer, workers and device links; `start` and `stop` belong together."""

    settings: HubSettings
    house: House
    writer: Writer
    clock: Callable[[], datetime]
    workers: list[Worker] = field(default_factory=list)
    endings: list[Callable[[], None]] = field(default_factory=list)
    commits: asyncio.Event | None = None
    service: DeviceService = field(default_factory=NoBroker)
    listeners: list[MllpServer] = field(default_factory=list)
    feeds: FeedDesk = field(init=False)
    evidence: EvidenceFolder = field(init=False)
    tablet_pictures: EvidenceFolder = field(init=False)
    camera: CameraDesk | None = field(init=False)
    trials: KnownBadTrials | None = None

    def __post_init__(self) -> None:
        """Open the desk of the feeds; raise IntakeError where a token that the settings name is not in the environment."""
        self.evidence = EvidenceFolder(self.settings.data_dir / "evidence")
        self.tablet_pictures = EvidenceFolder(self.settings.data_dir / "references")
        self.camera = camera_of(self.settings, self.writer) if self.settings.camera else None
        tokens = tokens_of(self.house.feeds, os.environ)
        self.feeds = FeedDesk(self.writer, self.house, self.settings.data_dir / "intake", tokens)

    def start(self) -> None:
        """Start every device that the settings name, and the workers."""
        settings, writer = self.settings, self.writer
        writer.submit("system", self._enter_devices).result()
        self._work("labels", Labeller(writer, self.house, widths_of(settings)).work, {"packs", "trolleys"}, rests_s=0.1)
        if settings.broker:
            link = DeviceLink(writer, settings.broker, settings.site, wall_clock)
            link.start()
            self.endings.append(link.stop)
            self._work("outbox", link.work, {"jobs", "commands", "devices"})
        if isinstance(self.service, MqttDeviceService):
            self.service.start()
            self.endings.append(self.service.stop)
        if self.camera is not None:
            self.camera.start()
            self.endings.append(self.camera.stop)
            station = CameraStation(writer, self.camera, self.evidence, settings.evidence.pass_share, self.tablet_pictures)
            self._work("camera", station.work, {"jobs"})
        if settings.printer:
            printing = LabelPrinting(writer, self.house, settings.printer)
            self.endings.append(printing.stop)
            self._work("printer", printing.work, {"prints", "packs", "devices", "reviews"}, rests_s=0.1, idle_s=1.0)
        retention = EvidenceRetention(writer, self.evidence, settings.evidence)
        self._work("evidence", retention.work, set(), idle_s=EVIDENCE_EVERY_S)
        pictures = StrayFiles(writer, self.tablet_pictures, pictures_named, wall_clock)
        self._work("reference-pictures", pictures.work, set(), idle_s=EVIDENCE_EVERY_S)
        self.trials = KnownBadTrials(writer, self.evidence, settings.station, wall_clock)
        self._work("known-bad", self.trials.work, set(), rests_s=KNOWN_BAD_EVERY_S, idle_s=KNOWN_BAD_EVERY_S)
        writeback = Writeback(writer, settings.fhir_url, settings.data_dir / "fhir")
        self.endings.append(writeback.close)
        self._work("writeback", writeback.work, {"doses"}, rests_s=1.0)
        for worker, end in self.feeds.workers():
            self.workers.append(worker)
            self.endings.append(end)
        for worker in self.workers:
            writer.on_commit.append(worker.wake)
            worker.start()
        for source, feed in self.house.feeds.items():
            if feed.mllp_port is not None:
                self.listeners.append(start_mllp(writer, self.house, source, settings.host, feed.mllp_port, mllp_settings(feed)))
                self.endings.append(self.listeners[-1].stop)

    def _enter_devices(self, unit: UnitOfWork) -> None:
        for device, kind in (
            (self.house.packager, "packager"),
            (self.house.printer, "label-printer"),
            (CAMERA, "camera"),
        ):
            ensure_device(unit, device, kind)

    def _work(self, name: str, work: Callable[[], bool], watches: set[str], rests_s: float = 0.0, idle_s: float = IDLE_S) -> None:
        self.workers.append(Worker(name, work, watches, rests_s, idle_s))

    def stop(self) -> None:
        """End workers and devices, then the writer."""
        self.feeds.end()
        for worker in self.workers:
            worker.stop()
        for end in self.endings:
            end()
        self.writer.close()

    async def tick_forever(self) -> None:
        """Do what the clock asks for, every few seconds and after every step of a stepped clock."""
        while True:
            try:
                await self.writer.run("system", lambda unit: tick(unit, self.house))
            except Exception:  # noqa: BLE001 the next tick tries again
                _log.exception("a tick failed")
            await asyncio.sleep(TICK_S)


def open_hub(settings: HubSettings) -> RunningHub:
    """Open the store of a hub without starting anything."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo(settings.zone)
    clock = SteppedClock(settings.stepped_from, zone) if settings.stepped_from is not None else clock_in(zone)
    return RunningHub(settings, house_of(settings), Writer(settings.database, clock), clock, service=service_of(settings))


def widths_of(settings: HubSettings) -> LabelWidths:
    """Return how wide film and roll are."""
    return LabelWidths(settings.film_width_mm, settings.roll_width_mm)


def service_of(settings: HubSettings) -> DeviceService:
    """Return the way to the bridges' service topics; never as the hub's own user, for a second login of that would end the first."""
    if not settings.broker:
        return NoBroker()
    if not settings.service_broker and urlsplit(settings.broker).username:
        return NoBroker("This hub has no broker user of its own for service: start it with --service-broker (docs/deployment.md).")
    return MqttDeviceService(settings.service_broker or settings.broker, settings.site, wall_clock)


def application(hub: RunningHub) -> FastAPI:
    """Return the web application of a hub, which starts and stops with it."""
    app = create_app(context_of(hub))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        hub.start()
        ticking = asyncio.create_task(hub.tick_forever())
        yield
        ticking.cancel()
        await asyncio.to_thread(hub.stop)

    app.router.lifespan_context = lifespan
    return app


def context_of(hub: RunningHub) -> HubContext:
    """Return the hub as the web sees it."""
    clock = hub.clock
    return HubContext(
        decisions=WriterDecisions(hub.writer), sessions=StoredSessions(hub.writer, wall_clock), intake=IntakeDesk(hub.house), house=hub.house,
        labels=LabelDesk(hub.writer, hub.house, clock, widths_of(hub.settings)),
        pins=ArgonPins(), now=clock, step_clock=(lambda to: _step(hub, clock, to)) if isinstance(clock, SteppedClock) else None,
        export_ledger=lambda: _export(hub.writer),
        read_ledger=lambda question: hub.writer.read(lambda unit: ledger_page(unit.connection, question)), board_changes=lambda: _changes(hub), evidence=hub.evidence.read, evidence_is_damaged=hub.evidence.is_damaged, evidence_rules=hub.settings.evidence, site=hub.settings.site,
        service=hub.service, camera=hub.camera or NoCamera(), feeds=hub.feeds, suggest_drugs=drugs_like,
        trials_left_out=lambda: hub.trials.left_out if hub.trials is not None else 0,
        tablet_pictures=hub.tablet_pictures.read, picture=picture_figures(),
    )  # fmt: skip


def _step(hub: RunningHub, clock: SteppedClock, to: datetime) -> None:
    clock.step(to)
    hub.writer.submit("system", lambda unit: tick(unit, hub.house)).result()


async def _export(writer: Writer) -> AsyncIterator[bytes]:
    lines = await writer.read(lambda unit: list(exported_lines(unit.connection)))
    for start in range(0, len(lines), 500):
        yield b"".join(lines[start : start + 500])


async def _changes(hub: RunningHub) -> AsyncIterator[int]:
    """Yield the count of commits, and of what bridges and broker told the engineer's page, whenever it grew, at most four times a second."""
    seen = -1
    while True:
        if (changes := hub.writer.commits + hub.service.changes) != seen:
            seen = changes
            yield seen
        await asyncio.sleep(BOARD_EVERY_S)
