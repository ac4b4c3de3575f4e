"""A support bundle: what is needed to understand a machine from afar, and nothing of a patient.

A label is a picture with a patient's name on it. So of every frame that may carry a piece of one, only length and digest of its bytes are kept; the names
of jobs and labels stay, they are numbers made by chance and sums.
"""

import hashlib
import json
import platform
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from firmware_bridge.contract import BridgeEvent
from firmware_bridge.trace_contract import TracedFrame
from hub.console.machine import Machine
from hub.open_frames import is_open

FRAMES_KEPT = 20_000
HEADER_BYTES, CHECK_BYTES = 5, 4


def without_content(frame: TracedFrame) -> Mapping[str, Any]:
    """Return a frame with its bytes where they can be of no label, else with their length and digest instead.

    Which, says `hub/open_frames.py`.
    """
    told: dict[str, Any] = msgspec.to_builtins(frame)
    if is_open(frame.type, frame.op, frame.error, len(frame.hex) // 2):
        return told
    data = bytes.fromhex(told.pop("hex"))
    closed = data[HEADER_BYTES:-CHECK_BYTES] if frame.type else data
    return told | {"closed": {"length": len(closed), "sha256": hashlib.sha256(closed).hexdigest()}}


class Bundle:
    """One new zip file; what was heard goes in as it comes, the rest at the end, whatever ended the console."""

    def __init__(self, path: Path, device: str, machine: Machine) -> None:
        self._zip = ZipFile(path, "x", ZIP_DEFLATED)
        self._device, self._machine = device, machine
        self._frames: deque[Mapping[str, Any]] = deque(maxlen=FRAMES_KEPT)
        self._lost = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._zip:
            members = self._members(str(error or ""))
            for name, content in members.items():
                self._zip.writestr(name, content)
            self._zip.writestr("manifest.json", _json(self._manifest(members)))

    def hear(self, frames: tuple[TracedFrame, ...], lost: int) -> None:
        """Keep the newest frames, without the content of labels."""
        self._lost += lost + max(0, len(self._frames) + len(frames) - FRAMES_KEPT)
        self._frames.extend(without_content(frame) for frame in frames)

    def _members(self, ended_with: str) -> dict[str, str]:
        machine, status = self._machine, self._machine.status
        members = {
            "description.json": _json(machine.description),
            "state.json": _json(machine.state),
            "status.json": _json(status),
            "counters.json": _json(None if status is None else status.counters),
            "self-test.json": _json(machine.self_test),
            "jobs.json": _json({job: _known(event) for job, event in machine.jobs.items()}),
            "versions.json": _json(_versions(machine)),
            "trace.jsonl": "".join(json.dumps(frame) + "\n" for frame in self._frames),
        }
        return members | ({"ended-with.txt": ended_with + "\n"} if ended_with else {})

    def _manifest(self, members: Mapping[str, str]) -> Mapping[str, Any]:
        digests = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in members.items()}
        return {
            "device": self._device, "made_at": datetime.now(UTC).isoformat(), "frames": len(self._frames), "frames_missing": self._lost,
            "left_out": "the bytes of labels, firmware, pings, unknown operations and damaged frames: length and SHA-256 stand for them",
            "sha256": digests,
        }  # fmt: skip


def _known(event: BridgeEvent) -> BridgeEvent:
    """Return an event without bytes that the bridge could not read."""
    return msgspec.structs.replace(event, data={}) if event.kind == "unreadable" else event


def _versions(machine: Machine) -> Mapping[str, str]:
    told = machine.description
    return {
        "console": version("dosehub"), "python": platform.python_version(), "system": platform.platform(),
        "bridge": "" if told is None else told.bridge, "firmware": "" if told is None else told.firmware,
        "protocol": "" if told is None else told.protocol,
    }  # fmt: skip


def _json(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
