"""What the store writes of the values in a fact is what the slow way writes, whatever stands in them."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters.plain_facts import plain, plain_fact, quick_canonical_text
from hub.domain.ledger import NotCanonical, canonical_text
from hub.domain.orders import Check, Outcome, Reason

WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
REASONS = st.lists(st.builds(Reason, rule=WORDS, text=WORDS, source=WORDS, text_ru=WORDS), max_size=3).map(tuple)
CHECKS = st.lists(st.builds(Check, name=WORDS, passed=st.booleans(), text=WORDS, text_ru=WORDS), max_size=3).map(tuple)


@given(REASONS, CHECKS, WORDS)
@settings(max_examples=100)
def test_reasons_and_checks_that_are_written_once_are_written_as_ever(reasons: tuple[Reason, ...], checks: tuple[Check, ...], word: str) -> None:
    fact: dict[str, Any] = {"version": 2, "reasons": reasons, "checks": checks, "note": word, "outcome": Outcome.PRN, "units": (Fraction(1, 2), None)}
    for _ in range(2):
        assert quick_canonical_text(plain_fact(fact)) == canonical_text(plain(fact))


def test_a_letter_beyond_the_basic_plane_and_one_without_utf_8() -> None:
    beyond = {"reasons": (Reason("rule", "\U0001f48a \ue000", "source"),), "\U0001f48a": "x", "\ue000": "y"}
    assert quick_canonical_text(plain_fact(beyond)) == canonical_text(plain(beyond))
    alone = {"reasons": (Reason("rule", "\ud800", "source"),)}
    assert quick_canonical_text(plain_fact(alone)) == canonical_text(plain(alone))


@pytest.mark.parametrize("value", [0.5, 2**53, {1: "x"}, object()])
def test_what_cannot_be_written_exactly_is_refused_wherever_it_stands(value: object) -> None:
    for fact in ({"value": value}, {"value": [value]}, {"reasons": (Reason("a", "b"),), "value": {"deep": (value,)}}):
        with pytest.raises(NotCanonical):
            quick_canonical_text(plain_fact(fact))
