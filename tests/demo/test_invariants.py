"""The judges of a day: silent about one that is sound, and each gross corruption found by its rule although the chain holds."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_day import Entries, changed, sealed, small_day, with_data

from hub.adapters.ledger_export import verify_export
from hub.demo.invariants import RULES, imbalance, judge

LINES, TABLETS, RELEASE, IDENTIFIED, STOPPED = (
    "1-every-line-has-one-outcome", "4-tablets-conserved", "5-released-only-when-proven", "6-given-only-when-identified", "7-stopped-is-refused",
)  # fmt: skip
ENDS, LIVE, MOVED = "3-packs-and-doses-end-once", "2-one-live-pack-a-dose", "9-moved-at-most-once"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Entries:
    """Offer the entries of one small day, run once."""
    return small_day(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def entries(recorded: Entries) -> Entries:
    """Offer a copy that a test may spoil."""
    return copy.deepcopy(recorded)


def judged(entries: Entries, folder: Path) -> dict[str, Any]:
    """Judge entries as the demonstration does: written to an export, verified, and read back."""
    export = folder / "ledger.ndjson"
    export.write_bytes(sealed(entries))
    verified = verify_export(export)
    assert verified.fault is None, verified
    return judge([json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()], True, 0)


def test_a_sound_day_keeps_every_rule(entries: Entries, tmp_path: Path) -> None:
    answers = judged(entries, tmp_path)
    assert set(answers.values()) == {True}
    assert len(answers) == len(RULES) + 2 == 9
    assert imbalance(entries) == 0


def test_a_broken_chain_and_a_mismatch_are_told(entries: Entries) -> None:
    assert judge(entries, False, 0)["8-ledger-unchanged"] is False
    assert judge(entries, True, 1)[MOVED] is False


def test_nothing_at_all_exercises_nothing_that_needs_a_day() -> None:
    answers = judge([], True, 0)
    assert {answers[name] for name in (LINES, LIVE, RELEASE, IDENTIFIED, STOPPED)} == {"not-exercised"}


def _all(kind: str, **members: Any) -> Callable[[Entries], Entries]:
    return lambda entries: changed(entries, kind, with_data(**members))


def _without(kind: str, **where: Any) -> Callable[[Entries], Entries]:
    def leave_out(entry: dict[str, Any]) -> dict[str, Any] | None:
        return None if where.items() <= entry["data"].items() else entry

    return lambda entries: changed(entries, kind, leave_out)


def _by(kind: str, actor: str) -> Callable[[Entries], Entries]:
    return lambda entries: changed(entries, kind, lambda entry: {**entry, "actor": actor})


def _again(kind: str, **where: Any) -> Callable[[Entries], Entries]:
    def twice(entries: Entries) -> Entries:
        found = next(entry for entry in entries if entry["kind"] == kind and where.items() <= entry["data"].items())
        return [*entries, found]

    return twice


def _cancelled_were_given(entries: Entries) -> Entries:
    """Turn every cancelled dose into a given one, with the moves that belong to it, as if out of the ward's stock."""
    planned = {entry["data"]["dose"]: entry["data"] for entry in entries if entry["kind"] == "dose-planned"}

    def given(entry: dict[str, Any]) -> dict[str, Any]:
        dose = planned[entry["data"]["dose"]]
        data = {"dose": dose["dose"], "patient": dose["patient"], "pack": None, "units": dose["units"]}
        return {**entry, "kind": "dose-given", "actor": "u-nurse", "data": data}

    return changed(entries, "dose-cancelled", given)


def _returned_was_given(entries: Entries) -> Entries:
    """Turn the return of a stopped dose's pack into its giving, move and all."""
    stopped = {entry["data"]["order"] for entry in entries if entry["kind"] == "order-changed"}
    planned = {e["data"]["dose"]: e["data"] for e in entries if e["kind"] == "dose-planned" and e["data"]["order"] in stopped}
    pack_of = {e["data"]["doses"][0]: e["data"]["pack"] for e in entries if e["kind"] == "pack-expected"}
    packs = {pack_of[dose]: data for dose, data in planned.items() if dose in pack_of}

    def given(entry: dict[str, Any]) -> dict[str, Any]:
        kind, data = entry["kind"], entry["data"]
        if kind == "pack-restocked" and data["pack"] in packs:
            return {**entry, "kind": "pack-given", "actor": "u-nurse", "data": {"pack": data["pack"], "patient": packs[data["pack"]]["patient"]}}
        if kind == "stock-moved" and data["because"] == "restocked" and data["pack"] in packs:
            return {**entry, "data": {**data, "to": f"patient:{packs[data['pack']]['patient']}", "because": "given"}}
        if kind == "dose-returned" and data["dose"] in planned:
            dose = planned[data["dose"]]
            told = {"dose": dose["dose"], "patient": dose["patient"], "pack": pack_of[dose["dose"]], "units": dose["units"]}
            return {**entry, "kind": "dose-given", "actor": "u-nurse", "data": told}
        return entry

    return [given(entry) for entry in entries]


def _stopped_before(entries: Entries) -> Entries:
    """Write that the order of a given dose had been stopped an hour before."""
    dose = next(entry["data"]["dose"] for entry in entries if entry["kind"] == "dose-given")
    order = next(e["data"]["order"] for e in entries if e["kind"] == "dose-planned" and e["data"]["dose"] == dose)
    stop = next(entry for entry in entries if entry["kind"] == "order-changed")
    file = next(entry for entry in entries if entry["kind"] == "changes-received")
    at = next(index for index, entry in enumerate(entries) if entry["kind"] == "pack-released")
    more = [with_data(sha256="other")(file), with_data(sha256="other", order=order)(stop)]
    return [*entries[:at], *more, *entries[at:]]


def _reviewed_without_word(entries: Entries) -> Entries:
    return _all("pack-released", by="review")(_without("review-decided")(entries))


def _nine_of_another(entries: Entries) -> Entries:
    return _all("job-queued", fills=[{"slot": 1, "cassette": 1, "count": 9}])(entries)


def _lots_expired(entries: Entries) -> Entries:
    expire = with_data(expires_on="2020-01-01")
    return changed(entries, "stock-moved", lambda entry: expire(entry) if entry["data"]["because"] == "receipt" else entry)


def _lines_hidden_by_changes(entries: Entries) -> Entries:
    """Leave out the lines of the sheet that brought no dose, and let a long changes file bring as many others."""
    shorn = _without("line-decided", outcome="needs-review")(entries)
    line = next(entry for entry in entries if entry["kind"] == "line-decided" and entry["data"]["outcome"] == "needs-review")
    more = [with_data(order=f"more-{number}", sha256="other", position=f"line {number}")(line) for number in range(9)]
    file = next(entry for entry in entries if entry["kind"] == "changes-received")
    return [*shorn, with_data(sha256="other", orders=9)(file), *more]


def _released_was_in_doubt(entries: Entries) -> Entries:
    """Write that the machine was in doubt about a pouch that went out and was given."""
    given = {entry["data"]["pack"] for entry in entries if entry["kind"] == "pack-given"}
    jobs = [e["data"]["job"] for e in entries if e["kind"] == "pack-expected" and e["data"]["pack"] in given and e["data"]["job"]]
    told = entries
    for kind in ("job-in-doubt", "doubt-decided", "doubt-resolved"):
        told = _all(kind, job=jobs[0])(told)
    return told


CORRUPTIONS: dict[str, tuple[Callable[[Entries], Entries], set[str]]] = {
    "lines of the sheet never decided": (_without("line-decided", outcome="needs-review"), {LINES}),
    "lines never decided, as many more in a changes file": (_lines_hidden_by_changes, {LINES}),
    "no line decided": (_without("line-decided"), {LINES}),
    "a line decided twice": (_again("line-decided", order="n"), {LINES}),
    "a stop that is nowhere told": (_without("order-changed"), {LINES}),
    "a sheet that was never received": (_without("sheet-received"), {LINES}),
    "no file received": (lambda entries: _without("sheet-received")(_without("changes-received")(entries)), {LINES}),
    "no stock move at all": (_without("stock-moved"), {TABLETS, RELEASE}),
    "nothing moved out of cassettes": (_without("stock-moved", because="drop"), {TABLETS, RELEASE}),
    "nothing moved by pickers": (_without("stock-moved", because="pick"), {TABLETS, RELEASE}),
    "nothing moved to patients": (_without("stock-moved", because="given"), {TABLETS}),
    "nothing moved into cassettes": (_without("stock-moved", because="cassette-load"), {TABLETS}),
    "no cassette loaded": (_without("cassette-loaded"), {TABLETS, RELEASE}),
    "more given than planned": (_all("dose-given", units="3"), {TABLETS, IDENTIFIED}),
    "every planned dose seven units": (_all("dose-planned", units="7"), {TABLETS, RELEASE, IDENTIFIED}),
    "all given by a technician": (_by("dose-given", "u-technician"), {IDENTIFIED}),
    "all given by somebody unknown": (_by("dose-given", "u-nobody"), {IDENTIFIED}),
    "packs given by one nurse, their doses by none": (_by("pack-given", "u-technician"), {IDENTIFIED}),
    "all given to somebody else": (_all("dose-given", patient="p9"), {IDENTIFIED, TABLETS}),
    "packs given to somebody else": (_all("pack-given", patient="p9"), {IDENTIFIED}),
    "packed for somebody else": (_all("pack-expected", patient="p9"), {IDENTIFIED}),
    "given without a pack": (_all("dose-given", pack=None), {IDENTIFIED}),
    "packs given and no dose": (_without("dose-given"), {IDENTIFIED, TABLETS, ENDS}),
    "doses given and no pack": (_without("pack-given"), {IDENTIFIED, ENDS}),
    "cancelled doses were given": (_cancelled_were_given, {STOPPED, IDENTIFIED, TABLETS}),
    "a revoked pack was given": (_returned_was_given, {STOPPED}),
    "given after the stop": (_stopped_before, {STOPPED}),
    "given before the ward had it": (_without("pack-received"), {STOPPED}),
    "every pack expired long ago": (_all("pack-expected", expires_on="2020-01-01"), {RELEASE, STOPPED}),
    "every lot expired long ago": (_lots_expired, {RELEASE, STOPPED}),
    "every job asks nine of another cassette": (_nine_of_another, {RELEASE}),
    "everything released by review, nobody decided": (_reviewed_without_word, {RELEASE}),
    "everything released by review": (_all("pack-released", by="review"), {RELEASE}),
    "the reviewer said no": (_all("review-decided", decision="reject"), {RELEASE}),
    "a nurse decided the review": (_by("review-decided", "u-nurse"), {RELEASE}),
    "pickers' packs released by the camera": (_all("pack-released", by="camera"), {RELEASE}),
    "nothing verified": (_without("pack-verified"), {RELEASE}),
    "another serial read": (_all("pack-verified", read=["OTHER"]), {RELEASE}),
    "everything failed": (_all("pack-verified", verdict="FAIL"), {RELEASE}),
    "a pack released twice": (_again("pack-released"), {RELEASE}),
    "a dose ended twice": (_again("dose-given"), {ENDS}),
    "a pack expected twice": (_again("pack-expected"), {ENDS}),
    "a job queued twice": (_again("job-queued"), {MOVED}),
    "a job ended twice": (_again("job-ended"), {MOVED}),
    "nobody decided about the doubt": (_without("doubt-decided"), {MOVED}),
    "a nurse decided about the doubt": (_by("doubt-decided", "u-nurse"), {MOVED}),
    "one person twice decided about the doubt": (_all("doubt-decided", second="u-technician"), {MOVED}),
    "a question that was never asked was answered": (_all("doubt-decided", event=99), {MOVED}),
    "another number was booked than was counted": (_all("doubt-resolved", counted=2), {MOVED}),
    "a doubt was booked twice": (_again("doubt-resolved"), {MOVED}),
    "an older question was asked again": (_again("job-in-doubt"), {MOVED}),
    "a pouch in doubt was released and given": (_released_was_in_doubt, {RELEASE, MOVED}),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_found_by_its_rule_although_the_chain_holds(name: str, entries: Entries, tmp_path: Path) -> None:
    corrupt, rules = CORRUPTIONS[name]
    answers = judged(corrupt(entries), tmp_path)
    assert {rule for rule in rules if answers[rule] is not False} == set()


def test_a_second_live_pack_of_a_dose_is_found(entries: Entries, tmp_path: Path) -> None:
    first = next(index for index, entry in enumerate(entries) if entry["kind"] == "pack-expected")
    entries.insert(first + 1, with_data(pack="SECOND")(entries[first]))
    assert judged(entries, tmp_path)[LIVE] is False


def test_a_corrected_entry_does_not_count(entries: Entries, tmp_path: Path) -> None:
    given = next(entry for entry in entries if entry["kind"] == "dose-given")
    entries.append(given)
    correction = {**given, "kind": "correction", "data": {"corrects": len(entries), "reason": "written twice"}}
    assert set(judged([*entries, correction], tmp_path).values()) == {True}


def test_what_was_given_after_an_unknown_stop_is_held_by_its_incident(entries: Entries, tmp_path: Path) -> None:
    stopped = _stopped_before(entries)
    dose = next(entry["data"]["dose"] for entry in entries if entry["kind"] == "dose-given")
    incident = {**entries[0], "kind": "incident-opened", "data": {"incident": "i", "kind": "given-after-change", "dose": dose, "text": ""}}
    assert judged([*stopped, incident], tmp_path)[STOPPED] is True
