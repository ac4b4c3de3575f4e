"""`dosehub plan`: the day's doses that would follow from a file, planned by the hub's own rules; nothing is written."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from rich.markup import escape
from rich.table import Table

from hub.adapters.intake.cassettes import cassettes_from
from hub.adapters.intake.errors import IntakeError
from hub.adapters.label_words import dose_words
from hub.domain.doses import PlannedDose
from hub.domain.lane_words import why_lane
from hub.domain.lanes import piece_text
from hub.domain.orders import LineState, Order, OrderStatus, Reason
from hub.domain.planning import plan_line, trolley_order
from hub.domain.refusals import Refusal
from hub.domain.releases import meant
from hub.domain.schedule import Schedule
from hub.domain.schedule_rules import rules_in_words
from hub.planning_commands.console import wide_console
from hub.planning_commands.opening import Asked, CommandRefused, Opened, opened
from hub.services.order_edits import is_packed
from hub.services.order_versions import STATE_OF_OUTCOME
from hub.services.preview import PreviewLine, SheetPreview, preview_sheet

MACHINE_SLOTS = 250
_HEADS = {
    "ru": ("пациент", "время", "препарат", "единиц", "путь"), "en": ("patient", "time", "drug", "units", "lane"),
}  # fmt: skip
_WHY = {"ru": "почему", "en": "why"}
_LINE_HEADS = {"ru": ("пациент", "препарат", "исход", "почему"), "en": ("patient", "drug", "outcome", "why")}


@dataclass(frozen=True)
class PlanOptions:
    """The options of `dosehub plan`."""

    asked: Asked
    explain: bool


@dataclass(frozen=True)
class Plan:
    """A day's doses in the order of the trolleys, with the lines that they come from and the names that the tables show."""

    preview: SheetPreview
    doses: tuple[PlannedDose, ...]
    codes: dict[str, str]
    drugs: dict[str, str]


def run_plan(options: PlanOptions) -> int:
    """Show the plan; returns the exit status: 0, or 2 with one sentence where the file was refused as a whole."""
    try:
        found = opened(options.asked)
        plan = plan_of(found)
    except (IntakeError, CommandRefused) as refused:
        sys.stderr.write(f"{refused.in_both()}\n")
        return 2
    console = wide_console()
    for line in found.told:
        console.print(line, markup=False, soft_wrap=True)
    for table in plan_tables(plan, options.asked.language, options.explain):
        console.print(table)
    for rule in rules_in_words(plan.preview.rules, options.asked.language) if options.explain else ():
        console.print(rule, markup=False, soft_wrap=True)
    return 0


def plan_of(found: Opened) -> Plan:
    """Return what the hub would plan from a file and what it knows; nothing is written."""
    if found.is_changes:
        raise CommandRefused(f"{found.sheet.name}: a changes feed is no day's sheet; plan the sheet, or look at the changes with import --dry-run.")
    preview = preview_sheet(found.known, found.sheet, found.house, found.now)
    if isinstance(preview, Refusal):
        raise CommandRefused(preview.text, preview.text_ru)
    doses = tuple(sorted(_planned(found, preview), key=trolley_order))
    codes = {**{patient.id: patient.code for patient in found.known.patients.values()}, **{patient.id: patient.code for patient in found.sheet.patients}}
    drugs = {code: f"{drug.inn} {drug.strength}".strip() for code, drug in found.known.drugs.items()}
    return Plan(preview, doses, {str(key): code for key, code in codes.items()}, {str(key): name for key, name in drugs.items()})


def _planned(found: Opened, preview: SheetPreview) -> Iterator[PlannedDose]:
    """Yield the doses of the lines that the preview says are packed: what is shown of a line and of its doses is one judgement."""
    with_cassette = {cassette.item for cassette in cassettes_from(found.known.drugs, slots=MACHINE_SLOTS)}
    stays = {**found.known.stays, **{stay.patient: stay for stay in found.sheet.stays}}
    window = found.house.sheet_window(found.now)
    for shown in preview.lines:
        order = _order_of(shown, found.now)
        stay, drug = stays.get(order.patient), found.known.drugs.get(order.line.drug)
        if not is_packed(order) or stay is None or drug is None:
            continue
        rulings = found.known.rulings.get(order.id, ())
        schedule = found.house.schedule_of(order.line, stay.department, rulings)
        if isinstance(schedule, Schedule):
            yield from plan_line(
                replace(order, line=meant(order.line, rulings)), drug, schedule, stay, found.house.sources[preview.source], found.house.slots,
                max(window[0], found.now), window[1], found.house.zone, has_cassette=drug.code in with_cassette, last_confirmed_at=found.now,
            )  # fmt: skip


def _order_of(shown: PreviewLine, now: datetime) -> Order:
    """Return a previewed line as the order that taking it in would make."""
    line = shown.line
    state = LineState.ON_HOLD if line.status is OrderStatus.ON_HOLD else STATE_OF_OUTCOME[shown.outcome]
    return Order(
        id=line.id, version=line.version, line=line, outcome=shown.outcome, state=state, reasons=shown.reasons, patient=line.patient, decided_at=now,
        first_seen_at=now,
    )  # fmt: skip


def plan_tables(plan: Plan, language: str, explain: bool) -> Iterable[Table]:
    """Yield one table a department, and with `explain` one of what became of each line."""
    lines = {shown.line.id: shown for shown in plan.preview.lines}
    for department, doses in groupby(plan.doses, key=lambda dose: dose.department):
        heads = (*_HEADS[language], _WHY[language]) if explain else _HEADS[language]
        table = Table(*heads, title=escape(department))
        for dose in doses:
            why = (escape(why_dose(lines[dose.order], dose, language)),) if explain else ()
            table.add_row(*map(escape, _cells(plan, dose)), *why)
        yield table
    if explain:
        yield _line_table(plan, language)


def _cells(plan: Plan, dose: PlannedDose) -> tuple[str, str, str, str, str]:
    drug = plan.drugs.get(dose.drug, dose.drug)
    due = dose.due.astimezone(plan.preview.at.tzinfo)
    return plan.codes.get(dose.patient, dose.patient), f"{due:%d.%m %H:%M}", drug, piece_text(dose.units), dose.lane.value


def why_dose(shown: PreviewLine, dose: PlannedDose, language: str) -> str:
    """Return in one sentence why a dose is due then and goes this way."""
    lane = _said(why_lane(dose.lane), language)
    counted = dose_words(dose.dose_text, language)
    return f"{shown.words.get(language) or said_of(shown, language)}; {counted}; {lane}"


def said_of(shown: PreviewLine, language: str) -> str:
    """Return the reasons of a line's outcome, each with its source."""
    return "; ".join(_said(reason, language) for reason in shown.reasons)


def _said(reason: Reason, language: str) -> str:
    return f"{reason.said(language)} [{reason.source}]" if reason.source else reason.said(language)


def _line_table(plan: Plan, language: str) -> Table:
    table = Table(*_LINE_HEADS[language], title=escape(plan.preview.name))
    for shown in plan.preview.lines:
        line = shown.line
        code = plan.codes.get(line.patient, line.patient)
        table.add_row(*map(escape, (code, line.drug_text or line.drug, shown.outcome.value, said_of(shown, language))))
    return table
