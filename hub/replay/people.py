"""The replay's people and its machine: everything is done on time and right, by the real services, a bounded amount each step.

No machine is asked and no label is drawn: the machine's events and the camera's word are those of a machine that never fails.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import JobId, PatientId
from hub.domain.packs import JobState, Pack, PackJob, PackState, Verdict
from hub.domain.people import Role
from hub.domain.records import Requisition
from hub.domain.refusals import Refusal
from hub.domain.stock import STORE, Cassette, lot_id, ward_account
from hub.domain.verification import SeenPouch
from hub.services.administer import BedsideScan, give, give_from_ward
from hub.services.devices import ensure_device
from hub.services.house import House
from hub.services.machine_events import MachineEvent, send_next, take_event
from hub.services.make_packs import PrintedLabel, label_ready, taken_from_store
from hub.services.pick_packs import issue_requisition, open_picks, pick_pack
from hub.services.reject_packs import packs_to_reject, scan_reject
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.sign_in import NewUser, enrol
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from hub.services.trolleys import (
    close_trolley,
    dispatch_trolley,
    hand_over,
    load_pack,
    pull_pack,
    receive_trolley,
    seal_trolley,
    view_trolley,
)
from hub.services.verify_pack import verify_pack

POUCHES_A_STEP = 150
HAND_PACKS_A_STEP = 60
CASSETTE_FILL = 80
STORE_ENOUGH = 60
PEOPLE = {
    "technician": Role.TECHNICIAN, "technician2": Role.TECHNICIAN, "nurse": Role.NURSE, "treatment": Role.TREATMENT_NURSE,
}  # fmt: skip

Result = TypeVar("Result")
Decision = Callable[[SqlUnitOfWork], Any]


class _Undone(Exception):
    """Carries a refusal out of a decision, so that nothing of the decision stays."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class People:
    """Everybody who touches a pack between the plan and the patient; `refused` counts what was refused to them, by act and code."""

    def __init__(self, writer: Writer, house: House) -> None:
        self._writer = writer
        self._house = house
        self._events = 0
        self._who: dict[str, str] = {}
        self.refused: Counter[tuple[str, str]] = Counter()

    def start(self) -> None:
        """Come to work: people are enrolled, the machine and the printer are there."""

        def enter(unit: SqlUnitOfWork) -> None:
            for name, role in PEOPLE.items():
                self._who[name] = enrol(unit, NewUser(name, role, f"replay-{name}", ""), "nobody signs in").id
            ensure_device(unit, self._house.packager, "packager")
            ensure_device(unit, self._house.printer, "label-printer")

        self.decide(enter)

    def decide(self, decision: Callable[[SqlUnitOfWork], Result], actor: str = "system") -> Result:
        """Have one decision made and committed."""
        return self._writer.submit(actor, decision).result()

    def stock_up(self, directory: DrugDirectory, receipts: Iterable[Receipt], day: str) -> None:
        """Receive what the store is short of; the packs of another day are packs of their own, of the lots that are known."""

        def short(unit: SqlUnitOfWork) -> list[Receipt]:
            held: Counter[str] = Counter()
            expiry = {lot.id: lot.expires_on for lot in unit.lots.where()}
            for lot in unit.lots.where():
                held[lot.item] += int(unit.held(STORE, lot.id) - lot.promised)
            wanted = (one for one in receipts if held[one.item] < max(STORE_ENOUGH, int(one.units) // 2))
            return [replace(one, code=f"{one.code}-{day}", expires_on=expiry.get(lot_id(one.item, one.lot), one.expires_on)) for one in wanted]

        wanted = self.decide(short)
        self._each("receive", [lambda unit: receive_stock(unit, wanted)], "technician")

    def fill_cassettes(self) -> None:
        """Fill every cassette up, with a second person beside."""
        cassettes = self.decide(lambda unit: [one for one in unit.cassettes.where() if one.count < CASSETTE_FILL and not one.reason])
        self._each("fill", [partial(self._fill, one) for one in cassettes], "technician")

    def _fill(self, cassette: Cassette, unit: SqlUnitOfWork) -> Any:
        wanted = CASSETTE_FILL - cassette.count
        packs = [pack for pack in unit.source_packs.where(item=cassette.item, order_by="code") if pack.left >= 1]
        lots = {pack.lot: unit.held(STORE, pack.lot) - (lot.promised if (lot := unit.lots.get(pack.lot)) else 0) for pack in packs}
        units = min(wanted, int(sum(min(sum(int(p.left) for p in packs if p.lot == lot), int(free)) for lot, free in lots.items())))
        if units < 1:
            return None
        loading = Loading(
            self._house.packager, cassette.slot, cassette.id, tuple(pack.code for pack in packs), units, self._who["technician2"]
        )  # fmt: skip
        return load_cassette(unit, loading)

    def bench(self) -> None:
        """Label, let the machine finish what it was sent and send it more, fill by hand, and clear the reject bin."""
        self._label()
        self._run_machine()
        self._pick()
        self._each("reject", [partial(_reject, pack, self._house) for pack in self.decide(packs_to_reject)], "technician")

    def _label(self) -> None:
        waiting = self.decide(lambda unit: unit.packs.where(state=PackState.EXPECTED, label_digest=""))
        self._each("label", [partial(_labelled, pack, self._house) for pack in waiting if not pack.reason])

    def _run_machine(self) -> None:
        sent = self.decide(lambda unit: unit.jobs.where(state=JobState.SENT, order_by="queued_at", limit=POUCHES_A_STEP))
        self._each("machine", [partial(self._made, job) for job in sent], f"device:{self._house.packager}")
        self.decide(lambda unit: send_next(unit, self._house.packager, POUCHES_A_STEP))

    def _made(self, job: PackJob, unit: SqlUnitOfWork) -> None:
        """Make one pouch and have it looked at: counted right, read as itself; a revoked one is diverted."""
        self._say(unit, "accepted", job.id)
        for slot, fill in enumerate(job.fills):
            self._say(unit, "dropped", job.id, slot, cassette=fill.cassette, asked=fill.count, counted=fill.count, remaining=0)
        self._say(unit, "at-camera", job.id, len(job.fills) - 1)
        counts = tuple((fill.count, fill.count) for fill in job.fills)
        seen = SeenPouch((job.pack,), (), sum(fill.count for fill in job.fills), True, counts)
        verdict = verify_pack(unit, job.id, seen, ())
        passed = verdict is Verdict.PASS
        self._say(unit, "released" if passed else "diverted", job.id, 0, **({} if passed else {"verdict": verdict.value}))
        self._say(unit, "done", job.id, 0, state="done" if passed else "diverted")

    def _say(self, unit: SqlUnitOfWork, kind: str, job: JobId, slot: int | None = None, **data: Any) -> None:
        self._events += 1
        take_event(unit, MachineEvent(self._house.packager, "firmware", 1, self._events, kind, job, slot, data))

    def _pick(self) -> None:
        picks = self.decide(open_picks)[:HAND_PACKS_A_STEP]
        self._each("pick", [partial(_picked, pack) for pack in picks], "technician")
        wanted = self.decide(lambda unit: unit.requisitions.where(issued=False))
        self._each("issue", [partial(_issued, one) for one in wanted], "technician")

    def load(self) -> None:
        """Put released packs into their drawers, and hand over those that go by hand."""
        released = self.decide(lambda unit: unit.packs.where(state=PackState.RELEASED))
        aboard = [pack for pack in released if pack.trolley is not None]
        self._each("load", [partial(_loaded, pack) for pack in aboard], "technician")
        by_hand = [pack for pack in released if pack.trolley is None]
        self._each("hand over", [partial(_handed, pack, self._who["treatment"]) for pack in by_hand], "technician")

    def dispatch(self, slot: str) -> None:
        """Send the trolleys of a slot out; what was revoked is pulled first."""
        trolleys = self.decide(lambda unit: unit.trolleys.where(state=TrolleyState.ASSEMBLING, slot=slot))
        self._each("dispatch", [partial(_sent_out, trolley) for trolley in trolleys], "technician")

    def receive(self) -> None:
        """Receive at the wards what was on its way."""
        trolleys = self.decide(lambda unit: unit.trolleys.where(state=TrolleyState.DISPATCHED))
        self._each("receive trolley", [partial(_taken_over, one) for one in trolleys], "nurse")

    def round(self, now: datetime) -> None:
        """Give what is due, packs and doses from the ward's stock."""
        packs = [pack for pack in self.decide(lambda unit: unit.packs.where(state=PackState.RECEIVED)) if pack.due <= now]
        self._each("give", [partial(self._given, pack) for pack in packs], "treatment")
        doses = self.decide(lambda unit: unit.doses.where(state=DoseState.PACKED, pack=None, lane=list(WARD_LANES)))
        self._each("give from ward", [partial(self._given_from_ward, dose) for dose in doses if dose.due <= now], "treatment")

    def _given(self, pack: Pack, unit: SqlUnitOfWork) -> Any:
        return give(unit, BedsideScan(_wristband(unit, pack.patient), pack.serial), self._house)

    def _given_from_ward(self, dose: PlannedDose, unit: SqlUnitOfWork) -> Any:
        account = ward_account(dose.department)
        sources = (pack for pack in unit.source_packs.where(item=dose.drug, order_by="code") if unit.held(account, pack.lot) >= dose.units)
        source = next((pack.code for pack in sources), "")
        return give_from_ward(unit, BedsideScan(_wristband(unit, dose.patient), dose=dose.id, source_code=source), self._house)

    def bring_back(self) -> None:
        """Take every pack back that must come back, sealed as it was."""
        packs = self.decide(packs_to_return)
        self._each("pull", [partial(_pulled, pack) for pack in packs if pack.in_drawer], "technician")
        self._each("return", [partial(_returned, pack) for pack in packs], "technician")
        trolleys = self.decide(lambda unit: unit.trolleys.where(state=TrolleyState.RECEIVED))
        self._each("close", [partial(_closed, one) for one in trolleys], "nurse")

    def _each(self, act: str, decisions: Iterable[Decision], actor: str = "system") -> None:
        """Have decisions made, each for itself; a refusal leaves nothing behind and is counted."""
        who = self._who.get(actor, actor)
        for answer in [self._writer.submit(who, partial(_or_nothing, decision)) for decision in decisions]:
            try:
                answer.result()
            except _Undone as undone:
                self.refused[act, undone.refusal.code] += 1


def _or_nothing(decision: Decision, unit: SqlUnitOfWork) -> Any:
    result = decision(unit)
    if isinstance(result, Refusal):
        raise _Undone(result)
    return result


def _labelled(pack: Pack, house: House, unit: SqlUnitOfWork) -> None:
    label = PrintedLabel(pack.serial, sha256(pack.serial.encode()).hexdigest(), 8, 1, "AA==")
    label_ready(unit, label, house)
    printed = unit.prints.get(pack.serial)
    if printed is not None:
        unit.prints.put(replace(printed, printed=True))


def _reject(pack: Pack, house: House, unit: SqlUnitOfWork) -> Any:
    return scan_reject(unit, pack.serial, False, "", house)


def _picked(pack: Pack, unit: SqlUnitOfWork) -> Any:
    """Fill a pack from source packs of the lots on its label that still hold enough."""
    codes = []
    for content in pack.contents:
        needed = taken_from_store(pack.lane, content.units)
        fitting = (source.code for source in unit.source_packs.where(lot=content.lot, order_by="code") if source.left >= needed)
        codes.append(next(fitting, ""))
    return pick_pack(unit, pack.serial, codes)


def _issued(wanted: Requisition, unit: SqlUnitOfWork) -> Any:
    sources = [source.code for source in unit.source_packs.where(lot=wanted.lot, order_by="code") if source.left > 0]
    return issue_requisition(unit, wanted.id, sources)


def _loaded(pack: Pack, unit: SqlUnitOfWork) -> Any:
    return load_pack(unit, str(pack.trolley), pack.drawer, pack.serial)


def _handed(pack: Pack, receiver: str, unit: SqlUnitOfWork) -> Any:
    return hand_over(unit, [pack.serial], receiver)


def _sent_out(trolley: Trolley, unit: SqlUnitOfWork) -> Any:
    for pack in view_trolley(unit, trolley).pull:
        pull_pack(unit, trolley.id, pack.serial)
    sealed = seal_trolley(unit, trolley.id, f"S-{trolley.id}")
    return sealed if isinstance(sealed, Refusal) else dispatch_trolley(unit, trolley.id)


def _taken_over(trolley: Trolley, unit: SqlUnitOfWork) -> Any:
    return receive_trolley(unit, trolley.id, trolley.seal)


def _wristband(unit: SqlUnitOfWork, patient: PatientId) -> str:
    known = unit.patients.get(patient)
    return known.code if known is not None else ""


def _pulled(pack: Pack, unit: SqlUnitOfWork) -> Any:
    trolley = unit.trolleys.get(pack.trolley) if pack.trolley is not None else None
    if trolley is None or trolley.state not in (TrolleyState.ASSEMBLING, TrolleyState.SEALED):
        return None
    return pull_pack(unit, trolley.id, pack.serial)


def _returned(pack: Pack, unit: SqlUnitOfWork) -> Any:
    now = unit.packs.get(pack.serial)
    return None if now is None else return_pack(unit, pack.serial, True)


def _closed(trolley: Trolley, unit: SqlUnitOfWork) -> Any:
    """Close a trolley whose packs have all ended; one with open packs stays for the next time."""
    closed = close_trolley(unit, trolley.id)
    return None if isinstance(closed, Refusal) and closed.code == "open-packs" else closed
