"""A pharmacist lets a line in review go on by name: releases a doubt, settles a range, says what a duration means; or takes it back."""

from dataclasses import replace
from enum import StrEnum
from fractions import Fraction

from hub.domain.line_content import counted_dose
from hub.domain.orders import Order, Outcome, Reason
from hub.domain.quantities import Quantity, convert
from hub.domain.refusals import Refusal
from hub.domain.releases import Remedy, correction_in_review, doubts_of, remedy_of
from hub.domain.rulings import PASSING, Ruling, RulingKind, about_of, dose_told, rule_ru, ruled_content
from hub.domain.schedule import factors_of
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.ruling_desk import Case, Said, high_alert_alone, judged_anew, made_ruling, opened, ruling_fact

LONGEST_AMOUNT = 20


class Duration(StrEnum):
    """What a duration that is not shorter than its period means."""

    COURSE = "course"
    INFUSION = "infusion"


def release_doubt(unit: UnitOfWork, said: Said, rule: str, about: str, house: House) -> Order | Refusal:
    """Release one doubt of a line in review: its rule, and the very matter (`about_of`) that the pharmacist looked at.

    It holds for the same drug, dosages and matter, also on the next day's sheet. A high-alert drug needs a second person.
    """
    case = _waiting(unit, said, house)
    if isinstance(case, Refusal):
        return case
    doubt = next((each for each in doubts_of(case.order) if each.rule == rule and about_of(each) == about), None)
    if doubt is None:
        return _no_such_doubt(case.order, rule)
    if remedy_of(doubt) is not Remedy.RELEASE:
        english, russian = correction_in_review(rule)
        return Refusal("not-releasable", f"'{rule}' is not released by a ruling: {english}.", f"«{rule_ru(rule)}» решением не снимается: {russian}.")
    ruling = made_ruling(unit, case, said, RulingKind.RELEASED, ruled_content(case.order.line), rule=rule, about=about)
    return _ruled(unit, case, ruling, "line-released", {"rule": rule, "text": doubt.text}, house)


def settle_dose(unit: UnitOfWork, said: Said, amount: str, house: House) -> Order | Refusal:
    """Settle the dose of a written range: an amount in its unit, within it, that comes out in permitted parts.

    `amount` is exact text: `1.5`, `1,5` or `3/2`. Nothing is rounded.
    """
    case = _waiting(unit, said, house)
    if isinstance(case, Refusal):
        return case
    if not any(remedy_of(doubt) is Remedy.DOSE for doubt in case.order.reasons):
        return _no_such_doubt(case.order, "dose-range")
    dose = _within(case.order, amount)
    if isinstance(dose, Refusal):
        return dose
    if (uncounted := _uncounted(case, dose, house)) is not None:
        return Refusal(uncounted.rule, uncounted.text, uncounted.said("ru"))
    told = dose_told(dose)
    ruling = made_ruling(unit, case, said, RulingKind.DOSE_SETTLED, ruled_content(case.order.line), rule="dose-range", dose=told)
    return _ruled(unit, case, ruling, "dose-settled", {"dose": str(dose)}, house)


def tell_duration(unit: UnitOfWork, said: Said, meaning: Duration, house: House) -> Order | Refusal:
    """Say that a long duration is the length of the course, or that of an infusion, which is then not packed."""
    case = _waiting(unit, said, house)
    if isinstance(case, Refusal):
        return case
    if not any(remedy_of(doubt) is Remedy.DURATION for doubt in case.order.reasons):
        return _no_such_doubt(case.order, "timing-duration")
    kind = RulingKind.COURSE if meaning is Duration.COURSE else RulingKind.INFUSION
    ruling = made_ruling(unit, case, said, kind, ruled_content(case.order.line), rule="timing-duration")
    schedule = house.schedule_of(case.order.line, _department(case), [ruling])
    if isinstance(schedule, Reason):
        return Refusal(
            "not-releasable", f"Read so, the line still says something that nobody can tell: {schedule.text}.",
            f"И при таком прочтении строка непонятна: {schedule.said('ru')}.",
        )  # fmt: skip
    return _ruled(unit, case, ruling, "duration-told", {"meaning": meaning.value}, house)


def withdraw_ruling(unit: UnitOfWork, said: Said, ruling: str, house: House) -> Order | Refusal:
    """Take a ruling back by which a line goes on: the line is judged anew, and its doses are called off where it waits again."""
    case = opened(unit, said, house)
    if isinstance(case, Refusal):
        return case
    standing = unit.rulings.get(ruling)
    if standing is None or standing.order != said.order or standing.kind not in PASSING or standing.ended_at is not None:
        return Refusal("no-ruling", f"No such ruling stands about order {said.order}.", f"Такого действующего решения по назначению {said.order} нет.")
    unit.rulings.put(replace(standing, ended_at=unit.now, ended_because=said.reason.strip()))
    unit.record("ruling-withdrawn", {**ruling_fact(case.order, standing), "reason": said.reason.strip(), "by": said.by, "kind": standing.kind.value})
    return judged_anew(unit, case.order, house)


def _waiting(unit: UnitOfWork, said: Said, house: House) -> Case | Refusal:
    """Return the case of a line that waits, confirmed by a second person where its drug asks for one."""
    case = opened(unit, said, house)
    if isinstance(case, Refusal):
        return case
    if case.order.outcome is not Outcome.NEEDS_REVIEW:
        return Refusal(
            "not-waiting", f"Order {said.order} does not wait for a pharmacist ({case.order.outcome.value}).",
            f"Назначение {said.order} не ждёт провизора ({case.order.outcome.value}).",
        )  # fmt: skip
    alone = high_alert_alone(case) if said.second is None else None
    return alone or case


def _no_such_doubt(order: Order, rule: str) -> Refusal:
    doubts = ", ".join(dict.fromkeys(reason.rule for reason in doubts_of(order)))
    return Refusal(
        "no-such-doubt", f"'{rule}' as it was shown does not hold up order {order.id} now ({doubts}): look at it again.",
        f"«{rule_ru(rule)}» в показанном виде больше не задерживает назначение {order.id} ({doubts}): посмотрите его снова.",
    )  # fmt: skip


def _within(order: Order, amount: str) -> Quantity | Refusal:
    """Return the dose that was chosen, or why it is none of the written range."""
    assert order.line.dose is not None
    low, high = order.line.dose
    try:
        if len(amount) > LONGEST_AMOUNT or "e" in amount.casefold():
            raise ValueError(amount)
        dose = Quantity(Fraction(amount.strip().replace(",", ".")), low.unit)
    except (ValueError, ZeroDivisionError):
        return Refusal("dose", f"'{amount[:LONGEST_AMOUNT]}' is no amount: write 1, 1.5 or 3/2.", f"«{amount[:LONGEST_AMOUNT]}» — не количество: укажите 1, 1,5 или 3/2.")
    most = convert(high, low.unit)
    if most is None or not low.amount <= dose.amount <= most.amount or low.amount <= 0:
        return Refusal(
            "dose", f"{dose} is not within the written range, {low} to {high}.",
            f"{dose.in_russian()} — вне назначенного диапазона: от {low.in_russian()} до {high.in_russian()}.",
        )  # fmt: skip
    return dose


def _uncounted(case: Case, dose: Quantity, house: House) -> Reason | None:
    """Return why a chosen dose does not come out in permitted parts, or None."""
    line, drug = case.order.line, case.desk.drugs[case.order.line.drug]
    schedule = house.schedule_of(line, _department(case), case.desk.rulings.get(line.id, ()))
    if isinstance(schedule, Reason):
        return schedule
    counted = (counted_dose(dose.times(factor), drug, line.route) for factor in factors_of(schedule))
    return next((problem for problem in counted if isinstance(problem, Reason)), None)


def _department(case: Case) -> str:
    stay = case.desk.stays.get(case.order.patient)
    return stay.department if stay is not None else ""


def _ruled(unit: UnitOfWork, case: Case, ruling: Ruling, kind: str, more: dict[str, object], house: House) -> Order | Refusal:
    unit.rulings.put(ruling)
    unit.record(kind, {**ruling_fact(case.order, ruling), **more})
    return judged_anew(unit, case.order, house)
