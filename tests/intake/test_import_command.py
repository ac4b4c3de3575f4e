"""`dosehub import`: what is told of every line, where rejects go, and that looking changes nothing."""

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.clock import wall_clock
from hub.adapters.intake.sample import sample_file
from hub.adapters.writer import Writer
from hub.planning_commands.import_command import ImportOptions, run_import
from hub.planning_commands.opening import Asked
from tests.intake.intake_bundles import ENCOUNTER, PATIENT, bundle, order, with_dosage

FORMULARY = (
    "code,drug,strength,dispense_unit,form,class,high_alert,hazardous,splittable\n"
    "METO25,Metoprolol,25 mg,TAB,tablet,ordinary,no,no,yes\n"
)
AT = "2026-03-05T06:00+03:00"


def coded(code: str, **changed: Any) -> dict[str, Any]:
    timing = {"timing": {"code": {"coding": [{"code": code}]}}}
    return order(**({"dosageInstruction": with_dosage(**timing)["dosageInstruction"]} | changed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "formulary.csv").write_text(FORMULARY, encoding="utf-8")
    return tmp_path


def looked_at(folder: Path, *orders: dict[str, Any], name: str = "sheet.json", **asked: Any) -> dict[str, Any]:
    (folder / name).write_bytes(bundle(PATIENT, ENCOUNTER, *orders))
    out = folder / "out.json"
    assert run_import(ImportOptions(Asked(folder / name, at=AT, **asked), dry_run=True, json_path=out)) == 0
    told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return told


def rejects(folder: Path, name: str = "sheet.json") -> list[dict[str, str]]:
    with (folder / f"{name}.rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_every_line_has_outcome_reasons_in_both_languages_and_the_sum_is_whole(folder: Path) -> None:
    told = looked_at(folder, order(), coded("Q6H:PRN", id="mr2"), order(id="mr3", status="stopped"), coded("BLUE MOON", id="mr4"))
    assert told["orders"] == 4 == sum(told["outcomes"].values()) == len(told["lines"])
    assert Counter(line["outcome"] for line in told["lines"]) == told["outcomes"]
    assert [line["outcome"] for line in told["lines"]] == ["scheduled", "prn", "rejected", "needs-review"]
    assert all(reason["rule"] and reason["text"] and reason["text_ru"] for line in told["lines"] for reason in line["reasons"])


def test_doses_of_the_first_seven_days_begin_with_the_order_and_keep_its_end(folder: Path) -> None:
    (line,) = looked_at(folder, order())["lines"]
    due = [datetime.fromisoformat(dose["due"]) for dose in line["doses"]]
    assert (len(due), due[0].isoformat(), due[-1].isoformat()) == (10, "2026-03-05T08:00:00+03:00", "2026-03-09T20:00:00+03:00")
    assert {(dose["amount"], dose["unit"]) for dose in line["doses"]} == {("12.5", "mg")}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"medicationCodeableConcept": {"text": "Nobody's drug"}}, "needs-review"),
        ({"dispenseRequest": {"validityPeriod": {"start": "2015-01-15T07:00:00+03:00", "end": "2015-01-18"}}}, "rejected"),
    ],
)
def test_a_schedule_is_told_whatever_becomes_of_the_line(folder: Path, changed: dict[str, Any], outcome: str) -> None:
    (line,) = looked_at(folder, order(**changed))["lines"]
    assert line["outcome"] == outcome
    assert line["doses"][0]["due"].endswith("T08:00:00+03:00") and len(line["doses"]) >= 6


def test_a_schedule_is_told_in_words_with_the_end_of_its_order(folder: Path) -> None:
    (line,) = looked_at(folder, order())["lines"]
    assert line["schedule"] == {
        "ru": "по 12,5 мг 2 раза в день (08:00, 20:00), по 09.03.2026",
        "en": "12.5 mg twice a day (08:00, 20:00), through 09.03.2026",
    }


def test_a_code_that_nobody_knows_has_no_words_and_no_doses(folder: Path) -> None:
    (line,) = looked_at(folder, coded("BLUE MOON"))["lines"]
    assert (line["schedule"], line["doses"], line["outcome"]) == (None, [], "needs-review")


def test_half_a_timing_is_not_told_as_a_whole_one(folder: Path) -> None:
    cut = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["25:61:00"]}}
    (line,) = looked_at(folder, order(dosageInstruction=with_dosage(timing=cut)["dosageInstruction"]))["lines"]
    assert (line["schedule"], line["doses"], line["outcome"]) == (None, [], "needs-review")
    assert "25:61:00" in line["reasons"][0]["text"]


def test_rejects_name_file_line_field_order_and_reasons(folder: Path) -> None:
    looked_at(folder, order(), order(id="mr3", status="stopped"))
    (row,) = rejects(folder)
    assert (row["file"], row["field"], row["order"]) == ("sheet.json", "status", "mr3")
    assert "entry" in row["line"] and "stopped" in row["reasons"] and row["reasons_ru"]


def test_a_cell_that_a_spreadsheet_would_run_is_only_text(folder: Path) -> None:
    looked_at(folder, order(id="=1+1", status="stopped"))
    assert rejects(folder)[0]["order"] == "'=1+1"


def test_rejects_of_an_earlier_run_do_not_stay(folder: Path) -> None:
    looked_at(folder, order(status="stopped"))
    looked_at(folder, order())
    assert rejects(folder) == []


def test_rejects_go_beside_the_json_where_they_cannot_lie_beside_the_file(folder: Path) -> None:
    (folder / "sheet.json.rejects.csv").mkdir()
    (folder / "told").mkdir()
    (folder / "sheet.json").write_bytes(bundle(PATIENT, ENCOUNTER, order(status="stopped")))
    options = ImportOptions(Asked(folder / "sheet.json", at=AT), dry_run=True, json_path=folder / "told" / "out.json")
    assert run_import(options) == 0
    assert "mr1" in (folder / "told" / "sheet.json.rejects.csv").read_text(encoding="utf-8")


def test_a_file_that_is_refused_as_a_whole_is_a_sentence_in_each_language_and_status_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cut.json").write_bytes(bundle(PATIENT, ENCOUNTER, order())[:-20])
    assert run_import(ImportOptions(Asked(folder / "cut.json", at=AT), dry_run=True)) == 2
    told = capsys.readouterr().err
    assert told.splitlines() == ["cut.json: it is not a whole JSON document (Input data was truncated).", "cut.json: это не целый документ JSON."]
    assert not (folder / "cut.json.rejects.csv").exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"source": "nobody"}, "--source nobody"), ({"zone": "Moon/Base"}, "--zone Moon/Base"), ({"at": "yesterday"}, "--at yesterday"),
        ({"file": Path("absent.json")}, "absent.json"), ({"formulary": Path("absent.csv")}, "absent.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(folder: Path, asked: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sheet.json").write_bytes(bundle(PATIENT, ENCOUNTER, order()))
    assert run_import(ImportOptions(Asked(**({"file": folder / "sheet.json"} | asked)), dry_run=True)) == 2
    assert says in capsys.readouterr().err


def test_source_directory_and_moment_are_told(folder: Path) -> None:
    told = "\n".join(looked_at(folder, order(), name="2026-03-05.json")["told"])
    assert "source: hospital" in told and str(folder / "formulary.csv") in told and "2026-03-05T06:00" in told


def test_a_changes_feed_is_judged_at_its_own_times_after_the_sheet_it_follows(folder: Path) -> None:
    looked_at(folder, order())
    changes = [
        {"at": "2026-03-05T09:00:00+03:00", "resource": order(id="new")},
        {"at": "2026-03-05T10:00:00+03:00", "resource": order(status="stopped")},
    ]
    feed = folder / "changes.ndjson"
    feed.write_text("".join(json.dumps(change) + "\n" for change in changes), encoding="utf-8")
    out = folder / "changes.json"
    asked = Asked(feed, at=AT, after=folder / "sheet.json")
    assert run_import(ImportOptions(asked, dry_run=True, json_path=out)) == 0
    first, second = json.loads(out.read_text(encoding="utf-8"))["lines"]
    assert (first["outcome"], second["outcome"]) == ("needs-review", "rejected")
    assert [reason["rule"] for reason in first["reasons"]] == ["duplicate-therapy"] and "mr1" in first["reasons"][0]["text"]


def test_looking_writes_no_store_and_importing_takes_it_in_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = folder / "hub"
    looked_at(folder, order(), data_dir=hub)
    assert not hub.exists()
    taken = ImportOptions(Asked(folder / "sheet.json", at=AT, data_dir=hub), dry_run=False, json_path=folder / "taken.json")
    assert run_import(taken) == 0
    told = json.loads((folder / "taken.json").read_text(encoding="utf-8"))
    assert told["taken"]["outcomes"] == told["outcomes"] == {"scheduled": 1}
    with Writer(hub / "dosehub.sqlite", wall_clock) as writer:
        assert writer.submit_read(lambda unit: unit.orders.count()).result() == 1
        assert run_import(taken) == 2
    assert "a hub is running on it" in capsys.readouterr().err
    assert run_import(taken) == 2
    assert "the same content was taken in" in capsys.readouterr().err


def test_the_sample_day_has_every_line_explained(tmp_path: Path) -> None:
    for name in ("day.csv", "directory.csv", "allergies.csv"):
        (tmp_path / name).write_bytes(sample_file(name))
    out = tmp_path / "day.json"
    asked = Asked(tmp_path / "day.csv", source="sample", at=AT, allergies=tmp_path / "allergies.csv")
    assert run_import(ImportOptions(asked, dry_run=True, json_path=out)) == 0
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["orders"] == sum(told["outcomes"].values()) == 191
    assert all(line["reasons"] for line in told["lines"])
    assert told["outcomes"]["scheduled"] > 150


def test_messages_are_read_by_the_character_set_of_their_source(folder: Path) -> None:
    sources = folder / "sources.toml"
    sources.write_text(
        '[his]\ncourse_required = false\nsignature_required = false\nallergies_provided = false\nexcluded_departments = []\nhl7_charset = "cp1251"\n',
        encoding="utf-8",
    )
    text = "\r".join([
        "MSH|^~\\&|HIS|H|HUB|P|20260305053000+0300||RDE^O11|C1|P|2.5", "PID|1||W1^^^H^MR||Орлова^Анна||19500412|F", "PV1|1|I|Терапия^1^1", "ORC|NW|A1",
        "RXE||METO25^Метопролол|1||tablet", "TQ1|1||BID", "RXR|PO",
    ])  # fmt: skip
    (folder / "day.hl7").write_bytes(text.encode("cp1251"))
    out = folder / "out.json"
    assert run_import(ImportOptions(Asked(folder / "day.hl7", at=AT, sources=sources), dry_run=True, json_path=out)) == 0
    told = json.loads(out.read_text(encoding="utf-8"))
    assert [(line["department"], line["drug_text"], line["outcome"]) for line in told["lines"]] == [("Терапия", "Метопролол", "scheduled")]
    assert told["schedule_rules"]["ru"] and told["schedule_rules"]["en"]
