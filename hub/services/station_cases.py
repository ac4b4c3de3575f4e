"""One case of the review station as a person sees it: frames, what should lie there, what was read, why it is no PASS. No patient is in it.

A known-bad case has the same members as a real one, so that nothing but the eye can tell it.
"""

from collections.abc import Iterable
from typing import Any

from hub.domain.identifiers import LotId
from hub.domain.known_bad import ExpectedTablet, Trial, TrialKind
from hub.domain.looking import Look
from hub.domain.orders import Reason
from hub.domain.packs import Content, Pack, PackJob, Verdict
from hub.domain.records import Review
from hub.domain.references import ReferenceState
from hub.domain.stock import written_look
from hub.domain.verdict_words import VerdictRule, verdict_reason
from hub.services.ports import UnitOfWork
from hub.services.verify_pack import POUCH
from hub.services.views import drug_name

REFERENCES_SHOWN = 2


def expected_of(job: PackJob | None, pack: Pack | None) -> tuple[ExpectedTablet, ...]:
    """Return the list of a pouch: each drop of its job by the lot that fell, else by the lot that was chosen."""
    if job is None or pack is None:
        return ()
    return tuple(ExpectedTablet(fill.drug, fill.count, _lot_of(pack, fill.dose, fill.drug)) for fill in job.fills)


def _lot_of(pack: Pack, dose: object, drug: str) -> LotId:
    fell = [content.lot for content in pack.contents if content.dose == dose and content.drug == drug]
    chosen = [lot for lot in pack.lots if lot.startswith(f"{drug}/")]
    return (*fell, *chosen, LotId(""))[0]


def reference_pictures(unit: UnitOfWork, lot: LotId) -> tuple[str, ...]:
    """Return the digests of the pictures of a lot's confirmed reference, the newest first; none where nobody confirmed one."""
    reference = unit.tablet_references.get(lot)
    if reference is None or reference.state is not ReferenceState.CONFIRMED:
        return ()
    return tuple(dict.fromkeys(sample.crop for sample in reversed(reference.samples) if sample.proven))[:REFERENCES_SHOWN]


def is_high_alert(unit: UnitOfWork, lines: Iterable[ExpectedTablet]) -> bool:
    """Tell whether a list has a high-alert drug; one that the directory does not know counts as such."""
    drugs = [unit.drugs.get(line.drug) for line in lines]
    return any(drug is None or drug.high_alert for drug in drugs)


def review_case(unit: UnitOfWork, review: Review, look: Look) -> dict[str, Any]:
    """Return a review that waits, as a case."""
    pack = unit.packs.get(review.subject)
    job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
    return {
        **_case(unit, look, review.subject, expected_of(job, pack), review.evidence, codes_read(unit, review.subject)),
        "verdict": review.verdict, "may_accept": review.kind == POUCH and bool(expected_of(job, pack)), "stat": pack is not None and pack.stat,
        "reasons": list(review.reasons), "reasons_ru": list(review.said("ru")),
        "counts": [_count(unit, fill.drug, fill.count, _fell(pack, fill.dose)) for fill in job.fills] if job is not None and pack is not None else [],
    }  # fmt: skip


def source_review(unit: UnitOfWork, evidence: tuple[str, ...]) -> Review | None:
    """Return the review by which a person accepted the pouch that these frames show; None where it passed by itself."""
    for frame in unit.kept_frames.where(digest=evidence[0]) if evidence else ():
        accepted = unit.reviews.where(kind=POUCH, subject=frame.pack, decision="accept")
        review = next((review for review in accepted if review.evidence == evidence), None)
        if review is not None:
            return review
    return None


def trial_case(unit: UnitOfWork, trial: Trial, look: Look) -> dict[str, Any]:
    """Return a known-bad pouch in the same words: the reasons for which its frames were looked at once, and a drop sensor that agrees with the list."""
    review, doubt = source_review(unit, trial.evidence), _doubt(trial)
    reasons, reasons_ru = (review.reasons, review.said("ru")) if review is not None else ((doubt.text,), (doubt.text_ru,))
    read = [] if trial.kind is TrialKind.OTHER_SERIAL else codes_read(unit, trial.serial)
    return {
        **_case(unit, look, trial.serial, trial.expected, trial.evidence, read),
        "verdict": Verdict.LOOK.value, "may_accept": True, "stat": False, "reasons": list(reasons), "reasons_ru": list(reasons_ru),
        "counts": [_count(unit, line.drug, line.count, line.count) for line in trial.expected],
    }  # fmt: skip


def codes_read(unit: UnitOfWork, serial: str) -> list[dict[str, str]]:
    """Return the codes that the camera read on a pouch, each with its kind and reader where they were recorded."""
    verified = unit.newest_fact("pack-verified", pack=serial)
    codes = (verified.data.get("codes") or verified.data["read"]) if verified is not None else []
    return [_code(code) for code in codes]


def _code(code: Any) -> dict[str, str]:
    if isinstance(code, str):
        return {"text": code, "symbology": "", "reader": ""}
    return {"text": str(code.get("text", "")), "symbology": str(code.get("symbology", "")), "reader": str(code.get("reader", ""))}


def _doubt(trial: Trial) -> Reason:
    if trial.kind is TrialKind.OTHER_SERIAL:
        return verdict_reason(VerdictRule.NO_CODE)
    return verdict_reason(VerdictRule.PICTURE_UNCERTAIN, sum(line.count for line in trial.expected))


def _case(
    unit: UnitOfWork, look: Look, serial: str, expected: tuple[ExpectedTablet, ...], frames: tuple[str, ...], read: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "case": look.case, "shown": shown_token(look), "least_s": look.least_s, "pack": serial, "frames": list(frames), "read": read,
        "high_alert": is_high_alert(unit, expected), "expected": [_line(unit, line) for line in expected],
    }  # fmt: skip


def shown_token(look: Look) -> str:
    """Return what names one showing of a case to a person: a decision carries it, so that a page that is left behind decides nothing."""
    return str(int(look.shown_at.timestamp() * 1000))


def _line(unit: UnitOfWork, line: ExpectedTablet) -> dict[str, Any]:
    lot = unit.lots.get(line.lot)
    return {
        "name": drug_name(unit, line.drug), "count": line.count, "lot": lot.number if lot is not None else "",
        "look": written_look(lot.look if lot is not None else ""), "references": list(reference_pictures(unit, line.lot)),
    }  # fmt: skip


def _count(unit: UnitOfWork, drug: str, asked: int, counted: int) -> dict[str, Any]:
    return {"name": drug_name(unit, drug), "asked": asked, "counted": counted}


def _fell(pack: Pack, dose: object) -> int:
    return int(sum(content.units for content in _contents(pack, dose)))


def _contents(pack: Pack, dose: object) -> list[Content]:
    return [content for content in pack.contents if content.dose == dose]
