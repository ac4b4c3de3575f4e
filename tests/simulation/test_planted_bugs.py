"""The oracle is no decoration: each bug that is planted into the use cases is found by some walk, and named by its rule."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.domain.packs import PackState, Verdict
from hub.services import administer, call_off, endings, late_deeds, machine_events, reject_packs, verify_pack
from hub.services.endings import move_pack
from tests.simulation.oracle import Broken
from tests.simulation.walker import Walk

WALKS = 20
STEPS = 200


def _never_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (machine_events, call_off):
        monkeypatch.setattr(module, "release_reservations", lambda unit, job: None)


def _forgets_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_off, "forget_pick", lambda unit, pack, reason: move_pack(unit, pack, PackState.NEVER_MADE, reason))


def _books_every_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_events, "has_dropped", lambda unit, job, slot: False)


def _passes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pack, "verify_pouch", lambda expected, seen: (Verdict.PASS, ("looks fine",)))


def _gives_what_was_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    check = administer.check_give
    careless = lambda now, patient, pack, *more: None if pack.state is PackState.REVOKED else check(now, patient, pack, *more)  # noqa: E731
    monkeypatch.setattr(administer, "check_give", careless)
    monkeypatch.setattr(endings, "advanced", lambda state, to: to)


def _leaves_tablets_in_ended_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "empty_pack", lambda *_: None)


def _calls_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_deeds, "call_off", lambda unit, pack, reason: None)


def _remakes_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_packs, "remake", lambda unit, pack, house: pack)


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
    ],
)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], rule: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch)
    for seed in range(WALKS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            Walk(seed, folder).run(STEPS)
        except Broken as broken:
            assert str(broken).startswith(rule), broken
            return
    pytest.fail(f"no walk of {WALKS} found it")
