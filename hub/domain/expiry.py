"""Expiry of repackaged doses: the earliest of every date that applies, with the sentence that says which one it was."""

import calendar
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from hub.domain.orders import Reason
from hub.domain.stock import Lot

RULE_EXPIRY = "pack-expiry"


@dataclass(frozen=True, slots=True)
class RepackagingRule:
    """One jurisdiction's limits for a repackaged dose: months from packing, and a share of the time the lot has left (None: none)."""

    name: str
    months: int | None
    remaining_fraction: Fraction | None
    source: str


USP_REPACKAGING = RepackagingRule(
    "six months or a quarter of the time left", 6, Fraction(1, 4), "USP <1178>; FDA draft guidance on repackaging, 2020"
)


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def pack_expiry(
    lot_expiries: Iterable[date],
    cassette_opened_at: datetime | None,
    cassette_limit_days: int | None,
    rule: RepackagingRule | None,
    packed_on: date,
) -> tuple[date, Reason]:
    """Return the last day on which a pack may be used, and why: the earliest of all that apply.

    `lot_expiries` are the dates of every lot in the pack (at least one, else ValueError); the cassette's residence counts
    from its opening; the rule's share is of the days from packing to the earliest lot's date, rounded down.
    """
    lots = sorted(lot_expiries)
    if not lots:
        raise ValueError("a pack with no lot has no expiry")
    earliest = lots[0]
    limits = [(earliest, "the earliest lot in it expires", "истекает самая ранняя серия", "manufacturer's expiry")]
    if cassette_opened_at is not None and cassette_limit_days is not None:
        limit = cassette_opened_at.date() + timedelta(days=cassette_limit_days)
        limits.append(
            (
                limit, f"tablets stay at most {cassette_limit_days} days in an opened cassette",
                f"в открытой кассете таблетки хранят не дольше {cassette_limit_days} дн.", "cassette residence",
            )
        )
    if rule is not None and rule.months is not None:
        limits.append((months_later(packed_on, rule.months), f"{rule.months} months after packing", f"{rule.months} мес. после фасовки", rule.source))
    if rule is not None and rule.remaining_fraction is not None:
        days = math.floor(max(0, (earliest - packed_on).days) * rule.remaining_fraction)
        why = f"{rule.remaining_fraction} of the time that the lot had left when it was packed"
        why_ru = f"{rule.remaining_fraction} срока, который оставался у серии при фасовке"
        limits.append((packed_on + timedelta(days=days), why, why_ru, rule.source))
    expires_on, why, why_ru, source = min(limits, key=lambda each: each[0])
    return expires_on, Reason(RULE_EXPIRY, f"use until {expires_on.isoformat()}: {why}", source, f"годна до {expires_on:%d.%m.%Y}: {why_ru}")


def outlives(expires_on: date, due: datetime) -> bool:
    """Tell whether something may still be used when a dose is due; the day of expiry is its last day of use."""
    return expires_on >= due.date()


def first_expiring_first(lots: Iterable[Lot], on: date) -> tuple[Lot, ...]:
    """Return the lots that are in date on a day, the first to expire first (ties by lot number)."""
    return tuple(
        sorted((lot for lot in lots if lot.expires_on >= on), key=lambda lot: (lot.expires_on, lot.number, lot.id))
    )
