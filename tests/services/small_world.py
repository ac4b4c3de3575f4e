"""A tiny hospital over the real store, and a scripted machine that tells what a packager would tell."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hub.adapters.ledger_store import exported_lines
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.domain.doses import Lane, PlannedDose
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import CassetteId, DeviceId, DrugCode, JobId, OrderId, PatientId, UserId
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, SheetChange, SourceSettings, Stay
from hub.domain.packs import JobState, Pack, PackJob, Verdict
from hub.domain.people import Role, User
from hub.domain.quantities import Quantity
from hub.domain.refusals import Refusal
from hub.domain.stock import Cassette, CassetteState
from hub.domain.timing import Dosage, Timing
from hub.domain.verification import SeenPouch
from hub.services.close_day import tick
from hub.services.devices import device_reported, ensure_device
from hub.services.machine_events import MachineEvent, send_next, take_event
from hub.services.make_packs import PrintedLabel, label_ready
from hub.services.pick_packs import issue_requisition, open_picks, pick_pack
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_sheet
from hub.services.reject_packs import packs_to_reject, scan_reject
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from hub.services.trolleys import dispatch_trolley, hand_over, load_pack, receive_trolley, seal_trolley
from hub.services.verify_pack import verify_pack
from hub.settings import HubSettings

MSK = timezone(timedelta(hours=3), "MSK")
SIX = datetime(2026, 3, 2, 6, 0, tzinfo=MSK)
PACKAGER = DeviceId("packager-1")
SYSTEM, TECHNICIAN, PHARMACIST, NURSE, TREATMENT = "system", "u-technician", "u-pharmacist", "u-nurse", "u-treatment"
Result = TypeVar("Result")

PLAIN = Drug(
    code=DrugCode("PLAIN"), inn="metformin", trade_name="Siofor", form=Form.TABLET, strength="500 mg", unit="tablet", group="biguanides",
    drug_class=DrugClass.ORDINARY, high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=4,
    prepack_allowed=True, price=None,
)  # fmt: skip
DRUGS = (
    PLAIN,
    replace(PLAIN, code=DrugCode("ALERT"), group="", inn="warfarin", trade_name="Warfarin", strength="5 mg", high_alert=True, divisible_by=1),
    replace(PLAIN, code=DrugCode("TWIN"), group="", inn="carvedilol", trade_name="Coriol", strength="25 mg", look_alike_group="carvedilol-captopril"),
    replace(PLAIN, code=DrugCode("TOXIC"), group="", inn="hydroxycarbamide", trade_name="Hydrea", strength="500 mg", hazardous=True, prepack_allowed=False),
    replace(PLAIN, code=DrugCode("COLD"), group="", inn="insulin", trade_name="Insuman", form=Form.VIAL, strength="100 IU", unit="vial", storage=Storage.COLD),
    replace(PLAIN, code=DrugCode("AMP"), group="", inn="furosemide", trade_name="Lasix", form=Form.AMPOULE, strength="20 mg", unit="ampoule", divisible_by=1),
)  # fmt: skip
CASSETTES = (("PLAIN", 1, 60), ("ALERT", 2, 60), ("TWIN", 3, 60))
LOTS = (
    ("PLAIN", "P1", date(2026, 9, 1), 60), ("PLAIN", "P2", date(2027, 9, 1), 60), ("ALERT", "A1", date(2027, 9, 1), 60),
    ("TWIN", "T1", date(2027, 9, 1), 60), ("TOXIC", "X1", date(2027, 9, 1), 30), ("COLD", "C1", date(2027, 9, 1), 30),
    ("AMP", "F1", date(2027, 9, 1), 60),
)  # fmt: skip
PATIENTS = tuple(
    Patient(PatientId(f"p{number}"), f"W-{number}", f"Family{number}", "Name", date(1960, 1, number % 28 + 1), None) for number in range(1, 41)
)
STAYS = tuple(
    Stay(patient.id, f"e-{patient.id}", "Cardiology" if number < 2 else "Therapy", str(10 + number), "1")
    for number, patient in enumerate(PATIENTS)
)
SOURCE = SourceSettings("hospital", False, False, 3, False, ("intensive care",), 3)
PEOPLE = (
    (SYSTEM, Role.SYSTEM), (TECHNICIAN, Role.TECHNICIAN), ("u-second", Role.TECHNICIAN), (PHARMACIST, Role.PHARMACIST), (NURSE, Role.NURSE),
    (TREATMENT, Role.TREATMENT_NURSE),
)  # fmt: skip


class _Undone(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


def order_line(order: str, patient: int = 1, drug: str = "PLAIN", **changes: Any) -> OrderLine:
    """Return a line for one unit in the morning at eight; `units`, `code` and any member of the line may be given."""
    item = next(one for one in DRUGS if one.code == drug)
    units = Fraction(changes.pop("units", 1))
    timing = Timing(code=changes.pop("code", "DAILY"))
    line = OrderLine(
        id=OrderId(order), version=1, source="hospital", sheet="s", position="1", patient=PatientId(f"p{patient}"), drug=item.code,
        drug_text=item.inn, dosages=(Dosage((Quantity(units, item.unit),) * 2, timing, {"AMP": "IV", "COLD": "SC"}.get(drug, "PO")),),
        status=OrderStatus.ACTIVE, authored_at=SIX - timedelta(hours=8), starts_at=None, ends_at=None, signed_by="Dr",
    )  # fmt: skip
    return with_dosage(line, **changes)


def with_dosage(line: OrderLine, **changes: Any) -> OrderLine:
    """Return a line with members changed; `dose`, `route` and `timing` are those of its one dosage."""
    own = {name: changes.pop(name) for name in ("dose", "route", "timing") if name in changes}
    return replace(line, dosages=(replace(line.dosages[0], **own),), **changes)


def long_standing(order: str, patient: int = 1, drug: str = "PLAIN", **changes: Any) -> OrderLine:
    """Return a line that has been stable for so long that its doses share a pouch."""
    return order_line(order, patient, drug, authored_at=SIX - timedelta(days=20), **changes)


class World:
    """One hospital: a writer on a file, a clock that is stepped, and everything people and devices do."""

    def __init__(self, folder: Path, *, stocked: bool = True) -> None:
        self.now = SIX
        self.settings = HubSettings(data_dir=folder)
        self.house = replace(house_of(self.settings), sources={"hospital": SOURCE})
        self.path = folder / "hub.sqlite"
        self.writer = Writer(self.path, lambda: self.now)
        self.serial = 0
        self.machine = Machine(self)
        self.do(self._people)
        if stocked:
            self.do(self._stock)
            for item, cassette, _ in CASSETTES:
                self.fill(cassette, f"{item}-{'P1' if item == 'PLAIN' else item[0] + '1'}", 30)

    def close(self) -> None:
        self.writer.close()

    def reopen(self) -> None:
        """End the writer as a crash between two decisions would, and start again from the file."""
        self.writer.close()
        self.writer = Writer(self.path, lambda: self.now)

    def do(self, decision: Callable[[SqlUnitOfWork], Result], actor: str = SYSTEM) -> Result:
        """Have a decision made; a refusal leaves nothing behind, as at the desk of the web."""

        def decided(unit: SqlUnitOfWork) -> Result:
            result = decision(unit)
            if isinstance(result, Refusal):
                raise _Undone(result)
            return result

        try:
            return self.writer.submit(actor, decided).result(timeout=20)
        except _Undone as undone:
            return undone.refusal  # type: ignore[return-value]

    def fresh(self, prefix: str = "x") -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def _people(self, unit: SqlUnitOfWork) -> None:
        for name, role in PEOPLE:
            unit.users.put(User(UserId(name), name, role, f"{name}-badge", "never-matches"))
            unit.record("user-enrolled", {"user": name, "name": name, "role": role.value})
        for device, kind in ((PACKAGER, "packager"), (DeviceId("printer-1"), "label-printer")):
            ensure_device(unit, device, kind)
        unit.drugs.put_many(DRUGS)
        for item, number, capacity in CASSETTES:
            unit.cassettes.put(Cassette(CassetteId(number), DrugCode(item), PACKAGER, number, capacity, CassetteState.EMPTY))

    def _stock(self, unit: SqlUnitOfWork) -> None:
        receipts = [Receipt(f"{i}-{lot}", DrugCode(i), lot, expiry, Fraction(n), Decimal("1.5")) for i, lot, expiry, n in LOTS]
        assert receive_stock(unit, receipts) == len(receipts)

    def fill(self, cassette: int, code: str, units: int, second: str | None = "u-second") -> Any:
        loading = Loading(PACKAGER, cassette, CassetteId(cassette), (code,), units, second)
        return self.do(lambda unit: load_cassette(unit, loading), TECHNICIAN)

    def sheet(self, *lines: OrderLine, stays: Sequence[Stay] = STAYS, source: str = "hospital", sha: str = "") -> Any:
        sheet = OrderSheet(source, self.fresh("sheet"), sha or self.fresh("sha"), PATIENTS, tuple(stays), lines)
        return self.do(lambda unit: receive_sheet(unit, sheet, self.house))

    def change(self, *, line: OrderLine | None = None, stay: Stay | None = None) -> Any:
        changes = (SheetChange(self.now, stay=stay, line=line),)
        sheet = OrderSheet("hospital", self.fresh("changes"), self.fresh("sha"), changes=changes)
        return self.do(lambda unit: receive_changes(unit, sheet, self.house))

    def stop(self, line: OrderLine) -> Any:
        return self.change(line=replace(line, status=OrderStatus.STOPPED))

    def move(self, patient: int, department: str, room: str = "99") -> Any:
        return self.change(stay=Stay(PatientId(f"p{patient}"), f"e-p{patient}", department, room, "1"))

    def discharge(self, patient: int) -> Any:
        stay = self.get("stays", f"p{patient}")
        return self.change(stay=replace(stay, finished_at=self.now))

    def at(self, clock: str, days: int = 0) -> None:
        """Step the clock to a time of the first day (or one after it) and do what it asks for; draw the labels."""
        hour, minute = map(int, clock.split(":"))
        self.now = SIX.replace(hour=hour, minute=minute) + timedelta(days=days)
        self.tick()

    def tick(self) -> None:
        self.do(lambda unit: tick(unit, self.house))
        self.labels()

    def labels(self) -> None:
        waiting = self.do(lambda unit: unit.packs.where(state="expected", label_digest=""))
        for pack in waiting:
            label = PrintedLabel(pack.serial, f"{pack.serial}".ljust(64, "0"), 8, 1, "AA==")
            self.do(lambda unit, label=label: label_ready(unit, label, self.house))
            self.do(lambda unit, serial=pack.serial: self.printed(unit, serial))

    def printed(self, unit: SqlUnitOfWork, serial: str) -> None:
        """Have the label of a pack come out of its printer."""
        label = unit.prints.get(serial)
        if label is not None:
            unit.prints.put(replace(label, printed=True))

    def get(self, table: str, *key: object) -> Any:
        return self.do(lambda unit: getattr(unit, table).get(*key))

    def all(self, table: str, **equal: object) -> list[Any]:
        return self.do(lambda unit: getattr(unit, table).where(**equal))

    def dose(self, order: str) -> PlannedDose:
        """Return the newest dose of an order that has only one, or the first due of its newest version."""
        doses = self.all("doses", order=OrderId(order))
        return max(doses, key=lambda dose: (dose.version, -dose.due.timestamp()))

    def pack_of(self, order: str) -> Pack:
        pack = self.get("packs", self.dose(order).pack)
        assert isinstance(pack, Pack)
        return pack

    def job_of(self, order: str) -> PackJob:
        job = self.get("jobs", self.pack_of(order).job)
        assert isinstance(job, PackJob)
        return job

    def held(self, account: str, lot: str) -> Fraction:
        return self.do(lambda unit: unit.held(account, lot))

    def ledger(self, *kinds: str) -> list[dict[str, Any]]:
        lines = self.do(lambda unit: list(exported_lines(unit.connection)))
        entries = [msgspec.json.decode(line) for line in lines]
        return [entry for entry in entries if not kinds or entry["kind"] in kinds]

    def facts(self, *kinds: str) -> list[dict[str, Any]]:
        return [entry["data"] for entry in self.ledger(*kinds)]

    def pick_all(self) -> None:
        for pack in self.do(open_picks):
            self.pick(pack)

    def pick(self, pack: Pack, codes: Iterable[str] | None = None) -> Any:
        chosen = [content.lot.replace("/", "-") for content in pack.contents] if codes is None else list(codes)
        return self.do(lambda unit: pick_pack(unit, pack.serial, chosen), TECHNICIAN)

    def issue_all(self) -> None:
        for wanted in self.all("requisitions", issued=False):
            code = wanted.lot.replace("/", "-")
            issued = self.do(lambda unit, wanted=wanted, code=code: issue_requisition(unit, wanted.id, [code]), TECHNICIAN)
            assert not isinstance(issued, Refusal), issued

    def reject_all(self) -> None:
        for pack in self.do(packs_to_reject):
            self.do(lambda unit, pack=pack: scan_reject(unit, pack.serial, False, "", self.house), TECHNICIAN)
        self.labels()

    def load(self, pack: Pack) -> Any:
        return self.do(lambda unit: load_pack(unit, str(pack.trolley), pack.drawer, pack.serial), TECHNICIAN)

    def seal(self, trolley: str, seal: str = "S1") -> Any:
        return self.do(lambda unit: seal_trolley(unit, trolley, seal), TECHNICIAN)

    def dispatch(self, trolley: str) -> Any:
        return self.do(lambda unit: dispatch_trolley(unit, trolley), TECHNICIAN)

    def receive(self, trolley: str, seal: str = "S1") -> Any:
        return self.do(lambda unit: receive_trolley(unit, trolley, seal), NURSE)

    def hand(self, *packs: Pack) -> Any:
        receiver = TREATMENT if any(pack.lane is Lane.AMPOULE for pack in packs) else NURSE
        return self.do(lambda unit: hand_over(unit, [pack.serial for pack in packs], receiver), TECHNICIAN)

    def deliver(self, order: str) -> Pack:
        """Bring a released pack to its ward, by its trolley or by hand."""
        pack = self.pack_of(order)
        if pack.trolley is None:
            assert self.hand(pack) == 1
        else:
            assert not isinstance(self.load(pack), Refusal)
            for step in (self.seal, self.dispatch, self.receive):
                assert not isinstance(step(str(pack.trolley)), Refusal)
        return self.pack_of(order)

    def brought(self, line: OrderLine) -> Pack:
        """Take an order all the way to its ward in time for the morning."""
        self.sheet(line)
        self.at("06:15")
        self.machine.run_all()
        self.pick_all()
        return self.deliver(line.id)


class Machine:
    """Tells the hub what a packager tells: accepted, dropped, at-camera, released or diverted, done."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = 0
        self.boot = 1

    def event(self, kind: str, job: str | None, slot: int | None = None, **data: Any) -> MachineEvent:
        self.number += 1
        return MachineEvent(PACKAGER, "firmware", self.boot, self.number, kind, JobId(job) if job else None, slot, data)

    def tell(self, event: MachineEvent) -> bool:
        return self.world.do(lambda unit: take_event(unit, event), f"device:{PACKAGER}")

    def say(self, kind: str, job: str | None, slot: int | None = None, **data: Any) -> bool:
        return self.tell(self.event(kind, job, slot, **data))

    def report(self, state: str, link: str = "up") -> None:
        """Have the machine's state told."""
        status = json.dumps({"state": state, "link": link})
        self.world.do(lambda unit: device_reported(unit, PACKAGER, state, status))

    def fetch(self) -> list[PackJob]:
        """Take the jobs that wait for the machine, as the link to it does."""
        self.world.do(lambda unit: send_next(unit, PACKAGER, 6))
        return [job for job in self.world.all("jobs") if job.state is JobState.SENT]

    def drop(self, job: PackJob, counted: Sequence[int] | None = None) -> None:
        for slot, fill in enumerate(job.fills):
            count = fill.count if counted is None else counted[slot]
            self.say("dropped", job.id, slot, cassette=fill.cassette, asked=fill.count, counted=count, remaining=0)

    def make(self, job: PackJob, counted: Sequence[int] | None = None) -> None:
        """Make a pouch up to the camera."""
        self.say("accepted", job.id)
        self.drop(job, counted)
        self.say("at-camera", job.id, len(job.fills) - 1)

    def sensors(self, job: PackJob) -> tuple[tuple[int, int], ...]:
        pack = self.world.get("packs", job.pack)
        return tuple((f.count, int(sum(c.units for c in pack.contents if c.dose == f.dose))) for f in job.fills)

    def look(self, job: PackJob, read: Sequence[str] | None = None, tablets: int | None = None, certain: bool = True) -> Verdict:
        """Have the camera look: its own serial and the right tablets where nothing else is said."""
        count = sum(fill.count for fill in job.fills) if tablets is None else tablets
        seen = SeenPouch(tuple([job.pack] if read is None else read), (), count, certain, self.sensors(job))
        return self.world.do(lambda unit: verify_pack(unit, job.id, seen, ()))

    def finish(self, job: PackJob, verdict: Verdict) -> None:
        passed = verdict is Verdict.PASS
        self.say("released" if passed else "diverted", job.id, 0, **({} if passed else {"verdict": verdict.value}))
        self.say("done", job.id, 0, state="done" if passed else "diverted")

    def run(self, job: PackJob, **seen: Any) -> Verdict:
        """Make one pouch, have it looked at, and let it out or divert it."""
        self.make(job, seen.pop("counted", None))
        verdict = self.look(job, **seen)
        self.finish(job, verdict)
        return verdict

    def run_all(self) -> None:
        """Run everything that waits."""
        while jobs := self.fetch():
            for job in jobs:
                self.run(job)


