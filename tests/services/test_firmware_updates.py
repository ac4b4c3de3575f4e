"""Updates as the hub keeps them, and the steps of a machine's jobs: pure values."""

import json

from hub.domain.ledger import LedgerEntry
from hub.domain.refusals import Refusal
from hub.services.firmware_updates import NOTES_KEPT, FirmwareAct, Update, UpdateNews, Updates
from hub.services.machine_journal import STEPS, questions, steps_of

ACT = FirmwareAct("1.2.0", 1000, "ab" * 32)
BEGUN = Update("u-1", "event-1", ACT)


def entry(seq: int, kind: str, **data: object) -> LedgerEntry:
    return LedgerEntry(seq, "2026-03-02T06:00:00Z", "system", kind, data, "0" * 64, "f" * 64)


def test_news_change_what_they_tell_and_nothing_else() -> None:
    carried = BEGUN.after(UpdateNews(phase="carrying")).after(UpdateNews(carried=400))
    assert (carried.phase, carried.carried, carried.is_over) == ("carrying", 400, False)
    back = carried.after(UpdateNews(carried=0, note="resumed"))
    assert (back.carried, back.notes, back.phase) == (0, ("resumed",), "carrying")
    over = back.after(UpdateNews(rc="OK", words="Confirmed"))
    assert over.is_over and over.words == "Confirmed"


def test_notes_are_bounded_and_the_newest_stay() -> None:
    update = BEGUN
    for number in range(NOTES_KEPT + 5):
        update = update.after(UpdateNews(note=str(number)))
    assert len(update.notes) == NOTES_KEPT and update.notes[-1] == str(NOTES_KEPT + 4)


def test_what_the_page_is_told_names_nobody() -> None:
    told = json.dumps(BEGUN.after(UpdateNews(slots={"active": "A"})).facts())
    assert "u-1" not in told and "event-1" not in told and '"version": "1.2.0"' in told


def test_a_machine_is_updated_by_one_at_a_time_and_is_free_afterwards() -> None:
    updates = Updates()
    assert updates.get("packager-1") is None and updates.begin("packager-1", BEGUN) is None
    second = updates.begin("packager-1", BEGUN)
    assert isinstance(second, Refusal) and second.code == "update-runs"
    assert updates.begin("packager-2", BEGUN) is None
    updates.hear("packager-1", UpdateNews(rc="SIGNATURE", words="not the maker's"))
    assert updates.begin("packager-1", BEGUN) is None
    updates.forget("packager-1")
    assert updates.get("packager-1") is None


def test_steps_are_those_of_the_job_in_their_order_with_their_numbers_only() -> None:
    entries = [
        entry(9, "job-ended", job="j-1", state="done", reason="Ivanov asked"),
        entry(3, "job-queued", job="j-1", pack="P", device="packager-1", fills=["dose of Ivanov"]),
        entry(5, "job-in-doubt", job="j-1", slot=0, boot=2, event=7, device="packager-1"),
        entry(4, "job-queued", job="j-2", pack="P", device="packager-1", fills=[]),
    ]
    steps = steps_of("j-1", entries)
    assert [(step["word"], step["facts"]) for step in steps] == [
        ("queued", ""),
        ("in doubt", "slot 0, boot 2, event 7"),
        ("ended", "state done"),
    ]
    assert "Ivanov" not in str(steps)


def test_the_ledger_is_asked_once_for_each_kind_and_not_at_all_without_a_job() -> None:
    asked = questions([{"job": "j-1"}, {"job": "j-2"}])
    assert [question.kind for question in asked] == list(STEPS)
    assert {question.about for question in asked} == {("j-1", "j-2")}
    assert questions([]) == []
