"""What intake says, it says in both languages: refusals of whole files, rejects, doubts of a line, warnings."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.adapters.intake.cassettes import read_cassettes
from hub.adapters.intake.column_map_file import column_map_named, read_column_map
from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.errors import IntakeError, field_ru, why_not_opened
from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake.hl7.reading import read_hl7
from hub.adapters.intake.sample import sample_file
from hub.adapters.intake.sources import read_sources
from hub.adapters.intake.ward_clock import read_ward_clock
from hub.domain.orders import OrderSheet
from hub.domain.words import Words
from hub.planning_commands.import_command import ImportOptions, run_import
from hub.planning_commands.opening import Asked
from hub.setting_up import SetUpRefused, set_up_hub
from tests.hl7.hl7_messages import rde
from tests.intake.intake_bundles import ENCOUNTER, PATIENT, bundle, order
from tests.intake.ward_tables import DIRECTORY, FREE, MOSCOW, ROW, WARD, text
from tests.said import english

DIRECTORY_CSV = sample_file("directory.csv")
SETTINGS = "course_required = false\nsignature_required = false\nallergies_provided = false\nexcluded_departments = []\n"
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [a-z]{2,}){2}")


def fhir(data: bytes) -> OrderSheet:
    return read_fhir("day.json", data, FREE, DIRECTORY, zone=MOSCOW)


REFUSED: list[tuple[Callable[[], object], str, str]] = [
    (lambda: fhir(b""), "day.json: the file is empty.", "day.json: файл пуст."),
    (lambda: fhir(b"[]"), "day.json: it is a JSON array; send", "day.json: это массив JSON; пришлите Bundle"),
    (lambda: fhir(b"\x1f\x8b\x08"), "day.json: the gzip file is truncated.", "day.json: архив gzip обрывается."),
    (
        lambda: fhir(json.dumps({"resourceType": "Bundle", "type": "history", "entry": []}).encode()),
        "day.json, field type: a Bundle of the type history is not read", "day.json, поле type: Bundle типа history не читается как лист назначений: в нём прежние",
    ),
    (
        lambda: read_hl7("a.hl7", b"BHS|^~\\&\rMSH|^~\\&|a|b|c|d|20260305||ADT^A01|1|P|2.5\r", FREE, DIRECTORY, zone=MOSCOW),
        "a.hl7, field BTS: BHS has no BTS", "a.hl7, поле BTS: у BHS нет BTS: пакет сообщений обрывается.",
    ),
    (
        lambda: read_cassettes("c.csv", b"cassette,item,slot,capacity\n1,NOPE,7,300\n", DIRECTORY),
        "c.csv, line 2, field item: the drug 'NOPE' is not", "c.csv, строка 2, поле item: препарата 'NOPE' нет в справочнике.",
    ),
    (
        lambda: read_directory("d.csv", DIRECTORY_CSV.replace(b",no,", b",perhaps,", 1)),
        "d.csv, line 2, field", "d.csv, строка 2, поле ",
    ),
    (
        lambda: read_sources("s.toml", f"[HIS]\n{SETTINGS}time_zone = 'Mars'\n".encode()),
        "s.toml, source HIS, field time_zone: 'Mars' is not a time zone", "s.toml, источник HIS, поле time_zone: 'Mars' — не часовой пояс вида Europe/Moscow.",
    ),
    (lambda: read_sources("s.toml", b"x =\ny = 1"), "s.toml: it is no TOML file (Invalid value (at", "s.toml: это не файл TOML: ошибка в строке 1, столбец 4."),
    (lambda: read_sources("s.toml", b"x ="), "s.toml: it is no TOML file (Invalid value (at end", "s.toml: это не файл TOML: он обрывается."),
    (
        lambda: read_ward_clock("w.toml", b"[[rows]]\ncode = 'BID'\nkind = 'regular'\ntimes = '25:00'\n"),
        "w.toml, field rows: frequency table row 2 ('BID'): ", "w.toml, поле rows: таблица режимов, строка 2 ('BID'): значение не читается.",
    ),
    (lambda: read_column_map("m.yaml", b"delimiter: x"), "m.yaml, field delimiter: 'x' is none of", "m.yaml, поле delimiter: 'x' — не из числа ; , | tab."),
    (lambda: read_column_map("m.yaml", b"columns: ["), "m.yaml: it is no YAML", "m.yaml: это не YAML: ошибка в строке 1, столбец "),
    (
        lambda: column_map_named("/nowhere/map.yaml"),
        "/nowhere/map.yaml: the column map cannot be opened", "/nowhere/map.yaml: карта столбцов не открывается (нет такого файла).",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reads", "told", "told_ru"), REFUSED, ids=[told for _, told, _ in REFUSED])
def test_a_file_that_is_refused_says_why_in_both_languages(reads: Callable[[], object], told: str, told_ru: str) -> None:
    with pytest.raises(IntakeError) as caught:
        reads()
    error = caught.value
    assert str(error).startswith(told), str(error)
    assert error.in_russian().startswith(told_ru), error.in_russian()
    assert error.in_both().splitlines() == [str(error), error.in_russian()]
    assert not _ENGLISH.search(error.in_russian()), error.in_russian()


@pytest.mark.parametrize(
    ("changes", "told_ru"),
    [
        ({"modifierExtension": [{"url": "x"}]}, "расширение-модификатор (modifierExtension): x"),
        ({"doNotPerform": True}, "doNotPerform: в назначении сказано препарат не давать"),
        ({"status": "perhaps"}, "статус perhaps"),
        ({"intent": "plan"}, "intent plan — это не назначение"),
        ({"authoredOn": "yesterday"}, "дата не читается: yesterday"),
        ({"subject": {"reference": "Patient/nobody-here"}, "medicationReference": {"reference": "Medication/x"}}, "препарата Medication/x нет в файле"),
    ],
)
def test_what_may_not_be_ignored_of_an_order_is_named_in_russian_too(changes: dict[str, object], told_ru: str) -> None:
    (line,) = fhir(bundle(PATIENT, ENCOUNTER, order(**changes))).lines
    assert told_ru in [words.ru for words in line.unsupported], line.unsupported
    assert english(line.unsupported)


def test_an_order_that_cannot_be_decoded_says_so_in_russian_too() -> None:
    (line,) = fhir(bundle(PATIENT, ENCOUNTER, order(dosageInstruction="x"))).lines
    assert line.unreadable == Words("dosageInstruction: Expected `array`, got `str`", "dosageInstruction: нужно `array`, а стоит `str`")


def test_rejects_are_written_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "formulary.csv").write_bytes(DIRECTORY_CSV)
    (tmp_path / "sheet.json").write_bytes(bundle(PATIENT, ENCOUNTER, order(), {"resourceType": "Riddle", "id": "r"}, order(id="mr2", dosageInstruction="x")))
    options = ImportOptions(Asked(tmp_path / "sheet.json", at="2026-03-05T06:00"), dry_run=True, json_path=tmp_path / "told.json")
    assert run_import(options) == 0
    with (tmp_path / "sheet.json.rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    said = [(row["reasons"], row["reasons_ru"]) for row in rows]
    assert said == [
        (
            "the line cannot be read: dosageInstruction: Expected `array`, got `str`",
            "строка не читается: dosageInstruction: нужно `array`, а стоит `str`",
        ),
        (
            "resources of the type Riddle are not read, and it may not be left out unseen",
            "ресурсы типа Riddle не читаются, а пропустить его молча нельзя",
        ),
    ]
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert [(reject["reasons"], reject["reasons_ru"]) for reject in told["rejects"]] == said


def test_a_column_of_a_ward_sheet_has_its_russian_name_beside_its_own() -> None:
    assert field_ru("patient or patient_code") == "«пациент» (patient) или «номер пациента» (patient_code)"
    assert field_ru("MSH-18") == "MSH-18"


def test_why_the_system_opened_no_file_is_told_in_russian() -> None:
    assert why_not_opened(PermissionError(13, "Permission denied")) == Words("Permission denied", "нет прав на чтение")
    assert why_not_opened(OSError(95, "Operation not supported")) == Words("Operation not supported", "ошибка системы 95")


def test_setting_up_says_in_both_languages_what_it_refuses_and_what_it_warns_of(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(DIRECTORY_CSV.replace(b",no,", b",perhaps,", 1))
    with pytest.raises(SetUpRefused) as caught:
        set_up_hub(tmp_path / "hub", wrong, None, "packager", [])
    english_sentence, russian_sentence = str(caught.value).splitlines()
    assert "is neither yes nor no" in english_sentence and "— ни да, ни нет" in russian_sentence
    formulary = tmp_path / "f.csv"
    head = "code,drug,strength,dispense_unit,form,class,high_alert,hazardous,splittable\n"
    formulary.write_text(head + "N,normal saline,1,mL,bag,ordinary,no,no,no\nN,normal saline,1,mL,vial,ordinary,no,no,no\n", encoding="utf-8")
    told = set_up_hub(tmp_path / "hub", formulary, None, "packager", [])
    assert told == ["1 drugs", "f.csv, line 3: N differs from its first line in form", "f.csv, строка 3: N отличается от своей первой строки: form"]


def test_a_line_that_is_in_order_costs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    data, rows = bundle(PATIENT, ENCOUNTER, order()), text(ROW).encode()

    def counted(*_: object) -> None:
        raise AssertionError("words were made of a line of which nothing is odd")

    monkeypatch.setattr(Words, "__init__", counted)
    lines = [*fhir(data).lines, *read_day_sheet("day.csv", rows, WARD, DIRECTORY, zone=MOSCOW).lines]
    lines += read_hl7("a.hl7", rde().encode(), FREE, DIRECTORY, zone=MOSCOW).lines
    assert [(line.unsupported, line.unreadable) for line in lines] == [((), None)] * 3
