"""Why a line of a sheet became what it is: outcome, rules, what was understood, settings in force, and what changed it since."""

from collections.abc import Iterator

from hub.domain.line_diff import FieldChange
from hub.domain.orders import LineState, Order, Outcome, Reason
from hub.domain.refusals import Refusal
from hub.domain.regulation_checks import ORDER_1088_CHECKS
from hub.domain.releases import meant
from hub.domain.rulings import ruling_reason
from hub.domain.schedule_rules import rules_in_words
from hub.domain.state_words import state_ru
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.preview import schedule_in_words
from hub.services.why_answers import (
    MOST_GROUNDS,
    Ground,
    Why,
    clock,
    not_known,
    of_dose,
    of_patient,
    of_place,
    when_and_who,
)

RULE_UNDERSTOOD = "understood"
RULE_SETTING = "schedule-setting"
RULE_CODE = "source-code"
RULE_CHANGED = "changed-line"
RULE_CHECKS = "checks"
RULE_STATE = "order-state"
_TABLE = "frequencies.csv: the ward's time-table"
_CHECKS_RU = {"dose": "доза", "frequency": "кратность", "course": "курс", "signature": "подпись", "allergies": "аллергии"}


def why_line(unit: UnitOfWork, house: House, order_id: str) -> Why | Refusal:
    """Return why the line of an order has its outcome."""
    order = unit.orders.get(order_id)
    if order is None:
        return Refusal("unknown-order", f"There is no order {order_id}.", f"Назначения {order_id} нет.")
    meant = understood_of(unit, house, order)
    state = tuple(_state(unit, house, order))
    also = (*order.reasons[1:], meant, *state, *_rulings(unit, order), *_checks(order), *_codes(order), *_changes(unit, house, order))
    return Why("line", order.id, _sentence(order, state, meant), also, _settings(house, order), _grounds(unit, house, order))


def _sentence(order: Order, state: tuple[Reason, ...], understood: Reason) -> Reason:
    """Return outcome and first reason, what was understood where doses follow from it, and how the order ended or is held."""
    drug = order.line.drug_text or order.line.drug or "?"
    first = order.reasons[0] if order.reasons else not_known("the records do not say why", "почему, в записях нет")
    parts = [first, *([understood] if order.outcome in (Outcome.SCHEDULED, Outcome.ONCE, Outcome.PRN) else []), *state]
    english, russian = "; ".join(part.text for part in parts), "; ".join(part.said("ru") for part in parts)
    outcome = order.outcome.value.replace("-", " ")
    return Reason(first.rule, f"{drug}, {outcome}: {english}", first.source, f"{drug}, {state_ru(order.outcome)}: {russian}")


def understood_of(unit: UnitOfWork, house: House, order: Order) -> Reason:
    """Return what was understood of an order's schedule, in words; or the rule that says why nobody can tell."""
    stay, line = unit.stays.get(order.patient), order.line
    department = stay.department if stay is not None else ""
    if not line.times_are_read:
        return not_known("what it says of times could not be read", "указание времени не прочитано")
    rulings = unit.rulings.where(order=line.id, ended_at=None)
    schedule = house.schedule_of(line, department, rulings)
    if isinstance(schedule, Reason):
        return Reason(schedule.rule, f"not understood: {schedule.text}", schedule.source, f"не понято: {schedule.said('ru')}")
    english, russian = (schedule_in_words(house, meant(line, rulings), schedule, language) for language in ("en", "ru"))
    return Reason(RULE_UNDERSTOOD, f"understood as: {english}", _TABLE, f"понято как: {russian}")


def _state(unit: UnitOfWork, house: House, order: Order) -> Iterator[Reason]:
    """Yield how an order came to be stopped, completed or held, where it is."""
    if order.state not in (LineState.STOPPED, LineState.COMPLETED, LineState.ON_HOLD) and order.stopped_at is None:
        return
    fact = unit.newest_fact("order-changed", order=order.id)
    told, told_ru = when_and_who(unit, house, fact)
    if fact is None and order.state is LineState.ON_HOLD:
        told, told_ru = "its line says so", "так указано в строке"
    ended = f" at {clock(house, order.stopped_at)}" if order.stopped_at is not None else ""
    ended_ru = f" {clock(house, order.stopped_at)}" if order.stopped_at is not None else ""
    yield Reason(
        RULE_STATE, f"the order is {order.state.value.replace('-', ' ')}{ended} ({told})", "docs/late-changes.md",
        f"строка {state_ru(order.state)}{ended_ru} ({told_ru})",
    )  # fmt: skip


def _rulings(unit: UnitOfWork, order: Order) -> Iterator[Reason]:
    """Yield what pharmacists ruled about the order and still holds, where it is not among its reasons."""
    told = {reason.text for reason in order.reasons}
    for ruling in unit.rulings.where(order=order.id, ended_at=None):
        if (ruled := ruling_reason(ruling)).text not in told:
            yield ruled


def _checks(order: Order) -> Iterator[Reason]:
    """Yield the regulation's checks that the line passed, by name; those that it did not pass are among its reasons."""
    passed = [check.name for check in order.checks if check.passed]
    if passed:
        russian = ", ".join(_CHECKS_RU.get(name, name) for name in passed)
        yield Reason(RULE_CHECKS, f"checked and found right: {', '.join(passed)}", ORDER_1088_CHECKS, f"проверено, замечаний нет: {russian}")


def _codes(order: Order) -> Iterator[Reason]:
    """Yield what of the source's own words was taken for something else."""
    line = order.line
    for _, as_written, meaning in line.written.taken if line.written is not None else ():
        yield Reason(
            RULE_CODE, f"'{as_written}' was taken for '{meaning}'", f"code table of the source {line.source}", f"«{as_written}» понято как «{meaning}»",
        )  # fmt: skip


def _changes(unit: UnitOfWork, house: House, order: Order) -> Iterator[Reason]:
    """Yield what the newest decision says otherwise than the version before, and who decided."""
    fact = unit.newest_fact("line-decided", order=order.id)
    if fact is None:
        yield not_known("the ledger has no decision of this line", "в журнале нет решения по этой строке")
        return
    told, told_ru = when_and_who(unit, house, fact)
    yield Reason(RULE_CHANGED, f"decided: {told}", "ledger", f"решено: {told_ru}")
    for change in fact.data.get("changed", ()):
        changed = FieldChange(change["field"], change["before"] or "—", change["after"] or "—")
        yield Reason(
            RULE_CHANGED, f"changed in version {order.version}: {changed.field} '{changed.before}' → '{changed.after}'", "ledger",
            f"изменено в версии {order.version}: {changed.field_ru} «{changed.before}» → «{changed.after}»",
        )  # fmt: skip


def _settings(house: House, order: Order) -> tuple[Reason, ...]:
    """Return the settings in force for the line's source, each as a sentence."""
    rules = house.rules_for(order.line.source)
    pairs = zip(rules_in_words(rules, "en"), rules_in_words(rules, "ru"), strict=True)
    return tuple(Reason(RULE_SETTING, english, "docs/schedule.md: the house's own choices", russian) for english, russian in pairs)


def _grounds(unit: UnitOfWork, house: House, order: Order) -> tuple[Ground, ...]:
    doses = unit.doses.where(order=order.id, order_by="-due,id", limit=MOST_GROUNDS)
    more = unit.doses.count(order=order.id) - len(doses)
    rest = (Ground("", "", f"and {more} earlier doses", f"и ещё более ранних доз: {more}"),) if more else ()
    return (of_place(order.line), of_patient(unit, order.patient), *(of_dose(house, dose) for dose in doses), *rest)
