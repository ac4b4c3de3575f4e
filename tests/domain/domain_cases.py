"""Drugs, patients, lines and doses that the tests of the domain vary."""

import csv
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import BatchId, DoseId, DrugCode, LotId, OrderId, PackSerial, PatientId
from hub.domain.orders import (
    LineDecision,
    LineState,
    Order,
    OrderLine,
    OrderStatus,
    Outcome,
    Patient,
    SourceSettings,
    Stay,
)
from hub.domain.packs import Content, Pack, PackState
from hub.domain.quantities import Quantity
from hub.domain.schedule import DAY_SLOTS, FrequencyTable, read_frequency_table
from hub.domain.timing import Dosage, Timing
from hub.domain.validation import decide_line

MOSCOW = timezone(timedelta(hours=3), "MSK")
MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=MOSCOW)

TABLE_FILE = Path(__file__).parents[2] / "hub" / "adapters" / "data" / "frequencies.csv"


def frequency_table() -> FrequencyTable:
    with TABLE_FILE.open(newline="", encoding="utf-8") as file:
        return read_frequency_table(csv.DictReader(file))


TABLE = frequency_table()


def mg(amount: str | int) -> tuple[Quantity, Quantity]:
    return (Quantity(Fraction(amount), "mg"), Quantity(Fraction(amount), "mg"))


METFORMIN = Drug(
    code=DrugCode("MET500"), inn="Metformin", trade_name="Сиофор", form=Form.TABLET, strength="500 мг", unit="таб",
    group="Biguanides", drug_class=DrugClass.ORDINARY, high_alert=False, hazardous=False, look_alike_group="",
    storage=Storage.ROOM, divisible_by=4, prepack_allowed=True, price=None,
)  # fmt: skip

PATIENT = Patient(PatientId("p1"), "W-1", "Кузнецова", "Елена", date(1973, 11, 21), ())
STAY = Stay(PATIENT.id, "e1", "Терапия", "7", "2")
SOURCE = SourceSettings("hospital", False, False, 3, True, ("Реанимация",), 3)
LINE = OrderLine(
    id=OrderId("o1"), version=1, source="hospital", sheet="s1", position="line 2", patient=PATIENT.id, drug=METFORMIN.code,
    drug_text="Метформин 500 мг", dosages=(Dosage(mg(500), Timing(code="BID"), "PO"),), status=OrderStatus.ACTIVE,
    authored_at=MONDAY - timedelta(hours=12), starts_at=MONDAY - timedelta(hours=12), ends_at=None, signed_by="Иванова",
)  # fmt: skip


def drug(**changes: Any) -> Drug:
    return replace(METFORMIN, **changes)


def line(**changes: Any) -> OrderLine:
    """Return the line with members changed; `dose`, `route` and `timing` are those of its one dosage."""
    own = {name: changes.pop(name) for name in ("dose", "route", "timing") if name in changes}
    return replace(LINE, dosages=(replace(LINE.dosages[0], **own),), **changes)


def decide(
    order_line: OrderLine = LINE,
    item: Drug | None = METFORMIN,
    *,
    patient: Patient = PATIENT,
    stay: Stay | None = STAY,
    source: SourceSettings = SOURCE,
    confirmed_at: datetime | None = MONDAY,
    now: datetime = MONDAY,
) -> LineDecision:
    directory = {} if item is None else {item.code: item}
    return decide_line(order_line, patient, stay, directory, TABLE, DAY_SLOTS, source, confirmed_at, now)


def order(order_line: OrderLine = LINE, **changes: Any) -> Order:
    whole = Order(
        order_line.id, order_line.version, order_line, Outcome.SCHEDULED, LineState.ACTIVE, (), order_line.patient,
        MONDAY - timedelta(hours=1),
    )  # fmt: skip
    return replace(whole, **changes)


DOSE = PlannedDose(
    id=DoseId("d1"), order=LINE.id, version=1, patient=PATIENT.id, drug=METFORMIN.code, due=MONDAY.replace(hour=8), slot="morning",
    lane=Lane.MACHINE, units=Fraction(1), dose_text="1 × 500 mg = 500 mg", department="Терапия", room="7", bed="2", stat=False,
    combine=False, state=DoseState.PACKED,
)  # fmt: skip

PACK = Pack(
    serial=PackSerial("K7PMQ2"), lane=Lane.MACHINE, patient=PATIENT.id, doses=(DOSE.id,), due=DOSE.due, slot="morning",
    department="Терапия", room="7", batch=BatchId("b1"), state=PackState.RECEIVED, expires_on=date(2026, 9, 1), label_digest="00",
    contents=(Content(DOSE.id, METFORMIN.code, LotId("lot1"), Fraction(1)),),
)  # fmt: skip


def dose(**changes: Any) -> PlannedDose:
    return replace(DOSE, **changes)


def pack(**changes: Any) -> Pack:
    return replace(PACK, **changes)
