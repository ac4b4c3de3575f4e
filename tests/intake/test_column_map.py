"""Column maps: how two wards write, what a map may say, and what is said of a map that is wrong."""

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.intake.cell_pattern import read_pattern
from hub.adapters.intake.column_map_file import MAXIMUM_MAP_BYTES, column_map_named, read_column_map, shipped_maps
from hub.adapters.intake.course import Course, read_course, read_days
from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.slot_scheme import is_scheme, read_scheme
from hub.adapters.intake_desk import IntakeDesk
from hub.domain.feeds import FeedSettings
from hub.domain.identifiers import PatientId
from hub.domain.orders import OrderSheet, OrderStatus, Patient, Stay
from hub.domain.quantities import Quantity
from hub.domain.refusals import Refusal
from hub.domain.timing import PeriodUnit, SlotDose, Span, Timing
from tests.intake.ward_tables import DIRECTORY, FREE, MOSCOW, WARD
from tests.said import english as in_english
from tests.services.small_world import World

RUSSIAN = """Лист назначений на 05.03.2026;;;;;;;;;;;;;;
Терапевтическое отделение, зав. Орлов П.С.;;;;;;;;;;;;;;
Палата/койка;Больной;№ ИБ;МНН;Дозировка;Форма;Разовая доза;Способ;Кратность (у-о-в-н);Дата назн.;Срок;Cito;По требов.;Лечащий врач;Аллергоанамнез
101/2;Ильина Анна Львовна, 03.10.1965 г.р.;26-1;Метопролол;25 мг;таб.;0,5 таб;per os;1-0-1;05.03.26;5 дней;;;Басова Н.Г.;не отяг.
;;;Варфарин;2,5 мг;таб.;1 таб;per os;0–0–0–1/2;05.03.26;10;;;;
пал. 102 к.;Носов Лев, 01.02.1950 г.р.;26-2;Фуросемид;10 мг/мл - 2 мл;амп.;2 мл;в/в;1 - 0 - 0;05.03.26;3 дн.;да;;Басова Н.Г.;пенициллин
"""
ENGLISH = """7001,Ward 1,"Room 4, Bed 1",W-1,Smith,Anna,10/03/1965,metoprolol,50 mg,1 tablet,PO,BID,N,03/05/2026 to 03/09/2026,A,Dr Gray
7002,Ward 1,"Room 4, Bed 1",W-1,Smith,Anna,10/03/1965,warfarin,2.5 mg,2.5 mg,PO,1-0-0,Y,7 days,H,Dr Gray
"""


def russian(text: str = RUSSIAN, encoding: str = "windows-1251") -> OrderSheet:
    return read_day_sheet("day.csv", text.encode(encoding), WARD, DIRECTORY, zone=MOSCOW, columns=column_map_named("ward-cp1251"))


def english(text: str = ENGLISH) -> OrderSheet:
    return read_day_sheet("list.csv", text.encode(), FREE, DIRECTORY, zone=MOSCOW, columns=column_map_named("ward-english"))


def test_the_russian_ward_s_export_is_read_whole() -> None:
    sheet = russian()
    first, second, third = sheet.lines
    assert [(*in_english(line.unsupported), in_english(line.unreadable)) for line in sheet.lines] == [("",)] * 3 and sheet.rejects == ()
    assert (first.patient, second.patient, third.patient) == ("26-1", "26-1", "26-2")
    assert sheet.patients == (
        Patient(PatientId("26-1"), "26-1", "Ильина", "Анна Львовна", date(1965, 10, 3), ("нет",)),
        Patient(PatientId("26-2"), "26-2", "Носов", "Лев", date(1950, 2, 1), ("пенициллин",)),
    )
    assert [(stay.department, stay.room, stay.bed) for stay in sheet.stays] == [
        ("Терапевтическое отделение", "101", "2"), ("Терапевтическое отделение", "102", ""),
    ]  # fmt: skip
    assert [line.drug for line in sheet.lines] == ["T001", "T012", "A001"]
    assert first.timing == Timing(slots=(SlotDose("morning", Fraction(1)), SlotDose("evening", Fraction(1))))
    assert second.timing == Timing(slots=(SlotDose("night", Fraction(1, 2)),))
    assert first.dose == (Quantity(Fraction(1, 2), "tablet"),) * 2 and third.dose == (Quantity(Fraction(2), "mL"),) * 2
    assert (first.route, third.route, third.stat, first.stat) == ("внутрь", "в/в", True, False)
    assert first.starts_at == datetime(2026, 3, 5, tzinfo=MOSCOW) and first.starts_on_day
    assert first.ends_at == datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW)
    assert {line.signed_by for line in sheet.lines} == {"Басова Н.Г."}
    assert third.position == "day.csv line 6"


def test_the_english_list_without_headers_is_read_by_letters() -> None:
    first, second = english().lines
    assert (first.id, second.id) == ("7001", "7002")
    assert first.starts_at == datetime(2026, 3, 5, tzinfo=MOSCOW) and first.ends_at == datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW)
    assert first.timing == Timing(code="BID") and second.timing == Timing(slots=(SlotDose("morning", Fraction(1)),), prn=True)
    assert second.status is OrderStatus.ON_HOLD and second.dosages[0].lasts == (Span(Fraction(7), PeriodUnit.DAY),) * 2
    (stay,) = english().stays
    assert stay == Stay(PatientId("W-1"), stay.encounter, "Ward 1", "4", "1")
    assert english().patients[0].full_name == "Smith Anna" and english().patients[0].birth_date == date(1965, 10, 3)


def test_a_row_below_an_unreadable_one_takes_nothing_from_the_patient_above_it() -> None:
    broken = RUSSIAN.replace("пал. 102 к.;Носов Лев, 01.02.1950 г.р.;26-2", "пал. 102 к.;Носов без даты;26-2")
    sheet = russian(broken + ";;;Варфарин;2,5 мг;таб.;1 таб;per os;1-0-0;05.03.26;10;;;Басова Н.Г.;\n")
    assert [bool(in_english(line.unreadable)) for line in sheet.lines] == [False, False, True, True]
    assert in_english(sheet.lines[2].unreadable) == "day.csv line 6, field person: 'Носов без даты' does not fit '{patient}, {birth_date} г.р.'"
    assert sheet.lines[3].patient == "" and "field patient" in in_english(sheet.lines[3].unreadable)
    assert len(sheet.patients) == 1, "a row that cannot be trusted enters nobody"


def test_a_row_that_names_its_patient_takes_nothing_of_another_one() -> None:
    sheet = russian(RUSSIAN + ";;26-9;Варфарин;2,5 мг;таб.;1 таб;per os;1-0-0;05.03.26;10;;;Басова Н.Г.;\n")
    last = sheet.lines[-1]
    assert last.patient == "26-9" and sheet.patients[-1].full_name == "" and sheet.stays[-1].room == ""


def test_a_file_in_another_encoding_than_the_map_says_is_refused() -> None:
    with pytest.raises(IntakeError, match="the text is utf-8, and its column map says windows-1251"):
        russian(encoding="utf-8")
    with pytest.raises(IntakeError, match=r"CP866"):
        russian(RUSSIAN.replace("–", "-"), encoding="cp866")
    with pytest.raises(IntakeError, match=r"KOI8-R"):
        russian(RUSSIAN.replace("–", "-").replace("№", "N"), encoding="koi8-r")


@pytest.mark.parametrize("column", ["Кратность (у-о-в-н)", "Больной", "Срок"])
def test_a_column_of_the_map_that_the_file_lacks_is_named(column: str) -> None:
    with pytest.raises(IntakeError, match=r"day.csv, line 3, field \w+: the column '.*' of the map 'ward-cp1251' is missing"):
        russian(RUSSIAN.replace(column, "Графа"))


def test_an_optional_column_may_be_missing() -> None:
    assert len(russian(RUSSIAN.replace("По требов.", "Графа")).lines) == 3


def test_two_columns_of_one_name_and_a_missing_place_are_refused() -> None:
    with pytest.raises(IntakeError, match="two columns are called 'срок'"):
        russian(RUSSIAN.replace("Cito", "Срок"))
    with pytest.raises(IntakeError, match="no row of the table can be read"):
        english("7001,Ward 1,x\n")


def test_several_rows_of_one_order_are_one_line_and_a_repetition_counts_once() -> None:
    rows = ENGLISH.splitlines()
    evening = rows[0].replace("1 tablet,PO,BID", "2 tablet,PO,QPM").replace("03/09", "03/12")
    sheet = english("\n".join([rows[0], evening, rows[0].replace("Dr Gray", "Dr Gray")]) + "\n")
    (line,) = english("\n".join([rows[0], evening]) + "\n").lines
    assert [dosage.timing.code for dosage in line.dosages if dosage.timing] == ["BID", "QPM"]
    assert [dosage.ends_at.day for dosage in line.dosages if dosage.ends_at] == [9, 12]
    assert line.ends_at is not None and line.ends_at.day == 12 and line.position == "list.csv line 1, 2"
    assert len(sheet.lines) == 1
    (once,) = english("\n".join([rows[0], rows[0]]) + "\n").lines
    assert len(once.dosages) == 1 and once.note == "the same once more in line 2"


def test_one_order_code_of_two_orders_is_named_in_both_and_loses_neither() -> None:
    rows = ENGLISH.splitlines()
    first, second = english("\n".join([rows[0], rows[1].replace("7002", "7001")]) + "\n").lines
    assert first.id == "7001" != second.id
    assert in_english(first.unsupported) == in_english(second.unsupported) == ("the order code 7001 is of two orders (list.csv line 1 and list.csv line 2)",)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("1-0-1-1", {"morning": "1", "evening": "1", "night": "1"}), ("1–0–1–1", {"morning": "1", "evening": "1", "night": "1"}),
        ("1/2-0-0-1", {"morning": "1/2", "night": "1"}), ("1 - 0 - 1", {"morning": "1", "evening": "1"}), ("½—0—½", {"morning": "1/2", "evening": "1/2"}),
        ("0,5-0-0-1,5", {"morning": "1/2", "night": "3/2"}), ("1 1/2-0-1", {"morning": "3/2", "evening": "1"}), ("0-0-0-0", {}),
        ("2−1−2", {"morning": "2", "noon": "1", "evening": "2"}),
    ],
)  # fmt: skip
def test_schemes(text: str, counts: dict[str, str]) -> None:
    found = read_scheme(text, ("morning", "noon", "evening", "night"), None)
    assert {dose.slot: dose.factor for dose in found} == {slot: Fraction(count) for slot, count in counts.items()}


def test_a_ward_s_own_three_slots_are_its_own() -> None:
    assert read_scheme("1-0-2", ("morning", "evening", "night"), None) == (SlotDose("morning", Fraction(1)), SlotDose("night", Fraction(2)))


@pytest.mark.parametrize("text", ["", "1", "1-0", "1-0-1-1-1", "2001-01-01", "01-01-2001", "1-x-1", "1-0-1 до еды", "--", "1/0-0-1", "50-0-50"])
def test_what_is_no_scheme_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        read_scheme(text, ("morning", "noon", "evening", "night"), None)


def test_dates_and_codes_are_no_schemes() -> None:
    assert not is_scheme("QID") and not is_scheme("2 р/д") and not is_scheme("5-10") and is_scheme("1-0-1")


@pytest.mark.parametrize(
    ("text", "course"),
    [
        ("5 дней", Course(days=5)), ("10", Course(days=10)), ("7 сут.", Course(days=7)), ("№ 10", Course(days=10)), ("3 days", Course(days=3)),
        ("05.03.2026-09.03.2026", Course("05.03.2026", "09.03.2026")), ("с 05.03.2026 по 09.03.2026", Course("05.03.2026", "09.03.2026")),
        ("2026-03-05 to 2026-03-09", Course("2026-03-05", "2026-03-09")), ("до 09.03.2026", Course(ends="09.03.2026")),
        ("5-7 дней", None), ("0 дней", None), ("367 дней", None), ("до выписки", None), ("2 недели", None), ("-5", None),
    ],
)  # fmt: skip
def test_courses(text: str, course: Course | None) -> None:
    assert read_course(text) == course


def test_a_course_that_contradicts_itself_is_named() -> None:
    header = "department,patient code,drug code,dose,route,frequency,course start,course end,days"
    text = f"{header}\nW,1,T001,25 mg,PO,BID,2026-03-05,2026-03-09,{{}}\n"
    lines = [read_day_sheet("d.csv", text.format(days).encode(), FREE, DIRECTORY, zone=MOSCOW).lines[0] for days in ("5", "6", "x")]
    assert [in_english(line.unsupported) for line in lines] == [
        (), ("the course of 6 days from 2026-03-05 does not end on 2026-03-09",), ("the number of days cannot be read: x",),
    ]  # fmt: skip
    assert read_days("5") == 5


@pytest.mark.parametrize(
    ("pattern", "cell", "found"),
    [
        ("{room}/{bed}", "101/2", {"room": "101", "bed": "2"}), ("{room}/{bed}", "101", None), ("{room}/{bed}", "/2", None),
        ("пал. {room} койка {bed?}", "ПАЛ.  12А   койка", {"room": "12А", "bed": ""}), ("{patient} ({_})", "Ильина Анна (терапия)", {"patient": "Ильина Анна"}),
        ("{patient} ({_})", "Ильина Анна (терапия) x", None), ("{room}/{bed}", "1/" * 400, None), ("{room}/{bed}", "1/2/3", {"room": "1", "bed": "2/3"}),
    ],
)  # fmt: skip
def test_one_cell_of_several_fields(pattern: str, cell: str, found: dict[str, str] | None) -> None:
    assert read_pattern(pattern).match(cell) == found


@given(st.text(alphabet="/ 1а,", max_size=500))
def test_a_pattern_answers_for_any_cell(cell: str) -> None:
    found = read_pattern("{room}/{bed?}/{patient}, {_}").match(cell)
    assert found is None or set(found) == {"room", "bed", "patient"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "map.yaml: it holds no keys"), ("- a\n- b\n", "it holds no keys"), ("a: [", "it is no YAML"), ("colums: {}\n", "field colums: there is no such key"),
        ("encoding: latin-1\n", "field encoding: 'latin-1' is none of utf-8, windows-1251, content"), ("delimiter: '::'\n", "field delimiter"),
        ("header_row: -1\n", "field header_row"), ("header_row: 0\n", "without a row of headers the columns have to be named"),
        ("header_row: 0\ncolumns: {drug: Препарат}\n", "every column is a letter or a number"), ("columns: {drag: Препарат}\n", "'drag' is no field"),
        ("columns: {drug: {letter: '9'}}\n", "field columns"), ("columns: {drug: 0}\n", "0 is no column from 1 to 200"), ("columns: {drug: ' '}\n", "is no header"),
        ("dates: ['%Q']\n", "is no date format"), ("dates: ['%d.%m']\n", "is no date format"), ("slots: [morning, noon]\n", "three or four of"),
        ("patterns: {place: '101'}\n", "names no field"), ("patterns: {place: '{room}{bed}'}\n", "nothing between them"),
        ("patterns: {place: '{room}/{room}'}\n", "twice"), ("patterns: {place: '{floor}/{bed}'}\n", "'floor' is no field"),
        ("values: {route: внутрь}\n", "`written: meaning` pairs"), ("encoding: utf-8\nencoding: utf-8\n", "line 2, field encoding: the key is there twice"),
        ("columns: {drug: A, drug: B}\n", "field columns.drug: the key is there twice"), ("a: &a [x]\nb: *a\n", "anchors and aliases are not read"),
        ("decimal_sign: ';'\n", "field decimal_sign"), ("fill_down: [nobody]\n", "'nobody' is no field"), ("synonyms: maybe\n", "field synonyms"),
        ("about: !!python/object/apply:os.getcwd []\n", "it is no YAML"), ("a: " + "[" * 3000, "at most 400 brackets"), ("a: " + "[" * 50, "it is no YAML"),
    ],
)  # fmt: skip
def test_a_wrong_map_is_refused_with_file_and_key(text: str, words: str) -> None:
    with pytest.raises(IntakeError) as caught:
        read_column_map("map.yaml", text.encode())
    assert words in str(caught.value) and "map.yaml" in str(caught.value)


def test_words_of_a_sheet_stay_words() -> None:
    found = read_column_map("m.yaml", "values: {prn: {да: yes, 1: on, 'no': no}}\nconstants: {order_code: 0010}\n".encode())
    assert found.values == {"prn": {"да": "yes", "1": "on", "no": "no"}} and found.constants == {"order_code": "0010"}


def test_a_map_has_a_size_limit_and_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("decimal_sign: '.'\n", encoding="utf-8")
    assert column_map_named("own.yaml", tmp_path).decimal_sign == "."
    with pytest.raises(IntakeError, match="at most 65536 bytes"):
        read_column_map("m.yaml", b"#" * (MAXIMUM_MAP_BYTES + 1))
    with pytest.raises(IntakeError, match="the column map cannot be opened"):
        column_map_named("none.yaml", tmp_path)


def test_the_shipped_maps_say_what_they_are_and_no_name_means_the_default() -> None:
    assert set(shipped_maps()) == {"ward-cp1251", "ward-english"}
    assert column_map_named("").name == "default" and replace(column_map_named(""), name="x").synonyms


def test_a_source_s_map_is_used_where_its_files_are_taken_in(tmp_path: Path) -> None:
    world = World(tmp_path, stocked=False)
    try:
        feeds = {"ward": FeedSettings("ward", column_map="ward-cp1251"), "lost": FeedSettings("lost", column_map="none.yaml")}
        house = replace(world.house, sources={"ward": WARD, "lost": replace(WARD, name="lost")}, feeds=feeds)
        world.do(lambda unit: unit.drugs.put_many(DIRECTORY.values()))
        broken = (RUSSIAN + "101/3;Орлов Пётр, 01.01.1960 г.р.;26-3;Варфарин\n").encode("windows-1251")
        desk = IntakeDesk(house)
        told = world.do(lambda unit: desk.sheet(unit, "ward", "day.csv", broken))
        assert told["orders"] == 3 and [fact["position"] for fact in world.facts("row-rejected")] == ["day.csv line 7"]
        assert world.get("stays", "26-1").room == "101" and len(world.all("orders")) == 3
        refused = world.do(lambda unit: desk.sheet(unit, "lost", "day.csv", broken))
        assert isinstance(refused, Refusal) and "the column map cannot be opened" in refused.text
    finally:
        world.close()
