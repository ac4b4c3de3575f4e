"""Trolleys, handovers, rounds and returns."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from people_plant import Plant

from simulators.people.matter import HeldPack, Part
from simulators.people.trolleys import close, deliver, hand_over, load
from simulators.people.ward import Behaviour, behaviour, bring_back, make_round, things

UNTIL = "2026-11-22T09:00:00+03:00"


def hold(plant: Plant, serial: str, place: str, **more: Any) -> HeldPack:
    pack = HeldPack("pouch", f"pouch-of-{serial}", serial, place, **more)
    plant.crew.world.hold(pack)
    return pack


def trolley(name: str, state: str = "assembling", **more: Any) -> dict[str, Any]:
    row = {"trolley": name, "department": "D1", "slot": "morning", "day": "2026-11-22", "state": state, "seal": ""}
    return {**row, "packs": [], "missing": [], "pull": [], **more}


def missing(serial: str) -> dict[str, str]:
    return {"pack": serial, "drawer": "3", "state": "released", "why": ""}


def dose(name: str, pack: str | None, lane: str = "machine", **more: Any) -> dict[str, Any]:
    what = {"item": "A1", "name": "A1", "units": "1", "dose_text": "1", "due": UNTIL}
    return {"dose": name, "lane": lane, "pack": pack, "state": "packed", **what, **more}


def bed(patient: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"patient": patient, "code": f"W-{patient}", "name": patient, "room": "1", "bed": "1", "items": list(items)}


def patient_who(thing: str, wanted: Behaviour) -> str:
    """A patient with whom this very thing goes this way under seed 1."""
    return next(name for name in (f"P{number}" for number in range(100_000)) if behaviour("1", name, thing) == wanted)


GIVEN = Behaviour(wrong_wristband=False, reason="", opened=False)
WRONG_FIRST = Behaviour(wrong_wristband=True, reason="", opened=False)
REFUSED_OPEN = Behaviour(wrong_wristband=False, reason="refused", opened=True)


def test_packs_that_lie_here_are_loaded_and_what_must_go_is_pulled(plant: Plant) -> None:
    hold(plant, "S1", "line")
    hold(plant, "S2", "reject")
    hold(plant, "S3", "trolley:T1")
    row = trolley("T1", missing=[missing("S1"), missing("S2"), missing("S9")], pull=[{"pack": "S3", "drawer": "1", "why": "revoked"}])
    plant.hub.on("GET", "/api/trolleys", (200, [row, trolley("T2", "closed", missing=[missing("S1")])]))
    answer = load(plant.crew, {}).answer()
    assert (answer["trolleys"], answer["loaded"], answer["pulled"], answer["missing"]) == (1, 1, 1, 2)
    body = plant.hub.bodies("/api/trolleys/load")[0]
    assert (body["trolley"], body["drawer"], body["pack"]) == ("T1", "3", "S1")
    places = {serial: pack.place for serial, pack in plant.crew.world.packs.items()}
    assert places == {"S1": "trolley:T1", "S2": "reject", "S3": "line"}


def test_a_complete_trolley_is_sealed_dispatched_and_received(plant: Plant) -> None:
    hold(plant, "S1", "trolley:T1")
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1"), trolley("T2", missing=[missing("S9")])]))
    answer = deliver(plant.crew, {}).answer()
    assert (answer["delivered"], answer["packs"], answer["incomplete"]) == (1, 1, 1)
    posts = [(path, body["trolley"], token) for method, path, body, token in plant.hub.calls if "trolleys/" in path]
    assert posts == [
        ("/api/trolleys/seal", "T1", "token-badge-technician"),
        ("/api/trolleys/dispatch", "T1", "token-badge-technician"),
        ("/api/trolleys/receive", "T1", "token-badge-nurse"),
    ]
    assert len({body["seal"] for body in (plant.hub.bodies(f"/api/trolleys/{step}")[0] for step in ("seal", "receive"))}) == 1
    assert plant.crew.world.packs["S1"].place == "ward:D1"


def test_one_trolley_or_all_can_be_asked_for_whatever_is_missing(plant: Plant) -> None:
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1", missing=[missing("S9")]), trolley("T2", missing=[missing("S8")])]))
    assert deliver(plant.crew, {"trolley": "T2"}).counts["delivered"] == 1
    assert deliver(plant.crew, {"all": True}).counts["delivered"] == 2


def test_a_trolley_that_was_left_on_the_way_goes_on_from_there(plant: Plant) -> None:
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1", "dispatched", seal="S-1")]))
    assert deliver(plant.crew, {}).counts["delivered"] == 1
    assert plant.hub.bodies("/api/trolleys/seal") == []
    assert plant.hub.bodies("/api/trolleys/receive")[0]["seal"] == "S-1"


def test_an_unexpected_refusal_stops_the_trolley_and_is_told(plant: Plant) -> None:
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1")]))
    plant.hub.on("POST", "/api/trolleys/dispatch", (409, {"refused": "not-sealed", "reason": "no seal"}))
    answer = deliver(plant.crew, {}).answer()
    assert (answer["delivered"], answer["refused"]) == (0, {"not-sealed": 1})
    assert answer["troubles"] == [{"what": "dispatch trolley T1", "why": "409 not-sealed no seal"}]


def test_ampoule_bags_go_to_the_treatment_nurse_one_by_one_where_not_together(plant: Plant) -> None:
    for serial in ("S1", "S2"):
        hold(plant, serial, "line", lane="ampoule", department="D1")
    revoked = (409, {"refused": "revoked", "reason": "stopped"})
    plant.hub.on("POST", "/api/handovers", revoked, revoked, (200, {"handed": 1}))
    answer = hand_over(plant.crew, {}).answer()
    assert (answer["handed"], answer["waiting"], answer["refused"], answer["troubles"]) == (1, 1, {"revoked": 1}, [])
    bodies = plant.hub.bodies("/api/handovers")
    assert [body["packs"] for body in bodies] == [["S1", "S2"], ["S1"], ["S2"]]
    assert bodies[0]["receiver_badge"] == "badge-treatment"
    assert plant.crew.world.packs["S2"].place == "treatment"


def test_packs_of_no_trolley_go_by_hand_and_are_found_in_any_ward(plant: Plant) -> None:
    patient = patient_who("pack S2", GIVEN)
    hold(plant, "S1", "line")
    hold(plant, "S2", "line")
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1", missing=[missing("S1")])]))
    assert hand_over(plant.crew, {}).answer()["handed"] == 1
    body = plant.hub.bodies("/api/handovers")[0]
    assert (body["packs"], body["receiver_badge"]) == (["S2"], "badge-nurse")
    plant.hub.on("POST", "/api/bedside/give", (200, {"given": ["d1"]}))
    assert on_round(plant, bed(patient, dose("d1", "S2")))["given"] == 1


def test_a_pack_that_the_hub_has_not_heard_of_yet_waits_without_trouble(plant: Plant) -> None:
    hold(plant, "S1", "line")
    plant.hub.on("POST", "/api/handovers", (409, {"refused": "state", "reason": "is verified"}))
    answer = hand_over(plant.crew, {}).answer()
    assert (answer["waiting"], answer["troubles"]) == (1, [])
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1", missing=[{**missing("S1"), "state": "verified"}])]))
    assert load(plant.crew, {}).counts["missing"] == 1
    assert plant.hub.bodies("/api/trolleys/load") == []


def test_a_trolley_that_still_holds_packs_stays_open(plant: Plant) -> None:
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1", "received")]))
    plant.hub.on("POST", "/api/trolleys/close", (409, {"refused": "open-packs", "reason": "2 packs"}))
    answer = close(plant.crew, {}).answer()
    assert (answer["open"], answer["refused"], answer["troubles"]) == (1, {"open-packs": 1}, [])


def test_trolleys_at_the_ward_are_closed(plant: Plant) -> None:
    rows = [trolley("T1", "received"), trolley("T2", "in-round"), trolley("T3", "closed"), trolley("T4")]
    plant.hub.on("GET", "/api/trolleys", (200, rows))
    answer = close(plant.crew, {}).answer()
    assert (answer["closed"], answer["open"]) == (2, 1)
    assert [body["trolley"] for body in plant.hub.bodies("/api/trolleys/close")] == ["T1", "T2"]


def on_round(plant: Plant, *beds: dict[str, Any]) -> dict[str, Any]:
    plant.hub.on("GET", "/api/ward/D1/round", (200, list(beds)))
    return make_round(plant.crew, {"until": UNTIL, "departments": ["D1"]}).answer()


def test_a_pouch_with_two_doses_is_scanned_once_and_handed(plant: Plant) -> None:
    patient = patient_who("pack S1", GIVEN)
    hold(plant, "S1", "ward:D1")
    plant.hub.on("POST", "/api/bedside/give", (200, {"given": ["d1", "d2"]}))
    answer = on_round(plant, bed(patient, dose("d1", "S1"), dose("d2", "S1")))
    assert (answer["given"], answer["doses_given"], answer["troubles"]) == (1, 2, [])
    body = plant.hub.bodies("/api/bedside/give")[0]
    assert (body["patient_code"], body["pack_code"]) == (f"W-{patient}", "S1")
    fact = {"what": "pouch-handed", "pouch": "pouch-of-S1", "patient": patient, "codes": [f"W-{patient}", "S1"]}
    assert plant.facts() == [fact]
    assert plant.crew.world.packs == {}
    assert any(path == f"/api/ward/D1/round?until={UNTIL}" for _, path, _, _ in plant.hub.calls)


def wrong(answer: Any, then: Any) -> Any:
    return lambda body: answer if body["patient_code"] == "W-other" else then


def test_a_wrong_wristband_must_be_refused_and_then_the_right_one_is_scanned(plant: Plant) -> None:
    patient = patient_who("pack S1", WRONG_FIRST)
    hold(plant, "S1", "ward:D1")
    refusal = (409, {"refused": "wrong-patient", "reason": "of somebody else"})
    plant.hub.on("POST", "/api/bedside/give", wrong(refusal, (200, {"given": ["d1"]})))
    answer = on_round(plant, bed(patient, dose("d1", "S1")), bed("other"))
    assert (answer["refusals_expected"], answer["refusals_seen"], answer["given"]) == (1, 1, 1)
    assert answer["troubles"] == []
    assert plant.facts()[0]["patient"] == patient


def test_a_wrong_wristband_that_is_not_refused_is_told_as_it_happened(plant: Plant) -> None:
    patient = patient_who("pack S1", WRONG_FIRST)
    hold(plant, "S1", "ward:D1")
    plant.hub.on("POST", "/api/bedside/give", (200, {"given": ["d1"]}))
    answer = on_round(plant, bed(patient, dose("d1", "S1")), bed("other"))
    assert (answer["refusals_expected"], answer["refusals_seen"], answer["given"]) == (1, 0, 0)
    assert answer["troubles"][0]["why"] == "the hub did not refuse it"
    assert (plant.facts()[0]["patient"], len(plant.facts())) == ("other", 1)


def test_a_dose_that_is_not_taken_goes_into_the_returns_bag_and_back(plant: Plant) -> None:
    patient = patient_who("pack S1", REFUSED_OPEN)
    part = Part("", "A1", "L1", Fraction(1))
    hold(plant, "S1", "ward:D1", parts=(part,))
    answer = on_round(plant, bed(patient, dose("d1", "S1")))
    assert (answer["not_given"], answer["given"]) == (1, 0)
    assert plant.hub.bodies("/api/bedside/not-given")[0]["reason"] == "refused"
    assert plant.crew.world.packs["S1"].place == "bag:D1"
    plant.hub.on("GET", "/api/returns", (200, [{"pack": "S1", "department": "D1", "state": "received", "why": "refused"}]))
    plant.hub.on("POST", "/api/returns", (200, {"state": "destroyed"}))
    assert bring_back(plant.crew, {}).counts["destroyed"] == 1
    assert plant.hub.bodies("/api/returns")[0]["condition"] == "opened"
    assert plant.facts() == [{"what": "destroyed", "pouch": "pouch-of-S1"}]


def test_a_properly_refused_pack_is_bagged_and_may_be_given_later(plant: Plant) -> None:
    patient = patient_who("pack S1", GIVEN)
    hold(plant, "S1", "ward:D1")
    early = (409, {"refused": "too-early", "reason": "not before eight"})
    plant.hub.on("POST", "/api/bedside/give", early, (200, {"given": ["d1"]}))
    first = on_round(plant, bed(patient, dose("d1", "S1")))
    assert (first["refused"], first["refused_scans"], first["troubles"]) == ({"too-early": 1}, 1, [])
    assert plant.crew.world.packs["S1"].place == "bag:D1"
    assert on_round(plant, bed(patient, dose("d1", "S1")))["given"] == 1


def test_a_right_scan_refused_as_wrong_is_trouble(plant: Plant) -> None:
    patient = patient_who("pack S1", GIVEN)
    hold(plant, "S1", "ward:D1")
    plant.hub.on("POST", "/api/bedside/give", (409, {"refused": "wrong-patient", "reason": "no"}))
    answer = on_round(plant, bed(patient, dose("d1", "S1")))
    assert answer["troubles"] == [{"what": "give pack S1", "why": "409 wrong-patient no"}]


def test_ward_stock_and_injections_are_given_out_of_the_cupboard(plant: Plant) -> None:
    patient = patient_who("dose d1", GIVEN)
    cupboard = plant.crew.world.cupboard("D1")
    cupboard.put(Part("c1", "A1", "L1", Fraction(3)), "2028-01-01")
    plant.hub.on("POST", "/api/bedside/give-ward", (200, {"given": ["d1"]}))
    answer = on_round(plant, bed(patient, dose("d1", None, "injection", units="2")), bed("PX", dose("d9", None, "ward-stock", item="A9")))
    assert (answer["given"], answer["no_stock"]) == (1, 1)
    body = plant.hub.bodies("/api/bedside/give-ward")[0]
    assert (body["dose"], body["source_code"]) == ("d1", "c1")
    assert plant.hub.callers("/api/bedside/give-ward") == ["token-badge-treatment"]
    assert plant.facts() == [{"what": "item-given", "patient": patient, "item": "A1", "lot": "L1", "quantity": "2"}]
    assert cupboard.units("A1", "L1") == 1


def test_a_patient_who_moved_is_given_what_was_sent_to_the_old_ward(plant: Plant) -> None:
    patient = next(name for name in (f"P{n}" for n in range(99)) if all(behaviour("1", name, t) == GIVEN for t in ("pack S1", "dose d2")))
    hold(plant, "S1", "ward:D0")
    plant.crew.world.cupboard("D0").put(Part("c1", "A1", "L1", Fraction(1)), "2028-01-01")
    plant.hub.on("POST", "/api/bedside/give", (200, {"given": ["d1"]}))
    plant.hub.on("POST", "/api/bedside/give-ward", (200, {"given": ["d2"]}))
    items = (dose("d1", "S1", department="D0"), dose("d2", None, "ward-stock", department="D0"))
    assert on_round(plant, bed(patient, *items))["given"] == 2


def test_packs_that_are_elsewhere_or_were_never_made_are_counted(plant: Plant) -> None:
    hold(plant, "S1", "trolley:T1")
    hold(plant, "S2", "treatment", lane="ampoule", department="D2")
    answer = on_round(plant, bed("P1", dose("d1", "S1"), dose("d2", "S2"), dose("d3", None, "liquid")))
    assert (answer["not_here"], answer["no_pack"], answer["given"]) == (2, 1, 0)
    assert plant.facts() == []


def test_departments_are_known_from_the_trolleys(plant: Plant) -> None:
    plant.hub.on("GET", "/api/trolleys", (200, [trolley("T1"), trolley("T2", department="Хирургия 1/2")]))
    assert make_round(plant.crew, {"until": UNTIL}).counts["departments"] == 2
    assert any(path.startswith("/api/ward/Хирургия 1/2/round") for _, path, _, _ in plant.hub.calls)


def test_a_restocked_pack_is_put_away_whole(plant: Plant) -> None:
    store, part = plant.crew.world.store, Part("c1", "A1", "L1", Fraction(2))
    store.put(part, "2028-01-01")
    store.take([part])
    plant.crew.world.hold(HeldPack("label", "label-1", "S1", "bag:D1", parts=(part,)))
    rows = [{"pack": serial, "department": "D1", "state": "received", "why": "left"} for serial in ("S1", "S2")]
    plant.hub.on("GET", "/api/returns", (200, rows))
    plant.hub.on("POST", "/api/returns", (200, {"state": "restocked"}))
    answer = bring_back(plant.crew, {}).answer()
    assert (answer["restocked"], answer["not_here"], answer["troubles"]) == (1, 1, [])
    assert plant.facts() == [{"what": "restocked", "label": "label-1"}]
    assert store.units("A1", "L1") == 0


def test_a_return_of_an_unknown_state_is_trouble(plant: Plant) -> None:
    hold(plant, "S1", "bag:D1")
    plant.hub.on("GET", "/api/returns", (200, [{"pack": "S1", "department": "D1", "state": "received", "why": ""}]))
    plant.hub.on("POST", "/api/returns", (200, {"state": "kept"}))
    assert bring_back(plant.crew, {}).troubles
    assert plant.facts() == []


def test_people_behave_as_often_as_they_should() -> None:
    drawn = [behaviour("7", f"P{number}", "pack S") for number in range(20_000)]
    assert 0.015 < sum(bool(act.reason) for act in drawn) / len(drawn) < 0.025
    assert 0.007 < sum(act.wrong_wristband for act in drawn) / len(drawn) < 0.013
    assert {act.reason for act in drawn} == {"", "refused", "asleep", "absent", "fasting"}
    assert all(act.reason == "refused" for act in drawn if act.opened)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12))
def test_every_dose_is_attended_exactly_once(drawn: list[tuple[int, bool]]) -> None:
    items = [dose(f"d{index}", f"S{pack}" if packed else None) for index, (pack, packed) in enumerate(drawn)]
    gathered = things(items)
    assert sorted(item["dose"] for _, group in gathered for item in group) == sorted(item["dose"] for item in items)
    assert all(len({item["pack"] for item in group}) == 1 for _, group in gathered)
