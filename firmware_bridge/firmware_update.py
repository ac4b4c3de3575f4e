"""A firmware update from the file to the confirmation: carried, proven by the machine, tried, tested, and only then kept.

Whoever conducts it, at a terminal or in a hub, does what `update` yields and sends back what came of it: the rules are here once.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from firmware_bridge.firmware_carrying import (
    PASSING,
    STALL_PATIENCE_S,
    Ask,
    Boot,
    Clock,
    Found,
    MakeCommand,
    NotDone,
    Pause,
    Said,
    Step,
    carry,
    demand,
)
from firmware_bridge.firmware_image import Image
from firmware_bridge.service_contract import (
    FirmwareCommitCommand,
    FirmwareConfirmCommand,
    FirmwareSlots,
    FirmwareStatusCommand,
    SelfTestCommand,
    ServiceCommand,
    ServiceEvent,
)

RESTART_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Ended:
    """How an update ended: rc OK where the image runs and is confirmed, and in words."""

    rc: str
    words: str


def update(image: Image, clock: Clock) -> Generator[Step, Any, Ended]:
    """Bring the image into the machine and let it be kept; return how it ended. `clock` is a monotonic one, in seconds."""
    try:
        slots = yield from _slots()
        if not is_tried(slots, image):
            boot: int | None = yield Boot()
            yield from carry(image, clock, restart=slots.offset > 0 and not image.begins_with(slots.offset, slots.crc))
            yield from _commit(image, clock)
            slots = yield from _slots_after_restart(boot or 0, clock)
        return (yield from _keep(image, slots))
    except NotDone as error:
        return Ended(error.rc, str(error))


def _slots() -> Generator[Step, Any, FirmwareSlots]:
    """Ask what lies in both slots, and tell it."""
    answer: ServiceEvent = yield Ask(_status, "looking")
    demand(answer)
    slots = msgspec.convert(answer.data, FirmwareSlots)
    yield slots
    return slots


def running_version(slots: FirmwareSlots) -> str:
    """Return the version in the slot that is active."""
    return slots.version_a if slots.active == "A" else slots.version_b


def is_tried(slots: FirmwareSlots, image: Image) -> bool:
    """Tell whether somebody before brought this version as far as its trial."""
    return slots.active != slots.confirmed and not slots.safe_mode and running_version(slots) == image.version


def _commit(image: Image, clock: Clock) -> Generator[Step, Any, None]:
    """Let the machine prove the image; where its answer was lost, ask again, which changes nothing."""
    until_s = clock() + STALL_PATIENCE_S
    while True:
        answer: ServiceEvent = yield Ask(_commit_of(image), "proving")
        if answer.rc not in PASSING - {"OFFSET"} or clock() > until_s:
            demand(answer)
            yield Said("the machine has proven the image and restarts out of it, on trial")
            return
        yield Pause()


def _slots_after_restart(boot: int, clock: Clock) -> Generator[Step, Any, FirmwareSlots]:
    """Wait until the machine answers in another boot than `boot`; raise NotDone where it does not."""
    until_s = clock() + RESTART_PATIENCE_S
    while clock() < until_s:
        yield Pause()
        now: int | None = yield Boot()
        if now is None or now == boot:
            continue
        try:
            return (yield from _slots())
        except NotDone:
            continue
    words = f"the machine has not told of its restart within {RESTART_PATIENCE_S:.0f} s: look at it"
    raise NotDone("NO_RESTART", words)


def not_started(slots: FirmwareSlots, version: str) -> NotDone | None:
    """Return why a version that was committed does not run, or None."""
    if slots.safe_mode:
        words = f"the machine is in safe mode: neither slot holds a sound image, {version} has to be carried again"
        return NotDone("SAFE_MODE", words)
    if running_version(slots) != version:
        words = f"rolled back: the machine runs {running_version(slots)} and not {version}, which it could not start"
        return NotDone("ROLLED_BACK", words)
    return None


def _keep(image: Image, slots: FirmwareSlots) -> Generator[Step, Any, Ended]:
    if (why := not_started(slots, image.version)) is not None:
        raise why
    if slots.active == slots.confirmed:
        return Ended("OK", f"firmware {image.version} runs and is confirmed already")
    try:
        yield from _test()
    except NotDone as error:
        words = f"{error}; firmware {image.version} is not confirmed: the machine falls back at the fourth boot, "
        raise NotDone(
            "NOT_CONFIRMED", words + "put it right and update again with the same file to confirm it"
        ) from error
    demand((yield Ask(_confirm, "confirming")))
    return Ended("OK", f"firmware {image.version} is confirmed")


def _test() -> Generator[Step, Any, None]:
    answer: ServiceEvent = yield Ask(_self_test, "testing")
    demand(answer)
    yield Said("the machine has tested itself")
    results = {test: str(result) for test, result in answer.data.items()}
    yield Found(results)
    failed = [test for test, result in results.items() if result == "failed"]
    if failed:
        raise NotDone("FAILED", f"failed: {', '.join(failed)}")


def _status(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return FirmwareStatusCommand(command=command, fence=fence, expires_at=expires_at)


def _commit_of(image: Image) -> MakeCommand:
    def make(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
        return FirmwareCommitCommand(command=command, fence=fence, expires_at=expires_at, sha256=image.sha256)

    return make


def _confirm(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return FirmwareConfirmCommand(command=command, fence=fence, expires_at=expires_at)


def _self_test(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return SelfTestCommand(command=command, fence=fence, expires_at=expires_at, tests=frozenset())
