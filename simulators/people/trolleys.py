"""Chores around the trolley: load its drawers, pull what may not go, hand it over to the ward, hand ampoules to the treatment nurse."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from simulators.people.crew import NURSE, TECHNICIAN, Crew, Report
from simulators.people.matter import LINE, TREATMENT, trolley_place, ward_place

HANDOVER_PACKS = 200
STEPS = {"assembling": ("seal", TECHNICIAN), "sealed": ("dispatch", TECHNICIAN), "dispatched": ("receive", NURSE)}
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
        if pack is None or pack.place != LINE:
            report.add("missing")
            continue
        reply = crew.hub.write(
            TECHNICIAN, "/api/trolleys/load", trolley=trolley["trolley"], drawer=row["drawer"], pack=pack.serial
        )
        if report.accepted(f"load {pack.serial} into {trolley['trolley']}", reply):
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


def _bring(crew: Crew, report: Report, trolley: Row) -> bool:
    """Take a trolley from the state it is in to the ward; the seal is a number on a plastic tag."""
    seal = trolley["seal"] or f"SEAL-{trolley['trolley']}"
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
    """Hand the ampoule bags that lie here to the treatment nurse; one by one where they are not taken together."""
    report = Report("handed")
    packs = [pack.serial for pack in crew.world.lying(LINE) if pack.lane == "ampoule"]
    for start in range(0, len(packs), HANDOVER_PACKS):
        chunk = packs[start : start + HANDOVER_PACKS]
        if len(chunk) > 1 and _hand(crew, Report(), chunk):
            report.add("handed", len(chunk))
            continue
        report.add("handed", sum(_hand(crew, report, [pack]) for pack in chunk))
    return report


def _hand(crew: Crew, report: Report, serials: list[str]) -> bool:
    badge, pin = crew.hub.badge_and_pin(crew.treatment())
    reply = crew.hub.write(TECHNICIAN, "/api/handovers", packs=serials, receiver_badge=badge, receiver_pin=pin)
    if not report.accepted(f"hand over {', '.join(serials[:3])}", reply):
        return False
    for serial in serials:
        crew.world.packs[serial].place = TREATMENT
    return True


def close(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Close every trolley that a ward has; `open` counts those that cannot be closed from where they are."""
    report = Report("closed", "open")
    for trolley in _trolleys(crew, report):
        if trolley["state"] in AT_WARD:
            reply = crew.hub.write(NURSE, "/api/trolleys/close", trolley=trolley["trolley"], seal=trolley["seal"])
            report.add("closed" if report.accepted(f"close trolley {trolley['trolley']}", reply) else "open")
        elif trolley["state"] in STEPS:
            report.add("open")
    return report
