"""Chores of the stockroom: receive source packs, and pour tablets into cassettes."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from simulators.people.calls import Reply
from simulators.people.crew import SECOND_TECHNICIAN, TECHNICIAN, Crew, Report, asked
from simulators.people.matter import Part, Pouring, look_text, read_look

RECEIPT_PACKS = 500


def start(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Log people in: {"people": {role: {"badge", "pin"}}}."""
    report = Report("people")
    for role, person in asked(request, "people").items():
        if report.accepted(f"log in {role}", crew.hub.login(role, person["badge"], person["pin"])):
            report.add("people")
    return report


def receive_stock(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Post receipts for {"packs": [{"code", "item", "lot", "expires_on", "units", "unit_cost"}]}; shelve what was taken in.

    A row without `look` gets the one that follows from item and lot.
    """
    report = Report("packs", "receipts")
    packs = iter(asked(request, "packs"))
    while chunk := [_with_look(crew, row) for row in islice(packs, RECEIPT_PACKS)]:
        reply = crew.hub.write(TECHNICIAN, "/api/stock/receipts", packs=chunk)
        if not report.accepted(f"receive {len(chunk)} packs from {chunk[0]['code']} on", reply):
            continue
        for row in chunk:
            crew.world.store.put(Part(row["code"], row["item"], row["lot"], Fraction(row["units"])), row["expires_on"])
        report.add("packs", len(chunk))
        report.add("receipts")
    return report


def _with_look(crew: Crew, row: Mapping[str, Any]) -> dict[str, Any]:
    key = row["item"], row["lot"]
    if row.get("look"):
        crew.world.looks.setdefault(key, read_look(row["look"]))
    return {**row, "units": str(row["units"]), "look": look_text(crew.world.look(*key))}


def fill_cassettes(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Fill each cassette that holds fewer than {"fill": n} tablets, or is named low; the first lot to expire goes first.

    What was booked and could not be poured the last time is poured first; while it cannot be, nothing more is booked.
    """
    report = Report("filled", "tablets", "short")
    fill = int(asked(request, "fill"))
    today = _today(crew)
    for pouring in list(crew.world.unpoured):
        report.add("tablets", pouring.tablets if _pour(crew, report, pouring) else 0)
    for row in report.rows("list the cassettes", crew.hub.get(TECHNICIAN, "/api/cassettes")):
        wanted = tablets_wanted(row, fill)
        if not wanted or crew.world.unpoured:
            report.add("short", 1 if wanted else 0)
            continue
        poured = _fill(crew, report, row, wanted, today)
        report.add("tablets", poured)
        report.add("filled" if poured == wanted else "short")
    return report


def tablets_wanted(row: Mapping[str, Any], fill: int) -> int:
    """Tell how many tablets a cassette is to get: up to `fill`, or `fill` more where it is low all the same."""
    if row["state"] == "locked":
        return 0
    count, capacity = int(row["count"]), int(row["capacity"])
    if count < fill:
        return max(0, min(fill, capacity) - count)
    return max(0, min(fill, capacity - count)) if row["state"] == "low" else 0


def _today(crew: Crew) -> str:
    reply = crew.hub.get(TECHNICIAN, "/api/state")
    return str(reply.body["now"])[:10] if reply.ok else ""


def _fill(crew: Crew, report: Report, row: Mapping[str, Any], wanted: int, today: str) -> int:
    """Pour lot by lot, one call each, so that hub, machine and shelf agree on what came from where."""
    store, poured = crew.world.store, 0
    for lot in store.lots(row["item"]):
        if poured == wanted:
            break
        if store.expires_on(row["item"], lot) <= today:
            continue
        parts = store.choose_whole(row["item"], lot, wanted - poured)
        if parts and _book(crew, report, row, parts):
            store.take(parts)
            pouring = Pouring(row["slot"], row["cassette"], parts)
            crew.world.unpoured.append(pouring)
            if not _pour(crew, report, pouring):
                break
            poured += pouring.tablets
    return poured


def _book(crew: Crew, report: Report, row: Mapping[str, Any], parts: tuple[Part, ...]) -> bool:
    badge, pin = crew.hub.badge_and_pin(SECOND_TECHNICIAN) if row["needs_second"] else ("", "")
    units = sum(int(part.units) for part in parts)
    reply = crew.hub.write(
        TECHNICIAN, "/api/cassettes/load", device=row["device"], slot=row["slot"], cassette=row["cassette"],
        packs=[part.code for part in parts], units=units, second_badge=badge, second_pin=pin,
    )  # fmt: skip
    return report.accepted(f"load cassette {row['cassette']} with {units} of {row['item']} lot {parts[0].lot}", reply)


def _pour(crew: Crew, report: Report, pouring: Pouring) -> bool:
    """Pour what was booked; what the machine does not take now stays in the hand until the next filling.

    Whoever is not told what came of it looks: where there is more in the cassette than before, it is in there. Where nobody can look, it
    is not poured again.
    """
    item, lot = pouring.parts[0].item, pouring.parts[0].lot
    look = crew.world.look(item, lot)
    cassette = {"cassette": pouring.cassette, "item": item, "lot": lot, "count": pouring.tablets, "look": look}
    before = tablets_in(crew.packager.look_with_power(), pouring.slot)
    reply = crew.packager.post(f"/cassettes/{pouring.slot}", cassette)
    unclear = reply.perhaps_done or reply.status >= 500
    after = tablets_in(crew.packager.look_with_power(), pouring.slot) if unclear else None
    poured = reply.ok or (before is not None and after is not None and after > before)
    if not poured:
        report.trouble(f"pour {pouring.tablets} of {item} lot {lot} into cassette {pouring.cassette}", reply.why)
    if poured or (unclear and None in (before, after)):
        crew.world.unpoured.remove(pouring)
    if poured:
        quantity = str(pouring.tablets)
        crew.truth.write("cassette-loaded", cassette=pouring.cassette, item=item, lot=lot, quantity=quantity)
    return poured


def tablets_in(look: Reply, slot: int) -> int | None:
    """Count the tablets that somebody sees in a slot of the machine; None where the machine cannot be seen into."""
    if not look.ok or not isinstance(look.body, dict) or "cassettes" not in look.body:
        return None
    return int(look.body["cassettes"].get(str(slot), {}).get("tablets", 0))
