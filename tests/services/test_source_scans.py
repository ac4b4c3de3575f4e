"""Makers' packs by scan: received by what their code says, recognised again, and refused where anything contradicts."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.identifiers import CassetteId, DrugCode, UserId
from hub.domain.refusals import Refusal
from hub.services.gtins import gtin_board, tell_gtin
from hub.services.source_scans import TypedReceipt, receipt_of, source_code, source_codes
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from labels.gs1 import GS, Gs1Elements, check_digit, element_string, fields_of
from labels.medicine_code import MedicineCode, medicine_element_string
from tests.services.small_world import PACKAGER, PHARMACIST, TECHNICIAN, World

GTIN = "0464009876543" + check_digit("0464009876543")
OTHER = "0464009876550" + check_digit("0464009876550")
SIGNATURE = "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgbGluZSBhbG9uZSE="
MEDICINE = medicine_element_string(MedicineCode(GTIN, "9921aBc17xYz1", "EE06", SIGNATURE))
IMPORTED = element_string(fields_of(Gs1Elements(GTIN, date(2027, 5, 31), "B9002", "2ALQQWWCJF")))
TYPED = TypedReceipt(MEDICINE, Decimal("1.5"), lot="M1", expires_on=date(2027, 5, 31))


@pytest.fixture
def stocked(world: World) -> World:
    told = world.do(lambda unit: tell_gtin(unit, GTIN, DrugCode("PLAIN"), Fraction(30), UserId(PHARMACIST)), PHARMACIST)
    assert told.item == "PLAIN"
    return world


def received(world: World, typed: TypedReceipt) -> Any:
    def decide(unit: Any) -> Any:
        receipt = receipt_of(unit, world.house, typed)
        return receipt if isinstance(receipt, Refusal) else receive_stock(unit, [receipt])

    return world.do(decide, TECHNICIAN)


def known_as(world: World, scanned: str) -> Any:
    return world.do(lambda unit: source_code(unit, world.house, scanned))


def test_an_imported_pack_is_received_by_its_code_alone(stocked: World) -> None:
    assert received(stocked, TypedReceipt(f"]d2{IMPORTED}", Decimal("1.5"))) == 1
    pack = stocked.get("source_packs", GTIN + "2ALQQWWCJF")
    assert (pack.item, pack.lot, pack.units, pack.scanned) == ("PLAIN", "PLAIN/B9002", 30, f"]d2{IMPORTED}")
    assert stocked.get("lots", "PLAIN/B9002").expires_on == date(2027, 5, 31)
    moved = stocked.facts("stock-moved")[-1]
    assert (moved["source_pack"], moved["scanned"]) == (pack.code, pack.scanned)


def test_a_medicine_code_names_the_pack_and_the_rest_is_typed(stocked: World) -> None:
    assert received(stocked, TypedReceipt(MEDICINE, Decimal("1.5"))).code == "to-type"
    assert received(stocked, TYPED) == 1
    assert stocked.get("source_packs", GTIN + "9921aBc17xYz1").scanned == MEDICINE


@pytest.mark.parametrize("scanned", [MEDICINE, f"]d2{MEDICINE}", MEDICINE.replace(GS, ""), MEDICINE.replace(GS, "^]"), GS + MEDICINE])
def test_the_same_pack_is_known_again_however_it_is_scanned(stocked: World, scanned: str) -> None:
    received(stocked, TYPED)
    assert known_as(stocked, scanned) == GTIN + "9921aBc17xYz1"
    assert received(stocked, replace(TYPED, scanned=scanned)).code == "known-pack"


def test_a_cassette_is_loaded_by_the_scan_of_a_makers_pack(stocked: World) -> None:
    received(stocked, TYPED)
    before = stocked.get("cassettes", 1).count

    def load(unit: Any) -> Any:
        packs = source_codes(unit, stocked.house, [MEDICINE.replace(GS, "")])
        return load_cassette(unit, Loading(PACKAGER, 1, CassetteId(1), packs, 10, None))

    assert stocked.do(load, TECHNICIAN).count == before + 10
    assert stocked.get("source_packs", GTIN + "9921aBc17xYz1").left == 20


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (replace(TYPED, item="ALERT"), "wrong-drug"),
        (replace(TYPED, scanned=IMPORTED), "wrong-lot"),
        (replace(TYPED, scanned=IMPORTED, lot="", expires_on=date(2027, 6, 30)), "wrong-expiry"),
        (replace(TYPED, units=Fraction(31)), "units"),
        (replace(TYPED, expires_on=date(2026, 3, 1)), "expired"),
        (replace(TYPED, scanned=MEDICINE.replace(GTIN, OTHER)), "unknown-gtin"),
        (replace(TYPED, scanned=MEDICINE.replace(GTIN, GTIN[:-1] + "0")), "gtin"),
        (replace(TYPED, scanned=MEDICINE.replace("aBc", "фИс")), "keyboard-layout"),
        (replace(TYPED, scanned="ъв2" + MEDICINE), "keyboard-layout"),
        (replace(TYPED, scanned="]D2" + MEDICINE.swapcase()), "caps-lock"),
        (replace(TYPED, scanned="]d1" + MEDICINE), "not-gs1"),
        (replace(TYPED, scanned=IMPORTED.replace(GS, "")), "separator-lost"),
        (replace(TYPED, scanned=MEDICINE[:-1]), "unread-code"),
        (replace(TYPED, scanned=f"01{GTIN}1727053110B9002"), "no-serial"),
        (replace(TYPED, scanned="own-1"), "to-type"),
    ],
)
def test_a_pack_that_contradicts_itself_is_not_received(stocked: World, typed: TypedReceipt, code: str) -> None:
    before = len(stocked.ledger())
    refusal = received(stocked, typed)
    assert (refusal.code, len(stocked.ledger())) == (code, before)
    assert refusal.text and refusal.text_ru != refusal.text


def test_a_known_serial_with_another_verification_code_is_another_pack(stocked: World) -> None:
    received(stocked, TYPED)
    forged = medicine_element_string(MedicineCode(GTIN, "9921aBc17xYz1", "EE06", SIGNATURE.replace("Zm9y", "Zm9x")))
    assert known_as(stocked, forged).code == "another-pack"


def test_what_a_code_says_otherwise_than_the_books_is_refused(stocked: World) -> None:
    received(stocked, TypedReceipt(IMPORTED, Decimal("1.5")))
    assert known_as(stocked, IMPORTED.replace("B9002", "B9003")).code == "wrong-lot"
    assert known_as(stocked, IMPORTED.replace("270531", "270630")).code == "wrong-expiry"
    assert known_as(stocked, IMPORTED.replace("270531", "270500")) == GTIN + "2ALQQWWCJF"


def test_caps_lock_is_seen_where_the_books_know_the_serial_the_other_way(stocked: World) -> None:
    received(stocked, TYPED)
    assert known_as(stocked, MEDICINE.replace("aBc", "AbC").replace("xYz", "XyZ")).code == "caps-lock"


def test_codes_of_the_stock_room_stay_what_they_are(stocked: World) -> None:
    assert known_as(stocked, "PLAIN-P1") == "PLAIN-P1"
    assert known_as(stocked, "nobody") == "nobody"
    assert stocked.do(lambda unit: source_codes(unit, stocked.house, ["PLAIN-P1", "]d1x"])).code == "not-gs1"
    own = TypedReceipt("own-1", Decimal(1), "PLAIN", "O1", date(2027, 1, 1), Fraction(5))
    assert received(stocked, own) == 1 and stocked.get("source_packs", "own-1").scanned == ""


def test_a_lot_has_one_day_of_expiry(stocked: World) -> None:
    pack = Receipt("x1", DrugCode("PLAIN"), "P1", date(2026, 9, 2), Fraction(5), Decimal(1))
    assert stocked.do(lambda unit: receive_stock(unit, [pack]), TECHNICIAN).code == "wrong-expiry"
    pair = [replace(pack, lot="N9"), replace(pack, code="x2", lot="N9", expires_on=date(2027, 1, 1))]
    assert stocked.do(lambda unit: receive_stock(unit, pair), TECHNICIAN).code == "wrong-expiry"


@pytest.mark.parametrize(
    ("gtin", "item", "units", "code"),
    [(GTIN[:-1] + "0", "PLAIN", 1, "gtin"), (OTHER, "NOBODY", 1, "unknown-drug"), (OTHER, "PLAIN", 0, "units"), ("", "PLAIN", 1, "gtin")],
)
def test_what_a_number_means_is_checked(world: World, gtin: str, item: str, units: int, code: str) -> None:
    told = world.do(lambda unit: tell_gtin(unit, gtin, DrugCode(item), Fraction(units), UserId(PHARMACIST)), PHARMACIST)
    assert told.code == code


def test_a_number_is_not_changed_under_packs_in_the_store(stocked: World) -> None:
    def tell(item: str) -> Any:
        return stocked.do(lambda unit: tell_gtin(unit, GTIN, DrugCode(item), Fraction(30), UserId(PHARMACIST)), PHARMACIST)

    assert tell("ALERT").item == "ALERT" and tell("PLAIN").item == "PLAIN"
    assert [fact["was"] for fact in stocked.facts("gtin-told")] == [None, "PLAIN", "ALERT"]
    received(stocked, TYPED)
    assert tell("ALERT").code == "gtin-in-use"
    assert [row["item"] for row in stocked.do(gtin_board)] == ["PLAIN"]
