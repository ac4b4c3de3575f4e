"""Reference looks over the API and on their page: who may read and decide, in both languages, with thresholds and measured rates."""

import json
import re
from pathlib import Path

import pytest

from hub.adapters.picture_figures import picture_figures, thresholds_digest, write_rates
from hub.domain.identifiers import DrugCode, LotId, PackSerial
from hub.domain.people import Action, Role, may
from hub.domain.picture_figures import PictureRate
from hub.domain.references import (
    PACKS_TO_LEARN,
    MeasuredLook,
    ReferenceState,
    Sighting,
    TabletReference,
    learned,
    with_sightings,
)
from tests.web_api.api_client import Api

BODY = {"item": "PLAIN", "lot": "P1", "deed": "confirm", "reason": "", "shown": "0" * 64}
RATES = (PictureRate("apart", "none", 970, 30, 0), PictureRate("apart", "missing", 0, 10, 290), PictureRate("apart", "alike", 5, 5, 90))


@pytest.fixture
def waiting(api: Api) -> Api:
    look = MeasuredLook(9000, 8900, 785, (250, 250, 248), (30, 30, 200))
    reference = TabletReference(LotId("PLAIN/P1"), DrugCode("PLAIN"))
    for number in range(PACKS_TO_LEARN):
        seen = [Sighting(reference.lot, look, f"{number}" * 64)]
        reference = with_sightings(reference, PackSerial(f"PACK{number}"), seen, proven=True)
    api.world.do(lambda unit: unit.tablet_references.put(learned(reference, {}, "")))
    return api


def test_each_role_may_read_and_decide_what_the_table_says(waiting: Api) -> None:
    for role in Role:
        assert (waiting.get(role, "/api/references").status_code == 200) == may(role, Action.DECIDE_REVIEWS), role
        assert (waiting.get(role, "/references").status_code == 200) == may(role, Action.DECIDE_REVIEWS), role
        assert (waiting.post(role, "/api/references", **BODY).status_code in (200, 409)) == may(role, Action.DECIDE_LINES), role


def test_a_confirmation_counts_and_a_refusal_says_why_in_both_languages(waiting: Api) -> None:
    stale = waiting.post(Role.PHARMACIST, "/api/references", **BODY)
    assert stale.status_code == 409 and stale.json()["refused"] == "look-again"
    (row,) = waiting.get(Role.PHARMACIST, "/api/references").json()
    assert f'data-shown="{row["shown"]}"' in waiting.get(Role.PHARMACIST, "/references").text
    shown = {**BODY, "shown": row["shown"]}
    assert waiting.post(Role.PHARMACIST, "/api/references", **shown).json() == {"state": "confirmed"}
    (row,) = waiting.get(Role.TECHNICIAN, "/api/references").json()
    assert (row["state"], row["deeds"], len(row["crops"])) == (ReferenceState.CONFIRMED.value, ["retire"], PACKS_TO_LEARN)
    refused = waiting.post(Role.PHARMACIST, "/api/references", **{**shown, "deed": "reject", "reason": "r"})
    assert refused.status_code == 409 and refused.json()["refused"] == "reference-state" and "состоянии" in refused.json()["reason_ru"]
    for bad in ({"deed": "maybe"}, {"item": ""}, {"more": "x"}):
        assert waiting.post(Role.PHARMACIST, "/api/references", **{**BODY, **bad}).status_code == 422


@pytest.mark.parametrize(("language", "words"), [("ru", ("ждёт подтверждения", "Порог", "цвет")), ("en", ("waits for you", "Threshold", "colour"))])
def test_the_page_shows_what_waits_and_every_threshold_in_the_language_that_is_asked_for(waiting: Api, language: str, words: tuple[str, ...]) -> None:
    page = waiting.get(Role.PHARMACIST, "/references", language=language).text
    assert all(word in page for word in words) and f'<div lang="{language}">' in page
    assert "/api/references/pictures/" + "0" * 64 in page and "#1e1ec8" in page and "#fafaf8" in page
    assert all(threshold.name in page for threshold in picture_figures().thresholds)
    assert 'value="reject"' in page and 'value="retire"' not in page


def test_who_may_not_decide_sees_no_buttons(waiting: Api) -> None:
    assert 'value="confirm"' in waiting.get(Role.PHARMACIST, "/references").text
    assert 'value="confirm"' not in waiting.get(Role.TECHNICIAN, "/references").text


def test_a_picture_that_is_not_there_is_refused_with_its_reason(waiting: Api) -> None:
    answer = waiting.get(Role.PHARMACIST, "/api/references/pictures/" + "0" * 64)
    assert answer.status_code == 404 and answer.json()["reason_ru"]


def test_rates_are_told_with_their_interval_and_with_whether_the_thresholds_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    assert picture_figures(path).rates == ()
    write_rates(RATES, "python -m somewhere", path)
    figures = picture_figures(path)
    assert figures.rates == RATES and figures.is_current and figures.command == "python -m somewhere"
    missing = figures.rates[1].said("en")["figure"]
    assert missing.startswith("0 in 300") and re.search(r"5 in 100 missed", figures.rates[2].said("en")["figure"])
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "thresholds": thresholds_digest()[::-1]}))
    assert not picture_figures(path).is_current
    path.write_text("{}")
    with pytest.raises(ValueError, match="rates"):
        picture_figures(path)
