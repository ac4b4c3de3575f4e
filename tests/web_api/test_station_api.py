"""The review station over the API: shown, timed by the wall's clock, decided once; who may see what it tells."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.bootstrap import RunningHub, context_of
from hub.domain.looking import StationRules
from hub.domain.packs import PackJob
from hub.domain.people import Action, Role, may
from hub.web.app import create_app
from hub.web.context import real_time
from tests.services.small_world import World, order_line
from tests.web_api.api_client import Api, Client


class Wall:
    """A clock on the wall that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> Any:
        return real_time() + self.ahead


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def job(api: Api, wall: Wall) -> Iterator[PackJob]:
    """Offer a pouch that waits for an eye, at a station without known-bad ones."""
    world: World = api.world
    world.sheet(order_line("a"))
    world.at("06:15")
    (job,) = world.machine.fetch()
    world.machine.run(job, read=[])
    hub = RunningHub(world.settings, replace(world.house, station=StationRules(one_in=0)), world.writer, lambda: world.now)
    before, api.client = api.client, Client(create_app(replace(context_of(hub), wall=wall)))
    yield job
    api.client.close()
    api.client = before


def shown(api: Api, role: Role = Role.TECHNICIAN, **asked: str) -> dict[str, Any]:
    answer = api.post(role, "/api/station/show", **asked)
    assert answer.status_code == 200, answer.text
    case: dict[str, Any] = answer.json()["case"]
    return case


def test_the_time_is_the_walls_though_a_demonstrations_clock_stands(api: Api, job: PackJob, wall: Wall) -> None:
    case = shown(api)
    said = {"case": case["case"], "shown": case["shown"], "decision": "accept", "scanned": job.pack}
    quick = api.post(Role.TECHNICIAN, "/api/station/decide", **said)
    assert quick.status_code == 409 and quick.json()["refused"] == "too-quick" and quick.json()["source"] == "docs/review-station.md"
    assert "не меньше 5 с" in quick.json()["reason_ru"]
    wall.ahead = timedelta(seconds=6)
    assert api.post(Role.TECHNICIAN, "/api/station/decide", **said).json() == {"state": "accepted", "pack": job.pack}
    assert api.post(Role.TECHNICIAN, "/api/station/decide", **said).json()["refused"] == "decided"
    assert api.get(Role.TECHNICIAN, "/api/station").json() == {"waiting": 0, "cases": []}


def test_a_program_accepts_a_pouch_only_on_a_look_that_the_station_timed(api: Api, job: PackJob, wall: Wall) -> None:
    case = shown(api)
    said = {"review": case["case"], "decision": "accept", "pack": job.pack, "reason": "r"}
    never = api.post(Role.PHARMACIST, "/api/reviews", **said)
    assert never.status_code == 409 and never.json()["refused"] == "not-looked-at" and "/station" in never.json()["reason_ru"]
    assert api.post(Role.TECHNICIAN, "/api/reviews", **said).json()["refused"] == "too-quick"
    wall.ahead = timedelta(seconds=6)
    assert api.post(Role.TECHNICIAN, "/api/reviews", **said).json() == {"state": "accept"}
    assert len(api.world.facts("review-looked")) == 1


def test_the_line_board_leads_to_the_station_for_accepting(api: Api, job: PackJob) -> None:
    case = shown(api)
    page = api.get(Role.TECHNICIAN, "/line").text
    assert f'href="/station?case={case["case"]}"' in page and 'data-act="accept"' not in page
    assert 'data-act="reject"' in page


def test_one_press_counts_once_and_another_body_of_its_event_is_refused(api: Api, job: PackJob) -> None:
    case = shown(api)
    said = {"event": "event-of-one-press", "case": case["case"], "shown": case["shown"], "decision": "reject", "reason": "broken"}
    headers = api.headers(Role.TECHNICIAN)
    answers = [api.client.post("/api/station/decide", json=said, headers=headers) for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["rejected", "rejected"] and len(api.world.facts("review-looked")) == 1
    other = api.client.post("/api/station/decide", json={**said, "reason": "damaged"}, headers=headers)
    assert other.status_code == 409 and other.json()["refused"] == "conflict"


def test_what_was_shown_to_another_person_decides_nothing(api: Api, job: PackJob, wall: Wall) -> None:
    case = shown(api)
    wall.ahead = timedelta(minutes=1)
    said = {"case": case["case"], "shown": case["shown"], "decision": "accept", "scanned": job.pack}
    assert api.post(Role.PHARMACIST, "/api/station/decide", **said).json()["refused"] == "look-again"


def test_a_body_that_says_something_else_is_not_read(api: Api, job: PackJob) -> None:
    case = shown(api)
    said = {"case": case["case"], "shown": case["shown"], "decision": "reject", "reason": "broken"}
    wrong: tuple[dict[str, Any], ...] = ({"decision": "maybe"}, {"case": ""}, {"shown": ""}, {"reason": "x" * 501}, {"scanned": "x" * 201}, {"more": 1}, {"unreadable": "perhaps"})
    for bad in wrong:
        assert api.post(Role.TECHNICIAN, "/api/station/decide", **{**said, **bad}).status_code == 422, bad
    assert api.world.all("reviews", decision="") != []


def test_a_strange_scan_is_refused_in_words(api: Api, job: PackJob) -> None:
    for scanned in ("\x00", "ЖЖЖЖ", "x" * 200, "../../etc", "CMDACCEPTN"):
        answer = api.post(Role.TECHNICIAN, "/api/station/show", pack=scanned)
        assert answer.status_code == 409 and answer.json()["refused"] == "unknown-pack" and answer.json()["reason_ru"]


def test_pages_are_for_those_whom_the_table_lets(api: Api, job: PackJob) -> None:
    case = shown(api)
    for role in Role:
        decides = may(role, Action.DECIDE_REVIEWS)
        for path in ("/station", "/station/queue"):
            assert (api.get(role, path).status_code == 200) == decides, (role, path)
        assert (api.get(role, "/misses").status_code == 200) == may(role, Action.READ_MISSES), role
    assert api.get(Role.TECHNICIAN, "/station/case", case=case["case"]).status_code == 200
    assert api.get(Role.PHARMACIST, "/station/case", case=case["case"]).status_code == 409, "it is shown to another person"


def test_the_page_speaks_both_languages(api: Api, job: PackJob) -> None:
    case = shown(api)
    for language, words in (("ru", ("Должно лежать", "Принять", "Осмотр")), ("en", ("Should lie in it", "Accept", "Station"))):
        pages = [api.get(Role.TECHNICIAN, "/station/case", case=case["case"], language=language), api.get(Role.TECHNICIAN, "/station", language=language)]
        text = "".join(page.text for page in pages)
        assert all(word in text for word in words) and "Family1" not in text


def test_times_of_people_are_for_the_head_alone(api: Api, job: PackJob) -> None:
    case = shown(api)
    api.post(Role.TECHNICIAN, "/api/station/decide", case=case["case"], shown=case["shown"], decision="reject", reason="broken")
    assert [row["person"] for row in api.get(Role.HEAD, "/api/station/looking").json()] == ["u-technician"]
    assert api.get(Role.PHARMACIST, "/api/station/looking").status_code == 403
    assert "person" not in api.get(Role.PHARMACIST, "/api/station/misses").text.replace("Person", "")


def test_what_says_nothing_of_people_stands_on_the_page_of_misses(api: Api, job: PackJob) -> None:
    told = api.get(Role.HEAD, "/api/station/misses").json()
    assert told["left_out"] == 0 and all(row["skipped"] == row["withdrawn"] == row["not_found"] == row["open"] == 0 for row in told["people"])
    assert "accepted_untimed" not in told
    for language, words in (("ru", ("Пропущен", "Снят", "LOOK")), ("en", ("Skipped", "Taken back", "LOOK"))):
        text = api.get(Role.HEAD, "/misses", language=language).text
        assert all(word in text for word in words) and text.count('class="misses uncounted"') == 1


def test_a_case_that_was_decided_is_not_shown_any_more(api: Api, job: PackJob) -> None:
    case = shown(api)
    api.post(Role.TECHNICIAN, "/api/station/decide", case=case["case"], shown=case["shown"], decision="reject", reason="broken")
    assert api.get(Role.TECHNICIAN, "/station/case", case=case["case"]).status_code == 409
