"""Spell a frame of PPL byte by byte: an own CRC-32, an own COBS, and the words that go beside the bytes."""

from typing import Any

SID = 0xBEEF
JOB = "000102030405060708090a0b0c0d0e0f"
NO_JOB = "00" * 16
CASSETTE_7 = "d2040000"  # 1234
CASSETTE_9 = "39300000"  # 12345
BOOT_3 = "03000000"


def crc32(data: bytes) -> int:
    """Return the reflected IEEE CRC-32, one bit at a time."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def stuff(data: bytes) -> bytes:
    """COBS-encode one byte at a time, as firmware does it: the code byte is patched when its block ends."""
    out, code_at, run = bytearray(1), 0, 1
    for byte in data:
        if byte:
            out.append(byte)
            run += 1
        if byte == 0 or run == 0xFF:
            out[code_at] = run
            code_at, run = len(out), 1
            out.append(0)
    out[code_at] = run
    return bytes(out)


def raw(kind: int, seq: int, sid: int, op: int, payload: bytes) -> bytes:
    """Return the frame with its check sum, before stuffing."""
    head = bytes([kind, seq, sid & 255, sid >> 8, op]) + payload
    check = crc32(head)
    return head + bytes((check >> shift) & 255 for shift in (0, 8, 16, 24))


def on_wire(frame: bytes) -> str:
    """Return the hex digits between and with the delimiters."""
    return (b"\x00" + stuff(frame) + b"\x00").hex()


TYPES = {"REQ": 0x11, "RSP": 0x12, "EVT": 0x13, "HELLO": 0x14, "HELLO_RSP": 0x15}


def vector(name: str, kind: str, seq: int, op: int, payload: str, /, **meaning: Any) -> dict[str, Any]:
    """Return one sound frame; `payload` is spelled out in hex (spaces allowed), `meaning` is what it says."""
    body = bytes.fromhex(payload)
    return {
        "name": name,
        "direction": "to-device" if kind in {"REQ", "HELLO"} else "to-host",
        "hex": on_wire(raw(TYPES[kind], seq, SID, op, body)),
        "fields": {"type": TYPES[kind], "seq": seq, "sid": SID, "op": op, "payload": body.hex(), **meaning},
    }


def event(
    name: str, op: int, evt: int, job: str, slot: int, data: str, /, **meaning: Any
) -> dict[str, Any]:
    """Return one event frame of boot 3."""
    payload = f"{BOOT_3} {evt.to_bytes(4, 'little').hex()} {job} {slot:02x} {data}"
    return vector(name, "EVT", evt & 255, op, payload, boot=3, evt=evt, job=job, slot=slot, data=meaning)


def broken(name: str, hex_digits: str, counter: str, why: str) -> dict[str, Any]:
    """Return wire bytes that a receiver drops and counts under `counter`."""
    return {"name": name, "direction": "either", "hex": hex_digits, "fields": {}, "error": counter, "why": why}


def flipped(sound: dict[str, Any]) -> dict[str, Any]:
    """Return a sound frame with one bit of another value: the first of its payload, or of its op where it has none."""
    fields = sound["fields"]
    frame = bytearray(raw(fields["type"], fields["seq"], fields["sid"], fields["op"], bytes.fromhex(fields["payload"])))
    frame[5 if fields["payload"] else 4] ^= 0x01
    return broken(f"{sound['name']}-flipped", on_wire(bytes(frame)), "crc_err", "one bit is another")


def cut_short(sound: dict[str, Any]) -> dict[str, Any]:
    """Return a sound frame without its last byte; one that ends with a zero byte would not be found out by COBS."""
    return broken(f"{sound['name']}-cut-short", sound["hex"][:-4] + "00", "cobs_err", "the last byte is missing")
