"""A seeded walk through the life of a ward and its line: people late and wrong, a machine with faults, a bad network, crashes."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hub.domain.identifiers import CassetteId, DrugCode, OrderId, UserId
from hub.domain.orders import OrderLine, OrderStatus, Stay
from hub.domain.packs import Pack, PackJob, PackState, Verdict
from hub.domain.refusals import Refusal
from hub.services import administer, machine_events, reject_packs, return_packs, trolleys
from hub.services.cancel_administration import EnteredInError, Truth, cancel_administration
from hub.services.close_day import tick
from hub.services.doubts import jobs_in_doubt
from hub.services.machine_events import MachineEvent
from hub.services.overrides import Said, refuse_line, validate_again, withdraw_validation
from hub.services.pick_packs import issue_requisition, open_picks, pick_pack
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from tests.services.small_world import NURSE, PACKAGER, PHARMACIST, SIX, TECHNICIAN, World, order_line, with_dosage
from tests.simulation.doubts import answer_machine, ask_again, carry_answers, lose_power
from tests.simulation.oracle import Oracle, must

WARDS = (*("Cardiology", "Therapy", "Surgery") * 3, "Intensive care")
CHOICES = (
    ("PLAIN", "1", "PO"), ("PLAIN", "2", "PO"), ("PLAIN", "1/2", "PO"), ("ALERT", "1", "PO"), ("TWIN", "1", "PO"), ("TWIN", "3", "PO"),
    ("TOXIC", "1", "PO"), ("COLD", "1", "SC"), ("AMP", "1", "IV"), ("AMP", "2", "IM"),
)  # fmt: skip


@dataclass
class Holding:
    """One pouch in the machine: how far it is, and the event whose verdict or answer it waits for.

    `fell` is what fell of the drop that power was lost over, None while no drop is in doubt.
    """

    job: PackJob
    stage: int = 0
    camera: tuple[int, int] | None = None
    fell: int | None = None
    question: tuple[int, int] = (0, 0)


@dataclass
class Walk:
    """One walk; everything that chance decides comes from the seed."""

    seed: int
    folder: Path
    chance: random.Random = field(init=False)
    world: World = field(init=False)
    oracle: Oracle = field(default_factory=Oracle)
    network: list[MachineEvent] = field(default_factory=list)
    delivered: list[MachineEvent] = field(default_factory=list)
    holding: list[Holding] = field(default_factory=list)
    known_commands: set[str] = field(default_factory=set)
    asked: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    moved: Counter[tuple[str, int]] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    lines: dict[str, OrderLine] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    faults: bool = True

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.world = World(self.folder)
        self.world.sheet(*(self._new_line() for _ in range(10)))

    def run(self, steps: int) -> None:
        """Walk, checking after each step; then let everything finish and check that it did."""
        try:
            for _ in range(steps):
                self._step()
            self.heal()
        finally:
            self.world.close()

    def _step(self) -> None:
        deeds, weights = zip(*self._deeds(), strict=True)
        deed = self.chance.choices(deeds, weights)[0]
        self._do(deed)

    def _do(self, deed: Callable[[], object]) -> None:
        self.history.append(deed.__name__)
        deed()
        self.world.do(self.oracle.check)

    def _deeds(self) -> list[tuple[Callable[[], object], float]]:
        return [
            (self.order, 10), (self.edit, 3), (self.stop, 3), (self.hold, 3), (self.resume, 4), (self.move, 2), (self.leave, 0.4), (self.sheet, 2),
            (self.stock, 2), (self.fill, 4), (self.time, 10), (self.labels, 10), (self.fetch, 20), (self.machine, 70), (self.deliver, 80),
            (self.look, 24), (self.power_cut, 3), (self.repeat, 5), (self.crash, 1), (self.pick, 10), (self.issue, 4), (self.review, 6),
            (self.reject, 6), (self.load, 10), (self.pull, 3), (self.trolley, 5), (self.hand, 8), (self.give, 14), (self.give_ward, 5),
            (self.not_given, 3), (self.bring_back, 4), (self.answer, 10), (self.rule, 2), (self.validate, 3), (self.entered_in_error, 2),
        ]  # fmt: skip

    # orders and patients

    def order(self) -> None:
        self.world.change(line=self._new_line())

    def _new_line(self) -> OrderLine:
        drug, units, route = self.chance.choice(CHOICES)
        line = order_line(
            self.world.fresh("o"), self.chance.randint(1, 12), drug, units=units, route=route, stat=self.chance.random() < 0.2,
            code=self.chance.choice(("DAILY", "BID", "TID", "QPM")), authored_at=SIX - timedelta(days=self.chance.choice((0, 20))),
        )  # fmt: skip
        self.lines[line.id] = line
        return line

    def _some_line(self) -> OrderLine | None:
        return self.chance.choice(list(self.lines.values())) if self.lines else None

    def _tell(self, line: OrderLine | None, **changes: Any) -> None:
        if line is not None:
            self.lines[line.id] = with_dosage(line, **changes)
            self.world.change(line=self.lines[line.id])

    def edit(self) -> None:
        line = self._some_line()
        if line is not None and line.dose is not None and line.status is OrderStatus.ACTIVE:
            self._tell(line, dose=tuple(replace(dose, amount=dose.amount + 1) for dose in line.dose))

    def stop(self) -> None:
        line = self._some_line()
        if line is not None:
            self.world.stop(self.lines.pop(line.id))

    def hold(self) -> None:
        self._tell(self._some_line(), status=OrderStatus.ON_HOLD)

    def resume(self) -> None:
        held = [line for line in self.lines.values() if line.status is OrderStatus.ON_HOLD]
        if held:
            self._tell(self.chance.choice(held), status=OrderStatus.ACTIVE)

    def rule(self) -> None:
        """A pharmacist withdraws the validation of an order, or refuses it."""
        deed = self.chance.choice((withdraw_validation, refuse_line))
        if self.lines:
            said = Said(OrderId(self.chance.choice(list(self.lines))), "interacts", UserId(PHARMACIST))
            self.world.do(lambda unit: deed(unit, said, self.world.house), PHARMACIST)

    def validate(self) -> None:
        if standing := self.world.all("rulings", ended_at=None):
            said = Said(self.chance.choice(standing).order, "asked the doctor", UserId(PHARMACIST))
            self.world.do(lambda unit: validate_again(unit, said, self.world.house), PHARMACIST)

    def move(self) -> None:
        self.world.move(self.chance.randint(1, 12), self.chance.choice(WARDS), str(self.chance.randint(1, 3)))

    def leave(self) -> None:
        self.world.discharge(self.chance.randint(1, 12))

    def sheet(self) -> None:
        """A list of what is in force comes in again, with edits that no change told of, and people in other beds."""
        lines = []
        for order, line in self.lines.items():
            edited = line
            if self.chance.random() < 0.2 and line.dose is not None and line.status is OrderStatus.ACTIVE:
                edited = with_dosage(line, dose=tuple(replace(dose, amount=dose.amount + 1) for dose in line.dose))
            self.lines[order] = edited
            lines.append(edited)
        stays: list[Stay] = [stay for stay in self.world.all("stays") if stay.finished_at is None]
        if stays and self.chance.random() < 0.3:
            stays[0] = replace(stays[0], room=str(self.chance.randint(1, 3)))
        told = self.world.sheet(*lines, stays=stays)
        assert sum(told.outcomes.values()) == told.orders == len(lines)

    # stock

    def stock(self) -> None:
        item = self.chance.choice(("PLAIN", "ALERT", "TWIN", "AMP", "COLD", "TOXIC"))
        expires_on = date(2027, 1, 1) + timedelta(days=self.chance.randint(0, 300))
        receipt = Receipt(self.world.fresh("code"), DrugCode(item), self.world.fresh("lot"), expires_on, Fraction(20), Decimal(2))
        self.world.do(lambda unit: receive_stock(unit, [receipt]), TECHNICIAN)

    def fill(self) -> None:
        cassette = self.chance.choice(self.world.all("cassettes"))
        pack = self.chance.choice(self.world.all("source_packs"))
        second = self.chance.choice(("u-second", TECHNICIAN, None))
        count = self.chance.choice((5, 20, 60))
        loading = Loading(PACKAGER, cassette.slot, CassetteId(cassette.id), (pack.code,), count, second)
        self.world.do(lambda unit: load_cassette(unit, loading), TECHNICIAN)

    # time

    def time(self) -> None:
        self.world.now += timedelta(minutes=self.chance.choice((5, 15, 45, 90)))
        self.world.do(lambda unit: tick(unit, self.world.house))

    def labels(self) -> None:
        self.world.labels()

    def crash(self) -> None:
        self.world.reopen()

    # the machine and the network

    def fetch(self) -> None:
        self.world.do(lambda unit: machine_events.send_next(unit, PACKAGER, 6))
        self._abort()
        for command in self.world.all("commands", kind="run", done=False):
            job = self.world.get("jobs", command.job)
            if job.state.value == "queued" or command.id in self.known_commands:
                continue
            self.known_commands.add(command.id)
            if self.faults and self.chance.random() < 0.08:
                self._send("refused", job.id, None, source="bridge", command=command.id, rc="EMPTY", reason="EMPTY")
            else:
                must(not any(self.moved[job.id, slot] for slot in range(len(job.fills))), "9 a job is sent once", job)
                self.holding.append(Holding(job))

    def _abort(self) -> None:
        """The machine is asked to abort: of what it has not begun it says so, of the rest that it goes on."""
        for command in self.world.all("commands", kind="abort", done=False):
            if command.id in self.known_commands:
                continue
            self.known_commands.add(command.id)
            waiting = next((pouch for pouch in self.holding if pouch.job.id == command.job and pouch.stage == 0), None)
            if waiting is None:
                self._send("refused", command.job, None, source="bridge", command=command.id, rc="BUSY", reason="BUSY")
            else:
                self.holding.remove(waiting)
                self._send("done", command.job, None, state="aborted")

    def _send(self, kind: str, job: str | None, slot: int | None, source: str = "firmware", **data: Any) -> MachineEvent:
        event = self.world.machine.event(kind, job, slot, **data)
        if source == "bridge":
            event = replace(event, source="bridge", boot=0)
        self.network.append(event)
        return event

    def machine(self) -> None:
        """The pouch at hand goes one step on; the machine makes one after the other."""
        carry_answers(self)
        if not self.holding or self.holding[0].fell is not None:
            return
        pouch = self.holding[0]
        job, last = pouch.job, len(pouch.job.fills)
        if pouch.stage == 0:
            self._send("accepted", job.id, None)
        elif pouch.stage <= last:
            self._move(job, pouch.stage - 1)
            if self.chance.random() < (0.25 if self.faults else 0.1):
                lose_power(self, pouch)
                return
            self._drop(job, pouch.stage - 1)
        elif pouch.stage == last + 1:
            event = self._send("at-camera", job.id, last - 1)
            pouch.camera = (event.boot, event.number)
        else:
            self._verdict(pouch)
            return
        pouch.stage += 1

    def _move(self, job: PackJob, slot: int) -> None:
        self.moved[job.id, slot] += 1
        must(self.moved[job.id, slot] == 1, "9 an actuator moves once for a slot of a job", job, slot)

    def _drop(self, job: PackJob, slot: int) -> None:
        fill = job.fills[slot]
        counted = fill.count
        if self.faults and self.chance.random() < 0.08:
            counted = max(0, fill.count + self.chance.choice((-1, 1)))
            self.oracle.miscounted.add(fill.cassette)
        self._send("dropped", job.id, slot, cassette=fill.cassette, asked=fill.count, counted=counted, remaining=0)

    def _verdict(self, pouch: Holding) -> None:
        for command in self.world.all("commands", kind="verdict", job=pouch.job.id, done=False):
            if command.id in self.known_commands:
                continue
            self.known_commands.add(command.id)
            job, pack = self.world.get("jobs", pouch.job.id), self.world.get("packs", pouch.job.pack)
            if job.at_camera != pouch.camera:
                self._send("refused", job.id, None, source="bridge", command=command.id, rc="STALE_EVENT", reason="STALE_EVENT")
                continue
            passed = pack.verdict is Verdict.PASS
            self._send("released" if passed else "diverted", job.id, 0, verdict=pack.verdict.value)
            self._send("done", job.id, 0, state="done" if passed else "diverted")
            self.holding.remove(pouch)
            return

    def deliver(self) -> None:
        if not self.network:
            return
        place = self.chance.randrange(min(3, len(self.network))) if self.faults and self.chance.random() < 0.15 else 0
        event = self.network.pop(place)
        self.world.machine.tell(event)
        self.delivered.append(event)
        if event.kind in ("dropped", "resolved") and event.job is not None and event.slot is not None:
            self.oracle.dropped.setdefault((event.job, event.slot), event.data["counted"])

    def repeat(self) -> None:
        """An acknowledgement was lost: an event comes again as it was."""
        if self.delivered:
            self.world.machine.tell(self.chance.choice(self.delivered[-6:]))

    def power_cut(self) -> None:
        """The machine starts anew: what was not acknowledged is told again under new numbers, in its old order."""
        machine = self.world.machine
        kept = [event for event in self.network if event.source == "firmware"]
        unsure = [event for event in self.delivered[-2:] if event.source == "firmware"]
        self.network = [event for event in self.network if event.source == "bridge"]
        machine.boot, machine.number = machine.boot + 1, 0
        for event in (*unsure, *kept):
            again = self._send(event.kind, event.job, event.slot, **event.data)
            for pouch in self.holding:
                if pouch.job.id == event.job and event.kind == "at-camera":
                    pouch.camera = (again.boot, again.number)
        ask_again(self)

    def look(self) -> None:
        for job in self.world.all("jobs", state="running"):
            pack = self.world.get("packs", job.pack)
            if job.at_camera is None or pack.verdict is not None:
                continue
            what = self.chance.choices(("good", "unread", "foreign", "doubt"), (80, 8, 4, 8) if self.faults else (1, 0, 0, 0))[0]
            read = {"unread": [], "foreign": ["FOREIGN"]}.get(what)
            self.world.machine.look(job, read, certain=what != "doubt", tablets=1 if what == "doubt" else None)
            return

    # people on the line

    def _wrong(self, share: float = 0.1) -> bool:
        return self.faults and self.chance.random() < share

    def pick(self) -> None:
        waiting = self.world.do(open_picks)
        if waiting:
            pack = self.chance.choice(waiting)
            codes = None
            if self._wrong():
                codes = [self.chance.choice(self.world.all("source_packs")).code]
            if codes is None:
                sources = self.world.all("source_packs")
                codes = [next(source.code for source in sources if source.lot == content.lot) for content in pack.contents]
            self.world.do(lambda unit: pick_pack(unit, pack.serial, codes), TECHNICIAN)

    def issue(self) -> None:
        if waiting := self.world.all("requisitions", issued=False):
            wanted = waiting[0]
            code = next(source.code for source in self.world.all("source_packs") if source.lot == wanted.lot)
            self.world.do(lambda unit: issue_requisition(unit, wanted.id, [code]), TECHNICIAN)

    def review(self) -> None:
        if waiting := self.world.all("reviews", decision=""):
            others = [one for one in waiting if one.kind != "in-doubt"]
            open_one = waiting[0] if self._wrong() or not others else others[0]
            scanned = "ANOTHER" if self._wrong() else open_one.subject
            accept = self.chance.random() < 0.6
            decision = reject_packs.Decision(open_one.id, accept, scanned, "seen", UserId(PHARMACIST))
            decided = self.world.do(lambda unit: reject_packs.decide_review(unit, decision, self.world.house), PHARMACIST)
            must(open_one.kind != "in-doubt" or isinstance(decided, Refusal), "9 a doubt is answered by counting only", open_one)

    def answer(self) -> None:
        """Somebody counts for a machine in doubt: late, twice, wrongly, or for a question that was asked before."""
        if waiting := self.world.do(jobs_in_doubt):
            answer_machine(self, self.chance.choice(waiting))

    def reject(self) -> None:
        waiting = self.world.do(reject_packs.packs_to_reject)
        serials = [pack.serial for pack in (self.world.all("packs") if self._wrong() else waiting)]
        if serials:
            serial = self.chance.choice(serials)
            unreadable = self.chance.random() < 0.2
            self.world.do(lambda unit: reject_packs.scan_reject(unit, serial, unreadable, "smeared", self.world.house), TECHNICIAN)

    def _some_pack(self, *states: PackState) -> Pack | None:
        packs = self.world.all("packs") if self._wrong(0.05) else self.world.all("packs", state=list(states))
        return self.chance.choice(packs) if packs else None

    def load(self) -> None:
        pack = self._some_pack(PackState.RELEASED)
        if pack is not None and pack.trolley is not None:
            drawer = "another" if self._wrong() else pack.drawer
            self.world.do(lambda unit: trolleys.load_pack(unit, str(pack.trolley), drawer, pack.serial), TECHNICIAN)

    def pull(self) -> None:
        if waiting := self.world.all("packs", state="revoked", in_drawer=True):
            pack = waiting[0]
            self.world.do(lambda unit: trolleys.pull_pack(unit, str(pack.trolley), pack.serial), TECHNICIAN)

    def trolley(self) -> None:
        if not (rounds := self.world.all("trolleys")):
            return
        trolley = self.chance.choice(rounds)
        seal = "S9" if self._wrong() else "S1"
        step = {"assembling": self.world.seal, "dispatched": self.world.receive}.get(trolley.state.value)
        if step is not None:
            step(trolley.id, seal if trolley.state.value == "dispatched" else "S1")
        elif trolley.state.value == "sealed":
            self.world.dispatch(trolley.id)
        else:
            self.world.do(lambda unit: trolleys.close_trolley(unit, trolley.id), NURSE)

    def hand(self) -> None:
        packs = [pack for pack in self.world.all("packs", state="released") if pack.trolley is None]
        if packs:
            self.world.hand(self.chance.choice(packs))

    # the ward

    def give(self) -> None:
        pack = self._some_pack(PackState.RECEIVED, PackState.HELD, PackState.REVOKED)
        if pack is not None:
            number = self.chance.randint(1, 12) if self._wrong() else int(pack.patient[1:])
            scan = administer.BedsideScan(f"W-{number}", pack.serial)
            self.world.do(lambda unit: administer.give(unit, scan, self.world.house), NURSE)

    def _ward_dose(self) -> Any:
        doses = [dose for dose in self.world.all("doses", lane="injection") if dose.state.value in ("planned", "frozen", "packed")]
        return self.chance.choice(doses) if doses else None

    def give_ward(self) -> None:
        if (dose := self._ward_dose()) is not None:
            source = self.chance.choice(self.world.all("source_packs", item="AMP"))
            scan = administer.BedsideScan(f"W-{dose.patient[1:]}", dose=dose.id, source_code=source.code)
            self.world.do(lambda unit: administer.give_from_ward(unit, scan, self.world.house), NURSE)

    def not_given(self) -> None:
        pack, dose = self._some_pack(PackState.RECEIVED), self._ward_dose()
        if dose is not None and self.chance.random() < 0.5:
            scan = administer.BedsideScan(f"W-{dose.patient[1:]}", dose=dose.id)
        elif pack is not None:
            scan = administer.BedsideScan(f"W-{pack.patient[1:]}", pack.serial)
        else:
            return
        self.world.do(lambda unit: administer.not_given(unit, scan, "asleep"), NURSE)

    def entered_in_error(self) -> None:
        """Something was recorded as given and was not: it lies there yet, or was thrown away."""
        truth, dose = self.chance.choice(list(Truth)), self._given_from_ward()
        pack = self._some_pack(PackState.GIVEN)
        if dose is not None and self.chance.random() < 0.5:
            error = EnteredInError(f"W-{dose.patient[1:]}", truth, "wrong scan", dose=dose.id)
        elif pack is not None:
            error = EnteredInError(f"W-{pack.patient[1:]}", truth, "wrong scan", pack_code=pack.serial)
        else:
            return
        self.world.do(lambda unit: cancel_administration(unit, error), PHARMACIST)

    def _given_from_ward(self) -> Any:
        doses = self.world.all("doses", lane="injection", state="given")
        return self.chance.choice(doses) if doses else None

    def bring_back(self) -> None:
        waiting = self.world.do(return_packs.packs_to_return)
        serials = [pack.serial for pack in (self.world.all("packs") if self._wrong() else waiting)]
        if serials:
            serial, sealed = self.chance.choice(serials), self.chance.random() < 0.7
            self.world.do(lambda unit: return_packs.return_pack(unit, serial, sealed), TECHNICIAN)

    # the end

    def heal(self) -> None:
        """No more faults and no more orders: everything finishes within two days."""
        self.faults = False
        for _ in range(30):
            self._settle()
            for deed in (*[self.trolley] * 3, *[self.give] * 3, self.give_ward):
                deed()
            self.world.now += timedelta(hours=1)
            self._do(self.world.tick)
        self._settle()
        self.world.do(self.oracle.at_the_end)

    def _settle(self) -> None:
        for _ in range(60):
            if not self._is_busy():
                return
            for deed in (self.labels, self.fetch, self.machine, self.deliver, self.look, self.pick, self.issue, self.review, self.reject):
                deed()
            self.answer()
            for deed in (self.load, self.pull, self.hand, self.bring_back):
                deed()
            self.world.do(self.oracle.check)
        while self.holding or self.network:
            self.machine()
            while self.network:
                self.deliver()
            self.look()
            self.answer()
            if not self.network and self.holding and self.holding[0].camera is not None and self._stuck():
                raise AssertionError(f"the machine waits for ever for a verdict on {self.holding[0].job}")

    def _stuck(self) -> bool:
        open_commands = self.world.all("commands", kind="verdict", job=self.holding[0].job.id, done=False)
        pack = self.world.get("packs", self.holding[0].job.pack)
        return pack.verdict is not None and all(command.id in self.known_commands for command in open_commands)

    def _is_busy(self) -> bool:
        waiting = self.world.all("jobs", state=["queued", "sent", "accepted", "running", "in-doubt"])
        return bool(
            waiting or self.network or self.holding or self.world.do(open_picks) or self.world.all("requisitions", issued=False)
            or self.world.do(reject_packs.packs_to_reject) or self.world.all("reviews", decision="")
            or self.world.all("packs", state="expected", label_digest="") or self.world.do(return_packs.packs_to_return)
            or [pack for pack in self.world.all("packs", state="released") if pack.trolley is None]
        )  # fmt: skip
