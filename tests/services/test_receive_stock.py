"""Receipts are booked as a whole or not at all."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from hub.domain.identifiers import DrugCode
from hub.services.stock_in import Receipt, receive_stock
from tests.services.small_world import TECHNICIAN, World


def receipt(code: str, item: str = "PLAIN", units: int = 20) -> Receipt:
    return Receipt(code, DrugCode(item), "N1", date(2027, 1, 1), Fraction(units), Decimal("2.50"))


def test_a_receipt_moves_stock_from_the_supplier_and_keeps_the_cost(world: World) -> None:
    assert world.do(lambda unit: receive_stock(unit, [receipt("n1"), receipt("n2")]), TECHNICIAN) == 2
    assert world.held("store", "PLAIN/N1") == 40
    moved = world.facts("stock-moved")[-1]
    assert (moved["from"], moved["to"], moved["because"], moved["unit_cost"], moved["lot"]) == ("supplier", "store", "receipt", "2.50", "N1")


@pytest.mark.parametrize(
    ("receipts", "code"),
    [
        ([receipt("n1"), receipt("n2", "NOBODY")], "unknown-drug"),
        ([receipt("n1"), receipt("PLAIN-P1")], "known-pack"),
        ([receipt("n1"), receipt("n1")], "known-pack"),
        ([receipt("n1"), receipt("n2", units=0)], "units"),
    ],
)
def test_one_wrong_pack_refuses_the_whole_receipt(world: World, receipts: list[Receipt], code: str) -> None:
    before = len(world.ledger())
    assert world.do(lambda unit: receive_stock(unit, receipts), TECHNICIAN).code == code
    assert len(world.ledger()) == before and world.get("source_packs", "n1") is None
