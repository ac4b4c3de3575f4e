"""The service payloads: literal JSON in, JSON out, apart from the jobs' commands."""

import json
from typing import Any

import pytest

from firmware_bridge import contract
from firmware_bridge.contract import ContractError
from firmware_bridge.service_contract import (
    JogCommand,
    JogPosition,
    LockCommand,
    LockHolder,
    SelfTestCommand,
    ServiceCommand,
    ServiceEvent,
    ServiceRefused,
    decode_service_command,
    decode_service_event,
    service_data,
)

HEAD: dict[str, Any] = {"command": "svc-1", "fence": 2, "expires_at": "2026-11-22T08:40:00Z"}
LOCK = HEAD | {"kind": "lock", "mode": "take", "owner": "engineer 1"}
SELF_TEST = HEAD | {"kind": "self-test", "tests": ["door", "gate"]}
JOG = HEAD | {"kind": "jog", "motor": "film", "direction": "forward", "hold_ms": 500}


def read(message: dict[str, Any]) -> ServiceCommand:
    return decode_service_command(json.dumps(message).encode())


def test_service_commands_are_read_from_their_json() -> None:
    lock, self_test, jog = read(LOCK), read(SELF_TEST), read(JOG)
    assert isinstance(lock, LockCommand)
    assert (lock.mode, lock.owner, lock.fence) == ("take", "engineer 1", 2)
    assert isinstance(self_test, SelfTestCommand)
    assert self_test.tests == {"door", "gate"}
    assert isinstance(jog, JogCommand)
    assert (jog.motor, jog.direction, jog.hold_ms) == ("film", "forward", 500)
    for command in (lock, self_test, jog):
        assert decode_service_command(contract.encode(command)) == command


@pytest.mark.parametrize("message", [LOCK, SELF_TEST, JOG])
def test_service_command_is_no_job_command_and_the_other_way_round(message: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as caught:
        contract.decode_command(json.dumps(message | {"seq": 1}).encode())
    assert caught.value.field == "$.kind"
    with pytest.raises(ContractError) as caught:
        read(HEAD | {"kind": "abort", "seq": 1, "job": "00" * 16})
    assert caught.value.field == "$.kind"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (LOCK | {"mode": "steal"}, "$.mode"),
        (LOCK | {"owner": ""}, "$.owner"),
        (LOCK | {"owner": "o" * 33}, "$.owner"),
        (LOCK | {"owner": "Zoë"}, "$.owner"),
        (LOCK | {"owner": " anna"}, "$.owner"),
        (JOG | {"hold_ms": 0}, "$.hold_ms"),
        (JOG | {"hold_ms": 501}, "$.hold_ms"),
        (JOG | {"motor": "cassette"}, "$.motor"),
        (JOG | {"direction": "up"}, "$.direction"),
        (SELF_TEST | {"tests": ["everything"]}, "$.tests[0]"),
        ({name: value for name, value in JOG.items() if name != "expires_at"}, "$.expires_at"),
        ({name: value for name, value in LOCK.items() if name != "fence"}, "$.fence"),
    ],
)
def test_wrong_service_command_is_refused_with_its_field(message: dict[str, Any], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(message)
    assert caught.value.field == field


@pytest.mark.parametrize("owner", ["a", "o" * 32, "engineer 1"])
def test_owner_of_one_to_thirty_two_characters_is_taken(owner: str) -> None:
    assert isinstance(read(LOCK | {"owner": owner}), LockCommand)


def answer(rc: str, data: dict[str, Any]) -> ServiceEvent:
    reason = "" if rc == "OK" else "why"
    return decode_service_event(json.dumps({"command": "svc-1", "rc": rc, "reason": reason, "data": data}).encode())


def test_answers_are_read_by_the_command_that_they_answer() -> None:
    holder = {"locked": True, "owner": "anna"}
    assert service_data(answer("OK", holder), read(LOCK)) == LockHolder(locked=True, owner="anna")
    assert service_data(answer("LOCKED", holder), read(LOCK)) == LockHolder(locked=True, owner="anna")
    assert service_data(answer("OK", {"position": 4294967294}), read(JOG)) == JogPosition(position=4294967294)
    results = {"door": "failed", "gate": "not-fitted"}
    assert service_data(answer("OK", results), read(SELF_TEST)) == results


@pytest.mark.parametrize(("message", "rc"), [(LOCK, "EXPIRED"), (SELF_TEST, "BUSY"), (JOG, "NOT_LOCKED")])
def test_refused_answer_has_no_data(message: dict[str, Any], rc: str) -> None:
    assert service_data(answer(rc, {}), read(message)) == ServiceRefused()


@pytest.mark.parametrize(
    ("message", "data", "field"),
    [
        (LOCK, {"owner": "anna"}, "$.data.locked"),
        (JOG, {"position": -1}, "$.data.position"),
        (SELF_TEST, {"door": "broken"}, "$.data[...]"),
    ],
)
def test_answer_with_wrong_data_is_refused_with_its_field(
    message: dict[str, Any], data: dict[str, Any], field: str
) -> None:
    with pytest.raises(ContractError) as caught:
        service_data(answer("OK", data), read(message))
    assert caught.value.field == field
