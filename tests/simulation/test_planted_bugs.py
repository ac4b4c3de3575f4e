"""The oracle is no decoration: each bug that is planted into the use cases is found by some walk, and named by its rule."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.domain.orders import Patient, Reason
from hub.domain.packs import Pack, PackState, Verdict
from hub.domain.refusals import Refusal
from hub.services import (
    administer,
    call_off,
    doubts,
    endings,
    late_deeds,
    machine_events,
    reject_packs,
    resolve_doubt,
    verify_pack,
)
from hub.services.endings import move_pack
from tests.simulation.oracle import Broken
from tests.simulation.walker import Walk

WALKS = 40
STEPS = 200


def _never_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (machine_events, call_off):
        monkeypatch.setattr(module, "release_reservations", lambda unit, job: None)


def _forgets_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_off, "forget_pick", lambda unit, pack, reason: move_pack(unit, pack, PackState.NEVER_MADE, reason))


def _books_every_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_events, "has_dropped", lambda unit, job, slot: False)


def _passes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pack, "verify_pouch", lambda expected, seen: (Verdict.PASS, (Reason("own-code", "looks fine"),)))


def _gives_what_was_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    check = administer.check_give

    def careless(now: datetime, patient: Patient, pack: Pack, *more: Any) -> Refusal | None:
        passed_once = pack.state is PackState.REVOKED and pack.verdict is Verdict.PASS
        return None if passed_once else check(now, patient, pack, *more)

    monkeypatch.setattr(administer, "check_give", careless)
    monkeypatch.setattr(endings, "advanced", lambda state, to: to)


def _leaves_tablets_in_ended_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "empty_pack", lambda *_: None)


def _calls_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_deeds, "call_off", lambda unit, pack, reason: None)


def _remakes_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_packs, "remake", lambda unit, pack, house: pack)


def _takes_any_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve_doubt, "counting_refused", lambda doubt, told, high_alert: None)


def _books_nothing_of_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "take_drop", lambda unit, job, drop: None)


def _forgets_to_ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "is_news", lambda known, told: known is None)


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (_books_every_telling, "4 the ledger says what fell"),
        (_passes_everything, "5 "),
        (_never_gives_back, "4 what is reserved"),
        (_forgets_the_promise, "4 what is promised"),
        (_gives_what_was_revoked, "7 "),
        (_leaves_tablets_in_ended_packs, "4 a pack holds"),
        (_calls_nothing_off, "3 no pack goes on"),
        (_remakes_without_end, "3 no dose waits"),
        (_takes_any_answer, "9 an answer is taken"),
        (_books_nothing_of_a_doubt, "4 "),
        (_forgets_to_ask_anew, "9 a machine in doubt waits for ever"),
    ],
)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], rule: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch)
    others = []
    for seed in range(WALKS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            Walk(seed, folder).run(STEPS)
        except Broken as broken:
            if str(broken).startswith(rule):
                return
            others.append(str(broken)[:80])
    pytest.fail(f"no walk of {WALKS} found it by its rule, others found {others}")
