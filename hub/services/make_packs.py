"""From frozen doses to packs: tablets reserved, lots chosen, labels asked for, jobs queued."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil

from hub.domain.batching import batch
from hub.domain.doses import PICKED_LANES, WARD_LANES, DoseState, Lane, PlannedDose
from hub.domain.expiry import outlives, pack_expiry
from hub.domain.identifiers import BatchId, DrugCode, JobId, LotId, PackSerial, derived_id
from hub.domain.packs import Content, Fill, JobState, Pack, PackJob, PackState
from hub.domain.quantities import fraction_text
from hub.domain.records import Command, Print, Requisition
from hub.domain.stock import STORE, Cassette, Lot, lot_is_usable
from hub.services.endings import end_dose
from hub.services.house import House
from hub.services.outbox import send
from hub.services.ports import UnitOfWork
from hub.services.stock_in import next_lots


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """A rendered label: SHA-256 digest of docs/protocol.md section 3, size in dots, base64 of the one-bit rows."""

    pack: PackSerial
    digest: str
    width: int
    height: int
    raster: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a dose will be made of: one lot choice and, for the machine, the fill."""

    dose: PlannedDose
    lots: tuple[LotId, ...]
    fill: Fill | None


def make_packs(
    unit: UnitOfWork, doses: Sequence[PlannedDose], batch_id: BatchId, house: House, remake_of: Pack | None = None
) -> list[Pack]:
    """Allocate stock to frozen doses and set up their packs; what cannot be had is unfulfillable, with the reason.

    Returns the packs, which wait for their labels (`label_ready` goes on). Doses of ward lanes become requisitions.
    """
    frozen = [replace(dose, state=DoseState.FROZEN, batch=batch_id) for dose in doses]
    unit.doses.put_many(frozen)
    packs: list[Pack] = []
    _requisition(unit, [dose for dose in frozen if dose.lane in WARD_LANES], batch_id, house)
    for group in batch([dose for dose in frozen if dose.lane not in WARD_LANES]):
        made = [allocated for dose in group if (allocated := _allocate(unit, dose, house)) is not None]
        for allocations in _by_lane(made):
            packs.append(_set_up(unit, allocations, batch_id, house, remake_of))
    return _numbered(unit, packs)


def make_parts(unit: UnitOfWork, whole: Pack, groups: Sequence[Sequence[PlannedDose]], house: House) -> list[Pack]:
    """Set up one pack for each group of doses in the place of a pack that was called off before it had a label.

    They go where it went; no try of making them counts as failed. They are not numbered yet.
    """
    remake_of = unit.packs.get(whole.replaces) if whole.replaces is not None else None
    packs: list[Pack] = []
    for group in groups:
        made = [allocated for dose in group if (allocated := _allocate(unit, dose, house)) is not None]
        for allocations in _by_lane(made):
            new = _set_up(unit, allocations, whole.batch, house, remake_of, whole.serial)
            packs.append(replace(new, trolley=whole.trolley, stat=whole.stat, drawer=whole.drawer))
    unit.packs.put_many(packs)
    return packs


def _by_lane(allocations: Sequence[Allocation]) -> list[list[Allocation]]:
    """Keep a group together in its lane; a dose that fell out of the machine goes on a pack of its own."""
    machine = [allocation for allocation in allocations if allocation.fill is not None]
    by_hand = [[allocation] for allocation in allocations if allocation.fill is None]
    return ([machine] if machine else []) + by_hand


def _allocate(unit: UnitOfWork, dose: PlannedDose, house: House) -> Allocation | None:
    if dose.lane is Lane.MACHINE:
        allocation = _reserve(unit, dose, house)
        if allocation is not None:
            return allocation
        dose = replace(dose, lane=Lane.TRAY, reason="no cassette holds enough tablets: packed by hand")
        unit.doses.put(dose)
    lot = _first_expiring(unit, dose, house)
    if lot is None:
        end_dose(
            unit,
            dose,
            DoseState.UNFULFILLABLE,
            f"no lot of {dose.drug} in the store holds {fraction_text(dose.units)} and outlives the dose",
        )
        return None
    return Allocation(dose, (lot.id,), None)


def _reserve(unit: UnitOfWork, dose: PlannedDose, house: House) -> Allocation | None:
    count = int(dose.units)
    for cassette in unit.cassettes.where(item=dose.drug, order_by="id"):
        lots = next_lots(cassette, count)
        if cassette.reason or cassette.count - cassette.reserved < count:
            continue
        if not all(lot_is_usable(unit.lots.get(lot), house.local_date(dose.due)) for lot in lots):
            continue
        if not all(outlives(_expiry(unit, [lot], cassette, house), dose.due) for lot in lots):
            continue
        unit.cassettes.put(replace(cassette, reserved=cassette.reserved + count))
        fill = Fill(dose.id, dose.drug, cassette.id, cassette.slot, count)
        return Allocation(dose, lots, fill)
    return None


def _expiry(unit: UnitOfWork, lots: Sequence[LotId], cassette: Cassette | None, house: House) -> date:
    known = [lot for lot_id in lots if (lot := unit.lots.get(lot_id)) is not None]
    opened = cassette.opened_at if cassette is not None else None
    return pack_expiry(
        [lot.expires_on for lot in known],
        opened,
        house.cassette_limit_days,
        house.repackaging,
        house.local_date(unit.now),
    )[0]


def _first_expiring(unit: UnitOfWork, dose: PlannedDose, house: House) -> Lot | None:
    """Return the first-expiring lot of the store that is not promised away and outlives the dose."""
    wanted = taken_from_store(dose.lane, dose.units)
    for lot in sorted(unit.lots.where(item=dose.drug), key=lambda lot: (lot.expires_on, lot.id)):
        free = unit.held(STORE, lot.id) - lot.promised
        if lot_is_usable(lot, house.local_date(dose.due)) and free >= wanted and outlives(_expiry(unit, [lot.id], None, house), dose.due):
            unit.lots.put(replace(lot, promised=lot.promised + wanted))
            return lot
    return None


def taken_from_store(lane: Lane, units: Fraction) -> Fraction:
    """Return what leaves the store for a dose: a tablet that is split leaves it whole."""
    return Fraction(ceil(units)) if lane is Lane.HALF_TABLET else units


def _set_up(
    unit: UnitOfWork, allocations: Sequence[Allocation], batch_id: BatchId, house: House, remake_of: Pack | None, part_of: str = ""
) -> Pack:
    doses = [allocation.dose for allocation in allocations]
    first = doses[0]
    before = part_of or (remake_of.serial if remake_of else "")
    serial = house.serial_of("pack", batch_id, *(dose.id for dose in doses), before)
    lots = [lot for allocation in allocations for lot in allocation.lots]
    fills = tuple(allocation.fill for allocation in allocations if allocation.fill is not None)
    cassettes = [cassette for fill in fills if (cassette := unit.cassettes.get(fill.cassette)) is not None]
    opened: Sequence[Cassette | None] = cassettes or [None]
    expiry = min(_expiry(unit, lots, cassette, house) for cassette in opened)
    trolley = None if first.stat or first.lane is Lane.AMPOULE or remake_of is not None else house.trolley_of(first)
    pack = Pack(
        serial=serial, lane=first.lane, patient=first.patient, doses=tuple(dose.id for dose in doses), due=min(dose.due for dose in doses),
        slot=first.slot, department=first.department, room=first.room, batch=batch_id, state=PackState.EXPECTED, expires_on=expiry,
        label_digest="", contents=_promised_contents(allocations), lots=tuple(dict.fromkeys(lots)), stat=trolley is None, trolley=trolley, drawer=first.room,
        job=JobId(derived_id("job", serial)) if fills else None, replaces=remake_of.serial if remake_of else None,
    )  # fmt: skip
    unit.doses.put_many([replace(dose, pack=serial) for dose in doses])
    if fills and pack.job is not None:
        replaces = remake_of.job if remake_of is not None else None
        unit.jobs.put(PackJob(pack.job, serial, house.packager, fills, JobState.QUEUED, unit.now, replaces))
    return pack


def _promised_contents(allocations: Sequence[Allocation]) -> tuple[Content, ...]:
    """Return what a picker is to take; a machine's pack is filled by what its sensor counts."""
    return tuple(Content(a.dose.id, a.dose.drug, a.lots[0], a.dose.units) for a in allocations if a.fill is None)


def _numbered(unit: UnitOfWork, packs: Sequence[Pack]) -> list[Pack]:
    """Number the packs of a patient's dose time: `1 of 3`."""
    groups: dict[tuple[object, ...], list[Pack]] = {}
    for pack in packs:
        groups.setdefault((pack.patient, pack.due), []).append(pack)
    numbered = [
        replace(pack, part=part, parts=len(group)) for group in groups.values() for part, pack in enumerate(group, 1)
    ]
    unit.packs.put_many(numbered)
    return numbered


def _requisition(unit: UnitOfWork, doses: Sequence[PlannedDose], batch_id: BatchId, house: House) -> None:
    """Ask the store for what the ward lanes of this batch need: one requisition a department, item and lot."""
    wanted: dict[tuple[str, DrugCode, LotId], list[PlannedDose]] = {}
    for dose in doses:
        lot = _first_expiring(unit, dose, house)
        if lot is None:
            end_dose(
                unit,
                dose,
                DoseState.UNFULFILLABLE,
                f"no lot of {dose.drug} in the store holds {fraction_text(dose.units)} and outlives the dose",
            )
            continue
        wanted.setdefault((dose.department, dose.drug, lot.id), []).append(dose)
    for (department, item, lot_id), group in wanted.items():
        requisition_id = derived_id(
            "requisition", batch_id, department, item, lot_id, *(dose.id for dose in group), digits=16
        )
        units = sum((dose.units for dose in group), Fraction(0))
        unit.requisitions.put(
            Requisition(requisition_id, department, item, lot_id, units, tuple(dose.id for dose in group), batch_id)
        )


def label_ready(unit: UnitOfWork, label: PrintedLabel, house: House) -> bool:
    """Take a rendered label: the pack is expected from now on, and its job or its print goes to the device.

    False where the pack was called off while its label was drawn.
    """
    pack = unit.packs.get(label.pack)
    if pack is None or pack.state is not PackState.EXPECTED or pack.label_digest:
        return False
    unit.packs.put(replace(pack, label_digest=label.digest))
    unit.record(
        "pack-expected",
        {
            "pack": pack.serial, "lane": pack.lane.value, "doses": list(pack.doses), "patient": pack.patient, "label": label.digest,
            "job": pack.job, "replaces": pack.replaces, "expires_on": pack.expires_on.isoformat() if pack.expires_on else None,
        },
    )  # fmt: skip
    device = house.packager if pack.job is not None else house.printer
    unit.prints.put(Print(pack.serial, device, label.digest, label.width, label.height, label.raster))
    if pack.job is not None:
        _queue_job(unit, pack, house)
    return True


def _queue_job(unit: UnitOfWork, pack: Pack, house: House) -> None:
    job = unit.jobs.get(pack.job)
    assert job is not None
    fills = [{"slot": fill.machine_slot, "cassette": fill.cassette, "count": fill.count} for fill in job.fills]
    unit.record("job-queued", {"job": job.id, "pack": pack.serial, "device": job.device, "fills": fills})
    send(unit, Command(f"run-{job.id}", job.device, "run", 0, job.id, unit.now))


def manual_lane(pack: Pack) -> bool:
    """Tell whether a pack is filled by a person."""
    return pack.lane in PICKED_LANES
