"""Session and frames: identity, stale sessions, the reply store, refusals, noise."""

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from contract_host import BAD_REQUEST, FENCED, OK, UNSUPPORTED, ContractHost, Status
from contract_machine import Machine
from contract_wire import REQ, RSP, Frame, to_wire

VECTORS = Path(__file__).parents[1] / "vectors"
FRAMES = {vector["name"]: vector for vector in json.loads((VECTORS / "frames.json").read_text())}
MALFORMED = json.loads((VECTORS / "malformed.json").read_text())
SCHEMA_CRC = json.loads((VECTORS / "digests.json").read_text())["schema_crc"]
CAPABILITY_OF = {0x04: 2, 0x07: 2, 0x08: 3, 0x09: 4, 0x0A: 5, **dict.fromkeys(range(0x10, 0x15), 6)}
PING = 0x06


def test_hello_tells_who_the_machine_is(machine: Machine, host: ContractHost) -> None:
    identity = host.hello(machine.fence)
    assert (identity.major, identity.minor, identity.schema_crc) == (1, 1, SCHEMA_CRC)
    assert identity.boot >= 1
    assert identity.reset_cause in range(4)
    assert identity.next_evt >= 1
    assert identity.capabilities >> 7 == 0
    assert 1 <= identity.cassette_slots <= 250
    assert identity.label_width > 0
    assert identity.serial.decode("ascii").isprintable() and identity.serial
    assert identity.firmware.decode("ascii").isprintable() and identity.firmware
    again = host.hello(machine.fence)
    assert (again.serial, again.boot, again.next_evt) == (identity.serial, identity.boot, identity.next_evt)


def test_status_agrees_with_the_identity(machine: Machine, host: ContractHost) -> None:
    identity, status = host.hello(machine.fence), host.status()
    assert (status.slot_count, status.next_evt, status.job) == (identity.cassette_slots, identity.next_evt, bytes(16))
    assert [entry[0] for entry in status.slots] == list(range(1, min(20, identity.cassette_slots) + 1))


@pytest.mark.parametrize(("sid", "payload", "rc"), [
    (0, "0101{fence}", BAD_REQUEST), (0x1234, "0201{fence}", UNSUPPORTED), (0x1234, "0101{lower}", FENCED),
    (0x1234, "0101", BAD_REQUEST), (0x1234, "0101{fence}00", BAD_REQUEST)])
def test_a_hello_that_is_refused_opens_no_session(machine: Machine, host: ContractHost, sid: int, payload: str, rc: int) -> None:
    if rc == FENCED and machine.fence == 0:
        pytest.skip("there is no fence below 0: give --packager-fence 1")
    fences = {"fence": struct.pack("<I", machine.fence).hex(), "lower": struct.pack("<I", max(0, machine.fence - 1)).hex()}
    assert host.try_hello(sid, bytes.fromhex(payload.format(**fences))).rc == rc
    assert host.ask(PING, b"the session before goes on") == (OK, b"the session before goes on")


def test_literal_requests_get_the_literal_answers(machine: Machine, host: ContractHost) -> None:
    host.hello(machine.fence, sid=0xBEEF)
    for asked, answered in (("ping", "ping-rsp"), ("job-query", "job-query-rsp-unknown")):
        fields = FRAMES[asked]["fields"]
        frame = Frame(REQ, fields["seq"], 0xBEEF, fields["op"], bytes.fromhex(fields["payload"]))
        assert to_wire(frame).hex() == FRAMES[asked]["hex"]
        assert to_wire(host.exchange(frame)).hex() == FRAMES[answered]["hex"]


def test_requests_of_an_older_session_are_counted_and_not_answered(machine: Machine, host: ContractHost) -> None:
    stale = host.next_request(PING, b"stale")
    host.hello(machine.fence)
    before = host.status().stale_sid
    host.write(to_wire(stale))
    answers = host.answers_up_to(host.next_request(PING, b"fresh"))
    assert [answer.payload for answer in answers] == [b"\0fresh"]
    assert host.status().stale_sid == before + 1


def test_a_repeated_request_is_answered_from_the_store_and_not_done_again(host: ContractHost) -> None:
    before = host.status()
    request = host.next_request(0x01, b"\1")
    first = host.exchange(request)
    again = host.answers_up_to(request)
    # Had it been done again, the counters in its answer would have risen.
    assert again == [first]
    assert host.status().dup == before.dup + 1


def test_the_same_number_with_other_bytes_is_another_request(host: ContractHost) -> None:
    request = host.next_request(PING, b"one")
    assert host.exchange(request).payload == b"\0one"
    assert host.exchange(Frame(REQ, request.seq, request.sid, PING, b"two")).payload == b"\0two"


def test_another_session_forgets_the_store(machine: Machine, host: ContractHost) -> None:
    sid = host.sid
    request = host.next_request(0x01, b"\1")
    first = host.exchange(request)
    host.hello(machine.fence, sid=sid ^ 2)
    host.hello(machine.fence, sid=sid)
    assert host.exchange(request).payload != first.payload


def test_a_repeated_hello_goes_on_with_the_session_and_its_store(machine: Machine, host: ContractHost) -> None:
    request = host.next_request(0x01, b"\1")
    first = host.exchange(request)
    assert host.hello(machine.fence, sid=host.sid).boot == host.boot
    assert host.exchange(request) == first


def test_the_largest_frame_comes_back_whole(host: ContractHost) -> None:
    for data in (bytes(225), bytes(range(1, 226)), b"\xa5" * 225, b""):
        assert host.ask(PING, data) == (OK, data)


@pytest.mark.parametrize("op", [0x00, 0x0F, 0x15, 0x24, 0x41, 0xFF])
def test_an_unknown_op_is_unsupported(host: ContractHost, op: int) -> None:
    assert host.ask(op, b"x") == (UNSUPPORTED, b"")


@pytest.mark.parametrize("vector", MALFORMED, ids=lambda vector: f"{vector['op']:02x}-{vector['why'].replace(' ', '-')}")
def test_a_malformed_request_is_a_bad_request(machine: Machine, host: ContractHost, vector: dict[str, Any]) -> None:
    offered = host.hello(machine.fence).capabilities >> CAPABILITY_OF[vector["op"]] & 1
    before = host.status().next_evt
    assert host.ask(vector["op"], bytes.fromhex(vector["payload"])) == (BAD_REQUEST if offered else UNSUPPORTED, b"")
    assert host.status().next_evt == before


@pytest.mark.parametrize(("op", "payload"), [
    (0x01, ""), (0x01, "00"), (0x02, "00"), (0x03, "0001"), (0x05, "01000000"), (0x06, "00" * 226), (0x20, "00"),
    (0x21, "00" * 8), (0x22, "00"), (0x23, "00")])
def test_a_request_of_another_shape_is_a_bad_request(host: ContractHost, op: int, payload: str) -> None:
    assert host.ask(op, bytes.fromhex(payload)) == (BAD_REQUEST, b"")


def counted(status: Status) -> Counter[str]:
    return Counter({"crc_err": status.crc_err, "cobs_err": status.cobs_err, "overrun": status.overrun})


def test_damaged_frames_are_counted_and_not_answered(host: ContractHost) -> None:
    before = counted(host.status())
    damaged = [vector for vector in FRAMES.values() if "error" in vector]
    for vector in damaged:
        host.write(bytes.fromhex(vector["hex"]))
    answers = host.answers_up_to(host.next_request(PING, b"after"))
    assert [(answer.type, answer.payload) for answer in answers] == [(RSP, b"\0after")]
    expected = before + Counter(vector["error"] for vector in damaged)
    assert counted(host.status()) == expected


def test_noise_between_frames_does_not_spoil_the_next_one(host: ContractHost) -> None:
    before = counted(host.status())
    host.write(b"\0\0\0noise")
    assert host.exchange(host.next_request(PING, b"after")).payload == b"\0after"
    after = counted(host.status())
    assert after - before == Counter(cobs_err=1)
