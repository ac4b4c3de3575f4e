"""Every day of the hospital's fortnight, line by line: `python -m tests.replay.days` prints the table of docs/evidence/intake.md.

Unexplained is a line without an outcome's reason in both languages. Eligible is a line of a tablet or capsule that the line of
packs is meant for, whatever became of it: its drug is in the directory, of the ordinary class and in tablets or capsules; its
patient lies in a ward that is not excluded; its order is active; it is no mixture; and its frequency code is in the time-table
with clock times (as-needed, single and continuous codes have none).
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.domain.drugs import SOLID_FORMS, DrugClass, DrugDirectory
from hub.domain.frequencies import ScheduleKind
from hub.domain.line_outcomes import MIXTURE_PREFIX
from hub.domain.orders import OrderStatus, Outcome
from hub.domain.refusals import Refusal
from hub.domain.validation import is_excluded_department
from hub.replay.history import sheet_of
from hub.services.house import House
from hub.services.preview import Known, PreviewLine, SheetPreview, preview_sheet
from tests.replay.fortnight import ABSENT, FOLDER, SOURCE, fortnight, house

REQUIRED = 0.95


@dataclass(frozen=True)
class DayCount:
    """One day: its lines by outcome, those that nobody explains, and how many of the eligible ones are scheduled."""

    day: str
    outcomes: Counter[str]
    unexplained: int
    eligible: int
    scheduled: int


def previews() -> Iterator[SheetPreview]:
    """Yield what becomes of each day's sheet at the moment of its pull."""
    history, at = fortnight(), house()
    for day in history.days:
        sheet = sheet_of(day, history, at.sources[SOURCE], at)
        now = datetime.combine(day.day, at.sheets_at, at.zone)
        preview = preview_sheet(Known(history.directory), sheet, at, now)
        assert not isinstance(preview, Refusal), preview.text
        yield preview


def counted(preview: SheetPreview, directory: DrugDirectory, at: House) -> DayCount:
    """Count one day."""
    eligible = [shown for shown in preview.lines if is_eligible(shown, directory, at)]
    return DayCount(
        preview.at.date().isoformat(), Counter(shown.outcome.value for shown in preview.lines),
        sum(not is_explained(shown) for shown in preview.lines), len(eligible), sum(shown.outcome is Outcome.SCHEDULED for shown in eligible),
    )  # fmt: skip


def is_explained(shown: PreviewLine) -> bool:
    """Tell whether a line has at least one reason, and each of them a rule and a sentence in both languages."""
    return bool(shown.reasons) and all(reason.rule and reason.text and reason.text_ru for reason in shown.reasons)


def is_eligible(shown: PreviewLine, directory: DrugDirectory, at: House) -> bool:
    """Tell whether a line is a tablet's or capsule's with a known code, of a ward and class that are served."""
    line, drug = shown.line, directory.get(shown.line.drug)
    if drug is None or drug.form not in SOLID_FORMS or drug.drug_class is not DrugClass.ORDINARY:
        return False
    if not shown.department or is_excluded_department(shown.department, at.sources[SOURCE]):
        return False
    if line.status is not OrderStatus.ACTIVE or line.note.strip().casefold().startswith(MIXTURE_PREFIX):
        return False
    rule = at.frequencies.find(line.timing.code, shown.department) if line.timing is not None and line.timing.code else None
    return rule is not None and rule.kind is ScheduleKind.REGULAR


def report() -> Iterator[str]:
    """Yield the table."""
    directory, at = fortnight().directory, house()
    days = [counted(preview, directory, at) for preview in previews()]
    names = [outcome.value for outcome in Outcome]
    yield f"| day | lines | {' | '.join(names)} | unexplained | eligible | of them scheduled |"
    yield "|---|" + "---|" * (len(names) + 4)
    for day in [*days, total(days)]:
        cells = " | ".join(str(day.outcomes[name]) for name in names)
        share = f"{day.scheduled} ({day.scheduled / day.eligible:.1%})"
        yield f"| {day.day} | {day.outcomes.total()} | {cells} | {day.unexplained} | {day.eligible} | {share} |"


def total(days: list[DayCount]) -> DayCount:
    """Return the sum of days."""
    outcomes = sum((day.outcomes for day in days), Counter[str]())
    return DayCount("all", outcomes, sum(d.unexplained for d in days), sum(d.eligible for d in days), sum(d.scheduled for d in days))


def main() -> int:
    """Print the table."""
    if not FOLDER.is_dir():
        sys.stdout.write(f"{ABSENT}\n")
        return 2
    for line in report():
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
