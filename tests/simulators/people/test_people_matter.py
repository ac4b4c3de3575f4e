"""Matter in people's hands is neither made nor lost."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.people.matter import HeldPack, Part, Shelf, World, look_of


def shelf_of(*packs: tuple[str, str, str, str]) -> Shelf:
    shelf = Shelf()
    for code, lot, expires_on, units in packs:
        shelf.put(Part(code, "aspirin", lot, Fraction(units)), expires_on)
    return shelf


def test_the_lot_that_expires_first_comes_first() -> None:
    shelf = shelf_of(("p1", "late", "2028-01-01", "10"), ("p2", "soon", "2027-01-01", "10"))
    assert shelf.lots("aspirin") == ["soon", "late"]


def test_an_opened_pack_is_used_up_before_the_next_of_its_lot() -> None:
    shelf = shelf_of(("p1", "L", "2027-01-01", "10"), ("p2", "L", "2027-01-01", "10"))
    half = shelf.choose("aspirin", "L", Fraction(1, 2))
    shelf.take(half)
    assert half == (Part("p1", "aspirin", "L", Fraction(1, 2)),)
    assert shelf.choose_whole("aspirin", "L", 12) == (
        Part("p1", "aspirin", "L", Fraction(9)),
        Part("p2", "aspirin", "L", Fraction(3)),
    )


def test_nothing_is_chosen_where_a_lot_does_not_hold_enough() -> None:
    shelf = shelf_of(("p1", "L", "2027-01-01", "3"))
    assert shelf.choose("aspirin", "L", Fraction(4)) == ()
    assert shelf.choose("aspirin", "other", Fraction(1)) == ()
    with pytest.raises(ValueError, match="does not hold"):
        shelf.take([Part("p1", "aspirin", "L", Fraction(4))])


def test_restocked_units_go_back_to_their_lot_even_when_its_packs_are_empty() -> None:
    shelf = shelf_of(("p1", "L", "2027-01-01", "1"))
    shelf.take(shelf.choose("aspirin", "L", Fraction(1)))
    assert shelf.lots("aspirin") == []
    assert shelf.put_back(Part("", "aspirin", "L", Fraction(1)))
    assert shelf.choose("aspirin", "L", Fraction(1))[0].code == "p1"
    assert not shelf.put_back(Part("", "aspirin", "never seen", Fraction(1)))


def test_a_pack_never_holds_more_than_it_came_with() -> None:
    shelf = shelf_of(("p1", "L", "2027-01-01", "2"), ("p2", "L", "2027-01-01", "2"))
    shelf.take(shelf.choose("aspirin", "L", Fraction(4)))
    assert shelf.put_back(Part("p2", "aspirin", "L", Fraction(3)))
    assert [part.units for part in shelf.choose("aspirin", "L", Fraction(3))] == [2, 1]
    assert not shelf.put_back(Part("", "aspirin", "L", Fraction(2)))


@given(st.lists(st.integers(1, 80), min_size=1, max_size=8), st.data())
def test_what_is_taken_and_what_is_left_add_up(quarters: list[int], data: st.DataObject) -> None:
    shelf = Shelf()
    for index, amount in enumerate(quarters):
        shelf.put(Part(f"p{index}", "x", "L", Fraction(amount, 4)), "2027-01-01")
    asked = Fraction(data.draw(st.integers(1, sum(quarters))), 4)
    chosen = shelf.choose("x", "L", asked)
    shelf.take(chosen)
    assert sum((part.units for part in chosen), Fraction(0)) == asked
    assert shelf.units("x", "L") == Fraction(sum(quarters), 4) - asked


def test_a_lot_looks_the_same_for_ever() -> None:
    assert look_of("A0001", "L77") == look_of("A0001", "L77")
    looks = [look_of(f"A{number}", "L") for number in range(60)]
    assert {look["shape"] for look in looks} == {"round", "oval", "capsule"}
    assert all(6.0 <= look["size_mm"] <= 17.0 for look in looks)


def test_unreadable_packs_and_second_packs_of_a_serial_are_kept_apart() -> None:
    world = World()
    first, second, blank = (HeldPack("pouch", name, serial, "line") for name, serial in (("a", "S1"), ("b", "S1"), ("c", "")))
    assert [world.hold(pack) for pack in (first, second, blank)] == [True, False, False]
    world.let_go(second)
    assert world.packs == {"S1": first}
    assert world.count()["unread"] == 1
    assert world.count()["doubles"] == 1
