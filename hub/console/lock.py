"""The service lock, held for as long as the work takes and given back however it ends; and the self test."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from firmware_bridge.service_contract import LockCommand, SelfTestCommand, ServiceCommand
from hub.console.line import ConsoleError
from hub.console.visit import Refused, Visit


@contextmanager
def lock_held(visit: Visit) -> Iterator[None]:
    """Take the lock, and give it back however this ends; an answer that did not come may have been a lock."""
    owner, keeps = visit.options.owner, visit.options.keeps_lock
    may_hold = True
    try:
        answer = visit.line.ask(lambda *head: _lock("take", owner, *head))
        may_hold = answer.rc in {"OK", "NO_ANSWER"}
        visit.demand(answer, f"the service lock is {owner}'s: no new job begins")
        may_hold = not keeps
        yield
        if keeps:
            visit.screen.line(f"the service lock stays {owner}'s: give it back with --release")
    finally:
        if may_hold:
            release(visit)


def release(visit: Visit) -> None:
    """Give the lock back; raise Refused where it may still be held."""
    owner = visit.options.owner
    try:
        answer = visit.line.ask(lambda *head: _lock("release", owner, *head))
        visit.demand(answer, "the service lock is given back")
    except (ConsoleError, KeyboardInterrupt) as error:
        why = str(error) or "interrupted before the answer"
        raise Refused(f"the service lock may still be {owner}'s, and then the machine packs nothing: {why}") from error


def self_test(visit: Visit) -> None:
    """Let the machine test itself; raise Refused where a test failed."""
    answer = visit.line.ask(_self_test)
    visit.demand(answer, "the machine has tested itself")
    results = {test: str(result) for test, result in answer.data.items()}
    visit.screen.facts(f"{visit.options.device}: self test", results)
    failed = [test for test, result in results.items() if result == "failed"]
    if failed:
        raise Refused(f"failed: {', '.join(failed)}")


def _lock(
    mode: Literal["take", "release"], owner: str, command: str, fence: int, expires_at: datetime
) -> ServiceCommand:
    return LockCommand(command=command, fence=fence, expires_at=expires_at, mode=mode, owner=owner)


def _self_test(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return SelfTestCommand(command=command, fence=fence, expires_at=expires_at, tests=frozenset())
