"""Patients, stays, allergies, and what each movement does to a stay."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hl7_messages import PID, PV1, adt, at, message, rde

from hub.adapters.intake.hl7.people import Movement, placed
from hub.domain.identifiers import PatientId
from hub.domain.orders import OrderSheet, Patient, Stay
from tests.said import english

Sheet = Callable[..., OrderSheet]
HERE = Stay(PatientId("P1"), "V7", "CARD", "101", "2")


def test_a_patient_and_a_stay(sheet_of: Sheet) -> None:
    sheet = sheet_of(adt("A01"))
    assert sheet.patients == (Patient(PatientId("P1"), "P1", "Orlova", "Anna Igorevna", date(1950, 4, 12), None),)
    assert sheet.stays == (HERE,)


@pytest.mark.parametrize(
    ("pid", "code"),
    [
        ("PID|1||77^^^NAT^NI~P1^^^WEST^MR", "P1"), ("PID|1||X9", "X9"), ("PID|1|OLD7", "OLD7"), ('PID|1||""~X9', "X9"), ("PID|1||A^^^S^SS~B^^^W^PI", "B"),
    ],
)  # fmt: skip
def test_the_hospitals_own_number_counts(sheet_of: Sheet, pid: str, code: str) -> None:
    assert sheet_of(adt("A08", pid, PV1)).patients[0].id == code


def test_names_as_they_come(sheet_of: Sheet) -> None:
    names = {
        "山田^太郎^^^^^L^I~ヤマダ^タロウ^^^^^L^P": ("山田", "太郎"), "^^^^^^S~Иванов^Иван^Петрович^^^^L": ("Иванов", "Иван Петрович"), "O\\T\\Brien": ("O&Brien", ""),
        '""': ("", ""),
    }  # fmt: skip
    for written, told in names.items():
        patient = sheet_of(adt("A08", f"PID|1||P1||{written}|", PV1)).patients[0]
        assert (patient.family, patient.given) == told


@pytest.mark.parametrize(
    ("segments", "allergies"),
    [
        ((), None), (("AL1|1|DA|^PENICILLIN|SV|rash", "AL1|2|DA|70618^aspirin^RX"), ("PENICILLIN (severity severe)", "aspirin")), (("AL1|1|DA|NKDA",), ()),
        (('AL1|1|DA|""',), ()), (("AL1|1",), ("an allergy that is not named",)), (("IAM|1||^latex||x|A", "IAM|2||^aspirin||x|D"), ("latex",)),
    ],
)  # fmt: skip
def test_allergies(sheet_of: Sheet, segments: tuple[str, ...], allergies: tuple[str, ...] | None) -> None:
    assert sheet_of(adt("A01", PID, PV1, *segments)).patients[0].allergies == allergies


@pytest.mark.parametrize(
    ("message", "finished_at", "died"),
    [
        (adt("A03", told="20260302101500"), at("2026-03-02 10:15"), False), (adt("A03"), at("2026-03-02 06:30"), False),
        (adt("A03", PID, PV1 + "|" * 26 + "202603021200"), at("2026-03-02 12:00"), False),
        (adt("A11", told="20260302101500"), at("2026-03-02 10:15"), False),
        (adt("A08", PID + "|" * 21 + "202603020400|Y", PV1), at("2026-03-02 04:00"), True), (adt("A13"), None, False),
    ],
)  # fmt: skip
def test_the_end_of_a_stay(sheet_of: Sheet, message: str, finished_at: object, died: bool) -> None:
    (stay,) = sheet_of(message).stays
    assert (stay.finished_at, stay.died) == (finished_at, died)


def test_who_is_only_expected_or_has_no_place_has_no_stay(sheet_of: Sheet) -> None:
    assert sheet_of(adt("A08", PID, "PV1|1|P|CARD^1^1")).stays == ()
    assert sheet_of(adt("A08", PID, "PV1|1|I|^^^")).stays == ()
    assert sheet_of(adt("A31")).stays == ()
    assert sheet_of(adt("A08", PID, "PV1|1|E|")).stays[0].department == "emergency"


def test_the_last_message_of_a_file_counts(sheet_of: Sheet) -> None:
    sheet = sheet_of(adt("A01", PID, PV1, "AL1|1||^latex"), adt("A02", PID, "PV1|1|I|SURG^7^1||||||||||||||||V7"), rde())
    assert sheet.stays == (HERE,)
    assert sheet.patients[0].allergies == ("latex",)
    assert [change.stay.department for change in sheet.changes if change.stay] == ["CARD", "SURG", "CARD"]


def test_news_of_a_visit_that_is_over_do_not_open_it_again() -> None:
    left = replace(HERE, finished_at=at("2026-03-02 10:00"))
    assert placed(HERE, left, Movement.PRESENT) == left
    assert placed(HERE, left, Movement.MOVED) == left
    assert placed(HERE, left, Movement.STAYS) == HERE
    assert placed(HERE, left, Movement.ADMITTED) == HERE
    assert placed(replace(HERE, encounter="V8"), left, Movement.PRESENT) == replace(HERE, encounter="V8")


def test_what_a_message_leaves_out_of_the_place_stays() -> None:
    assert placed(replace(HERE, room="", bed=""), HERE, Movement.PRESENT) == HERE
    assert placed(replace(HERE, bed=""), HERE, Movement.PRESENT) == HERE
    assert placed(replace(HERE, room="102", bed=""), HERE, Movement.MOVED) == replace(HERE, room="102", bed="")
    assert placed(replace(HERE, department="SURG", room="", bed=""), HERE, Movement.MOVED) == replace(HERE, department="SURG", room="", bed="")
    assert placed(replace(HERE, department="", finished_at=at("2026-03-02 10:00")), HERE, Movement.LEFT).department == "CARD"


def test_an_order_for_nobody_is_a_line_that_says_so(sheet_of: Sheet) -> None:
    (line,) = sheet_of(message(PV1, "ORC|NW|A1", "RXE||MET500|1||TAB")).lines
    assert (line.patient, english(line.unsupported)) == ("", ("no patient is named",))
