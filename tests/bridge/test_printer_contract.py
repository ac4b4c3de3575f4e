"""The messages of prints, literally, and what does not fit them."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.contract import ContractError, encode
from firmware_bridge.print_contract import (
    PRINT_LIMIT_BYTES,
    PrintAck,
    PrintCommand,
    PrintEvent,
    decode_print_ack,
    decode_print_command,
    decode_print_event,
)
from firmware_bridge.printer_escpos import process_id_request
from firmware_bridge.printer_status import process_id

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
COMMAND = (
    b'{"command":"P1/0","fence":2,"expires_at":"2026-11-22T08:30:00Z",'
    b'"process_id":"J?1!","data":"G0AdKEgGADAwSj8xIQ=="}'
)
READ = PrintCommand(
    command="P1/0", fence=2, expires_at=AT, process_id="J?1!", data=b"\x1b@" + process_id_request(b"J?1!")
)


def test_messages_are_literally_these() -> None:
    assert encode(READ) == COMMAND
    assert decode_print_command(COMMAND) == READ
    outcome = PrintEvent(command="P1/0", kind="in-doubt", rc="NOT_CONFIRMED", reason="silent", at=AT)
    message = b'{"command":"P1/0","kind":"in-doubt","rc":"NOT_CONFIRMED","reason":"silent","at":"2026-11-22T08:30:00Z"}'
    assert encode(outcome) == message
    assert decode_print_event(message) == outcome
    assert encode(PrintAck(command="P1/0")) == b'{"command":"P1/0"}'
    assert decode_print_ack(b'{"command":"P1/0","more":1}') == PrintAck(command="P1/0")


@pytest.mark.parametrize("member", msgspec.json.decode(COMMAND))
def test_missing_member_refuses_the_command_and_is_named(member: str) -> None:
    content = {name: value for name, value in msgspec.json.decode(COMMAND).items() if name != member}
    with pytest.raises(ContractError, match=member):
        decode_print_command(msgspec.json.encode(content))


@given(st.integers(0, 95**4 - 1).map(process_id), st.binary(max_size=100))
def test_command_survives_the_way_whatever_its_bytes(identifier: bytes, label: bytes) -> None:
    data = label + process_id_request(identifier)
    made = PrintCommand(command="a", fence=0, expires_at=AT, process_id=identifier.decode(), data=data)
    assert decode_print_command(encode(made)) == made
    with pytest.raises(ContractError, match="data"):
        decode_print_command(encode(msgspec.structs.replace(made, data=data + b"\0")))


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_bytes_have_a_limit(more: int, fits: bool) -> None:
    request = process_id_request(b"J?1!")
    message = encode(msgspec.structs.replace(READ, data=bytes(PRINT_LIMIT_BYTES + more - len(request)) + request))
    if fits:
        assert len(decode_print_command(message).data) == PRINT_LIMIT_BYTES
    else:
        with pytest.raises(ContractError, match="131072"):
            decode_print_command(message)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
def test_anything_else_is_refused_and_nothing_worse(noise: bytes) -> None:
    for decode in (decode_print_command, decode_print_event, decode_print_ack):
        with pytest.raises(ContractError):
            decode(noise)
