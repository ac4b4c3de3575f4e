"""What must hold after every step, told from the ledger's entries and the tables alone, in words of its own."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

import msgspec

from hub.adapters.ledger_store import exported_lines
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.ledger import verify

DOSE_ENDS = {"given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost"}
PACK_ENDS = {"given", "given-in-part", "restocked", "destroyed", "lost", "never-made"}
MAY_OWE = {"supplier", "surplus"}
_BALANCES = "SELECT account, lot, numerator, denominator FROM balances"
WARD = {"injection", "ward-stock"}


class Broken(AssertionError):
    """An invariant does not hold; the message names it and what was seen."""


def must(holds: bool, rule: str, *seen: object) -> None:
    if not holds:
        raise Broken(f"{rule}: {' '.join(map(str, seen))}")


@dataclass
class Oracle:
    """Follows the ledger entry by entry; `dropped` is told by the walker: (job, slot) → tablets that the hub was told of."""

    seq: int = 0
    written: tuple[int, int] = (0, -1)
    planned: dict[str, dict[str, Any]] = field(default_factory=dict)
    dose_end: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    order_version: dict[str, int] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    people: dict[str, str] = field(default_factory=dict)
    packs: dict[str, dict[str, Any]] = field(default_factory=dict)
    pack_state: dict[str, str] = field(default_factory=dict)
    pack_end: dict[str, str] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    jobs: Counter[str] = field(default_factory=Counter)
    job_ends: Counter[str] = field(default_factory=Counter)
    held: dict[tuple[str, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    fell: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    given_for: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: dict[tuple[str, int], int] = field(default_factory=dict)
    doubts: dict[str, tuple[int, int]] = field(default_factory=dict)
    resolved: set[str] = field(default_factory=set)
    miscounted: set[int] = field(default_factory=set)

    def check(self, unit: SqlUnitOfWork) -> None:
        """Follow what is new in the ledger and hold the tables against it, if anything was written since."""
        written = (id(unit), unit.connection.total_changes)
        if written == self.written:
            return
        self.written = written
        rows = unit.connection.execute("SELECT seq, actor, kind, data FROM ledger WHERE seq > ? ORDER BY seq", (self.seq,)).fetchall()
        for seq, actor, kind, data in rows:
            must(seq == self.seq + 1, "8 the ledger has no gaps", seq)
            self.seq = seq
            self._follow(kind, actor, msgspec.json.decode(data))
        self._stock_of(unit)
        self._doses_of(unit)
        self._packs_of(unit)

    def _follow(self, kind: str, actor: str, data: dict[str, Any]) -> None:
        handler = getattr(self, "_" + kind.replace("-", "_"), None)
        if handler is not None:
            handler(actor, data)
        elif kind.startswith("dose-") and kind[5:] in DOSE_ENDS:
            self._end_dose(data["dose"], kind[5:])
        if kind.startswith("pack-"):
            self._pack_step(kind[5:], data)

    def _user_enrolled(self, actor: str, data: dict[str, Any]) -> None:
        self.people[data["user"]] = data["role"]

    def _line_decided(self, actor: str, data: dict[str, Any]) -> None:
        must(bool(data["outcome"]), "1 every line has an outcome", data)
        self.order_version[data["order"]] = data["version"]
        if data["outcome"] in ("scheduled", "once"):
            self.stopped.discard(data["order"])

    def _order_changed(self, actor: str, data: dict[str, Any]) -> None:
        if data["state"] in ("stopped", "completed"):
            self.stopped.add(data["order"])

    def _patient_discharged(self, actor: str, data: dict[str, Any]) -> None:
        self.gone.add(data["patient"])

    def _patient_moved(self, actor: str, data: dict[str, Any]) -> None:
        self.gone.discard(data["patient"])

    def _dose_planned(self, actor: str, data: dict[str, Any]) -> None:
        must(data["dose"] not in self.planned, "3 a dose is planned once", data)
        self.planned[data["dose"]] = data
        self.versions[data["dose"]] = data["version"]

    def _dose_resumed(self, actor: str, data: dict[str, Any]) -> None:
        self.versions[data["dose"]] = data["version"]

    def _dose_packed(self, actor: str, data: dict[str, Any]) -> None:
        must(data["dose"] not in self.dose_end, "3 nothing happens to a dose that has ended", data)

    def _dose_not_given(self, actor: str, data: dict[str, Any]) -> None:
        self._dose_packed(actor, data)

    def _dose_given(self, actor: str, data: dict[str, Any]) -> None:
        dose, planned = data["dose"], self.planned[data["dose"]]
        must(self.people.get(actor) in ("nurse", "senior-nurse"), "6 a nurse is named", actor, data)
        must(data["patient"] == planned["patient"], "6 it is the dose's patient", data, planned)
        must(planned["order"] not in self.stopped, "7 nothing stopped is given", data)
        must(planned["patient"] not in self.gone, "7 nothing is given to who has left", data)
        must(self.versions[dose] == self.order_version[planned["order"]], "7 nothing outdated is given", data)
        self.given_for[planned["order"], planned["due"]] += 1
        must(self.given_for[planned["order"], planned["due"]] == 1, "3 nothing is given twice for one time", planned)
        if data["pack"] is not None:
            must(data["pack"] in self.passed | self.accepted, "5 a given pack was verified", data)
            must(data["pack"] not in self.revoked, "7 no revoked pack is given", data)
        self._end_dose(dose, "given")

    def _end_dose(self, dose: str, end: str) -> None:
        must(dose in self.planned, "3 only planned doses end", dose, end)
        must(dose not in self.dose_end, "3 a dose ends once", dose, self.dose_end.get(dose), end)
        self.dose_end[dose] = end

    def _pack_expected(self, actor: str, data: dict[str, Any]) -> None:
        must(data["pack"] not in self.packs, "2 a pack is expected once", data)
        replaced = self.packs.get(data["replaces"] or "", {})
        if replaced.get("job") in self.doubts:
            must(self.pack_end.get(data["replaces"]) == "destroyed", "9 a pouch in doubt is destroyed before it is made anew", data)
        self.packs[data["pack"]] = data
        for dose in data["doses"]:
            must(dose not in self.live, "2 a dose has one live pack", dose, self.live.get(dose), data["pack"])
            self.live[dose] = data["pack"]

    def _pack_verified(self, actor: str, data: dict[str, Any]) -> None:
        if data["verdict"] == "PASS":
            must(data["pack"] in data["read"], "5 its own serial was read", data)
            self.passed.add(data["pack"])

    def _review_decided(self, actor: str, data: dict[str, Any]) -> None:
        if data["decision"] == "accept":
            self.accepted.add(data["subject"])

    def _pack_released(self, actor: str, data: dict[str, Any]) -> None:
        pack = data["pack"]
        wanted = self.passed if data["by"] in ("camera", "picker") else {data["pack"]}
        must(pack in wanted, "5 nothing is released unproven", data)
        must(pack not in self.revoked, "5 no revoked pack is released", data)
        must(self.packs[pack]["job"] not in {*self.doubts, *self.resolved}, "9 nothing in doubt is released", data)
        asked = sum((Fraction(self.planned[dose]["units"]) for dose in self.packs[pack]["doses"]), Fraction(0))
        must(self.fell[pack] == asked, "5 what is in a released pack is what was ordered", pack, self.fell[pack], asked)
        if data["by"] == "review":
            must(self.people.get(actor) in ("pharmacist", "technician"), "5 a person accepted it", actor)

    def _pack_step(self, step: str, data: dict[str, Any]) -> None:
        pack = data["pack"]
        if step in ("pulled", "left-behind", "rerouted"):
            return
        must(pack in self.packs, "3 a pack was expected before", step, data)
        if step == "not-given":
            self._not_given_after_all(pack, data)
            return
        must(pack not in self.pack_end or step == "produced", "3 nothing happens to a pack that has ended", step, data)
        self.pack_state[pack] = step
        if step == "revoked":
            self.revoked.add(pack)
        if step in PACK_ENDS:
            self.pack_end[pack] = step
        if step in PACK_ENDS or step == "revoked":
            for dose in self.packs[pack]["doses"]:
                if self.live.get(dose) == pack:
                    del self.live[dose]

    def _not_given_after_all(self, pack: str, data: dict[str, Any]) -> None:
        must(self.pack_end.pop(pack, "") == "given" and bool(data["corrects"]), "8 a correction names what it corrects", data)
        self.pack_state[pack] = "received"
        self.live |= dict.fromkeys(self.packs[pack]["doses"], pack)

    def _administration_cancelled(self, actor: str, data: dict[str, Any]) -> None:
        planned = self.planned[data["dose"]]
        self.given_for[planned["order"], planned["due"]] -= 1
        must(self.dose_end.pop(data["dose"], "") == "given" and bool(data["corrects"]), "8 a correction names what it corrects", data)

    def _job_queued(self, actor: str, data: dict[str, Any]) -> None:
        self.jobs[data["job"]] += 1
        must(self.jobs[data["job"]] == 1, "9 a job is queued once", data)

    def _job_ended(self, actor: str, data: dict[str, Any]) -> None:
        self.job_ends[data["job"]] += 1
        must(self.job_ends[data["job"]] == 1, "9 a job ends once", data)

    def _job_in_doubt(self, actor: str, data: dict[str, Any]) -> None:
        job, question = data["job"], (data["boot"], data["event"])
        must(question > self.doubts.get(job, (0, 0)), "9 a newer question takes the older one's place", data)
        must(job not in self.resolved, "9 what was settled is not asked again", data)
        self.doubts[job] = question

    def _doubt_decided(self, actor: str, data: dict[str, Any]) -> None:
        must(self.people.get(actor) in ("pharmacist", "technician") and data["by"] == actor, "9 a person decides", actor, data)
        must((data["boot"], data["event"]) == self.doubts.get(data["job"]), "9 the newest question is answered", data)

    def _doubt_resolved(self, actor: str, data: dict[str, Any]) -> None:
        must(data["job"] not in self.resolved, "9 a doubt is settled once", data)
        self.resolved.add(data["job"])

    def _stock_moved(self, actor: str, data: dict[str, Any]) -> None:
        quantity, lot = Fraction(data["quantity"]), f"{data['item']}/{data['lot']}"
        must(quantity > 0, "4 a move moves something", data)
        for account, amount in ((data["from"], -quantity), (data["to"], quantity)):
            self.held[account, lot] += amount
            must(self.held[account, lot] >= 0 or account in MAY_OWE, "4 no account owes", account, data)
        if data["because"] in ("drop", "pick"):
            self.fell[data["pack"]] += quantity

    def _stock_move_cancelled(self, actor: str, data: dict[str, Any]) -> None:
        must(bool(data["corrects"]), "8 a correction names what it corrects", data)
        self._stock_moved(actor, data)

    def _stock_of(self, unit: SqlUnitOfWork) -> None:
        kept = {
            (account, lot): Fraction(above, below)
            for account, lot, above, below in unit.connection.execute(_BALANCES).fetchall()
            if above
        }
        must(kept == {key: value for key, value in self.held.items() if value}, "4 the balances are the ledger's", "")
        told: dict[str, Fraction] = defaultdict(Fraction)
        for job in unit.jobs.where():
            told[job.pack] += sum(self.dropped.get((job.id, slot), 0) for slot in range(len(job.fills)))
            must(self.fell[job.pack] == told[job.pack], "4 the ledger says what fell", job.pack, self.fell[job.pack], told[job.pack])
        self._reservations(unit)
        self._promises(unit)

    def _reservations(self, unit: SqlUnitOfWork) -> None:
        wanted: Counter[int] = Counter()
        for job in unit.jobs.where(state=["queued", "sent", "accepted", "running", "in-doubt"]):
            for slot, fill in enumerate(job.fills):
                wanted[fill.cassette] += fill.count if (job.id, slot) not in self.dropped else 0
        for cassette in unit.cassettes.where():
            must(cassette.reserved == wanted[cassette.id], "4 what is reserved is what jobs still take", cassette, wanted[cassette.id])
            booked = sum(value for (account, _), value in self.held.items() if account == f"cassette:{cassette.id}")
            must(cassette.count == booked, "4 a cassette holds what its account says", cassette, booked)
            if cassette.id not in self.miscounted:
                must(cassette.reserved <= cassette.count, "4 nothing is reserved twice", cassette)

    def _promises(self, unit: SqlUnitOfWork) -> None:
        promised: dict[str, Fraction] = defaultdict(Fraction)
        for pack in unit.packs.where(state="expected", job=None):
            for content in pack.contents:
                promised[content.lot] += ceil(content.units) if pack.lane.value == "half-tablet" else content.units
        for wanted in unit.requisitions.where(issued=False):
            promised[wanted.lot] += wanted.units
        for lot in unit.lots.where():
            must(lot.promised == promised[lot.id], "4 what is promised is what hands still take", lot, promised[lot.id])
            must(lot.promised <= self.held["store", lot.id], "4 nothing is promised twice", lot, self.held["store", lot.id])

    def _doses_of(self, unit: SqlUnitOfWork) -> None:
        packs = {pack.serial: pack for pack in unit.packs.where()}
        open_for: Counter[str] = Counter()
        for dose in unit.doses.where():
            end = self.dose_end.get(dose.id)
            must((dose.state.value in DOSE_ENDS) == (end is not None), "3 tables and ledger agree on a dose", dose, end)
            if end is not None:
                must(end == dose.state.value, "3 tables and ledger agree on a dose", dose, end)
                continue
            if dose.lane.value in WARD or dose.state.value == "planned":
                continue
            must(dose.pack is not None, "3 a dose on its way has a pack", dose)
            pack = packs[dose.pack]
            must(pack.state.value not in PACK_ENDS, "3 no dose waits for a pack that has ended", dose, pack.state)
            open_for[pack.serial] += 1
        for pack in packs.values():
            if pack.state.value not in PACK_ENDS | {"revoked"}:
                must(open_for[pack.serial] > 0, "3 no pack goes on that nobody wants", pack)

    def _packs_of(self, unit: SqlUnitOfWork) -> None:
        booked: dict[str, Fraction] = defaultdict(Fraction)
        for (account, _), value in self.held.items():
            if account.startswith("pack:"):
                booked[account[5:]] += value
        for pack in unit.packs.where():
            ended = pack.state.value in PACK_ENDS
            if pack.label_digest:
                must((pack.serial in self.pack_end) == ended, "3 tables and ledger agree on a pack", pack)
            by_hand_and_open = pack.job is None and pack.state.value == "expected"
            inside = Fraction(0) if ended or by_hand_and_open else sum((c.units for c in pack.contents), Fraction(0))
            must(booked[pack.serial] == inside, "4 a pack holds what its account says", pack, booked[pack.serial])

    def at_the_end(self, unit: SqlUnitOfWork) -> None:
        """Everything has ended exactly once, nothing is reserved or promised, and the chain holds."""
        self.check(unit)
        must(set(self.planned) == set(self.dose_end), "3 every dose ends", *sorted(set(self.planned) - set(self.dose_end))[:3])
        open_packs = [pack for pack in unit.packs.where() if pack.state.value not in PACK_ENDS]
        must(not open_packs, "3 every pack ends", *open_packs[:2])
        must(set(self.doubts) <= self.resolved, "9 every doubt is settled", set(self.doubts) - self.resolved)
        for job in unit.jobs.where(state=["queued", "sent", "accepted", "running", "in-doubt"]):
            must(False, "9 every job ends", job)
        must(unit.commands.count(done=False) == 0, "no command waits for ever", *unit.commands.where(done=False)[:3])
        must(all(cassette.reserved == 0 for cassette in unit.cassettes.where()), "4 nothing stays reserved", "")
        must(all(lot.promised == 0 for lot in unit.lots.where()), "4 nothing stays promised", "")
        lots: dict[str, Fraction] = defaultdict(Fraction)
        for (_, lot), value in self.held.items():
            lots[lot] += value
        must(not any(lots.values()), "4 every lot sums to zero", dict(lots))
        must(verify(exported_lines(unit.connection)) is None, "8 the chain holds", "")
