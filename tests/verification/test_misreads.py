"""The run for misreads draws the same symbols again, judges as the station does, and would find a wrongly accepted serial."""

import numpy as np

from devices.barcode_camera.codes import CodeRead
from hub.domain.verification import is_serial
from tests.verification.damaged_symbols import DAMAGES, DamagedSymbol, damaged_symbol, live_serials
from tests.verification.misreads import judged, read

SERIALS = live_serials(3)
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


def test_live_serials_are_many_different_and_have_their_check_character() -> None:
    assert len(set(SERIALS)) == 500 and all(is_serial(serial) for serial in SERIALS)


def test_the_same_seed_draws_the_same_symbols_and_every_damage_comes() -> None:
    first, again = (np.random.default_rng(4) for _ in range(2))
    drawn = [damaged_symbol(first, SERIALS) for _ in range(100)]
    assert {symbol.damage for symbol in drawn} == set(DAMAGES)
    for symbol in drawn[:20]:
        same = damaged_symbol(again, SERIALS)
        assert (same.truth, same.damage) == (symbol.truth, symbol.damage) and np.array_equal(same.grey, symbol.grey)


def test_damaged_symbols_are_partly_read_and_then_rightly() -> None:
    chance = np.random.default_rng(5)
    drawn = [damaged_symbol(chance, SERIALS) for _ in range(60)]
    texts = [(symbol.truth, code.text) for symbol in drawn for code in read(symbol, "DataMatrix")]
    assert 20 <= len(texts) < 60 and all(truth == text for truth, text in texts)


def test_each_barrier_refuses_and_what_passes_all_of_them_is_counted_as_wrong() -> None:
    symbol = DamagedSymbol(np.zeros((9, 9), np.uint8), SERIALS[0], "none")

    def told(payload: str, identifier: str = "]d1", live: frozenset[str] = frozenset(SERIALS)) -> str:
        return judged(CodeRead(payload.encode(), "DataMatrix", identifier, PLACE, "x", None), symbol, live, "]d1")

    assert told(SERIALS[0]) == "right"
    assert told(SERIALS[0], identifier="]d2") == "refused: identifier"
    assert told(SERIALS[0][::-1] + "A") == "refused: check character"
    assert told(SERIALS[1], live=frozenset(SERIALS[2:])) == "refused: not live"
    assert told(SERIALS[1]) == "accepted wrongly"
