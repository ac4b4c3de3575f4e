"""A machine in doubt over the API: who may answer, with whom, to which question, and that an answer counts once."""

from typing import Any

import pytest

from hub.domain.people import Role
from tests.services.small_world import order_line
from tests.web_api.api_client import PIN, Api

PHARMACIST, TECHNICIAN = Role.PHARMACIST, Role.TECHNICIAN
SECOND = {"second_badge": "badge-technician", "second_pin": PIN}


def doubtful(api: Api, drug: str = "PLAIN") -> dict[str, Any]:
    """Put the machine in doubt about a pouch of two tablets; returns a body that answers it."""
    api.world.sheet(order_line("a", drug=drug, units=2))
    api.world.at("06:15")
    job = api.world.machine.fetch()[0]
    api.world.machine.say("stopped", job.id, 0, reason="in-doubt")
    question = {"boot": api.world.machine.boot, "asked_event": api.world.machine.number}
    return {"device": "packager-1", "job": job.id, **question, "counted": 1, "reason": "opened and counted"}


def resolve(api: Api, body: dict[str, Any], role: Role = PHARMACIST, **more: Any) -> Any:
    return api.post(role, "/api/doubts/resolve", **{**body, **more})


def refused(answer: Any, status: int = 409) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["reason"]
    return str(answer.json()["refused"])


def test_what_machine_and_hub_know_is_told_and_no_patient(api: Api) -> None:
    body = doubtful(api)
    answer = api.get(PHARMACIST, "/api/doubts")
    (row,) = answer.json()
    assert (row["job"], row["boot"], row["event"], row["open"], row["needs_second"]) == (body["job"], 1, 1, True, False)
    assert (row["name"], row["asked"], row["cassette"], row["machine"]["state"]) == ("Siofor 500 mg", 2, 1, "unknown")
    assert row["books"] == {"count": 30, "reserved": 2} and row["drops"][0]["in_doubt"] and row["drops"][0]["counted"] is None
    assert not [word for word in ("W-1", "Family1", '"p1"') if word in answer.text]
    assert api.get(PHARMACIST, "/api/reviews").json() == [], "it is answered by counting, not by accepting"
    assert api.get(PHARMACIST, "/api/state").json()["doubts"] == 1


def test_an_answer_is_taken_once_and_told_to_the_machine(api: Api) -> None:
    body = doubtful(api)
    first, again = (resolve(api, body, event="event-count") for _ in range(2))
    assert first.json() == again.json() == {"told": "packager-1", "counted": 1}
    assert len(api.world.facts("doubt-decided")) == 1 and api.world.facts("doubt-decided")[0]["by"] == "u-pharmacist"
    assert [command.kind for command in api.world.all("commands", kind="resolve", done=False)] == ["resolve"]
    assert refused(resolve(api, body)) == "decided"
    (row,) = api.get(TECHNICIAN, "/api/doubts").json()
    assert row["open"] is False and row["answer"]["counted"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"asked_event": 9}, "stale"), ({"boot": 0}, "stale"), ({"job": "f" * 32}, "unknown-job"), ({"device": "packager-2"}, "unknown-job"),
        ({"reason": ""}, "reason"), ({"second_badge": "badge-nurse", "second_pin": PIN}, "second-person"),
    ],
)  # fmt: skip
def test_what_does_not_answer_the_question_is_refused_in_words(api: Api, changes: dict[str, Any], code: str) -> None:
    assert refused(resolve(api, doubtful(api), **changes)) == code
    assert api.world.facts("doubt-decided") == []


@pytest.mark.parametrize("counted", [-1, 256, "two", None])
def test_a_number_that_no_pouch_can_hold_is_refused_with_where(api: Api, counted: object) -> None:
    answer = resolve(api, doubtful(api), counted=counted)
    assert refused(answer, 422) == "unreadable" and answer.json()["where"] == "body.counted"


def test_a_high_alert_drug_is_counted_by_two_people(api: Api) -> None:
    body = doubtful(api, "ALERT")
    assert refused(resolve(api, body)) == "second-person"
    assert refused(resolve(api, body, **{**SECOND, "second_pin": "9999"})) == "second-person"
    assert refused(resolve(api, body, role=TECHNICIAN, **SECOND)) == "second-person", "the second is another person"
    assert resolve(api, body, **SECOND).status_code == 200
    assert api.world.facts("doubt-decided")[0]["second"] == "u-technician"


def test_a_review_of_a_doubt_is_not_decided_as_other_reviews_are(api: Api) -> None:
    doubtful(api)
    (review,) = api.world.all("reviews", kind="in-doubt")
    assert refused(api.post(PHARMACIST, "/api/reviews", review=review.id, decision="accept")) == "in-doubt"


def test_what_the_machine_no_longer_knows_of_is_ended_by_two_people(api: Api) -> None:
    body = doubtful(api)
    assert refused(api.post(PHARMACIST, "/api/doubts/end", **{**body, **SECOND})) == "machine-asks"
    assert resolve(api, body).status_code == 200
    (command,) = api.world.all("commands", kind="resolve")
    api.world.machine.say("refused", body["job"], None, command=command.id, rc="STALE_EVENT", reason="not this doubt")
    api.world.machine.report("idle")
    (row,) = api.get(PHARMACIST, "/api/doubts").json()
    assert row["lost_touch"] is True
    assert refused(api.post(PHARMACIST, "/api/doubts/end", **body)) == "second-person"
    told = api.post(PHARMACIST, "/api/doubts/end", **{**body, **SECOND})
    assert told.json() == {"told": "packager-1", "counted": 1} and api.get(PHARMACIST, "/api/doubts").json() == []
    assert api.world.facts("doubt-decided")[-1]["second"] == "u-technician"
