"""Questions to people: opened by whatever needs an eye, asked once for each occasion."""

from dataclasses import replace

from hub.domain.identifiers import UserId, derived_id
from hub.domain.recorded_words import in_russian
from hub.domain.records import Review
from hub.domain.words import Words
from hub.services.ports import UnitOfWork


def open_review(
    unit: UnitOfWork, kind: str, subject: str, verdict: str, reasons: tuple[str | Words, ...], evidence: tuple[str, ...] = (), occasion: str = ""
) -> Review:
    """Ask a person; the same question about the same subject is asked once for each occasion.

    A reason in words is told in both languages as it is; a plain one is the ledger's own, whose Russian follows from it (`recorded_words`).
    """
    review_id = derived_id("review", kind, subject, *([occasion] if occasion else []), digits=16)
    english = tuple(reason.en if isinstance(reason, Words) else reason for reason in reasons)
    russian = tuple(reason.ru if isinstance(reason, Words) else in_russian(reason) for reason in reasons)
    review = Review(review_id, kind, subject, unit.now, verdict, english, evidence, reasons_ru=russian)
    if unit.reviews.get(review_id) is None:
        unit.reviews.put(review)
        unit.record("review-opened", {"review": review_id, "kind": kind, "subject": subject, "reasons": list(english), "reasons_ru": list(russian)})
    return review


def settle_reviews(unit: UnitOfWork, kinds: tuple[str, ...], subject: str, reason: str) -> None:
    """Close what is still asked about a subject once the deed itself has answered it."""
    for review in unit.reviews.where(subject=subject, decision=""):
        if review.kind in kinds:
            decide(unit, review, accept=False, by=UserId(unit.actor), reason=reason)


def decide(unit: UnitOfWork, review: Review, *, accept: bool, by: UserId, reason: str) -> Review:
    """Write down the decision on a review."""
    decided = replace(review, decision="accept" if accept else "reject", decided_by=by)
    unit.reviews.put(decided)
    unit.record(
        "review-decided",
        {"review": review.id, "subject": review.subject, "decision": decided.decision, "reason": reason},
    )
    return decided
