"""The hospital's fortnight: every line explained, the eligible ones scheduled, and a hundred lines as a person checked them.

The gold file names the working day: times are those from its first slot to the next day's (`+`: after midnight), by the ward
clock. A row of `changes` is the order as the feed of that day told of it last.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.drugs import DrugDirectory
from hub.domain.orders import Outcome
from hub.domain.refusals import Refusal
from hub.replay.history import History, changes_of, sheet_of
from hub.services.house import House
from hub.services.preview import Known, PreviewLine, doses_between, preview_sheet, understood
from tests.replay.days import REQUIRED, counted
from tests.replay.fortnight import ABSENT, FOLDER, SOURCE, fortnight, house

GOLD = Path(__file__).parent / "gold" / "hospital.csv"
pytestmark = [pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT), pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Checked:
    """One line of the gold file."""

    file: str
    day: date
    order: str
    outcome: str
    times: str


def gold() -> list[Checked]:
    with GOLD.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [Checked(row["file"], date.fromisoformat(row["day"]), row["order"], row["outcome"], row["times"]) for row in rows]


@dataclass(frozen=True)
class Read:
    """The whole fortnight as it was read: lines by (file, day, order)."""

    lines: dict[tuple[str, date, str], PreviewLine]
    days: list[object]
    house: House
    directory: DrugDirectory


@pytest.fixture(scope="module")
def read() -> Read:
    history, at = fortnight(), house()
    lines: dict[tuple[str, date, str], PreviewLine] = {}
    days = []
    for preview, file, day in _previews(history, at):
        lines.update({(file, day, shown.line.id): shown for shown in preview.lines})
        if file == "sheet":
            days.append(counted(preview, history.directory, at))
    return Read(lines, days, at, history.directory)


def _previews(history: History, at: House) -> Iterator[tuple[object, str, date]]:
    feeds = {row.day for row in gold() if row.file == "changes"}
    for day in history.days:
        sheet = sheet_of(day, history, at.sources[SOURCE], at)
        now = datetime.combine(day.day, at.sheets_at, at.zone)
        known = Known(history.directory)
        yield _told(preview_sheet(known, sheet, at, now)), "sheet", day.day
        if day.day in feeds:
            after = Known(history.directory, {p.id: p for p in sheet.patients}, {stay.patient: stay for stay in sheet.stays})
            changes = changes_of(day, history, at.sources[SOURCE], at)
            assert changes is not None
            yield _told(preview_sheet(after, changes, at, now)), "changes", day.day


def _told(preview: object) -> object:
    assert not isinstance(preview, Refusal), preview.text
    return preview


def times_of(shown: PreviewLine, day: date, at: House) -> str:
    """Return the due times of a working day as the gold file writes them."""
    if shown.outcome not in (Outcome.SCHEDULED, Outcome.ONCE):
        return ""
    schedule = understood(at, at.sources[SOURCE], shown.line, shown.department)
    assert schedule is not None
    first = min(slot.opens for slot in at.slots)
    begins = datetime.combine(day, first, at.zone)
    due = (dose.due for dose in doses_between(at, shown.line, schedule, begins, begins + timedelta(days=1)))
    return " ".join(f"{moment:%H:%M}{'+' if moment.date() > day else ''}" for moment in due)


def test_the_gold_file_has_a_hundred_lines_of_every_kind() -> None:
    rows = gold()
    assert len(rows) == 100 == len({(row.file, row.day, row.order) for row in rows})
    assert {row.outcome for row in rows} == {outcome.value for outcome in Outcome}


def test_every_checked_line_is_what_a_person_says(read: Read) -> None:
    told = {row: read.lines[row.file, row.day, row.order] for row in gold()}
    found = {(row.day.isoformat(), row.order): (shown.outcome.value, times_of(shown, row.day, read.house)) for row, shown in told.items()}
    assert found == {(row.day.isoformat(), row.order): (row.outcome, row.times) for row in gold()}


def test_no_line_of_the_fortnight_is_unexplained(read: Read) -> None:
    assert [day for day in read.days if day.unexplained] == []
    assert sum(day.outcomes.total() for day in read.days) == sum(file == "sheet" for file, _, _ in read.lines)


def test_the_eligible_lines_of_every_day_are_scheduled(read: Read) -> None:
    assert len(read.days) == 14
    assert [day for day in read.days if day.scheduled < REQUIRED * day.eligible] == []
