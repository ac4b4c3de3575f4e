"""Names that are mixed up, over the API and on their page: who may decide, once, in both languages."""

from dataclasses import replace

import pytest

from hub.domain.identifiers import DrugCode
from hub.domain.people import Action, Role, may
from tests.services.small_world import PLAIN
from tests.web_api.api_client import Api

BODY = {"first": "винбластин", "second": "винкристин", "decision": "confirm", "reason": "стоят рядом"}


@pytest.fixture
def pair(api: Api) -> Api:
    drugs = [replace(PLAIN, code=DrugCode(code), inn=inn, trade_name="", group="") for code, inn in (("V0", "винбластин"), ("V1", "винкристин"))]
    api.world.do(lambda unit: unit.drugs.put_many(drugs))
    return api


def test_each_role_may_read_and_decide_what_the_table_says(pair: Api) -> None:
    for role in Role:
        assert (pair.get(role, "/api/look-alikes").status_code == 200) == may(role, Action.READ_LINE), role
        assert (pair.get(role, "/look-alikes").status_code == 200) == may(role, Action.READ_LINE), role
        assert (pair.post(role, "/api/look-alikes", **BODY).status_code == 200) == may(role, Action.DECIDE_LINES), role


def test_a_decision_counts_and_a_refusal_says_why_in_both_languages(pair: Api) -> None:
    assert pair.post(Role.PHARMACIST, "/api/look-alikes", **BODY).json() == {"drugs": 2}
    (row,) = [row for row in pair.get(Role.TECHNICIAN, "/api/look-alikes").json() if row["first"] == "винбластин"]
    assert (row["confirmed"], row["tall_second"], row["second_items"]) == (True, "винКРИстин", ["V1"])
    refused = pair.post(Role.PHARMACIST, "/api/look-alikes", **{**BODY, "second": "гепарин"})
    assert refused.status_code == 409
    assert refused.json()["refused"] == "no-pair" and "не пара" in refused.json()["reason_ru"]
    for bad in ({"decision": "maybe"}, {"reason": ""}, {"first": ""}, {"more": "x"}):
        assert pair.post(Role.PHARMACIST, "/api/look-alikes", **{**BODY, **bad}).status_code == 422


@pytest.mark.parametrize(("language", "words"), [("ru", "одинаково начинаются"), ("en", "they begin alike")])
def test_the_page_shows_pairs_in_the_language_that_is_asked_for(pair: Api, language: str, words: str) -> None:
    page = pair.get(Role.PHARMACIST, "/look-alikes", language=language).text
    assert words in page and "винБЛАстин" in page and f'<div lang="{language}">' in page


def test_who_may_not_decide_sees_no_buttons(pair: Api) -> None:
    assert 'value="confirm"' in pair.get(Role.PHARMACIST, "/look-alikes").text
    assert 'value="confirm"' not in pair.get(Role.TECHNICIAN, "/look-alikes").text
