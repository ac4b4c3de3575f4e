"""A hospital's own ward times and rules stand over those that ship; what cannot be read is named by row, column or rule."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.ward_clock import read_ward_clock, shipped_table, ward_clock_of
from hub.domain.frequencies import FrequencyRule
from hub.domain.schedule_rules import HOUSE_RULES, FirstDose, IntervalAnchor, MonthEnd

OWN = """
[rules]
interval_anchor = "first-dose"
first_dose = "at-start"
first_gap_minutes = 120
month_end = "skip"

[[rows]]
code = "BID"
kind = "regular"
times = "09:00;21:00"

[[rows]]
code = "bid"
ward = "Кардиология"
kind = "regular"
times = "07:00;19:00"
valid_from = "2026-05-01"

[[rows]]
code = "NOON"
kind = "event"
times = "12:30"
"""


def times_of(found: FrequencyRule | None) -> tuple[time, ...]:
    assert found is not None
    return found.times


def test_own_rows_stand_in_the_place_of_those_that_ship_or_beside_them() -> None:
    table, rules = read_ward_clock("clock.toml", OWN.encode())
    before, after = date(2026, 4, 30), date(2026, 5, 1)
    assert times_of(table.find("BID", "Терапия", before)) == times_of(table.find("BID", "Кардиология", before)) == (time(9), time(21))
    assert times_of(table.find("BID", "кардиология", after)) == (time(7), time(19))
    noon = table.event("NOON", "", after)
    assert noon is not None and noon.times == (time(12, 30),)
    assert times_of(table.find("NOON", "", after)) == (time(12),)
    assert len(table) == len(shipped_table()) + 1
    assert (rules.interval_anchor, rules.first_dose, rules.month_end) == (IntervalAnchor.FIRST_DOSE, FirstDose.AT_START, MonthEnd.SKIP)
    assert rules.first_gap == timedelta(hours=2)


def test_an_empty_file_changes_nothing() -> None:
    table, rules = read_ward_clock("clock.toml", b"")
    assert dict(table) == dict(shipped_table()) and rules == HOUSE_RULES


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("rules = 1", "no table of rules"), ("[rules]\nanchor = 1", "field anchor"), ('[rules]\nfirst_dose = "soon"', "next-time, at-start"),
        ("[rules]\nfirst_gap_minutes = -1", "first_gap_minutes"), ("[wards]", "field wards"), ("rows = 1", "no list"), ('[[rows]]\ncode = "X"', "field kind"),
        ('[[rows]]\ncode = "X"\nkind = "regular"\nclock = "08:00"', "field clock"), ('[[rows]]\ncode = "X"\nkind = "regular"\ntimes = "25:00"', "row 2"),
        ('[[rows]]\ncode = "X"\nkind = "regular"\ntimes = ["08:00"]', "texts"), ('[[rows]]\ncode = "X"\nkind = "once"\nvalid_from = "2026-05-01"', "means nothing before"),
        ("[", "no TOML"), ('[[rows]]\ncode = "X"\nkind = "once"\n[[rows]]\ncode = "x"\nkind = "once"', "twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(text: str, word: str) -> None:
    with pytest.raises(IntakeError, match="clock") as refused:
        read_ward_clock("clock.toml", text.encode())
    assert word in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="none"):
        ward_clock_of(tmp_path / "none.toml")
