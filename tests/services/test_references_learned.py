"""Looks are learned from packs that passed or that a person accepted; what looks alike passes only on the cassette's record."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from devices.barcode_camera.content import UNKNOWN_LOOK
from hub.adapters.expected_content import look_of_lot
from hub.domain.identifiers import DrugCode, LotId, UserId
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.references import PACKS_TO_LEARN, MeasuredLook, ReferenceDeed, ReferenceState, Sighting, TabletReference
from hub.domain.refusals import Refusal
from hub.domain.stock import Lot
from hub.domain.verification import LookAlikes, SeenPouch
from hub.services.references import ReferenceRuling, learn_from, reference_board, rule_reference
from hub.services.reject_packs import Decision, decide_review
from hub.services.verify_pack import verify_pack
from tests.services.small_world import PACKAGER, PHARMACIST, World, order_line

PLAIN = LotId("PLAIN/P1")
WHITE = MeasuredLook(9000, 8900, 785, (250, 250, 248), (250, 250, 248))


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer a job for two tablets out of cassette 1, as far as the camera."""
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    return job


def verified(world: World, job: PackJob, **changes: Any) -> Verdict:
    seen = replace(SeenPouch((job.pack,), (), 2, True, world.machine.sensors(job), sightings=(Sighting(PLAIN, WHITE, "c" * 64),)), **changes)
    return world.do(lambda unit: verify_pack(unit, job.id, seen, ()))


def decide(world: World, accept: bool, scanned: str) -> Any:
    (review,) = world.all("reviews")
    decision = Decision(review.id, accept, scanned, "seen", UserId(PHARMACIST))
    return world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)


def reference(world: World) -> TabletReference | None:
    found = world.get("tablet_references", PLAIN)
    assert found is None or isinstance(found, TabletReference)
    return found


def teach(world: World, job: PackJob, packs: int, lot: LotId = PLAIN) -> None:
    pack = world.get("packs", job.pack)
    for number in range(packs):
        one = replace(pack, serial=f"LEARN-{lot}-{number}")
        world.do(lambda unit, one=one: learn_from(unit, one, Verdict.PASS, [Sighting(lot, WHITE, "c" * 64)]))


def rule(world: World, deed: ReferenceDeed, reason: str = "", lot: str = "P1", shown: str = "") -> Any:
    known = world.get("tablet_references", f"PLAIN/{lot}")
    ruling = ReferenceRuling("PLAIN", lot, deed, reason, UserId(PHARMACIST), shown or (known.shown if known is not None else ""))
    return world.do(lambda unit: rule_reference(unit, ruling), PHARMACIST)


def test_a_pack_that_passed_teaches_at_once(world: World, job: PackJob) -> None:
    assert verified(world, job) is Verdict.PASS
    learnt = reference(world)
    assert learnt is not None and learnt.packs == 1 and learnt.state is ReferenceState.LEARNING


def test_a_pack_that_failed_teaches_nothing(world: World, job: PackJob) -> None:
    assert verified(world, job, tablets=3) is Verdict.FAIL
    assert reference(world) is None


@pytest.mark.parametrize(("accept", "packs"), [(True, 1), (False, 0)])
def test_a_pack_without_a_look_teaches_once_a_person_accepted_it(world: World, job: PackJob, accept: bool, packs: int) -> None:
    doubt = "nobody recorded what 2 of the tablets should look like"
    assert verified(world, job, doubts=(doubt,)) is Verdict.LOOK
    before = reference(world)
    assert before is not None and before.packs == 0
    assert not isinstance(decide(world, accept, job.pack), Refusal)
    after = reference(world)
    assert after is not None and after.packs == packs and len(after.samples) == packs


def test_a_learned_look_waits_is_confirmed_by_a_pharmacist_and_each_step_is_a_fact(world: World, job: PackJob) -> None:
    teach(world, job, PACKS_TO_LEARN)
    (learnt,) = world.facts("reference-learned")
    assert (learnt["item"], learnt["lot"], learnt["packs"]) == ("PLAIN", "P1", PACKS_TO_LEARN) and learnt["crops"] == ["c" * 64]
    (row,) = world.do(reference_board)
    assert (row["state"], row["deeds"]) == ("waiting", ["confirm", "reject"]) and "9.0 x 8.9 mm" in row["learned"]
    confirmed = rule(world, ReferenceDeed.CONFIRM)
    assert confirmed.state is ReferenceState.CONFIRMED and world.facts("reference-confirmed")[0]["by"] == PHARMACIST
    refused = rule(world, ReferenceDeed.REJECT, "too late")
    assert isinstance(refused, Refusal) and refused.code == "reference-state"


def test_what_was_rejected_begins_anew_with_nothing_and_every_deed_but_one_has_its_reason(world: World, job: PackJob) -> None:
    teach(world, job, PACKS_TO_LEARN)
    assert rule(world, ReferenceDeed.REJECT).code == "reason"
    assert rule(world, ReferenceDeed.REJECT, "a crumb is on it").state is ReferenceState.REJECTED
    again = rule(world, ReferenceDeed.ANEW, "cleaned")
    assert again.state is ReferenceState.LEARNING and again.samples == () and again.look is None
    assert rule(world, ReferenceDeed.CONFIRM, lot="NONE").code == "no-reference"


@pytest.mark.parametrize("in_use", [True, False])
def test_another_look_retires_the_one_before_once_no_cassette_holds_its_tablets(world: World, job: PackJob, in_use: bool) -> None:
    teach(world, job, PACKS_TO_LEARN)
    rule(world, ReferenceDeed.CONFIRM)
    newer = LotId("PLAIN/P9")
    world.do(lambda unit: unit.lots.put(Lot(newer, DrugCode("PLAIN"), "P9", date(2028, 1, 1), Decimal(1))))
    teach(world, job, PACKS_TO_LEARN, newer)
    if not in_use:
        world.do(lambda unit: unit.cassettes.put(replace(unit.cassettes.get(1), layers=())))
    rule(world, ReferenceDeed.CONFIRM, lot="P9")
    old = reference(world)
    assert old is not None and old.state is (ReferenceState.CONFIRMED if in_use else ReferenceState.RETIRED)
    assert [fact["lot"] for fact in world.facts("reference-retired")] == ([] if in_use else ["P1"])


def kept_of(world: World, pack: str) -> int:
    found = reference(world)
    return sum(sample.pack == pack for sample in found.samples) if found is not None else 0


def test_a_pack_that_is_revoked_in_quarantine_leaves_no_sample(world: World, job: PackJob) -> None:
    assert verified(world, job, doubts=("no pouch label found",)) is Verdict.LOOK
    assert kept_of(world, job.pack) == 1
    world.stop(order_line("a", units=2))
    assert world.get("packs", job.pack).state is PackState.REVOKED and kept_of(world, job.pack) == 0


def test_a_pack_that_passed_and_is_revoked_later_takes_back_what_it_taught_also_where_the_look_waits(world: World, job: PackJob) -> None:
    teach(world, job, PACKS_TO_LEARN - 1)
    assert verified(world, job) is Verdict.PASS
    before = reference(world)
    assert before is not None and before.state is ReferenceState.WAITING
    world.stop(order_line("a", units=2))
    after = reference(world)
    assert after is not None and (after.state, after.look, after.packs) == (ReferenceState.LEARNING, None, PACKS_TO_LEARN - 1)
    (told,) = world.facts("reference-begun-anew")
    assert told["by"] is None and in_russian(told["reason"]) != told["reason"]
    teach(world, job, PACKS_TO_LEARN)
    again = reference(world)
    assert again is not None and again.state is ReferenceState.WAITING


def test_what_still_learns_may_be_begun_anew_by_a_pharmacist(world: World, job: PackJob) -> None:
    teach(world, job, 2)
    assert rule(world, ReferenceDeed.ANEW).code == "reason"
    assert rule(world, ReferenceDeed.ANEW, "pictures of a wrong cassette").samples == ()


def test_a_typed_look_counts_no_more_once_the_pictures_that_passed_by_it_are_rejected(world: World, job: PackJob) -> None:
    world.do(lambda unit: unit.lots.put(replace(unit.lots.get(PLAIN), look="#ffffff round 9")))
    teach(world, job, PACKS_TO_LEARN)
    rule(world, ReferenceDeed.REJECT, "these are not its tablets")
    assert world.do(lambda unit: look_of_lot(unit, PLAIN)) == UNKNOWN_LOOK
    rule(world, ReferenceDeed.ANEW, "the cassette was cleaned")
    assert world.do(lambda unit: look_of_lot(unit, PLAIN)) == UNKNOWN_LOOK
    assert [fact["look"] for fact in world.facts("typed-look-doubted")] == ["#ffffff round 9"]


ALIKE = (LookAlikes(DrugCode("PLAIN"), "plain 5 mg", "other 5 mg"),)


def test_look_alikes_pass_on_the_cassettes_record_and_the_verdict_says_so(world: World, job: PackJob) -> None:
    assert verified(world, job, look_alikes=ALIKE) is Verdict.PASS
    assert "cassette-record" in world.facts("pack-verified")[0]["rules"]


@pytest.mark.parametrize("spoilt", ["locked", "unscanned", "recalled", "misplaced", "surplus"])
def test_look_alikes_are_looked_at_where_the_cassettes_record_is_missing_or_in_doubt(world: World, job: PackJob, spoilt: str) -> None:
    spoil(world, spoilt)
    assert verified(world, job, look_alikes=ALIKE) is Verdict.LOOK
    (verdict,) = world.facts("pack-verified")
    assert verdict["rules"] == ["look-alike-tablets"] and "plain 5 mg and other 5 mg" in verdict["reasons"][0]


def spoil(world: World, how: str) -> None:
    cassette = world.get("cassettes", 1)
    if how == "locked":
        world.do(lambda unit: unit.cassettes.put(replace(cassette, reason="somebody must look")))
    if how == "unscanned":
        pack = world.all("packs", verdict=None)[0]
        unknown = tuple(replace(content, lot=LotId("PLAIN/TYPED")) for content in pack.contents)
        world.do(lambda unit: unit.packs.put(replace(pack, contents=unknown)))
    if how == "recalled":
        world.do(lambda unit: unit.lots.put(replace(unit.lots.get(PLAIN), recalled=True)))
    if how == "misplaced":
        world.do(lambda unit: unit.record("cassette-placed", {"device": PACKAGER, "slot": cassette.slot, "cassette": 2, "remaining": 5}))
    if how == "surplus":
        from hub.services.reviews import open_review

        world.do(lambda unit: open_review(unit, "surplus", "1", "", ("more than the books",)))


def test_a_page_left_behind_rules_on_no_other_look_than_it_showed(world: World, job: PackJob) -> None:
    teach(world, job, PACKS_TO_LEARN)
    shown = next(row["shown"] for row in world.do(reference_board) if row["lot"] == "P1")
    learnt = reference(world)
    assert learnt is not None and learnt.look is not None
    other = replace(learnt, look=replace(learnt.look, first=(200, 10, 10)))
    world.do(lambda unit: unit.tablet_references.put(other))
    refused = rule(world, ReferenceDeed.CONFIRM, shown=shown)
    assert isinstance(refused, Refusal) and refused.code == "look-again" and refused.text_ru
    still = reference(world)
    assert still is not None and still.state is ReferenceState.WAITING
    world.do(lambda unit: unit.tablet_references.put(replace(learnt, samples=learnt.samples[1:])))
    same_crop = rule(world, ReferenceDeed.CONFIRM, shown=shown)
    assert same_crop.state is ReferenceState.CONFIRMED, "the same look and the same pictures"


def test_why_a_look_is_retired_is_told_in_both_languages(world: World, job: PackJob) -> None:
    retired = TabletReference(PLAIN, DrugCode("PLAIN"), ReferenceState.RETIRED, look=WHITE, reason="another look came with lot P9")
    world.do(lambda unit: unit.tablet_references.put(retired))
    (row,) = world.do(reference_board)
    assert (row["reason"], row["reason_ru"]) == ("another look came with lot P9", "пришла серия P9 с другим видом")
