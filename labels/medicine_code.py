"""The code of a medicine pack that is sold in Russia: GTIN, serial, key and verification code, 85 characters with both separators.

Source: government decree 1556 of 14.12.2018. Without the separators only its lengths tell the parts: 14, 13, 4 and 44.
"""

import re
from dataclasses import dataclass

from labels.gs1 import CHARACTERS, GS, Gs1Elements, Unread, UnreadReason, UnwritableElement, is_gtin, payload_of

LENGTH_WITHOUT_SEPARATORS = 83
SERIAL_LENGTH, KEY_LENGTH, SIGNATURE_LENGTH = 13, 4, 44
_SERIAL_ENDS = 2 + 14 + 2 + SERIAL_LENGTH
_KEY_ENDS = _SERIAL_ENDS + 2 + KEY_LENGTH
_PROVING = ("91", "92", "93")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{42,44}={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MedicineCode:
    """One pack: `serial` is unique to its GTIN, `signature` proves it to the register. `raw` is the scan, byte for byte."""

    gtin: str
    serial: str
    key: str
    signature: str
    raw: str = ""


def is_medicine_code(scanned: str) -> bool:
    """Tell whether a scan has the lengths and the four elements of a medicine code, whatever its GTIN is."""
    text = payload_of(scanned)
    return isinstance(text, str) and _parts(text) is not None


def read_medicine_code(scanned: str) -> MedicineCode | Unread:
    """Read a medicine code with both separators, with one, or with none: the lengths are fixed, so none of them can change the meaning."""
    text = payload_of(scanned)
    if isinstance(text, Unread):
        return text
    parts = _parts(text)
    if parts is None:
        return Unread(UnreadReason.FORM, text)
    gtin, serial, key, signature = parts
    if not is_gtin(gtin):
        return Unread(UnreadReason.CHECK_DIGIT, gtin)
    return MedicineCode(gtin, serial, key, signature, scanned)


def is_cut_short(elements: Gs1Elements) -> bool:
    """Tell whether GTIN and serial alone are a medicine code that was cut: what begins its proof stands behind thirteen characters of the serial."""
    return elements.lot == "" and elements.expires_on is None and elements.serial[SERIAL_LENGTH : SERIAL_LENGTH + 2] in _PROVING


def medicine_element_string(code: MedicineCode) -> str:
    """Return the element string with both separators; raise UnwritableElement for what no such code can carry."""
    text = f"01{code.gtin}21{code.serial}{GS}91{code.key}{GS}92{code.signature}"
    if not is_gtin(code.gtin) or _parts(text) != (code.gtin, code.serial, code.key, code.signature):
        raise UnwritableElement(f"no medicine code can be of GTIN {code.gtin!r}, serial {code.serial!r} and key {code.key!r}")
    return text


def _parts(text: str) -> tuple[str, str, str, str] | None:
    """Cut a text at the fixed lengths; a separator that is there must stand where it belongs."""
    closed = text.replace(GS, "")
    if len(closed) != LENGTH_WITHOUT_SEPARATORS or not CHARACTERS.issuperset(closed):
        return None
    serial, key, signature = closed[:_SERIAL_ENDS], closed[_SERIAL_ENDS:_KEY_ENDS], closed[_KEY_ENDS:]
    if (serial[:2], serial[16:18], key[:2], signature[:2]) != ("01", "21", "91", "92"):
        return None
    if text not in {first.join((serial, second.join((key, signature)))) for first in ("", GS) for second in ("", GS)}:
        return None
    parts = serial[2:16], serial[18:], key[2:], signature[2:]
    return parts if _SIGNATURE.fullmatch(parts[3]) and parts[0].isdigit() else None
