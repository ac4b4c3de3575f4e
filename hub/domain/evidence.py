"""Frames kept as evidence: which verdicts keep theirs, for how many days, and what of them was removed by which rule."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from hub.domain.counted_words import span_text
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict
from hub.domain.timing import PeriodUnit, Span
from hub.domain.words import Words


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """Every FAIL and LOOK keeps its frames for `doubt_days`; one PASS of `pass_share` keeps its own for `pass_days`."""

    pass_share: int = 50
    pass_days: int = 30
    doubt_days: int = 365

    def __post_init__(self) -> None:
        if min(self.pass_share, self.pass_days, self.doubt_days) < 1:
            raise ValueError("evidence is kept for at least one day, and a share is one of at least one")

    def days(self, verdict: Verdict) -> int:
        """Return for how many days the frames of a verdict are kept."""
        return self.pass_days if verdict is Verdict.PASS else self.doubt_days


USUAL_EVIDENCE = EvidenceRules()


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """One frame of one pack's verdict, by its SHA-256; `removed_at` and `days` say when it was removed by which rule."""

    digest: str
    pack: PackSerial
    verdict: Verdict
    kept_at: datetime
    removed_at: datetime | None = None
    days: int = 0

    def is_due(self, rules: EvidenceRules, now: datetime) -> bool:
        """Tell whether the frame is over its time."""
        return self.kept_at < now - timedelta(days=rules.days(self.verdict))


def is_kept(verdict: Verdict, serial: PackSerial, pass_share: int) -> bool:
    """Tell whether the frames of a verdict are kept; which PASS is in the sample follows from its serial alone."""
    if verdict is not Verdict.PASS:
        return True
    return int(hashlib.sha256(serial.encode()).hexdigest(), 16) % pass_share == 0


def removed_words(frame: KeptFrame, day: str) -> Words:
    """Return when a frame was removed and by which rule; `day` is the local date of its removal."""
    span = Span(Fraction(frame.days), PeriodUnit.DAY)
    return Words(
        f"The picture was removed on {day} by the rule of {span_text(span, span, 'en')}.",
        f"Снимок удалён {day} по правилу хранения: {span_text(span, span, 'ru')}.",
    )


DAMAGED = Words(
    "The file of this picture is damaged: it is not what the ledger names, and it is not shown. Ask for the backup.",
    "Файл этого снимка повреждён: он не тот, что назван в журнале, и не показывается. Нужна резервная копия.",
)
MISSING = Words("The ledger names this picture, but its file is not there.", "Журнал называет этот снимок, но файла нет.")
