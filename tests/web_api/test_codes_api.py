"""Unknown words over the API and on their page: who may answer, once, and what a refusal says."""

from typing import Any

import pytest

from hub.domain.people import Action, Role, may
from tests.services.small_world import order_line
from tests.web_api.api_client import Api

BODY = {"source": "hospital", "kind": "frequency", "code": "1т 2 р", "meaning": "BID"}


def asked(api: Api) -> None:
    api.world.sheet(order_line("a", code="1т 2 р"), order_line("b", patient=2, code="1т 2 р"))


def decide(api: Api, role: Role = Role.PHARMACIST, **changes: str) -> Any:
    return api.post(role, "/api/codes/decide", **{**BODY, **changes})


def test_each_role_may_read_and_answer_what_the_table_says(api: Api) -> None:
    asked(api)
    for role in Role:
        assert (api.get(role, "/api/codes").status_code != 403) == may(role, Action.READ_LINE)
        assert (decide(api, role).status_code != 403) == may(role, Action.DECIDE_LINES), role


def test_an_answer_counts_once_and_is_told(api: Api) -> None:
    asked(api)
    first, again = (decide(api, event="event-once") for _ in range(2))
    assert first.json() == again.json() == {"meaning": "BID", "lines": 2, "waiting": 0, "planned": 4}
    assert len(api.world.facts("code-decided")) == 1
    board = api.get(Role.PHARMACIST, "/api/codes").json()
    assert board["questions"] == [] and board["answered"][0]["meaning"] == "BID" and board["answered"][0]["by"] == "pharmacist"


@pytest.mark.parametrize(("changes", "status", "code"), [({"meaning": "вздор"}, 409, "meaning"), ({"code": "другое"}, 409, "unknown-code"), ({"kind": "x"}, 422, "unreadable")])
def test_a_wrong_answer_is_refused_with_a_reason(api: Api, changes: dict[str, str], status: int, code: str) -> None:
    asked(api)
    answer = decide(api, **changes)
    assert (answer.status_code, answer.json()["refused"]) == (status, code) and answer.json()["reason"]


@pytest.mark.parametrize(("language", "words"), [("ru", ("Кратность", "ждёт строк: 2", "Запомнить")), ("en", ("Frequency", "lines waiting: 2", "Remember this"))])
def test_the_page_asks_in_both_languages_and_names_no_patient(api: Api, language: str, words: tuple[str, ...]) -> None:
    asked(api)
    page = api.get(Role.PHARMACIST, "/codes", language=language)
    assert page.status_code == 200 and f'lang="{language}"' in page.text
    assert all(word in page.text for word in words) and "1т 2 р" in page.text
    assert not [word for word in ("W-1", "Family1") if word in page.text]


def test_who_may_not_answer_sees_the_question_without_a_form(api: Api) -> None:
    asked(api)
    page = api.get(Role.SENIOR_NURSE, "/codes", language="ru").text
    assert "Ответить может фармацевт." in page and "data-answer" not in page


def test_a_source_s_text_is_never_markup(api: Api) -> None:
    api.world.sheet(order_line("a", code='"><script>x</script>'))
    page = api.get(Role.PHARMACIST, "/codes").text
    assert "<script>x" not in page and "&lt;script&gt;x" in page
