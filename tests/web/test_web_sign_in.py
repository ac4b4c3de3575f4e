"""Signing in: badge first, then PIN; the cookie; and no way to another site."""

import pytest
from web_plant import PIN, WebPlant

from hub.domain.people import Role
from hub.web.context import COOKIE
from hub.web.pages.rendering import local_path


def test_badge_and_pin_open_a_session_that_scripts_cannot_read(plant: WebPlant) -> None:
    answer = plant.client().post("/sign-in", data={"badge": "T-nurse", "pin": PIN})
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/ward"
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


def test_the_cookie_is_for_tls_only_where_the_hub_is_reached_by_tls(plant: WebPlant) -> None:
    behind_tls = {"x-forwarded-proto": "https"}
    answer = plant.client().post("/sign-in", data={"badge": "T-nurse", "pin": PIN}, headers=behind_tls)
    assert "Secure" in answer.headers["set-cookie"]


def test_a_scanned_badge_alone_is_asked_for_its_pin(plant: WebPlant) -> None:
    answer = plant.client().post("/sign-in", data={"badge": "T-nurse", "pin": ""})
    assert answer.status_code == 200
    assert 'value="T-nurse"' in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("form", [{"badge": "T-nurse", "pin": "000000"}, {"badge": "T-nobody", "pin": PIN}])
def test_a_wrong_badge_or_pin_is_refused_without_saying_which(plant: WebPlant, form: dict[str, str]) -> None:
    answer = plant.client().post("/sign-in", data=form)
    assert answer.status_code == 403
    assert "Badge or PIN is wrong." in answer.text
    assert "set-cookie" not in answer.headers


def test_one_comes_back_to_the_page_that_was_asked_for(plant: WebPlant) -> None:
    client = plant.client()
    asked = client.get("/ledger?kind=dose-given&before=7").headers["location"]
    form = client.get(asked).text
    assert 'name="next" value="/ledger?kind=dose-given&amp;before=7"' in form
    answer = client.post("/sign-in", data={"badge": "T-head", "pin": PIN, "next": "/ledger?kind=dose-given&before=7"})
    assert answer.headers["location"] == "/ledger?kind=dose-given&before=7"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nx: y", "/ a", "line", "\\\\evil", "/\t/evil"],
)  # fmt: skip
def test_nobody_is_led_to_another_site(plant: WebPlant, target: str) -> None:
    answer = plant.client().post("/sign-in", data={"badge": "T-head", "pin": PIN, "next": target})
    assert answer.headers["location"] == "/line"
    assert local_path(target) == ""


def test_a_page_of_a_ward_with_a_russian_name_survives_the_sign_in(plant: WebPlant) -> None:
    answer = plant.client().get("/ward/round?department=Терапия")
    assert answer.status_code == 303
    assert answer.headers["location"].isascii()


def test_signing_out_ends_the_session(plant: WebPlant) -> None:
    client = plant.client(Role.NURSE)
    token = client.cookies[COOKIE]
    assert client.get("/ward").status_code == 200
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    client.cookies.set(COOKIE, token)
    assert client.get("/ward").status_code == 303


def test_a_form_of_another_site_is_not_taken(plant: WebPlant) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    answer = plant.client().post("/sign-in", data={"badge": "T-nurse", "pin": PIN}, headers=headers)
    assert answer.status_code == 403


def test_guessing_by_the_form_is_slowed_down_as_by_the_api(fresh_plant: WebPlant) -> None:
    client = fresh_plant.client()
    for _ in range(5):
        assert client.post("/sign-in", data={"badge": "T-nurse", "pin": "000000"}).status_code == 403
    answer = client.post("/sign-in", data={"badge": "T-nurse", "pin": PIN})
    assert answer.status_code in (403, 429)
    assert "set-cookie" not in answer.headers
