"""The spool: each command once, events until the hub's acknowledgement, bounded, and all of it after a restart."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge import spool as spool_module
from firmware_bridge.contract import BridgeEvent, EventAck, decode_event
from firmware_bridge.spool import NewCommand, Refusal, Spool, Take
from firmware_bridge.spool_file import SpoolFull

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DEVICE = "packager-1"


def new(name: str, job: str | None = "00" * 16) -> NewCommand:
    return NewCommand(name, "run", job, 1000.0, b"{}")


def event(number: int, boot: int = 3) -> BridgeEvent:
    return BridgeEvent(source="firmware", boot=boot, event=number, kind="ready", job=None, slot=None, at=AT, data={})


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool.db")
    yield spool
    spool.close()


def numbers(spool: Spool) -> list[tuple[str, int, int]]:
    return [(p.ack.source, p.ack.boot, p.ack.event) for p in spool.pending(DEVICE, 0, 100)]


def test_same_command_again_changes_nothing(spool: Spool) -> None:
    assert spool.take(DEVICE, new("a")) is Take.NEW
    assert spool.take(DEVICE, new("a")) is Take.KNOWN
    (waiting,) = spool.waiting(DEVICE)
    spool.finish(DEVICE, waiting.id)
    assert spool.take(DEVICE, new("a")) is Take.KNOWN
    assert spool.waiting(DEVICE) == []


def test_commands_wait_in_order_of_arrival_for_their_own_machine(spool: Spool) -> None:
    for name in ("b", "a", "c"):
        spool.take(DEVICE, new(name))
    spool.take("packager-2", new("a"))
    assert [waiting.command for waiting in spool.waiting(DEVICE)] == ["b", "a", "c"]


def test_command_and_its_sent_mark_outlive_the_process(tmp_path: Path) -> None:
    first = Spool(tmp_path / "spool.db")
    first.take(DEVICE, new("a"))
    first.mark_sent(first.waiting(DEVICE)[0].id)
    first.close()
    second = Spool(tmp_path / "spool.db")
    (waiting,) = second.waiting(DEVICE)
    assert waiting.sent
    assert second.job_was_sent(DEVICE, "00" * 16)
    assert not second.job_was_sent(DEVICE, "11" * 16)
    second.close()


def test_too_many_waiting_commands_are_not_taken(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "WAITING_COMMANDS_LIMIT", 2)
    spool.take(DEVICE, new("a"))
    spool.take(DEVICE, new("b"))
    with pytest.raises(SpoolFull):
        spool.take(DEVICE, new("c"))
    assert len(spool.waiting(DEVICE)) == 2


def test_done_commands_are_kept_in_bounded_number(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "DONE_COMMANDS_KEPT", 3)
    for number in range(10):
        spool.take(DEVICE, new(f"c{number}"))
        spool.finish(DEVICE, spool.waiting(DEVICE)[0].id)
    assert spool.take(DEVICE, new("c9")) is Take.KNOWN
    assert spool.take(DEVICE, new("c0")) is Take.NEW


def test_event_stays_until_its_acknowledgement(spool: Spool) -> None:
    spool.keep_events(DEVICE, "S007", [event(1), event(2)])
    assert numbers(spool) == [("firmware", 3, 1), ("firmware", 3, 2)]
    spool.acknowledge(DEVICE, EventAck(source="firmware", boot=3, event=1))
    spool.acknowledge(DEVICE, EventAck(source="firmware", boot=4, event=2))
    assert numbers(spool) == [("firmware", 3, 2)]


def test_last_event_is_known_per_serial_and_boot_even_when_all_are_acknowledged(spool: Spool) -> None:
    spool.keep_events(DEVICE, "S007", [event(1), event(2)])
    spool.acknowledge(DEVICE, EventAck(source="firmware", boot=3, event=1))
    spool.acknowledge(DEVICE, EventAck(source="firmware", boot=3, event=2))
    assert spool.last_event(DEVICE, "S007", 3) == 2
    assert spool.last_event(DEVICE, "S007", 4) == 0
    assert spool.last_event(DEVICE, "S008", 3) == 0


def test_full_spool_keeps_none_of_the_events(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "EVENTS_LIMIT", 2)
    spool.keep_events(DEVICE, "S007", [event(1)])
    with pytest.raises(SpoolFull):
        spool.keep_events(DEVICE, "S007", [event(2), event(3)])
    assert spool.last_event(DEVICE, "S007", 3) == 1


def test_refusal_is_an_event_of_the_bridge_with_a_number_of_its_own(spool: Spool) -> None:
    for name in ("a", "b"):
        spool.take(DEVICE, new(name))
        spool.finish(DEVICE, spool.waiting(DEVICE)[0].id, Refusal(name, "00" * 16, "EMPTY", "too few"), AT)
    first, second = (decode_event(pending.message) for pending in spool.pending(DEVICE, 0, 10))
    assert (first.source, first.boot, first.kind) == ("bridge", 0, "refused")
    assert first.data == {"command": "a", "rc": "EMPTY", "reason": "too few"}
    assert second.event == first.event + 1


def test_new_spool_does_not_repeat_the_numbers_of_a_lost_one(spool: Spool) -> None:
    spool.take_refused(DEVICE, new("a"), Refusal("a", None, "INVALID", "x"), AT)
    ((_, _, number),) = numbers(spool)
    assert number > AT.timestamp() - 10**9 > 1


def test_command_refused_at_once_is_refused_once(spool: Spool) -> None:
    refusal = Refusal("a", None, "INVALID", "x")
    assert spool.take_refused(DEVICE, new("a"), refusal, AT) is Take.NEW
    assert spool.take_refused(DEVICE, new("a"), refusal, AT) is Take.KNOWN
    assert len(numbers(spool)) == 1


def test_fence_only_rises(spool: Spool) -> None:
    assert spool.fence(DEVICE) == 0
    for fence in (4, 2):
        spool.raise_fence(DEVICE, fence)
    assert spool.fence(DEVICE) == 4
