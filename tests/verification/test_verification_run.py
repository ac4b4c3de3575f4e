"""A small run of what `python -m tests.verification.run` measures: nothing that must not pass does, and it can be repeated."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.domain.picture_figures import PictureRate
from tests.verification.house import TABLETS, make_label
from tests.verification.pouches import COUNT_FAULTS, FAULTS, LABEL_FAULTS, RIGHT, STRATA, make_pouch
from tests.verification.report import picture_rates, report, share
from tests.verification.run import Run, main, outcome

LOOKS = ("white round 8", "red-white capsule 19", "blue oval 15")
RUN = Run(1, "mild", LOOKS)
POUCHES = 2 * len(FAULTS)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """Offer two pouches of each number of a fault, single and apart."""
    return [outcome(RUN, number) for number in range(POUCHES)]


def test_no_pouch_with_a_wrong_label_or_count_passes(lines: list[dict[str, Any]]) -> None:
    wrong = [line for line in lines if line["fault"] in (*LABEL_FAULTS, *COUNT_FAULTS)]
    assert len(wrong) >= 6
    assert [line for line in wrong if line["verdict"] == "PASS"] == []


def test_right_pouches_of_single_and_separate_tablets_pass(lines: list[dict[str, Any]]) -> None:
    right = [line for line in lines if line["fault"] == RIGHT]
    assert len(right) >= 6
    assert [line for line in right if line["verdict"] == "FAIL"] == []
    assert sum(line["verdict"] == "PASS" for line in right) >= len(right) - 1


def test_glare_that_one_light_shows_beside_a_tablet_is_looked_at_by_the_others_and_fails_nothing() -> None:
    line = outcome(Run(1, "mild"), 3845)
    assert (line["fault"], line["frames"]) == (RIGHT, 3)
    assert line["verdict"] != "FAIL"


def test_a_pouch_can_be_judged_again_with_the_same_outcome(lines: list[dict[str, Any]]) -> None:
    times = ("drawing_ms", "judging_ms")
    for number in (3, 8):
        again = outcome(RUN, number)
        assert {name: again[name] for name in again if name not in times} == {
            name: lines[number][name] for name in again if name not in times
        }


def test_every_fault_comes_about_in_every_stratum_it_can() -> None:
    labels = [make_label(1, number) for number in range(3)]
    pouches = [make_pouch(1, number, "mild", labels) for number in range(4 * len(FAULTS) * len(STRATA))]
    assert {pouch.fault for pouch in pouches} == {RIGHT, *FAULTS}
    for pouch in pouches:
        asked, counted = (sum(column) for column in zip(*pouch.sensors, strict=True))
        more = {"missing": -1, "missing-unsensed": -1, "extra": 1, "extra-unsensed": 1}.get(pouch.fault, 0)
        assert asked == len(pouch.expected) == len(pouch.scene.tablets) - more
        assert counted - asked == {"missing": -1, "extra": 1}.get(pouch.fault, 0)
        wanted = [TABLETS[name] for name in pouch.expected]
        assert (pouch.fault in ("swapped", "broken")) == (not more and wanted != list(pouch.scene.tablets))


def test_the_rates_of_the_picture_are_those_of_faults_that_no_sensor_sees() -> None:
    line = {"stratum": "apart", "verdict": "LOOK"}
    lines = [{**line, "fault": fault} for fault in (RIGHT, "extra-unsensed", "extra", "wrong")]
    assert picture_rates(lines) == [PictureRate("apart", "none", 0, 1, 0), PictureRate("apart", "extra", 0, 1, 0)]


def test_shares_are_told_with_what_they_prove() -> None:
    assert share(0, 300) == "0 of 300 (< 1.00%)"
    assert share(1, 20) == "1 of 20 = 5.00% (0.13%–24.87%)"
    assert share(0, 0) == "—"


def test_a_run_goes_on_where_it_was_broken_off_and_the_report_merges_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, page = tmp_path / "a.ndjson", tmp_path / "b.ndjson", tmp_path / "page.md"
    line = {
        "seed": 1,
        "severity": "mild",
        "fault": RIGHT,
        "stratum": "empty",
        "tablets": 1,
        "verdict": "PASS",
        "reasons": [],
        "frames": 1,
        "look": "",
        "other": "",
        "drawing_ms": 1.0,
        "judging_ms": 1.0,
    }
    first.write_text("".join(json.dumps({**line, "number": number}) + "\n" for number in range(3)) + '{"seed": 1, "num')
    assert main(["--from", "0", "--to", "3", "--out", str(first)]) == 0
    assert json.loads(capsys.readouterr().out)["pouches"] == 0
    assert first.read_text().count("\n") == 3 and first.read_text().endswith("\n")
    second.write_text(json.dumps({**line, "number": 9, "fault": "wrong"}) + "\n")
    assert main(["--report", str(page), "--out", str(first), str(second)]) == 1
    assert "4 simulated pouches" in page.read_text() and "1 of 1 = 100.00%" in page.read_text()
    assert not report([])[1], "nothing measured, nothing held"


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_workers_end_with_the_run_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.verification.run", "--pouches", "400", "--out", str(tmp_path / "out.ndjson")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: len(children_of(process.pid)) == 2)
            workers = children_of(process.pid)
        finally:
            process.terminate()
        process.wait(30)
    wait_until(lambda: not any(is_running(worker) for worker in workers))


def wait_until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.01)
