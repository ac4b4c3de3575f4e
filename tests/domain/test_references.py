"""A reference look: learned of proven packs alone, confirmed once, taken over only from the same maker with the same look."""

from dataclasses import replace

import pytest

from hub.domain.identifiers import DrugCode, LotId, PackSerial
from hub.domain.references import (
    DEEDS,
    MOST_OF_A_PACK,
    MOST_UNPROVEN,
    PACKS_TO_LEARN,
    STATE_AFTER,
    MeasuredLook,
    ReferenceDeed,
    ReferenceState,
    Sighting,
    TabletReference,
    decided_pack,
    forgotten_pack,
    learned,
    maker_of,
    middle_look,
    with_sightings,
)

OLD, NEW = LotId("MET/1"), LotId("MET/2")
LOOK = MeasuredLook(9000, 8900, 785, (250, 250, 248), (250, 250, 248))
EMPTY = TabletReference(NEW, DrugCode("MET"))
GTIN = "04601234567893"


def pack(number: int) -> PackSerial:
    return PackSerial(f"PACK{number}")


def shown(packs: int, like: LotId | None = None, proven: bool = True, start: int = 0) -> TabletReference:
    reference = EMPTY
    for number in range(start, start + packs):
        reference = with_sightings(reference, pack(number), [Sighting(NEW, replace(LOOK, length_um=9000 + number), f"c{number}", like)], proven=proven)
    return reference


def test_it_waits_for_a_pharmacist_once_enough_packs_are_proven_and_not_before() -> None:
    assert learned(shown(PACKS_TO_LEARN - 1), {}, "").state is ReferenceState.LEARNING
    found = learned(shown(PACKS_TO_LEARN), {}, "")
    assert found.state is ReferenceState.WAITING and found.packs == PACKS_TO_LEARN
    assert found.look == replace(LOOK, length_um=9002)
    assert found.crops == tuple(f"c{number}" for number in range(PACKS_TO_LEARN))


def test_what_a_person_has_not_accepted_teaches_nothing() -> None:
    looked_at = shown(PACKS_TO_LEARN, proven=False)
    assert looked_at.packs == 0 and learned(looked_at, {}, "").state is ReferenceState.LEARNING
    accepted = looked_at
    for number in range(PACKS_TO_LEARN):
        accepted = decided_pack(accepted, pack(number), accepted=number > 0)
    assert accepted.packs == PACKS_TO_LEARN - 1 and pack(0) not in {sample.pack for sample in accepted.samples}


def test_a_pack_counts_once_and_what_is_unproven_has_a_limit() -> None:
    once = shown(1)
    assert with_sightings(once, pack(0), [Sighting(NEW, LOOK, "again")], proven=True) == once
    many = with_sightings(EMPTY, pack(0), [Sighting(NEW, LOOK, f"c{number}") for number in range(9)], proven=True)
    assert len(many.samples) == MOST_OF_A_PACK and many.packs == 1
    assert len(shown(3 * MOST_UNPROVEN, proven=False).samples) == MOST_UNPROVEN
    assert with_sightings(EMPTY, pack(0), [Sighting(OLD, LOOK, "c")], proven=True) == EMPTY, "another lot's tablets are not its own"


@pytest.mark.parametrize(
    ("like", "makers", "maker", "state"),
    [
        (OLD, {OLD: GTIN}, GTIN, ReferenceState.CONFIRMED),
        (None, {OLD: GTIN}, GTIN, ReferenceState.WAITING),
        (OLD, {OLD: GTIN}, "", ReferenceState.WAITING),
        (OLD, {OLD: ""}, "", ReferenceState.WAITING),
        (OLD, {OLD: "04600000000000"}, GTIN, ReferenceState.WAITING),
        (OLD, {}, GTIN, ReferenceState.WAITING),
    ],
)
def test_a_look_is_taken_over_only_from_the_same_known_maker_where_every_tablet_fits(
    like: LotId | None, makers: dict[LotId, str], maker: str, state: ReferenceState
) -> None:
    found = learned(shown(PACKS_TO_LEARN, like), makers, maker)
    assert found.state is state
    assert found.took_over == (OLD if state is ReferenceState.CONFIRMED else None)


def test_one_tablet_that_does_not_fit_makes_it_a_new_look() -> None:
    mixed = with_sightings(shown(PACKS_TO_LEARN - 1, OLD), pack(9), [Sighting(NEW, LOOK, "c", None)], proven=True)
    assert learned(mixed, {OLD: GTIN}, GTIN).state is ReferenceState.WAITING


@pytest.mark.parametrize("state", [state for state in ReferenceState if state is not ReferenceState.LEARNING])
def test_nothing_changes_a_look_that_does_not_learn_any_more(state: ReferenceState) -> None:
    done = replace(learned(shown(PACKS_TO_LEARN), {}, ""), state=state)
    assert with_sightings(done, pack(99), [Sighting(NEW, LOOK, "c")], proven=True) == done
    assert decided_pack(done, pack(0), accepted=False) == done == learned(done, {}, "")


def test_every_state_says_what_may_be_done_and_every_deed_leads_somewhere_else() -> None:
    assert set(DEEDS) == set(ReferenceState)
    led = [(state, deed) for state, deeds in DEEDS.items() for deed in deeds if STATE_AFTER[deed] is state]
    assert led == [(ReferenceState.LEARNING, ReferenceDeed.ANEW)], "only what learns may begin anew with nothing"


def test_packs_that_nobody_decides_about_never_keep_a_lot_from_learning() -> None:
    stuck = shown(MOST_UNPROVEN, proven=False)
    later = with_sightings(stuck, pack(99), [Sighting(NEW, LOOK, "c")], proven=False)
    assert {sample.pack for sample in later.samples} == {pack(number) for number in range(1, MOST_UNPROVEN)} | {pack(99)}
    for number in range(100, 100 + PACKS_TO_LEARN):
        later = decided_pack(with_sightings(later, pack(number), [Sighting(NEW, LOOK, "c")], proven=False), pack(number), accepted=True)
    assert learned(later, {}, "").state is ReferenceState.WAITING


def test_a_pack_that_does_not_count_any_more_is_taken_out_until_a_person_has_confirmed_the_look() -> None:
    waiting = learned(shown(PACKS_TO_LEARN), {}, "")
    again = forgotten_pack(waiting, pack(0))
    assert (again.state, again.look, again.packs) == (ReferenceState.LEARNING, None, PACKS_TO_LEARN - 1)
    assert forgotten_pack(waiting, pack(99)) == waiting
    assert forgotten_pack(shown(1), pack(0)).samples == ()
    confirmed = replace(waiting, state=ReferenceState.CONFIRMED)
    assert forgotten_pack(confirmed, pack(0)) == confirmed


def test_the_middle_of_a_look_is_not_moved_by_one_odd_tablet() -> None:
    odd = MeasuredLook(19000, 2000, 990, (0, 0, 0), (9, 9, 9))
    assert middle_look([LOOK, LOOK, odd]) == LOOK


@pytest.mark.parametrize(
    ("codes", "maker"),
    [([GTIN + "SER1", GTIN + "SER2"], GTIN), ([GTIN + "SER1", "04600000000000X"], ""), (["PLAIN-P1"], ""), ([GTIN + "A", "PLAIN"], ""), ([], "")],
)
def test_a_maker_is_known_by_one_gtin_on_every_pack(codes: list[str], maker: str) -> None:
    assert maker_of(codes) == maker
