"""The page Intake and its API: what is shown writes nothing, what is taken in is what was shown."""

from typing import Any

import pytest

from hub.domain.people import Role
from hub.services.feeds import HELD, REFUSED, open_alarms
from tests.feeds.feed_world import SOURCE, csv_sheet
from tests.web_api.api_client import Api

EVIL = '<script>alert("1")</script>'


def entries(api: Api) -> tuple[int, int]:
    def count(unit: Any) -> tuple[int, int]:
        return tuple(unit.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("ledger", "orders"))  # type: ignore[return-value]

    return api.world.do(count)


def post(api: Api, path: str, data: bytes, role: Role = Role.TECHNICIAN, **parameters: object) -> Any:
    asked = {"kind": "sheet", "source": SOURCE, "name": "day.csv", **parameters}
    return api.client.post(f"/api/intake/{path}", params=asked, content=data, headers=api.headers(role))


def looked(api: Api, data: bytes, **parameters: object) -> dict[str, Any]:
    answer = post(api, "preview", data, **parameters)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def page_of(api: Api, path: str, role: Role = Role.PHARMACIST) -> str:
    answer = api.client.get(path, headers=api.headers(role))
    assert answer.status_code == 200, answer.text[:500]
    return str(answer.text)


def test_a_preview_writes_nothing_and_the_taking_does_what_it_showed(api: Api) -> None:
    before = entries(api)
    told = looked(api, csv_sheet("1", "2"))
    assert entries(api) == before
    assert (told["orders"], told["outcomes"], told["changes"], told["unlisted"], told["warning"]) == (2, {"scheduled": 2}, {"new": 2}, [], None)
    assert [line["change"] for line in told["lines"]] == ["new", "new"]
    taken = post(api, "take", csv_sheet("1", "2"), state=told["state"])
    assert taken.status_code == 200, taken.text
    assert {name: taken.json()[name] for name in ("orders", "outcomes", "planned")} == {name: told[name] for name in ("orders", "outcomes", "planned")}
    assert entries(api)[1] == 2


def test_new_changed_unchanged_and_missing_lines_are_told_apart(api: Api) -> None:
    post(api, "take", csv_sheet("1", "2", "3"), state=looked(api, csv_sheet("1", "2", "3"))["state"])
    changed = csv_sheet("1", "2", "4").replace(b";1;tablet;PO;1;2", b";2;tablet;PO;1;2")
    told = looked(api, changed, name="next.csv")
    assert told["changes"] == {"new": 1, "changed": 1, "unchanged": 1}
    assert {line["order"]: line["change"] for line in told["lines"]} == {"1": "unchanged", "2": "changed", "4": "new"}
    assert [order["order"] for order in told["unlisted"]] == ["3"]


def test_a_state_that_changed_in_between_is_told_and_nothing_is_taken(api: Api) -> None:
    told = looked(api, csv_sheet("1", "2"))
    post(api, "take", csv_sheet("2"), state=looked(api, csv_sheet("2"), name="other.csv")["state"], name="other.csv")
    before = entries(api)
    refused = post(api, "take", csv_sheet("1", "2"), state=told["state"])
    assert (refused.status_code, refused.json()["refused"]) == (422, "changed-since")
    assert "Просмотрите его ещё раз" in refused.json()["reason_ru"]
    assert entries(api) == before
    other_file = post(api, "take", csv_sheet("1", "5"), state=looked(api, csv_sheet("1", "2"))["state"])
    assert other_file.json()["refused"] == "changed-since"


@pytest.mark.parametrize("data", [b"", b"\x00", b"{", csv_sheet("1")[:40]])
def test_a_file_that_cannot_be_read_is_refused_in_the_preview(api: Api, data: bytes) -> None:
    answer = post(api, "preview", data)
    assert (answer.status_code, answer.json()["refused"]) == (422, "unreadable")
    assert "day.csv" in answer.json()["reason"]


def test_a_known_sheet_is_named_as_such(api: Api) -> None:
    post(api, "take", csv_sheet("1"), state=looked(api, csv_sheet("1"))["state"])
    assert post(api, "preview", csv_sheet("1")).json()["refused"] == "known-sheet"


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("changes", b'{"at": "2026-03-02T05:00:00+03:00", "resource": {"resourceType": "MedicationRequest", "id": "1", "status": "stopped", "intent": "order", "subject": {"reference": "Patient/W-1"}}}\n', {"changes": {"changed": 1}}),
        ("discharges", b"patient code;department;discharged at\nW-1;Therapy;2026-03-02 05:00\nW-9;Therapy;2026-03-02 05:00\n", {"unknown": ["W-9"]}),
        ("allergies", "patient code,patient,birth date,allergy\nW-1,,,йод\n".encode(), {"patients": 1}),
    ],
)  # fmt: skip
def test_every_kind_of_list_is_looked_at_without_an_effect(api: Api, kind: str, data: bytes, told: dict[str, object]) -> None:
    post(api, "take", csv_sheet("1"), state=looked(api, csv_sheet("1"))["state"])
    before = entries(api)
    shown = looked(api, data, kind=kind, name="list")
    assert {name: shown[name] for name in told} == told
    assert entries(api) == before
    taken = post(api, "take", data, kind=kind, name="list", state=shown["state"])
    assert taken.status_code == 200, taken.text
    assert entries(api)[0] > before[0]


def hold(api: Api) -> str:
    """Make the source send a stump after a whole sheet; returns the stump's digest."""
    post(api, "take", csv_sheet("1", "2", "3", "4"), state=looked(api, csv_sheet("1", "2", "3", "4"))["state"])
    answer = post(api, "sheet", csv_sheet("1"), name="stump.csv")
    assert (answer.status_code, answer.json()["refused"]) == (422, "suspiciously-small")
    return str(api.world.do(open_alarms)[0].id.rpartition(":")[2])


def test_a_stump_is_held_and_a_pharmacist_takes_it_in_or_discards_it(small_api: Api) -> None:
    api = small_api
    digest = hold(api)
    (alarm,) = [alarm for row in api.get(Role.TECHNICIAN, "/api/intake/feeds").json() for alarm in row["alarms"]]
    assert (alarm["kind"], alarm["sheet"]) == (HELD, digest)
    told = api.get(Role.TECHNICIAN, f"/api/intake/held/{digest}").json()
    assert (told["orders"], len(told["unlisted"]), told["warning"]["refused"]) == (1, 3, "suspiciously-small")
    assert api.post(Role.TECHNICIAN, "/api/intake/held", sheet=digest, decision="take", state=told["state"]).status_code == 403
    assert api.post(Role.PHARMACIST, "/api/intake/held", sheet=digest, decision="take", state="other").json()["refused"] == "changed-since"
    assert api.post(Role.PHARMACIST, "/api/intake/held", sheet=digest, decision="discard").json()["refused"] == "reason"
    headers = api.headers(Role.PHARMACIST)
    body = {"event": "event-held-1", "sheet": digest, "decision": "take", "state": told["state"]}
    first, again = (api.client.post("/api/intake/held", json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["orders"] == 1
    assert api.world.do(open_alarms) == []
    assert api.get(Role.PHARMACIST, f"/api/intake/held/{digest}").json()["refused"] == "unknown-sheet"


def test_a_discarded_sheet_has_no_effect_and_its_reason_is_kept(small_api: Api) -> None:
    api = small_api
    digest = hold(api)
    before = entries(api)
    assert api.post(Role.PHARMACIST, "/api/intake/held", sheet=digest, decision="discard", reason="half an export").json() == {"discarded": "stump.csv"}
    assert entries(api) == (before[0] + 1, before[1])
    assert api.world.do(open_alarms) == []


def test_only_a_pharmacist_confirms_a_stump_by_hand(small_api: Api) -> None:
    api = small_api
    hold(api)
    stump = csv_sheet("2")
    told = looked(api, stump, name="other.csv")
    assert told["warning"]["reason_ru"].startswith("other.csv: в листе назначений 1")
    assert post(api, "take", stump, name="other.csv", state=told["state"], confirmed=True).status_code == 403
    assert post(api, "take", stump, name="other.csv", state=told["state"]).json()["refused"] == "suspiciously-small"
    assert len(api.world.do(open_alarms)) == 2
    taken = post(api, "take", stump, Role.PHARMACIST, name="other.csv", state=told["state"], confirmed=True)
    assert taken.status_code == 200, taken.text
    assert len(api.world.do(open_alarms)) == 1


def test_an_alarm_is_cleared_in_ones_own_name(small_api: Api) -> None:
    api = small_api
    small_api_hub(api).take(SOURCE, "bad", b"\x00")
    (alarm,) = api.world.do(open_alarms)
    assert alarm.kind == REFUSED
    assert "отклонён целиком" in page_of(api, "/line", Role.TECHNICIAN)
    assert api.post(Role.TECHNICIAN, "/api/intake/alarms", alarm=alarm.id, reason="a test").json() == {"cleared": alarm.id}
    last = api.world.do(lambda unit: unit.connection.execute("SELECT actor, kind FROM ledger ORDER BY seq DESC LIMIT 1").fetchone())
    assert last == ("u-technician", "feed-alarm-cleared")


def small_api_hub(api: Api) -> Any:
    return api.client._client._transport.app.state.hub.feeds  # type: ignore[attr-defined]


def test_a_hint_needs_the_sources_own_token_and_says_nothing_else(small_api: Api) -> None:
    api = small_api
    path = f"/api/intake/hint/{SOURCE}"
    right = {"authorization": "Bearer the-hint-token"}
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic the-hint-token"}, api.headers(Role.HEAD)):
        assert api.client.post(path, content=b"{}", headers=headers).status_code == 401
    assert api.client.post("/api/intake/hint/unknown", headers=right).status_code == 401
    before = entries(api)
    assert api.client.post(path, content=b"x" * (2 * 1024 * 1024), headers=right).status_code == 204
    assert api.client.request("PUT", f"{path}/MedicationRequest/1", content=b"{}", headers=right).status_code == 204
    assert entries(api) == before
    codes = [api.client.post(path, headers=right) for _ in range(125)]
    assert codes[-1].status_code == 429
    assert 0 < int(codes[-1].headers["retry-after"]) <= 60


def test_the_page_speaks_both_languages_and_escapes_what_it_shows(small_api: Api) -> None:
    api = small_api
    assert "<h1>Приём листов</h1>" in page_of(api, "/intake")
    assert "<h1>Intake</h1>" in page_of(api, "/intake?language=en")
    small_api_hub(api).take(SOURCE, EVIL, b"\x00")
    for path in ("/intake", "/intake?language=en", "/intake/board", "/line"):
        text = page_of(api, path)
        assert EVIL not in text
        assert "&lt;script&gt;" in text
    sheet = csv_sheet("1").replace(b"Family 1", EVIL.encode()).replace(b"500 mg", EVIL.encode())
    answer = api.client.post("/intake/look", params={"kind": "sheet", "source": SOURCE, "name": EVIL}, content=sheet, headers=api.headers(Role.TECHNICIAN))
    assert answer.status_code == 200, answer.text
    assert EVIL not in answer.text
    assert "Что будет принято" in answer.text


def test_nobody_else_sees_the_page(api: Api) -> None:
    for role in (Role.NURSE, Role.ENGINEER, Role.CONTROLLER):
        assert api.client.get("/intake", headers=api.headers(role)).status_code == 403
