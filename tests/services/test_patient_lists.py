"""Lists of allergies and discharges name patients by the wristband's code or by name; whom nobody knows is named, and asked about."""

from datetime import datetime
from typing import Any

import pytest

from hub.adapters.intake.allergies import with_allergies
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake_desk import IntakeDesk
from hub.domain.doses import DoseState
from hub.domain.orders import LineState, OrderSheet
from hub.services.feeds import ASKED, open_alarms
from tests.services.small_world import MSK, PATIENTS, SOURCE, SYSTEM, World, order_line

NOW = datetime(2026, 3, 2, 9, tzinfo=MSK)
HEAD = "код пациента;пациент;дата рождения;отделение;выписан;исход\n"


def discharged(world: World, *rows: str) -> Any:
    data = (HEAD + "".join(f"{row}\n" for row in rows)).encode()
    return world.do(lambda unit: IntakeDesk(world.house).discharges(unit, "hospital", "left.csv", data), SYSTEM)


def allergic(world: World, row: str) -> Any:
    data = f"код пациента;пациент;дата рождения;аллергия\n{row}\n".encode()
    return world.do(lambda unit: IntakeDesk(world.house).allergies(unit, "hospital", "allergies.csv", data), SYSTEM)


@pytest.mark.parametrize("row", ["p1;;;metformin", "W-1;;;metformin", ";Family1 Name;02.01.1960;metformin"])
def test_an_allergy_finds_its_patient_by_id_code_or_name(world: World, row: str) -> None:
    world.sheet(order_line("a"))
    assert allergic(world, row)["orders_out"] == ["a"]
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW and world.do(open_alarms) == []


def test_a_sheet_that_comes_after_the_list_has_its_allergies_by_code() -> None:
    sheet = with_allergies(OrderSheet("hospital", "s", "sha", PATIENTS[:2]), {"W-1": ("metformin",)})  # type: ignore[dict-item]
    assert [patient.allergies for patient in sheet.patients] == [("metformin",), ()]


def test_an_allergy_of_nobody_is_named_in_the_answer_and_in_an_incident(world: World) -> None:
    world.sheet(order_line("a"))
    assert allergic(world, "W-99;;;йод")["unknown"] == ["W-99"]
    (alarm,) = world.do(open_alarms)
    assert alarm.kind == ASKED and "W-99" in alarm.text and "W-99" in alarm.text_ru
    assert "unknown" not in allergic(world, "W-1;;;йод")
    assert world.do(open_alarms) == []


def sheet_of(world: World, *codes: str) -> Any:
    people = (
        f'{{"resourceType":"Patient","id":"{code.lower()}","identifier":[{{"value":"{code}"}}],"name":[{{"family":"{code}"}}]}}\n'
        f'{{"resourceType":"MedicationRequest","id":"of-{code}","status":"active","intent":"order","subject":{{"reference":"Patient/{code.lower()}"}}}}\n'
        for code in codes
    )
    data = "".join(people).encode()
    return world.do(lambda unit: IntakeDesk(world.house).sheet(unit, "hospital", "day.ndjson", data, confirmed=True), SYSTEM)


def test_a_list_that_comes_before_its_sheet_raises_no_alarm_and_whom_the_sheet_leaves_out_is_asked_about(world: World) -> None:
    assert allergic(world, "X-1;;;йод")["unknown"] == ["X-1"]
    assert world.do(open_alarms) == []
    assert sheet_of(world, "X-2")["orders"] == 1
    assert ["X-1" in alarm.text for alarm in world.do(open_alarms)] == [True]
    assert sheet_of(world, "X-1", "X-2")["orders"] == 2
    assert world.do(open_alarms) == []
    assert world.get("patients", "x-1").allergies == ("йод",)


def test_a_discharge_by_the_wristbands_code_takes_the_doses(world: World) -> None:
    world.sheet(order_line("a"), order_line("b", 2))
    told = discharged(world, "W-1;;;Cardiology;02.03.2026 05:50;", "W-99;;;Cardiology;02.03.2026 05:50;")
    assert (told["changes"], told["unknown"]) == (1, ["W-99"])
    assert (world.dose("a").state, world.dose("b").state) == (DoseState.CANCELLED, DoseState.PLANNED)
    assert ["W-99" in alarm.text for alarm in world.do(open_alarms)] == [True]


def test_a_discharge_from_another_department_is_asked_about_and_discharges_nobody(world: World) -> None:
    world.sheet(order_line("a"))
    told = discharged(world, "W-1;;;Surgery;02.03.2026 05:50;")
    assert (told["changes"], told["elsewhere"]) == (0, ["W-1"]) and world.get("stays", "p1").finished_at is None
    (alarm,) = world.do(open_alarms)
    assert "W-1: Surgery ≠ Cardiology" in alarm.text and "спросите отделение" in alarm.text_ru


def read(at: str, outcome: str = "") -> Any:
    return read_discharges("d.csv", f"{HEAD}1;;;Терапия;{at};{outcome}\n".encode(), SOURCE, zone=MSK, now=NOW).stays[0]


def test_a_date_alone_is_the_end_of_that_day() -> None:
    assert read("02.03.2026").finished_at == datetime(2026, 3, 2, 23, 59, 59, tzinfo=MSK)


@pytest.mark.parametrize("at", ["02.03.1026", "02.03.2025", "02.03.2027 10:00"])
def test_a_date_that_cannot_be_meant_is_refused_with_its_line(at: str) -> None:
    with pytest.raises(IntakeError, match=r"line 2, field discharged_at: .* look at the year") as caught:
        read(at)
    assert "проверьте год" in caught.value.in_russian()
