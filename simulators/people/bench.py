"""Chores of the packing line: empty the bins and the label tray, look at pouches, destroy rejects, pick by hand, issue to wards."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

from simulators.people.calls import Machine, Reply
from simulators.people.crew import SECOND_TECHNICIAN, TECHNICIAN, Crew, Report
from simulators.people.matter import LINE, REJECT, HeldPack, Part
from simulators.people.scanner import NotARaster, scan

SPLIT_LANE = "half-tablet"
PASSES = 50
PATIENCE_S = 10.0
"""How long a person looks for a pouch that is to be reviewed before saying that it is not there."""

COUNTS = (
    "pouches", "reject_pouches", "unreadable", "labels", "spare_labels", "reviews_accepted", "reviews_rejected", "reviews_waiting",
    "destroyed", "remade", "rejects_waiting", "picked", "picks_waiting", "issued", "requisitions_waiting", "doubts_answered", "doubts_waiting",
)  # fmt: skip


def bench(crew: Crew, request: Mapping[str, Any]) -> Report:
    """Do everything that can be done at the line now, until a whole pass changes nothing; `…_waiting` tell of the last pass."""
    report = Report(*COUNTS)
    for _ in range(PASSES):
        before = report.total(but="_waiting")
        report.reset("_waiting")
        _answer_doubts(crew, report)
        _empty_bin(crew, report, "output", LINE)
        _empty_bin(crew, report, "reject", REJECT)
        _take_labels(crew, report)
        _decide_reviews(crew, report)
        _destroy_rejects(crew, report)
        _pick(crew, report)
        _issue(crew, report)
        if report.total(but="_waiting") == before:
            break
    return report


def _answer_doubts(crew: Crew, report: Report) -> None:
    """Open the machine, count what fell in the drop that is in doubt, and tell the hub; a second person counts where one is asked for."""
    for doubt in report.rows("list the doubts", crew.hub.get(crew.decider(), "/api/doubts")):
        if not doubt["open"]:
            report.add("doubts_waiting")
            continue
        state = crew.packager.look().body
        seen = state.get("doubt") if isinstance(state, dict) else None
        if not seen or seen["job"] != doubt["job"] or seen["drop"] != doubt["slot"]:
            report.add("doubts_waiting")
            continue
        badge, pin = crew.hub.badge_and_pin(SECOND_TECHNICIAN) if doubt["needs_second"] else ("", "")
        reply = crew.hub.write(
            crew.decider(), "/api/doubts/resolve", device=doubt["device"], job=doubt["job"], boot=doubt["boot"], asked_event=doubt["event"],
            counted=seen["fell"], reason="opened the machine and counted the pouch", second_badge=badge, second_pin=pin,
        )  # fmt: skip
        if report.accepted(f"answer the doubt of {doubt['pack']}", reply):
            report.add("doubts_answered")


def _taken(report: Report, machine: Machine, path: str) -> list[dict[str, Any]]:
    return report.rows(f"take {path}", machine.post(path))


def _read(report: Report, record: Mapping[str, Any], name: str) -> str:
    """Scan a label; an unreadable one gives an empty text and is counted."""
    try:
        serial = scan(record)
    except NotARaster as error:
        report.trouble(f"scan {name}", str(error))
        serial = None
    if serial is None:
        report.add("unreadable")
    return serial or ""


def _empty_bin(crew: Crew, report: Report, bin_name: str, place: str) -> None:
    for record in _taken(report, crew.packager, f"/{bin_name}/take"):
        tablets = record["tablets"]
        pack = HeldPack(
            kind="pouch", name=record["pouch"], serial=_read(report, record, record["pouch"]), place=place, lane="machine",
            job=record["job"], parts=tuple(Part("", tablet["item"], tablet["lot"], Fraction(1)) for tablet in tablets),
            broken=sum(bool(tablet.get("broken")) for tablet in tablets),
        )  # fmt: skip
        report.add("pouches" if place == LINE else "reject_pouches")
        if not crew.world.hold(pack) and (pack.serial or place == LINE):
            why = f"its serial {pack.serial} is on another pouch too" if pack.serial else "nobody can read its label"
            report.trouble(f"pouch {pack.name} from the {bin_name} bin", why)


def _take_labels(crew: Crew, report: Report) -> None:
    world = crew.world
    for record in _taken(report, crew.printer, "/take"):
        report.add("labels")
        serial = _read(report, record, record["label"])
        if not serial:
            report.trouble(f"label {record['label']}", "nobody can read it")
        if not serial or serial in world.labels or serial in world.used_serials:
            world.spare_labels.append(record["label"])
            report.add("spare_labels")
        else:
            world.labels[serial] = record["label"]


def judge(review: Mapping[str, Any], pouch: HeldPack | None) -> tuple[str, str] | None:
    """Decide a review as somebody with the pouch in the hand: (decision, reason); None where the pouch must be found first."""
    if review["verdict"] != "LOOK":
        return "reject", f"{review['verdict'] or review['kind']}: not fit to be given"
    if pouch is None:
        return None
    if pouch.broken:
        return "reject", "a tablet is broken"
    if not holds(pouch, review.get("expected")):
        return "reject", "not what the label says"
    return "accept", "counted by hand: what the label says"


def holds(pouch: HeldPack, expected: object) -> bool:
    """Tell whether a pouch holds what is expected, all of it whole: rows of {"item", "units"}, or just a number of tablets."""
    if pouch.broken:
        return False
    content = pouch.content()
    if isinstance(expected, list):
        wanted: Counter[str] = Counter()
        for row in expected:
            wanted[row["item"]] += Fraction(str(row["units"]))  # type: ignore[assignment]
        return content == wanted
    if isinstance(expected, int | str) and not isinstance(expected, bool):
        return sum(content.values(), Fraction(0)) == Fraction(str(expected))
    return False


def _decide_reviews(crew: Crew, report: Report) -> None:
    for review in report.rows("list the reviews", crew.hub.get(crew.decider(), "/api/reviews")):
        pouch = crew.world.packs.get(review.get("pack") or "")
        decided = judge(review, pouch) or _without_pouch(crew, review)
        if decided is None or f"decide review {review['review']}" in report.failed:
            report.add("reviews_waiting")
            continue
        reply = _accept(crew, review, pouch) if decided[0] == "accept" and pouch is not None else _decide(crew, review, decided, pouch)
        if decided[0] == "accept" and reply.refused:
            report.refused[reply.refused] += 1
            decided = "reject", f"not accepted: {reply.why}"
            reply = _decide(crew, review, decided, pouch)
        if report.accepted(f"decide review {review['review']}", reply):
            crew.sought_since_s.pop(review["review"], None)
            report.add(f"reviews_{decided[0]}ed")
            if decided[0] == "accept" and pouch is not None:
                pouch.place = LINE


def _accept(crew: Crew, review: Mapping[str, Any], pouch: HeldPack) -> Reply:
    """Look at a pouch at the review station for as long as it asks, and accept it by its label."""
    shown = crew.hub.write(crew.decider(), "/api/station/show", case=review["review"])
    if not shown.ok:
        return shown
    case = shown.body["case"]
    crew.hub.wait(case["least_s"])
    return crew.hub.write(
        crew.decider(), "/api/station/decide", case=case["case"], shown=case["shown"], decision="accept", scanned=pouch.serial
    )


def _decide(crew: Crew, review: Mapping[str, Any], decided: tuple[str, str], pouch: HeldPack | None) -> Reply:
    scanned = pouch.serial if pouch else ""
    return crew.hub.write(
        crew.decider(), "/api/reviews", review=review["review"], decision=decided[0], pack=scanned, reason=decided[1][:500]
    )


def _without_pouch(crew: Crew, review: Mapping[str, Any]) -> tuple[str, str] | None:
    """Reject a pouch whose label nobody can read, known by its job, or that was looked for in vain for ten seconds."""
    if review.get("job") and any(pouch.job == review["job"] for pouch in crew.world.unread):
        return "reject", "nobody can read its label"
    since_s = crew.sought_since_s.setdefault(review["review"], crew.clock_s())
    return ("reject", "the pouch was not found") if crew.clock_s() - since_s >= PATIENCE_S else None


def _destroy_rejects(crew: Crew, report: Report) -> None:
    rejects = report.rows("list the rejects", crew.hub.get(TECHNICIAN, "/api/rejects"))
    jobs = Counter(row["job"] for row in rejects)
    for row in rejects:
        pack = crew.world.packs.get(row["pack"])
        if pack is None and row["job"] and jobs[row["job"]] == 1:
            pack = next((other for other in crew.world.unread if other.job == row["job"]), None)
        what = f"destroy {row['pack']}"
        if pack is None or pack.place not in (LINE, REJECT) or what in report.failed:
            report.add("rejects_waiting")
            continue
        reason = row["reason"] or "rejected"
        reply = crew.hub.write(
            TECHNICIAN, "/api/rejects", pack=row["pack"], unreadable=not pack.serial, reason=reason
        )
        if report.accepted(what, reply):
            crew.truth.write("destroyed", **pack.identity())
            crew.world.let_go(pack)
            report.add("destroyed")
            report.add("remade", 1 if reply.body.get("remade_as") else 0)


def _pick(crew: Crew, report: Report) -> None:
    for row in report.rows("list the picks", crew.hub.get(TECHNICIAN, "/api/picks")):
        label, what = crew.world.labels.get(row["pack"]), f"pick {row['pack']}"
        if not row["label_printed"] or label is None or what in report.failed:
            report.add("picks_waiting")
            continue
        chosen = _from_shelf(crew, row)
        if not chosen:
            report.trouble(what, f"the shelf does not hold {_wanted(row['contents'])}")
            report.add("picks_waiting")
            continue
        codes = [parts[0].code for parts in chosen]
        if report.accepted(what, crew.hub.write(TECHNICIAN, "/api/picks", label=row["pack"], packs=codes)):
            _fill_bag(crew, row, label, chosen)
            report.add("picked")
        else:
            _back_on_shelf(crew, chosen)


def _wanted(contents: list[dict[str, Any]]) -> str:
    return ", ".join(f"{content['units']} of {content['item']} lot {content['lot']}" for content in contents)


def _from_shelf(crew: Crew, row: Mapping[str, Any]) -> list[tuple[Part, ...]]:
    """Take what a pick asks for into the hand, content by content; nothing where one of them is missing.

    A tablet is split after it was taken whole, and what is left of it is thrown away.
    """
    chosen: list[tuple[Part, ...]] = []
    for content in row["contents"]:
        units = Fraction(str(content["units"]))
        taken = Fraction(ceil(units)) if row["lane"] == SPLIT_LANE else units
        parts = crew.world.store.choose(content["item"], content["lot"], taken)
        if not parts:
            _back_on_shelf(crew, chosen)
            return []
        crew.world.store.take(parts)
        chosen.append(parts)
    return chosen


def _back_on_shelf(crew: Crew, chosen: list[tuple[Part, ...]]) -> None:
    for parts in chosen:
        for part in parts:
            crew.world.store.put_back(part)


def _fill_bag(crew: Crew, row: Mapping[str, Any], label: str, chosen: list[tuple[Part, ...]]) -> None:
    world = crew.world
    together: list[Part] = []
    for parts, content in zip(chosen, row["contents"], strict=True):
        units = Fraction(str(content["units"]))
        crew.truth.write("picked", item=parts[0].item, lot=parts[0].lot, quantity=str(units), label=label)
        together += [*parts[:-1], replace(parts[-1], units=units - sum((part.units for part in parts[:-1]), Fraction(0)))]
    del world.labels[row["pack"]]
    world.used_serials.add(row["pack"])
    world.hold(HeldPack("label", label, row["pack"], LINE, row["lane"], row["department"], parts=tuple(together)))


def _issue(crew: Crew, report: Report) -> None:
    store = crew.world.store
    for row in report.rows("list the requisitions", crew.hub.get(TECHNICIAN, "/api/requisitions")):
        parts = store.choose(row["item"], row["lot"], Fraction(str(row["units"])))
        what = f"issue requisition {row['requisition']}"
        if not parts:
            report.trouble(what, f"the shelf does not hold {_wanted([row])}")
        if not parts or what in report.failed:
            report.add("requisitions_waiting")
            continue
        codes = [part.code for part in parts]
        reply = crew.hub.write(TECHNICIAN, "/api/requisitions", requisition=row["requisition"], packs=codes)
        if report.accepted(what, reply):
            store.take(parts)
            for part in parts:
                crew.world.cupboard(row["department"]).put(part, store.expires_on(part.item, part.lot))
                crew.truth.write("ward-issued", department=row["department"], item=part.item, lot=part.lot, quantity=str(part.units))
            report.add("issued")
