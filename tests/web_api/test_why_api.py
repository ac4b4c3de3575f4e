"""Why, over the API and on its page: who may ask, in which language, by code alone; and refusals in both languages everywhere."""

import ast
from pathlib import Path

import pytest

from hub.domain.people import Role
from tests.services.small_world import order_line
from tests.web_api.api_client import Api

WEB = Path(__file__).parents[2] / "hub" / "web"
KINDS = ("line", "dose", "lane", "pack")


@pytest.fixture
def packed(api: Api) -> Api:
    api.world.sheet(order_line("a"))
    api.world.at("06:15")
    api.world.machine.run_all()
    return api


def id_of(api: Api, kind: str) -> str:
    return {"line": "a", "pack": api.world.pack_of("a").serial}.get(kind, api.world.dose("a").id)


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_answers_in_the_language_that_is_asked_for_and_names_no_patient(packed: Api, kind: str) -> None:
    told = {language: packed.get(Role.PHARMACIST, f"/api/why/{kind}/{id_of(packed, kind)}", language=language).json() for language in ("ru", "en")}
    assert told["ru"]["said"] == told["ru"]["text_ru"] == told["en"]["text_ru"] and told["en"]["said"] == told["en"]["text"]
    assert told["en"]["rule"] and told["en"]["source"] and told["en"]["rests_on"]
    assert "Family1" not in str(told)


def test_each_answer_leads_on_to_the_line_of_the_sheet(packed: Api) -> None:
    kind, id, way = "pack", id_of(packed, "pack"), []
    while kind:
        answer = packed.get(Role.PHARMACIST, f"/api/why/{kind}/{id}").json()
        way.append(kind)
        wanted = {"pack": "dose", "dose": "line"}.get(kind, "")
        kind, id = next(((ground["kind"], ground["id"]) for ground in answer["rests_on"] if wanted and ground["kind"] == wanted), ("", ""))
    assert way == ["pack", "dose", "line"]
    assert any(": 1" in ground["text"] for ground in answer["rests_on"] if not ground["kind"])


def test_a_nurse_asks_about_doses_and_packs_and_not_about_lines(packed: Api) -> None:
    assert packed.get(Role.NURSE, f"/api/why/dose/{id_of(packed, 'dose')}").status_code == 200
    refused = packed.get(Role.NURSE, "/api/why/line/a")
    assert refused.status_code == 403 and refused.json()["reason_ru"] == "Роль «постовая медсестра» не может смотреть линию."


def test_what_is_not_known_is_404_with_both_sentences(api: Api) -> None:
    answer = api.get(Role.PHARMACIST, "/api/why/pack/NOBODY")
    assert answer.status_code == 404 and answer.json()["refused"] == "unknown-pack" and "NOBODY" in answer.json()["reason_ru"]


@pytest.mark.parametrize(("language", "words"), [("ru", ("Почему?", "На чём это основано", "Действующие настройки", 'lang="ru"')), ("en", ("Why?", "What it rests on", "Settings in force", 'lang="en"'))])
def test_the_page_speaks_the_language_that_is_asked_for(packed: Api, language: str, words: tuple[str, ...]) -> None:
    page = packed.get(Role.PHARMACIST, "/why/line/a", language=language)
    assert page.status_code == 200 and all(word in page.text for word in words)
    assert f'href="/why/dose/{id_of(packed, "dose")}"' in page.text and "Family1" not in page.text


def test_a_language_is_kept_and_leads_back_without_what_the_address_asked_for(packed: Api) -> None:
    chosen = packed.client.get("/language/ru", params={"next": "/why/line/a?language=en&x=1"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/why/line/a?x=1")
    assert "dosehub_language=ru" in chosen.headers["set-cookie"]
    assert packed.client.get("/language/ru", params={"next": "//elsewhere.example/"}).headers["location"] == "/"
    cookie = {**packed.headers(Role.NURSE), "cookie": "dosehub_language=ru"}
    devices = packed.client.get("/devices", headers={**packed.headers(Role.ENGINEER), "cookie": "dosehub_language=ru"}).text
    assert '<html lang="ru">' in devices and '<main id="main" lang="en">' in devices and "Выйти" in devices
    trolleys, ward = (packed.client.get(path, headers=cookie).text for path in ("/trolley", "/ward"))
    assert '<main id="main">' in ward and "ничего не назначено" in ward and '<main id="main">' in trolleys and "Список изъятия" in trolleys
    refused = packed.client.get("/line", headers=cookie).text
    assert "Эта страница не для вашей роли" in refused and "не может смотреть линию" in refused


def test_where_nobody_chose_a_page_speaks_the_house_s_language_or_its_only_one(packed: Api) -> None:
    assert '<html lang="en">' in packed.get(Role.ENGINEER, "/devices").text
    assert '<html lang="ru">' in packed.get(Role.NURSE, "/ward").text and '<html lang="ru">' in packed.get(Role.PHARMACIST, "/intake").text


def test_every_refusal_of_the_web_has_both_sentences_and_a_source(api: Api) -> None:
    answers = (
        api.client.get("/api/picks"), api.get(Role.NURSE, "/api/picks"), api.get(Role.PHARMACIST, "/api/nothing"),
        api.post(Role.NURSE, "/api/bedside/give", patient_code=5), api.post(Role.PHARMACIST, "/api/rejects", pack="NOBODY"),
        api.get(Role.PHARMACIST, "/api/evidence/none"), api.client.get("/api/picks", headers={"origin": "x", "sec-fetch-site": "cross-site"}),
        api.client.post("/api/picks", headers={"sec-fetch-site": "cross-site"}),
    )  # fmt: skip
    for answer in answers:
        told = answer.json()
        assert answer.status_code >= 400 and told["reason"] and told["source"], told
        assert any("а" <= letter <= "я" for letter in told["reason_ru"]), told


def test_no_refusal_of_the_web_is_made_by_hand() -> None:
    for path in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            members = [key.value for key in node.keys if isinstance(key, ast.Constant)] if isinstance(node, ast.Dict) else []
            assert not {"refused", "reason"} <= set(members), f"{path}:{getattr(node, 'lineno', 0)}"
