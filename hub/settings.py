"""The hub's settings: few, typed, each with a safe default; the devices are named by URL."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.domain.evidence import USUAL_EVIDENCE, EvidenceRules
from hub.domain.identifiers import DeviceId
from hub.domain.looking import USUAL_STATION, StationRules

LABEL_PRINTER = DeviceId("printer-1")


@dataclass(frozen=True, slots=True)
class HubSettings:
    """What `dosehub serve` is started with.

    `broker`: `mqtt://[user:password@]host:port`; `service_broker`: the same with the user of the engineer's page, who is another one, for a
    second login of a user ends the first (without it, `broker`, if that names no user). `camera`: a video device number, RTSP or MJPEG URL; `lights`: the serial path of the station's relay board (docs/camera.md). `printer`: `tcp://host:9100`
    or a serial path, with `zpl+` before it for a ZPL printer (docs/printers.md). `sources`: a TOML file in the place of the settings of sources that ship (docs/feeds.md). `ward_clock`: a TOML file of ward times and rules of schedules over those that ship (docs/schedule.md). `station`: least times of looking and how often known-bad pouches come (docs/review-station.md). `evidence`: which frames are kept and for how many days (docs/evidence-kept.md). `film_width_mm`: the machine's film, `roll_width_mm`: the label printer's roll (docs/labels.md). `stepped_from`: where a demonstration's clock starts; None: the real clock.
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
    camera_backend: str = ""
    camera_size: str = ""
    camera_fps: float = 0
    camera_exposure: float = 0
    lights: str = ""
    printer: str = ""
    packager: str = "packager-1"
    label_printer: str = LABEL_PRINTER
    fhir_url: str = ""
    sources: Path | None = None
    ward_clock: Path | None = None
    cassette_limit_days: int = 30
    film_width_mm: int = 80
    roll_width_mm: int = 80
    stepped_from: datetime | None = None
    station: StationRules = USUAL_STATION
    evidence: EvidenceRules = USUAL_EVIDENCE

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data_dir / "dosehub.sqlite"
