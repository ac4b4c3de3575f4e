"""The hub as it really is: its services and its store, with the camera and the people around them; it crashes between commit and answer.

Slower than the model in `hub.py` by far, so fewer doses run through it; what the model promises is held against the real code here.
"""

import base64
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from firmware_bridge.contract import DeviceState, EventAck, decode_event, decode_status, encode, label_digest
from hub.adapters.dispatch import commands_on_the_way, payload_of
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.demo.invariants import imbalance, judge
from hub.domain.doses import DoseState
from hub.domain.doubts import Counting
from hub.domain.drugs import Drug
from hub.domain.identifiers import CassetteId, DrugCode, JobId, PatientId, UserId
from hub.domain.orders import OrderLine, OrderSheet, Patient, Stay
from hub.domain.packs import ENDED_JOB_STATES, JobState, PackJob, PackState
from hub.domain.refusals import Refusal
from hub.domain.stock import Cassette, CassetteState
from hub.domain.verification import SeenPouch
from hub.services.devices import device_reported
from hub.services.doubts import jobs_in_doubt
from hub.services.machine_events import MachineEvent, take_event
from hub.services.make_packs import PrintedLabel, label_ready
from hub.services.receive_sheet import receive_sheet
from hub.services.reject_packs import Decision, decide_review, packs_to_reject, scan_reject
from hub.services.resolve_doubt import end_without_machine, resolve_doubt
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from hub.services.verify_pack import verify_pack
from tests.services.small_world import PACKAGER, PHARMACIST, PLAIN, TECHNICIAN, World, long_standing
from tests.simulation.machine_link.box import BEGUN
from tests.simulation.machine_link.device import SLOTS, TABLETS_A_CASSETTE
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.oracle import Truth, must
from tests.simulation.machine_link.timeline import Timeline

LOOKS_EVERY_S = 1.0
RESEND_S = 5.0
DOWN_S = (0.5, 20.0)
THINKS_S = (0.02, 2.0)
ANSWERS_AFTER_S = (2.0, 240.0)
NEVER = frozenset({"unknown-command", "foreign-event", "unknown-job", "unknown-slot", "unknown-doubt", "released-unverified", "surplus", "wrong-cassette"})
IN_THE_MIDDLE_OF_A_DAY = ("2-one-live-pack-a-dose", "4-tablets-conserved", "5-released-only-when-proven", "9-moved-at-most-once")
ENDED_DOSES = (DoseState.PACKED, DoseState.UNFULFILLABLE)


class House(World):
    """A hospital whose cassettes are those of the simulated machine: one drug in each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, stocked=False)
        self.do(self._drugs)
        for slot in range(1, SLOTS + 1):
            loading = Loading(PACKAGER, slot, CassetteId(100 + slot), (f"D{slot}-L",), TABLETS_A_CASSETTE, "u-second")
            assert not isinstance(self.do(lambda unit, loading=loading: load_cassette(unit, loading), TECHNICIAN), Refusal)

    def take(self, patients: tuple[Patient, ...], stays: list[Stay], lines: tuple[OrderLine, ...]) -> None:
        """Take the day's sheet."""
        sheet = OrderSheet("hospital", self.fresh("sheet"), self.fresh("sha"), patients, tuple(stays), lines)
        self.do(lambda unit: receive_sheet(unit, sheet, self.house))

    @staticmethod
    def drug(slot: int) -> Drug:
        """Return the drug of a machine slot."""
        return replace(PLAIN, code=DrugCode(f"D{slot}"), inn=f"substance {slot}", trade_name=f"Trade {slot}", group=f"group {slot}")

    def _drugs(self, unit: SqlUnitOfWork) -> None:
        unit.drugs.put_many([self.drug(slot) for slot in range(1, SLOTS + 1)])
        receipts = [
            Receipt(f"D{slot}-L", DrugCode(f"D{slot}"), "L", date(2027, 9, 1), Fraction(TABLETS_A_CASSETTE), Decimal(1))
            for slot in range(1, SLOTS + 1)
        ]
        assert receive_stock(unit, receipts) == SLOTS
        for slot in range(1, SLOTS + 1):
            cassette = Cassette(CassetteId(100 + slot), DrugCode(f"D{slot}"), PACKAGER, slot, TABLETS_A_CASSETTE, CassetteState.EMPTY)
            unit.cassettes.put(cassette)

    def labels(self) -> None:
        """Draw the labels that are wanted; eight dots square is enough for a machine that never reads them."""
        waiting = self.do(lambda unit: unit.packs.where(state="expected", label_digest=""))
        for pack in waiting:
            raster = pack.serial.encode().ljust(8, b"\0")[-8:]
            label = PrintedLabel(pack.serial, label_digest(8, 8, raster).hex(), 8, 8, base64.b64encode(raster).decode())
            self.do(lambda unit, label=label: label_ready(unit, label, self.house))


class ServicesHub:
    """The hub of one machine; `order` pouches, `begin`, and `deliver` what the bridge tells."""

    def __init__(self, timeline: Timeline, faults: Faults, broker: Any, device: Any, folder: Path) -> None:
        self.faults = faults
        self.crashes = 0
        self.is_running = True
        self.open_jobs = 1
        self._timeline, self._broker, self._device = timeline, broker, device
        self._house = House(folder)
        self._pouches: list[list[tuple[int, int, int]]] = []
        self._published_s: dict[str, float] = {}
        self._asked: set[object] = set()
        self._session = 0
        self._is_hurried = False

    def close(self) -> None:
        """Close the store."""
        self._house.close()

    # Orders

    def order(self, doses: list[tuple[int, int, int]]) -> None:
        """Order one pouch: (dose, machine slot, count) of each drop."""
        self._pouches.append(doses)

    def begin(self) -> None:
        """Take the day's sheet, and freeze it at its cut time."""
        house = self._house
        patients = tuple(
            Patient(PatientId(f"p{number}"), f"W-{number}", f"Family{number}", "Name", date(1960, 1, 1), None)
            for number in range(len(self._pouches))
        )
        stays = [Stay(patient.id, f"e-{patient.id}", "Therapy", str(number), "1") for number, patient in enumerate(patients)]
        lines = [
            long_standing(f"o{dose}", drug="PLAIN", units=count, patient=number)
            for number, doses in enumerate(self._pouches)
            for dose, _, count in doses
        ]
        slots = {f"o{dose}": slot for doses in self._pouches for dose, slot, _ in doses}
        made = tuple(replace(line, drug=DrugCode(f"D{slots[line.id]}"), drug_text=f"substance {slots[line.id]}") for line in lines)
        house.take(patients, stays, made)
        house.at("06:15")
        self._look()

    # Messages

    def deliver(self, leaf: str, message: bytes) -> None:
        """Take a message of the bridge; after the commit, and only then, acknowledge it."""
        if not self.is_running:
            return
        if leaf == "status":
            report = decode_status(message)
            self._do(lambda unit: device_reported(unit, PACKAGER, report.state, message.decode()))
        if leaf != "job/evt":
            return
        event = decode_event(message)
        if self._timeline.happens(self.faults.hub_crash):
            self.crash()
            return
        job = JobId(event.job) if event.job is not None else None
        told = MachineEvent(PACKAGER, event.source, event.boot, event.event, event.kind, job, event.slot, event.data)
        self._do(lambda unit: take_event(unit, told), f"device:{PACKAGER}")
        if self._timeline.happens(self.faults.hub_crash):
            self.crash()
            return
        self._publish("job/ack", encode(EventAck(source=event.source, boot=event.boot, event=event.event)))
        self._hurry()

    def _do(self, deed: Any, actor: str = "system") -> Any:
        self._house.now = self._now()
        return self._house.do(deed, actor)

    def _hurry(self) -> None:
        """Look at once what a commit asks for, as the workers do."""
        if not self._is_hurried:
            self._is_hurried = True
            self._timeline.after(0.01, self._hurried)

    def _hurried(self) -> None:
        self._is_hurried = False
        self._work()

    # The workers and the people

    def _look(self) -> None:
        self._timeline.after(LOOKS_EVERY_S, self._look)
        self._work()

    def _work(self) -> None:
        if not self.is_running:
            return
        self._send()
        self._camera()
        self._count()
        self._bench()
        self.open_jobs = self._do(_open)

    def _send(self) -> None:
        if not self._broker.hub_connected:
            return
        for command in self._do(commands_on_the_way):
            if self._timeline.now_s - self._published_s.get(command.id, -RESEND_S) < RESEND_S:
                continue
            self._published_s[command.id] = self._timeline.now_s
            expires = self._now() + timedelta(seconds=self.faults.command_lasts_s)
            message = self._do(lambda unit, command=command, expires=expires: payload_of(unit, command, expires))
            if message is not None:
                self._publish("job/cmd", message)

    def _camera(self) -> None:
        for job, _ in self._do(_at_camera):
            self._once(("camera", job.id), THINKS_S, lambda job=job: self._verify(job))

    def _verify(self, job: PackJob) -> None:
        found = [sensors for waiting, sensors in self._do(_at_camera) if waiting.id == job.id]
        if not found:
            return
        fails = self._timeline.happens(self.faults.verdict_fails)
        count = sum(self._device.fell(job.id, slot) for slot in range(len(job.fills)))
        seen = SeenPouch(("XXXX",) if fails else (job.pack,), (), count, True, found[0])
        self._do(lambda unit: verify_pack(unit, job.id, seen, ()))

    def _count(self) -> None:
        """Have a person go and count for each question of the machine; now and then what they answer is not the question that is asked."""
        for job in self._do(jobs_in_doubt):
            if job.doubt is not None and job.doubt.is_open and not self._without_machine(job):
                self._once((job.id, job.doubt.question, job.doubt.refused), ANSWERS_AFTER_S, lambda job=job: self._answer(job))

    def _answer(self, job: PackJob) -> None:
        assert job.doubt is not None
        boot, event = job.doubt.question
        counted = self._device.fell(job.id, job.doubt.slot)
        told = Counting(PACKAGER, job.id, boot, event, counted, "opened and counted", UserId(TECHNICIAN), UserId(PHARMACIST))
        if self._timeline.happens(self.faults.answer_wrong):
            wrong = replace(told, event=event + 1, counted=0)
            must(isinstance(self._do(lambda unit: resolve_doubt(unit, wrong), TECHNICIAN), Refusal), "an answer names its question", job.id)
        for _ in range(1 + self._timeline.happens(self.faults.answer_wrong / 2)):
            self._do(lambda unit: resolve_doubt(unit, told), TECHNICIAN)

    def _without_machine(self, job: PackJob) -> bool:
        """Have two people try to end a doubt without its machine: that works only where an old report says that it knows of none."""
        assert job.doubt is not None
        boot, event = job.doubt.question
        fell = self._device.fell(job.id, job.doubt.slot)
        told = Counting(PACKAGER, job.id, boot, event, fell, "counted by two", UserId(TECHNICIAN), UserId(PHARMACIST))
        return not isinstance(self._do(lambda unit: end_without_machine(unit, told), TECHNICIAN), Refusal)

    def _bench(self) -> None:
        """Scan what lies in the reject bin, and let what the machine refused be made anew."""
        for pack in self._do(packs_to_reject):
            if pack.job in self._device.diverted:
                self._do(lambda unit, pack=pack: scan_reject(unit, pack.serial, False, "", self._house.house), TECHNICIAN)
        for review in self._do(lambda unit: unit.reviews.where(decision="")):
            must(review.kind not in NEVER, "nothing happens that cannot", review.kind, review.subject, *review.reasons)
            if review.kind in ("job-refused", "verdict-refused"):
                decision = Decision(review.id, True, "", "", UserId(PHARMACIST))
                self._do(lambda unit, decision=decision: decide_review(unit, decision, self._house.house), PHARMACIST)
        self._house.labels()

    def _once(self, occasion: object, after_s: tuple[float, float], deed: Any) -> None:
        if occasion in self._asked:
            return
        self._asked.add(occasion)

        def done() -> None:
            self._asked.discard(occasion)
            if self.is_running:
                deed()
                self._hurry()

        self._timeline.after(self._timeline.chance.uniform(*after_s), done)

    # Publishing and the process

    def connected(self) -> None:
        """Announce the hub and send everything that waits."""
        self._session += 1
        self._published_s.clear()
        self._publish("hub/$state", self.state("ready"))
        self._hurry()

    def state(self, word: str) -> bytes:
        """Return the hub's birth or will."""
        return encode(DeviceState(state=word, session=str(self._session), at=self._now()))  # type: ignore[arg-type]

    def _publish(self, leaf: str, message: bytes) -> None:
        if self._broker.hub_connected:
            self._broker.from_hub(leaf, message)

    def _now(self) -> datetime:
        return BEGUN + timedelta(seconds=self._timeline.now_s)

    def crash(self) -> None:
        """Lose everything but the store, and start again after a while."""
        if not self.is_running:
            return
        self.crashes += 1
        self.is_running = False
        self._house.reopen()
        self._timeline.note("hub crashed")
        self._broker.hub_connected = False
        self._broker.from_hub("hub/$state", self.state("lost"))
        self._timeline.after(self._timeline.chance.uniform(*DOWN_S), self.settle)

    def settle(self) -> None:
        """Run again, at the latest now."""
        if not self.is_running:
            self.is_running = True
            self._broker.connect_hub()

    # The end

    @property
    def waits_for_refusals(self) -> bool:
        """Tell whether something that must still be refused has not been: this hub sends nothing wrong."""
        return False

    def still_open(self) -> list[str]:
        """Say in words what has not ended."""
        return [f"{job.id[:8]} {job.state.value} {job.doubt}" for job in self._house.all("jobs") if job.state not in ENDED_JOB_STATES][:4]

    def judged(self, truth: Truth, doses: int) -> tuple[int, int, int]:
        """Hold ledger and books against what physically happened; returns doses lost, doses doubled, slots that were in doubt."""
        jobs = {job.id: job for job in self._house.all("jobs")}
        entries = self._house.ledger()
        facts = _by_kind(entries)
        self._tablets(truth, jobs, facts)
        job_of = {fact["pack"]: fact["job"] for fact in facts["pack-expected"]}
        released = {job_of[fact["pack"]] for fact in facts["pack-released"]}
        must(released == truth.released, "released are the pouches that left", sorted(released ^ truth.released)[:4])
        destroyed = {job_of[fact["pack"]] for fact in facts["pack-destroyed"]}
        must(destroyed == truth.diverted, "destroyed are the pouches in the reject bin", sorted(destroyed ^ truth.diverted)[:4])
        for pouch, job in truth.jobs_of_pouches.items():
            must(truth.labels[pouch] == self._house.get("packs", jobs[job].pack).label_digest, "a pouch bears its own label", pouch, job)
        must(imbalance(entries) == 0, "tablets are conserved")
        judged = judge(entries, chain_holds=True, mismatches=0)
        broken = [name for name in IN_THE_MIDDLE_OF_A_DAY if judged[name] is False]
        must(not broken, "the invariants hold", *broken)
        served = Counter(dose for job in released for dose in self._house.get("packs", jobs[job].pack).doses)
        given_up = [dose for dose in self._house.all("doses") if dose.state is DoseState.UNFULFILLABLE]
        doubled = sum(count > 1 for count in served.values())
        lost = doses - len(served) - len(given_up)
        must(doubled == 0 and lost == 0, "each dose leaves in one pouch, or is given up with its reason", f"{lost} lost, {doubled} doubled")
        return lost, doubled, sum(job.doubt is not None for job in jobs.values())

    def _tablets(self, truth: Truth, jobs: dict[str, PackJob], facts: dict[str, list[dict[str, Any]]]) -> None:
        fell = {(jobs[job].pack, jobs[job].fills[slot].drug): count for (job, slot), count in truth.fell.items() if count}
        booked: Counter[tuple[str, str]] = Counter()
        for move in facts["stock-moved"]:
            if move["because"] == "drop":
                booked[move["pack"], move["item"]] += int(Fraction(move["quantity"]))
        must(fell == dict(booked), "the ledger says what physically happened", sorted(fell.items() ^ dict(booked).items())[:4])
        for slot, cassette in self._device.memory.world.cassettes.items():
            held = self._house.held(f"cassette:{cassette.number}", f"D{slot}/L")
            must(held == cassette.remaining, "a cassette holds what its account says", slot, held, cassette.remaining)
            reserved = self._house.get("cassettes", cassette.number).reserved
            must(reserved == 0, "what no job wants is free again", slot, reserved)


def _by_kind(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        found[entry["kind"]].append(entry["data"])
    return found


def _open(unit: SqlUnitOfWork) -> int:
    """Count the doses that have not ended, and the jobs and pouches that somebody still has to see to."""
    doses = unit.doses.count() - unit.doses.count(state=list(ENDED_DOSES))
    jobs = unit.jobs.count() - unit.jobs.count(state=list(ENDED_JOB_STATES))
    return doses + jobs + unit.packs.count(state=PackState.REVOKED)


def _at_camera(unit: SqlUnitOfWork) -> list[tuple[PackJob, tuple[tuple[int, int], ...]]]:
    """Return the pouches at the camera without a verdict, with what the drop sensor counted by now, as the camera station asks."""
    found = []
    for job in unit.jobs.where(state=JobState.RUNNING):
        pack = unit.packs.get(job.pack)
        if job.at_camera is None or pack is None or pack.verdict is not None:
            continue
        counted = tuple((fill.count, int(sum(c.units for c in pack.contents if c.dose == fill.dose))) for fill in job.fills)
        found.append((job, counted))
    return found
