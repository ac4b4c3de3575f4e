"""A pull hears of stays and allergies between whole lists, where the server tells of them; where it does not, that is said once."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from hub.adapters.feeds.feed_desk import FeedDesk
from hub.adapters.feeds.fhir_pull import read_cursor
from hub.domain.orders import LineState
from hub.services.feeds import ASKED, FAILING, PARTIAL
from tests.feeds.feed_world import SOURCE, FeedWorld
from tests.feeds.small_server import SmallServer, send


@pytest.fixture
def pulled(fed: FeedWorld, fhir: SmallServer) -> FeedWorld:
    """A hospital after its first whole list of two patients; the server's clock goes on."""
    fhir.order("o1", patient="p1")
    fhir.order("o2", patient="p2")
    fed.pull(fhir.url).work()
    fhir.step(10)
    fed.later(minutes=10)
    return fed


def stay(fed: FeedWorld, patient: str) -> Any:
    return fed.world.get("stays", patient)


def allergies(fed: FeedWorld, patient: str) -> Any:
    return fed.world.get("patients", patient).allergies


def members(fhir: SmallServer, reference: str) -> dict[str, Any]:
    return {name: value for name, value in fhir.resources[reference].items() if name not in ("resourceType", "id", "meta")}


def move(fhir: SmallServer, patient: str, ward: str, **members: Any) -> None:
    told = {"status": "in-progress", "class": {"code": "IMP"}, **members}
    fhir.put("Encounter", f"e-{patient}", subject={"reference": f"Patient/{patient}"}, location=[{"location": {"display": f"{ward} / room 9 / bed 1"}}], **told)


def test_a_transfer_without_a_change_of_orders_is_heard(pulled: FeedWorld, fhir: SmallServer) -> None:
    move(fhir, "p1", "Surgery")
    pulled.pull(fhir.url).work()
    assert (stay(pulled, "p1").department, stay(pulled, "p2").department) == ("Surgery", "Therapy")
    assert [kind for kind, asked in fhir.beside if "_lastUpdated" in asked] == ["Encounter", "Patient", "AllergyIntolerance"]
    entries = pulled.entries()
    pulled.pull(fhir.url).work()
    assert pulled.entries() == entries, "the overlap brings the stay again in the version that is known"


def test_a_discharge_is_heard(pulled: FeedWorld, fhir: SmallServer) -> None:
    move(fhir, "p1", "Therapy", status="finished", period={"end": "2026-03-02T05:30:00+03:00"})
    pulled.pull(fhir.url).work()
    assert stay(pulled, "p1").finished_at is not None and len(pulled.world.facts("patient-discharged")) == 1


def test_other_stays_of_the_patient_and_strangers_are_left_alone(pulled: FeedWorld, fhir: SmallServer) -> None:
    visit = {"status": "finished", "class": {"code": "AMB"}, "period": {"end": "2026-03-02T05:30:00+03:00"}}
    fhir.put("Encounter", "visit", subject={"reference": "Patient/p1"}, **visit)
    fhir.put("Encounter", "e-stranger", subject={"reference": "Patient/stranger"}, **visit)
    fhir.allergy("a9", "stranger", "metformin")
    pulled.pull(fhir.url).work()
    assert stay(pulled, "p1").finished_at is None and pulled.alarms() == []
    assert pulled.world.get("patients", "stranger") is None and pulled.world.all("reviews") == []


def test_a_new_allergy_is_heard_and_takes_the_order_out(pulled: FeedWorld, fhir: SmallServer) -> None:
    fhir.allergy("a1", "p1", "metformin")
    pulled.pull(fhir.url).work()
    assert allergies(pulled, "p1") == ("metformin",) and not allergies(pulled, "p2")
    assert [order.state for order in pulled.orders().values()] == [LineState.NEEDS_REVIEW, LineState.ACTIVE]


def test_an_allergy_that_is_over_takes_nothing_away_and_is_named(pulled: FeedWorld, fhir: SmallServer) -> None:
    fhir.allergy("a1", "p1", "metformin")
    pulled.pull(fhir.url).work()
    fhir.step(1)
    fhir.allergy("a1", "p1", "metformin", clinicalStatus={"coding": [{"code": "resolved"}]})
    pulled.pull(fhir.url).work()
    assert allergies(pulled, "p1") == ("metformin",)
    (incident,) = pulled.world.all("incidents", kind="rejected-rows")
    assert "the allergy is over" in incident.text and "аллергия снята" in incident.text_ru


def test_the_whole_list_brings_the_allergies_of_its_patients(fed: FeedWorld, fhir: SmallServer) -> None:
    fhir.order("o1", patient="p1")
    fhir.allergy("a1", "p1", "metformin")
    fhir.allergy("a2", "p7", "metformin")
    fed.pull(fhir.url).work()
    assert allergies(fed, "p1") == ("metformin",) and fed.orders()["o1"].state is LineState.NEEDS_REVIEW
    assert fhir.beside == [("AllergyIntolerance", {"patient": ["p1"], "_count": ["200"]})]


def test_a_patient_whom_an_order_brings_between_lists_comes_with_allergies(pulled: FeedWorld, fhir: SmallServer) -> None:
    fhir.step(-60)
    fhir.allergy("a3", "p3", "metformin")
    fhir.step(60)
    fhir.order("o3", patient="p3")
    pulled.pull(fhir.url).work()
    assert allergies(pulled, "p3") == ("metformin",) and pulled.orders()["o3"].state is LineState.NEEDS_REVIEW


def _not_found(request: BaseHTTPRequestHandler) -> None:
    send(request, 404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})


def _not_supported(request: BaseHTTPRequestHandler) -> None:
    send(request, 400, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-supported", "diagnostics": "no such type"}]})


@pytest.mark.parametrize("answer", [_not_found, _not_supported])
def test_a_type_that_the_server_does_not_know_is_remembered_and_named_once(pulled: FeedWorld, fhir: SmallServer, answer: Any) -> None:
    fhir.unknown["Encounter"] = answer
    fhir.order("o1", amount=2)
    for _ in range(2):
        pulled.pull(fhir.url).work()
    assert pulled.orders()["o1"].version == 2 and pulled.feed().problem == ""
    (alarm,) = pulled.alarms()
    assert alarm.kind == PARTIAL and "does not let Encounter be read" in alarm.text and "переводы и выписки" in alarm.text_ru
    assert [kind for kind, _ in fhir.beside].count("Encounter") == 1
    assert read_cursor(pulled.feed().cursor).missing == ("Encounter",)


def test_another_failure_beside_the_orders_fails_the_pull(pulled: FeedWorld, fhir: SmallServer) -> None:
    fhir.unknown["Encounter"] = lambda request: send(request, 400, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]})
    fhir.order("o1", amount=2)
    pulled.pull(fhir.url).work()
    assert pulled.kinds() == [FAILING] and pulled.orders()["o1"].version == 1


def _tells_of_allergies(fed: FeedWorld) -> None:
    fed.world.house = replace(fed.world.house, sources={SOURCE: replace(fed.world.house.sources[SOURCE], allergies_provided=True)})
    fed.desk = FeedDesk(fed.world.writer, fed.world.house, fed.folder / "hub" / "intake", {SOURCE: ("", "")})


def test_a_server_that_should_tell_of_allergies_and_does_not_frees_nobody_of_them(fed: FeedWorld, fhir: SmallServer) -> None:
    _tells_of_allergies(fed)
    fhir.unknown["AllergyIntolerance"] = _not_found
    fhir.order("o1", patient="p1")
    fed.pull(fhir.url).work()
    order = fed.orders()["o1"]
    assert allergies(fed, "p1") is None and order.state is LineState.NEEDS_REVIEW
    assert "должен сообщать об аллергиях и не сообщил" in order.reasons[0].said("ru") and PARTIAL in fed.kinds()


def test_a_server_that_tells_of_allergies_again_is_believed_with_the_next_whole_list(fed: FeedWorld, fhir: SmallServer) -> None:
    _tells_of_allergies(fed)
    fhir.unknown["AllergyIntolerance"] = _not_found
    fhir.order("o1", patient="p1")
    fed.pull(fhir.url).work()
    del fhir.unknown["AllergyIntolerance"]
    fhir.step(24 * 60)
    fed.later(days=1)
    fed.pull(fhir.url).work()
    assert allergies(fed, "p1") == () and fed.orders()["o1"].state is LineState.ACTIVE


def test_a_stay_that_is_taken_back_is_asked_about_and_stops_no_later_pull(pulled: FeedWorld, fhir: SmallServer) -> None:
    move(fhir, "p1", "Therapy", status="cancelled")
    pulled.pull(fhir.url).work()
    (alarm,) = pulled.alarms()
    assert (alarm.kind, "stay e-p1 of patient p1 is 'cancelled'" in alarm.text) == (ASKED, True) and "спросите отделение" in alarm.text_ru
    assert stay(pulled, "p1").finished_at is None and pulled.feed().problem == ""
    fhir.step(10)
    pulled.later(minutes=10)
    move(fhir, "p2", "Surgery")
    pulled.pull(fhir.url).work()
    assert stay(pulled, "p2").department == "Surgery" and pulled.kinds() == [ASKED]


@pytest.mark.parametrize("days", [0, 1], ids=["changes", "whole list"])
@pytest.mark.parametrize("status", ["in-progress", "finished"])
def test_an_order_of_a_visit_to_a_clinic_neither_moves_nor_discharges_an_inpatient(pulled: FeedWorld, fhir: SmallServer, status: str, days: int) -> None:
    place = [{"location": {"display": "Clinic / room 1 / bed 1"}}]
    told = {"class": {"code": "AMB"}, "period": {"end": "2026-03-02T05:30:00+03:00"}, "location": place}
    fhir.put("Encounter", "visit", status=status, subject={"reference": "Patient/p1"}, **told)
    fhir.put("MedicationRequest", "o3", **{**members(fhir, "MedicationRequest/o1"), "encounter": {"reference": "Encounter/visit"}})
    pulled.later(days=days)
    pulled.pull(fhir.url).work()
    assert (stay(pulled, "p1").department, stay(pulled, "p1").finished_at) == ("Therapy", None) and "o3" in pulled.orders()


def test_a_death_that_only_the_patient_tells_is_heard(pulled: FeedWorld, fhir: SmallServer) -> None:
    person = members(fhir, "Patient/p1")
    fhir.put("Patient", "p1", **person, deceasedDateTime="2026-03-02T05:05:00+03:00")
    pulled.pull(fhir.url).work()
    assert stay(pulled, "p1").died and not stay(pulled, "p2").died
