"""A small history run again: what changes find, what comes back, and that packing later brings less of it back."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from hub.domain.intake_slots import DAY_SLOTS
from hub.planning_commands.opening import CommandRefused
from hub.replay.command import ReplayOptions, run_replay
from hub.replay.history import changes_of, history_in, up_to
from hub.replay.run import slots_packed
from tests.intake.intake_bundles import ENCOUNTER, PATIENT, bundle, with_dosage
from tests.replay.fortnight import house

FORMULARY = (
    "code,drug,strength,dispense_unit,form,class,high_alert,hazardous,splittable\n"
    "METO25,Metoprolol,25 mg,TAB,tablet,ordinary,no,no,no\n"
    "FURO,Furosemide,20 mg,TAB,tablet,ordinary,no,no,no\n"
    "HEPA,Heparin,5000 Units / mL - 1 mL Vial,VIAL,vial,ordinary,yes,no,no\n"
)
LEAVES = "2026-03-05T12:00:00+03:00"


def line(order: str, code: str, dose: float, drug: str, unit: str = "mg", route: str = "PO") -> dict[str, Any]:
    quantity = [{"doseQuantity": {"value": dose, "unit": unit}}]
    timed = with_dosage(timing={"code": {"coding": [{"code": code}]}}, doseAndRate=quantity, route={"coding": [{"code": route}]})
    medication = {"coding": [{"code": drug}], "text": drug}
    period = {"validityPeriod": {"start": "2026-03-05T07:00:00+03:00"}}
    return timed | {"id": order, "medicationCodeableConcept": medication, "dispenseRequest": period}


ORDERS = (line("a", "BID", 25, "METO25"), line("b", "HS", 20, "FURO"), line("c", "BID", 5000, "HEPA", "UNIT", "SC"), line("d", "Q6H:PRN", 20, "FURO"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "formulary.csv").write_text(FORMULARY, encoding="utf-8")
    for name in ("sheets", "changes"):
        (tmp_path / name).mkdir()
    (tmp_path / "sheets" / "2026-03-05.json").write_bytes(bundle(PATIENT, ENCOUNTER, *ORDERS))
    changes = [{"at": LEAVES, "resource": {**order, "status": "stopped"}} for order in ORDERS[:2]]
    (tmp_path / "changes" / "2026-03-05.ndjson").write_text("".join(json.dumps(one) + "\n" for one in changes), encoding="utf-8")
    return tmp_path


def replayed(folder: Path, packings: Iterable[int]) -> dict[int, dict[str, Any]]:
    out = folder / "out"
    assert run_replay(ReplayOptions(folder, out, "hospital", "Europe/Moscow", tuple(packings), 0)) == 0
    fromstring((out / "replay.svg").read_text(encoding="utf-8"))
    runs = json.loads((out / "replay.json").read_text(encoding="utf-8"))["runs"]
    return {run["packings_a_day"]: run for run in runs}


def test_doses_packed_in_the_morning_come_back_and_those_packed_later_were_never_made(folder: Path) -> None:
    runs = replayed(folder, (1, 4))
    once, four = runs[1], runs[4]
    assert once["lines"] == four["lines"] == {"BID": {"scheduled": 2}, "HS": {"scheduled": 1}, "Q6H:PRN": {"prn": 1}}
    assert (once["packed"], once["given"], once["came_back"]) == (3, 1, 2)
    assert once["returns"] == {"order stopped": 2}
    assert (four["packed"], four["given"], four["came_back"]) == (1, 1, 0)
    assert once["late_changes"] == {"stop": {"on-trolley": 2}}
    assert four["late_changes"] == {"stop": {"planned": 2}}
    assert once["refused_to_people"] == four["refused_to_people"] == {}
    assert four["doses"]["injection"] == {"given": 2}


def test_every_slot_keeps_its_own_cut_four_times_a_day_and_shares_the_first_once_a_day() -> None:
    assert slots_packed(DAY_SLOTS, 4) == DAY_SLOTS
    assert len({slot.cut for slot in slots_packed(DAY_SLOTS, 1)}) == 1
    assert [len({slot.cut for slot in slots_packed(DAY_SLOTS, packings)}) for packings in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_a_thing_that_changes_twice_in_a_quarter_comes_in_two_parts(folder: Path) -> None:
    history, at = history_in(folder), house()
    changes = changes_of(history.days[0], history, at.sources["hospital"], at)
    assert changes is not None
    twice = changes.changes[0].at
    doubled = replace(changes, changes=(*changes.changes, changes.changes[0]))
    parts = list(up_to(doubled, twice.replace(hour=11), twice))
    assert [len(part.changes) for part in parts] == [2, 1]
    assert len({part.sha256 for part in parts}) == 2


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "formulary.csv").unlink(), "no formulary.csv"),
        (lambda folder: (folder / "sheets" / "2026-03-05.json").rename(folder / "sheets" / "sheet.json"), "no sheets"),
        (lambda folder: (folder / "sheets" / "2026-03-07.json").write_bytes(b"{}"), "no sheet of 2026-03-06"),
        (lambda folder: (folder / "changes" / "2026-03-06.ndjson").write_bytes(b"{}"), "has changes and no sheet"),
        (lambda folder: (folder / "sheets" / "2026-03-05.csv").write_bytes(b""), "of the same day"),
    ],
)
def test_a_folder_that_is_no_history_is_refused_with_what_is_missing(folder: Path, spoil: Any, says: str) -> None:
    spoil(folder)
    with pytest.raises(CommandRefused, match=says):
        history_in(folder)


def test_a_number_of_packings_that_nobody_has_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_replay(ReplayOptions(folder, None, "hospital", "Europe/Moscow", (5,), 0)) == 2
    assert "--packings 5" in capsys.readouterr().err
