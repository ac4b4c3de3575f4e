"""Known-bad pouches: made from kept frames of pouches that passed, put before people and the machine, and counted.

Nothing here writes a pack, stock or dose: a trial has a table of its own and one ledger fact, `trial-decided`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.commands import NOT_FOUND
from hub.domain.identifiers import PackSerial, UserId, derived_id
from hub.domain.known_bad import (
    KIND_WORDS,
    ExpectedTablet,
    GoodCase,
    Judge,
    Misses,
    Other,
    Trial,
    TrialKind,
    TrialResult,
    Uncounted,
    changed,
    fits_reasons,
    looks_apart,
)
from hub.domain.ledger import LedgerEntry
from hub.domain.looking import StationRules
from hub.domain.packs import PackState, Verdict
from hub.domain.words import Words
from hub.services.ports import UnitOfWork
from hub.services.station_cases import expected_of, source_review

LOOKED_BACK = 20_000
"""How many of the newest ledger entries are searched for pouches that passed with their frames."""
FRAMES_SEARCHED, POUCHES_TRIED, LOTS_SEARCHED = 400, 20, 500
"""Bounds of the search for one known-bad pouch: it is made while a person waits, and the line with that person."""
TRIALS_TOGETHER = 20_000
"""How many of the machine's newest trials are counted by pouch."""
LONGEST_OPEN = timedelta(hours=12)
WITHDRAWN, SKIPPED = "withdrawn", "skipped"
_STAT_WORK = [PackState.EXPECTED, PackState.PRODUCED, PackState.VERIFIED, PackState.QUARANTINED]
IsKept = Callable[[str], bool]


def good_cases(unit: UnitOfWork) -> list[GoodCase]:
    """Return the newest pouches that passed with their frames kept, the newest first; a frame may be gone since."""
    newest = unit.newest_fact("pack-verified", verdict=Verdict.PASS.value)
    if newest is None:
        return []
    facts = unit.facts_between("pack-verified", newest.seq - LOOKED_BACK, newest.seq + 1)
    cases = (_good_case(unit, fact) for fact in reversed(facts) if fact.data["verdict"] == Verdict.PASS.value and _frames(fact))
    return [case for case in cases if case is not None]


def _frames(fact: LedgerEntry) -> tuple[str, ...]:
    """Return the digests of a verdict's frames; older entries have one as a text, or an empty one."""
    frames = fact.data.get("evidence") or ()
    return (frames,) if isinstance(frames, str) else tuple(frames)


def _good_case(unit: UnitOfWork, fact: LedgerEntry) -> GoodCase | None:
    pack = unit.packs.get(fact.data["pack"])
    job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
    expected = expected_of(job, pack)
    return GoodCase(pack.serial, expected, _frames(fact)) if pack is not None and expected else None


def wrong_lists(unit: UnitOfWork, cases: list[GoodCase], good: GoodCase) -> dict[TrialKind, GoodCase]:
    """Return a kept pouch beside each wrong list that can be made of its own."""
    number = int(derived_id("known-bad-list", good.serial, digits=12), 16)
    other = _other(unit, [case.serial for case in cases], good, number)
    made = {kind: changed(good, kind, other, number) for kind in TrialKind}
    return {kind: bad for kind, bad in made.items() if bad is not None}


def known_bad(unit: UnitOfWork, seed: str, is_kept: IsKept) -> tuple[TrialKind, GoodCase] | None:
    """Return one pouch that was let out, its frames all still there, with a wrong list, chosen by the seed alone; None where none was found.

    The newest kept frames are searched, and a few pouches tried: what is not found so is not found at all.
    """
    number = int(derived_id("known-bad-case", seed, digits=12), 16)
    serials = _let_out(unit)
    for step in range(min(POUCHES_TRIED, len(serials))):
        good = _kept_case(unit, serials[(number + step) % len(serials)], is_kept)
        made = _made_wrong(unit, serials, good, number) if good is not None else None
        if made is not None:
            return made
    return None


def _let_out(unit: UnitOfWork) -> list[PackSerial]:
    """Return the pouches of the newest kept frames that passed, or that a person may have accepted."""
    verdicts = [Verdict.PASS, Verdict.LOOK]
    frames = unit.kept_frames.where(verdict=verdicts, removed_at=None, order_by="-kept_at", limit=FRAMES_SEARCHED)
    return sorted({frame.pack for frame in frames})


def _kept_case(unit: UnitOfWork, serial: PackSerial, is_kept: IsKept) -> GoodCase | None:
    """Return a pouch that was let out as a case, None where a frame is gone or a person did not accept it."""
    frames = unit.kept_frames.where(pack=serial, removed_at=None)
    pack = unit.packs.get(serial)
    if pack is None or pack.verdict is not Verdict.PASS or not all(is_kept(frame.digest) for frame in frames):
        return None
    verified = unit.newest_fact("pack-verified", pack=serial)
    return _good_case(unit, verified) if verified is not None and set(_frames(verified)) == {frame.digest for frame in frames} else None


def _made_wrong(unit: UnitOfWork, serials: Sequence[PackSerial], good: GoodCase, number: int) -> tuple[TrialKind, GoodCase] | None:
    """Return the pouch with a list that its own reasons do not contradict."""
    kinds, other = list(TrialKind), _other(unit, serials, good, number)
    review = source_review(unit, good.evidence)
    for kind in (*kinds[number % len(kinds) :], *kinds[: number % len(kinds)]):
        bad = changed(good, kind, other, number) if review is None or fits_reasons(kind, review.reasons) else None
        if bad is not None:
            return kind, bad
    return None


def _other(unit: UnitOfWork, serials: Sequence[PackSerial], good: GoodCase, number: int) -> Other:
    lots = {line.lot: unit.lots.get(line.lot) for line in good.expected}
    looks = [lot.look if lot is not None else "" for lot in lots.values()]
    newest = sorted(unit.lots.where(order_by="-expires_on", limit=LOTS_SEARCHED), key=lambda lot: lot.id)
    strangers = [lot for lot in newest if lot.id not in lots and all(looks_apart(lot.look, look) for look in looks)]
    others = [serial for serial in serials if serial != good.serial]
    chosen = strangers[number % len(strangers)] if strangers else None
    return Other(
        ExpectedTablet(chosen.item, 1, chosen.id) if chosen is not None else None, others[number % len(others)] if others else None
    )


def trial_due(unit: UnitOfWork, rules: StationRules, person: UserId, review: str, at: datetime) -> bool:
    """Tell whether a known-bad pouch comes before this review: by the seed, never twice, a bounded number a shift, and never while STAT work waits."""
    if rules.one_in <= 0 or int(derived_id("known-bad-due", rules.seed, person, review, digits=12), 16) % rules.one_in:
        return False
    own = unit.trials.where(judge=Judge.PERSON, person=person)
    if any(trial.before == review for trial in own) or stat_waits(unit):
        return False
    since = at - timedelta(hours=rules.shift_hours)
    return sum(trial.made_at > since and trial.answer != SKIPPED for trial in own) < rules.trials_a_shift


def stat_waits(unit: UnitOfWork) -> bool:
    """Tell whether an urgent pack is on its way through the line."""
    return unit.packs.count(stat=True, state=_STAT_WORK) > 0


def open_trial(unit: UnitOfWork, person: UserId) -> Trial | None:
    """Return the known-bad pouch that waits for a person's decision, or None."""
    waiting = unit.trials.where(judge=Judge.PERSON, person=person, result=TrialResult.OPEN, limit=1)
    return waiting[0] if waiting else None


def make_trial(unit: UnitOfWork, rules: StationRules, person: UserId, review: str, at: datetime, is_kept: IsKept) -> Trial | None:
    """Put a known-bad pouch before a review of a person; None where nothing is kept to make one from."""
    made = known_bad(unit, f"{rules.seed}/{person}/{review}", is_kept)
    if made is None:
        return None
    kind, bad = made
    trial_id = derived_id("trial", person, review, digits=16)
    trial = Trial(trial_id, Judge.PERSON, kind, bad.evidence, bad.serial, bad.expected, at, before=review, person=person)
    unit.trials.put(trial)
    return trial


def decide_trial(unit: UnitOfWork, trial: Trial, answer: str, reason: str, took_ms: int, at: datetime) -> Trial:
    """Write down what a person said of a known-bad pouch; one that was only looked for and not found says nothing of an eye."""
    result = TrialResult.MISSED if answer == "accept" else TrialResult.NOT_COUNTED if reason == NOT_FOUND else TrialResult.FOUND
    return _settled(unit, replace(trial, result=result, answer=answer, decided_at=at, took_ms=took_ms))


def withdraw_trial(unit: UnitOfWork, trial: Trial, at: datetime) -> Trial:
    """Take a known-bad pouch back undecided: urgent work came, its frames are gone, or its person never came back to it."""
    return _settled(unit, replace(trial, result=TrialResult.NOT_COUNTED, answer=WITHDRAWN, decided_at=at))


def skip_trial(unit: UnitOfWork, trial: Trial) -> Trial:
    """Write down that a known-bad pouch was due and not shown, because the person named the pouch that is shown."""
    return _settled(unit, replace(trial, result=TrialResult.NOT_COUNTED, answer=SKIPPED, decided_at=trial.made_at))


def is_left_behind(trial: Trial, at: datetime) -> bool:
    """Tell whether an open known-bad pouch is older than a shift: nobody comes back to it, and its frames are not held for it."""
    return trial.made_at < at - LONGEST_OPEN


def left_behind(unit: UnitOfWork, at: datetime) -> list[Trial]:
    """Return the known-bad pouches that are open for longer than a shift."""
    return [trial for trial in unit.trials.where(result=TrialResult.OPEN) if is_left_behind(trial, at)]


def withdraw_left_behind(unit: UnitOfWork, at: datetime) -> int:
    """Withdraw every known-bad pouch that is open for longer than a shift; returns how many."""
    left = left_behind(unit, at)
    for trial in left:
        withdraw_trial(unit, trial, at)
    return len(left)


def record_machine_trial(unit: UnitOfWork, trial: Trial, verdict: Verdict) -> Trial:
    """Write down what the machine said of a known-bad pouch: a PASS is a miss."""
    result = TrialResult.MISSED if verdict is Verdict.PASS else TrialResult.FOUND
    return _settled(unit, replace(trial, result=result, answer=verdict.value, decided_at=trial.made_at))


def _settled(unit: UnitOfWork, trial: Trial) -> Trial:
    unit.trials.put(trial)
    unit.record(
        "trial-decided",
        {
            "trial": trial.id, "judge": trial.judge.value, "what": trial.kind.value, "answer": trial.answer, "result": trial.result.value,
            "took_ms": trial.took_ms, "frames": list(trial.evidence),
        },
    )  # fmt: skip
    return trial


def told_of(trial: Trial) -> Words:
    """Say to a person that this was a test, what was wrong, and whether it was found."""
    wrong = KIND_WORDS[trial.kind]
    english, russian = {
        TrialResult.MISSED: ("You accepted it: look for this next time. Nothing was released.", "Вы приняли его: в следующий раз ищите это. Ничего не выпущено."),
        TrialResult.FOUND: ("You found it.", "Вы это нашли."),
    }.get(trial.result, ("It counts for nothing.", "Он не считается."))
    return Words(f"This was a test pouch: {wrong.en}. {english}", f"Это был проверочный пакет: {wrong.ru}. {russian}")


def machine_trials_left(unit: UnitOfWork, rules: StationRules, at: datetime) -> int:
    """Return how many more trials of the machine may be made within the day that ends now."""
    newest = unit.trials.where(judge=Judge.MACHINE, order_by="-made_at", limit=rules.machine_trials_a_day)
    return rules.machine_trials_a_day - sum(trial.made_at > at - timedelta(days=1) for trial in newest)


def misses_of(unit: UnitOfWork, judge: Judge) -> dict[TrialKind, Misses]:
    """Return what the machine missed, or all people together, by what was wrong."""
    return {kind: _misses(unit, judge, kind) for kind in TrialKind}


def _misses(unit: UnitOfWork, judge: Judge, kind: TrialKind) -> Misses:
    missed, found = (unit.trials.count(judge=judge, kind=kind, result=result) for result in (TrialResult.MISSED, TrialResult.FOUND))
    return Misses(missed, missed + found)


def machine_pouches(unit: UnitOfWork) -> Misses:
    """Return of how many pouches the machine missed at least one wrong list: lists beside the same frames are no trials of their own."""
    counted = [TrialResult.MISSED, TrialResult.FOUND]
    trials = unit.trials.where(judge=Judge.MACHINE, result=counted, order_by="-made_at", limit=TRIALS_TOGETHER)
    missed = {trial.evidence for trial in trials if trial.result is TrialResult.MISSED}
    return Misses(len(missed), len({trial.evidence for trial in trials}))


def uncounted(unit: UnitOfWork, kind: TrialKind) -> Uncounted:
    """Return how many known-bad pouches of a kind say nothing of people's eyes, by why."""
    own = {"judge": Judge.PERSON, "kind": kind}
    skipped, withdrawn = (unit.trials.count(**own, result=TrialResult.NOT_COUNTED, answer=answer) for answer in (SKIPPED, WITHDRAWN))
    together = unit.trials.count(**own, result=TrialResult.NOT_COUNTED)
    return Uncounted(skipped, withdrawn, together - skipped - withdrawn, unit.trials.count(**own, result=TrialResult.OPEN))


def together(misses: Iterable[Misses]) -> Misses:
    """Return the misses of several kinds as one."""
    listed = list(misses)
    return Misses(sum(each.misses for each in listed), sum(each.trials for each in listed))
