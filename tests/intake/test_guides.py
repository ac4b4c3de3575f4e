"""Orders as national guides of dosage write them: every one is expanded as its author meant, or asked about by a named reason."""

from pathlib import Path
from typing import Any

import pytest

from tests.intake.intake_bundles import order
from tests.intake.test_import_command import FORMULARY, looked_at

DOSE_RATE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
FOR = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Dosage.asNeededFor"
NEEDED = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Dosage.asNeeded"
TABLET = {"value": 1, "unit": "tablet"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "formulary.csv").write_text(FORMULARY, encoding="utf-8")
    return tmp_path


def dosage(dose: Any = TABLET, **members: Any) -> dict[str, Any]:
    """Return a dosage by mouth; `dose` None: none is written."""
    doses = {} if dose is None else {"doseAndRate": [{"doseQuantity": dose}]}
    return {"route": {"coding": [{"code": "PO"}]}, **doses, **members}


def every(often: float, period: int, unit: str, **more: Any) -> dict[str, Any]:
    return {"timing": {"repeat": {"frequency": often, "period": period, "periodUnit": unit, **more}}}


def at(**repeat: Any) -> dict[str, Any]:
    return {"timing": {"repeat": repeat}}


def told(folder: Path, *dosages: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return what is told of one order from 5 March 2026, 07:00."""
    (line,) = looked_at(folder, order(dosageInstruction=list(dosages), **{"dispenseRequest": None, **changed}))["lines"]
    assert all(reason["rule"] and reason["text"] and reason["text_ru"] for reason in line["reasons"])
    return dict(line)


def rules(line: dict[str, Any]) -> list[str]:
    return [reason["rule"] for reason in line["reasons"]]


def due(line: dict[str, Any], most: int = 4) -> list[str]:
    return [f"{dose['due'][8:10]} {dose['due'][11:16]} {dose['amount']}" for dose in line["doses"][:most]]


@pytest.mark.parametrize(
    ("dosages", "outcome", "english", "first"),
    [
        ([dosage(**every(2, 1, "d", boundsDuration={"value": 7, "unit": "days", "code": "d"}))], "scheduled",
         "1 tablet twice a day (08:00, 20:00), for 7 days", ["05 08:00 1", "05 20:00 1", "06 08:00 1", "06 20:00 1"]),
        ([dosage({"value": 2, "unit": "tablet"}, **at(when=["EVE"])), dosage(**at(when=["MORN"]))], "scheduled",
         "1 tablet in the morning; also 2 tablets in the evening", ["05 08:00 1", "05 18:00 2", "06 08:00 1", "06 18:00 2"]),
        ([dosage(**every(4, 1, "wk", dayOfWeek=["tue", "thu"], when=["MORN", "EVE"]))], "scheduled",
         "1 tablet in the morning and in the evening on Tuesdays and Thursdays", ["05 08:00 1", "05 18:00 1", "10 08:00 1", "10 18:00 1"]),
        ([dosage(**every(1, 30, "min"))], "not-packable", "1 tablet every 30 minutes, dose times are not planned ahead", []),
        ([dosage(asNeededBoolean=True, timing={"repeat": {"frequencyMax": 3, "period": 1, "periodUnit": "d"}})], "prn",
         "1 tablet when needed, not more than 3 times a day", []),
        ([dosage(extension=[{"url": FOR, "valueCodeableConcept": {"text": "headache"}}], **every(1, 8, "h"))], "prn",
         "1 tablet when needed, not more often than every 8 hours", []),
        ([dosage(extension=[{"url": NEEDED, "valueBoolean": True}], **every(1, 8, "h"))], "prn",
         "1 tablet when needed, not more often than every 8 hours", []),
        ([dosage(extension=[{"url": NEEDED, "valueBoolean": False}], **every(1, 12, "h"))], "scheduled",
         "1 tablet every 12 hours (08:00, 20:00)", ["05 08:00 1", "05 20:00 1", "06 08:00 1", "06 20:00 1"]),
    ],
)  # fmt: skip
def test_what_is_plain_to_a_person_is_expanded(folder: Path, dosages: list[dict[str, Any]], outcome: str, english: str, first: list[str]) -> None:
    line = told(folder, *dosages)
    assert (line["outcome"], line["schedule"]["en"], due(line)) == (outcome, english, first)


def test_moments_that_a_sender_writes_in_utc_are_told_by_the_hospital_s_clock(folder: Path) -> None:
    exact = told(folder, dosage(timing={"event": ["2026-03-06T21:30:00Z"]}))
    assert (exact["schedule"]["en"], due(exact)) == ("1 tablet 07.03.2026 00:30", ["07 00:30 1"])
    bounded = told(folder, dosage(**every(1, 1, "d", boundsPeriod={"start": "2026-03-05T21:00:00Z", "end": "2026-03-08T20:59:59Z"})))
    assert bounded["schedule"]["ru"] == "по 1 таблетке 1 раз в день (08:00), с 06.03.2026, по 08.03.2026"
    assert due(bounded) == ["06 08:00 1", "07 08:00 1", "08 08:00 1"]


def test_where_the_first_seven_days_have_no_dose_those_from_the_first_dose_on_are_told(folder: Path) -> None:
    exact = told(folder, dosage(timing={"event": ["2028-05-01T10:30:00+03:00", "2028-06-01T10:30:00+03:00"]}))
    assert [dose["due"][:16] for dose in exact["doses"]] == ["2028-05-01T10:30"]
    yearly = told(folder, dosage(**every(1, 1, "a", boundsPeriod={"start": "2026-04-20"})), authoredOn="2026-03-05")
    assert [dose["due"][:16] for dose in yearly["doses"]] == ["2026-04-20T08:00"]


@pytest.mark.parametrize(
    ("dosages", "rule", "says"),
    [
        ([dosage(**every(2, 2, "d", timeOfDay=["08:00:00"]))], "timing-contradiction", "2 × in 2 days"),
        ([dosage(**every(2, 1, "d", when=["MORN"]))], "timing-contradiction", "2 × in 1 day"),
        ([dosage(**at(frequency=1, dayOfWeek=["tue", "thu"]))], "timing-unclear", "1 × stands beside 2 days of the week"),
        ([dosage(**every(2, 1, "mo"))], "timing-unclear", "'2 × in 1 month'"),
        ([dosage(**at(when=["MORN"])), dosage({"value": 2, "unit": "tablet"}, **at(when=["MORN", "EVE"]))], "dosages", "both due at 08:00"),
        ([dosage(**at(when=["MORN"])), dosage({"value": 5, "unit": "mL"}, **at(when=["EVE"]))], "dosages", "cannot be counted"),
        ([dosage(**at(when=["MORN"], boundsPeriod={"start": "2026-03-05"}, boundsDuration={"value": 7, "code": "d"}))], "unsupported", "more than one of"),
        ([dosage(**at(when=["MORN"], boundsDuration={"value": 2, "unit": "Woche(n)", "code": "d"}))], "unsupported", "boundsDuration 2 d"),
        ([dosage({"value": 5, "unit": "mg", "code": "g"}, **every(1, 1, "d"))], "unsupported", "a dose in mg with the code g"),
        ([dosage({"value": -1, "unit": "tablet"}, **every(1, 1, "d"))], "unsupported", "a dose of -1 tablet"),
        ([dosage(**every(1.5, 1, "d"))], "unsupported", "timing.repeat.frequency 1.5"),
        ([dosage(None, text="1 tablet in the morning")], "dose", "only the text '1 tablet in the morning'"),
        ([dosage(**every(1, 1, "d"), maxDosePerPeriod={"numerator": {"value": 5, "unit": "mL"}, "denominator": {"value": 24, "unit": "h"}})],
         "written-maximum", "cannot be compared"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_asked_about_by_name(folder: Path, dosages: list[dict[str, Any]], rule: str, says: str) -> None:
    line = told(folder, *dosages)
    assert line["outcome"] in ("needs-review", "rejected")
    assert [reason["text"] for reason in line["reasons"] if reason["rule"] == rule and says in reason["text"]], line["reasons"]


def test_dosages_that_cannot_be_added_up_are_told_each_by_itself(folder: Path) -> None:
    line = told(folder, dosage(**at(when=["MORN"])), dosage({"value": 5, "unit": "mL"}, **at(when=["EVE"])))
    assert line["schedule"] == {"en": "1 tablet in the morning; separately: 5 mL in the evening", "ru": "по 1 таблетке утром; отдельно: по 5 мл вечером"}
    assert (line["outcome"], line["doses"]) == ("needs-review", [])


@pytest.mark.parametrize(("value", "unit", "says"), [(1, "tablet", "more than the maximum"), (5, "mL", "cannot be compared")])
def test_a_written_maximum_counts_also_where_nobody_knows_the_drug(folder: Path, value: int, unit: str, says: str) -> None:
    most = {"numerator": {"value": value, "unit": unit}, "denominator": {"value": 24, "unit": "h"}}
    line = told(folder, dosage(**every(2, 1, "d"), maxDosePerPeriod=most), medicationCodeableConcept={"text": "Nobody's drug"})
    assert [says in reason["text"] for reason in line["reasons"] if reason["rule"] == "written-maximum"] == [True]


def test_a_line_that_is_refused_anyway_says_what_else_could_not_be_honoured(folder: Path) -> None:
    over = told(folder, dosage(**every(2, 1, "mo")), status="completed")
    assert (over["outcome"], rules(over)) == ("rejected", ["status", "timing-unclear"])
    rate = dosage(**every(1, 1, "d")) | {"doseAndRate": [{"doseQuantity": TABLET, "rateQuantity": {"value": 1, "unit": "mL/h"}}]}
    assert rules(told(folder, rate, status="stopped")) == ["status", "unsupported"]


@pytest.mark.parametrize(
    ("calculated", "outcome"),
    [({"value": 340, "unit": "mg/d"}, "scheduled"), ({"value": 12.5, "unit": "mg"}, "scheduled"), ({"value": 25, "unit": "mg"}, "needs-review")],
)
def test_the_ordered_dose_counts_and_the_calculated_one_is_a_remark_unless_they_differ(folder: Path, calculated: dict[str, Any], outcome: str) -> None:
    doses = [({"value": 340, "unit": "mg"}, "x"), (calculated, "calculated"), ({"value": 12.5, "unit": "mg"}, "ordered")]
    typed = [{"type": {"coding": [{"system": DOSE_RATE, "code": kind}]}, "doseQuantity": dose} for dose, kind in doses]
    line = told(folder, dosage(None, **every(1, 1, "d")) | {"doseAndRate": typed[1:]})
    assert (line["outcome"], due(line, 1)) == (outcome, ["05 08:00 12.5"])
    assert f"calculated: {calculated['value']} {calculated['unit']}" in line["note"]
    nobody_can_tell = told(folder, dosage(None, **every(1, 1, "d")) | {"doseAndRate": typed})
    assert "3 doses in one dosage instruction" in nobody_can_tell["reasons"][0]["text"]


@pytest.mark.parametrize("code", ["26643006", "20053000"])
def test_a_route_by_the_codes_of_the_standards_is_known_and_one_that_is_not_written_is_asked_for(folder: Path, code: str) -> None:
    by_code = told(folder, dosage(**every(1, 1, "d")) | {"route": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}})
    assert by_code["outcome"] == "scheduled"
    without = told(folder, {key: value for key, value in dosage(**every(1, 1, "d")).items() if key != "route"})
    assert [reason["text"] for reason in without["reasons"]] == ["no route is written: ask how the dose is given"]


def test_an_extension_that_nobody_reads_is_told_beside_the_order(folder: Path) -> None:
    use = {"url": "http://guide.example/UsageDuration", "valueDuration": {"value": 3, "unit": "日", "system": "http://unitsofmeasure.org", "code": "d"}}
    line = told(folder, dosage(extension=[use], timing={"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "extension": [use]}}))
    assert (line["outcome"], line["note"].count("extension UsageDuration: 3 日 d")) == ("scheduled", 2)
