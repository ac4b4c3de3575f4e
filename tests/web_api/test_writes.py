"""Writes over the API: idempotent by their event id, refused with code and sentence, unreadable ones without any trace."""

from typing import Any

import pytest

from hub.domain.people import Role
from tests.services.small_world import order_line
from tests.web_api.api_client import PIN, Api

TECHNICIAN, NURSE = Role.TECHNICIAN, Role.NURSE


def receipt(**changes: Any) -> dict[str, Any]:
    pack = {"code": "n1", "item": "PLAIN", "lot": "N1", "expires_on": "2027-01-01", "units": "20", "unit_cost": "2.50"}
    return {"packs": [{**pack, **changes}]}


def loading(**changes: Any) -> dict[str, Any]:
    body = {"device": "packager-1", "slot": 2, "cassette": 2, "packs": ["ALERT-A1"], "units": 10}
    return {**body, "second_badge": "badge-other", "second_pin": PIN, **changes}


def refused(answer: Any, status: int = 409) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["reason"]
    return str(answer.json()["refused"])


def test_the_answer_to_a_wrong_badge_and_a_wrong_pin_is_the_same(api: Api) -> None:
    answers = [
        api.client.post("/api/session", json={"badge": badge, "pin": pin})
        for badge, pin in (("badge-nurse", "9999"), ("nobody", PIN), ("badge-left", PIN))
    ]
    assert {answer.status_code for answer in answers} == {401} and len({answer.text for answer in answers}) == 1


def test_a_session_ends_by_signing_out(api: Api) -> None:
    assert api.get(NURSE, "/api/wards").status_code == 200
    api.client.delete("/api/session", headers={"authorization": f"Bearer {api.tokens[NURSE]}"})
    assert api.get(NURSE, "/api/wards").status_code == 401


def test_the_same_event_gets_the_same_answer_and_is_done_once(api: Api) -> None:
    first = api.post(TECHNICIAN, "/api/stock/receipts", event="event-again", **receipt())
    again = api.post(TECHNICIAN, "/api/stock/receipts", event="event-again", **receipt())
    assert first.json() == again.json() and first.json()["received"] == 1 and api.world.held("store", "PLAIN/N1") == 20
    other = api.post(TECHNICIAN, "/api/stock/receipts", event="event-again", **receipt(code="n2"))
    assert refused(other) == "conflict" and api.world.held("store", "PLAIN/N1") == 20


def test_a_refusal_leaves_nothing_and_may_be_tried_again_with_the_same_event(api: Api) -> None:
    before = len(api.world.ledger())
    assert refused(api.post(TECHNICIAN, "/api/stock/receipts", event="event-early", **receipt(item="NOBODY"))) == "unknown-drug"
    assert len(api.world.ledger()) == before
    assert api.post(TECHNICIAN, "/api/stock/receipts", event="event-early", **receipt()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"units": "1/0"}, {"units": "1.5/2"}, {"units": "-1"}, {"units": "x"}, {"unit_cost": "-1"}, {"unit_cost": "NaN"}, {"expires_on": "soon"},
        {"surprise": 1}, {"code": ""}, {"look": "red"},
    ],
)  # fmt: skip
def test_unreadable_receipts_are_refused_with_where(api: Api, changes: dict[str, Any]) -> None:
    answer = api.post(TECHNICIAN, "/api/stock/receipts", **receipt(**changes))
    assert refused(answer, 422) == "unreadable" and answer.json()["where"].startswith("body.packs.0")


def test_a_receipt_of_nothing_is_refused(api: Api) -> None:
    assert refused(api.post(TECHNICIAN, "/api/stock/receipts", **receipt(units="0"))) == "units"


@pytest.mark.parametrize(
    "second",
    [
        {"second_badge": "", "second_pin": ""}, {"second_badge": "badge-other", "second_pin": "9999"}, {"second_badge": "nobody"},
        {"second_badge": "badge-technician"}, {"second_badge": "badge-nurse"}, {"second_badge": "badge-left"},
    ],
)  # fmt: skip
def test_a_high_alert_cassette_needs_a_second_person_with_the_right(api: Api, second: dict[str, str]) -> None:
    assert refused(api.post(TECHNICIAN, "/api/cassettes/load", **loading(**second))) == "second-person"


def test_two_people_load_a_high_alert_cassette(api: Api) -> None:
    assert api.post(TECHNICIAN, "/api/cassettes/load", **loading()).json() == {"loaded": 10, "count": 40}
    shown = {row["cassette"]: row for row in api.get(TECHNICIAN, "/api/cassettes").json()}
    assert shown[2]["count"] == 40 and shown[2]["needs_second"] and not shown[1]["needs_second"]


def test_a_dose_goes_from_the_shelf_to_the_patient_over_the_api(api: Api) -> None:
    api.world.sheet(order_line("v", drug="AMP"))
    api.world.at("06:15")
    (row,) = api.get(TECHNICIAN, "/api/picks").json()
    assert row["contents"][0]["lot"] == "F1"
    assert refused(api.post(TECHNICIAN, "/api/picks", label=row["pack"], packs=["PLAIN-P1"])) == "wrong-drug"
    assert api.post(TECHNICIAN, "/api/picks", label=row["pack"], packs=["AMP-F1"]).json() == {"released": row["pack"]}
    plain_nurse = {"packs": [row["pack"]], "receiver_badge": "badge-nurse", "receiver_pin": PIN}
    assert refused(api.post(TECHNICIAN, "/api/handovers", **plain_nurse)) == "not-treatment-nurse"
    hand = {"packs": [row["pack"]], "receiver_badge": "badge-treatment-nurse"}
    assert refused(api.post(TECHNICIAN, "/api/handovers", **hand, receiver_pin="9999")) == "second-person"
    assert refused(api.post(TECHNICIAN, "/api/handovers", packs=[row["pack"]], receiver_badge="badge-other", receiver_pin=PIN)) == "second-person"
    assert api.post(TECHNICIAN, "/api/handovers", **hand, receiver_pin=PIN).json() == {"handed": 1}
    assert refused(api.post(NURSE, "/api/bedside/give", patient_code="W-2", pack_code=row["pack"])) == "wrong-patient"
    api.world.at("08:00")
    (patient,) = api.get(NURSE, "/api/ward/Cardiology/round", until="2026-03-02T09:00:00+03:00").json()
    assert patient["code"] == "W-1" and patient["items"][0]["pack"] == row["pack"]
    given = api.post(NURSE, "/api/bedside/give", patient_code="W-1", pack_code=row["pack"])
    assert given.json() == {"given": [patient["items"][0]["dose"]]}
    assert api.world.ledger("dose-given")[0]["actor"] == "u-nurse"


def test_a_repeated_give_answers_the_same_and_another_nurse_s_is_refused(api: Api) -> None:
    pack = api.world.brought(order_line("a"))
    api.world.at("08:00")
    body = {"event": "event-give", "patient_code": "W-1", "pack_code": pack.serial}
    first, again = (api.post(NURSE, "/api/bedside/give", **body) for _ in range(2))
    assert first.json() == again.json() and len(api.world.facts("dose-given")) == 1
    assert refused(api.post(Role.SENIOR_NURSE, "/api/bedside/give", **body)) == "already-given"


def test_a_round_needs_a_time_with_its_offset(api: Api) -> None:
    assert refused(api.get(NURSE, "/api/ward/Therapy/round", until="2026-03-02T09:00:00"), 422) == "unreadable"


def test_a_file_that_cannot_be_read_or_has_no_source_is_refused(api: Api) -> None:
    headers = api.headers(Role.SYSTEM)
    for source in ("hospital", "nobody"):
        answer = api.client.post(f"/api/intake/sheet?source={source}&name=x.csv", content=b"nothing", headers=headers)
        assert refused(answer, 422) in ("unreadable", "unknown-source")
    assert api.world.all("imports") == []


def test_the_real_clock_is_not_stepped(api: Api) -> None:
    answer = api.client.post("/api/clock", json={"now": "2027-01-01T00:00:00Z"}, headers=api.headers(Role.SYSTEM))
    assert refused(answer) == "real-clock"


def test_a_write_from_another_site_is_refused(api: Api) -> None:
    answer = api.client.post("/api/session", json={"badge": "b", "pin": PIN}, headers={"sec-fetch-site": "cross-site"})
    assert refused(answer, 403) == "cross-site"


@pytest.mark.parametrize(
    ("content", "kind", "where"),
    [
        (b'{"event": "event-00000001", "patient_code": "W-1"}', "application/json", "body.pack_code"),
        (b'{"event": "short", "patient_code": "W-1", "pack_code": "P"}', "application/json; charset=utf-8", "body.event"),
        (b'{"event": "event-00000001", "patient_code": "W-1", "pack_code": "P", "pak": 1}', "application/json", "body.pak"),
        (b'{"event": "event-0000', "application/json", "body"),
        (b"", "application/json", "body"),
        (b"[]", "application/json", "body"),
        (b"\xff\xfe", "application/json", "body"),
        (b'{"event": "event-00000001", "patient_code": "W-1", "pack_code": "P"}', "text/plain", "body"),
    ],
)
def test_an_unreadable_scan_is_refused_with_where(api: Api, content: bytes, kind: str, where: str) -> None:
    answer = api.client.post("/api/bedside/give", content=content, headers={**api.headers(NURSE), "content-type": kind})
    assert refused(answer, 422) == "unreadable" and answer.json()["where"] == where


def test_the_documented_body_of_a_scan_is_the_one_that_is_read(api: Api) -> None:
    posted = api.client.get("/api/openapi.json").json()["paths"]["/api/bedside/give"]["post"]
    assert posted["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Give")
