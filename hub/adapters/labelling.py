"""Labels drawn for packs that wait for one: the facts of the pack, rendered, decoded again, and handed to the line."""

import base64
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from hub.adapters.label_documents import LabelFacts, pack_document, tray_document
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.batching import MOST_FILLS
from hub.domain.custody import Trolley, TrolleyState
from hub.domain.drugs import Drug
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Pack, PackState
from hub.domain.planning import natural_order
from hub.domain.records import Print
from hub.domain.tall_names import TallNames, tall_names_of
from hub.services.house import House
from hub.services.make_packs import PrintedLabel, label_ready
from hub.services.ports import UnitOfWork
from hub.services.reject_packs import LABEL_REVIEW
from hub.services.reviews import open_review
from hub.services.split_pack import split_pack
from labels.documents import LabelDocument, LabelKind, PouchLabel
from labels.errors import LabelError
from labels.layout import STANDARD_WIDTH_MM, fits
from labels.proof import prove
from labels.render import render
from labels.template_file import template_of

_log = logging.getLogger(__name__)
AT_ONCE = 16
ON_THE_ROLL = (
    LabelKind.ITEM, LabelKind.AMPOULE_BAG, LabelKind.TRAY, LabelKind.MANIFEST, LabelKind.DRAWER, LabelKind.BADGE, LabelKind.COMMAND
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelWidths:
    """How wide the film of the machine and the roll of the label printer are, in mm: for each there is a template."""

    of_film_mm: int = STANDARD_WIDTH_MM
    of_roll_mm: int = STANDARD_WIDTH_MM

    def __post_init__(self) -> None:
        """Refuse a width on which not every label that goes there has a template; raises TemplateError, which names those there are."""
        template_of(LabelKind.POUCH, self.of_film_mm)
        for kind in ON_THE_ROLL:
            template_of(kind, self.of_roll_mm)


def drawn(document: LabelDocument, width_mm: int, key: PackSerial | None = None) -> PrintedLabel:
    """Draw a label and read it back; `key` names its print where that is not its code. Raises LabelError."""
    raster = render(document, width_mm)
    proof = prove(raster, document.code)
    if not proof.passed:
        raise LabelError(f"it does not read back as itself: {proof.fault}")
    bits = base64.b64encode(raster.bits).decode()
    return PrintedLabel(key or PackSerial(document.code), raster.digest().hex(), raster.width, raster.height, bits)


class Labeller:
    """Draws the labels of expected packs; `work` returns True while more wait."""

    def __init__(self, writer: Writer, house: House, widths: LabelWidths = LabelWidths()) -> None:
        self._writer = writer
        self._house = house
        self._widths = widths

    def work(self) -> bool:
        """Draw up to sixteen labels; each is decoded again before it counts, and one that cannot be drawn is a question to a person."""
        self._draw_trays()
        waiting = self._waiting()
        answers = [self._writer.submit("system", self._drawn(facts)) for facts in waiting]
        for answer in answers:
            answer.result()
        return len(waiting) == AT_ONCE

    def _waiting(self) -> list[LabelFacts]:
        """Return the next labels, none of a patient's time before each pack of that time has a label that fits."""
        for _ in range(MOST_FILLS):
            packs = self._writer.submit_read(_next_times).result()
            overfull = [facts.pack.serial for facts in packs if self._would_fit_split(facts)]
            answers = [self._writer.submit("system", partial(_split, serial, self._house)) for serial in overfull]
            split = [answer.result() for answer in answers]
            if not any(split):
                break
        return packs[:AT_ONCE]

    def _would_fit_split(self, facts: LabelFacts) -> bool:
        """Tell whether a label of several drugs is too full where one of them alone would fit."""
        if len(facts.lines) < 2:
            return False
        try:
            document = pack_document(facts, self._house)
            width = self._width_of(document)
            return not fits(document, width) and any(fits(replace(document, lines=(line,)), width) for line in document.lines)
        except ValueError:
            return False  # told when it is drawn

    def _width_of(self, document: LabelDocument) -> int:
        return self._widths.of_film_mm if isinstance(document, PouchLabel) else self._widths.of_roll_mm

    def _draw_trays(self) -> None:
        """Draw the labels of trays whose trolley is in the pharmacy; one that cannot be drawn is written by hand."""
        for trolley in self._writer.submit_read(_bare_trays).result():
            try:
                label = drawn(tray_document(trolley, self._house), self._widths.of_roll_mm)
            except LabelError as error:
                _log.error("the tray label of %s cannot be drawn: %s", trolley.id, error)
                continue
            tray = Print(label.pack, self._house.printer, label.digest, label.width, label.height, label.raster)
            self._writer.submit("system", partial(_keep_tray, tray)).result()

    def _drawn(self, facts: "LabelFacts") -> Callable[[SqlUnitOfWork], bool]:
        """Return the decision that follows from drawing one label."""
        try:
            document = pack_document(facts, self._house)
            return _take(drawn(document, self._width_of(document)), self._house)
        except ValueError as error:
            return partial(_undrawable, facts.pack.serial, f"its label cannot be drawn: {error}")


def _bare_trays(unit: SqlUnitOfWork) -> list[Trolley]:
    here = unit.trolleys.where(state=[TrolleyState.ASSEMBLING, TrolleyState.SEALED], order_by="id")
    return [trolley for trolley in here if unit.prints.get(trolley.label) is None]


def _keep_tray(tray: Print, unit: SqlUnitOfWork) -> None:
    unit.prints.put(tray)


def _take(label: PrintedLabel, house: House) -> Callable[[SqlUnitOfWork], bool]:
    return lambda unit: label_ready(unit, label, house)


def _next_times(unit: SqlUnitOfWork) -> list[LabelFacts]:
    """Return the next labels, STAT first, then as trolleys are loaded and walked; behind them what else has several doses at these times."""
    packs = [pack for pack in unit.packs.where(state=PackState.EXPECTED, label_digest="") if not pack.reason]
    packs.sort(key=_packing_order)
    times = {_time_of(pack) for pack in packs[:AT_ONCE]}
    later = [pack for pack in packs[AT_ONCE:] if len(pack.doses) > 1 and _time_of(pack) in times]
    return [_facts(unit, pack) for pack in (*packs[:AT_ONCE], *later)]


def _time_of(pack: Pack) -> tuple[object, ...]:
    return pack.batch, pack.patient, pack.due


def _split(serial: PackSerial, house: House, unit: SqlUnitOfWork) -> bool:
    return split_pack(unit, serial, house)


def _packing_order(pack: Pack) -> tuple[object, ...]:
    return (not pack.stat, pack.department, natural_order(pack.room), pack.patient, pack.due, pack.part, pack.serial)


def _facts(unit: SqlUnitOfWork, pack: Pack) -> LabelFacts:
    patient = unit.patients.get(pack.patient)
    assert patient is not None
    doses = [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]
    lines = tuple((drug, dose) for dose in doses if (drug := unit.drugs.get(dose.drug)) is not None)
    order = unit.orders.get(doses[0].order)
    lots = ", ".join(lot.number for lot_id in pack.lots if (lot := unit.lots.get(lot_id)) is not None)
    route = order.line.route if order is not None else ""
    return LabelFacts(pack, patient, lines, route, lots, tall_names(unit, [drug for drug, _ in lines]))


def tall_names(unit: UnitOfWork, drugs: Iterable[Drug]) -> TallNames:
    """Return how the names of drugs are written apart from those of their look-alike groups."""
    groups = sorted({drug.look_alike_group for drug in drugs} - {""})
    return tall_names_of(unit.drugs.where(look_alike_group=groups)) if groups else {}


def _undrawable(serial: PackSerial, reason: str, unit: SqlUnitOfWork) -> bool:
    """Take a pack whose label cannot be drawn out of the line's way and ask a person."""
    pack = unit.packs.get(serial)
    if pack is None or pack.state is not PackState.EXPECTED or pack.label_digest:
        return False
    unit.packs.put(replace(pack, reason=reason))
    open_review(unit, LABEL_REVIEW, serial, "", (reason,))
    return False
