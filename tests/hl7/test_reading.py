"""Files: several messages, batches, character sets, times, and what is refused with its place."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hl7_messages import DRUGS, FEED, MOSCOW, PID, PV1, adt, at, message, order, rde

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.hl7.envelope import looks_like_hl7, opened
from hub.adapters.intake.hl7.reading import MessageReader, read_hl7
from hub.adapters.intake.hl7.timestamps import stamp
from hub.domain.orders import OrderSheet, Reject
from hub.domain.words import Words

Sheet = Callable[..., OrderSheet]


def read(data: bytes, charset: str = "") -> OrderSheet:
    return read_hl7("f.hl7", data, FEED, DRUGS, zone=MOSCOW, charset=charset)


def family(data: bytes, charset: str = "") -> str:
    return read(data, charset).patients[0].family


@pytest.mark.parametrize("around", [b"%s%s", b"\x0b%s\x1c\r\x0b%s\x1c\r", b"\n\n%s\n%s", b"\xef\xbb\xbf%s\r\n%s"])
def test_several_messages_in_one_file(around: bytes) -> None:
    lines = read(around % (rde().encode(), rde(*order("A2")).encode())).lines
    assert [(line.id, line.position) for line in lines] == [("his:HIS:A1", "message 1, order 1"), ("his:A2", "message 2, order 1")]


def test_bytes_before_the_first_message_are_named() -> None:
    (line,) = read(b"garbage 7 " + rde().encode()).lines
    assert "text before the first message: garbage 7" in line.note


def test_a_batch_is_counted() -> None:
    batch = "FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r{}{}BTS|{}\rFTS|1\r"
    assert len(read(batch.format(rde(), rde(*order("A2")), 2).encode()).lines) == 2
    for cut, told in ((batch.format(rde(), "", 2), "says that it has 2 messages"), ("BHS|^~\\&|HIS\r" + rde(), "BHS has no BTS: the batch is cut off")):
        with pytest.raises(IntakeError, match=told):
            read(cut.encode())


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("", "utf-8"), ("UNICODE UTF-8", "utf-8"), ("8859/5", "iso8859-5"), ("CP1251", "cp1251"), ("UNICODE", "utf-8"), ("WINDOWS-1251", "cp1251"),
    ],
)  # fmt: skip
def test_character_sets(name: str, codec: str) -> None:
    text = adt("A08", PID.replace("Orlova&Orlov", "Орлова"), PV1).replace("|P|2.5", f"|P|2.5||||||{name}")
    assert family(text.encode(codec)) == "Орлова"


def test_a_source_may_have_a_character_set_of_its_own() -> None:
    data = adt("A08", PID.replace("Orlova&Orlov", "Орлова"), PV1).encode("cp1251")
    assert family(data, "cp1251") == "Орлова"
    with pytest.raises(IntakeError, match="MSH-18"):
        read(data)


def test_japanese_with_its_shifts_and_after_somebody_wrote_it_anew() -> None:
    text = adt("A08", PID.replace("Orlova&Orlov", "山田"), PV1).replace("|P|2.5", "|P|2.5||||||~ISOIR87")
    assert b"\x1b$B" in text.encode("iso2022_jp")
    assert family(text.encode("iso2022_jp")) == "山田"
    assert family(text.encode("utf-8")) == "山田"


def test_a_character_set_that_nobody_knows_is_refused_with_its_field() -> None:
    with pytest.raises(IntakeError, match=r"message 1, field MSH-18: the character set 'EBCDIC' is not read"):
        read(rde().replace("|P|2.5", "|P|2.5||||||EBCDIC").encode())


@pytest.mark.parametrize(
    ("text", "moment", "is_day"),
    [
        ("20260302", at("2026-03-02 00:00"), True), ("2026030208", at("2026-03-02 08:00"), False), ("202603020815", at("2026-03-02 08:15"), False),
        ("20260302081530", datetime(2026, 3, 2, 8, 15, 30, tzinfo=MOSCOW), False), ("20260302051500.1234+0000", datetime(2026, 3, 2, 5, 15, 0, 123400, UTC), False),
        ("20260302081500-0330", datetime.fromisoformat("2026-03-02T08:15:00-03:30"), False), ("2026-03-02T08:15", at("2026-03-02 08:15"), False),
    ],
)  # fmt: skip
def test_times_of_any_precision(text: str, moment: datetime, is_day: bool) -> None:
    found = stamp(text, MOSCOW)
    assert found is not None
    assert (found.at, found.is_day) == (moment, is_day)


@pytest.mark.parametrize("text", ["", "2026", "202603", "20260230", "2026030225", "20260302240000", "20260302+2500", "00010101", "99991231235959", "0001-01-01", "x"])
def test_what_is_no_time(text: str) -> None:
    assert stamp(text, MOSCOW) is None


def test_the_end_of_a_day_is_inside() -> None:
    found = stamp("20260302", MOSCOW)
    assert found is not None
    assert found.end == datetime(2026, 3, 2, 23, 59, 59, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (message(PID, kind="RDS^O13"), "MSH-9: RDS^O13 is what a pharmacy dispensed, which is not for this system"),
        (message(PID, kind="ADT^A40"), "MSH-9: the event ADT^A40 is not read here"), (message(PID, kind="ORU^R01"), "MSH-9: 'ORU^R01' is not read here"),
        (message(PID, "ORC|NW|1", "OBR|1", kind="ORM^O01"), "MSH-9: ORM^O01 orders no drug"), (message(PID), "ORC: RDE^O11 without any order"),
        (message(PID, version="3.0"), "MSH-12: version 3.0"), (adt("A01", "PID|1", PV1), "PID-3: the message names no patient"),
    ],
)  # fmt: skip
def test_a_file_of_nothing_for_us_is_refused(message: str, told: str) -> None:
    with pytest.raises(IntakeError, match="field " + told.partition(":")[0]) as refused:
        read(message.encode())
    assert told.partition(": ")[2] in str(refused.value)


def test_one_message_that_cannot_be_used_is_a_reject_and_the_rest_goes_on(sheet_of: Sheet) -> None:
    sheet = sheet_of(rde(), message(PID, kind="RDS^O13"))
    assert [line.id for line in sheet.lines] == ["his:HIS:A1"]
    assert sheet.rejects == (Reject("message 2", "MSH-9", Words("RDS^O13 is what a pharmacy dispensed, which is not for this system", "RDS^O13 — отчёт о выдаче, здесь его не принимают")),)


def test_training_messages_count_only_where_the_source_is_set_to(sheet_of: Sheet) -> None:
    strict = MessageReader("s", FEED, DRUGS, MOSCOW).read(rde(processing="T").encode(), "m")
    assert strict.problem is not None
    assert (strict.problem.rejects, str(strict.problem.place)) == (True, "MSH-11")
    assert "sent as 'T', not for production" in sheet_of(rde(processing="T")).lines[0].note


@pytest.mark.parametrize("data", [b"MSH|^~\\&|A", b"\x0bMSH|", b"FHS|^~\\&", b"\r\nBHS|^", b"\xef\xbb\xbfMSH#*@!%"])
def test_hl7_is_told_by_its_first_bytes(data: bytes) -> None:
    assert looks_like_hl7(data)


@pytest.mark.parametrize("data", [b"", b"{", b"MSHX", b"MSH", b"department;room", b"mSH|"])
def test_what_is_not_hl7(data: bytes) -> None:
    assert not looks_like_hl7(data)


@pytest.mark.parametrize("data", [b"", b"nothing here", b"PID|1"])
def test_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(IntakeError):
        read(data)
    assert opened(data).messages == ()
