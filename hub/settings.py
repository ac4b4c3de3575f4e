"""The hub's settings: few, typed, each with a safe default; the devices are named by URL."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HubSettings:
    """What `dosehub serve` is started with.

    `broker`: `mqtt://[user:password@]host:port`; `service_broker`: the same with the user of the engineer's page, who is another one, for a
    second login of a user ends the first (without it, `broker`, if that names no user). `camera`: a video device number, RTSP or MJPEG URL. `printer`: `tcp://host:9100`
    or a serial path. `sources`: a TOML file in the place of the settings of sources that ship (docs/feeds.md). `ward_clock`: a TOML file of ward times and rules of schedules over those that ship (docs/schedule.md). `stepped_from`: where a demonstration's clock starts; None: the real clock.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    site: str = "hospital"
    zone: str = "Europe/Moscow"
    language: str = "ru"
    broker: str = ""
    service_broker: str = ""
    camera: str = ""
    printer: str = ""
    packager: str = "packager-1"
    label_printer: str = "printer-1"
    fhir_url: str = ""
    sources: Path | None = None
    ward_clock: Path | None = None
    cassette_limit_days: int = 30
    stepped_from: datetime | None = None

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data_dir / "dosehub.sqlite"
