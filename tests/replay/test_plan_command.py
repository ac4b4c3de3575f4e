"""`dosehub plan`: the doses of a day by department, each with why it is due then and goes its way."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.doses import Lane
from hub.domain.identifiers import OrderId
from hub.domain.lane_words import why_lane
from hub.domain.orders import Outcome
from hub.planning_commands.opening import Asked, opened
from hub.planning_commands.plan_command import PlanOptions, plan_of, plan_tables, run_plan
from tests.intake.intake_bundles import ENCOUNTER, ORDER, PATIENT, bundle

FORMULARY = (
    "code,drug,strength,dispense_unit,form,class,high_alert,hazardous,splittable\n"
    "METO25,Metoprolol,25 mg,TAB,tablet,ordinary,no,no,yes\n"
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    (tmp_path / "formulary.csv").write_text(FORMULARY, encoding="utf-8")
    path = tmp_path / "2026-03-05.json"
    path.write_bytes(bundle(PATIENT, ENCOUNTER, ORDER, {**ORDER, "id": "mr2", "status": "stopped"}))
    return path


def planned(sheet: Path, capsys: pytest.CaptureFixture[str], explain: bool = False, language: str = "en") -> str:
    assert run_plan(PlanOptions(Asked(sheet, language=language), explain)) == 0
    return " ".join(capsys.readouterr().out.split())


def test_the_day_is_shown_by_department_with_patient_time_units_and_lane(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = planned(sheet, capsys)
    assert "Medicine" in told and "20282368" in told and "05.03 08:00" in told and "05.03 20:00" in told and "half-tablet" in told
    assert "why" not in told and "1/2" in told


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", ("12.5 mg twice a day (08:00, 20:00)", "1/2 × 25 mg = 12.5 mg", "never by the machine", "the order was stopped")),
        ("ru", ("по 12,5 мг 2 раза в день (08:00, 20:00)", "вручную: часть таблетки", "назначение отменено")),
    ],
)
def test_every_line_dose_and_lane_says_why(sheet: Path, language: str, sentences: tuple[str, ...]) -> None:
    tables = plan_tables(plan_of(opened(Asked(sheet))), language, explain=True)
    told = "\n".join(str(cell) for table in tables for column in table.columns for cell in column.cells)
    assert [sentence for sentence in sentences if sentence not in told] == []


@pytest.mark.parametrize(
    ("language", "rule"),
    [("en", "months: the last day where the month is shorter"), ("ru", "месяцы: последний день, если месяц короче")],
)
def test_the_rules_of_schedules_in_force_are_printed_where_the_plan_is_explained(sheet: Path, capsys: pytest.CaptureFixture[str], language: str, rule: str) -> None:
    assert rule in planned(sheet, capsys, explain=True, language=language)
    assert rule not in planned(sheet, capsys, explain=False, language=language)


def test_a_line_that_waits_beside_an_order_in_force_has_no_dose_in_the_plan(sheet: Path) -> None:
    found = opened(Asked(sheet))
    line = next(line for line in found.sheet.lines if line.id == "mr1")
    assert plan_of(found).doses
    beside = replace(found.known, in_force=(replace(line, id=OrderId("earlier")),))
    plan = plan_of(replace(found, known=beside))
    assert [shown.outcome for shown in plan.preview.lines if shown.line.id == "mr1"] == [Outcome.NEEDS_REVIEW]
    assert plan.doses == ()


def test_planning_a_changes_feed_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = tmp_path / "changes.ndjson"
    feed.write_text('{"at": "2026-03-05T09:00:00+03:00", "resource": {"resourceType": "Patient", "id": "p1"}}\n', encoding="utf-8")
    assert run_plan(PlanOptions(Asked(feed), explain=False)) == 2
    assert "import --dry-run" in capsys.readouterr().err


def test_every_lane_has_its_reason_in_both_languages() -> None:
    assert all(why_lane(lane).text and why_lane(lane).text_ru and why_lane(lane).source for lane in Lane)
