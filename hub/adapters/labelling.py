"""Labels drawn for packs that wait for one: the facts of the pack, rendered, decoded again, and handed to the line."""

import base64
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from hub.adapters.label_documents import LabelFacts, pack_document, tray_document
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
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
from labels.documents import LabelDocument, LabelKind, PouchLabel
from labels.errors import LabelError
from labels.layout import STANDARD_WIDTH_MM
from labels.proof import prove
from labels.render import render
from labels.template_file import template_of

_log = logging.getLogger(__name__)
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class LabelWidths:
    """How wide the film of the machine and the roll of the label printer are, in mm: for each there is a template."""

    of_film_mm: int = STANDARD_WIDTH_MM
    of_roll_mm: int = STANDARD_WIDTH_MM

    def __post_init__(self) -> None:
        """Refuse a width that no pouch or item has a template for; raises TemplateError, which names those there are."""
        template_of(LabelKind.POUCH, self.of_film_mm)
        template_of(LabelKind.ITEM, self.of_roll_mm)


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
        waiting = self._writer.submit_read(lambda unit: _waiting(unit, self._house)).result()
        answers = [self._writer.submit("system", self._drawn(facts)) for facts in waiting]
        for answer in answers:
            answer.result()
        return len(waiting) == AT_ONCE

    def _draw_trays(self) -> None:
        """Draw the labels of trays whose trolley is being assembled; one that cannot be drawn is written by hand."""
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
            width = self._widths.of_film_mm if isinstance(document, PouchLabel) else self._widths.of_roll_mm
            return _take(drawn(document, width), self._house)
        except ValueError as error:
            return partial(_undrawable, facts.pack.serial, f"its label cannot be drawn: {error}")


def _bare_trays(unit: SqlUnitOfWork) -> list[Trolley]:
    assembling = unit.trolleys.where(state=TrolleyState.ASSEMBLING, order_by="id")
    return [trolley for trolley in assembling if unit.prints.get(trolley.label) is None]


def _keep_tray(tray: Print, unit: SqlUnitOfWork) -> None:
    unit.prints.put(tray)


def _take(label: PrintedLabel, house: House) -> Callable[[SqlUnitOfWork], bool]:
    return lambda unit: label_ready(unit, label, house)


def _waiting(unit: SqlUnitOfWork, house: House) -> list[LabelFacts]:
    """Return the next labels: STAT first, then in the order in which trolleys are loaded and walked."""
    packs = [pack for pack in unit.packs.where(state=PackState.EXPECTED, label_digest="") if not pack.reason]
    return [_facts(unit, pack) for pack in sorted(packs, key=_packing_order)[:AT_ONCE]]


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
