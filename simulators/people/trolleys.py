"""Chores around the trolley: load its drawers, pull what may not go, hand it over to the ward, hand ampoules to the treatment nurse."""

import hashlib
from collections.abc import Mapping
from itertools import islice
from typing import Any

from simulators.people.crew import NURSE, PROPER_REFUSALS, TECHNICIAN, Crew, Report
from simulators.people.matter import BY_HAND, LINE, TREATMENT, trolley_place, ward_place

HANDOVER_PACKS = 200
STEPS = {"assembling": ("seal", TECHNICIAN), "sealed": ("dispatch", TECHNICIAN), "dispatched": ("receive", NURSE)}
NOT_YET = PROPER_REFUSALS | {"state"}
"""A pouch may lie in the bin before the hub has heard that it was released."""
STILL_FULL = frozenset({"open-packs"})
AT_WARD = ("received", "in-round")

Row = Mapping[str, Any]


def _trolleys(crew: Crew, report: Report) -> list[dict[str, Any]]:
    return report.rows("list the trolleys", crew.hub.get(TECHNICIAN, "/api/trolleys"))


def load(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Pull from and load into every trolley that is being assembled; `missing` counts what is not here to be loaded."""
    report = Report("trolleys", "loaded", "pulled", "missing")
    for trolley in _trolleys(crew, report):
        if trolley["state"] != "assembling":
            continue
        report.add("trolleys")
        _pull(crew, report, trolley)
        _load(crew, report, trolley)
    return report


def _pull(crew: Crew, report: Report, trolley: Row) -> None:
    for row in trolley["pull"]:
        pack = crew.world.packs.get(row["pack"])
        if pack is None or pack.place != trolley_place(trolley["trolley"]):
            report.trouble(f"pull {row['pack']}", f"it is not in trolley {trolley['trolley']}")
            continue
        reply = crew.hub.write(TECHNICIAN, "/api/trolleys/pull", trolley=trolley["trolley"], pack=pack.serial)
        if report.accepted(f"pull {pack.serial} from {trolley['trolley']}", reply):
            pack.place = LINE
            report.add("pulled")


def _load(crew: Crew, report: Report, trolley: Row) -> None:
    for row in trolley["missing"]:
        pack = crew.world.packs.get(row["pack"])
        if pack is None or pack.place != LINE or row["state"] != "released":
            report.add("missing")
            continue
        reply = crew.hub.write(
            TECHNICIAN, "/api/trolleys/load", trolley=trolley["trolley"], drawer=row["drawer"], pack=pack.serial
        )
        if report.accepted(f"load {pack.serial} into {trolley['trolley']}", reply, NOT_YET):
            pack.place, pack.department = trolley_place(trolley["trolley"]), trolley["department"]
            report.add("loaded")
        else:
            report.add("missing")


def deliver(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Seal, dispatch and receive {"trolley": id}, or every one that misses nothing, or with {"all": true} every one.

    One that was sealed or dispatched before goes on from there.
    """
    report = Report("delivered", "packs", "incomplete")
    asked, everything = request.get("trolley"), bool(request.get("all"))
    for trolley in _trolleys(crew, report):
        if trolley["state"] not in STEPS or asked not in (None, trolley["trolley"]):
            continue
        if trolley["state"] == "assembling" and trolley["missing"] and asked is None and not everything:
            report.add("incomplete")
            continue
        if _bring(crew, report, trolley):
            report.add("delivered")
            report.add("packs", _hand_out(crew, trolley))
    return report


def seal_number(trolley: str) -> str:
    """Give the number of the plastic seal that is taken for a trolley's round."""
    return f"S{hashlib.sha256(trolley.encode()).hexdigest()[:8].upper()}"


def _bring(crew: Crew, report: Report, trolley: Row) -> bool:
    """Take a trolley from the state it is in to the ward."""
    seal = trolley["seal"] or seal_number(trolley["trolley"])
    first = list(STEPS).index(trolley["state"])
    for step, role in islice(STEPS.values(), first, None):
        reply = crew.hub.write(role, f"/api/trolleys/{step}", trolley=trolley["trolley"], seal=seal)
        if not report.accepted(f"{step} trolley {trolley['trolley']}", reply):
            return False
    return True


def _hand_out(crew: Crew, trolley: Row) -> int:
    packs = crew.world.lying(trolley_place(trolley["trolley"]))
    for pack in packs:
        pack.place, pack.department = ward_place(trolley["department"]), trolley["department"]
    return len(packs)


def hand_over(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Hand over what lies here and goes in no trolley: ampoule bags to the treatment nurse, STAT and late packs to a nurse.

    One by one where they are not taken together; `waiting` counts those that were refused.
    """
    report = Report("handed", "waiting")
    in_trolleys = {row["pack"] for trolley in _trolleys(crew, report) for row in trolley["missing"]}
    packs = [pack for pack in crew.world.lying(LINE) if pack.serial not in in_trolleys]
    for receiver, place in ((crew.treatment(), TREATMENT), (NURSE, BY_HAND)):
        serials = [pack.serial for pack in packs if (pack.lane == "ampoule") == (place == TREATMENT)]
        for start in range(0, len(serials), HANDOVER_PACKS):
            _hand_together(crew, report, serials[start : start + HANDOVER_PACKS], receiver, place)
    return report


def _hand_together(crew: Crew, report: Report, serials: list[str], receiver: str, place: str) -> None:
    """Hand packs over in one call, or one by one where one of them is refused."""
    if len(serials) > 1 and _hand(crew, Report(), serials, receiver, place):
        report.add("handed", len(serials))
        return
    for serial in serials:
        report.add("handed" if _hand(crew, report, [serial], receiver, place) else "waiting")


def _hand(crew: Crew, report: Report, serials: list[str], receiver: str, place: str) -> bool:
    badge, pin = crew.hub.badge_and_pin(receiver)
    reply = crew.hub.write(TECHNICIAN, "/api/handovers", packs=serials, receiver_badge=badge, receiver_pin=pin)
    if not report.accepted(f"hand over {', '.join(serials[:3])}", reply, NOT_YET):
        return False
    for serial in serials:
        crew.world.packs[serial].place = place
    return True


def close(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Close every trolley that a ward has; `open` counts those that cannot be closed from where they are."""
    report = Report("closed", "open")
    for trolley in _trolleys(crew, report):
        if trolley["state"] in AT_WARD:
            reply = crew.hub.write(NURSE, "/api/trolleys/close", trolley=trolley["trolley"], seal=trolley["seal"])
            closed = report.accepted(f"close trolley {trolley['trolley']}", reply, STILL_FULL)
            report.add("closed" if closed else "open")
        elif trolley["state"] in STEPS:
            report.add("open")
    return report
