"""Frames kept of verdicts: written down with the verdict, removed when they are over their time, and told ever after."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.domain.evidence import DAMAGED, MISSING, EvidenceRules, KeptFrame, removed_words
from hub.domain.identifiers import PackSerial
from hub.domain.known_bad import TrialResult
from hub.domain.packs import Verdict
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.house import House
from hub.services.ports import UnitOfWork

MOST_AT_ONCE = 200
STRAY_DAYS = 1
"""How long a picture without a record stays: its verdict may be about to be recorded."""
_RULES: tuple[tuple[Verdict, ...], ...] = ((Verdict.PASS,), (Verdict.FAIL, Verdict.LOOK))


def name_frames(unit: UnitOfWork, pack: PackSerial, verdict: Verdict, digests: Iterable[str]) -> None:
    """Write down which frames a verdict rests on, so that they are found and, in time, removed."""
    unit.kept_frames.put_many([KeptFrame(digest, pack, verdict, unit.now) for digest in digests])


def frames_in_use(unit: UnitOfWork) -> frozenset[str]:
    """Return the frames that an open review or trial names: nobody has decided by them yet."""
    reviews = (review.evidence for review in unit.reviews.where(decision=""))
    trials = (trial.evidence for trial in unit.trials.where(result=TrialResult.OPEN))
    return frozenset(digest for digests in (*reviews, *trials) for digest in digests)


def frames_due(unit: UnitOfWork, rules: EvidenceRules, most: int = MOST_AT_ONCE) -> list[KeptFrame]:
    """Return frames over their time of one rule, the oldest first, at most so many; never one that is in use."""
    used = frames_in_use(unit)
    for verdicts in _RULES:
        before = unit.now - timedelta(days=rules.days(verdicts[0]))
        frames = unit.kept_frames.where(
            verdict=list(verdicts), removed_at=None, below=("kept_at", before), order_by="kept_at", limit=5 * most + len(used)
        )  # fmt: skip
        due = [frame for frame in frames if frame.digest not in used and not _is_needed(unit, frame.digest, rules)][:most]
        if due:
            return due
    return []


def _is_needed(unit: UnitOfWork, digest: str, rules: EvidenceRules) -> bool:
    """Tell whether the same picture is the evidence of another pack that is not over its time."""
    return any(not frame.is_due(rules, unit.now) for frame in unit.kept_frames.where(digest=digest, removed_at=None))


def frames_removed(unit: UnitOfWork, gone: Collection[KeptFrame], rules: EvidenceRules) -> None:
    """Record that frames are gone from the disk: one fact for the batch, with the rule that it went by."""
    if not gone:
        return
    days = rules.days(next(iter(gone)).verdict)
    unit.kept_frames.put_many([replace(frame, removed_at=unit.now, days=days) for frame in gone])
    digests = sorted({frame.digest for frame in gone})
    unit.record("evidence-removed", {"digests": digests, "verdicts": sorted({frame.verdict.value for frame in gone}), "days": days})


def frames_named(unit: UnitOfWork, digests: Sequence[str]) -> frozenset[str]:
    """Return those of the digests that a record of a verdict, an open review or an open trial names."""
    kept = unit.kept_frames.where(digest=list(digests), removed_at=None)
    return frozenset(frame.digest for frame in kept) | frames_in_use(unit)


def strays_removed(unit: UnitOfWork, digests: Iterable[str]) -> None:
    """Record that pictures which no record names are gone from the disk."""
    unit.record("evidence-removed", {"digests": sorted(digests), "verdicts": [], "days": STRAY_DAYS})


def frames_of(unit: UnitOfWork, pack: PackSerial) -> list[KeptFrame]:
    """Return the frames of a pack's verdict, those that were removed too, in the order of keeping."""
    return unit.kept_frames.where(pack=pack, order_by="kept_at")


def why_not_shown(unit: UnitOfWork, digest: str, house: House, *, is_damaged: bool) -> Refusal:
    """Return why a frame is not shown: removed by a rule, damaged on the disk, lost, or never kept."""
    if is_damaged:
        return Refusal("evidence-damaged", DAMAGED.en, DAMAGED.ru)
    frames = unit.kept_frames.where(digest=digest)
    if not frames:
        return Refusal("unknown", "No verdict names such a picture.", "Ни одно решение не называет такого снимка.")
    told = told_of(frames[-1], house)
    if frames[-1].removed_at is None:
        return Refusal("evidence-missing", told.en, told.ru)
    return Refusal("evidence-removed", told.en, told.ru)


def told_of(frame: KeptFrame, house: House) -> Words:
    """Return what is said in the place of a frame whose file is not there."""
    if frame.removed_at is None:
        return MISSING
    return removed_words(frame, house.local_date(frame.removed_at).strftime("%d.%m.%Y"))


def evidence_board(unit: UnitOfWork, rules: EvidenceRules, most: int = 50) -> Mapping[str, Any]:
    """Return the rules, how many frames there are of each verdict, and the newest that were removed."""
    removed = [frame for frame in unit.kept_frames.where(order_by="-removed_at", limit=most) if frame.removed_at is not None]
    return {
        "rules": rules, "removed": removed, "in_use": len(frames_in_use(unit)),
        "kept": {verdict.value: unit.kept_frames.count(verdict=verdict, removed_at=None) for verdict in Verdict},
    }  # fmt: skip
