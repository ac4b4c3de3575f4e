"""The answer to a message: MSH, MSA and ERR, in the delimiters, version and character set of the message itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.adapters.intake.hl7.er7 import escaped
from hub.adapters.intake.hl7.header import Header
from hub.adapters.intake.hl7.problems import ERROR_NAMES, ErrorCode, Place, Problem
from hub.domain.identifiers import derived_id


class AckCode(StrEnum):
    """HL7 table 0008: the first three answer the content, the others only that the message was kept (enhanced mode)."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"
    KEPT = "CA"
    NOT_KEPT = "CE"
    NOT_TAKEN = "CR"


_KEPT = {AckCode.ACCEPTED: AckCode.KEPT, AckCode.ERROR: AckCode.NOT_KEPT, AckCode.REJECTED: AckCode.NOT_TAKEN}
_WITH_NEW_ERR = ("2.5", "2.6", "2.7", "2.8", "2.9")
_WITH_STRUCTURE = ("2.4", *_WITH_NEW_ERR)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message: taken, or the problem for which it has no effect."""

    problem: Problem | None = None

    @property
    def code(self) -> AckCode:
        """Return the code of original mode."""
        if self.problem is None:
            return AckCode.ACCEPTED
        return AckCode.REJECTED if self.problem.rejects else AckCode.ERROR


def answers(header: Header, verdict: Verdict, at: datetime) -> list[bytes]:
    """Return the answers that a message asks for: one in original mode; in enhanced mode what MSH-15 and MSH-16 want (table 0155)."""
    if not header.accept and not header.application:
        return [acknowledgement(header, verdict.code, verdict.problem, at)]
    found = []
    if _is_wanted(header.accept, verdict):
        found.append(acknowledgement(header, _KEPT[verdict.code], verdict.problem, at))
    if _is_wanted(header.application, verdict):
        found.append(acknowledgement(header, verdict.code, verdict.problem, at))
    return found


def _is_wanted(condition: str, verdict: Verdict) -> bool:
    """Tell whether a condition asks for an answer; one that nobody knows gets it, so that no sender waits in vain."""
    well = verdict.problem is None
    return {"": False, "NE": False, "ER": not well, "SU": well}.get(condition, True)


def acknowledgement(header: Header, code: AckCode, problem: Problem | None, at: datetime) -> bytes:
    """Return one acknowledgement, its segments ended by CR; `at` is when it is made."""
    marks = header.delimiters
    kind = marks.component.join(["ACK", header.event, "ACK"] if header.event and header.version.startswith(_WITH_STRUCTURE) else ["ACK"])
    own = derived_id("ack", header.control_id, *header.sender, at.isoformat(), code.value, digits=20)
    msh = [
        "MSH", marks.encoding_characters, *header.receiver, *header.sender, at.strftime("%Y%m%d%H%M%S%z"), "", kind, own, header.processing or "P",
        header.version or "2.5", "", "", "", "", "", header.charset,
    ]  # fmt: skip
    msa = ["MSA", code.value, escaped(header.control_id, marks)]
    lines = [msh, msa]
    if problem is not None:
        msa.append(escaped(str(problem.place) + ": " + problem.text, marks)[:400])
        lines.append(_err(header, problem))
    text = "".join(marks.field.join(line).rstrip(marks.field) + "\r" for line in lines)
    return _encoded(text, header)


def _err(header: Header, problem: Problem) -> list[str]:
    """Return ERR: location, code, severity and both sentences (2.5 on), or the place with the code (before)."""
    marks, place = header.delimiters, problem.place
    code = [problem.code.value, ERROR_NAMES[problem.code], "HL70357"]
    if not header.version.startswith(_WITH_NEW_ERR) and header.version:
        located = marks.component.join([*_located(place)[:3], marks.subcomponent.join(code)])
        return ["ERR", located]
    location = marks.component.join(_located(place)).rstrip(marks.component)
    told, told_ru = escaped(problem.text, marks), escaped(problem.text_ru, marks)
    return ["ERR", "", location, marks.component.join(code), "E", "", "", told, told_ru if _says_unicode(header) else told]


def _located(place: Place) -> list[str]:
    """Return segment, its sequence, field, repetition and component of an ERL."""
    component = str(place.component) if place.component else ""
    return [place.segment, str(place.sequence), str(place.field) if place.field else "", "1" if component else "", component]


def _says_unicode(header: Header) -> bool:
    return "UTF-8" in header.charset.upper() or "8859/5" in header.charset


def _encoded(text: str, header: Header) -> bytes:
    """Return the bytes in the character set that MSH-18 repeats; what it cannot hold becomes a question mark."""
    for codec in _codecs(header.charset):
        return text.encode(codec, "replace")
    return text.encode("utf-8")


def _codecs(charset: str) -> list[str]:
    name = charset.strip().upper()
    part = name.removeprefix("8859/")
    return [f"iso8859-{part}"] if name.startswith("8859/") and part.isdigit() and 1 <= int(part) <= 16 and part != "12" else []


def internal_problem(text: str, text_ru: str, code: ErrorCode = ErrorCode.INTERNAL) -> Problem:
    """Return the problem of a message that could not be kept through no fault of its own."""
    return Problem(Place("MSH"), code, text, text_ru)

