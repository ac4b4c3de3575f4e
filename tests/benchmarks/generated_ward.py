"""A ward with packs that were received and are due now, so that each can be given once."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hub.adapters.sessions import ArgonPins
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.identifiers import BatchId, DoseId, DrugCode, JobId, LotId, OrderId, PackSerial, PatientId, TrolleyId
from hub.domain.orders import LineState, Order, OrderLine, OrderStatus, Outcome, Patient, Reason, Stay
from hub.domain.packs import Content, Pack, PackState, Verdict
from hub.domain.people import Role
from hub.domain.quantities import Quantity
from hub.domain.stock import STORE, SUPPLIER, Lot, StockMove, lot_id, pack_account
from hub.domain.timing import Dosage, Timing
from hub.services.sign_in import NewUser, enrol
from tests.benchmarks.generated_hospital import directory

BADGE, PIN = "B-3001", "135790"
PACKS_A_PATIENT = 4
LOTS = 200


def patient_code(number: int) -> str:
    """Return what is on the wristband that goes with a pack."""
    return f"W{number // PACKS_A_PATIENT:07}"


def serial(number: int) -> str:
    """Return the serial of a pack."""
    return f"{number:08}PACK"


def dose_id(number: int) -> str:
    """Return the dose in a pack."""
    return f"{number:032x}"


def lot_of(number: int) -> tuple[DrugCode, LotId]:
    """Return drug and lot of what is in a pack."""
    drug = DrugCode(f"DRUG{number % LOTS:03}")
    return drug, lot_id(drug, f"L{number % LOTS:05}")


def fill(unit: SqlUnitOfWork, count: int, due: datetime) -> None:
    """Enter a nurse and `count` packs in state received, each with one dose of one tablet and its order."""
    enrol(unit, NewUser("Медсестра Громова", Role.NURSE, BADGE, PIN), ArgonPins().hashed(PIN))
    patients = range((count + PACKS_A_PATIENT - 1) // PACKS_A_PATIENT)
    unit.drugs.put_many(directory())
    unit.patients.put_many(
        Patient(PatientId(f"p{n}"), f"W{n:07}", "Иванов", "Иван Петрович", date(1958, 3, 21)) for n in patients
    )
    unit.stays.put_many(Stay(PatientId(f"p{n}"), f"e{n}", f"Ward {n // 40}", str(n % 10), str(n % 4)) for n in patients)
    unit.lots.put_many(Lot(lot, drug, f"L{n:05}", due.date() + timedelta(days=300), Decimal("3.20")) for n in range(LOTS) for drug, lot in [lot_of(n)])
    unit.orders.put_many(_order(n, due) for n in range(count))
    unit.doses.put_many(_dose(n, due) for n in range(count))
    unit.packs.put_many(_pack(n, due) for n in range(count))
    for number in range(LOTS):
        unit.move(StockMove(*lot_of(number), SUPPLIER, STORE, Fraction(count)), "receipt")
    filling = (StockMove(*lot_of(n), STORE, pack_account(serial(n)), Fraction(1)) for n in range(count))
    unit.move_many([(move, {}) for move in filling], "pick")


def _patient(number: int) -> PatientId:
    return PatientId(f"p{number // PACKS_A_PATIENT}")


def _ward(number: int) -> str:
    return f"Ward {number // PACKS_A_PATIENT // 40}"


def _order(number: int, due: datetime) -> Order:
    amount = Quantity(Fraction(50), "mg")
    line = OrderLine(
        id=OrderId(f"mr{number}"), version=1, source="hospital", sheet="sheet.json", position=f"entry {number}", patient=_patient(number),
        drug=lot_of(number)[0], drug_text="Tradename 50 mg", dosages=(Dosage((amount, amount), Timing("DAILY"), "PO"),), status=OrderStatus.ACTIVE,
        authored_at=due - timedelta(hours=20), starts_at=due - timedelta(hours=10), ends_at=None, signed_by="dr-morozova",
    )  # fmt: skip
    reason = Reason("scheduled", "complete, ours, and due by 'DAILY'", "Kemerovo order 1088, section II.1")
    return Order(line.id, 1, line, Outcome.SCHEDULED, LineState.ACTIVE, (reason,), line.patient, due - timedelta(hours=2))


def _dose(number: int, due: datetime) -> PlannedDose:
    return PlannedDose(
        DoseId(dose_id(number)), OrderId(f"mr{number}"), 1, _patient(number), lot_of(number)[0], due, "morning", Lane.MACHINE, Fraction(1),
        "1 × 50 mg = 50 mg", _ward(number), "1", "1", stat=False, combine=False, state=DoseState.PACKED, batch=BatchId("2026-11-22-morning"),
        pack=PackSerial(serial(number)),
    )  # fmt: skip


def _pack(number: int, due: datetime) -> Pack:
    drug, lot = lot_of(number)
    return Pack(
        serial=PackSerial(serial(number)), lane=Lane.MACHINE, patient=_patient(number), doses=(DoseId(dose_id(number)),), due=due, slot="morning",
        department=_ward(number), room="1", batch=BatchId("2026-11-22-morning"), state=PackState.RECEIVED, expires_on=due.date() + timedelta(days=30),
        label_digest="0" * 64, contents=(Content(DoseId(dose_id(number)), drug, lot, Fraction(1)),), lots=(lot,), job=JobId(f"j{number}"),
        verdict=Verdict.PASS, trolley=TrolleyId(f"2026-11-22-morning-{number % 40:06x}"), drawer="1", in_drawer=False,
    )  # fmt: skip
