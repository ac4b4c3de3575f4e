"""The MQTT payloads: literal JSON in, JSON out, and the place named when one is wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from firmware_bridge import contract
from firmware_bridge.contract import ContractError
from tests.bridge.orders import run_command

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
RUN: dict[str, Any] = {
    "kind": "run",
    "command": "outbox-17",
    "seq": 3,
    "fence": 2,
    "expires_at": "2026-11-22T08:40:00Z",
    "job": "000102030405060708090a0b0c0d0e0f",
    "slots": [{"slot": 5, "cassette": 1234, "count": 1}],
    "label": {"digest": "9a" * 32, "width": 12, "height": 3, "raster": "eJw="},
    "added_later": "is ignored",
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in RUN.items() if key != name}


def test_topics_are_those_of_the_contract() -> None:
    assert contract.topic("mercy", "packager-1", "job/cmd") == "dosehub/v1/mercy/packager-1/job/cmd"
    assert contract.hub_state_topic("mercy") == "dosehub/v1/mercy/hub/$state"


def test_run_command_is_read_from_its_json() -> None:
    command = contract.decode_command(json.dumps(RUN).encode())
    assert isinstance(command, contract.RunCommand)
    assert command.label.raster == b"\x78\x9c"
    assert command.expires_at == datetime(2026, 11, 22, 8, 40, tzinfo=UTC)


def test_command_survives_the_way_there_and_back() -> None:
    command = run_command(7)
    assert contract.decode_command(contract.encode(command)) == command


def test_verdict_and_status_are_told_apart_by_kind() -> None:
    head = {"command": "c", "seq": 1, "fence": 0, "expires_at": "2026-11-22T08:40:00Z"}
    status = contract.decode_command(json.dumps(head | {"kind": "status"}).encode())
    assert isinstance(status, contract.StatusCommand)
    verdict = head | {"kind": "verdict", "job": "00" * 16, "slot": 0, "boot": 3, "event": 17, "verdict": "LOOK"}
    assert isinstance(contract.decode_command(json.dumps(verdict).encode()), contract.VerdictCommand)


def test_resolve_and_abort_are_read_from_their_json() -> None:
    head = {"command": "c", "seq": 1, "fence": 0, "expires_at": "2026-11-22T08:40:00Z", "job": "00" * 16}
    resolve = head | {"kind": "resolve", "slot": 1, "boot": 3, "event": 22, "counted": 0}
    read = contract.decode_command(json.dumps(resolve).encode())
    assert isinstance(read, contract.ResolveCommand)
    assert (read.slot, read.boot, read.event, read.counted) == (1, 3, 22, 0)
    assert contract.decode_command(contract.encode(read)) == read
    abort = contract.decode_command(json.dumps(head | {"kind": "abort"}).encode())
    assert isinstance(abort, contract.AbortCommand)
    assert abort.job == "00" * 16


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"kind": "resolve", "slot": 0, "boot": 3, "event": 22}, "$.counted"),
        ({"kind": "resolve", "slot": 12, "boot": 3, "event": 22, "counted": 0}, "$.slot"),
        ({"kind": "resolve", "slot": 0, "boot": -1, "event": 22, "counted": 0}, "$.boot"),
        ({"kind": "resolve", "slot": 0, "boot": 3, "event": 2**32, "counted": 0}, "$.event"),
        ({"kind": "resolve", "slot": 0, "boot": 3, "event": 22, "counted": 256}, "$.counted"),
        ({"kind": "abort", "job": "00" * 15}, "$.job"),
        ({"kind": "abort", "job": None}, "$.job"),
    ],
)
def test_wrong_decision_is_refused_with_its_field(message: dict[str, Any], field: str) -> None:
    head = {"command": "c", "seq": 1, "fence": 0, "expires_at": "2026-11-22T08:40:00Z", "job": "00" * 16}
    with pytest.raises(ContractError) as caught:
        contract.decode_command(json.dumps(head | message).encode())
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (without("job"), "$.job"),
        (without("expires_at"), "$.expires_at"),
        (RUN | {"kind": "jog"}, "$.kind"),
        (RUN | {"job": "XYZ"}, "$.job"),
        (RUN | {"seq": "1"}, "$.seq"),
        (RUN | {"expires_at": "2026-11-22T08:40:00"}, "$.expires_at"),
        (RUN | {"slots": []}, "$.slots"),
        (RUN | {"slots": [{"slot": 5, "cassette": 1234, "count": 0}]}, "$.slots[...].count"),
        (RUN | {"slots": [{"slot": 5, "count": 1}]}, "$.slots[0].cassette"),
        (RUN | {"slots": RUN["slots"] * 13}, "$.slots"),
        (RUN | {"label": RUN["label"] | {"raster": "%%"}}, "$.label.raster"),
        (RUN | {"label": RUN["label"] | {"height": 801}}, "$.label.height"),
        ([], "$"),
    ],
)
def test_wrong_command_is_refused_with_its_field(message: Any, field: str) -> None:
    with pytest.raises(ContractError) as caught:
        contract.decode_command(json.dumps(message).encode())
    assert caught.value.field.replace("[0]", "[...]") == field.replace("[0]", "[...]")


def test_label_stream_over_the_limit_is_refused() -> None:
    command = run_command(1)
    huge = contract.RunLabel(digest="0" * 64, width=480, height=800, raster=bytes(65537))
    message = contract.encode(
        contract.RunCommand(
            command="c", seq=1, fence=0, expires_at=command.expires_at, job=command.job, slots=command.slots, label=huge
        )
    )
    with pytest.raises(ContractError, match="65536"):
        contract.decode_command(message)


@pytest.mark.parametrize("message", [b"", b"{", b"\xff\xfe", b"[" * 5000])
def test_no_json_is_a_contract_error(message: bytes) -> None:
    with pytest.raises(ContractError):
        contract.decode_command(message)
    assert contract.named_command(message) == ""


def test_wrong_message_still_gives_its_command_id() -> None:
    assert contract.named_command(json.dumps(without("job")).encode()) == "outbox-17"


def event(kind: str, data: dict[str, int | str]) -> contract.BridgeEvent:
    return contract.BridgeEvent(source="firmware", boot=3, event=13, kind=kind, job="00" * 16, slot=0, at=AT, data=data)


def test_event_json_is_literal() -> None:
    dropped = event("dropped", {"cassette": 1234, "asked": 1, "counted": 1, "remaining": 99})
    assert json.loads(contract.encode(dropped)) == {
        "source": "firmware",
        "boot": 3,
        "event": 13,
        "kind": "dropped",
        "job": "00" * 16,
        "slot": 0,
        "at": "2026-11-22T08:30:00Z",
        "data": {"cassette": 1234, "asked": 1, "counted": 1, "remaining": 99},
    }
    assert contract.event_data(dropped) == contract.DroppedData(cassette=1234, asked=1, counted=1, remaining=99)
    assert contract.decode_event(contract.encode(dropped)) == dropped


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("dropped", {"cassette": 1}),
        ("flew-away", {}),
        ("done", {"state": "lost"}),
        ("resolved", {"cassette": 1234, "asked": 1, "counted": 1}),
        ("lock", {"mode": "stolen", "owner": "anna"}),
        ("lock", {"mode": "taken"}),
    ],
)
def test_event_with_wrong_data_is_refused(kind: str, data: dict[str, int | str]) -> None:
    with pytest.raises(ContractError):
        contract.decode_event(contract.encode(event(kind, data)))


def test_acknowledgement_and_state_are_read() -> None:
    assert contract.decode_ack(b'{"source":"bridge","boot":0,"event":9}') == contract.EventAck(
        source="bridge", boot=0, event=9
    )
    state = contract.decode_state(b'{"state":"lost","session":"ab","at":"2026-11-22T08:30:00Z"}')
    assert state == contract.DeviceState(state="lost", session="ab", at=AT)
    with pytest.raises(ContractError, match="event"):
        contract.decode_ack(b'{"source":"bridge","boot":0}')
