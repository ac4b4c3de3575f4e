"""Frames of PPL/1 in words: the names of their type and operation, and the fields of a payload that this bridge knows; pure."""

import struct
from collections.abc import Callable
from dataclasses import asdict

from firmware_bridge import packets, service_packets
from firmware_bridge.codec import Frame, FrameType
from firmware_bridge.packets import DecodeError, EventKind, Op, Rc
from firmware_bridge.service_packets import DIRECTIONS, LOCK_MODES, MOTORS, SELF_TESTS
from firmware_bridge.trace_contract import FieldValue

Fields = dict[str, FieldValue]
Reader = Callable[[bytes], Fields]

_RUN_SLOT_BYTES = 6


def name_of(frame: Frame) -> tuple[str, str]:
    """Return the words of a frame's type and operation, `0x…` for a number without a word."""
    kind = FrameType(frame.type).name if frame.type in set(FrameType) else f"{frame.type:#04x}"
    words = (
        {int(event): event.name for event in EventKind}
        if frame.type == FrameType.EVT
        else {int(op): op.name for op in Op}
    )
    return kind, words.get(frame.op, f"{frame.op:#04x}")


def fields_of(frame: Frame) -> Fields:
    """Return the members of a payload by name; none where its layout is not known."""
    try:
        match frame.type:
            case FrameType.REQ | FrameType.HELLO:
                return _REQUESTS.get(frame.op, _nothing)(frame.payload)
            case FrameType.RSP | FrameType.HELLO_RSP:
                return _answer(frame.op, frame.payload)
            case FrameType.EVT:
                return _event(frame)
    except (DecodeError, struct.error, IndexError, KeyError, UnicodeDecodeError):
        return {}
    return {}


def _answer(op: int, payload: bytes) -> Fields:
    rc = packets.result_code(payload)
    word: Fields = {"rc": Rc(rc).name if rc in set(Rc) else str(rc)}
    if rc == Rc.OK or (op, rc) in {(Op.LOCK, Rc.LOCKED), (Op.LABEL_DATA, Rc.OFFSET), (Op.FW_DATA, Rc.OFFSET)}:
        return word | _ANSWERS.get(op, _nothing)(payload)
    return word


def _event(frame: Frame) -> Fields:
    event = packets.unpack_event(frame.op, frame.payload)
    head: Fields = {"boot": event.boot, "evt": event.event}
    if event.job != packets.NO_JOB:
        head |= {"job": event.job.hex(), "job_slot": event.slot}
    return head | packets.event_fields(event)


def _nothing(_payload: bytes) -> Fields:
    return {}


def _numbers(layout: str, *names: str) -> Reader:
    """Return a reader of numbers at the start of a request."""
    return lambda payload: dict(zip(names, struct.unpack_from(layout, payload), strict=True))


def _job_and(layout: str, *names: str) -> Reader:
    """Return a reader of a job's id and the numbers behind it."""
    return lambda payload: (
        {"job": payload[:16].hex()} | dict(zip(names, struct.unpack_from(layout, payload, 16), strict=True))
    )


def _job_run(payload: bytes) -> Fields:
    (digest,) = struct.unpack_from("<I", payload, 16)
    drops = [struct.unpack_from("<BIB", payload, 53 + _RUN_SLOT_BYTES * k) for k in range(payload[52])]
    told = " ".join(f"{count} of {cassette} in {slot}" for slot, cassette, count in drops)
    return {"job": payload[:16].hex(), "digest": digest, "label": payload[20:52].hex(), "drops": told}


def _label_begin(payload: bytes) -> Fields:
    width, height, length = struct.unpack_from("<HHI", payload, 32)
    return {"label": payload[:32].hex(), "width": width, "height": height, "length": length}


def _piece(payload: bytes) -> Fields:
    tag, offset = struct.unpack_from("<II", payload)
    return {"tag": f"{tag:08x}", "offset": offset, "bytes": len(payload) - 8}


def _firmware_begin(payload: bytes) -> Fields:
    restart, size, crc, sha256 = struct.unpack_from("<BII32s", payload)
    version, _ = packets.read_text(payload, 105)
    return {"restart": restart, "size": size, "crc": f"{crc:08x}", "sha256": sha256.hex(), "version": version}


def _lock(payload: bytes) -> Fields:
    return {"mode": _word(LOCK_MODES, payload[0]), "owner": packets.read_text(payload, 1)[0]}


def _jog(payload: bytes) -> Fields:
    motor, direction, hold_ms = struct.unpack_from("<BBH", payload)
    return {"motor": _word(MOTORS, motor), "direction": _word(DIRECTIONS, direction), "hold_ms": hold_ms}


def _self_test(payload: bytes) -> Fields:
    named = " ".join(test for bit, test in enumerate(SELF_TESTS) if payload[0] >> bit & 1)
    return {"tests": named or "all"}


def _word(words: dict[str, int], number: int) -> str:
    return next((word for word, known in words.items() if known == number), f"unknown-{number}")


def _status(payload: bytes) -> Fields:
    page = packets.unpack_status(payload)
    words: Fields = {
        "state": packets.word_of(packets.MACHINE_STATES, page.state),
        "reason": packets.word_of(packets.STOP_REASONS, page.reason),
        "next_evt": page.next_event,
    }
    if page.job != packets.NO_JOB:
        words |= {"job": page.job.hex(), "job_slot": page.job_slot}
    return words | page.counters | {"slots": page.slots, "first": page.first, "n": len(page.entries)}


def _job_state(payload: bytes) -> Fields:
    answer = packets.unpack_job_state(payload)
    return {"job_state": answer.state.name, "evt": answer.event}


def _job_query(payload: bytes) -> Fields:
    answer = packets.unpack_job_query(payload)
    return {"job_state": answer.state.name, "job_slot": answer.slot, "running": answer.running, "evt": answer.event}


def _lock_answer(payload: bytes) -> Fields:
    lock = service_packets.unpack_lock(payload)
    return {"locked": lock.is_locked, "owner": lock.owner}


def _next_offset(payload: bytes) -> Fields:
    return {"next_offset": packets.unpack_offset(payload)}


_REQUESTS: dict[int, Reader] = {
    Op.HELLO: _numbers("<BBI", "proto_major", "proto_minor", "fence"),
    Op.STATUS: _numbers("<B", "first"),
    Op.JOB_RUN: _job_run,
    Op.JOB_QUERY: _job_and("<"),
    Op.ABORT: _job_and("<"),
    Op.RESOLVE: _job_and("<BIIB", "job_slot", "boot", "evt", "counted"),
    Op.VERDICT: _job_and("<BIIB", "job_slot", "boot", "evt", "verdict"),
    Op.EVT_ACK: _numbers("<II", "boot", "evt"),
    Op.LOCK: _lock,
    Op.JOG: _jog,
    Op.SELFTEST: _self_test,
    Op.LABEL_BEGIN: _label_begin,
    Op.LABEL_DATA: _piece,
    Op.FW_BEGIN: _firmware_begin,
    Op.FW_DATA: _piece,
    Op.FW_COMMIT: lambda payload: {"sha256": payload.hex()},
    Op.LABEL_COMMIT: lambda payload: {"label": payload.hex()},
}
_ANSWERS: dict[int, Reader] = {
    Op.HELLO: lambda payload: dict(asdict(packets.unpack_hello(payload))),
    Op.STATUS: _status,
    Op.JOB_RUN: _job_state,
    Op.RESOLVE: _job_state,
    Op.ABORT: _job_state,
    Op.JOB_QUERY: _job_query,
    Op.LOCK: _lock_answer,
    Op.JOG: lambda payload: {"position": service_packets.unpack_position(payload)},
    Op.SELFTEST: lambda payload: dict(service_packets.unpack_self_test(payload)),
    Op.LABEL_BEGIN: _next_offset,
    Op.LABEL_DATA: _next_offset,
    Op.FW_BEGIN: _next_offset,
    Op.FW_DATA: _next_offset,
    Op.FW_STATUS: lambda payload: dict(asdict(service_packets.unpack_firmware_status(payload))),
}
