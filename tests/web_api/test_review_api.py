"""Lines in review as people reach them: through the API and on the page, in both languages, with everything escaped."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.identifiers import UserId
from hub.domain.people import Role
from hub.domain.quantities import Quantity
from hub.domain.timing import PeriodUnit, Repeat, Timing
from tests.services.small_world import World, order_line
from tests.web_api.api_client import PIN, Api

TABLETS = (Quantity(Fraction(1), "tablet"), Quantity(Fraction(2), "tablet"))
EVIL = "<script>alert(1)</script>"
LONG = Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.DAY, duration=Fraction(3), duration_unit=PeriodUnit.DAY))


def second_pharmacist(world: World) -> dict[str, str]:
    pharmacist = world.get("users", "u-pharmacist")
    world.do(lambda unit: unit.users.put(replace(pharmacist, id=UserId("u-second-pharmacist"), badge="badge-second-pharmacist")))
    return {"second_badge": "badge-second-pharmacist", "second_pin": PIN}


def first_line(api: Api) -> Any:
    return api.get(Role.PHARMACIST, "/api/review").json()["departments"][0]["lines"][0]


def test_a_doubt_is_released_and_taken_back_through_the_api(api: Api) -> None:
    second = second_pharmacist(api.world)
    alert = api.world.get("drugs", "ALERT")
    api.world.do(lambda unit: unit.drugs.put(replace(alert, most_at_once=Quantity(Fraction(1), "mg"))))
    api.world.sheet(order_line("a", 3, drug="ALERT"))
    (doubt,) = first_line(api)["doubts"]
    assert (doubt["remedy"], doubt["needs_second"]) == ("release", True)
    asked = {"order": "a", "rule": doubt["rule"], "about": doubt["about"], "reason": "as at home"}
    alone = api.post(Role.PHARMACIST, "/api/review/release", **asked)
    assert alone.status_code == 409 and alone.json()["refused"] == "second-person" and alone.json()["reason_ru"]
    answer = api.post(Role.PHARMACIST, "/api/review/release", **asked, **second).json()
    assert (answer["outcome"], answer["planned"]) == ("scheduled", 1)
    (ruling,) = api.world.all("rulings")
    back = api.post(Role.PHARMACIST, "/api/review/withdraw", order="a", ruling=ruling.id, reason="thought again").json()
    assert back["outcome"] == "needs-review"


def test_ranges_and_durations_are_settled_through_the_api(api: Api) -> None:
    api.world.sheet(order_line("a", dose=TABLETS), order_line("b", 2, timing=LONG))
    assert api.post(Role.PHARMACIST, "/api/review/dose", order="a", dose="9", reason="r").json()["refused"] == "dose"
    assert api.post(Role.PHARMACIST, "/api/review/dose", order="a", dose="1.5", reason="r").json()["outcome"] == "scheduled"
    assert api.post(Role.PHARMACIST, "/api/review/duration", order="b", meaning="perhaps", reason="r").status_code == 422
    assert api.post(Role.PHARMACIST, "/api/review/duration", order="b", meaning="infusion", reason="r").json()["outcome"] == "not-packable"
    found = api.get(Role.TECHNICIAN, "/api/review/statistics").json()
    assert found["waiting"] == 0 and {row["kind"] for row in found["rulings"]} == {"dose-settled", "duration-of-infusion"}


def page(api: Api, role: Role, path: str, **asked: str) -> str:
    answer = api.get(role, path, **asked)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(("language", "title", "button"), [("ru", "Строки на проверке", "Дать 1,5 таб."), ("en", "Lines in review", "Give 1.5 tablet")])
def test_the_page_speaks_both_languages_and_escapes_what_the_sheet_says(api: Api, language: str, title: str, button: str) -> None:
    api.world.sheet(order_line("a", dose=TABLETS, note=EVIL, drug_text=EVIL), order_line("b", 2, code=EVIL))
    text = page(api, Role.PHARMACIST, "/review", language=language)
    assert title in text and button in text and EVIL not in text and "&lt;script&gt;" in text
    assert "Family" not in text and "W-1" in text


def test_who_may_only_look_sees_no_button_and_a_nurse_sees_nothing(api: Api) -> None:
    api.world.sheet(order_line("a", dose=TABLETS))
    assert "data-act" not in page(api, Role.TECHNICIAN, "/review") and "data-act" in page(api, Role.PHARMACIST, "/review")
    assert api.get(Role.NURSE, "/review").status_code == 403
    assert "data-act" in page(api, Role.PHARMACIST, "/review/board", department="Cardiology")
    assert 'data-order="a"' not in page(api, Role.PHARMACIST, "/review/board", department="Therapy")


def test_what_waits_is_counted_on_the_line_and_the_intake_page(api: Api) -> None:
    for path in ("/line", "/intake"):
        assert 'href="/review"' not in page(api, Role.TECHNICIAN, path).split("<main")[1]
    api.world.sheet(order_line("a", dose=TABLETS))
    for path in ("/line", "/intake"):
        assert 'href="/review"' in page(api, Role.TECHNICIAN, path).split("<main")[1]
