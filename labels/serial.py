"""Serials of packs, trays and wristbands: twelve opaque characters whose last one proves the other eleven."""

import hashlib
from itertools import count

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAYLOAD_LENGTH = 11
SERIAL_LENGTH = PAYLOAD_LENGTH + 1
MODULUS = 37
RADIX = 2
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def check_value(payload: str) -> int:
    """Compute the check value 0 .. 36 of a payload of A-Z0-9 by ISO/IEC 7064, system MOD 37-2.

    The system finds every single substitution and every transposition of two neighbours: 37 is prime and larger
    than any difference of two characters, and no two neighbouring weights are equal modulo 37.
    """
    total = 0
    for character in payload:
        total = (total + _VALUES[character]) * RADIX % MODULUS
    return (1 - total) % MODULUS


def make_serial(seed_digest: bytes) -> str:
    """Derive the serial of these bytes: the same bytes give the same serial, for ever.

    The check value 36 would be written `*`, which a serial may not hold: such a payload is passed over for the next.
    Some 57 bits remain, so whoever stores serials keeps them unique by constraint.
    """
    for attempt in count():
        payload = _payload(seed_digest, attempt)
        value = check_value(payload)
        if value < len(ALPHABET):
            return payload + ALPHABET[value]
    raise AssertionError("count() has no end")


def is_valid_serial(text: str) -> bool:
    """Tell whether the text is twelve characters A-Z0-9 with the right check character."""
    if len(text) != SERIAL_LENGTH or any(character not in _VALUES for character in text):
        return False
    return check_value(text[:PAYLOAD_LENGTH]) == _VALUES[text[PAYLOAD_LENGTH]]


def _payload(seed_digest: bytes, attempt: int) -> str:
    digest = hashlib.sha256(b"dosehub serial" + attempt.to_bytes(4, "big") + seed_digest).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(PAYLOAD_LENGTH):
        number, value = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[value])
    return "".join(characters)
