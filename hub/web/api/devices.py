"""The engineer's console: frames as they cross, the service lock, self test, jog, and what is taken along (docs/console.md)."""

import json
import platform
import secrets
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import Response, StreamingResponse

from hub.domain.identifiers import DeviceId
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.answer_words import BROKER_AWAY_RU, in_russian_words
from hub.services.device_service import JobQueryAct, JogAct, LockAct, SelfTestAct, ServiceAct, ServiceAnswer
from hub.services.ports import UnitOfWork
from hub.services.presses import Press
from hub.services.service_acts import (
    UNKNOWN,
    in_words,
    objection_to_move,
    owner_of,
    question_of_answers,
    record_answered,
    record_asked,
    serves,
)
from hub.services.support_bundle import bundle, frame_lines, questions
from hub.services.views import report_of
from hub.web.api.bodies import EventId, Write
from hub.web.context import Hub, HubContext, allowed, answered, refuse
from hub.web.live_frames import frames_of
from hub.web.newest_entries import lock_holders, newest_entries

router = APIRouter(prefix="/api/devices/{device}", tags=["devices"])
Looker = Annotated[User, Depends(allowed(Action.OPERATE_DEVICES))]
Server = Annotated[User, Depends(allowed(Action.SERVE_DEVICES))]
JobHex = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
HOLD_MS = 300
REPEATED = Refusal("repeated", "This was asked for before and is not sent again; its answer is not in.", "Об этом уже просили, повторно не отправлено; ответа ещё нет.")
HUB_FAILED = ServiceAnswer("FAILED", "the hub failed at this: whether it was done is not known")


class LockBody(Write):
    """The service lock asked for in the name of who is signed in."""

    mode: Literal["take", "take-over", "release"]


class SelfTestBody(Write):
    """A self test asked for."""


class JogBody(Write):
    """One short command of a press: the page sends them one after the other while the button is held."""

    press: EventId
    motor: Literal["film", "gate", "tray"]
    direction: Literal["back", "forward"]


class LetGoBody(Write):
    """The end of a press."""

    press: EventId


@router.get("/trace")
async def trace(device: str, request: Request, hub: Hub, _: Looker) -> StreamingResponse:
    """Watch: server-sent events with the frames on the wire, for as long as the request is open."""
    await known_device(hub, device)
    if hub.service.trouble:
        raise refuse(409, Refusal("broker-away", hub.service.trouble, BROKER_AWAY_RU))
    stream = frames_of(hub.service, device, request.is_disconnected)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


@router.get("/trace.jsonl")
async def recorded(device: str, hub: Hub, _: Looker) -> Response:
    """Return the frames of the last watch as JSON lines; label bytes are told by length and digest."""
    await known_device(hub, device)
    return _download(
        frame_lines(hub.service.recorded(device)).encode(), f"{device}-trace.jsonl", "application/x-ndjson"
    )


@router.get("/trace.pcapng")
async def captured(device: str, hub: Hub, _: Looker) -> Response:
    """Return the frames of the last watch as a capture for Wireshark; of label bytes only the length, the digest in a comment."""
    await known_device(hub, device)
    captured_bytes = hub.service.capture(device)
    if not captured_bytes:
        raise refuse(409, Refusal("broker-away", hub.service.trouble, BROKER_AWAY_RU))
    return _download(captured_bytes, f"{device}-trace.pcapng", "application/x-pcapng")


@router.get("/jobs/{job}")
async def journal(device: str, job: JobHex, hub: Hub, _: Looker) -> dict[str, Any]:
    """Ask the machine what its journal has of a job; it changes nothing."""
    await known_device(hub, device)
    answer = await hub.service.ask(device, JobQueryAct(job), f"journal-{secrets.token_hex(8)}")
    if not answer.is_done:
        raise not_done(answer)
    return told_answer(answer)


@router.get("/support.zip")
async def support(device: str, hub: Hub, _: Looker) -> Response:
    """Return the support bundle: what a maker needs to look into a fault, without patients and people."""
    await known_device(hub, device)
    known = await hub.decisions.read(lambda unit: unit.devices.get(DeviceId(device)))
    assert known is not None
    entries = [entry for question in questions(device) for entry in (await hub.read_ledger(question)).entries]
    description = hub.service.description(device)
    bridge = str(description["bridge"]) if description is not None else "unknown"
    versions = {"dosehub": _version(), "bridge": bridge, "python": platform.python_version()}
    made = bundle(
        device,
        hub.now(),
        versions,
        description,
        report_of(known),
        entries,
        hub.service.recorded(device),
    )
    return _download(made, f"{device}-support.zip", "application/zip")


@router.post("/lock")
async def lock(device: str, body: LockBody, hub: Hub, user: Server) -> dict[str, Any]:
    """Take the service lock, take it over, or give it back, under the name of who is signed in."""
    return await _done(hub, user, device, LockAct(body.mode, owner_of(user)), body)


@router.post("/self-test")
async def self_test(device: str, body: SelfTestBody, hub: Hub, user: Server) -> dict[str, Any]:
    """Let the machine make all of its tests; only who holds its service lock may ask."""
    await may_move(hub, user, device)
    return await _done(hub, user, device, SelfTestAct(), body)


@router.post("/jog")
async def jog(device: str, body: JogBody, hub: Hub, user: Server) -> dict[str, Any]:
    """Let a motor run for 0.3 seconds from now; only who holds the service lock may ask, and nobody after the press was let go."""
    await may_move(hub, user, device)
    act = JogAct(body.motor, body.direction, HOLD_MS)
    await _begin_press(hub, user, device, act, body)
    answer = await _next_of_press(hub, user, device, act, body)
    if not answer.is_done:
        raise not_done(answer)
    return told_answer(answer)


@router.post("/jog/release")
async def let_go(device: str, body: LetGoBody, hub: Hub, user: Server) -> dict[str, Any]:
    """End a press: no command of it is passed on any more, and the ledger is told how far the motor went once the last answer is in."""
    press = hub.presses.get(body.press)
    if press is not None and (press.user, press.device) != (user.id, device):
        answered(Refusal("not-your-press", "That press is somebody else's.", "Это нажатие другого человека."))
    await _record_press(hub, user, hub.presses.end(body.press, user.id, device))
    return {"commands": press.commands if press is not None else 0}


async def known_device(hub: HubContext, device: str) -> None:
    """Raise 404 where there is no such machine, or none that has a bridge."""
    if not await hub.decisions.read(lambda unit: serves(unit, device)):
        raise HTTPException(404, UNKNOWN.told())


async def may_move(hub: HubContext, user: User, device: str) -> None:
    """Raise 409 where the service lock is not this person's."""
    await known_device(hub, device)
    answered(await objection_of(hub, user, device))


async def objection_of(hub: HubContext, user: User, device: str) -> Refusal | None:
    """Return why this person must not move the machine now, by its last words about its lock."""
    return objection_to_move(await lock_holders(hub, device), user)


async def _begin_press(hub: HubContext, user: User, device: str, act: JogAct, body: JogBody) -> None:
    """Write down a press before its first command; refuse a command of another press, or of one that is over."""
    if hub.presses.get(body.press) is None:
        asked = await asked_for(hub, user, device, act, body, body.press)
        await _record_press(hub, user, hub.presses.begin(body.press, Press(user.id, device, act, asked)))
    known = hub.presses.get(body.press)
    if known is None or known.is_over:
        answered(Refusal("let-go", "The button was let go: nothing was moved.", "Кнопку отпустили: ничего не сдвинуто."))
    elif (known.user, known.device, known.act) != (user.id, device, act):
        answered(Refusal("conflict", "This press was begun for something else.", "Это нажатие начато для другого."))


async def _next_of_press(hub: HubContext, user: User, device: str, act: JogAct, body: JogBody) -> ServiceAnswer:
    """Send one command of a press; its answer may be the last that the ledger's entry waits for."""
    if not hub.presses.sent(body.press, body.event):
        answered(REPEATED)
    answer = HUB_FAILED
    try:
        answer = await hub.service.ask(device, act, _command(user, body))
    finally:
        await _record_press(hub, user, hub.presses.answered(body.press, answer))
    return answer


async def _record_press(hub: HubContext, user: User, press: Press | None) -> None:
    """Write down how a press ended, where it just did."""
    if press is None or (act := press.act) is None:
        return
    more = {"commands": press.commands, "first": press.first, "last": press.last}
    await hub.decisions.run(
        user.id, lambda unit: record_answered(unit, press.device, act, press.asked, press.outcome, **more)
    )


async def _done(hub: HubContext, user: User, device: str, act: ServiceAct, body: Write) -> dict[str, Any]:
    """Write down that it is asked for, ask the machine, write down the answer; a refusal is 409 with rc and reason.

    The same event again asks nobody: it gets the answer that was written down, or `repeated` where none was yet.
    """
    await known_device(hub, device)
    is_new, asked = await _asked_now(hub, user, device, act, body, body.event)
    answer = await _ask(hub, user, device, act, asked, body) if is_new else await _answer_to(hub, device, asked)
    if not answer.is_done:
        raise not_done(answer)
    return told_answer(answer)


async def _ask(hub: HubContext, user: User, device: str, act: ServiceAct, asked: int, body: Write) -> ServiceAnswer:
    answer = HUB_FAILED
    try:
        answer = await hub.service.ask(device, act, _command(user, body))
    finally:
        await hub.decisions.run(user.id, lambda unit: record_answered(unit, device, act, asked, answer))
    return answer


async def _answer_to(hub: HubContext, device: str, asked: int) -> ServiceAnswer:
    """Return the answer in the ledger to what was asked for before; refuse where there is none."""
    question = question_of_answers(device)
    found = await newest_entries(hub, question, lambda entry: entry.data.get("asked") == asked)
    if not found:
        answered(REPEATED)
    return ServiceAnswer(*(found[0].data[name] for name in ("rc", "reason", "data")))


async def asked_for(hub: HubContext, user: User, device: str, act: ServiceAct, body: Write, event: str) -> int:
    """Return the number of the entry that tells of the asking; the same event again is the same entry."""
    return (await _asked_now(hub, user, device, act, body, event))[1]


async def _asked_now(
    hub: HubContext, user: User, device: str, act: ServiceAct, body: Write, event: str
) -> tuple[bool, int]:
    """Return whether this is the first asking, and the number of the entry that tells of it."""
    is_new = False

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        nonlocal is_new
        is_new = True
        return record_asked(unit, device, act)

    said = f"{type(body).__name__}:{device}:{act!r}"
    result = answered(await hub.decisions.once(user.id, event, said, decide))
    return is_new, int(json.loads(result)["asked"])


def _command(user: User, body: Write) -> str:
    """Return the id of the command at the bridge: the same event of the same person moves nothing again."""
    return f"hub-{user.id}-{body.event}"


def told_answer(answer: ServiceAnswer) -> dict[str, Any]:
    """Return an answer as programs read it."""
    return {"rc": answer.rc, "data": dict(answer.data)}


def not_done(answer: ServiceAnswer) -> HTTPException:
    """Return the refusal that an answer is."""
    told = Refusal(answer.rc, in_words(answer), in_russian_words(answer)).told()
    return HTTPException(409, {**told, "data": dict(answer.data)})


def _download(data: bytes, name: str, media_type: str) -> Response:
    return Response(data, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


def _version() -> str:
    try:
        return version("dosehub")
    except PackageNotFoundError:
        return "unknown"
