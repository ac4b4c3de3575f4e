"""How this hospital works: slots, tables, rules and device names; fixed at start-up and named in every decision."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hub.domain.bedside import TimingRules
from hub.domain.codes import CodeTable
from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import PlannedDose
from hub.domain.expiry import RepackagingRule
from hub.domain.feeds import FeedSettings
from hub.domain.identifiers import BatchId, DeviceId, PackSerial, TrolleyId, derived_id
from hub.domain.looking import USUAL_STATION, StationRules
from hub.domain.makers_codes import ReadMakersCode, no_makers_codes
from hub.domain.orders import OrderLine, Reason, SourceSettings
from hub.domain.releases import rules_meant
from hub.domain.rulings import Ruling
from hub.domain.schedule import (
    HOUSE_RULES,
    FrequencyTable,
    IntakeSlot,
    Schedule,
    ScheduleRules,
    schedule_for,
    slot_bounds,
)
from hub.domain.schedule_rules import rules_of


@dataclass(frozen=True, slots=True)
class House:
    """The settings of one hospital, as the use cases need them.

    `make_serial` turns bytes into a pack serial with its check character (the labels' own rule). `codes` are the code tables
    that the house has written down for its sources, by source. `read_makers_code` reads the codes of makers' packs.
    """

    zone: tzinfo
    slots: tuple[IntakeSlot, ...]
    frequencies: FrequencyTable
    sources: Mapping[str, SourceSettings]
    repackaging: RepackagingRule
    cassette_limit_days: int
    timing: TimingRules
    make_serial: Callable[[bytes], str]
    packager: DeviceId
    printer: DeviceId
    language: str = "ru"
    sheets_at: time = time(6)
    codes: Mapping[str, CodeTable] = field(default_factory=dict)
    feeds: Mapping[str, FeedSettings] = field(default_factory=dict)
    schedule_rules: ScheduleRules = HOUSE_RULES
    read_makers_code: ReadMakersCode = no_makers_codes
    station: StationRules = USUAL_STATION

    def rules_for(self, source: str) -> ScheduleRules:
        """Return the rules of schedules as they hold for a source."""
        return rules_of(self.schedule_rules, self.sources.get(source))

    def schedule_of(self, line: OrderLine, department: str, rulings: Collection[Ruling] = ()) -> Schedule | Reason:
        """Return what the dosages of a line mean at a department, or why nobody can tell; a ruling may say what its duration means."""
        rules = rules_meant(self.rules_for(line.source), line, rulings)
        return schedule_for(line.dosages, self.frequencies, department, self.slots, rules)

    def feed_of(self, source: str) -> FeedSettings:
        """Return how a source reaches the hub; one of which nothing is told is taken in by upload alone."""
        return self.feeds.get(source) or FeedSettings(source)

    def zone_of(self, source: str) -> tzinfo:
        """Return the zone of a source's times without an offset."""
        own = self.feed_of(source).time_zone
        return ZoneInfo(own) if own else self.zone

    def local_date(self, moment: datetime) -> date:
        """Return the calendar day of a moment in the hospital."""
        return moment.astimezone(self.zone).date()

    def slot_named(self, name: str) -> IntakeSlot:
        """Return the intake slot of that name."""
        return next(slot for slot in self.slots if slot.name == name)

    def day_of(self, moment: datetime) -> date:
        """Return the working day of a moment: it begins when the sheets are pulled."""
        local = moment.astimezone(self.zone)
        return local.date() if local.time() >= self.sheets_at else local.date() - timedelta(days=1)

    def day_window(self, moment: datetime) -> tuple[datetime, datetime]:
        """Return the due times that a sheet pulled at `moment` plans: from the day's first slot to the next day's first."""
        first = min(self.slots, key=lambda slot: slot.opens)
        day = self.day_of(moment)
        return datetime.combine(day, first.opens, self.zone), datetime.combine(
            day + timedelta(days=1), first.opens, self.zone
        )

    def sheet_window(self, moment: datetime) -> tuple[datetime, datetime]:
        """Return the due times that a whole sheet plans: one that comes before the sheets are pulled is also the coming day's."""
        begins, ends = self.day_window(moment)
        return begins, ends + timedelta(days=1) if self.is_early(moment) else ends

    def is_early(self, moment: datetime) -> bool:
        """Tell whether a moment is before the sheets are pulled: the working day is still the one of the day before."""
        return moment.astimezone(self.zone).time() < self.sheets_at

    def slot_span(self, slot: str, day: date) -> tuple[datetime, datetime]:
        """Return the due times that belong to a slot of a day."""
        return slot_bounds(self.slot_named(slot), day, self.slots, self.zone)

    def batch_id(self, slot: str, day: date) -> BatchId:
        """Return the id of the batch of a slot of a day."""
        return BatchId(f"{day.isoformat()}-{slot}")

    def trolley_of(self, dose: PlannedDose) -> TrolleyId:
        """Return the trolley that takes a dose: one a department and intake slot."""
        day = self.slot_day(dose)
        return TrolleyId(f"{day.isoformat()}-{dose.slot}-{derived_id('trolley', dose.department, digits=6)}")

    def slot_day(self, dose: PlannedDose) -> date:
        """Return the day of a dose's slot: a dose after midnight belongs to the night before."""
        first = min(self.slots, key=lambda slot: slot.opens)
        local = dose.due.astimezone(self.zone)
        return local.date() if local.time() >= first.opens else local.date() - timedelta(days=1)

    def new_trolley(self, dose: PlannedDose) -> Trolley:
        """Return the round of the trolley that takes a dose."""
        trolley = self.trolley_of(dose)
        label = self.serial_of("tray", trolley)
        return Trolley(trolley, dose.department, dose.slot, self.slot_day(dose), TrolleyState.ASSEMBLING, label)

    def serial_of(self, *parts: object) -> PackSerial:
        """Return the serial that follows from `parts` alone."""
        return PackSerial(self.make_serial(bytes.fromhex(derived_id(*parts, digits=64))))
