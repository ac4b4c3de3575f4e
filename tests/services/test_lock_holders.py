"""Whose the service lock is by the books: the machine's events, and its answers that come over another session."""

import pytest

from hub.domain.identifiers import UserId
from hub.domain.ledger import LedgerEntry
from hub.domain.people import Role, User
from hub.services.service_acts import holders_in, objection_to_move, owner_of

DEVICE = "packager-1"
ANNA, BORIS = (User(UserId(f"{name}-id"), name, Role.ENGINEER, name, "") for name in ("anna", "boris"))


def entry(seq: int, kind: str, **data: object) -> LedgerEntry:
    return LedgerEntry(seq, "2026-03-02T06:00:00Z", "x", kind, {"device": DEVICE, **data}, "0" * 64, "f" * 64)


def told(seq: int, mode: str, owner: str, event: int = 0, boot: int = 1, **more: object) -> LedgerEntry:
    """Return the entry of a lock event."""
    return entry(
        seq, "service-lock", mode=mode, owner=owner, **({"boot": boot, "event": event} if event else {}), **more
    )


def done(seq: int, asked: int, owner: str, rc: str = "OK", **more: object) -> LedgerEntry:
    """Return the entry of an answer to a lock act; an empty owner is a lock that was given back."""
    said = {"locked": bool(owner), "owner": owner}
    return entry(seq, "service-answered", act="lock", asked=asked, rc=rc, data=said, **more)


@pytest.mark.parametrize(
    ("events", "answers", "holders"),
    [
        ([], [], ("",)),
        ([told(1, "taken", "anna")], [], ("anna",)),
        ([told(2, "released", "anna"), told(1, "taken", "anna")], [], ("",)),
        ([], [done(2, 1, "anna")], ("anna",)),
        ([told(1, "taken", "anna")], [done(3, 2, "boris")], ("boris",)),
        ([told(1, "taken", "anna")], [done(3, 2, "")], ("",)),
        ([told(4, "taken-over", "boris"), told(1, "taken", "anna")], [done(3, 2, "boris")], ("boris",)),
        ([told(1, "taken", "anna")], [done(3, 2, "boris", rc="LOCKED")], ("anna",)),
        ([told(1, "taken", "anna")], [done(3, 2, "boris", rc="UNANSWERED")], ("anna",)),
    ],
)
def test_the_last_event_or_a_later_answer_names_the_holder(
    events: list[LedgerEntry], answers: list[LedgerEntry], holders: tuple[str, ...]
) -> None:
    assert holders_in(DEVICE, events, answers) == holders


@pytest.mark.parametrize(
    ("events", "answers", "holders"),
    [
        ([told(4, "taken", "anna"), told(1, "released", "x")], [done(3, 2, "boris")], ("anna", "boris")),
        ([told(3, "taken", "anna")], [done(4, 2, "boris")], ("boris", "anna")),
        ([told(5, "released", "boris")], [done(3, 2, "boris")], ("", "boris")),
        ([], [done(4, 2, "boris"), done(3, 1, "anna")], ("boris", "anna")),
    ],
)
def test_words_of_which_none_is_surely_older_all_count(
    events: list[LedgerEntry], answers: list[LedgerEntry], holders: tuple[str, ...]
) -> None:
    assert holders_in(DEVICE, events, answers) == holders


@pytest.mark.parametrize(
    ("late", "newest"),
    [
        (told(9, "taken", "anna", event=1), told(8, "taken-over", "boris", event=2)),
        (told(9, "taken", "anna", event=70), told(8, "taken-over", "boris", boot=2, event=1)),
        (told(9, "taken", "anna", event=9), told(8, "taken-over", "boris", event=10)),
    ],
)
def test_an_event_that_came_late_is_older_all_the_same(late: LedgerEntry, newest: LedgerEntry) -> None:
    assert holders_in(DEVICE, [late, newest], []) == ("boris",)


def test_words_of_another_machine_and_other_acts_are_none_of_this_one() -> None:
    others = told(8, "taken", DEVICE, device="packager-2"), done(9, 7, DEVICE, device="packager-2")
    tested = entry(6, "service-answered", act="self-test", asked=5, rc="OK", data={"door": "passed"})
    assert holders_in(DEVICE, [others[0], told(2, "taken", "anna")], [others[1], tested]) == ("anna",)


def test_nobody_moves_a_machine_that_is_free_or_another_s_or_may_be() -> None:
    anna, boris = owner_of(ANNA), owner_of(BORIS)
    assert objection_to_move((anna,), ANNA) is None
    for holders, code, word in [
        (("",), "not-locked", "Take"), ((boris,), "not-your-lock", boris), ((anna, boris), "not-your-lock", boris),
        ((anna, ""), "not-locked", "Take"), (("", boris), "not-your-lock", boris),
    ]:  # fmt: skip
        objection = objection_to_move(holders, ANNA)
        assert objection is not None and objection.code == code and word in objection.text
