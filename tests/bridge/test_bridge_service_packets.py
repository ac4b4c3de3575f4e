"""The service payloads against the literal vectors, and what a wrong one does."""

from typing import Any, get_args

import pytest

from firmware_bridge import packets, service_packets
from firmware_bridge.packets import DecodeError
from firmware_bridge.service_contract import JogCommand, SelfTestWord, TestResultWord
from firmware_bridge.service_packets import FirmwareImage, FirmwareStatus, LockAnswer
from tests.bridge.vectors import named, payload_of


def image_of(fields: dict[str, Any]) -> FirmwareImage:
    sums = (bytes.fromhex(fields["sha256"]), bytes.fromhex(fields["signature"]))
    return FirmwareImage(fields["size"], fields["crc"], *sums, fields["version"])


@pytest.mark.parametrize(
    ("name", "mode", "owner"),
    [
        ("lock-take", "take", "engineer 1"),
        ("lock-take-over", "take-over", "Anna"),
        ("lock-give-back", "release", "engineer 1"),
        ("lock-longest-owner", "take", "o" * 32),
    ],
)
def test_lock_has_the_bytes_of_the_vector(name: str, mode: str, owner: str) -> None:
    assert service_packets.pack_lock(mode, owner) == payload_of(name)


@pytest.mark.parametrize("owner", ["", "o" * 33, "Zoë"])
def test_owner_that_the_machine_cannot_hold_is_not_packed(owner: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        service_packets.pack_lock("take", owner)


def test_lock_answer_tells_whose_it_is_also_when_it_is_refused() -> None:
    assert service_packets.unpack_lock(payload_of("lock-rsp")) == LockAnswer(True, "engineer 1")
    assert service_packets.unpack_lock(payload_of("lock-rsp-locked")) == LockAnswer(True, "Anna")
    assert service_packets.unpack_lock(payload_of("lock-rsp-free")) == LockAnswer(False, "")


@pytest.mark.parametrize(
    "payload", ["00", "0001", "000100", "00020141", "0001024142ff", "00010180", "000121" + "41" * 33]
)
def test_wrong_lock_answer_is_a_decode_error(payload: str) -> None:
    with pytest.raises(DecodeError):
        service_packets.unpack_lock(bytes.fromhex(payload))


def test_jog_has_the_bytes_of_the_vectors_and_tells_its_position() -> None:
    assert service_packets.pack_jog("film", "forward", 500) == payload_of("jog-film")
    assert service_packets.pack_jog("tray", "back", 1) == payload_of("jog-tray-back")
    assert service_packets.unpack_position(payload_of("jog-rsp-below-zero")) == 2**32 - 2
    for wrong in (payload_of("jog-rsp-not-locked"), payload_of("jog-rsp") + b"\0"):
        with pytest.raises(DecodeError):
            service_packets.unpack_position(wrong)


@pytest.mark.parametrize("hold_ms", [0, 501])
def test_motor_is_never_asked_to_run_longer_than_the_handle_holds(hold_ms: int) -> None:
    with pytest.raises(ValueError, match="500"):
        service_packets.pack_jog("gate", "back", hold_ms)


def test_self_test_has_the_bytes_of_the_vectors_and_its_results_are_named() -> None:
    assert service_packets.pack_self_test(frozenset()) == payload_of("selftest-all")
    assert service_packets.pack_self_test(frozenset({"gate", "door"})) == payload_of("selftest-door-and-gate")
    assert service_packets.unpack_self_test(payload_of("selftest-rsp-all")) == {
        "memory": "passed",
        "drop-sensor": "passed",
        "film": "passed",
        "print-head": "passed",
        "door": "failed",
        "gate": "passed",
        "reject-bin": "not-fitted",
    }


@pytest.mark.parametrize("payload", ["00", "0001", "00010100ff", "00010000", "00010800", "00010103", "000201000101"])
def test_wrong_self_test_answer_is_a_decode_error(payload: str) -> None:
    with pytest.raises(DecodeError):
        service_packets.unpack_self_test(bytes.fromhex(payload))


@pytest.mark.parametrize(("name", "restart"), [("fw-begin", False), ("fw-begin-restart", True)])
def test_firmware_begin_has_the_bytes_of_the_vector(name: str, restart: bool) -> None:
    image = image_of(named(name)["fields"])
    assert service_packets.pack_firmware_begin(image, restart=restart) == payload_of(name)


def test_firmware_data_have_the_bytes_of_the_vectors() -> None:
    said = named("fw-data")["fields"]
    assert service_packets.pack_firmware_piece(said["tag"], 0, bytes.fromhex(said["data"])) == payload_of("fw-data")
    assert service_packets.pack_firmware_piece(said["tag"], 200, b"\xa5" * 200) == payload_of("fw-data-200")
    assert packets.unpack_offset(payload_of("fw-data-rsp-offset")) == 18


@pytest.mark.parametrize(
    "wrong",
    [
        FirmwareImage(0, 1, bytes(32), bytes(64), "1"),
        FirmwareImage(1_048_577, 1, bytes(32), bytes(64), "1"),
        FirmwareImage(1, 1, bytes(31), bytes(64), "1"),
        FirmwareImage(1, 1, bytes(32), bytes(63), "1"),
        FirmwareImage(1, 1, bytes(32), bytes(64), ""),
        FirmwareImage(1, 1, bytes(32), bytes(64), "1" * 33),
    ],
)
def test_image_that_no_machine_takes_is_not_packed(wrong: FirmwareImage) -> None:
    with pytest.raises(ValueError, match=r"image|ASCII"):
        service_packets.pack_firmware_begin(wrong, restart=False)


def test_firmware_status_is_read() -> None:
    read = service_packets.unpack_firmware_status
    assert read(payload_of("fw-status-rsp-carried")) == FirmwareStatus(0, 0, 0, False, 18, 2902984615, "1.1.0", "")
    assert read(payload_of("fw-status-rsp-unconfirmed")) == FirmwareStatus(1, 0, 2, False, 0, 0, "1.1.0", "1.2.0")
    assert read(payload_of("fw-status-rsp-safe")).is_safe_mode


@pytest.mark.parametrize("cut", range(1, 20))
def test_firmware_status_cut_short_or_too_long_is_a_decode_error(cut: int) -> None:
    payload = payload_of("fw-status-rsp-carried")
    for wrong in (payload[:-cut], payload + bytes(cut), payload[:4] + b"\x02" + payload[5:]):
        with pytest.raises(DecodeError):
            service_packets.unpack_firmware_status(wrong)


def test_words_of_the_contract_are_those_of_the_bytes() -> None:
    assert get_args(SelfTestWord) == service_packets.SELF_TESTS
    assert get_args(TestResultWord) == service_packets.TEST_RESULTS
    hints = JogCommand.__annotations__
    assert get_args(hints["motor"]) == tuple(service_packets.MOTORS)
    assert get_args(hints["direction"]) == tuple(service_packets.DIRECTIONS)
