"""The senior nurse's queue, rulings, pull lists and corrections, as people reach them: through the API and on their pages."""

from dataclasses import replace
from typing import Any

from hub.domain.orders import OrderLine, OrderSheet
from hub.domain.people import Role
from hub.services.receive_sheet import receive_sheet
from tests.services.small_world import PATIENTS, STAYS, order_line, with_dosage
from tests.web_api.api_client import PIN, Api

GRAVE = "метформин — анафилактический шок"
SECOND = {"second_badge": "badge-second-pharmacist", "second_pin": PIN}


def sheet(api: Api, *lines: OrderLine, allergies: tuple[str, ...] = ()) -> None:
    world = api.world
    patients = (replace(PATIENTS[0], allergies=allergies), *PATIENTS[1:])
    made = OrderSheet("hospital", "s", world.fresh("sha"), patients, STAYS, lines)
    world.do(lambda unit: receive_sheet(unit, made, world.house))


def page(api: Api, role: Role, path: str) -> str:
    answer = api.get(role, path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_queue_is_read_and_answered(api: Api) -> None:
    sheet(api, with_dosage(order_line("a", signed_by="Smirnova"), dose=None))
    (row,) = api.get(Role.SENIOR_NURSE, "/api/returned", department="Cardiology").json()
    assert row["reasons"][0]["text_ru"] and row["reasons"][0]["correct_ru"] and row["room"] == "10"
    text = page(api, Role.SENIOR_NURSE, "/returned")
    assert "W-1" in text and "Family1" not in text and row["reasons"][0]["correct_ru"] in text
    for path, more in (("seen", {}), ("pass-on", {"to": "Smirnova"}), ("close", {"reason": "dropped"})):
        answer = api.post(Role.SENIOR_NURSE, f"/api/returned/{path}", returned=row["returned"], **more)
        assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "closed" and api.get(Role.SENIOR_NURSE, "/api/returned").json() == []
    told = api.get(Role.PHARMACIST, "/api/returned/statistics").json()
    assert told["totals"] == [{"department": "Cardiology", "rule": "dose", "lines": 1}] and told["counts"][0]["nurse"] == "Smirnova"
    refused = api.post(Role.SENIOR_NURSE, "/api/returned/close", returned=row["returned"], reason="again")
    assert (refused.status_code, refused.json()["refused"]) == (409, "closed")


def test_a_corrected_line_shows_what_changed_on_the_page(api: Api) -> None:
    sheet(api, with_dosage(order_line("a"), dose=None))
    sheet(api, order_line("a", units=2))
    (done,) = api.get(Role.SENIOR_NURSE, "/api/returned", closed="true").json()
    assert done["changed"][0]["after"] == "2 tablet"
    assert "2 tablet" in page(api, Role.SENIOR_NURSE, "/returned")


def test_a_pharmacist_lets_an_allergy_pass_and_a_grave_one_needs_another_pharmacist(api: Api) -> None:
    pharmacist = api.world.get("users", "u-pharmacist")
    api.world.do(lambda unit: unit.users.put(replace(pharmacist, id="u-pharmacist-2", badge="badge-second-pharmacist")))
    sheet(api, order_line("a"), allergies=(GRAVE,))
    (line,) = api.get(Role.PHARMACIST, "/api/intake/lines", outcome="needs-review").json()
    assert line["allergies"] == [{"allergy": GRAVE, "rule": "allergy", "class": "", "needs_second": True}] and line["reasons"][0]["text_ru"]
    assert f'data-allergy="{GRAVE}"' in page(api, Role.PHARMACIST, "/returned")
    assert "data-allergy" not in page(api, Role.SENIOR_NURSE, "/returned"), "the ward does not rule"
    asked: dict[str, Any] = {"order": "a", "allergy": GRAVE, "reason": "desensitised"}
    assert api.post(Role.PHARMACIST, "/api/lines/allergy", **asked).json()["refused"] == "second-person"
    nurse = {"second_badge": "badge-nurse", "second_pin": PIN}
    assert api.post(Role.PHARMACIST, "/api/lines/allergy", **asked, **nurse).json()["refused"] == "second-person"
    answer = api.post(Role.PHARMACIST, "/api/lines/allergy", **asked, **SECOND).json()
    assert answer["outcome"] == "scheduled" and "allergy-overridden" in {reason["rule"] for reason in answer["reasons"]}


def test_a_line_is_refused_withdrawn_and_validated_again(api: Api) -> None:
    sheet(api, order_line("a"))
    assert api.post(Role.PHARMACIST, "/api/lines/withdraw", order="a", reason="dose unclear").json()["outcome"] == "needs-review"
    assert "Validate again" in page(api, Role.PHARMACIST, "/returned")
    assert api.post(Role.PHARMACIST, "/api/lines/validate", order="a", reason="clear now").json()["outcome"] == "scheduled"
    assert api.post(Role.PHARMACIST, "/api/lines/refuse", order="a", reason="not with warfarin").json()["outcome"] == "rejected"
    refused = api.post(Role.PHARMACIST, "/api/lines/refuse", order="b", reason="x").json()
    assert refused["refused"] == "unknown-order" and refused["reason_ru"]


def test_the_pull_list_has_the_drawers_in_order_with_what_replaces_each_pack(api: Api) -> None:
    world = api.world
    world.sheet(order_line("a", 3), order_line("b", 4), order_line("c", 3, code="DAILY"))
    world.at("06:15")
    world.machine.run_all()
    for pack in world.all("packs"):
        world.load(pack)
    world.stop(order_line("b", 4))
    world.change(line=order_line("a", 3, units=2))
    world.tick()
    (listed,) = api.get(Role.NURSE, "/api/trolleys/pull-list").json()
    rows = listed["packs"]
    assert [row["drawer"] for row in rows] == ["12", "13"] and [row["patient"] for row in rows] == ["W-3", "W-4"]
    assert rows[0]["replaced_by"] == [world.pack_of("a").serial] and rows[1]["replaced_by"] == []
    assert [row["why_ru"] for row in rows] == ["назначение изменено", "назначение отменено"]
    text = page(api, Role.NURSE, "/trolley/pull")
    assert rows[0]["pack"] in text and rows[0]["replaced_by"][0] in text
    assert api.get(Role.NURSE, "/api/trolleys/pull-list", trolley="none").json() == []


def test_an_administration_entered_in_error_is_cancelled_by_a_senior_nurse(api: Api) -> None:
    world = api.world
    pack = world.brought(order_line("a"))
    world.at("08:00")
    assert api.post(Role.NURSE, "/api/bedside/give", patient_code="W-1", pack_code=pack.serial).status_code == 200
    wrong = {"patient_code": "W-1", "pack_code": pack.serial, "reason": "wrong pouch"}
    assert api.post(Role.SENIOR_NURSE, "/api/administrations/cancel", **wrong, truth="maybe").status_code == 422
    answer = api.post(Role.SENIOR_NURSE, "/api/administrations/cancel", **wrong, truth="here")
    assert [each["state"] for each in answer.json()["doses"]] == ["packed"]
    assert api.post(Role.NURSE, "/api/bedside/give", patient_code="W-1", pack_code=pack.serial).status_code == 200


def test_every_decision_is_told_with_the_rules_of_schedules_in_force(api: Api) -> None:
    sheet(api, order_line("a"))
    (row,) = api.get(Role.SENIOR_NURSE, "/api/intake/lines").json()
    assert row["source"] == "hospital"
    assert "first dose: at the next time of the ward's table" in row["schedule_rules"]["en"]
    assert "первая доза: в ближайшее время по распорядку отделения" in row["schedule_rules"]["ru"]
    assert "первая доза: в ближайшее время по распорядку отделения" in page(api, Role.PHARMACIST, "/why/line/a?language=ru")
