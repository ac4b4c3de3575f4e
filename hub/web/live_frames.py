"""Frames of a machine as server-sent events for one who watches: the watch is prolonged while somebody looks, and ends by itself."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any

from hub.services.device_service import DeviceService, Frame, ServiceAnswer, Viewer, WatchAct
from hub.services.service_acts import in_words
from hub.services.trace_figures import TraceFigures

WATCH_S = 10
PROLONG_EVERY_S = 4.0
LOOK_EVERY_S = 0.2
# Then the page asks anew, and whether its person still may is looked at again.
STREAM_LASTS_S = 600.0


def told(frame: Frame) -> dict[str, Any]:
    """Return a frame as the page reads it; members that say nothing are left out."""
    return {name: value for name, value in asdict(frame).items() if value not in ("", None, {})}


def event(kind: str, data: Any) -> bytes:
    """Return one server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def frames_of(
    service: DeviceService, device: str, is_gone: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Yield `frames` (at most five a second), and `trouble` when the watch is refused, is not answered, or goes on again."""
    yield b"retry: 2000\n\n"
    ends_s = time.monotonic() + STREAM_LASTS_S
    with service.watching(device) as viewer:
        watch = _Watch(service, device)
        figures = TraceFigures()
        try:
            while time.monotonic() < ends_s and not await is_gone():
                for message in (watch.news(), _frames(viewer, figures)):
                    if message is not None:
                        yield message
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            watch.end()


def _frames(viewer: Viewer, figures: TraceFigures) -> bytes | None:
    watched = viewer.take()
    if not watched.frames:
        return None
    figures.hear(watched.frames)
    return event(
        "frames",
        {"frames": [told(frame) for frame in watched.frames], "dropped": watched.dropped, "figures": figures.facts()},
    )


class _Watch:
    """Asks for a watch every few seconds, and tells when the answer is another than before."""

    def __init__(self, service: DeviceService, device: str) -> None:
        self._service, self._device = service, device
        self._asking: asyncio.Task[ServiceAnswer] | None = None
        self._asked_s = float("-inf")
        self._told: str | None = None

    def news(self) -> bytes | None:
        """Prolong the watch where that is due; return the event that tells a change, or None."""
        changed = None
        if self._asking is not None and self._asking.done():
            words, self._asking = in_words(self._asking.result()), None
            changed = event("trouble", words) if words != self._told else None
            self._told = words
        if self._asking is None and time.monotonic() >= self._asked_s + PROLONG_EVERY_S:
            self._asked_s = time.monotonic()
            self._asking = asyncio.create_task(
                self._service.ask(self._device, WatchAct(WATCH_S), f"watch-{secrets.token_hex(8)}")
            )
        return changed

    def end(self) -> None:
        """Ask no more; the bridge stops within some seconds."""
        if self._asking is not None:
            self._asking.cancel()
