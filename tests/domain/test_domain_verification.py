"""A pouch passes on its own code and the drop sensor; the picture can only stop it. And how long it may be kept."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from domain_cases import MOSCOW
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.expiry import (
    USP_REPACKAGING,
    RepackagingRule,
    first_expiring_first,
    months_later,
    outlives,
    pack_expiry,
)
from hub.domain.identifiers import DrugCode, LotId, PackSerial
from hub.domain.packs import Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.stock import Lot
from hub.domain.verdict_words import VerdictRule
from hub.domain.verification import (
    CameraState,
    ExpectedPouch,
    LookAlikes,
    OtherCode,
    OtherPack,
    SeenPouch,
    is_serial,
    sorted_codes,
    verify_pouch,
)
from labels.serial import is_valid_serial, make_serial

OWN, OTHER = PackSerial("K7PMQ2"), PackSerial("X3R9AA")
EXPECTED = ExpectedPouch(OWN, 3)
GOOD = SeenPouch((OWN,), (OWN,), 3, True, ((2, 2), (1, 1)))


def seen(**changes: object) -> SeenPouch:
    return SeenPouch(**({name: getattr(GOOD, name) for name in GOOD.__slots__} | changes))


@pytest.mark.parametrize(
    ("changes", "verdict", "word"),
    [
        ({}, Verdict.PASS, "its own code"),
        ({"code_128": ()}, Verdict.PASS, "its own code"),
        ({"data_matrix": (OWN, OWN)}, Verdict.PASS, "its own code"),
        ({"data_matrix": (OTHER,)}, Verdict.FAIL, "not K7PMQ2"),
        ({"data_matrix": (OWN, OTHER)}, Verdict.FAIL, "2 different"),
        ({"code_128": (OTHER,)}, Verdict.FAIL, "contradicts"),
        ({"code_128": (OWN, OTHER)}, Verdict.FAIL, "contradicts"),
        ({"data_matrix": (), "code_128": (OTHER,)}, Verdict.FAIL, "contradicts"),
        ({"sensor_counts": ((2, 3), (1, 1))}, Verdict.FAIL, "counted 3 where 2"),
        ({"sensor_counts": ((2, 1), (1, 1))}, Verdict.FAIL, "counted 1 where 2"),
        ({"sensor_counts": ((2, 2),)}, Verdict.FAIL, "tell of 2 dropped"),
        ({"sensor_counts": ()}, Verdict.FAIL, "tell of 0 dropped"),
        ({"wrong_drops": ("it came from cassette 2",)}, Verdict.FAIL, "from cassette 2"),
        ({"tablets": 4}, Verdict.FAIL, "shows 4"),
        ({"tablets": 2}, Verdict.FAIL, "shows 2"),
        ({"data_matrix": ()}, Verdict.LOOK, "no Data Matrix"),
        ({"data_matrix": (), "code_128": ()}, Verdict.LOOK, "no Data Matrix"),
        ({"certain": False}, Verdict.LOOK, "alone and whole"),
        ({"doubts": ("a tablet of another colour",)}, Verdict.LOOK, "of another colour"),
        ({"certain": False, "doubts": ("glare",)}, Verdict.LOOK, "glare"),
        ({"data_matrix": (OTHER,), "doubts": ("glare",)}, Verdict.FAIL, "not K7PMQ2"),
        ({"tablets": None, "certain": False}, Verdict.LOOK, "cannot tell"),
        ({"tablets": 4, "certain": False}, Verdict.LOOK, "seems to show 4"),
        ({"tablets": 2, "certain": False}, Verdict.LOOK, "seems to show 2"),
        (
            {"camera": CameraState.DOWN, "data_matrix": (), "code_128": (), "tablets": None, "certain": False},
            Verdict.LOOK,
            "does not answer",
        ),
        (
            {"camera": CameraState.EMPTY, "data_matrix": (), "code_128": (), "tablets": 0, "certain": True},
            Verdict.LOOK,
            "no pouch",
        ),
        (
            {"camera": CameraState.DOWN, "data_matrix": (), "sensor_counts": ((3, 2),)},
            Verdict.FAIL,
            "counted 2 where 3",
        ),
    ],
)
def test_verdicts(changes: dict[str, object], verdict: Verdict, word: str) -> None:
    found, reasons = verify_pouch(EXPECTED, seen(**changes))
    assert found is verdict
    assert any(word in reason.text for reason in reasons)


VALID = make_serial(b"another pack")
LIVE, ENDED = OtherPack(PackSerial(VALID), "Therapy", True), OtherPack(PackSerial(VALID), "Therapy", False)
GTIN = "010460123456789021ABC"


@pytest.mark.parametrize(
    ("changes", "others", "verdict", "rule", "word"),
    [
        ({"data_matrix": (VALID,)}, {}, Verdict.FAIL, VerdictRule.UNKNOWN_SERIAL, "never made"),
        ({"data_matrix": (VALID,)}, {VALID: LIVE}, Verdict.FAIL, VerdictRule.OTHER_POUCH, "for Therapy"),
        ({"data_matrix": (VALID,)}, {VALID: ENDED}, Verdict.FAIL, VerdictRule.REVOKED_LABEL, "revoked"),
        ({"data_matrix": (OWN, VALID)}, {VALID: LIVE}, Verdict.FAIL, VerdictRule.TWO_CODES, "2 different"),
        ({"data_matrix": ("\0" * 3000,)}, {}, Verdict.FAIL, VerdictRule.NOT_OUR_CODE, "(3000)"),
        ({"data_matrix": (VALID[:-1] + ("A" if VALID[-1] != "A" else "B"),)}, {}, Verdict.FAIL, VerdictRule.NOT_OUR_CODE, "check character"),
        ({"code_128": (VALID,)}, {}, Verdict.FAIL, VerdictRule.CODES_DISAGREE, VALID),
        ({"other_codes": (OtherCode("]d2", GTIN),)}, {}, Verdict.FAIL, VerdictRule.TWO_CODES, "2 different"),
        ({"other_codes": (OtherCode("]d2", OWN),), "data_matrix": ()}, {}, Verdict.FAIL, VerdictRule.MAKERS_CODE, OWN),
        ({"other_codes": (OtherCode("]C1", GTIN),)}, {}, Verdict.LOOK, VerdictRule.MAKERS_CODE, GTIN),
        ({"other_codes": (OtherCode("]E0", "4601234567890"),)}, {}, Verdict.LOOK, VerdictRule.MAKERS_CODE, "take it away"),
        ({"strangers": 1}, {}, Verdict.FAIL, VerdictRule.PICTURE_STRANGER, "none of the confirmed"),
        ({"strangers": 1, "certain": False}, {}, Verdict.LOOK, VerdictRule.PICTURE_UNCERTAIN, "alone and whole"),
        ({"look_alikes": (LookAlikes(DrugCode("A"), "a", "b"),)}, {}, Verdict.LOOK, VerdictRule.LOOK_ALIKE_TABLETS, "a and b"),
        ({"look_alikes": (LookAlikes(DrugCode("A"), "a", "b", True),)}, {}, Verdict.PASS, VerdictRule.CASSETTE_RECORD, "rests on"),
    ],
)
def test_each_code_and_each_look_alike_has_its_own_rule_in_both_languages(
    changes: dict[str, object], others: dict[str, OtherPack], verdict: Verdict, rule: VerdictRule, word: str
) -> None:
    found, reasons = verify_pouch(replace(EXPECTED, others=others), seen(**changes))
    assert found is verdict
    named = {reason.rule: reason for reason in reasons}
    assert word in named[rule.value].text and named[rule.value].source
    for reason in reasons:
        assert in_russian(reason.text) == reason.text_ru != reason.text, "what the ledger recorded is told in Russian again"
        assert "\0" not in reason.text and len(reason.text) < 200


def test_a_check_character_is_judged_as_the_labels_make_it() -> None:
    for number in range(200):
        serial = make_serial(str(number).encode())
        assert is_serial(serial) and is_valid_serial(serial)
        swapped = serial[1] + serial[0] + serial[2:]
        assert is_serial(swapped) is is_valid_serial(swapped)
    assert not any(map(is_serial, ("", VALID.lower(), VALID + "0", "٠" * 12)))


def test_codes_are_sorted_by_their_identifier_and_never_by_their_content() -> None:
    own = OWN.encode()
    read = [("]d1", own), ("]d1", own), ("]d2", own), ("]C0", own), ("]C1", own), ("]Q1", "Доза".encode("cp1251"))]
    matrix, linear, others = sorted_codes(read)
    assert (matrix, linear) == ((OWN,), (OWN,))
    assert [code.identifier for code in others] == ["]d2", "]C1", "]Q1"]


codes = st.lists(st.sampled_from([OWN, OTHER]), max_size=3).map(tuple)
pouches = st.builds(
    SeenPouch, codes, codes, st.one_of(st.none(), st.integers(0, 5)), st.booleans(),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=3).map(tuple), st.sampled_from(CameraState),
    st.lists(st.sampled_from(["glare", "another colour"]), max_size=1).map(tuple),
)  # fmt: skip


@given(pouches)
def test_nothing_passes_without_its_own_code_and_an_agreeing_sensor(pouch: SeenPouch) -> None:
    verdict, reasons = verify_pouch(EXPECTED, pouch)
    assert reasons
    if verdict is Verdict.PASS:
        assert set(pouch.data_matrix) == {OWN} and set(pouch.code_128) <= {OWN}
        assert all(asked == counted for asked, counted in pouch.sensor_counts)
        assert sum(counted for _, counted in pouch.sensor_counts) == EXPECTED.count
        assert pouch.tablets == EXPECTED.count and pouch.camera is CameraState.OK
        assert pouch.certain and not pouch.doubts


@given(pouches)
def test_a_picture_never_makes_a_verdict_better(pouch: SeenPouch) -> None:
    rank = [Verdict.FAIL, Verdict.LOOK, Verdict.PASS]
    agreeing = SeenPouch(pouch.data_matrix, pouch.code_128, EXPECTED.count, True, pouch.sensor_counts, pouch.camera)
    assert rank.index(verify_pouch(EXPECTED, pouch)[0]) <= rank.index(verify_pouch(EXPECTED, agreeing)[0])


PACKED = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("lots", "opened", "limit", "rule", "expires", "word"),
    [
        ([date(2027, 3, 2)], None, None, None, date(2027, 3, 2), "earliest lot"),
        ([date(2027, 3, 2), date(2026, 5, 1)], None, None, None, date(2026, 5, 1), "earliest lot"),
        ([date(2030, 3, 2)], None, None, USP_REPACKAGING, date(2026, 9, 2), "6 months"),
        ([date(2026, 3, 12)], None, None, USP_REPACKAGING, date(2026, 3, 4), "1/4 of the time"),
        (
            [date(2030, 3, 2)],
            datetime(2026, 2, 20, 9, tzinfo=MOSCOW),
            30,
            USP_REPACKAGING,
            date(2026, 3, 22),
            "cassette",
        ),
        ([date(2030, 3, 2)], None, 30, RepackagingRule("r", 60, None, "s"), date(2030, 3, 2), "earliest lot"),
        ([date(2026, 1, 1)], None, None, USP_REPACKAGING, date(2026, 1, 1), "earliest lot"),
    ],
)
def test_a_pack_expires_at_the_earliest_of_all_dates_and_says_which(
    lots: list[date], opened: datetime | None, limit: int | None, rule: RepackagingRule | None, expires: date, word: str
) -> None:
    found, reason = pack_expiry(lots, opened, limit, rule, PACKED)
    assert found == expires
    assert word in reason.text


def test_a_pack_of_no_lot_has_no_expiry() -> None:
    with pytest.raises(ValueError, match="no lot"):
        pack_expiry([], None, None, USP_REPACKAGING, PACKED)


@given(
    st.lists(st.dates(date(2026, 3, 2), date(2031, 1, 1)), min_size=1, max_size=4),
    st.integers(0, 36),
    st.fractions(0, 1),
)
def test_no_rule_ever_makes_a_pack_outlive_its_lots(lots: list[date], months: int, share: Fraction) -> None:
    expires, _ = pack_expiry(lots, None, None, RepackagingRule("r", months, share, "s"), PACKED)
    assert PACKED <= expires <= min(lots)


def test_months_end_on_the_last_day_of_a_short_month() -> None:
    assert months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_later(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_the_day_of_expiry_is_its_last_day_of_use() -> None:
    assert outlives(date(2026, 3, 2), datetime(2026, 3, 2, 23, 59, tzinfo=MOSCOW))
    assert not outlives(date(2026, 3, 2), datetime(2026, 3, 3, 0, 0, tzinfo=MOSCOW))


def test_lots_that_expire_first_go_first_and_expired_ones_never() -> None:
    lots = [Lot(LotId(name), DrugCode("MET500"), name, day, Decimal(1)) for name, day in
            (("c", date(2027, 1, 1)), ("b", date(2026, 4, 1)), ("a", date(2026, 4, 1)), ("old", date(2026, 3, 1)))]  # fmt: skip
    assert [lot.number for lot in first_expiring_first(lots, PACKED)] == ["a", "b", "c"]
