"""Commands for the tests of this folder."""

import random
import zlib
from datetime import UTC, datetime, timedelta

from firmware_bridge.contract import (
    AbortCommand,
    ResolveCommand,
    RunCommand,
    RunLabel,
    RunSlot,
    StatusCommand,
    VerdictCommand,
    VerdictWord,
    label_digest,
)

WIDTH = 480


def later(seconds: float = 600.0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def run_command(
    number: int,
    *,
    frames: int = 1,
    seconds: float = 600.0,
    fence: int = 0,
    cassette: int = 1234,
    command: str | None = None,
) -> RunCommand:
    """Return a run whose label stream takes about so many LABEL_DATA frames (noise does not compress)."""
    chance = random.Random(number)
    height = max(1, frames * 200 * 8 // WIDTH)
    raster = chance.randbytes(WIDTH // 8 * height)
    return RunCommand(
        command=command or f"run-{number}",
        seq=number,
        fence=fence,
        expires_at=later(seconds),
        job=f"{number:032x}",
        slots=(RunSlot(slot=5, cassette=cassette, count=1),),
        label=RunLabel(
            digest=label_digest(WIDTH, height, raster).hex(), width=WIDTH, height=height, raster=zlib.compress(raster)
        ),
    )


def verdict_command(number: int, job: str, boot: int, event: int, verdict: VerdictWord) -> VerdictCommand:
    return VerdictCommand(
        command=f"verdict-{number}",
        seq=number,
        fence=0,
        expires_at=later(),
        job=job,
        slot=0,
        boot=boot,
        event=event,
        verdict=verdict,
    )


def status_command(number: int) -> StatusCommand:
    return StatusCommand(command=f"status-{number}", seq=number, fence=0, expires_at=later())


def resolve_command(
    number: int, job: str, boot: int, event: int, counted: int, seconds: float = 600.0
) -> ResolveCommand:
    return ResolveCommand(
        command=f"resolve-{number}",
        seq=number,
        fence=0,
        expires_at=later(seconds),
        job=job,
        slot=0,
        boot=boot,
        event=event,
        counted=counted,
    )


def abort_command(number: int, job: str, seconds: float = 600.0) -> AbortCommand:
    return AbortCommand(command=f"abort-{number}", seq=number, fence=0, expires_at=later(seconds), job=job)
