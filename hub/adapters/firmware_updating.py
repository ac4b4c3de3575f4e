"""A firmware update conducted by the hub: the rules of firmware_bridge.firmware_update, over the hub's session for service."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Protocol

import msgspec

from firmware_bridge.firmware_carrying import PAUSE_S, Ask, Boot, Found, Hear, MakeCommand, Reached, Said, Send, Step
from firmware_bridge.firmware_image import Image
from firmware_bridge.firmware_update import Ended, update
from firmware_bridge.service_contract import FirmwareSlots, ServiceCommand, ServiceEvent
from hub.adapters.dispatch import FENCE
from hub.domain.refusals import Refusal
from hub.services.device_service import ServiceAnswer
from hub.services.firmware_updates import Objection, UpdateNews

# To prove an image takes the machine longer than any other act.
COMMAND_LASTS = timedelta(seconds=15)
TIMES_ASKED = 6
LOOKING = "looking"


class Session(Protocol):
    """What an update needs of the hub's session for service."""

    def description(self, device: str) -> Any:
        """Return what the machine said of itself."""

    async def ask_for(self, device: str, command: ServiceCommand, times: int) -> ServiceAnswer:
        """Ask until it is answered."""

    def send(self, device: str, command: ServiceCommand) -> "asyncio.Future[ServiceAnswer]":
        """Send once; the answer is heard until `forget`."""

    def forget(self, command: str) -> None:
        """Hear no more of a command."""


async def conducted(
    session: Session, device: str, image: Image, event: str, objection: Objection, wall_clock: Callable[[], datetime]
) -> AsyncIterator[UpdateNews]:
    """Yield what an update tells; the last one says how it ended. Commands are named after `event`."""
    number = count(1)
    conductor = _Conductor(session, device, objection, lambda: f"{event}-{next(number)}", wall_clock)
    steps, came = update(image, time.monotonic), None
    try:
        while True:
            step = steps.send(came)
            if (news := _news(step)) is not None:
                yield news
            came = await conductor.do(step)
    except StopIteration as stop:
        ended: Ended = stop.value
    finally:
        conductor.close()
    yield UpdateNews(phase="over", rc=ended.rc, words=ended.words[:1].upper() + ended.words[1:])


def _news(step: Step) -> UpdateNews | None:
    """Return what a step tells people before it is done."""
    match step:
        case Ask(_, phase):
            return UpdateNews(phase=phase)
        case Reached(carried, _):
            return UpdateNews(carried=carried)
        case Said(words):
            return UpdateNews(note=words[:1].upper() + words[1:])
        case Found(results):
            return UpdateNews(results=results)
        case FirmwareSlots():
            return UpdateNews(slots=msgspec.to_builtins(step))
    return None


class _Conductor:
    """Does each step of an update."""

    def __init__(
        self,
        session: Session,
        device: str,
        objection: Objection,
        new_name: Callable[[], str],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._session, self._device, self._objection = session, device, objection
        self._new_name, self._now = new_name, wall_clock
        self._pieces: dict[str, asyncio.Future[ServiceAnswer]] = {}

    async def do(self, step: Step) -> Any:
        """Return what came of a step."""
        match step:
            case Ask(make, phase):
                return await self._ask(make, phase)
            case Send(make):
                return self._send(make)
            case Hear(commands, patience_s):
                return await self._hear(commands, patience_s)
            case Boot():
                description = self._session.description(self._device)
                return None if description is None else description["boot"]
        return await asyncio.sleep(PAUSE_S if not isinstance(step, _TOLD) else 0)

    async def _ask(self, make: MakeCommand, phase: str) -> ServiceEvent:
        refused: Refusal | None = None if phase == LOOKING else await self._objection()
        if refused is not None:
            code = refused.code.upper().replace("-", "_")
            return ServiceEvent(command="", rc=code, reason=refused.text, data={})
        command = self._made(make)
        answer = await self._session.ask_for(self._device, command, TIMES_ASKED)
        return _event(command.command, answer)

    def _send(self, make: MakeCommand) -> str:
        command = self._made(make)
        self._pieces[command.command] = self._session.send(self._device, command)
        return command.command

    async def _hear(self, commands: frozenset[str], patience_s: float) -> ServiceEvent | None:
        """Return the next answer to one of the pieces; those that nobody waits for any more are forgotten."""
        self._forget(self._pieces.keys() - commands)
        done, _ = await asyncio.wait(self._pieces.values(), timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        for command, answered in self._pieces.items():
            if answered in done:
                return _event(command, answered.result())
        return None

    def _forget(self, commands: set[str]) -> None:
        for command in commands:
            self._session.forget(command)
            del self._pieces[command]

    def close(self) -> None:
        """Hear of no piece any more."""
        self._forget(set(self._pieces))

    def _made(self, make: MakeCommand) -> ServiceCommand:
        return make(self._new_name(), FENCE, self._now() + COMMAND_LASTS)


_TOLD = (Reached, Said, Found, FirmwareSlots)


def _event(command: str, answer: ServiceAnswer) -> ServiceEvent:
    return ServiceEvent(command=command, rc=answer.rc, reason=answer.reason, data=dict(answer.data))
