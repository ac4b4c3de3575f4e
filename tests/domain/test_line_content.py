"""What dosages say of a drug is judged once, and never taken for what other dosages, another drug or another ward's table says."""

from dataclasses import replace

import pytest

from hub.domain import line_content
from hub.domain.drugs import Dosing
from hub.domain.line_content import HouseRules, content_of
from hub.domain.orders import RangePolicy, Reason
from hub.domain.schedule import DAY_SLOTS, HOUSE_RULES, Schedule
from tests.domain.domain_cases import LINE, METFORMIN, SOURCE, TABLE, drug, line, mg

HOUSE = HouseRules(TABLE, DAY_SLOTS, HOUSE_RULES, SOURCE)


def test_the_same_dosages_of_the_same_drug_are_judged_once_at_all_wards_where_they_mean_the_same() -> None:
    first = content_of(LINE, METFORMIN, "Терапия", HOUSE)
    assert content_of(replace(LINE, signed_by="", position="line 3"), METFORMIN, "Хирургия", HOUSE) is first
    assert isinstance(first.schedule, Schedule)
    assert (first.dose.passed, first.uncounted) == (True, None)


def test_other_dosages_drugs_and_settings_are_judged_by_themselves() -> None:
    content_of(LINE, METFORMIN, "Терапия", HOUSE)
    third = content_of(line(dose=mg(170)), METFORMIN, "Терапия", HOUSE)
    assert third.uncounted is not None
    assert content_of(LINE, drug(dosed=Dosing.WEEKLY), "Терапия", HOUSE).weekly
    assert content_of(LINE, None, "Терапия", HOUSE).uncounted is None
    unknown = content_of(line(timing=replace(LINE.dosages[0].timing, code="XYZ")), METFORMIN, "Терапия", HOUSE)
    assert isinstance(unknown.schedule, Reason)
    range_ = line(dose=(mg(500)[0], mg(1000)[0]))
    lower = HouseRules(TABLE, DAY_SLOTS, HOUSE_RULES, replace(SOURCE, range_policy=RangePolicy.LOWER))
    assert content_of(range_, METFORMIN, "Терапия", HOUSE).uncounted is not None
    assert content_of(range_, METFORMIN, "Терапия", lower).uncounted is None


def test_what_is_remembered_stays_limited_and_true(monkeypatch: pytest.MonkeyPatch) -> None:
    for remembered in ("_contents", "_schedules", "_same_schedules"):
        monkeypatch.setattr(line_content, remembered, {})
    monkeypatch.setattr(line_content, "_MOST_REMEMBERED", 20)
    for number in range(70):
        content = content_of(line(dose=mg(500 + number % 3)), METFORMIN, f"ward {number}", HOUSE)
        assert content.dose.text == f"dose {500 + number % 3} mg"
    assert max(map(len, (line_content._contents, line_content._schedules, line_content._same_schedules))) <= 20
