"""The writer as the web sees it: decisions, decisions made once for an event id, and queries."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hub.adapters.unit_of_work import EventConflict, SqlUnitOfWork, answered_once
from hub.adapters.writer import Writer
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork

Result = TypeVar("Result")
_encode = msgspec.json.Encoder().encode


class WriterDecisions:
    """`Decisions` of hub.web.context over the one writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def run(self, actor: str, decision: Callable[[UnitOfWork], Result]) -> Result:
        """Run a decision and answer after its commit; a refusal leaves nothing behind."""
        try:
            return await self._writer.run(actor, lambda unit: _or_nothing(decision(unit)))
        except _Refused as refused:
            return refused.refusal  # type: ignore[return-value]

    async def once(self, actor: str, event: str, body: str, decision: Callable[[UnitOfWork], Any]) -> str | Refusal:
        """Run a decision once for (actor, event) and return its JSON; its repetition gets the stored answer, another body a refusal."""
        digest = hashlib.sha256(body.encode()).hexdigest()

        def decide(unit: SqlUnitOfWork) -> str | Refusal:
            try:
                return answered_once(unit, f"{actor}/{event}", digest, lambda: _encode(_or_nothing(decision(unit))).decode())[0]
            except EventConflict:
                return Refusal("conflict", "This event id was used before for something else.", "Этот номер события уже использован для другого.")

        try:
            return await self._writer.run(actor, decide)
        except _Refused as refused:
            return refused.refusal

    async def try_out(self, actor: str, decision: Callable[[UnitOfWork], Result]) -> Result | Refusal:
        """Run a decision and take it back: its result is told, and the store is as it was before."""

        def tried(unit: UnitOfWork) -> Result:
            raise _TakenBack(decision(unit))

        try:
            return await self._writer.run(actor, tried)
        except _TakenBack as taken_back:
            return taken_back.result  # type: ignore[no-any-return]

    async def read(self, decision: Callable[[UnitOfWork], Result]) -> Result:
        """Run a query beside the writer."""
        return await self._writer.read(decision)


def decided(writer: Writer, actor: str, decision: Callable[[SqlUnitOfWork], Result]) -> Result | Refusal:
    """Run a decision from a thread and wait for its commit; a refusal leaves nothing behind."""
    try:
        return writer.submit(actor, lambda unit: _or_nothing(decision(unit))).result()
    except _Refused as refused:
        return refused.refusal


class _TakenBack(Exception):
    """Carries a result out of a decision whose savepoint is rolled back."""

    def __init__(self, result: Any) -> None:
        super().__init__("taken back")
        self.result = result


class _Refused(Exception):
    """Carries a refusal out of a decision, so that its savepoint is rolled back."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


def _or_nothing(result: Result) -> Result:
    if isinstance(result, Refusal):
        raise _Refused(result)
    return result
