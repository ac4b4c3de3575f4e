"""What the bridge has heard of one machine, put together for `status` and `$description`; pure."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from firmware_bridge.contract import BridgeEvent, CassettePlace, Description, StatusReport
from firmware_bridge.packets import (
    CAPABILITIES,
    MACHINE_STATES,
    NO_JOB,
    PROTOCOL_MAJOR,
    RESET_CAUSES,
    SCHEMA_CRC,
    STOP_REASONS,
    DecodeError,
    EventKind,
    FirmwareEvent,
    Hello,
    StatusPage,
    event_fields,
    event_name,
    word_of,
)

logger = logging.getLogger(__name__)

WRONG_MACHINE = "wrong-machine"
QUIET_COUNTERS = frozenset({"ok", "link_sent"})


@dataclass
class MachineView:
    """The last answers of a machine; empty until it has answered."""

    hello: Hello | None = None
    state: str = "unknown"
    reason: str = "none"
    job: str | None = None
    counters: dict[str, int] = field(default_factory=dict)
    cassettes: dict[int, CassettePlace] = field(default_factory=dict)
    is_whole: bool = False
    boots_before: int = 0
    """Of older boards in its place: what the hub hears of as a boot counts them too."""

    def take_page(self, page: StatusPage) -> int | None:
        """Take one STATUS page; return the slot number at which the next begins, or None after the last."""
        self.state = word_of(MACHINE_STATES, page.state)
        self.reason = word_of(STOP_REASONS, page.reason)
        self.job = None if page.job == NO_JOB else page.job.hex()
        self.counters = page.counters
        for entry in page.entries:
            self._put(CassettePlace(slot=entry.slot, cassette=entry.cassette, remaining=entry.remaining))
        following = page.entries[-1].slot + 1 if page.entries else page.slots + 1
        if following <= page.slots:
            return following
        self.is_whole = True
        return None

    def recorded(self, event: FirmwareEvent, at: datetime) -> BridgeEvent:
        """Take what an event says, and return it as the hub is told of it; one that cannot be read is told as it came."""
        job = None if event.job == NO_JOB else event.job.hex()
        try:
            kind, data = event_name(event.kind), event_fields(event)
            self._take_cassettes(event, data)
        except (DecodeError, ValueError) as error:
            logger.error("event %d of boot %d is not readable: %s", event.event, event.boot, error)
            kind, data = "unreadable", {"op": event.kind, "payload": event.data.hex()}
        slot = None if job is None else event.slot
        boot = self.boots_before + event.boot
        return BridgeEvent(source="firmware", boot=boot, event=event.event, kind=kind, job=job, slot=slot, at=at, data=data)

    def _take_cassettes(self, event: FirmwareEvent, fields: dict[str, int | str]) -> None:
        if event.kind == EventKind.CASSETTE:
            slot, cassette, remaining = (int(fields[name]) for name in ("slot", "cassette", "remaining"))
            self._put(CassettePlace(slot=slot, cassette=cassette, remaining=remaining))
        elif event.kind in {EventKind.DROPPED, EventKind.RESOLVED}:
            self._count_down(int(fields["cassette"]), int(fields["remaining"]))

    def _put(self, place: CassettePlace) -> None:
        if place.cassette:
            self.cassettes[place.slot] = place
        else:
            self.cassettes.pop(place.slot, None)

    def _count_down(self, cassette: int, remaining: int) -> None:
        for place in list(self.cassettes.values()):
            if place.cassette == cassette:
                self._put(CassettePlace(slot=place.slot, cassette=cassette, remaining=remaining))

    def report(self, *, is_up: bool, queued: int, link_counters: dict[str, int], seq_gaps: int = 0) -> StatusReport:
        """Return the `status` message; the counters of the bridge's link are named `link_…`."""
        return StatusReport(
            state=self.state,
            reason=self.reason,
            job=self.job,
            cassettes=tuple(self.cassettes[slot] for slot in sorted(self.cassettes)),
            counters=self.counters
            | {f"link_{name}": number for name, number in link_counters.items()}
            | {"seq_gaps": seq_gaps},
            link="up" if is_up else "down",
            queued=queued,
        )

    def description(self, bridge: str) -> Description | None:
        """Return the `$description` message, or None before the first HELLO; `bridge` is our version."""
        if self.hello is None:
            return None
        hello = self.hello
        return Description(
            serial=hello.serial,
            firmware=hello.firmware,
            protocol=f"PPL/{hello.protocol_major}.{hello.protocol_minor}",
            schema_crc=hello.schema_crc,
            boot=self.boots_before + hello.boot,
            reset_cause=word_of(RESET_CAUSES, hello.reset_cause),
            cassette_slots=hello.cassette_slots,
            label_width=hello.label_width,
            capabilities=tuple(word for bit, word in enumerate(CAPABILITIES) if hello.capabilities >> bit & 1),
            bridge=bridge,
        )


def wrong_machine(hello: Hello, serial: str) -> str:
    """Return in words why what answers at the port is not driven, or an empty text; an empty `serial` lets any machine be driven."""
    if (hello.protocol_major, hello.schema_crc) != (PROTOCOL_MAJOR, SCHEMA_CRC):
        return "the firmware speaks another protocol than PPL/1.1"
    if serial and hello.serial != serial:
        return f"at this port answers the machine {hello.serial}, not {serial} as the settings say"
    return ""


def is_news(new: StatusReport, old: StatusReport | None) -> bool:
    """Tell whether a report says more than that time has passed and frames were counted."""
    return old is None or _quiet(new) != _quiet(old)


def _quiet(report: StatusReport) -> tuple[object, ...]:
    counters = {name: number for name, number in report.counters.items() if name not in QUIET_COUNTERS}
    # That the broker denies something is news, how often is not: a denied `status` would be told, and denied, for ever.
    counters["link_denied"] = min(counters.get("link_denied", 0), 1)
    return (report.state, report.reason, report.job, report.cassettes, counters, report.link, report.queued)
