"""Ward sheets as CSV and XLSX: encodings, delimiters, headers, odd rows, ids that stay the same."""

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.intake.day_sheet import read_day_sheet, read_dose
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.sheet import read_sheet
from hub.domain.orders import OrderLine, OrderSheet, Patient, SourceSettings, Stay
from hub.domain.quantities import Quantity
from hub.domain.timing import SlotDose, Timing
from tests.intake.ward_tables import DIRECTORY, FREE, HEADER, MOSCOW, ROW, WARD, text, workbook
from tests.said import english


def read(data: bytes, source: SourceSettings = WARD) -> OrderSheet:
    return read_sheet("day.csv", data, source, DIRECTORY, zone=MOSCOW)


def line(source: SourceSettings = FREE, **cells: str) -> OrderLine:
    """Return the line of the row with some cells written otherwise, by header."""
    named = dict(zip(HEADER.split(";"), ROW.split(";"), strict=True)) | cells
    return read(text(";".join(named.values())).encode(), source).lines[0]


def refusal(data: bytes, source: SourceSettings = WARD) -> str:
    with pytest.raises(IntakeError) as caught:
        read(data, source)
    return str(caught.value)


def test_a_row_is_a_line_with_patient_and_stay() -> None:
    sheet = read(text(ROW).encode())
    assert sheet.patients == (Patient("26-1", "26-1", "Ильина", "Анна Львовна", date(1965, 10, 3), None),)
    (stay,) = sheet.stays
    assert (stay.patient, stay.department, stay.room, stay.bed) == ("26-1", "Терапия", "101", "2")
    (only,) = sheet.lines
    assert (only.drug, only.drug_text, only.position) == ("T001", "Эгилок 25 мг таб.", "day.csv line 2")
    assert only.dose == (Quantity(Fraction(25, 2), "mg"), Quantity(Fraction(25, 2), "mg"))
    assert only.timing == Timing(slots=(SlotDose("morning", Fraction(1)), SlotDose("evening", Fraction(1, 2))))
    assert only.starts_at == datetime(2026, 3, 5, tzinfo=MOSCOW)
    assert only.ends_at == datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW)
    assert (only.route, only.signed_by, only.note, english(only.unsupported)) == ("внутрь", "Басова Н.Г.", "натощак", ())


def test_encodings_delimiters_and_workbooks_say_the_same() -> None:
    wanted = read(text(ROW).encode()).lines
    quoted = ROW.replace("12,5", '"12,5"').replace(";", ",")
    cells: list[Any] = [*ROW.split(";")]
    cells[1], cells[2], cells[5], cells[9], cells[12] = 101, 2, datetime(1965, 10, 3), 12.5, 1  # noqa: DTZ001
    cells[17], cells[18] = date(2026, 3, 5), datetime(2026, 3, 9)  # noqa: DTZ001
    for data in (
        b"\xef\xbb\xbf" + text(ROW).encode(),
        text(ROW).encode("windows-1251"),
        text(ROW).replace(";", "\t").encode(),
        text(quoted, header=HEADER.replace(";", ",")).encode(),
        text(ROW).replace("\n", "\r\n").encode(),
        workbook(HEADER.split(";"), [cell or None for cell in cells]),
    ):
        assert read(data).lines == wanted


def test_english_headers_and_a_name_without_code() -> None:
    header = "department,room,patient,birth date,drug code,dose,route,frequency code"
    sheet = read(text("Ward 1,4,Smith Anna,1965-10-03,T002,50 mg,PO,BID", header=header).encode(), FREE)
    again = read(text("Ward 1,4,SMITH  Anna,03.10.1965,T002,50 mg,PO,BID", header=header).encode(), FREE)
    assert sheet.lines[0].patient == again.lines[0].patient == sheet.patients[0].id == sheet.patients[0].code
    assert sheet.lines[0].id == again.lines[0].id
    assert (sheet.lines[0].drug, sheet.lines[0].timing) == ("T002", Timing(code="BID"))


def test_order_ids_are_the_same_on_every_sheet_and_differ_for_equal_rows() -> None:
    other = ROW.replace("Эгилок;25 мг", "варфарин;2,5 мг").replace("12,5", "2,5")
    first = read(text(ROW, other, ROW).encode())
    second = read(text(other, ROW.replace("натощак", "").replace("12,5", "25")).encode())
    assert len({order.id for order in first.lines}) == 3
    assert [order.id for order in second.lines] == [first.lines[1].id, first.lines[0].id]
    assert line(Начало="06.03.2026").id != line().id != line(Путь="в/в").id


@pytest.mark.parametrize(
    ("name", "strength", "form", "code"),
    [
        ("МЕТОПРОЛОЛ", "25мг", "таблетки", "T001"),
        ("эгилок", "50 mg", "", "T002"),
        ("Лазикс", "10 мг/мл - 2 мл", "амп.", "A001"),
        ("варфарин", "2.5 мг", "табл", "T012"),
        ("варфарин", "5 мг", "табл", "?варфарин 5 мг табл"),
        ("варфарин", "2,5 мг", "амп.", "?варфарин 2,5 мг амп."),
        ("варфарин", "2,5 мг", "пастила", "?варфарин 2,5 мг пастила"),
        ("метопролол", "", "таб.", "?метопролол таб."),
        ("варфорин", "2,5 мг", "табл", "?варфорин 2,5 мг табл"),
    ],
)
def test_drugs_match_exactly_or_not_at_all(name: str, strength: str, form: str, code: str) -> None:
    assert line(Препарат=name, Дозировка=strength, Форма=form).drug == code


def test_a_code_that_contradicts_the_name_is_for_a_person() -> None:
    header = "department,patient code,drug,drug code,dose,route,frequency"
    doubtful = read(text("W,1,варфарин,T001,25 мг,PO,BID", header=header).encode(), FREE).lines[0]
    assert english(doubtful.unsupported) == ("the code T001 is of 'метопролол' and the sheet says 'варфарин'",)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"Начало": "32.03.2026"}, "the course start cannot be read: 32.03.2026"),
        ({"Конец": "до выписки"}, "the course end cannot be read: до выписки"),
        ({"Дата рождения": "1965"}, "the birth date cannot be read: 1965"),
        ({"Утро": "пол"}, "the morning cell cannot be read: пол"),
        ({"Доза": "много"}, "the dose cannot be read: много"),
        ({"Доза": "1,125"}, "the dose cannot be read: '1,125' may mean 1125 or 1.125: write one of them"),
        ({"Доза": "12,5 г"}, "the dose has two units: 12,5 г and мг"),
        ({"Доза": "5", "Ед.": ""}, "a dose without unit: 5"),
        ({"Начало": "01.01.1900"}, "the course start is of another age: 01.01.1900"),
        ({"Дата рождения": "03.10.1865"}, "the birth date is of another age: 03.10.1865"),
        ({"Утро": "2026"}, "the morning cell cannot be read: 2026"),
        ({"Доза": "-12,5"}, "the dose cannot be read: -12,5"),
    ],
)
def test_what_is_wrong_in_a_row_is_named_in_its_line(cells: dict[str, str], words: str) -> None:
    assert words in english(line(**cells).unsupported)


def test_a_frequency_beside_marked_slots_is_kept_whole_for_the_schedule_to_judge() -> None:
    found = line(Режим="1 раз в неделю", Вечер="").timing
    assert found is not None and found.code == "1 раз в неделю" and found.slots == (SlotDose("morning", Fraction(1)),)


def test_a_missing_dose_and_missing_slots_are_none() -> None:
    assert (line(**{"Доза": "", "Ед.": ""}).dose, english(line(Доза="").unsupported)) == (None, ())
    assert line(Утро="-", Вечер="0").timing is None
    assert line(Начало="x").starts_at is None


def test_marks_prn_and_urgent_words() -> None:
    assert line(Утро="+", Вечер="").timing == Timing(slots=(SlotDose("morning", Fraction(1)),))
    prn = line(Режим="при болях").timing
    assert prn is not None and prn.prn
    assert line(Примечание="CITO!").stat
    assert not line(Примечание="цито не надо").stat


@pytest.mark.parametrize(
    ("cell", "unit", "low", "high", "name"),
    [
        ("500", "мг", "500", "500", "mg"),
        ("0,5 г", "", "1/2", "1/2", "g"),
        ("5-10", "мл", "5", "10", "mL"),
        ("2,5–5 мг", "мг", "5/2", "5", "mg"),
        ("½", "таб", "1/2", "1/2", "tablet"),
        ("1 1/2 таб.", "", "3/2", "3/2", "tablet"),
        ("10000", "ЕД", "10000", "10000", "IU"),
        ("1", "ч.л.", "1", "1", "ч.л."),
    ],
)
def test_doses(cell: str, unit: str, low: str, high: str, name: str) -> None:
    assert read_dose(cell, unit, []) == (Quantity(Fraction(low), name), Quantity(Fraction(high), name))


@pytest.mark.parametrize(("sign", "milligrams"), [(",", 5), (".", 5000)])
def test_a_comma_in_a_dose_is_read_by_the_source_s_own_decimal_sign(sign: str, milligrams: int) -> None:
    source = replace(FREE, decimal_sign=sign)
    assert line(source, Доза="5,000 мг").dose == (Quantity(Fraction(milligrams), "mg"),) * 2


def test_a_comma_that_may_be_thousands_is_never_guessed() -> None:
    doubtful = line(FREE, Доза="5,000 мг", Утро="1,000")
    assert doubtful.dose is None
    assert any("'5,000' may mean 5000 or 5.000" in words for words in english(doubtful.unsupported))
    assert "the morning cell cannot be read: 1,000" in english(doubtful.unsupported)
    assert line(replace(FREE, decimal_sign=","), Утро="1,000").timing == line(Утро="1").timing


def test_a_start_without_a_time_of_day_is_a_day() -> None:
    assert line().starts_on_day and line(Начало="2026-03-05").starts_on_day
    assert not line(Начало="05.03.2026 00:00").starts_on_day and not line(Начало="").starts_on_day


def test_one_code_for_two_people_and_one_person_in_two_beds_are_named() -> None:
    sheet = read(text(ROW, ROW.replace("Ильина", "Львова"), ROW.replace(";101;", ";102;")).encode())
    assert english(sheet.lines[0].unsupported) == ()
    assert english(sheet.lines[1].unsupported) == ("the code 26-1 is of another name or birth date in line 2",)
    assert english(sheet.lines[2].unsupported) == ("the patient lies elsewhere in line 2",)
    assert sheet.stays == (Stay("26-1", sheet.stays[0].encounter, "Терапия", "101", "2"),)


def test_columns_that_nobody_knows_reach_the_note() -> None:
    sheet = read(text(ROW + ";диета 9", header=HEADER + ";Диета").encode())
    assert sheet.lines[0].note == "натощак | Диета: диета 9"


@pytest.mark.parametrize("column", ["Отделение", "Доза", "Путь", "Начало", "Конец", "Подпись"])
def test_a_missing_column_is_refused_by_name(column: str) -> None:
    fields = {"Отделение": "department", "Доза": "dose", "Путь": "route", "Начало": "starts or course", "Конец": "ends or days or course", "Подпись": "signed_by"}
    words = refusal(text(ROW, header=HEADER.replace(column, "Графа")).encode())
    assert words == f"day.csv, line 1, field {fields[column]}: the required column is missing."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (text().encode(), "a header and no rows"),
        (text(ROW).encode("utf-16"), "UTF-16"),
        (text(ROW).encode("utf-16-le"), "binary, not text"),
        (text(ROW).encode("windows-1251").replace("Л".encode("windows-1251"), b"\x98"), "not utf-8 or windows-1251"),
        (text(ROW, ROW).encode()[:-60], "line 3: the row has"),
        (text(ROW.replace("натощак", '"натощак')).encode(), "line 2: the CSV is damaged or cut off"),
        (text(ROW.replace("12,5", "12;5")).encode(), "line 2: the row has 22 cells and the header 21"),
        (text(ROW, header=HEADER + ";Пациент").encode(), "field patient: two columns are of the same field"),
        (b"a;b;c\n1;2;3\n", "no column is known"),
        (b"hello\n", "no delimiter"),
        (b"MSH|^~\\&|HIS\r", "field MSH-9"),
        (b"<?xml version='1.0'?>", "it is XML"),
        (b"[]", "it is a JSON array"),
        (b"%PDF-1.7", "it is PDF"),
        (workbook([])[:900], "not a whole XLSX workbook"),
        (b"PK\x03\x04 nothing", "not a whole XLSX workbook"),
        (workbook([]), "the table is empty"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_read_are_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_a_column_that_only_some_sources_need() -> None:
    header, row = HEADER.removesuffix(";Подпись;Примечание"), ROW.removesuffix(";Басова Н.Г.;натощак")
    assert read_day_sheet("d", text(row, header=header).encode(), FREE, DIRECTORY, zone=MOSCOW).lines[0].signed_by == ""
    assert "field signed_by" in refusal(text(row, header=header).encode())


@given(st.lists(st.sampled_from(["1", "1/2", "x", "-", "", "два"]), min_size=4, max_size=4), st.text(max_size=8))
def test_every_row_is_a_line_whatever_is_in_it(slots: list[str], dose: str) -> None:
    cells = ROW.split(";")
    cells[12:16] = slots
    cells[9] = "".join(letter for letter in dose if letter.isprintable() and letter not in ';"')
    sheet = read(text(";".join(cells), ROW).encode(errors="replace"))
    assert len(sheet.lines) == 2
    assert ("два" in slots) == any("cell cannot be read" in words for words in english(sheet.lines[0].unsupported))
