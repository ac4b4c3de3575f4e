"""One connection of an MLLP sender: blocks are read ahead, and each message is answered in its turn."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Protocol

from hub.adapters.clock import wall_clock
from hub.adapters.feeds.framing import Block, Framing, framed
from hub.adapters.feeds.hl7_desk import Told
from hub.adapters.intake.hl7.acknowledgements import Verdict, answers
from hub.adapters.intake.hl7.envelope import opened
from hub.adapters.intake.hl7.header import Header, broken_header
from hub.adapters.intake.hl7.problems import ErrorCode, Place, Problem
from hub.adapters.intake.hl7.reading import ReadMessage

READ_AT_ONCE = 64 * 1024
MOST_IN_A_BLOCK = 1_000
# Messages of one decision: few enough that nobody else waits long for the writer.
AT_ONCE = 32
_BROKEN = {
    "broken-off": ("a message broke off before its end; the sender has to send it again", "сообщение оборвалось; отправитель должен прислать его снова"),
    "outside": ("bytes came outside of any message: the sender does not keep to MLLP", "пришли байты вне сообщения: отправитель не соблюдает MLLP"),
}


Asked = tuple[ReadMessage, str]


class Taker(Protocol):
    """Who reads messages and decides on them."""

    async def read(self, data: bytes) -> ReadMessage:
        """Return a message's values."""

    async def decide(self, asked: Sequence[Asked]) -> list[Told]:
        """Return the answers to messages, each with its digest, in their order."""

    def tell_broken(self, english: str, russian: str) -> None:
        """Tell people here that what a sender sent did not come whole."""


class Connection:
    """Serves one sender until it goes, is silent for too long, or cannot be understood.

    What one reading brought is decided together, at most `AT_ONCE` messages; `waiting` messages may be on their way.
    """

    def __init__(
        self, taker: Taker, reader: asyncio.StreamReader, out: asyncio.StreamWriter, largest: int, waiting: int, idle_s: float
    ) -> None:
        self._taker = taker
        self._reader = reader
        self._out = out
        self._framing = Framing(largest)
        self._largest = largest
        self._idle_s = idle_s
        self._together: list[Asked] = []
        self._waiting: asyncio.Queue[tuple[list[Header], asyncio.Future[list[Told]]] | None] = asyncio.Queue(max(1, waiting // AT_ONCE))

    async def serve(self) -> None:
        """Read and answer; raises OSError (in a group) where the connection fails or is idle for too long."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._answer())
            both.create_task(self._read())

    async def _read(self) -> None:
        while data := await asyncio.wait_for(self._reader.read(READ_AT_ONCE), self._idle_s):
            for block in self._framing.feed(data):
                await self._take(block)
            await self._decide()
        for block in self._framing.end():
            await self._take(block)
        await self._waiting.put(None)

    async def _take(self, block: Block) -> None:
        messages = opened(block.data).messages if not block.problem else ()
        if block.problem == "too-large":
            await self._refuse(broken_header(block.data), _too_large(self._largest))
        elif block.problem:
            self._taker.tell_broken(*_BROKEN[block.problem])
        elif not messages:
            await self._refuse(Header(), _no_message())
        elif len(messages) > MOST_IN_A_BLOCK:
            await self._refuse(broken_header(messages[0]), _too_many())
        for message in messages if len(messages) <= MOST_IN_A_BLOCK else ():
            self._together.append((await self._taker.read(message), hashlib.sha256(message).hexdigest()))
            if len(self._together) == AT_ONCE:
                await self._decide()

    async def _decide(self) -> None:
        """Queue what was read for its commit; waits where too much waits for its answers."""
        asked, self._together = self._together, []
        if asked:
            await self._waiting.put(([message.header for message, _ in asked], asyncio.ensure_future(self._taker.decide(asked))))

    async def _refuse(self, header: Header, problem: Problem) -> None:
        await self._decide()
        answer: asyncio.Future[list[Told]] = asyncio.get_running_loop().create_future()
        answer.set_result([Told(Verdict(problem), wall_clock())])
        await self._waiting.put(([header], answer))

    async def _answer(self) -> None:
        while (waiting := await self._waiting.get()) is not None:
            headers, answer = waiting
            for header, told in zip(headers, await answer, strict=True):
                for acknowledgement in answers(header, told.verdict, told.at):
                    self._out.write(framed(acknowledgement))
            await self._out.drain()


def _too_large(largest: int) -> Problem:
    told = f"the message has more than {largest} bytes"
    return Problem(Place("MSH"), ErrorCode.VALUE_TOO_LONG, told, f"в сообщении больше {largest} байт")


def _too_many() -> Problem:
    told = f"the block holds more than {MOST_IN_A_BLOCK} messages"
    return Problem(Place("MSH"), ErrorCode.VALUE_TOO_LONG, told, f"в блоке больше {MOST_IN_A_BLOCK} сообщений")


def _no_message() -> Problem:
    return Problem(Place("MSH"), ErrorCode.REQUIRED_FIELD_MISSING, "the block holds no MSH", "в блоке нет MSH")
