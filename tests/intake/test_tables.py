"""Tables that are damaged or made to harm: what is refused whole, which rows are rejected, and that the rest goes on."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters.intake.column_map import ColumnMap
from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.delimited import LONGEST_LINE, csv_lines, encoding_of
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.workbook import cell_text, open_workbook
from hub.domain.orders import OrderSheet
from hub.domain.quantities import Quantity
from hub.domain.timing import SlotDose
from tests.intake.ward_tables import DIRECTORY, FREE, HEADER, MOSCOW, ROW, text, workbook
from tests.said import english

OTHER = ROW.replace("26-1", "26-2").replace("Ильина Анна Львовна", "Носов Лев")


def read(data: bytes, columns: ColumnMap | None = None) -> OrderSheet:
    return read_day_sheet("day.csv", data, FREE, DIRECTORY, zone=MOSCOW, columns=columns or ColumnMap())


def refusal(data: bytes, columns: ColumnMap | None = None) -> str:
    with pytest.raises(IntakeError) as caught:
        read(data, columns)
    return str(caught.value)


def sheet_row(row: str = ROW) -> list[Any]:
    return [cell or None for cell in row.split(";")]


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a workbook with its parts changed by hand, as no program writes them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


def as_excel_writes(data: bytes) -> bytes:
    """Return a workbook with its texts in a part of their own, as Excel keeps them; openpyxl writes them into the cells."""
    texts: list[str] = []

    def shared(match: re.Match[str]) -> str:
        texts.append(match[1])
        return f't="s"><v>{len(texts) - 1}</v>'

    def change(name: str, content: bytes) -> bytes:
        told = content.decode()
        if name.endswith("sheet1.xml"):
            told = re.sub(r't="inlineStr"><is><t>([^<]*)</t></is>', shared, told)
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        told = told.replace("</Relationships>", f'<Relationship Type="{kind}" Target="/xl/sharedStrings.xml" Id="rId99" /></Relationships>' if "workbook.xml.rels" in name else "</Relationships>")
        part = '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" />'
        return told.replace("</Types>", f"{part}</Types>").encode()

    stream = io.BytesIO(repacked(data, change))
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>')
    return stream.getvalue()


def test_a_workbook_as_excel_writes_it_says_the_same() -> None:
    data = workbook(HEADER.split(";"), sheet_row())
    assert read(as_excel_writes(data)).lines == read(data).lines


def test_a_bad_row_is_a_reject_and_the_rest_of_the_sheet_goes_on() -> None:
    sheet = read(text(ROW, ROW.replace("12,5", "12;5"), OTHER.rpartition(";")[0], OTHER).encode())
    assert [line.position for line in sheet.lines] == ["day.csv line 2", "day.csv line 5"]
    assert [(reject.position, reject.field, english(reject.reason)) for reject in sheet.rejects] == [
        ("day.csv line 3", "", "the row has 22 cells and the header 21: it is cut off, or a delimiter is not quoted"),
        ("day.csv line 4", "", "the row has 20 cells and the header 21: it is cut off, or a delimiter is not quoted"),
    ]
    assert sheet.rejects[0].reason.ru == "в строке ячеек: 22, в заголовке: 21; строка обрезана, или разделитель не взят в кавычки"


def test_a_last_row_that_is_narrower_and_has_no_line_end_is_a_cut_off_file() -> None:
    words = refusal(text(ROW, OTHER).encode()[:-60])
    assert words.startswith("day.csv, line 3: the row has") and "the file ends there without a line end" in words
    assert len(read(text(ROW, OTHER).rstrip().encode()).lines) == 2, "a whole last row needs no line end"


def test_rows_that_are_wider_by_blanks_alone_are_whole() -> None:
    assert len(read(text(ROW + ";;;").encode()).lines) == 1


def test_damaged_quotes_cost_their_lines_and_say_which() -> None:
    sheet = read(text(ROW, '"x"y;' + ROW, OTHER).encode())
    assert [line.position for line in sheet.lines] == ["day.csv line 2", "day.csv line 4"]
    assert sheet.rejects[0].position == "day.csv line 3" and "the quotes are damaged" in english(sheet.rejects[0].reason)


def test_a_line_without_end_is_cut_off_with_a_reason_and_costs_no_memory() -> None:
    long = ROW.replace("натощак", "н" * (3 * LONGEST_LINE))
    sheet = read(text(ROW, long, OTHER).encode())
    assert [line.position for line in sheet.lines] == ["day.csv line 2", "day.csv line 4"]
    (reject,) = sheet.rejects
    assert (reject.position, english(reject.reason)) == ("day.csv line 3", f"the line is longer than {LONGEST_LINE} characters: it was cut off")
    data = text(ROW).encode() + b"x" * (24 * 2**20) + b"\n" + OTHER.encode() + b"\n"
    tracemalloc.start()
    lines = list(csv_lines("day.csv", data))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(lines) == 4 and lines[2].fault and most < 16 * 2**20


def test_a_row_without_patient_or_drug_is_unreadable_and_never_another_s_order() -> None:
    nobody, nothing = ROW.replace("26-1;Ильина Анна Львовна", ";"), ROW.replace("Эгилок;25 мг", ";")
    sheet = read(text(nobody, nothing, ROW).encode())
    assert english(sheet.lines[0].unreadable) == "day.csv line 2, field patient: neither a code nor a name with a birth date is given"
    assert english(sheet.lines[1].unreadable) == "day.csv line 3, field drug: no drug is written" and english(sheet.lines[2].unreadable) == ""
    again = read(text(ROW, nobody).encode())
    assert again.lines[1].id != sheet.lines[0].id, "a row of nobody is not the order of yesterday's nobody"


def test_scheme_prn_and_status_columns_are_known_without_a_map() -> None:
    header = "Отделение;Код пациента;Код препарата;Доза;Путь;Схема приема;По требованию;Статус;Cito"
    first, second, third = read(text("Т;1;T001;25 мг;внутрь;1-0-1;;;", "Т;1;T002;50 мг;внутрь;;да;Отменено;да", "Т;1;T012;1 таб;внутрь;1-1;?;так;?", header=header).encode()).lines
    assert first.timing is not None and [dose.slot for dose in first.timing.slots] == ["morning", "evening"]
    assert second.timing is not None and second.timing.prn and second.status == "cancelled" and second.stat
    assert third.status == "unknown" and len(english(third.unsupported)) == 4


def test_both_ways_of_saying_when_are_named() -> None:
    header = "Отделение;Код пациента;Код препарата;Доза;Путь;Схема;Утро"
    (line,) = read(text("Т;1;T001;25 мг;внутрь;1-0-1;1", header=header).encode()).lines
    assert english(line.unsupported) == ("both a scheme (1-0-1) and marked slots of the day",)


def test_a_drug_written_into_one_cell_is_matched_exactly_or_not_at_all() -> None:
    header = "Отделение;Код пациента;Препарат;Дозировка;Доза;Путь;Режим"
    rows = [f"Т;1;{drug};;1 таб;внутрь;2 р/д" for drug in ("Эгилок таб. 25 мг", "метопролол 50мг", "Варфарин Никомед 2,5 мг, таб.", "Эгилок амп. 25 мг", "Эгилок")]
    assert [line.drug for line in read(text(*rows, header=header).encode()).lines] == ["T001", "T002", "T012", "?Эгилок амп. 25 мг", "?Эгилок"]


@pytest.mark.parametrize(("sample", "encoding"), [("Отделение;Пациент", "cp866"), ("Отделение;Пациент\nТерапия;Ильина Анна", "koi8-r")])
def test_other_cyrillic_is_not_taken_for_windows_1251(sample: str, encoding: str) -> None:
    with pytest.raises(IntakeError, match="save it as one of them"):
        encoding_of("day.csv", sample.encode(encoding))


def test_the_usual_signs_of_russian_text_are_windows_1251() -> None:
    assert encoding_of("day.csv", "«Но-шпа» № 3 – ½ таб. … ё Ё 37,5°".replace("½", "1/2").encode("windows-1251")) == "windows-1251"
    assert encoding_of("day.csv", "АНГИОПРИЛ-25; ТЕРАПИЯ".encode("windows-1251")) == "windows-1251"


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"])
@pytest.mark.parametrize("entities", [
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>",
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
])  # fmt: skip
def test_a_workbook_with_entities_is_refused_and_expands_nothing(part: str, entities: str) -> None:
    reference = "&j;" if "&a;" in entities else "&a;"

    def poisoned(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        told = content.decode().replace("?>", f"?>{entities}", 1) if content.startswith(b"<?xml") else entities + content.decode()
        return re.sub("Терапия|<v>21</v>", reference, told, count=1).encode()

    tracemalloc.start()
    words = refusal(repacked(as_excel_writes(workbook(HEADER.split(";"), sheet_row())), poisoned))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "declares entities or a document type" in words and most < 16 * 2**20


def test_zip_bombs_and_huge_texts_are_refused_before_they_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.adapters.intake.workbook.MAXIMUM_UNPACKED_BYTES", 2**22)
    bomb = repacked(workbook(HEADER.split(";"), sheet_row()), lambda name, content: content + b" " * (2**22 if name.endswith("sheet1.xml") else 0))
    assert len(bomb) < 2**15 and "the workbook unpacks to more than 4194304 bytes" in refusal(bomb)
    monkeypatch.setattr("hub.adapters.intake.workbook.MAXIMUM_SHARED_BYTES", 100)
    assert "the texts of the workbook have more than 100 bytes" in refusal(as_excel_writes(workbook(HEADER.split(";"), sheet_row())))


def test_a_formula_without_its_value_is_never_a_blank() -> None:
    def formulas(book: Any) -> None:
        book.active["J2"] = "=5+7.5"

    sheet = read(workbook(HEADER.split(";"), sheet_row(), sheet_row(OTHER), change=formulas))
    assert english(sheet.lines[0].unreadable) == "day.csv line 2, field dose: the cell holds a formula without a value: save it with values"
    assert english(sheet.lines[1].unreadable) == "" and len(sheet.patients) == 1


def test_cells_that_are_merged_downwards_count_for_every_row() -> None:
    second = [None if place in (3, 4, 5) else cell for place, cell in enumerate(sheet_row())]
    second[6], second[7] = "варфарин", "2,5 мг"
    sheet = read(workbook(HEADER.split(";"), sheet_row(), second, change=lambda book: [book.active.merge_cells(f"{c}2:{c}3") for c in "DEF"]))
    assert [line.patient for line in sheet.lines] == ["26-1", "26-1"] and english(sheet.lines[1].unsupported) == ()


def test_hidden_sheets_are_not_read_and_two_filled_ones_are_asked_about() -> None:
    def hidden(book: Any) -> None:
        book.create_sheet("Справочник").append(["x"])
        book["Справочник"].sheet_state = "hidden"
        book.move_sheet("Справочник", -1)

    assert len(read(workbook(HEADER.split(";"), sheet_row(), change=hidden)).lines) == 1
    two = workbook(HEADER.split(";"), sheet_row(), change=lambda book: book.create_sheet("День 2").append(HEADER.split(";")))
    assert "several sheets hold rows ('Sheet', 'День 2'): name one of them" in refusal(two)
    assert len(read(two, ColumnMap(sheet="sheet")).lines) == 1
    assert "the workbook has no sheet 'День 3'" in refusal(two, ColumnMap(sheet="День 3"))


def test_dates_and_amounts_that_a_workbook_keeps_as_numbers() -> None:
    row = sheet_row()
    row[5], row[9], row[12], row[17], row[18] = 24018, 1.125, True, 46086, datetime(2026, 3, 9)  # noqa: DTZ001 a workbook has no zones
    (line,) = read(workbook(HEADER.split(";"), row)).lines
    assert line.starts_at == datetime(2026, 3, 5, tzinfo=MOSCOW) and line.ends_at is not None and line.ends_at.date() == date(2026, 3, 9)
    assert line.dose == (Quantity(Fraction(9, 8), "mg"),) * 2 and line.timing is not None
    assert line.timing.slots[0] == SlotDose("morning", Fraction(1)) and english(line.unsupported) == ()


@pytest.mark.parametrize(
    ("value", "cell"),
    [(0.1 + 0.2, "0.3"), (5.0, "5"), (1.125, "1.1250"), (True, "yes"), (None, ""), (datetime(2026, 3, 5, 8, 30), "2026-03-05 08:30"), ("  x ", "x")],  # noqa: DTZ001
)
def test_cells_are_the_text_that_a_csv_would_have(value: object, cell: str) -> None:
    assert cell_text(value) == cell


def test_a_scheme_that_a_spreadsheet_made_a_date_of_is_named() -> None:
    header = ["Отделение", "Код пациента", "Код препарата", "Доза", "Путь", "Схема"]
    (line,) = read(workbook(header, ["Т", "1", "T001", "25 мг", "внутрь", date(2001, 1, 1)])).lines
    assert line.timing is None and english(line.unsupported) == ("the scheme cannot be read: '2001-01-01' is a date or has more than 20 at once",)


def test_a_value_beside_the_table_reaches_the_note() -> None:
    (line,) = read(workbook(HEADER.split(";"), [*sheet_row(), "см. историю"])).lines
    assert "column 22: см. историю" in line.note


def test_a_far_cell_and_far_rows_are_refused_and_not_walked_to() -> None:
    assert "too many rows or columns" in refusal(workbook(HEADER.split(";"), sheet_row(), change=lambda book: book.active.cell(2, 5000, "x")))
    assert len(read(workbook(HEADER.split(";"), sheet_row(), change=lambda book: book.active.cell(900, 1, None))).lines) == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 6000))
def test_a_workbook_with_any_bytes_in_it_is_read_or_refused_with_a_reason(noise: bytes, place: int) -> None:
    data = WORKBOOK[:place] + noise + WORKBOOK[place + len(noise) :]
    try:
        read(data)
    except IntakeError as error:
        assert english(error.reason)


WORKBOOK = workbook(HEADER.split(";"), sheet_row(), sheet_row(OTHER))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=8)), max_size=4), st.integers(0, 800))
def test_a_csv_with_any_bytes_in_it_is_read_or_refused_with_a_reason(noise: list[tuple[int, bytes]], end: int) -> None:
    data = text(ROW, OTHER).encode()[: end or None]
    for place, piece in noise:
        data = data[:place] + piece + data[place:]
    try:
        sheet = read(data)
    except IntakeError as error:
        assert english(error.reason)
    else:
        assert len({line.id for line in sheet.lines}) == len(sheet.lines) and sheet.lines


def test_rows_of_a_workbook_are_streamed() -> None:
    data = workbook(HEADER.split(";"), *(sheet_row() for _ in range(200)))
    lines = open_workbook("day.xlsx", data).lines
    assert next(lines).number == 1 and next(lines).number == 2
