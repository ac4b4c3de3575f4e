"""Verification of a pouch: what its own codes, the machine's drop sensor and the picture say together.

The codes, the cassette's record and the sensor carry the safety; the picture can stop a pouch and never accept one. A `LOOK` is
for a person's eye.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.domain.identifiers import DrugCode, PackSerial
from hub.domain.orders import Reason
from hub.domain.packs import Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.references import Sighting
from hub.domain.verdict_words import VerdictRule, picture_doubt, verdict_reason
from hub.domain.words import Words

SERIAL_LENGTH = 12
DATA_MATRIX, CODE_128 = "]d1", "]C0"
"""The identifiers (ISO/IEC 15424) of the two symbols on our labels; a symbol of GS1 has another one."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS = 37
_SHOWN = 24


class CameraState(StrEnum):
    """Whether the station saw the pouch at all."""

    OK = "ok"
    DOWN = "down"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class OtherPack:
    """What the books say of the pack that a foreign label names; `live`: it may still go out. Names no patient."""

    serial: PackSerial
    department: str
    live: bool


@dataclass(frozen=True, slots=True)
class ExpectedPouch:
    """What the job says should lie before the camera: its serial and its tablets in all; `others`: packs by the serials read."""

    serial: PackSerial
    count: int
    others: Mapping[str, OtherPack] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtherCode:
    """A code in sight that is neither of the two symbols of our labels: its identifier and its content as text."""

    identifier: str
    content: str

    @property
    def is_matrix(self) -> bool:
        """Tell whether it is a Data Matrix too."""
        return self.identifier.startswith("]d")


@dataclass(frozen=True, slots=True)
class CodeReading:
    """A code as it is told to people: its content in printable letters, cut where it is long, its symbology, and who read it how."""

    text: str
    symbology: str
    reader: str


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """A drug of the pouch and what no picture tells from it; `proven`: the cassette's record says that it was `drug` that fell."""

    drug: DrugCode
    first: str
    second: str
    proven: bool = False


@dataclass(frozen=True, slots=True)
class SeenPouch:
    """What was read and counted.

    `data_matrix` and `code_128` are the contents of the symbols of our kind, `other_codes` whatever else was read.
    `tablets` is the picture's count (None: it cannot tell) and `certain` whether it separates every tablet; `sensor_counts`
    are (asked, counted) of each drop that the machine reported, `wrong_drops` say in plain words what its records have
    against the plan, and `doubts` what the picture shows that is not as planned. `strangers` are tablets that surely are none
    of the confirmed looks; `look_alikes` what a swap of could not be seen, and `sightings` what lots that still learn their look are shown by it.
    `readings` are all codes as they are told to people; nothing is judged by them.
    """

    data_matrix: tuple[str, ...] = ()
    code_128: tuple[str, ...] = ()
    tablets: int | None = None
    certain: bool = False
    sensor_counts: tuple[tuple[int, int], ...] = ()
    camera: CameraState = CameraState.OK
    doubts: tuple[str, ...] = ()
    wrong_drops: tuple[str, ...] = ()
    other_codes: tuple[OtherCode, ...] = ()
    strangers: int = 0
    look_alikes: tuple[LookAlikes, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    readings: tuple[CodeReading, ...] = ()


def sorted_codes(codes: Iterable[tuple[str, bytes]]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[OtherCode, ...]]:
    """Sort codes as (identifier, content) into those of Data Matrix and Code 128 of our kind, and all others; each once."""
    read = tuple(dict.fromkeys((identifier, content.decode("latin-1")) for identifier, content in codes))
    matrix, linear = (tuple(text for identifier, text in read if identifier == own) for own in (DATA_MATRIX, CODE_128))
    return matrix, linear, tuple(OtherCode(*each) for each in read if each[0] not in (DATA_MATRIX, CODE_128))


def reading_of(text: str, symbology: str, reader: str) -> CodeReading:
    """Return a code as it is told to people."""
    return CodeReading(_shown(text), symbology, reader)


def is_serial(text: str) -> bool:
    """Tell whether a text is twelve characters A-Z0-9 whose weighted sum leaves 1 (ISO/IEC 7064, system MOD 37-2)."""
    if len(text) != SERIAL_LENGTH or not set(text) <= set(_ALPHABET):
        return False
    return sum(_ALPHABET.index(letter) << place for place, letter in enumerate(reversed(text))) % _MODULUS == 1


def verify_pouch(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the verdict on a pouch and every reason for it; a reason to fail outweighs a reason to look.

    Call it when every event of the job up to the camera's has been taken in: a drop that the machine did not record cannot be
    proven by anybody's eye, so a missing record fails the pouch.

    PASS needs the pouch's own Data Matrix, no code that says otherwise, each drop counted as asked and in sum as expected, and
    a picture that shows each tablet alone and whole, as many as expected, with no doubt left: for the
    drop sensor and for a guess a half is a whole tablet. An unread Code 128 counts for nothing. Tablets that no picture tells
    apart pass only on the cassette's record.
    """
    failures = (*_wrong_codes(expected, seen), *_wrong_drops(expected, seen), *_wrong_picture(expected, seen))
    if failures:
        return Verdict.FAIL, failures
    doubts = (*_doubtful_codes(seen), *_doubtful_picture(expected, seen), *_unproven(seen))
    if doubts:
        return Verdict.LOOK, doubts
    proven = (verdict_reason(VerdictRule.CASSETTE_RECORD, pair.first, pair.second) for pair in seen.look_alikes)
    return Verdict.PASS, (verdict_reason(VerdictRule.OWN_CODE, expected.count), *proven)


def _wrong_codes(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Reason, ...]:
    """Return what the codes have against the pouch: several Data Matrix symbols are never put to a vote."""
    matrix = {*seen.data_matrix, *(code.content for code in seen.other_codes if code.is_matrix)}
    other = tuple(dict.fromkeys(text for text in seen.data_matrix if text != expected.serial))
    reasons = [verdict_reason(VerdictRule.TWO_CODES, len(matrix))] if len(matrix) > 1 else []
    reasons += [_other_label(expected, text) for text in other]
    reasons += [verdict_reason(VerdictRule.MAKERS_CODE, _shown(code.content)) for code in seen.other_codes if code.is_matrix]
    contradicting = sorted(set(seen.code_128) - {expected.serial})
    return (*reasons, *(verdict_reason(VerdictRule.CODES_DISAGREE, _shown(text)) for text in contradicting))


def _other_label(expected: ExpectedPouch, text: str) -> Reason:
    """Say whose label it is that is not this pouch's."""
    pack = expected.others.get(text)
    if pack is not None and pack.live:
        return verdict_reason(VerdictRule.OTHER_POUCH, pack.serial, pack.department, expected.serial)
    if pack is not None:
        return verdict_reason(VerdictRule.REVOKED_LABEL, pack.serial, expected.serial)
    return verdict_reason(VerdictRule.UNKNOWN_SERIAL if is_serial(text) else VerdictRule.NOT_OUR_CODE, _shown(text), expected.serial)


def _shown(content: str) -> str:
    """Return the beginning of a code's content in printable letters; a code may hold 3 kB and NULs."""
    letters = "".join(letter if letter.isascii() and letter.isprintable() and letter != ";" else "·" for letter in content[:_SHOWN])
    return letters if len(content) <= _SHOWN else f"{letters}… ({len(content)})"


def _wrong_drops(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Reason, ...]:
    if seen.wrong_drops:
        return tuple(Reason(VerdictRule.DROP_RECORDS.value, told, "docs/architecture.md, invariants: 5", in_russian(told)) for told in seen.wrong_drops)
    reasons = tuple(verdict_reason(VerdictRule.DROP_COUNT, counted, asked) for asked, counted in seen.sensor_counts if asked != counted)
    asked_in_all = sum(asked for asked, _ in seen.sensor_counts)
    if not reasons and asked_in_all != expected.count:
        return (verdict_reason(VerdictRule.DROP_RECORDS, asked_in_all, expected.count),)
    return reasons


def _wrong_picture(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Reason, ...]:
    """Return what a picture that is certain has against the pouch."""
    if seen.camera is not CameraState.OK or not seen.certain:
        return ()
    stranger = (verdict_reason(VerdictRule.PICTURE_STRANGER),) if seen.strangers else ()
    if seen.tablets in {None, expected.count}:
        return stranger
    return (verdict_reason(VerdictRule.PICTURE_COUNT, seen.tablets, expected.count), *stranger)


def _doubtful_codes(seen: SeenPouch) -> tuple[Reason, ...]:
    if seen.camera is CameraState.DOWN:
        return (verdict_reason(VerdictRule.NO_CAMERA),)
    if seen.camera is CameraState.EMPTY:
        return (verdict_reason(VerdictRule.NO_POUCH),)
    foreign = tuple(verdict_reason(VerdictRule.MAKERS_CODE, _shown(code.content)) for code in seen.other_codes)
    return foreign if seen.data_matrix else (verdict_reason(VerdictRule.NO_CODE), *foreign)


def _doubtful_picture(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Reason, ...]:
    told = tuple(picture_doubt(Words(doubt, in_russian(doubt))) for doubt in seen.doubts)
    if seen.camera is not CameraState.OK or seen.certain:
        return told
    if seen.tablets is None:
        return (verdict_reason(VerdictRule.PICTURE_BLIND), *told)
    if seen.tablets == expected.count:
        return (verdict_reason(VerdictRule.PICTURE_UNCERTAIN, seen.tablets), *told)
    return (verdict_reason(VerdictRule.PICTURE_GUESS, seen.tablets, expected.count), *told)


def _unproven(seen: SeenPouch) -> tuple[Reason, ...]:
    return tuple(
        verdict_reason(VerdictRule.LOOK_ALIKE_TABLETS, pair.first, pair.second) for pair in seen.look_alikes if not pair.proven
    )
