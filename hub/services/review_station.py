"""The review station: one pouch at a time before one person, looked at for long enough, and decided once.

A case is a review of a pouch or a known-bad one (`known_bad.py`); both are shown and decided by the same words.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.domain.commands import reason_words
from hub.domain.identifiers import PackSerial, UserId
from hub.domain.known_bad import Trial, TrialResult
from hub.domain.looking import Look, too_quick
from hub.domain.packs import PackState, Verdict
from hub.domain.records import Review
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.known_bad import (
    IsKept,
    decide_trial,
    is_left_behind,
    make_trial,
    open_trial,
    skip_trial,
    stat_waits,
    told_of,
    trial_due,
    withdraw_trial,
)
from hub.services.ports import UnitOfWork
from hub.services.reject_packs import Decision, decide_review, decision_ru, not_wanted, other_label, scan_reject
from hub.services.station_cases import expected_of, is_high_alert, review_case, shown_token, trial_case
from hub.services.verify_pack import POUCH, POUCH_FAILED

ACCEPT, REJECT, REMAKE = "accept", "reject", "remake"
SHOWN_AT_MOST = 200
LOOKS_MOVED = 5_000


@dataclass(frozen=True, slots=True)
class Station:
    """Who stands at the station, and when by the clock on the wall; a demonstration's clock stands still and times nobody."""

    person: UserId
    at: datetime
    house: House
    is_kept: IsKept


@dataclass(frozen=True, slots=True)
class Asked:
    """Which case is asked for: the one after `after`, the one called `case`, or the pouch whose label was scanned; else the next."""

    case: str = ""
    pack: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """What a person says of a case; `shown` names the showing that it rests on, `scanned` is the serial read off the pouch in the hand."""

    case: str
    shown: str
    decision: str
    scanned: str = ""
    reason: str = ""
    unreadable: bool = False


def waiting_reviews(unit: UnitOfWork) -> list[Review]:
    """Return the pouches that wait for an eye: urgent ones first, then as they came."""
    waiting = [review for review in unit.reviews.where(decision="", order_by="opened_at") if review.kind in (POUCH, POUCH_FAILED)]
    return sorted(waiting, key=lambda review: (not _is_stat(unit, review), review.opened_at, review.id))


def _is_stat(unit: UnitOfWork, review: Review) -> bool:
    pack = unit.packs.get(review.subject)
    return pack is not None and pack.stat


def queue_view(unit: UnitOfWork, station: Station) -> dict[str, Any]:
    """Return how many pouches wait and which; a known-bad one stands in the place of one that waits, so that every count agrees."""
    cases = _in_order(waiting_reviews(unit), open_trial(unit, station.person))
    return {"waiting": len(cases), "cases": [_row(unit, case) for case in cases[:SHOWN_AT_MOST]]}


def _in_order(reviews: list[Review], trial: Trial | None) -> list[Review | Trial]:
    """Return the cases in the order in which they are shown.

    A known-bad one stands in the place of the review that it was made for until it is decided, so that going on does not pass it over; where
    that review was decided meanwhile, in the place of the first; it is not shown while nothing waits.
    """
    cases: list[Review | Trial] = list(reviews)
    if trial is not None and cases:
        cases[next((place for place, review in enumerate(reviews) if review.id == trial.before), 0)] = trial
    return cases


def _row(unit: UnitOfWork, case: Review | Trial) -> dict[str, Any]:
    if isinstance(case, Trial):
        return {"case": case.id, "pack": case.serial, "verdict": Verdict.LOOK.value, "stat": False}
    return {"case": case.id, "pack": case.subject, "verdict": case.verdict, "stat": _is_stat(unit, case)}


def show_case(unit: UnitOfWork, station: Station, asked: Asked) -> dict[str, Any] | Refusal:
    """Show a person a case and record since when; `{"case": None}` where nothing waits."""
    trial = _trial_to_go_on_with(unit, station)
    found = _asked(unit, asked, trial)
    if found is None or isinstance(found, Refusal):
        return {"case": None} if found is None else found
    if trial is None and isinstance(found, Review):
        found = _tried_first(unit, station, asked, found)
    look = _shown(unit, station, found)
    return {"case": trial_case(unit, found, look) if isinstance(found, Trial) else review_case(unit, found, look)}


def _tried_first(unit: UnitOfWork, station: Station, asked: Asked, review: Review) -> Review | Trial:
    """Return the known-bad pouch that is due before a review, else the review; it is looked for once, before the review is shown first.

    Where the person named the pouch (scan, link), that one is shown, and the known-bad one counts as skipped.
    """
    rules = station.house.station
    if unit.looks.get(review.id, station.person) is not None or not trial_due(unit, rules, station.person, review.id, station.at):
        return review
    trial = make_trial(unit, rules, station.person, review.id, station.at, station.is_kept)
    if trial is not None and (asked.pack or asked.case):
        skip_trial(unit, trial)
        return review
    return trial or review


def shown_case(unit: UnitOfWork, station: Station, case: str) -> dict[str, Any] | None:
    """Return a case as it was shown to a person, or None where it was not, or is decided."""
    look = unit.looks.get(case, station.person)
    trial, review = unit.trials.get(case), unit.reviews.get(case)
    if look is None or look.decided_at is not None:
        return None
    if trial is not None:
        return trial_case(unit, trial, look) if trial.result is TrialResult.OPEN else None
    return review_case(unit, review, look) if review is not None and not review.decision else None


def _trial_to_go_on_with(unit: UnitOfWork, station: Station) -> Trial | None:
    """Return the person's known-bad pouch that is still open; it is withdrawn where urgent work waits, nobody came back to it, or a frame is gone."""
    trial = open_trial(unit, station.person)
    if trial is None:
        return None
    if stat_waits(unit) or is_left_behind(trial, station.at) or not _is_whole(station, trial):
        withdraw_trial(unit, trial, station.at)
        return None
    return trial


def _is_whole(station: Station, trial: Trial) -> bool:
    return all(map(station.is_kept, trial.evidence))


def _asked(unit: UnitOfWork, asked: Asked, trial: Trial | None) -> Review | Trial | Refusal | None:
    waiting = waiting_reviews(unit)
    if asked.pack:
        real = next((review for review in waiting if review.subject == asked.pack), None)
        named = trial if trial is not None and trial.serial == asked.pack else None
        return real or named or _not_here(unit, asked.pack)
    cases = _in_order(waiting, trial)
    if asked.case:
        return next((case for case in (*waiting, *cases) if case.id == asked.case), None) or _gone(unit, asked.case)
    after = next((place for place, case in enumerate(cases) if case.id == asked.after), -1)
    return cases[(after + 1) % len(cases)] if cases else None


def _not_here(unit: UnitOfWork, serial: str) -> Refusal:
    pack = unit.packs.get(PackSerial(serial))
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if pack.state is PackState.REVOKED:
        return Refusal("state", f"Pouch {serial} is rejected already: scan it into the reject bin at the line.", f"Пакет {serial} уже забракован: отсканируйте его в короб брака на странице линии.")
    return Refusal("state", f"Pouch {serial} does not wait for a decision.", f"Пакет {serial} не ждёт решения.")


def _gone(unit: UnitOfWork, case: str) -> Refusal:
    review = unit.reviews.get(case)
    if review is None:
        return Refusal("unknown-review", f"There is no case {case}.", f"Случая {case} нет.")
    return Refusal("decided", f"Pouch {review.subject} was decided before: {review.decision}.", f"О пакете {review.subject} уже решено: {decision_ru(review.decision)}.")


def _shown(unit: UnitOfWork, station: Station, case: Review | Trial) -> Look:
    """Record that a case is shown; the time runs on only while it is the one that the person was shown last."""
    newest = _newest_look(unit, station)
    if newest is not None and newest.case == case.id and newest.decided_at is None and newest.shown_at <= station.at:
        return newest
    if newest is not None and newest.shown_at >= station.at:
        _order_before(unit, station)
    look = Look(case.id, station.person, station.at, _least_s(unit, station, case))
    unit.looks.put(look)
    return look


def _order_before(unit: UnitOfWork, station: Station) -> None:
    """Put a person's looks that lie in the future before now, how long each took kept: the clock was set back, and the newest look is the newest."""
    for number, look in enumerate(unit.looks.where(person=station.person, order_by="-shown_at", limit=LOOKS_MOVED), 1):
        if look.shown_at < station.at:
            return
        shown_at = station.at - timedelta(microseconds=number)
        decided_at = shown_at + (look.decided_at - look.shown_at) if look.decided_at is not None else None
        unit.looks.put(replace(look, shown_at=shown_at, decided_at=decided_at))


def _newest_look(unit: UnitOfWork, station: Station) -> Look | None:
    """Return what the person was shown last."""
    newest = unit.looks.where(person=station.person, order_by="-shown_at", limit=1)
    return newest[0] if newest else None


def _least_s(unit: UnitOfWork, station: Station, shown: Review | Trial) -> int:
    if isinstance(shown, Trial):
        expected = shown.expected
    else:
        pack = unit.packs.get(shown.subject)
        expected = expected_of(unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None, pack)
    return station.house.station.least_of(is_high_alert=is_high_alert(unit, expected))


def decide_case(unit: UnitOfWork, station: Station, decision: CaseDecision) -> dict[str, Any] | Refusal:
    """Take a person's decision on the case that was shown to that person last, once.

    Answers `{"state": "accepted" | "rejected" | "remade", ...}`; `scan` where the pouch's own label must be scanned first; `test` with `told`
    where it was a known-bad one.
    """
    look = unit.looks.get(decision.case, station.person)
    refusal = _may_not(unit, station, look, decision)
    if refusal is not None:
        return refusal
    assert look is not None
    trial = unit.trials.get(decision.case)
    if trial is not None:
        return _decide_trial(unit, station, trial, look, decision)
    review = unit.reviews.get(decision.case)
    assert review is not None
    return _decide_review(unit, station, review, look, decision)


def decide_elsewhere(unit: UnitOfWork, station: Station, decision: Decision) -> Review | Refusal:
    """Take a decision that did not come from the station (line board, programs): a pouch is accepted only on a look that was timed here."""
    review = unit.reviews.get(decision.review)
    if not decision.accept or review is None or review.decision or review.kind != POUCH or not _is_quarantined(unit, review):
        return decide_review(unit, decision, station.house)
    look = _newest_look(unit, station)
    if look is None or look.case != review.id or look.decided_at is not None or look.shown_at > station.at:
        return Refusal("not-looked-at", f"Look at pouch {review.subject} at the review station (/station) before you accept it.", f"Сначала посмотрите на пакет {review.subject} на рабочем месте просмотра (/station), потом принимайте.")
    if (quick := too_quick(look, station.at)) is not None:
        return Refusal("too-quick", quick.en, quick.ru)
    decided = decide_review(unit, decision, station.house)
    if not isinstance(decided, Refusal):
        _record_look(unit, station, review, look, ACCEPT)
    return decided


def _may_not(unit: UnitOfWork, station: Station, look: Look | None, decision: CaseDecision) -> Refusal | None:
    review, trial = unit.reviews.get(decision.case), unit.trials.get(decision.case)
    if review is not None and review.decision:
        return _gone(unit, decision.case)
    if look is not None and look.decided_at is not None:
        return Refusal("decided", "You have decided about this pouch already.", "Вы уже решили об этом пакете.")
    if look is None or not _is_shown_now(unit, station, look, decision) or (trial is not None and trial.result is not TrialResult.OPEN):
        return Refusal("look-again", "This page shows an older state: look at the pouch that is shown now.", "Страница устарела: посмотрите на пакет, который показан сейчас.")
    if decision.decision == ACCEPT and review is not None and review.kind == POUCH_FAILED:
        return Refusal("failed", f"Pouch {review.subject} failed: it is rejected or made anew, never accepted.", f"Пакет {review.subject} не прошёл проверку: его бракуют или делают заново, принять нельзя.")
    if decision.decision == ACCEPT and review is not None and not _is_quarantined(unit, review):
        return not_wanted(review.subject)
    if decision.scanned not in ("", pouch := trial.serial if trial is not None else review.subject if review is not None else ""):
        return other_label(pouch, decision.scanned)
    if decision.decision == ACCEPT and (quick := too_quick(look, station.at)) is not None:
        return Refusal("too-quick", quick.en, quick.ru)
    if _needs_reason(review, decision) and not decision.reason:
        return Refusal("reason", "Say why the pouch is rejected.", "Укажите, почему пакет бракуется.")
    return None


def _is_shown_now(unit: UnitOfWork, station: Station, look: Look, decision: CaseDecision) -> bool:
    """Tell whether a decision rests on what the person was shown last."""
    newest = _newest_look(unit, station)
    return newest is not None and newest.case == look.case and shown_token(look) == decision.shown and look.shown_at <= station.at


def _is_quarantined(unit: UnitOfWork, review: Review) -> bool:
    pack = unit.packs.get(review.subject)
    return pack is not None and pack.state is PackState.QUARANTINED


def _needs_reason(review: Review | None, decision: CaseDecision) -> bool:
    """A pouch that failed has its reasons already; one whose label cannot be scanned needs one to be named by hand."""
    if decision.decision == ACCEPT:
        return False
    return decision.unreadable or review is None or review.kind == POUCH


def _decide_trial(unit: UnitOfWork, station: Station, trial: Trial, look: Look, decision: CaseDecision) -> dict[str, Any]:
    decided = _looked(unit, station, look, decision.decision)
    if not _is_whole(station, trial):
        return _told(withdraw_trial(unit, trial, station.at))
    settled = decide_trial(unit, trial, decision.decision, decision.reason, decided.took_ms, station.at)
    return _told(settled)


def _told(settled: Trial) -> dict[str, Any]:
    told = told_of(settled)
    return {"state": "test", "result": settled.result.value, "told": told.en, "told_ru": told.ru}


def _decide_review(unit: UnitOfWork, station: Station, review: Review, look: Look, decision: CaseDecision) -> dict[str, Any] | Refusal:
    if _must_scan(decision):
        return {"state": "scan", "pack": review.subject}
    reason = reason_words(decision.reason).en if decision.reason else "looked at at the review station"
    decided = decide_review(unit, Decision(review.id, decision.decision == ACCEPT, decision.scanned, reason, station.person), station.house)
    if isinstance(decided, Refusal):
        return decided
    _record_look(unit, station, review, look, decision.decision)
    return _remade(unit, station, review, decision, reason) if decision.decision == REMAKE else {"state": f"{decision.decision}ed", "pack": review.subject}


def _must_scan(decision: CaseDecision) -> bool:
    """What is let out or thrown away is proven by its own label; a pouch that is only rejected is scanned at the reject bin."""
    return decision.decision in (ACCEPT, REMAKE) and not decision.scanned and not (decision.decision == REMAKE and decision.unreadable)


def _remade(unit: UnitOfWork, station: Station, review: Review, decision: CaseDecision, reason: str) -> dict[str, Any] | Refusal:
    destroyed = scan_reject(unit, PackSerial(review.subject), decision.unreadable, reason, station.house)
    if isinstance(destroyed, Refusal):
        return destroyed
    return {"state": "remade", "pack": review.subject, "remade_as": destroyed.replaced_by}


def _record_look(unit: UnitOfWork, station: Station, review: Review, look: Look, decision: str) -> None:
    looked = _looked(unit, station, look, decision)
    unit.record("review-looked", {"review": review.id, "subject": review.subject, "took_ms": looked.took_ms, "least_s": looked.least_s})


def _looked(unit: UnitOfWork, station: Station, look: Look, decision: str) -> Look:
    looked = replace(look, decided_at=station.at, decision=decision)
    unit.looks.put(looked)
    return looked
