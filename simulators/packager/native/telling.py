"""What the machine says of itself in the words of docs/mqtt.md: its events, its status, and who it is."""

import struct
import zlib
from typing import Any

from simulators.packager.firmware import Firmware
from simulators.packager.memory import NO_JOB, Event, EventKind

PROTOCOL = "dosehub/v1"
VERSION = "native-0.1.0"
STATES = ("idle", "running", "at-camera", "stopped", "in-doubt", "locked", "safe-mode")
REASONS = ("none", "no-verdict", "film-out", "door-open", "jam", "reject-bin", "ribbon-out", "gate-stuck")
CAUSES = ("power-on", "watchdog", "brown-out", "software")
VERDICTS = ("NONE", "PASS", "FAIL", "LOOK")
ENDS = {4: "done", 5: "diverted", 8: "aborted"}
LOCK_CHANGES = ("released", "taken", "taken-over")

_DROPPED = struct.Struct("<IBBH")
_CASSETTE = struct.Struct("<BIH")


def event_told(event: Event, boot: int, number: int, at: str) -> dict[str, Any]:
    """Write one event as a message of `job/evt`."""
    job = None if event.job == NO_JOB else event.job.hex()
    kind = EventKind(event.kind).name.lower().replace("_", "-")
    return {"source": "firmware", "boot": boot, "event": number, "kind": kind, "job": job,
            "slot": None if job is None else event.slot, "at": at, "data": _data(event)}


def _data(event: Event) -> dict[str, Any]:
    match event.kind:
        case EventKind.DROPPED | EventKind.RESOLVED:
            return dict(zip(("cassette", "asked", "counted", "remaining"), _DROPPED.unpack(event.data), strict=True))
        case EventKind.CASSETTE:
            return dict(zip(("slot", "cassette", "remaining"), _CASSETTE.unpack(event.data), strict=True))
        case EventKind.DIVERTED:
            return {"verdict": VERDICTS[event.data[0]]}
        case EventKind.DONE:
            return {"state": ENDS[event.data[0]]}
        case EventKind.STOPPED:
            return {"reason": REASONS[event.data[0]] if event.data[0] else "in-doubt"}
        case EventKind.LOCK:
            return {"mode": LOCK_CHANGES[event.data[0]], "owner": event.data[2:].decode("ascii")}
    return {}


def status_told(firmware: Firmware, counters: dict[str, int], queued: int) -> dict[str, Any]:
    """Write `status`."""
    machine, head = firmware.machine, firmware.memory.head
    cassettes = [{"slot": slot, "cassette": each.number, "remaining": each.remaining}
                 for slot, each in sorted(firmware.memory.world.cassettes.items())]
    return {"state": STATES[machine.state], "reason": REASONS[machine.stopped], "job": head.id.hex() if head else None,
            "cassettes": cassettes, "counters": counters, "link": "up", "queued": queued}


def description_told(firmware: Firmware) -> dict[str, Any]:
    """Write `$description`."""
    memory, build = firmware.memory, firmware.build
    return {"serial": firmware.serial, "firmware": memory.slots.version, "protocol": PROTOCOL,
            "schema_crc": zlib.crc32(PROTOCOL.encode()), "boot": memory.boot, "reset_cause": CAUSES[firmware.cause],
            "cassette_slots": build.cassette_slots, "label_width": build.label_width,
            "capabilities": ["labels", "verdict", "resolve", "lock", "jog", "self-test"], "bridge": VERSION}
