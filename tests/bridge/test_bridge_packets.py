"""Every payload against the literal vectors, and what a wrong one does."""

from typing import Any

import pytest

from firmware_bridge import packets
from firmware_bridge.contract import RunSlot, job_digest, label_digest
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


def test_hello_answer_is_read() -> None:
    hello = packets.unpack_hello(payload_of("hello-rsp"))
    assert hello == packets.Hello(1, 0, packets.SCHEMA_CRC, 3, 2, 18, 3, 40, 576, "1.2.3", "S007")
    assert DIGESTS["schema_crc"] == packets.SCHEMA_CRC


def test_status_answer_is_read() -> None:
    page = packets.unpack_status(payload_of("status-rsp"))
    said = named("status-rsp")["fields"]
    assert (page.state, page.reason, page.job, page.job_slot, page.next_event) == (1, 0, JOB, 1, 18)
    assert page.counters == said["counters"]
    assert [vars(entry) for entry in page.entries] == said["entries"]
    assert packets.unpack_status(payload_of("status-rsp-idle")).entries == ()


def test_other_answers_are_read() -> None:
    assert packets.unpack_job_run(payload_of("job-run-rsp")) == packets.JobAnswer(1, 12)
    assert packets.unpack_job_query(payload_of("job-query-rsp")) == packets.JobAnswer(2, 13, slot=1, running=1)
    assert packets.unpack_offset(payload_of("label-data-rsp-offset")) == 7
    assert packets.result_code(payload_of("job-run-rsp-conflict")) == packets.Rc.CONFLICT


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
    words |= {"evt-stopped": {"reason": "no-verdict"}}
    assert packets.event_fields(event) == words.get(vector["name"], said["data"])


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
