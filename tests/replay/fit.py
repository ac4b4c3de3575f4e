"""A ward time-table fitted on the first week's charted times, held against the second week's: `python -m tests.replay.fit`.

Fitted are the clock times of each code, at a ward where it has enough doses, else for all wards: as many times as the code asks
for a day, those at which most doses were scheduled. Measured is, of the doses that nurses charted in the second week at a
scheduled time, the share that the expander has at exactly that time, and within an hour of it.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from hub.domain.frequencies import FrequencyRule, FrequencyTable, ScheduleKind, normal_code
from hub.domain.schedule import Schedule, expand, schedule_for
from hub.domain.schedule_rules import HOUSE_RULES, FirstDose, IntervalAnchor, ScheduleRules
from hub.services.house import House
from tests.replay.fortnight import ABSENT, FOLDER, Charted, KnownOrder, charted, fortnight, house, known_orders

CODES = (
    "BID", "TID", "QID", "DAILY", "HS", "QHS", "QAM", "QPM", "DAILY16", "BREAKFAST", "LUNCH", "DINNER", "TID W/MEALS",
    "Q2H", "Q3H", "Q4H", "Q6H", "Q8H", "Q12H", "Q24H", "Q 8H", "Q 12H", "Q 24H", "Q48H", "Q72H", "EVERY OTHER DAY",
)  # fmt: skip
ENOUGH = 20
NEAR = timedelta(minutes=60)
REQUIRED = {"BID": 0.90}
HOUSE, TOO_LITTLE = "house rules", "not reached:"
CHOICES = {
    HOUSE: HOUSE_RULES,
    "first dose at the start": replace(HOUSE_RULES, first_dose=FirstDose.AT_START),
    "intervals from the first dose": replace(HOUSE_RULES, interval_anchor=IntervalAnchor.FIRST_DOSE),
}


@dataclass(frozen=True)
class Share:
    """How many charted doses of a code there were in the second week, and how many of them were predicted."""

    code: str
    doses: int
    exactly: int
    within_an_hour: int

    @property
    def share(self) -> float:
        """Return the share predicted exactly."""
        return self.exactly / self.doses if self.doses else 0.0


def code_of(order: KnownOrder) -> str:
    """Return the code of an order as it is compared."""
    timing = order.line.timing
    return normal_code(timing.code) if timing is not None and timing.code else ""


def fitted(table: FrequencyTable, doses: Iterable[Charted], orders: Mapping[str, KnownOrder], at: House) -> FrequencyTable:
    """Return a table whose codes have the times at which most doses of a week were scheduled."""
    clocks: dict[tuple[str, str], Counter[time]] = defaultdict(Counter)
    for dose in doses:
        order = orders.get(dose.order)
        if order is not None:
            clock = dose.scheduled_at.astimezone(at.zone).time()
            for ward in ("", order.ward.strip().casefold()):
                clocks[code_of(order), ward][clock] += 1
    rules = {(normal_code(rule.code), rule.ward.strip().casefold()): rule for held in table.values() for rule in held}
    wanted = {normal_code(code) for code in CODES}
    for (code, ward), counted in clocks.items():
        known = rules.get((code, ""))
        if code in wanted and known is not None and known.kind is ScheduleKind.REGULAR and counted.total() >= ENOUGH:
            rules[code, ward] = _with_times(known, ward, counted)
    return FrequencyTable(rules.values())


def _with_times(rule: FrequencyRule, ward: str, counted: Counter[time]) -> FrequencyRule:
    ranked = sorted(counted, key=lambda clock: (-counted[clock], clock))[: len(rule.times)]
    times = tuple(sorted(ranked)) if len(ranked) == len(rule.times) else rule.times
    return replace(rule, ward=ward, times=times, called=())


def predicted(table: FrequencyTable, order: KnownOrder, begins: datetime, ends: datetime, at: House) -> tuple[datetime, ...]:
    """Return when doses of an order are due by a table, up to its stop."""
    schedule = schedule_for(order.line.dosages, table, order.ward, at.slots, at.schedule_rules)
    if not isinstance(schedule, Schedule):
        return ()
    starts_at = order.line.starts_at or order.line.authored_at or begins
    stops = [moment for moment in (order.line.ends_at, order.stopped_at) if moment is not None]
    return tuple(due for due, _ in expand(schedule, starts_at, min(stops, default=None), begins, ends, at.zone))


def shares(table: FrequencyTable, doses: Iterable[Charted], orders: Mapping[str, KnownOrder], at: House) -> list[Share]:
    """Return the share of each code, in the order of the codes."""
    by_order: dict[str, list[datetime]] = defaultdict(list)
    for dose in doses:
        by_order[dose.order].append(dose.scheduled_at)
    counted: Counter[tuple[str, str]] = Counter()
    for order_id, moments in by_order.items():
        if (order := orders.get(order_id)) is None:
            continue
        due = predicted(table, order, min(moments) - NEAR, max(moments) + NEAR * 2, at)
        for moment in moments:
            counted[code_of(order), "all"] += 1
            counted[code_of(order), "exactly"] += moment in due
            counted[code_of(order), "near"] += any(abs(moment - each) <= NEAR for each in due)
    codes = dict.fromkeys(normal_code(code) for code in CODES)
    return [Share(code, counted[code, "all"], counted[code, "exactly"], counted[code, "near"]) for code in codes if counted[code, "all"]]


def measured(rules: ScheduleRules = HOUSE_RULES) -> list[Share]:
    """Fit on the first week and measure on the second, under a house's rules."""
    history, at = fortnight(), replace(house(), schedule_rules=rules)
    orders, weeks = known_orders(history, at), charted(history)
    return shares(fitted(at.frequencies, weeks[0], orders, at), weeks[1], orders, at)


def report() -> Iterator[str]:
    """Yield the table of the shares, a column for each choice of rules."""
    runs = {name: {share.code: share for share in measured(rules)} for name, rules in CHOICES.items()}
    yield f"| code | charted doses, week 2 | {' | '.join(f'{name}: exactly | within 60 min' for name in runs)} |"
    yield f"|---|---|{'---|' * 2 * len(runs)}"
    for code, share in runs[HOUSE].items():
        found = [run[code] for run in runs.values()]
        cells = " | ".join(f"{one.share:.1%} | {one.within_an_hour / one.doses:.1%}" for one in found)
        yield f"| {code} | {share.doses} | {cells} |"
    for code, required in REQUIRED.items():
        if runs[HOUSE][code].share < required:
            yield f"{TOO_LITTLE} {code}: less than the required {required:.0%}"


def main() -> int:
    """Print the shares; 1 where a required share is not reached."""
    lines = list(report()) if FOLDER.is_dir() else [f"{TOO_LITTLE} {ABSENT}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if lines[-1].startswith(TOO_LITTLE) else 0


if __name__ == "__main__":
    sys.exit(main())
