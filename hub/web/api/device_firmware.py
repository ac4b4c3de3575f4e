"""Firmware of a machine: what lies in its slots, an update with its progress, and how it ended (docs/console.md)."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.device_service import FirmwareStatusAct, ServiceAnswer
from hub.services.firmware_updates import FirmwareAct, Update, UpdateNews
from hub.services.ports import UnitOfWork
from hub.services.service_acts import record_answered, record_asked
from hub.web.api.bodies import EventId
from hub.web.api.devices import known_device, may_move, not_done, objection_of, told_answer
from hub.web.context import Hub, HubContext, allowed, answered, refuse
from hub.web.live_frames import event as stream_event

router = APIRouter(prefix="/api/devices/{device}/firmware", tags=["devices"])
Looker = Annotated[User, Depends(allowed(Action.OPERATE_DEVICES))]
Server = Annotated[User, Depends(allowed(Action.SERVE_DEVICES))]
Event = Annotated[EventId, Query()]
# As firmware_bridge.firmware_image has it, which pages may not import.
FILE_LIMIT_BYTES = 1_048_576 + 4096
LOOK_EVERY_S = 0.2
TOO_LARGE = Refusal("too-large", "The file is not sent: an image has 1 to 1048576 bytes after its first line.", "Файл не отправлен: в образе от 1 до 1048576 байт после первой строки.")
REPEATED = Refusal("repeated", "This update was asked for before; ask anew to have it done again.", "Об этом обновлении уже просили; чтобы повторить, попросите заново.")
FAILED = "The hub failed at this update: what lies in the machine, its firmware slots tell."
_log = logging.getLogger(__name__)
_running: set[asyncio.Task[None]] = set()


@router.get("")
async def slots(device: str, hub: Hub, _: Looker) -> dict[str, Any]:
    """Ask the machine what lies in both slots; it changes nothing."""
    await known_device(hub, device)
    answer = await hub.service.ask(device, FirmwareStatusAct(), f"firmware-{secrets.token_hex(8)}")
    if not answer.is_done:
        raise not_done(answer)
    return told_answer(answer)


@router.post("")
async def update(device: str, event: Event, request: Request, hub: Hub, user: Server) -> dict[str, Any]:
    """Begin an update with the signed image in the body; only who holds the service lock may. It goes on when this was answered."""
    await may_move(hub, user, device)
    data = await _image(request)
    act = answered(hub.service.read_image(data))
    known = hub.updates.get(device)
    if known is not None and (known.user, known.event, known.act) == (user.id, event, act):
        return known.facts()
    begun = Update(user.id, event, act)
    answered(hub.updates.begin(device, begun))
    try:
        asked = await _asked(hub, user, device, act, event)
    except BaseException:
        hub.updates.forget(device)
        raise
    task = asyncio.create_task(_conduct(hub, user, device, begun, data, asked))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return begun.facts()


@router.get("/progress")
async def progress(device: str, request: Request, hub: Hub, _: Looker) -> StreamingResponse:
    """Tell how the update under way stands: server-sent events `update` until it is over; the last one alone where none runs."""
    await known_device(hub, device)
    stream = _told(hub, device, request.is_disconnected)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _told(hub: HubContext, device: str, is_gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    """Yield each state of an update that is another than the one before, at most five a second."""
    told: Update | None = None
    while True:
        known = hub.updates.get(device)
        if known != told or known is None:
            yield stream_event("update", known.facts() if known is not None else None)
        told = known
        if known is None or known.is_over or await is_gone():
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _image(request: Request) -> bytes:
    """Return the file in the body; 413 for one that is too large for a machine, without taking it in."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > FILE_LIMIT_BYTES:
            raise refuse(413, TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)


async def _asked(hub: HubContext, user: User, device: str, act: FirmwareAct, event: str) -> int:
    """Return the number of the entry that tells of the asking; an event of an update that was asked for before is refused."""
    is_new = False

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        nonlocal is_new
        is_new = True
        return record_asked(unit, device, act)

    result = answered(await hub.decisions.once(user.id, event, f"firmware:{device}:{act!r}", decide))
    if not is_new:
        answered(REPEATED)
    return int(json.loads(result)["asked"])


async def _conduct(hub: HubContext, user: User, device: str, begun: Update, data: bytes, asked: int) -> None:
    """Do the update, and write down how it ended; one entry, however long it took."""
    news = UpdateNews(rc="FAILED", words=FAILED)
    try:
        async for told in hub.service.update(
            device, data, f"hub-{user.id}-{begun.event}", lambda: objection_of(hub, user, device)
        ):
            if told.rc:
                news = told
            else:
                hub.updates.hear(device, told)
    except Exception:  # noqa: BLE001 whatever it was, the machine must not stay taken
        _log.exception("the update of %s failed", device)
    await _write_down(hub, user, device, begun.act, asked, news)


async def _write_down(hub: HubContext, user: User, device: str, act: FirmwareAct, asked: int, news: UpdateNews) -> None:
    """Write the outcome, and only then let the page see it."""
    known = hub.updates.get(device)
    carried = known.carried if known is not None else 0
    results = {str(test): str(found) for test, found in (known.results or {}).items()} if known is not None else {}
    answer = ServiceAnswer(news.rc, "" if news.rc == "OK" else news.words, results)
    try:
        await hub.decisions.run(
            user.id, lambda unit: record_answered(unit, device, act, asked, answer, carried=carried)
        )
    finally:
        hub.updates.hear(device, news)
