"""What the bridge has heard of one machine, put together for `status` and `$description`; pure."""

from dataclasses import dataclass, field

from firmware_bridge.contract import CassettePlace, Description, StatusReport
from firmware_bridge.packets import (
    CAPABILITIES,
    MACHINE_STATES,
    NO_JOB,
    RESET_CAUSES,
    STOP_REASONS,
    EventKind,
    FirmwareEvent,
    Hello,
    StatusPage,
    word_of,
)

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

    def take_event(self, event: FirmwareEvent, fields: dict[str, int | str]) -> None:
        """Take what an event says of the cassettes."""
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
            boot=hello.boot,
            reset_cause=word_of(RESET_CAUSES, hello.reset_cause),
            cassette_slots=hello.cassette_slots,
            label_width=hello.label_width,
            capabilities=tuple(word for bit, word in enumerate(CAPABILITIES) if hello.capabilities >> bit & 1),
            bridge=bridge,
        )


def is_news(new: StatusReport, old: StatusReport | None) -> bool:
    """Tell whether a report says more than that time has passed and frames were counted."""
    return old is None or _quiet(new) != _quiet(old)


def _quiet(report: StatusReport) -> tuple[object, ...]:
    counters = {name: number for name, number in report.counters.items() if name not in QUIET_COUNTERS}
    # That the broker denies something is news, how often is not: a denied `status` would be told, and denied, for ever.
    counters["link_denied"] = min(counters.get("link_denied", 0), 1)
    return (report.state, report.reason, report.job, report.cassettes, counters, report.link, report.queued)
