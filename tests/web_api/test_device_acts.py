"""Service acts over the API of a hub without a broker: each is in the ledger before and after, and refused in words."""

import io
import zipfile
from typing import Any

import pytest

from firmware_bridge.firmware_image import FILE_LIMIT_BYTES
from hub.domain.people import Role
from hub.services.service_acts import owner_of
from tests.web_api.api_client import Api

ENGINEER = Role.ENGINEER
PATH = "/api/devices/packager-1"
JOG = {"press": "press-0001", "motor": "gate", "direction": "forward"}


def refused(answer: Any, status: int = 409) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["reason"]
    return str(answer.json()["refused"])


def hold_lock(api: Api, owner: str, mode: str = "taken") -> None:
    """Have the machine say whose its lock is."""
    api.world.machine.say("lock", None, None, mode=mode, owner=owner)


def name_of(api: Api, user: str) -> str:
    (found,) = api.world.all("users", id=f"u-{user}")
    return owner_of(found)


def test_an_act_that_reached_nobody_is_in_the_ledger_with_its_actor_and_the_reason(api: Api) -> None:
    assert refused(api.post(ENGINEER, f"{PATH}/lock", mode="take")) == "BROKER_AWAY"
    (asked,), (answered,) = api.world.ledger("service-asked"), api.world.ledger("service-answered")
    assert asked["actor"] == answered["actor"] == "u-engineer"
    assert asked["data"] == {"device": "packager-1", "act": "lock", "mode": "take", "owner": name_of(api, "engineer")}
    assert (answered["data"]["asked"], answered["data"]["rc"]) == (asked["seq"], "BROKER_AWAY")


def test_the_same_event_is_asked_for_once_and_never_for_something_else(api: Api) -> None:
    for _ in range(2):
        refused(api.post(ENGINEER, f"{PATH}/lock", event="event-take", mode="take"))
    assert len(api.world.ledger("service-asked")) == 1
    assert refused(api.post(ENGINEER, f"{PATH}/lock", event="event-take", mode="release")) == "conflict"


@pytest.mark.parametrize(("path", "body"), [("self-test", {}), ("jog", JOG)])
def test_only_the_holder_of_the_lock_moves_or_tests(api: Api, path: str, body: dict[str, Any]) -> None:
    assert refused(api.post(ENGINEER, f"{PATH}/{path}", **body)) == "not-locked"
    hold_lock(api, "petrov")
    answer = api.post(ENGINEER, f"{PATH}/{path}", **body)
    assert refused(answer) == "not-your-lock" and "petrov" in answer.json()["reason"]
    assert api.world.ledger("service-asked") == []
    hold_lock(api, name_of(api, "engineer"), "taken-over")
    assert refused(api.post(ENGINEER, f"{PATH}/{path}", **body)) == "BROKER_AWAY"
    assert len(api.world.ledger("service-asked")) == 1
    hold_lock(api, name_of(api, "engineer"), "released")
    assert (
        refused(api.post(ENGINEER, f"{PATH}/{path}", **{**body, **({"press": "press-0002"} if body else {})}))
        == "not-locked"
    )


def test_a_press_that_was_refused_or_let_go_first_is_over(api: Api) -> None:
    hold_lock(api, name_of(api, "engineer"))
    assert refused(api.post(ENGINEER, f"{PATH}/jog", **JOG)) == "BROKER_AWAY"
    assert refused(api.post(ENGINEER, f"{PATH}/jog", **JOG)) == "let-go"
    assert api.post(ENGINEER, f"{PATH}/jog/release", press="press-0009").json() == {"commands": 0}
    assert refused(api.post(ENGINEER, f"{PATH}/jog", **{**JOG, "press": "press-0009"})) == "let-go"
    answers = [entry["data"]["rc"] for entry in api.world.ledger("service-answered")]
    assert answers == ["BROKER_AWAY"], "what was let go before it came was never asked for"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("lock", {"mode": "steal"}, "body.mode"),
        ("jog", {**JOG, "motor": "oven"}, "body.motor"),
        ("jog", {**JOG, "hold_ms": 60000}, "body.hold_ms"),
        ("self-test", {"tests": ["memory"]}, "body.tests"),
    ],
)
def test_what_cannot_be_read_is_refused_with_where_and_leaves_nothing(
    api: Api, path: str, body: dict[str, Any], where: str
) -> None:
    answer = api.post(ENGINEER, f"{PATH}/{path}", **body)
    assert refused(answer, 422) == "unreadable" and answer.json()["where"] == where
    assert api.world.ledger("service-asked") == []


@pytest.mark.parametrize("device", ["printer-1", "camera-1", "packager-9"])
def test_what_has_no_bridge_cannot_be_served(api: Api, device: str) -> None:
    assert refused(api.post(ENGINEER, f"/api/devices/{device}/lock", mode="take"), 404) == "unknown-device"
    upload = api.client.post(
        f"/api/devices/{device}/firmware?event=event-0001", content=b"x", headers=api.headers(ENGINEER)
    )
    assert refused(upload, 404) == "unknown-device"
    looks = ("trace", "trace.jsonl", "trace.pcapng", "support.zip", "firmware", "firmware/progress", f"jobs/{'0' * 32}")
    for path in looks:
        assert refused(api.get(ENGINEER, f"/api/devices/{device}/{path}"), 404) == "unknown-device"


def test_the_support_bundle_tells_the_machine_s_facts_and_no_person(api: Api) -> None:
    hold_lock(api, name_of(api, "engineer"))
    refused(api.post(ENGINEER, f"{PATH}/self-test"))
    whole = api.get(ENGINEER, f"{PATH}/support.zip")
    assert whole.headers["content-disposition"] == 'attachment; filename="packager-1-support.zip"'
    archive = zipfile.ZipFile(io.BytesIO(whole.content))
    told = archive.read("ledger.jsonl").decode()
    assert '"service-lock"' in told and '"self-test"' in told and '"person"' in told
    assert not [word for word in (name_of(api, "engineer"), "u-engineer") if word in told]


def test_firmware_is_for_the_holder_of_the_lock_and_a_file_that_reaches_nobody_leaves_nothing(api: Api) -> None:
    def upload(content: bytes) -> Any:
        return api.client.post(f"{PATH}/firmware?event=event-0001", content=content, headers=api.headers(ENGINEER))

    assert refused(upload(b"x")) == "not-locked"
    hold_lock(api, "petrov")
    assert refused(upload(b"x")) == "not-your-lock"
    hold_lock(api, name_of(api, "engineer"), "taken-over")
    assert refused(upload(b"x")) == "BROKER_AWAY"
    assert refused(upload(bytes(FILE_LIMIT_BYTES)), 409) == "BROKER_AWAY"
    assert refused(upload(bytes(FILE_LIMIT_BYTES + 1)), 413) == "too-large"
    short = api.client.post(f"{PATH}/firmware?event=e", content=b"x", headers=api.headers(ENGINEER))
    assert refused(short, 422) == "unreadable" and short.json()["where"] == "query.event"
    assert api.world.ledger("service-asked") == []


def test_without_an_update_its_progress_is_nothing_and_ends(api: Api) -> None:
    told = api.get(ENGINEER, f"{PATH}/firmware/progress")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert told.text == "event: update\ndata: null\n\n"


def test_a_machine_that_nobody_reaches_tells_no_slots_no_journal_and_no_capture(api: Api) -> None:
    assert refused(api.get(ENGINEER, f"{PATH}/firmware")) == "BROKER_AWAY"
    assert refused(api.get(ENGINEER, f"{PATH}/jobs/{'0' * 32}")) == "BROKER_AWAY"
    assert refused(api.get(ENGINEER, f"{PATH}/trace.pcapng")) == "broker-away"
    wrong = api.get(ENGINEER, f"{PATH}/jobs/nothing")
    assert refused(wrong, 422) == "unreadable" and wrong.json()["where"] == "path.job"
    assert api.world.ledger("service-asked") == []
