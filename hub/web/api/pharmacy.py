"""The packing line: stock, cassettes, manual packs, reviews, the reject bin, requisitions and returns."""

from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.doses import PlannedDose
from hub.domain.identifiers import CassetteId, DeviceId, DrugCode, PackSerial
from hub.domain.packs import Pack
from hub.domain.people import Action, User
from hub.domain.quantities import fraction_text
from hub.domain.refusals import Refusal
from hub.domain.stock import lot_number
from hub.services.pick_packs import issue_requisition, open_picks, pick_pack
from hub.services.ports import UnitOfWork
from hub.services.recall_lot import recall_lot
from hub.services.reject_packs import Decision, packs_to_reject, scan_reject
from hub.services.replace_label import new_label
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.review_station import decide_elsewhere
from hub.services.source_scans import TypedReceipt, receipt_of, source_codes
from hub.services.stock_in import Loading, Receipt, load_cassette, needs_second_person, receive_stock
from hub.services.views import open_reviews
from hub.web.api.bodies import (
    LoadCassette,
    NewLabelBody,
    PickBody,
    RecallBody,
    ReceiptBody,
    RejectBody,
    RequisitionBody,
    ReturnBody,
    ReviewBody,
)
from hub.web.api.station import station_of
from hub.web.context import Hub, allowed, second_person
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["pharmacy"])
Packer = Annotated[User, Depends(allowed(Action.PACK))]
Stockman = Annotated[User, Depends(allowed(Action.RECEIVE_STOCK))]
Recaller = Annotated[User, Depends(allowed(Action.RECALL))]
Loader = Annotated[User, Depends(allowed(Action.LOAD_CASSETTES))]
Reviewer = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
Returner = Annotated[User, Depends(allowed(Action.RETURN_PACKS))]


@router.post("/stock/receipts")
async def receipts(body: ReceiptBody, hub: Hub, user: Stockman) -> Response:
    """Book packs from the supplier into the store."""
    typed = [
        TypedReceipt(pack.code, pack.unit_cost, pack.item, pack.lot, pack.expires_on, Fraction(pack.units) if pack.units else None, pack.look)
        for pack in body.packs
    ]

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        receipts: list[Receipt] = []
        for pack in typed:
            receipt = receipt_of(unit, hub.house, pack)
            if isinstance(receipt, Refusal):
                return receipt
            receipts.append(receipt)
        received = receive_stock(unit, receipts)
        if isinstance(received, Refusal):
            return received
        return {"received": received, "packs": [_received(unit, receipt) for receipt in receipts]}

    return await once(hub, user, body, decide)


def _received(unit: UnitOfWork, receipt: Receipt) -> dict[str, str]:
    """Return what was booked; `lot_said` where the books write the lot in other case than the pack does."""
    pack = unit.source_packs.get(receipt.code)
    lot = lot_number(pack.item, pack.lot) if pack is not None else receipt.lot
    return {
        "code": receipt.code, "item": receipt.item, "lot": lot, "expires_on": receipt.expires_on.isoformat(),
        "units": fraction_text(receipt.units), **({"lot_said": receipt.lot} if lot != receipt.lot else {}),
    }  # fmt: skip


@router.post("/stock/recalls")
async def recall(body: RecallBody, hub: Hub, user: Recaller) -> Response:
    """Recall a lot: packs of it are called off or revoked wherever they are."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        recalled = recall_lot(unit, DrugCode(body.item), body.lot, body.reason, hub.house)
        if isinstance(recalled, Refusal):
            return recalled
        return {"packs": recalled.packs, "patients_given": list(recalled.patients_given)}

    return await once(hub, user, body, decide)


@router.get("/cassettes")
async def cassettes(hub: Hub, _: Packer) -> list[dict[str, Any]]:
    """Return the cassettes with what the books say is in them."""
    return await hub.decisions.read(_cassettes)


def _cassettes(unit: UnitOfWork) -> list[dict[str, Any]]:
    drugs = {drug.code: drug for drug in unit.drugs.where()}
    return [
        {
            "cassette": cassette.id, "item": cassette.item, "name": f"{drugs[cassette.item].trade_name} {drugs[cassette.item].strength}",
            "slot": cassette.slot, "device": cassette.device, "capacity": cassette.capacity, "count": cassette.count,
            "reserved": cassette.reserved, "state": cassette.state.value, "needs_second": needs_second_person(drugs[cassette.item]),
        }
        for cassette in unit.cassettes.where(order_by="id")
    ]  # fmt: skip


@router.post("/cassettes/load")
async def load(body: LoadCassette, hub: Hub, user: Loader) -> Response:
    """Book tablets poured into a cassette, every source pack, cassette and slot scanned."""
    second = await second_person(hub, body.second_badge, body.second_pin, user, Action.LOAD_CASSETTES)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        packs = source_codes(unit, hub.house, body.packs)
        if isinstance(packs, Refusal):
            return packs
        loaded = load_cassette(unit, Loading(DeviceId(body.device), body.slot, CassetteId(body.cassette), packs, body.units, second))
        return loaded if isinstance(loaded, Refusal) else {"loaded": body.units, "count": loaded.count}

    return await once(hub, user, body, decide)


@router.get("/picks")
async def picks(hub: Hub, _: Packer) -> list[dict[str, Any]]:
    """Return manual packs that wait to be filled."""
    return await hub.decisions.read(lambda unit: [_pick(unit, pack) for pack in open_picks(unit)])


def _pick(unit: UnitOfWork, pack: Pack) -> dict[str, Any]:
    printed = unit.prints.get(pack.serial)
    contents = []
    for content in pack.contents:
        drug, lot = unit.drugs.get(content.drug), unit.lots.get(content.lot)
        name = f"{drug.trade_name} {drug.strength}" if drug else content.drug
        contents.append(
            {
                "dose": content.dose,
                "item": content.drug,
                "name": name,
                "units": fraction_text(content.units),
                "lot": lot.number if lot else "",
            }
        )
    return {
        "pack": pack.serial, "lane": pack.lane.value, "patient": pack.patient, "department": pack.department, "room": pack.room,
        "due": pack.due.isoformat(), "contents": contents, "label_printed": printed is not None and printed.printed,
    }  # fmt: skip


@router.post("/picks")
async def pick(body: PickBody, hub: Hub, user: Packer) -> Response:
    """Release a manual pack by the scan of its label and of its source packs."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        packs = source_codes(unit, hub.house, body.packs)
        if isinstance(packs, Refusal):
            return packs
        released = pick_pack(unit, body.label, packs)
        return released if isinstance(released, Refusal) else {"released": released.serial}

    return await once(hub, user, body, decide)


@router.post("/picks/label")
async def label_anew(body: NewLabelBody, hub: Hub, user: Packer) -> Response:
    """Print the label of a pack that waits to be filled anew, under another serial; the old one is void."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        replaced = new_label(unit, body.label, hub.house)
        return replaced if isinstance(replaced, Refusal) else {"replaced": replaced.serial, "pack": replaced.replaced_by}

    return await once(hub, user, body, decide)


@router.get("/reviews")
async def reviews(hub: Hub, _: Reviewer) -> list[dict[str, Any]]:
    """Return the open questions to people; machines in doubt are asked about by `/api/doubts`."""
    return await hub.decisions.read(_reviews)


def _reviews(unit: UnitOfWork) -> list[dict[str, Any]]:
    rows = []
    for review in open_reviews(unit):
        pack = unit.packs.get(review.subject)
        rows.append(
            {
                "review": review.id, "kind": review.kind, "pack": review.subject, "verdict": review.verdict,
                "reasons": list(review.reasons), "reasons_ru": list(review.said("ru")), "evidence": list(review.evidence), "job": pack.job if pack else None,
                "expected": [_dose_line(dose) for dose in unit.doses.where(pack=pack.serial)] if pack else [],
            }
        )  # fmt: skip
    return rows


def _dose_line(dose: PlannedDose) -> dict[str, str]:
    return {"dose": dose.id, "item": dose.drug, "units": fraction_text(dose.units), "text": dose.dose_text}


@router.post("/reviews")
async def review(body: ReviewBody, hub: Hub, user: Reviewer) -> Response:
    """Take a person's decision; a pouch is accepted only after the station's timed look."""
    decision = Decision(body.review, body.decision == "accept", body.pack, body.reason, user.id)
    station = station_of(hub, user)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        decided = decide_elsewhere(unit, station, decision)
        return decided if isinstance(decided, Refusal) else {"state": decided.decision}

    return await once(hub, user, body, decide)


@router.get("/rejects")
async def rejects(hub: Hub, _: Packer) -> list[dict[str, Any]]:
    """Return pouches that must be scanned into the reject bin."""
    return await hub.decisions.read(
        lambda unit: [{"pack": pack.serial, "job": pack.job, "reason": pack.reason} for pack in packs_to_reject(unit)]
    )


@router.post("/rejects")
async def reject(body: RejectBody, hub: Hub, user: Packer) -> Response:
    """Scan a revoked pouch into the reject bin; only then is it made anew."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        destroyed = scan_reject(unit, PackSerial(body.pack), body.unreadable, body.reason, hub.house)
        if isinstance(destroyed, Refusal):
            return destroyed
        return {"destroyed": destroyed.serial, "remade_as": destroyed.replaced_by}

    return await once(hub, user, body, decide)


@router.get("/requisitions")
async def requisitions(hub: Hub, _: Packer) -> list[dict[str, Any]]:
    """Return what wards wait for."""
    return await hub.decisions.read(_requisitions)


def _requisitions(unit: UnitOfWork) -> list[dict[str, Any]]:
    rows = []
    for requisition in unit.requisitions.where(issued=False, order_by="department,item"):
        drug, lot = unit.drugs.get(requisition.item), unit.lots.get(requisition.lot)
        rows.append(
            {
                "requisition": requisition.id, "department": requisition.department, "item": requisition.item,
                "name": drug.trade_name if drug else requisition.item, "units": fraction_text(requisition.units),
                "lot": lot.number if lot else "",
            }
        )  # fmt: skip
    return rows


@router.post("/requisitions")
async def issue(body: RequisitionBody, hub: Hub, user: Packer) -> Response:
    """Book stock from the store to a ward."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        packs = source_codes(unit, hub.house, body.packs)
        if isinstance(packs, Refusal):
            return packs
        issued = issue_requisition(unit, body.requisition, packs)
        return issued if isinstance(issued, Refusal) else {"issued": fraction_text(issued.units)}

    return await once(hub, user, body, decide)


@router.get("/returns")
async def returns(hub: Hub, _: Returner) -> list[dict[str, Any]]:
    """Return packs that must come back to the pharmacy."""
    return await hub.decisions.read(
        lambda unit: [
            {"pack": pack.serial, "department": pack.department, "state": pack.state.value, "why": pack.reason}
            for pack in packs_to_return(unit)
        ]
    )


@router.post("/returns")
async def take_back(body: ReturnBody, hub: Hub, user: Returner) -> Response:
    """Take a pack back."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        returned = return_pack(unit, body.pack, body.condition == "sealed")
        return returned if isinstance(returned, Refusal) else {"state": returned.state.value}

    return await once(hub, user, body, decide)
