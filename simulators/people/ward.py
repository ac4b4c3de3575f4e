"""Chores of the ward: the round from bed to bed, and bringing back what was not given."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from simulators.people.calls import Reply
from simulators.people.crew import NURSE, PROPER_REFUSALS, TECHNICIAN, Crew, Report, asked
from simulators.people.matter import BY_HAND, LINE, REJECT, TREATMENT, HeldPack, Part, Shelf, bag_place, ward_place

NOT_GIVEN_SHARE = 0.02
WRONG_WRISTBAND_SHARE = 0.01
OPENED_SHARE = 0.25
REASONS = ("refused", "asleep", "absent", "fasting")
WARD_LANES = ("injection", "ward-stock")
TREATMENT_LANES = ("ampoule", "injection")

COUNTS = (
    "departments", "patients", "given", "doses_given", "not_given", "wrong_wristbands", "refusals_expected", "refusals_seen",
    "refused_scans", "not_here", "no_pack", "no_stock",
)  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens at one bed with one pack or dose: `reason` is empty where it is given."""

    wrong_wristband: bool
    reason: str
    opened: bool


def behaviour(seed: str, patient: str, thing: str) -> Behaviour:
    """Draw what happens; the same seed, patient and pack or dose give the same."""
    chance = random.Random(f"{seed}/{patient}/{thing}")
    wrong = chance.random() < WRONG_WRISTBAND_SHARE
    reason = chance.choice(REASONS) if chance.random() < NOT_GIVEN_SHARE else ""
    return Behaviour(wrong, reason, opened=reason == "refused" and chance.random() < OPENED_SHARE)


def things(items: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Gather what is given in one movement: all doses of a pack, or one dose of a ward lane; in order of the list."""
    together: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        together.setdefault(f"pack {item['pack']}" if item["pack"] else f"dose {item['dose']}", []).append(item)
    return list(together.items())


def make_round(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Go to every patient of {"departments": […]} (or of all trolleys) with what is due until {"until": time}."""
    report = Report(*COUNTS)
    until = str(asked(request, "until"))
    for department in request.get("departments") or _departments(crew, report):
        path = f"/api/ward/{quote(department, safe='')}/round"
        beds = report.rows(f"round of {department}", crew.hub.get(NURSE, path, until=until))
        report.add("departments")
        for bed, another in zip(beds, _others(beds), strict=True):
            report.add("patients")
            visit = Visit(crew, report, department, bed, another)
            for thing, items in things(bed["items"]):
                visit.attend(thing, items)
    return report


def _departments(crew: Crew, report: Report) -> list[str]:
    trolleys = report.rows("list the trolleys", crew.hub.get(TECHNICIAN, "/api/trolleys"))
    known = {row["department"] for row in trolleys} | set(crew.world.cupboards)
    return sorted(known | {pack.department for pack in crew.world.lying(TREATMENT)})


def _others(beds: list[dict[str, Any]]) -> Iterator[Row | None]:
    """Give each bed its neighbour, whose wristband may be scanned by mistake; None where nobody else lies there."""
    for index, bed in enumerate(beds):
        neighbour = beds[index - 1]
        yield None if neighbour["code"] == bed["code"] else neighbour


@dataclass(frozen=True)
class Visit:
    """A nurse at one bed."""

    crew: Crew
    report: Report
    department: str
    bed: Row
    neighbour: Row | None

    def attend(self, thing: str, items: list[dict[str, Any]]) -> None:
        """Give one pack or one dose of a ward lane, or say why not."""
        item = items[0]
        act = behaviour(self.crew.seed, self.bed["patient"], thing)
        if item["pack"]:
            pack = self.crew.world.packs.get(item["pack"])
            if pack is None or not self._at_hand(pack, item):
                self.report.add("not_here")
                return
            self._attend_pack(pack, act)
        elif item["lane"] in WARD_LANES:
            self._attend_dose(item, act)
        else:
            self.report.add("no_pack")

    def _at_hand(self, pack: HeldPack, item: Row) -> bool:
        """Tell whether the pack is in this ward, or in the one that the patient came from and that it was sent to."""
        wards = {self.department, item.get("department") or self.department}
        if pack.place == TREATMENT:
            return pack.department in wards
        return pack.place == BY_HAND or any(pack.place in (ward_place(ward), bag_place(ward)) for ward in wards)

    def _attend_pack(self, pack: HeldPack, act: Behaviour) -> None:
        role = self._nurse(pack.lane)
        scanned = {"pack_code": pack.serial}
        if act.wrong_wristband and self.neighbour is not None:
            reply = self.crew.hub.write(role, "/api/bedside/give", patient_code=self.neighbour["code"], **scanned)
            if self._mistaken(pack.serial, reply):
                self._hand(pack, self.neighbour)
                return
        if act.reason:
            self._not_given(role, act.reason, scanned)
            pack.place, pack.opened = bag_place(self.department), act.opened
            return
        reply = self.crew.hub.write(role, "/api/bedside/give", patient_code=self.bed["code"], **scanned)
        if self._given(f"give pack {pack.serial}", reply):
            self._hand(pack, self.bed)
        else:
            pack.place = bag_place(self.department)

    def _attend_dose(self, item: Row, act: Behaviour) -> None:
        role = self._nurse(item["lane"])
        parts = self._from_cupboard(item)
        if act.reason:
            self._not_given(role, act.reason, {"dose": item["dose"]})
            return
        if not parts:
            self.report.add("no_stock")
            return
        scanned = {"dose": item["dose"], "source_code": parts[0].code}
        if act.wrong_wristband and self.neighbour is not None:
            reply = self.crew.hub.write(role, "/api/bedside/give-ward", patient_code=self.neighbour["code"], **scanned)
            if self._mistaken(item["dose"], reply):
                self._use(item, parts, self.neighbour)
                return
        reply = self.crew.hub.write(role, "/api/bedside/give-ward", patient_code=self.bed["code"], **scanned)
        if self._given(f"give dose {item['dose']}", reply):
            self._use(item, parts, self.bed)

    def _nurse(self, lane: str) -> str:
        return self.crew.treatment() if lane in TREATMENT_LANES else NURSE

    def _cupboard(self, item: Row) -> Shelf:
        """Give the cupboard that was stocked for the dose: that of the ward it was ordered in."""
        return self.crew.world.cupboard(item.get("department") or self.department)

    def _from_cupboard(self, item: Row) -> tuple[Part, ...]:
        cupboard = self._cupboard(item)
        units = Fraction(str(item["units"]))
        chosen = (cupboard.choose(item["item"], lot, units) for lot in cupboard.lots(item["item"]))
        return next(filter(None, chosen), ())

    def _mistaken(self, thing: str, reply: Reply) -> bool:
        """Tell whether the hub let a wrong patient have it, which it must never do."""
        self.report.add("wrong_wristbands")
        self.report.add("refusals_expected")
        if reply.ok:
            self.report.trouble(f"give {thing} to a wrong patient", "the hub did not refuse it")
        elif reply.refused:
            self.report.add("refusals_seen")
        else:
            self.report.trouble(f"give {thing} to a wrong patient", reply.why)
        return reply.ok

    def _given(self, what: str, reply: Reply) -> bool:
        if self.report.accepted(what, reply):
            self.report.add("given")
            self.report.add("doses_given", len(reply.body["given"]))
            return True
        self.report.add("refused_scans", 1 if reply.refused in PROPER_REFUSALS else 0)
        return False

    def _not_given(self, role: str, reason: str, scanned: dict[str, str]) -> None:
        reply = self.crew.hub.write(
            role, "/api/bedside/not-given", patient_code=self.bed["code"], reason=reason, **scanned
        )
        if self.report.accepted(f"not given: {scanned}", reply):
            self.report.add("not_given")

    def _hand(self, pack: HeldPack, bed: Row) -> None:
        codes = [bed["code"], pack.serial]
        self.crew.truth.write("pouch-handed", **pack.identity(), patient=bed["patient"], codes=codes)
        self.crew.world.let_go(pack)

    def _use(self, item: Row, parts: tuple[Part, ...], bed: Row) -> None:
        self._cupboard(item).take(parts)
        units = sum((part.units for part in parts), Fraction(0))
        self.crew.truth.write(
            "item-given", patient=bed["patient"], item=parts[0].item, lot=parts[0].lot, quantity=str(units)
        )


def bring_back(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Bring back every pack that must come back and is in somebody's hands; a restocked pack is put away whole, and nothing is taken out of it."""
    report = Report("restocked", "destroyed", "not_here")
    for row in report.rows("list the returns", crew.hub.get(TECHNICIAN, "/api/returns")):
        pack = crew.world.packs.get(row["pack"])
        if pack is None or not _within_reach(pack):
            report.add("not_here")
            continue
        condition = "opened" if pack.opened else "sealed"
        reply = crew.hub.write(TECHNICIAN, "/api/returns", pack=pack.serial, condition=condition)
        if report.accepted(f"bring back {pack.serial}", reply):
            _put_away(crew, report, pack, str(reply.body["state"]))
    return report


def _within_reach(pack: HeldPack) -> bool:
    return pack.place in (LINE, REJECT, TREATMENT, BY_HAND) or pack.place.startswith(("ward:", "bag:"))


def _put_away(crew: Crew, report: Report, pack: HeldPack, state: str) -> None:
    if state not in ("restocked", "destroyed"):
        report.trouble(f"bring back {pack.serial}", f"what is to be done with it? {state}")
        return
    crew.truth.write(state, **pack.identity())
    crew.world.let_go(pack)
    report.add(state)
