"""What could pass for one pack and is not: a product's number as a stock room's code, a code cut short, a lot in another case."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.identifiers import DrugCode, LotId, UserId
from hub.domain.stock import Lot
from hub.services.gtins import tell_gtin
from hub.services.recall_lot import recall_lot
from hub.services.source_scans import TypedReceipt
from hub.services.stock_in import Receipt, receive_stock
from labels.gs1 import GS, Gs1Elements, element_string, fields_of
from labels.medicine_code import MedicineCode, medicine_element_string
from tests.services.small_world import PHARMACIST, TECHNICIAN, World
from tests.services.test_source_scans import GTIN, OTHER, SIGNATURE, TYPED, known_as, received

EAN = GTIN[1:]
WHOLE = medicine_element_string(MedicineCode(GTIN, "ABCDEFGHJKLMN", "EE06", SIGNATURE))
CLOSED = WHOLE.replace(GS, "")
EXPIRY = date(2027, 5, 31)


@pytest.fixture
def stocked(world: World) -> World:
    world.do(lambda unit: tell_gtin(unit, GTIN, DrugCode("PLAIN"), Fraction(30), UserId(PHARMACIST)), PHARMACIST)
    return world


def typed_in(scanned: str, item: str = "PLAIN") -> TypedReceipt:
    return TypedReceipt(scanned, Decimal(1), item, "T9", EXPIRY, Fraction(30))


def lot_of(number: str, serial: str) -> TypedReceipt:
    return TypedReceipt(element_string(fields_of(Gs1Elements(GTIN, EXPIRY, number, serial))), Decimal(1))


def booked(world: World, *packs: Receipt) -> Any:
    return world.do(lambda unit: receive_stock(unit, packs), TECHNICIAN)


def recalled(world: World, number: str) -> Any:
    return world.do(lambda unit: recall_lot(unit, DrugCode("PLAIN"), number, "particles", world.house), PHARMACIST)


FORMS: tuple[Callable[[str], str], ...] = (
    lambda gtin: gtin[1:], lambda gtin: gtin, lambda gtin: f"01{gtin}", lambda gtin: f"(01){gtin}(17)290131(10)OTHERLOT(21)S",
    lambda gtin: f"1729013110OTHER01{gtin}", lambda gtin: f"{gtin}NEWSERIAL", lambda gtin: f"https://id.gs1.org/01/{gtin}/10/L/21/S",
    lambda gtin: f"{gtin[1]} {gtin[2:8]} {gtin[8:]}", lambda gtin: f"{gtin[1:]}-7",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_products_number_never_becomes_a_code_of_the_stock_rooms_own(stocked: World, form: Callable[[str], str]) -> None:
    before = len(stocked.ledger())
    assert received(stocked, typed_in(form(GTIN))).code == "no-serial"
    assert received(stocked, typed_in(form(GTIN), "ALERT")).code == "wrong-drug"
    assert received(stocked, typed_in(form(OTHER))).code == "no-serial"
    assert known_as(stocked, form(GTIN)).code == "no-serial"
    assert len(stocked.ledger()) == before


def test_a_known_number_is_found_among_any_digits(stocked: World) -> None:
    assert received(stocked, typed_in(f"9{EAN[:6]}/{EAN[6:]}77", "ALERT")).code == "wrong-drug"


def test_an_own_code_of_old_that_is_a_products_number_names_no_pack_any_more(stocked: World) -> None:
    old = Receipt(f"01{GTIN}", DrugCode("PLAIN"), "T9", EXPIRY, Fraction(30), Decimal(1))
    assert booked(stocked, old) == 1
    assert known_as(stocked, f"01{GTIN}").code == "no-serial"


@pytest.mark.parametrize("code", ["SP0104640098", "SP9999999999", "PLAIN-P9", "own-1", "shelf 4/20261128"])
def test_codes_of_the_stock_rooms_own_are_received_as_before(stocked: World, code: str) -> None:
    assert received(stocked, typed_in(code)) == 1
    assert known_as(stocked, code) == code


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        (CLOSED.removesuffix(f"92{SIGNATURE}"), "separator-lost"), (CLOSED[:35], "separator-lost"), (CLOSED[:33], "separator-lost"),
        (CLOSED[:32], "no-proof"), (CLOSED[:31], "no-proof"), (CLOSED[:23], "no-proof"), (WHOLE[:32], "no-proof"),
    ],
)  # fmt: skip
def test_a_medicine_code_cut_short_is_not_received_as_another_pack(stocked: World, cut: str, code: str) -> None:
    assert received(stocked, replace(TYPED, scanned=WHOLE)) == 1
    books = stocked.all("source_packs")
    assert received(stocked, replace(TYPED, scanned=cut)).code == code
    assert stocked.all("source_packs") == books


def test_packs_without_proof_are_received_where_none_of_the_number_has_one(stocked: World) -> None:
    assert received(stocked, lot_of("LOT7", "SER1")) == 1
    assert received(stocked, lot_of("LOT7", "SER2")) == 1
    assert received(stocked, TYPED) == 1
    assert received(stocked, lot_of("LOT7", "SER3")).code == "no-proof"


def test_a_lost_separator_makes_no_longer_lot(stocked: World) -> None:
    scanned = f"01{GTIN}1729123110LOT7712654321{GS}21SER1"
    assert received(stocked, TypedReceipt(scanned, Decimal(1))).code == "separator-lost"


def test_a_lot_is_one_whatever_its_case_and_it_is_told(stocked: World) -> None:
    assert received(stocked, lot_of("LOT7", "SER1")) == 1
    assert received(stocked, lot_of("lot7", "SER2")) == 1
    assert {pack.lot for pack in stocked.all("source_packs") if pack.code.startswith(GTIN)} == {"PLAIN/LOT7"}
    assert [fact.get("lot_said") for fact in stocked.facts("stock-moved")[-2:]] == [None, "lot7"]
    assert known_as(stocked, lot_of("lot7", "SER2").scanned) == GTIN + "SER2"
    assert received(stocked, replace(lot_of("Lot7", "SER3"), lot="LOT7")) == 1


def test_two_packs_of_one_receipt_are_of_one_lot_and_have_one_expiry(world: World) -> None:
    pack = Receipt("x1", DrugCode("PLAIN"), "N9", EXPIRY, Fraction(5), Decimal(1))
    other = replace(pack, code="x3", lot="n9", expires_on=date(2028, 1, 1))
    assert booked(world, pack, replace(pack, code="x2", lot="n9")) == 2
    assert world.held("store", "PLAIN/N9") == 10
    assert booked(world, other).code == "wrong-expiry"


def test_a_recall_finds_the_lot_in_any_case_and_both_where_the_books_hold_both(world: World) -> None:
    world.do(lambda unit: unit.lots.put(Lot(LotId("PLAIN/p1"), DrugCode("PLAIN"), "p1", date(2026, 9, 1), Decimal(1))))
    assert recalled(world, "P1").packs == 0
    assert {lot.number: lot.recalled for lot in world.all("lots", item="PLAIN")} == {"P1": True, "p1": True, "P2": False}
    assert recalled(world, "p2").packs == 0
    assert world.get("lots", "PLAIN/P2").recalled
