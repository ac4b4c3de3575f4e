"""How long a course lasts, as sheets write it: `5 дней`, `7`, `05.03.2026 - 09.03.2026`, `с 05.03.2026 по 09.03.2026`."""

import re
from dataclasses import dataclass

LONGEST_COURSE_DAYS = 366
_DAYS = re.compile(r"(?:№\s*)?(\d{1,3})\s*(?:д|дн|дня|дней|день|сут|суток|сутки|d|day|days)?\.?", re.IGNORECASE)
_FROM_TO = re.compile(r"(?:(?:с|from)\s+)?(\d[\d.:/\- ]*?\d)\s*(?:\s[-–—]\s|[–—]|\bпо\b|\bдо\b|\bto\b|\buntil\b)\s*(\d[\d.:/ \-]*\d)\s*(?:г\.?)?", re.IGNORECASE)
_SHORT = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})\s*-\s*(\d{1,2}\.\d{1,2}\.\d{4})")
_UNTIL = re.compile(r"(?:до|по|until|to)\s+(\d[\d./\- :]*\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Course:
    """What a cell says of the course: texts of dates as they stand there, or a number of days; empty and None: not said."""

    starts: str = ""
    ends: str = ""
    days: int | None = None


def read_course(text: str) -> Course | None:
    """Return what a cell of the course says; None where it cannot be read."""
    text = " ".join(text.split())
    if match := _SHORT.fullmatch(text) or _FROM_TO.fullmatch(text):
        return Course(match[1].strip(), match[2].strip())
    if match := _UNTIL.fullmatch(text):
        return Course(ends=match[1].strip())
    days = read_days(text)
    return Course(days=days) if days is not None else None


def read_days(text: str) -> int | None:
    """Return a number of days from 1 to 366 (`5`, `5 дней`, `10 сут.`, `7 days`); None for anything else."""
    match = _DAYS.fullmatch(" ".join(text.split()))
    days = int(match[1]) if match is not None else 0
    return days if 1 <= days <= LONGEST_COURSE_DAYS else None
