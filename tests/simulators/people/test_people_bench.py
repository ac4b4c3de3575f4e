"""The chores of the packing line with pouches, labels and shelf packs in the hand."""

from fractions import Fraction
from typing import Any

import pytest
from people_plant import Plant, label_record, pouch_record

from simulators.people.bench import bench, holds, judge
from simulators.people.matter import HeldPack, Part

S1, S2, S3 = "8XRTCS5AR2G5", "ABCDEFGH2345", "ZZTOP0000001"
NONE = (200, [])


def once(plant: Plant, path: str, *rows: dict[str, Any]) -> None:
    """A list of the hub that is empty from the second asking on."""
    plant.hub.on("GET", path, (200, list(rows)), NONE)


def shelve(plant: Plant, code: str, item: str, lot: str, units: str) -> None:
    plant.crew.world.store.put(Part(code, item, lot, Fraction(units)), "2028-01-01")


def review(pack: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"review": f"r-{pack}", "kind": "pouch", "pack": pack, "verdict": verdict, "reasons": [], "evidence": [], **more}


def shown_for(plant: Plant, seconds: int) -> None:
    """The station shows the case that is asked for, to be looked at for so long."""
    plant.hub.on("POST", "/api/station/show", lambda body: (200, {"case": {"case": body["case"], "shown": "17", "least_s": seconds}}))


def test_output_pouches_are_kept_by_their_scanned_serial(plant: Plant) -> None:
    pouches = [pouch_record("pouch-1", S1, "aa", ("A1", "L1")), pouch_record("pouch-2", S2, "bb", ("A2", "L2"))]
    plant.packager.on("POST", "/output/take", (200, pouches), NONE)
    answer = bench(plant.crew, {}).answer()
    assert (answer["pouches"], answer["troubles"]) == (2, [])
    held = plant.crew.world.packs[S2]
    assert (held.name, held.place, held.content()) == ("pouch-2", "line", {"A2": 1})


def test_a_failed_pouch_is_rejected_scanned_and_destroyed(plant: Plant) -> None:
    plant.packager.on("POST", "/reject/take", (200, [pouch_record("pouch-1", S1, "aa", ("A1", "L1"))]), NONE)
    once(plant, "/api/reviews", review(S1, "FAIL"))
    once(plant, "/api/rejects", {"pack": S1, "job": "aa", "reason": "count"})
    plant.hub.on("POST", "/api/rejects", (200, {"destroyed": S1, "remade_as": "bb"}))
    answer = bench(plant.crew, {}).answer()
    assert (answer["reviews_rejected"], answer["destroyed"], answer["remade"]) == (1, 1, 1)
    assert plant.hub.bodies("/api/reviews")[0]["decision"] == "reject"
    scanned = plant.hub.bodies("/api/rejects")[0]
    assert (scanned["pack"], scanned["unreadable"], scanned["reason"]) == (S1, False, "count")
    assert plant.facts() == [{"what": "destroyed", "pouch": "pouch-1"}]
    assert plant.crew.world.packs == {}


def test_an_unreadable_reject_is_known_by_the_job_on_the_display(plant: Plant) -> None:
    pouches = [pouch_record("pouch-1", "", "aa", ("A1", "L1")), pouch_record("pouch-2", "", "bb", ("A1", "L1"))]
    plant.packager.on("POST", "/reject/take", (200, pouches), NONE)
    once(plant, "/api/rejects", {"pack": S2, "job": "bb", "reason": "unreadable"})
    answer = bench(plant.crew, {}).answer()
    assert (answer["unreadable"], answer["destroyed"]) == (2, 1)
    assert plant.hub.bodies("/api/rejects")[0]["unreadable"] is True
    assert plant.facts() == [{"what": "destroyed", "pouch": "pouch-2"}]
    assert [pack.name for pack in plant.crew.world.unread] == ["pouch-1"]


def test_two_open_rejects_of_one_job_leave_an_unreadable_pouch_alone(plant: Plant) -> None:
    plant.packager.on("POST", "/reject/take", (200, [pouch_record("pouch-1", "", "aa", ("A1", "L1"))]), NONE)
    rows = [{"pack": serial, "job": "aa", "reason": "x"} for serial in (S1, S2)]
    plant.hub.on("GET", "/api/rejects", (200, rows))
    answer = bench(plant.crew, {}).answer()
    assert (answer["destroyed"], answer["rejects_waiting"]) == (0, 2)


def pouch(*items: str, broken: int = 0) -> HeldPack:
    parts = tuple(Part("", item, "L", Fraction(1)) for item in items)
    return HeldPack("pouch", "p", S1, "reject", parts=parts, broken=broken)


@pytest.mark.parametrize(
    ("verdict", "held", "expected", "decision"),
    [
        ("LOOK", pouch("A1", "A1"), [{"item": "A1", "units": "2"}], "accept"),
        ("LOOK", pouch("A1", "A1"), [{"item": "A1", "units": 1}, {"item": "A2", "units": 1}], "reject"),
        ("LOOK", pouch("A1", "A1"), 2, "accept"),
        ("LOOK", pouch("A1"), 2, "reject"),
        ("LOOK", pouch("A1"), None, "reject"),
        ("LOOK", pouch("A1", broken=1), [{"item": "A1", "units": 1}], "reject"),
        ("FAIL", pouch("A1"), [{"item": "A1", "units": 1}], "reject"),
        ("FAIL", None, None, "reject"),
        ("", None, None, "reject"),
        ("LOOK", None, None, None),
    ],
)
def test_how_a_person_judges(verdict: str, held: HeldPack | None, expected: object, decision: str | None) -> None:
    judged = judge({"verdict": verdict, "kind": "pouch", "expected": expected}, held)
    assert (judged and judged[0]) == decision


def test_a_flag_is_no_number_of_tablets() -> None:
    assert not holds(pouch("A1"), True)
    assert holds(pouch("A1"), 1)
    assert not holds(pouch("A1", broken=1), 1)


def test_an_accepted_pouch_goes_to_the_good_ones(plant: Plant) -> None:
    plant.packager.on("POST", "/reject/take", (200, [pouch_record("pouch-1", S1, "aa", ("A1", "L1"))]), NONE)
    once(plant, "/api/reviews", review(S1, "LOOK", expected=[{"item": "A1", "units": "1"}]))
    shown_for(plant, 7)
    assert bench(plant.crew, {}).counts["reviews_accepted"] == 1
    assert plant.pauses == [7], "as long as the station asks"
    said = {key: value for key, value in plant.hub.bodies("/api/station/decide")[0].items() if key != "event"}
    assert said == {"case": f"r-{S1}", "shown": "17", "decision": "accept", "scanned": S1}
    assert plant.hub.callers("/api/station/decide") == ["token-badge-pharmacist"] and plant.hub.bodies("/api/reviews") == []
    assert plant.crew.world.packs[S1].place == "line"


def test_a_pouch_that_the_hub_does_not_let_pass_is_rejected_instead(plant: Plant) -> None:
    plant.packager.on("POST", "/reject/take", (200, [pouch_record("pouch-1", S1, "aa", ("A1", "L1"))]), NONE)
    once(plant, "/api/reviews", review(S1, "LOOK", expected=[{"item": "A1", "units": "1"}]))
    count = (409, {"detail": {"refused": "count", "reason": "the sensor counted two"}})
    shown_for(plant, 5)
    plant.hub.on("POST", "/api/station/decide", count)
    answer = bench(plant.crew, {}).answer()
    assert (answer["reviews_accepted"], answer["reviews_rejected"], answer["refused"]) == (0, 1, {"count": 1})
    assert answer["troubles"] == []
    assert plant.hub.bodies("/api/reviews")[0]["reason"] == "not accepted: 409 count the sensor counted two"
    assert plant.crew.world.packs[S1].place == "reject"


def test_a_pouch_to_be_looked_at_whose_label_nobody_can_read_is_rejected_at_once(plant: Plant) -> None:
    plant.packager.on("POST", "/reject/take", (200, [pouch_record("pouch-1", "", "aa", ("A1", "L1"))]), NONE)
    once(plant, "/api/reviews", review(S1, "LOOK", job="aa", expected=[{"item": "A1", "units": "1"}]))
    assert bench(plant.crew, {}).counts["reviews_rejected"] == 1
    body = plant.hub.bodies("/api/reviews")[0]
    assert (body["pack"], body["reason"]) == ("", "nobody can read its label")


def test_a_pouch_that_cannot_be_found_is_rejected_after_ten_seconds(plant: Plant) -> None:
    plant.hub.on("GET", "/api/reviews", (200, [review(S1, "LOOK", expected=1)]))
    assert bench(plant.crew, {}).counts["reviews_waiting"] == 1
    plant.now_s = 9.9
    assert bench(plant.crew, {}).counts["reviews_rejected"] == 0
    plant.now_s = 10.0
    plant.hub.on("GET", "/api/reviews", (200, [review(S1, "LOOK", expected=1)]), NONE)
    assert bench(plant.crew, {}).counts["reviews_rejected"] == 1
    assert plant.hub.bodies("/api/reviews")[-1]["reason"] == "the pouch was not found"


def pick(pack: str, *contents: tuple[str, str, str], lane: str = "half-tablet", printed: bool = True) -> dict[str, Any]:
    rows = [{"dose": f"d{item}", "item": item, "name": item, "units": units, "lot": lot} for item, lot, units in contents]
    whose = {"patient": "P1", "department": "D1", "room": "3", "due": "2026-11-22T08:00:00+03:00"}
    return {"pack": pack, "lane": lane, **whose, "contents": rows, "label_printed": printed}


def test_a_pick_takes_units_from_the_shelf_and_gets_its_label(plant: Plant) -> None:
    shelve(plant, "c1", "A1", "L1", "10")
    shelve(plant, "c2", "A2", "L2", "1")
    plant.printer.on("POST", "/take", (200, [{"label": "label-1", "file": "x.png", **label_record(S1)}]), NONE)
    once(plant, "/api/picks", pick(S1, ("A1", "L1", "1/2"), ("A2", "L2", "1")))
    plant.hub.on("POST", "/api/picks", (200, {"released": S1}))
    answer = bench(plant.crew, {}).answer()
    assert (answer["picked"], answer["labels"], answer["troubles"]) == (1, 1, [])
    body = plant.hub.bodies("/api/picks")[0]
    assert (body["label"], body["packs"]) == (S1, ["c1", "c2"])
    assert plant.facts() == [
        {"what": "picked", "item": "A1", "lot": "L1", "quantity": "1/2", "label": "label-1"},
        {"what": "picked", "item": "A2", "lot": "L2", "quantity": "1", "label": "label-1"},
    ]
    assert plant.crew.world.store.units("A1", "L1") == 9
    held = plant.crew.world.packs[S1]
    assert (held.identity(), held.lane, held.department) == ({"label": "label-1"}, "half-tablet", "D1")
    assert held.content() == {"A1": Fraction(1, 2), "A2": 1}


def test_only_a_tablet_is_split_and_the_rest_of_a_bottle_stays(plant: Plant) -> None:
    shelve(plant, "c1", "A1", "L1", "100")
    plant.printer.on("POST", "/take", (200, [{"label": "label-1", "file": "x.png", **label_record(S1)}]), NONE)
    once(plant, "/api/picks", pick(S1, ("A1", "L1", "2.5"), lane="liquid"))
    assert bench(plant.crew, {}).counts["picked"] == 1
    assert plant.crew.world.store.units("A1", "L1") == Fraction(195, 2)


def test_a_pick_without_label_waits_and_one_without_stock_is_trouble(plant: Plant) -> None:
    plant.printer.on("POST", "/take", (200, [{"label": "label-2", "file": "x.png", **label_record(S2)}]), NONE)
    shelve(plant, "c1", "A1", "L1", "1")
    waiting = [pick(S1, ("A1", "L1", "1")), pick(S2, ("A1", "L1", "1"), ("A9", "L9", "1")), pick(S3, ("A1", "L1", "1"), printed=False)]
    plant.hub.on("GET", "/api/picks", (200, waiting))
    answer = bench(plant.crew, {}).answer()
    assert (answer["picked"], answer["picks_waiting"]) == (0, 3)
    assert [trouble["what"] for trouble in answer["troubles"]] == [f"pick {S2}"]
    assert plant.crew.world.store.units("A1", "L1") == 1
    assert plant.hub.bodies("/api/picks") == []


def test_a_refused_pick_puts_everything_back_and_is_not_tried_twice(plant: Plant) -> None:
    plant.printer.on("POST", "/take", (200, [{"label": "label-1", "file": "x.png", **label_record(S1)}]), NONE)
    shelve(plant, "c1", "A1", "L1", "2")
    plant.hub.on("GET", "/api/picks", (200, [pick(S1, ("A1", "L1", "1"))]))
    plant.hub.on("POST", "/api/picks", (409, {"refused": "revoked", "reason": "stopped in between"}))
    answer = bench(plant.crew, {}).answer()
    assert (answer["picked"], answer["refused"], answer["troubles"]) == (0, {"revoked": 1}, [])
    assert len(plant.hub.bodies("/api/picks")) == 1
    assert plant.crew.world.store.units("A1", "L1") == 2
    assert plant.facts() == []


def test_a_label_that_was_printed_twice_is_used_once(plant: Plant) -> None:
    labels = [{"label": name, "file": "x.png", **label_record(S1)} for name in ("label-1", "label-2")]
    plant.printer.on("POST", "/take", (200, labels), NONE)
    answer = bench(plant.crew, {}).answer()
    assert (answer["labels"], answer["spare_labels"]) == (2, 1)
    assert plant.crew.world.labels == {S1: "label-1"}


def test_a_requisition_is_carried_to_the_ward_cupboard(plant: Plant) -> None:
    shelve(plant, "c1", "A1", "L1", "5")
    shelve(plant, "c2", "A1", "L1", "5")
    row = {"requisition": "q1", "department": "D1", "item": "A1", "name": "A1", "units": "7", "lot": "L1"}
    once(plant, "/api/requisitions", row)
    assert bench(plant.crew, {}).counts["issued"] == 1
    assert plant.hub.bodies("/api/requisitions")[0]["packs"] == ["c1", "c2"]
    assert plant.crew.world.store.units("A1", "L1") == 3
    assert plant.crew.world.cupboard("D1").choose("A1", "L1", Fraction(7))[0].code == "c1"
    issued = [fact for fact in plant.facts() if fact["what"] == "ward-issued"]
    assert [(fact["department"], fact["item"], fact["lot"], fact["quantity"]) for fact in issued] == [("D1", "A1", "L1", "5"), ("D1", "A1", "L1", "2")]


def test_a_server_error_is_told_once_and_the_other_chores_go_on(plant: Plant) -> None:
    plant.hub.on("GET", "/api/reviews", (500, {"detail": "broken"}))
    plant.packager.on("POST", "/output/take", (200, [pouch_record("pouch-1", S1, "aa", ("A1", "L1"))]), NONE)
    answer = bench(plant.crew, {}).answer()
    assert answer["pouches"] == 1
    assert [trouble["what"] for trouble in answer["troubles"]] == ["list the reviews"]
