"""What the bridge does with each service command: at once, once, or refused with a reason; no threads in here."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firmware_bridge.packets import DecodeError, Op, Rc
from firmware_bridge.service_contract import ServiceEvent, decode_service_command, service_data
from firmware_bridge.service_desk import ANSWERS_KEPT, AT_ONCE_S, WAITING_LIMIT, ServiceDesk, Standing

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
STANDING = Standing(now_s=10.0, now=NOW, fence=2, is_up=True)
JOB = "0f" * 16
SLOTS = b"\x00\x01\x00\x02\x00\xc8\x00\x00\x00\xef\xbe\xad\xde\x051.1.0\x00"
UNLOCKED = b"\x00\x00\x00"
LOCKED_BY_PETROV = b"\x01\x06petrov"


def message(kind: str, name: str = "s-1", **changes: Any) -> bytes:
    body: dict[str, dict[str, Any]] = {
        "lock": {"mode": "take", "owner": "ivanova"},
        "self-test": {"tests": ["door"]},
        "jog": {"motor": "gate", "direction": "back", "hold_ms": 300},
        "watch": {"seconds": 60},
        "job-query": {"job": JOB},
        "firmware-status": {},
        "firmware-begin": {
            "version": "1.2.0", "size": 700, "crc": 0xAD0807A7, "sha256": "ab" * 32, "signature": "cd" * 64, "restart": False,
        },
        "firmware-data": {"crc": 0xAD0807A7, "offset": 200, "data": "aGFsbG8="},
        "firmware-commit": {"sha256": "ab" * 32},
        "firmware-confirm": {},
    }  # fmt: skip
    head = {"kind": kind, "command": name, "fence": 2, "expires_at": (NOW + timedelta(seconds=1)).isoformat()}
    return json.dumps(head | body[kind] | changes).encode()


class Desk(ServiceDesk):
    """A desk whose answers and watches are kept for the test."""

    def __init__(self) -> None:
        self.told: list[ServiceEvent] = []
        self.watches: list[tuple[int, float]] = []
        self.tests: list[ServiceEvent] = []
        super().__init__(
            self.told.append, lambda seconds, now_s: self.watches.append((seconds, now_s)), self.tests.append
        )


@pytest.mark.parametrize(
    ("kind", "op", "payload"),
    [
        ("lock", Op.LOCK, b"\x01\x07ivanova"),
        ("self-test", Op.SELFTEST, b"\x10"),
        ("jog", Op.JOG, b"\x02\x00\x2c\x01"),
        ("job-query", Op.JOB_QUERY, b"\x0f" * 16),
        ("firmware-status", Op.FW_STATUS, b""),
        (
            "firmware-begin",
            Op.FW_BEGIN,
            b"\x00\xbc\x02\x00\x00\xa7\x07\x08\xad" + b"\xab" * 32 + b"\xcd" * 64 + b"\x051.2.0",
        ),
        ("firmware-data", Op.FW_DATA, b"\xa7\x07\x08\xad\xc8\x00\x00\x00hallo"),
        ("firmware-commit", Op.FW_COMMIT, b"\xab" * 32),
        ("firmware-confirm", Op.FW_CONFIRM, b""),
    ],
)
def test_command_becomes_one_request_and_no_second(kind: str, op: Op, payload: bytes) -> None:
    desk = Desk()
    desk.take(message(kind), STANDING)
    asked = desk.ask(STANDING)
    assert asked is not None
    assert (asked.op, asked.payload) == (op, payload)
    assert desk.ask(STANDING) is None
    assert desk.told == []


@pytest.mark.parametrize(
    ("kind", "payload", "rc", "data"),
    [
        ("lock", b"\x00\x01\x07ivanova", "OK", {"locked": True, "owner": "ivanova"}),
        ("lock", UNLOCKED, "OK", {"locked": False, "owner": ""}),
        ("lock", bytes([Rc.LOCKED]) + LOCKED_BY_PETROV, "LOCKED", {"locked": True, "owner": "petrov"}),
        ("lock", bytes([Rc.BUSY]), "BUSY", {}),
        ("self-test", b"\x00\x01\x05\x00", "OK", {"door": "passed"}),
        ("self-test", bytes([Rc.NOT_LOCKED]), "NOT_LOCKED", {}),
        ("self-test", bytes([Rc.BUSY]), "BUSY", {}),
        ("jog", b"\x00\xff\x00\x00\x00", "OK", {"position": 255}),
        ("jog", bytes([Rc.STOPPED]), "STOPPED", {}),
        ("jog", bytes([Rc.UNSUPPORTED]), "UNSUPPORTED", {}),
        ("jog", bytes([99]), "RC_99", {}),
        (
            "job-query",
            b"\x00\x06\x02\x01\x11\x00\x00\x00",
            "OK",
            {"job_state": "doubt", "slot": 2, "running": True, "event": 17},
        ),
        ("job-query", bytes([Rc.UNKNOWN_JOB]), "UNKNOWN_JOB", {}),
        (
            "firmware-status",
            SLOTS,
            "OK",
            {
                "active": "B",
                "confirmed": "A",
                "failed_boots": 2,
                "safe_mode": False,
                "offset": 200,
                "crc": 0xDEADBEEF,
                "version_a": "1.1.0",
                "version_b": "",
            },
        ),
        ("firmware-begin", b"\x00\xc8\x00\x00\x00", "OK", {"next_offset": 200}),
        ("firmware-begin", bytes([Rc.CONFLICT]), "CONFLICT", {}),
        ("firmware-data", b"\x00\x90\x01\x00\x00", "OK", {"next_offset": 400}),
        ("firmware-data", bytes([Rc.OFFSET]) + b"\x00\x00\x00\x00", "OFFSET", {"next_offset": 0}),
        ("firmware-commit", b"\x00", "OK", {}),
        ("firmware-commit", bytes([Rc.SIGNATURE]), "SIGNATURE", {}),
        ("firmware-confirm", b"\x00", "OK", {}),
        ("firmware-confirm", bytes([Rc.SAFE_MODE]), "SAFE_MODE", {}),
    ],
)
def test_answer_of_the_machine_is_told_once_with_words(
    kind: str, payload: bytes, rc: str, data: dict[str, Any]
) -> None:
    desk = Desk()
    desk.take(message(kind), STANDING)
    desk.ask(STANDING)
    desk.answered(payload[0], payload)
    (answer,) = desk.told
    assert (answer.command, answer.rc, answer.data) == ("s-1", rc, data)
    assert (answer.reason == "") == (rc == "OK")
    service_data(answer, decode_service_command(message(kind)))


KINDS = [
    "lock", "self-test", "jog", "watch", "job-query", "firmware-status", "firmware-begin", "firmware-data", "firmware-commit",
    "firmware-confirm",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("changes", "rc", "words"),
    [
        ({"expires_at": NOW.isoformat()}, "EXPIRED", "too late"),
        ({"fence": 1}, "FENCED", "the fence 1 is older than 2"),
        ({"fence": -1}, "INVALID", "$.fence"),
        ({"expires_at": "soon"}, "INVALID", "$.expires_at"),
    ],
)
def test_command_that_must_not_be_done_is_refused(kind: str, changes: dict[str, Any], rc: str, words: str) -> None:
    desk = Desk()
    desk.take(message(kind, **changes), STANDING)
    assert (desk.told[0].command, desk.told[0].rc, desk.told[0].data) == ("s-1", rc, {})
    assert words in desk.told[0].reason
    assert desk.ask(STANDING) is None
    assert desk.watches == []


@pytest.mark.parametrize("unreadable", [b"", b"{", b"[]", b"\xff", b'{"kind": "jog"}'])
def test_message_without_a_name_is_answered_without_one_each_time(unreadable: bytes) -> None:
    desk = Desk()
    desk.take(unreadable, STANDING)
    desk.take(unreadable, STANDING)
    assert [(answer.command, answer.rc) for answer in desk.told] == [("", "INVALID")] * 2


def test_while_the_link_is_down_nothing_is_done_but_watching() -> None:
    desk, down = Desk(), replace(STANDING, is_up=False)
    for kind in KINDS:
        desk.take(message(kind, kind), down)
    assert {answer.command: answer.rc for answer in desk.told} == dict.fromkeys(KINDS, "LINK_DOWN") | {"watch": "OK"}
    assert desk.watches == [(60, 10.0)]
    assert desk.ask(STANDING) is None


def test_jog_that_stays_valid_for_long_is_refused() -> None:
    desk = Desk()
    desk.take(message("jog", expires_at=(NOW + timedelta(seconds=2.1)).isoformat()), STANDING)
    assert (desk.told[0].rc, desk.has_waiting) == ("INVALID", False)
    assert "$.expires_at" in desk.told[0].reason


def test_same_command_gets_the_same_answer_and_moves_nothing() -> None:
    desk = Desk()
    for _ in range(2):
        desk.take(message("jog"), STANDING)
    desk.ask(STANDING)
    desk.take(message("jog"), STANDING)
    desk.answered(0, b"\0\x07\0\0\0")
    assert len(desk.told) == 1
    desk.take(message("jog", hold_ms=500), STANDING)
    assert desk.told == [desk.told[0]] * 2
    assert desk.ask(STANDING) is None


def test_the_last_hundred_answers_are_remembered() -> None:
    desk = Desk()
    for number in range(ANSWERS_KEPT + 1):
        desk.take(message("watch", f"w-{number}"), STANDING)
    desk.take(message("watch", "w-1"), STANDING)
    assert len(desk.watches) == ANSWERS_KEPT + 1
    desk.take(message("watch", "w-0"), STANDING)
    assert len(desk.watches) == ANSWERS_KEPT + 2


def test_what_waits_too_long_for_its_turn_is_refused_and_never_asked() -> None:
    desk = Desk()
    desk.take(message("jog"), STANDING)
    assert desk.due_in_s(10.0) == AT_ONCE_S
    desk.refuse_late(10.0 + AT_ONCE_S / 2)
    assert desk.told == []
    desk.refuse_late(10.0 + AT_ONCE_S)
    assert desk.told[0].rc == "NOT_AT_ONCE"
    assert desk.ask(STANDING) is None
    assert desk.due_in_s(11.0) is None


@pytest.mark.parametrize(
    ("later", "rc"),
    [({"now": NOW + timedelta(seconds=1)}, "EXPIRED"), ({"fence": 3}, "FENCED"), ({"is_up": False}, "LINK_DOWN")],
)
def test_waiting_command_is_looked_at_once_more_before_it_is_asked(later: dict[str, Any], rc: str) -> None:
    desk = Desk()
    desk.take(message("jog"), STANDING)
    assert desk.ask(replace(STANDING, **later)) is None
    assert [answer.rc for answer in desk.told] == [rc]


def test_few_commands_wait_and_the_rest_is_refused() -> None:
    desk = Desk()
    for number in range(WAITING_LIMIT + 1):
        desk.take(message("self-test", f"t-{number}"), STANDING)
    assert [(answer.command, answer.rc) for answer in desk.told] == [(f"t-{WAITING_LIMIT}", "NOT_AT_ONCE")]


def test_lost_link_answers_all_and_says_what_may_have_been_done() -> None:
    desk = Desk()
    desk.take(message("self-test", "asked"), STANDING)
    desk.take(message("jog", "waits"), STANDING)
    desk.ask(STANDING)
    desk.lose_link()
    assert [(answer.command, answer.rc) for answer in desk.told] == [("asked", "NO_ANSWER"), ("waits", "LINK_DOWN")]
    desk.lose_link()
    assert desk.ask(STANDING) is None
    assert len(desk.told) == 2


def test_answer_that_cannot_be_read_leaves_the_command_to_the_loss_of_the_link() -> None:
    desk = Desk()
    desk.take(message("jog"), STANDING)
    desk.ask(STANDING)
    with pytest.raises(DecodeError):
        desk.answered(0, b"\0\x07")
    desk.lose_link()
    assert [answer.rc for answer in desk.told] == ["NO_ANSWER"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size": 1_048_577}, "$.size"),
        ({"size": 0}, "$.size"),
        ({"signature": ""}, "$.signature"),
        ({"signature": None}, "$.signature"),
        ({"version": ""}, "$.version"),
        ({"version": "1.0\n"}, "$.version"),
        ({"sha256": "ab"}, "$.sha256"),
    ],
)
def test_image_that_is_unsigned_or_too_large_is_refused_before_the_machine_hears_of_it(
    changes: dict[str, Any], field: str
) -> None:
    desk = Desk()
    desk.take(message("firmware-begin", **changes), STANDING)
    assert (desk.told[0].rc, desk.ask(STANDING)) == ("INVALID", None)
    assert field in desk.told[0].reason


@pytest.mark.parametrize("data", ["", "A" * 268, "no base64"])
def test_piece_of_no_or_too_many_bytes_is_refused(data: str) -> None:
    desk = Desk()
    desk.take(message("firmware-data", data=data), STANDING)
    assert (desk.told[0].rc, desk.ask(STANDING)) == ("INVALID", None)
    assert "$.data" in desk.told[0].reason


def test_self_test_that_was_made_is_told_for_whoever_asks_later() -> None:
    desk = Desk()
    for name, payload in (("s-1", b"\x00\x01\x05\x01"), ("s-2", bytes([Rc.NOT_LOCKED]))):
        desk.take(message("self-test", name), STANDING)
        desk.ask(STANDING)
        desk.answered(payload[0], payload)
    assert [answer.data for answer in desk.tests] == [{"door": "failed"}]
