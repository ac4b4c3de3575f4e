"""Every payload against the literal vectors, and what a wrong one does."""

import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from firmware_bridge import packets
from firmware_bridge.contract import BridgeEvent, RunSlot, decode_event, encode, job_digest, label_digest
from firmware_bridge.packets import JobState, Rc
from tests.bridge.vectors import DIGESTS, SOUND, named, payload_of

JOB = bytes(range(16))
LABEL = bytes.fromhex(named("label-commit")["fields"]["label"])
SLOTS = [RunSlot(slot=5, cassette=1234, count=1), RunSlot(slot=6, cassette=12345, count=2)]
EVENTS = [vector for vector in SOUND if vector["name"].startswith("evt-") and vector["fields"]["type"] == 0x13]


def test_requests_have_the_bytes_of_the_vectors() -> None:
    stream = bytes.fromhex("789cfbff410c00")
    assert packets.pack_hello(42) == payload_of("hello")
    assert packets.pack_status(1) == payload_of("status")
    assert packets.pack_job_run(JOB, LABEL, SLOTS) == payload_of("job-run")
    assert packets.pack_event_ack(3, 17) == payload_of("evt-ack")
    assert packets.pack_label_begin(LABEL, 12, 3, 14) == payload_of("label-begin")
    assert packets.pack_label_data(LABEL, 0, stream) == payload_of("label-data")
    assert packets.pack_label_data(LABEL, 200, b"\xa5" * 500) == payload_of("label-data-200")


@pytest.mark.parametrize("word", ["pass", "fail", "look"])
def test_verdict_has_the_bytes_of_the_vector(word: str) -> None:
    assert packets.pack_verdict(JOB, 1, 3, 17, word.upper()) == payload_of(f"verdict-{word}")


def test_resolve_and_abort_have_the_bytes_of_the_vectors() -> None:
    assert packets.pack_resolve(JOB, 1, 3, 22, 2) == payload_of("resolve")
    assert packets.pack_resolve(JOB, 1, 3, 22, 0) == bytes(range(16)) + bytes.fromhex("01 03000000 16000000 00")
    assert named("abort")["fields"]["op"] == packets.Op.ABORT


def test_greeting_of_protocol_1_1_is_literal() -> None:
    assert packets.pack_hello(42) == bytes.fromhex("01 01 2a000000")
    assert packets.SCHEMA_CRC == 0xA815B2AF


def test_hello_answer_is_read() -> None:
    hello = packets.unpack_hello(payload_of("hello-rsp"))
    assert hello == packets.Hello(1, 1, packets.SCHEMA_CRC, 3, 2, 18, 127, 40, 576, "1.2.3", "S007")
    assert DIGESTS["schema_crc"] == packets.SCHEMA_CRC


def test_status_answer_is_read() -> None:
    page = packets.unpack_status(payload_of("status-rsp"))
    said = named("status-rsp")["fields"]
    assert (page.state, page.reason, page.job, page.job_slot, page.next_event) == (1, 0, JOB, 1, 18)
    assert page.counters == said["counters"]
    assert [vars(entry) for entry in page.entries] == said["entries"]
    assert packets.unpack_status(payload_of("status-rsp-idle")).entries == ()


def test_other_answers_are_read() -> None:
    assert packets.unpack_job_state(payload_of("job-run-rsp")) == packets.JobAnswer(JobState.ACCEPTED, 12)
    assert packets.unpack_job_state(payload_of("resolve-rsp")) == packets.JobAnswer(JobState.DIVERTED, 26)
    assert packets.unpack_job_state(payload_of("abort-rsp")) == packets.JobAnswer(JobState.ABORTED, 27)
    asked = packets.unpack_job_query(payload_of("job-query-rsp"))
    assert asked == packets.JobAnswer(JobState.RUNNING, 13, slot=1, running=1)
    assert packets.unpack_offset(payload_of("label-data-rsp-offset")) == 7
    assert packets.result_code(payload_of("job-run-rsp-conflict")) == Rc.CONFLICT


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["name"])
def test_event_is_read(vector: dict[str, Any]) -> None:
    said = vector["fields"]
    event = packets.unpack_event(said["op"], bytes.fromhex(said["payload"]))
    assert (event.boot, event.event, event.job.hex(), event.slot) == (
        said["boot"],
        said["evt"],
        said["job"],
        said["slot"],
    )
    words = {
        "evt-diverted": {"verdict": "FAIL"},
        "evt-done": {"state": "done"},
        "evt-done-diverted": {"state": "diverted"},
    }
    words |= {"evt-stopped": {"reason": "no-verdict"}, "evt-stopped-in-doubt": {"reason": "in-doubt"}}
    words |= {"evt-stopped-ribbon-out": {"reason": "ribbon-out"}, "evt-stopped-gate-stuck": {"reason": "gate-stuck"}}
    words |= {"evt-diverted-in-doubt": {"verdict": "NONE"}, "evt-done-aborted": {"state": "aborted"}}
    words |= {"evt-lock-given-back": {"mode": "released", "owner": "engineer 1"}}
    words |= {"evt-lock-taken": {"mode": "taken", "owner": "engineer 1"}}
    words |= {"evt-lock-taken-over": {"mode": "taken-over", "owner": "Anna"}}
    assert packets.event_fields(event) == words.get(vector["name"], said["data"])


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["name"])
def test_event_fits_the_contract_of_the_hub(vector: dict[str, Any]) -> None:
    event = packets.unpack_event(vector["fields"]["op"], bytes.fromhex(vector["fields"]["payload"]))
    told = BridgeEvent(
        source="firmware",
        boot=event.boot,
        event=event.event,
        kind=packets.event_name(event.kind),
        job=event.job.hex(),
        slot=event.slot,
        at=datetime(2026, 11, 22, tzinfo=UTC),
        data=packets.event_fields(event),
    )
    assert decode_event(encode(told)) == told


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["name"])
def test_event_with_a_byte_too_many_is_a_decode_error(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["fields"]["payload"])
    with pytest.raises(packets.DecodeError):
        packets.event_fields(packets.unpack_event(vector["fields"]["op"], payload + b"\0"))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (0x46, "06"),
        (0x45, "04"),
        (0x4B, "03 01 41"),
        (0x4B, "01 00"),
        (0x4B, "01 01 ff"),
        (0x4B, "01 21" + "41" * 33),
        (0x4A, "39300000 02 01"),
    ],
)
def test_event_that_says_what_the_page_does_not_know_is_a_decode_error(kind: int, data: str) -> None:
    event = packets.unpack_event(kind, struct.pack("<II16sB", 3, 1, JOB, 0) + bytes.fromhex(data))
    with pytest.raises(packets.DecodeError):
        packets.event_fields(event)


def test_stop_without_a_word_is_told_by_its_number() -> None:
    event = packets.unpack_event(0x47, struct.pack("<II16sB", 3, 1, JOB, 0) + b"\x09")
    assert packets.event_fields(event) == {"reason": "unknown-9"}


@pytest.mark.parametrize("payload", ["00", "0005", "00051a0000", "00051a00000000", "00091a000000"])
def test_answer_about_a_job_of_another_shape_is_a_decode_error(payload: str) -> None:
    with pytest.raises(packets.DecodeError):
        packets.unpack_job_state(bytes.fromhex(payload))


def test_status_of_the_new_states_is_read() -> None:
    words = {name: packets.unpack_status(payload_of(f"status-rsp-{name}")).state for name in ("locked", "safe-mode")}
    assert {name: packets.word_of(packets.MACHINE_STATES, state) for name, state in words.items()} == {
        "locked": "locked",
        "safe-mode": "safe-mode",
    }
    page = packets.unpack_status(payload_of("status-rsp-gate-stuck"))
    assert packets.word_of(packets.STOP_REASONS, page.reason) == "gate-stuck"


def test_status_that_claims_other_entries_than_it_has_is_a_decode_error() -> None:
    payload, idle = payload_of("status-rsp"), payload_of("status-rsp-idle")
    assert idle[-1] == 0
    one_too_many = idle[:-1] + b"\x15" + bytes(21 * 7)
    for wrong in (payload[:-1], payload + b"\0", idle[:-1] + b"\x15", one_too_many):
        with pytest.raises(packets.DecodeError):
            packets.unpack_status(wrong)


@pytest.mark.parametrize(
    ("name", "rc"),
    [
        ("job-run-rsp-locked", Rc.LOCKED),
        ("jog-rsp-not-locked", Rc.NOT_LOCKED),
        ("fw-commit-rsp-signature", Rc.SIGNATURE),
        ("job-query-rsp-safe-mode", Rc.SAFE_MODE),
    ],
)
def test_new_result_codes_are_those_of_the_vectors(name: str, rc: Rc) -> None:
    assert packets.result_code(payload_of(name)) == rc


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["name"])
def test_event_cut_short_is_a_decode_error(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["fields"]["payload"])
    shortest = 25 if len(payload) > 25 else 24
    with pytest.raises(packets.DecodeError):
        packets.event_fields(packets.unpack_event(vector["fields"]["op"], payload[:shortest]))


def test_unknown_event_kind_is_a_decode_error() -> None:
    event = packets.unpack_event(0x5F, payload_of("evt-accepted"))
    with pytest.raises(packets.DecodeError, match="0x5f"):
        packets.event_fields(event)


@pytest.mark.parametrize("length", [0, 1, 12, 23])
def test_hello_answer_cut_short_is_a_decode_error(length: int) -> None:
    with pytest.raises(packets.DecodeError):
        packets.unpack_hello(payload_of("hello-rsp")[:length])


def test_digests_agree_with_the_vectors() -> None:
    for label in DIGESTS["labels"]:
        digest = label_digest(label["width"], label["height"], bytes.fromhex(label["raster"]))
        assert digest.hex() == label["digest"]
    (job,) = DIGESTS["jobs"]
    assert job_digest(bytes.fromhex(job["label"]), SLOTS) == job["digest"]
