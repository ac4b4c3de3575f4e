"""Makers' packs over the API: a number is told once, packs are received by scan and known again at every station."""

import pytest

from hub.domain.people import Role
from labels.gs1 import GS, check_digit
from labels.medicine_code import MedicineCode, medicine_element_string
from tests.web_api.api_client import Api

GTIN = "0464009876543" + check_digit("0464009876543")
MEDICINE = medicine_element_string(MedicineCode(GTIN, "9921aBc17xYz1", "EE06", "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgbGluZSBhbG9uZSE="))
PACK = {"code": MEDICINE, "lot": "M1", "expires_on": "2027-05-31", "unit_cost": "1.5"}
LOADED = {"device": "packager-1", "slot": 1, "cassette": 1, "units": 10}


@pytest.fixture
def told(api: Api) -> Api:
    assert api.post(Role.PHARMACIST, "/api/gtins", gtin=GTIN, item="PLAIN", units="30").json() == {"gtin": GTIN, "item": "PLAIN"}
    return api


def test_an_unknown_number_is_asked_about_and_received_once_it_is_told(api: Api) -> None:
    refused = api.post(Role.TECHNICIAN, "/api/stock/receipts", packs=[PACK])
    assert (refused.status_code, refused.json()["refused"]) == (409, "unknown-gtin")
    api.post(Role.PHARMACIST, "/api/gtins", gtin=GTIN, item="PLAIN", units="30")
    (row,) = api.get(Role.TECHNICIAN, "/api/gtins").json()
    assert (row["gtin"], row["item"], row["units"]) == (GTIN, "PLAIN", "30")
    received = api.post(Role.TECHNICIAN, "/api/stock/receipts", packs=[PACK]).json()
    assert received["packs"] == [{"code": GTIN + "9921aBc17xYz1", "item": "PLAIN", "lot": "M1", "expires_on": "2027-05-31", "units": "30"}]


@pytest.mark.parametrize("scanned", [MEDICINE, MEDICINE.replace(GS, ""), f"]d2{GS}{MEDICINE}"])
def test_a_cassette_takes_the_pack_by_its_makers_code(told: Api, scanned: str) -> None:
    told.post(Role.TECHNICIAN, "/api/stock/receipts", packs=[PACK])
    assert told.post(Role.TECHNICIAN, "/api/cassettes/load", packs=[scanned], **LOADED).json()["loaded"] == 10
    assert told.world.get("source_packs", GTIN + "9921aBc17xYz1").left == 20


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/cassettes/load", LOADED),
        ("/api/picks", {"label": "x"}),
        ("/api/requisitions", {"requisition": "x"}),
    ],
)
def test_a_scan_under_another_layout_is_refused_at_every_station(told: Api, path: str, body: dict[str, object]) -> None:
    refused = told.post(Role.TECHNICIAN, path, packs=[MEDICINE.replace("aBc", "фИс")], **body)
    assert (refused.status_code, refused.json()["refused"]) == (409, "keyboard-layout")


def test_a_lot_that_the_books_write_otherwise_is_told(told: Api) -> None:
    told.post(Role.TECHNICIAN, "/api/stock/receipts", packs=[PACK])
    other = {**PACK, "code": MEDICINE.replace("9921", "9922"), "lot": "m1"}
    (received,) = told.post(Role.TECHNICIAN, "/api/stock/receipts", packs=[other]).json()["packs"]
    assert (received["lot"], received["lot_said"]) == ("M1", "m1")


def test_a_wrong_row_refuses_the_whole_receipt(told: Api) -> None:
    before = len(told.world.ledger())
    rows = [PACK, {**PACK, "code": MEDICINE.replace("9921", "9922"), "item": "ALERT"}]
    assert told.post(Role.TECHNICIAN, "/api/stock/receipts", packs=rows).json()["refused"] == "wrong-drug"
    assert len(told.world.ledger()) == before
