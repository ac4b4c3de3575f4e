"""ER7: delimiters, escapes, segment ends, limits; what is written is read again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters.intake.hl7 import er7
from hub.adapters.intake.hl7.er7 import Delimiters, Message, escaped, parse, unescaped
from hub.adapters.intake.hl7.problems import UnreadableMessage

USUAL = Delimiters()
TEXT = "MSH|^~\\&|A|B|C|D|20260302||ADT^A08|1|P|2.5"


def test_fields_are_numbered_as_in_the_standard() -> None:
    header = parse(TEXT + "\r").header
    assert (header.raw(1), header.raw(2), header.value(3), header.value(9), header.value(9, 2)) == ("|", "^~\\&", "A", "ADT", "A08")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n", "\n\n"])
def test_segments_end_in_any_way(end: str) -> None:
    assert [segment.name for segment in parse(end.join([TEXT, "PID|1", "ZAB", "PV1|1", ""])).segments] == ["MSH", "PID", "ZAB", "PV1"]


def test_a_line_end_inside_a_field_is_text() -> None:
    note = parse(TEXT + "\rNTE|1||first\nsecond\rZZZ|1").first("NTE")
    assert note is not None
    assert note.value(3) == "first\nsecond"


def test_delimiters_are_what_the_header_says() -> None:
    message = parse("MSH#*@!%$#A\rPID#1##7*x%y@8*z#it!F!s!P!")
    pid = message.first("PID")
    assert pid is not None
    assert [element.component(1) for element in pid.repetitions(3)] == ["7", "8"]
    assert pid.element(3).subcomponent(2, 2) == "y"
    assert pid.value(4) == "it#s$"


def test_yen_sign_stands_for_the_backslash() -> None:
    pid = parse("MSH|^~¥&|A\rPID|1||a¥T¥b").first("PID")
    assert pid is not None
    assert pid.value(3) == "a&b"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\"), ("\\X41D0AF\\", "AЯ"), ("one\\.br\\two", "one\ntwo"), ("\\H\\bold\\N\\", "bold"),
        ("\\Zab\\", "[Zab]"), ("50\\Q\\", "50\\Q\\"), ("open\\F", "open\\F"), ("\\X4\\", "\\X4\\"), ("\\.sp2\\x", "\nx"), ("\\\\", "\\\\"),
    ],
)  # fmt: skip
def test_escape_sequences(written: str, meant: str) -> None:
    assert unescaped(written, USUAL) == meant


def test_deleted_is_not_the_same_as_not_sent() -> None:
    pid = parse(TEXT + '\rPID|1||""').first("PID")
    assert pid is not None
    assert (pid.value(3), pid.is_deleted(3), pid.is_deleted(4)) == ("", True, False)


@pytest.mark.parametrize("text", ["", "MSH", "MSH|", "MSH||||", "MSH|^^^^|", "MSHX^~\\&", "PID|1", "MSH A B C D"])
def test_what_has_no_delimiters_is_no_message(text: str) -> None:
    with pytest.raises(UnreadableMessage):
        parse(text)


def test_limits_are_refused_with_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(er7, "MAXIMUM_SEGMENTS", 3)
    with pytest.raises(UnreadableMessage, match="more than 3 segments"):
        parse(TEXT + "\rNTE|1" * 3)
    with pytest.raises(UnreadableMessage, match="fields"):
        parse(TEXT + "\rNTE" + "|" * 601)
    monkeypatch.setattr(er7, "MAXIMUM_CHARACTERS", 20)
    with pytest.raises(UnreadableMessage, match="more than the limit of 20"):
        parse(TEXT)


_MARKS = st.lists(st.sampled_from("|^~\\&#!*@%$¥;:"), min_size=6, max_size=6, unique=True).map(lambda marks: Delimiters(*marks))
_VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=12)


@settings(max_examples=150)
@given(_MARKS, st.lists(st.lists(_VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_whatever_is_written_is_read_again(marks: Delimiters, fields: list[list[str]]) -> None:
    line = marks.field.join(["ZZZ", *(marks.component.join(escaped(part, marks) for part in parts) for parts in fields)])
    message: Message = parse(f"MSH{marks.field}{marks.encoding_characters}{marks.field}A\r{line}\r")
    segment = message.first("ZZZ")
    assert segment is not None
    for at, parts in enumerate(fields, start=1):
        told = [segment.element(at).component(number) for number in range(1, len(parts) + 1)]
        assert told == ["" if part == '""' else part for part in parts] or not any(parts)
