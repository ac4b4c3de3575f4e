"""What a person may decide about a doubt, rule by rule, and what a ruling then makes of a line.

What may be released is what asks for judgement: the line is understood, and its figures are unusual. What is not understood
(drug, unit, route, times), what cannot be counted and what kills (a weekly drug given daily) needs a corrected line or a code.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from hub.domain.allergies import ALLERGY_RULES
from hub.domain.dose_checks import RULE_DIRECTORY_MAXIMUM, RULE_RANGE, RULE_TENFOLD, RULE_WRITTEN_MAXIMUM
from hub.domain.drugs import Drug
from hub.domain.duplicates import RULE_BESIDE, RULE_DUPLICATE
from hub.domain.orders import Order, OrderLine, Reason
from hub.domain.quantities import Quantity
from hub.domain.regulation_checks import RULE_UNCONFIRMED
from hub.domain.route_forms import RULE_ROUTE_FORM
from hub.domain.rulings import PASSING, Ruling, RulingKind, settled_dose_of, stands
from hub.domain.schedule_rules import DurationMeaning, ScheduleRules
from hub.domain.strengths import units_for
from hub.domain.timing import Dosage
from hub.domain.timing_rules import RULE_DURATION

# What a source wrote and changes neither drug, dose, time, route nor patient: a person takes note of it (`Topic.NOTE`).
RULE_NOTED = "source-note"
MOST_OFFERED = 9
RULE_EARLIER_STAY = "earlier-stay"
RELEASABLE = frozenset({
    RULE_DUPLICATE, RULE_TENFOLD, RULE_DIRECTORY_MAXIMUM, RULE_WRITTEN_MAXIMUM, RULE_UNCONFIRMED, RULE_EARLIER_STAY, RULE_ROUTE_FORM, RULE_NOTED,
})  # fmt: skip


class Remedy(StrEnum):
    """What settles a doubt: a ruling of one of four kinds, an answered code, validation again, or only a corrected line."""

    RELEASE = "release"
    ALLERGY = "allergy"
    DOSE = "dose"
    DURATION = "duration"
    VALIDATE = "validate"
    CODE = "code"
    CORRECT = "correct"


_REMEDIES: Mapping[str, Remedy] = {
    **dict.fromkeys(RELEASABLE, Remedy.RELEASE), **dict.fromkeys(ALLERGY_RULES, Remedy.ALLERGY), RULE_RANGE: Remedy.DOSE, RULE_DURATION: Remedy.DURATION,
    RulingKind.WITHDRAWN.value: Remedy.VALIDATE, "unknown-drug": Remedy.CODE, "frequency": Remedy.CODE, "route": Remedy.CODE, "dose-to-units": Remedy.CODE,
}  # fmt: skip


_REMARKS = frozenset({RULE_BESIDE, "on-hold", "first-dose", *(kind.value for kind in PASSING)})


def doubts_of(order: Order) -> tuple[Reason, ...]:
    """Return why an order waits: its reasons without the remarks that stand beside them and hold nothing up."""
    return tuple(reason for reason in order.reasons if reason.rule not in _REMARKS)


def remedy_of(doubt: Reason) -> Remedy:
    """Return what settles a doubt."""
    return _REMEDIES.get(doubt.rule, Remedy.CORRECT)


_CORRECTIONS: Mapping[str, tuple[str, str]] = {
    "weekly-drug": (
        "nobody may release this: have the doctor write the day of the week, or another drug",
        "разрешить это нельзя никому: пусть врач укажет день недели или другой препарат",
    ),
    "plausible-count": (
        "this cannot be released: have the dose written anew, or another strength ordered",
        "разрешить это нельзя: пусть врач укажет дозу заново или назначит другую дозировку",
    ),
    "whole-units": (
        "nothing is rounded: have the doctor write one of the permitted doses, or another strength",
        "ничего не округляется: пусть врач укажет одну из допустимых доз или другую дозировку",
    ),
    "blank-class": ("enter the drug's legal class in the directory", "укажите группу учёта препарата в справочнике"),
    "unknown-stay": ("have the ward tell where the patient lies", "пусть отделение укажет, где лежит пациент"),
}  # fmt: skip
_ANY = (
    "this needs a corrected line: send it back to the ward, saying what to write",
    "нужна исправленная строка: верните её в отделение и укажите, что исправить",
)


def correction_in_review(rule: str) -> tuple[str, str]:
    """Return what is to be done where no ruling helps, in English and Russian."""
    return _CORRECTIONS.get(rule, _ANY)


def meant(line: OrderLine, rulings: Collection[Ruling]) -> OrderLine:
    """Return a line as it is meant: with the dose to which a ruling that stands settled its range.

    Further dosages are settled in the same proportion, as they are counted in the first one.
    """
    if not rulings:
        return line
    settled = next((ruling for ruling in rulings if ruling.kind is RulingKind.DOSE_SETTLED and stands(ruling, line, ())), None)
    if settled is None or line.dose is None:
        return line
    share = settled_dose_of(settled).amount / line.dose[0].amount
    return replace(line, dosages=tuple(_settled(dosage, share) for dosage in line.dosages))


def _settled(dosage: Dosage, share: Fraction) -> Dosage:
    if dosage.dose is None:
        return dosage
    return replace(dosage, dose=(dosage.dose[0].times(share),) * 2)


def is_infusion(line: OrderLine, rulings: Collection[Ruling]) -> bool:
    """Tell whether a ruling that stands says that a line is an infusion, which is not packed."""
    return any(ruling.kind is RulingKind.INFUSION and stands(ruling, line, ()) for ruling in rulings)


_DURATIONS: Mapping[RulingKind, DurationMeaning] = {
    RulingKind.COURSE: DurationMeaning.COURSE,
    RulingKind.INFUSION: DurationMeaning.DOSE,
}


def rules_meant(rules: ScheduleRules, line: OrderLine, rulings: Collection[Ruling]) -> ScheduleRules:
    """Return the rules by which a line's times are read: a ruling that stands says what its long duration means."""
    if not rulings:
        return rules
    meaning = next((_DURATIONS[ruling.kind] for ruling in rulings if ruling.kind in _DURATIONS and stands(ruling, line, ())), None)
    return rules if meaning is None else with_duration(rules, meaning)


@lru_cache(maxsize=16)
def with_duration(rules: ScheduleRules, meaning: DurationMeaning) -> ScheduleRules:
    """Return rules that say what a long duration means; one and the same for the same two, as readings are remembered by identity."""
    return replace(rules, duration=meaning)


def offered_doses(dose: tuple[Quantity, Quantity], drug: Drug) -> tuple[Quantity, ...]:
    """Return the doses within a range that come out in permitted parts of a unit, both ends among them, rising; at most nine."""
    low, high = dose
    ends = [units_for(each, drug) for each in dose]
    if isinstance(ends[0], Reason) or isinstance(ends[1], Reason) or ends[0] <= 0:
        return (low, high)
    step = Fraction(1, drug.parts)
    first = (ends[0] // step + 1) * step
    between = [first + step * number for number in range(MOST_OFFERED) if first + step * number < ends[1]]
    offered = dict.fromkeys((low, high, *(low.times(count / ends[0]) for count in between)))
    return tuple(sorted(tuple(offered)[:MOST_OFFERED], key=lambda dose: dose.amount))
