"""What the console has heard of the machine, and what is reckoned from it: facts by name, rates, frames as sentences; pure."""

from dataclasses import dataclass, field
from math import ceil

from firmware_bridge.contract import BridgeEvent, Description, DeviceState, StatusReport
from firmware_bridge.service_contract import SelfTestReport
from firmware_bridge.trace_contract import TracedFrame, TraceReport

Facts = dict[str, str]
ARROWS = {"to-device": "->", "from-device": "<-"}
REQUEST_TYPES = frozenset({"REQ", "HELLO"})


@dataclass
class Machine:
    """The last that was heard of each kind; None is what nobody has told."""

    state: DeviceState | None = None
    description: Description | None = None
    status: StatusReport | None = None
    self_test: SelfTestReport | None = None
    jobs: dict[str, BridgeEvent] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Tell whether everything that the broker keeps of each machine was heard."""
        return None not in (self.state, self.description, self.status)

    def hear(self, heard: object) -> str:
        """Take a message; return what changed as a sentence, or an empty text."""
        match heard:
            case DeviceState():
                before, self.state = self.state, heard
                return (
                    "" if before is None or before.state == heard.state else f"bridge {before.state} -> {heard.state}"
                )
            case Description():
                return self._hear_description(heard)
            case SelfTestReport():
                self.self_test = heard
            case BridgeEvent():
                return self._hear_event(heard)
            case StatusReport():
                status, self.status = self.status, heard
                if status is not None and standing(status) != standing(heard):
                    return f"machine {standing(status)} -> {standing(heard)}"
        return ""

    def _hear_description(self, heard: Description) -> str:
        before, self.description = self.description, heard
        if before is None or (before.boot, before.firmware) == (heard.boot, heard.firmware):
            return ""
        return f"machine restarted: boot {heard.boot}, after {heard.reset_cause}, firmware {heard.firmware}"

    def _hear_event(self, heard: BridgeEvent) -> str:
        """Take an event of a job; one that is told again, until the hub acknowledges it, says nothing new."""
        if heard.job is None or heard.source != "firmware":
            return ""
        before = self.jobs.get(heard.job)
        if before is not None and (before.boot, before.event) >= (heard.boot, heard.event):
            return ""
        self.jobs[heard.job] = heard
        return f"job {heard.job} {event_words(heard)}"


def event_words(event: BridgeEvent) -> str:
    """Return what an event of a job says."""
    data = " ".join(f"{name}={value}" for name, value in event.data.items())
    return f"{event.kind} at slot {event.slot} (event {event.event} of boot {event.boot}) {data}".rstrip()


def self_test_words(report: SelfTestReport | None) -> str:
    """Return when the machine last tested itself and what came of it."""
    if report is None:
        return "none told"
    failed = sorted(test for test, result in report.results.items() if result == "failed")
    found = f"failed: {', '.join(failed)}" if failed else f"passed, {len(report.results)} tests"
    return f"{found}, {report.at:%Y-%m-%d %H:%M:%S %Z}"


def standing(status: StatusReport) -> str:
    """Return the state in a few words."""
    reason = "" if status.reason == "none" else f" ({status.reason})"
    return f"{status.state}{reason}, link {status.link}"


def identity(description: Description, self_test: SelfTestReport | None) -> Facts:
    """Return the identity card."""
    return {
        "serial": description.serial,
        "firmware": description.firmware,
        "protocol": f"{description.protocol}, schema {description.schema_crc:08x}",
        "boot": f"{description.boot}, after {description.reset_cause}",
        "cassette slots": str(description.cassette_slots),
        "label width": f"{description.label_width} dots",
        "can": ", ".join(description.capabilities),
        "bridge": description.bridge,
        "last self test": self_test_words(self_test),
    }


def state_facts(state: DeviceState | None, status: StatusReport | None) -> Facts:
    """Return how bridge and machine stand."""
    facts = {"bridge": "never heard of" if state is None else f"{state.state} since {state.at:%Y-%m-%d %H:%M:%S %Z}"}
    if status is None:
        return facts | {"machine": "not told yet"}
    filled = status.cassettes
    facts |= {
        "machine": standing(status),
        "job": status.job or "none",
        "commands waiting": str(status.queued),
        "cassettes": f"{len(filled)} in their slots, {sum(place.remaining for place in filled)} tablets",
    }
    if state is not None and state.state == "lost":
        facts["machine"] += " (as last told: the bridge is lost)"
    return facts


def counter_facts(status: StatusReport) -> Facts:
    """Return the counters of the machine and, with the prefix link_, of the bridge."""
    return {name: str(number) for name, number in status.counters.items()}


@dataclass
class Rates:
    """What the frames of a watch add up to."""

    frames: int = 0
    octets: int = 0
    errors: int = 0
    repeated: int = 0
    dropped: int = 0
    round_trips_us: list[int] = field(default_factory=list)
    _last_request: tuple[int, int, str] | None = None

    def hear(self, report: TraceReport) -> None:
        """Take the frames of one message."""
        self.dropped = max(self.dropped, report.dropped)
        for frame in report.frames:
            self._count(frame)

    def _count(self, frame: TracedFrame) -> None:
        self.frames += 1
        self.octets += len(frame.hex) // 2
        self.errors += bool(frame.error)
        if frame.round_trip_us is not None:
            self.round_trips_us.append(frame.round_trip_us)
        if frame.direction == "to-device":
            request = (frame.sid, frame.seq, frame.type)
            self.repeated += request == self._last_request
            self._last_request = request

    def facts(self, seconds: float) -> Facts:
        """Return the sums, and the rates over so many seconds of watching."""
        facts = {
            "frames": str(self.frames),
            "errors": str(self.errors),
            "repeated": str(self.repeated),
            "not told": str(self.dropped),
        }
        if seconds > 0:
            facts |= {
                "frames a second": f"{self.frames / seconds:.1f}",
                "bytes a second": f"{self.octets / seconds:.0f}",
            }
        if self.round_trips_us:
            ordered = sorted(self.round_trips_us)
            facts |= {
                "round trip, median": _milliseconds(ordered, 0.5),
                "round trip, 99 %": _milliseconds(ordered, 0.99),
            }
        return facts


def _milliseconds(ordered: list[int], part: float) -> str:
    return f"{ordered[ceil(part * len(ordered)) - 1] / 1000:.2f} ms"


def sentence(frame: TracedFrame) -> str:
    """Return one frame as one line; bytes in hex only where nothing else is known of it."""
    head = f"{frame.at_us / 1e6:11.6f} {ARROWS[frame.direction]}"
    if not frame.type:
        return f"{head} {frame.error.upper()} error in {len(frame.hex) // 2} bytes: {frame.hex}"
    words = [f"{frame.type:<9} {frame.op:<12} seq {frame.seq:3d}"]
    words += [f"{name}={value}" for name, value in frame.fields.items()]
    if frame.round_trip_us is not None:
        words.append(f"({frame.round_trip_us / 1000:.2f} ms)")
    if frame.error:
        words.append(f"{frame.error.upper()}: {frame.hex}")
    elif not frame.fields:
        words.append(frame.hex)
    return f"{head} {' '.join(words)}"
