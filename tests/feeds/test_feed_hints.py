"""Calls of a FHIR Subscription: who may call, how often, which numbers came; nothing else of them is believed."""

import json
from typing import Any

import pytest

from hub.adapters.feeds import hints
from hub.adapters.feeds.hints import Heard, HintGate, Numbers, numbers_of


def r5(*numbers: int, total: int | None = None, kind: str = "event-notification", subscription: str = "Subscription/1") -> bytes:
    status: dict[str, Any] = {"resourceType": "SubscriptionStatus", "type": kind, "subscription": {"reference": subscription}}
    status["notificationEvent"] = [{"eventNumber": str(number)} for number in numbers]
    if total is not None:
        status["eventsSinceSubscriptionStart"] = str(total)
    return json.dumps({"resourceType": "Bundle", "type": "subscription-notification", "entry": [{"resource": status}]}).encode()


def backport(number: int) -> bytes:
    parameters = [
        {"name": "subscription", "valueReference": {"reference": "Subscription/1"}},
        {"name": "events-since-subscription-start", "valueString": "99"},
        {"name": "notification-event", "part": [{"name": "event-number", "valueString": str(number)}]},
    ]
    status = {"resourceType": "Parameters", "parameter": parameters}
    return json.dumps({"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}).encode()


def gate() -> HintGate:
    return HintGate({"a": "right", "b": "other", "c": ""})


@pytest.mark.parametrize(
    ("source", "token", "is_right"),
    [("a", "right", True), ("a", "wrong", False), ("a", "other", False), ("a", "", False), ("b", "other", True), ("c", "", False), ("d", "", False), ("d", "\x00", False), ("a", "рight", False)],
)
def test_only_the_token_of_the_source_speaks_for_it(source: str, token: str, is_right: bool) -> None:
    assert gate().is_right(source, token) is is_right


def test_calls_are_limited_by_the_minute_and_by_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "CALLS_A_MINUTE", 2)
    callers = gate()
    assert [callers.wait_s("a", at) for at in (0.0, 10.0, 20.0)] == [0.0, 0.0, 40.0]
    assert callers.wait_s("b", 20.0) == 0.0
    assert callers.wait_s("a", 60.0) == 0.0
    assert callers.wait_s("a", 61.0) == 9.0


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"entry": []}', b'{"entry": [{"resource": 1}]}', b'{"resourceType": "MedicationRequest", "id": "1"}', b"[" * 100_000, b'{"entry": {"0": 1}}'])
def test_a_call_without_numbers_is_a_plain_hint(body: bytes) -> None:
    assert numbers_of(body) is None
    assert gate().heard("a", body) == Heard()


def test_numbers_are_read_in_both_forms() -> None:
    assert numbers_of(r5(4, 5, 6)) == Numbers("Subscription/1", 4, 6)
    assert numbers_of(r5(total=7, kind="heartbeat")) == Numbers("Subscription/1", 8, 7)
    assert numbers_of(backport(12)) == Numbers("Subscription/1", 12, 12)
    assert numbers_of(r5(4).replace(b'"4"', b'"-4"')) is None
    assert numbers_of(r5(4).replace(b'"4"', b"4")) == Numbers("Subscription/1", 4, 4)


def test_a_gap_is_found_once_and_repetitions_are_none() -> None:
    callers = gate()
    calls = [r5(3), r5(4), r5(4), r5(7), r5(8, 9), r5(total=9, kind="heartbeat"), r5(total=11, kind="heartbeat"), r5(12)]
    assert [callers.heard("a", body).missing for body in calls] == [None, None, None, (5, 6), None, None, (10, 11), None]


def test_subscriptions_are_counted_apart_and_a_new_start_is_no_gap() -> None:
    callers = gate()
    assert callers.heard("a", r5(10)) == Heard()
    assert callers.heard("a", r5(1, subscription="Subscription/2")) == Heard()
    assert callers.heard("b", r5(90)) == Heard()
    assert callers.heard("a", r5(1)) == Heard()  # the subscription was begun anew
    assert callers.heard("a", r5(3)) == Heard((2, 2))
    for number in range(100):
        callers.heard("a", r5(1, subscription=f"Subscription/{number}"))
    assert len(callers._callers["a"].last_numbers) == hints.SUBSCRIPTIONS_AT_MOST
