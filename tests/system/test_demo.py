"""The demonstration as its user starts it: every process real, the end judged by the exit status and by strangers."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "hub" / "adapters" / "data" / "sample"
FORTNIGHT = ROOT.parent / "shared" / "data" / "hospital_fortnight"
SMALL_DAY_PATIENTS = 6

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


def run_demo(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run `dosehub demo --exit` and return its status, its summary and what it printed."""
    summary = folder / "summary.json"
    command = [sys.executable, "-m", "hub.cli", "demo", "--exit", "--json", str(summary), "--data-dir", str(folder / "hub"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    told = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {}
    return done.returncode, told, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sample_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str, Path]:
    folder = tmp_path_factory.mktemp("sample")
    return *run_demo(folder, "--faults", "mild", "--seed", "7"), folder


@pytest.fixture
def small_day(tmp_path: Path) -> Path:
    """A day sheet of the first patients of the sample."""
    lines = (SAMPLE / "day.csv").read_text(encoding="utf-8-sig").splitlines()
    patients: list[str] = []
    kept = [lines[0]]
    for line in lines[1:]:
        patient = ";".join(line.split(";")[2:4])
        if patient not in patients:
            patients.append(patient)
        if len(patients) <= SMALL_DAY_PATIENTS:
            kept.append(line)
    path = tmp_path / "2026-03-05-small.csv"
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return path


def test_the_sample_day_ends_with_every_invariant_held(sample_day: tuple[int, dict[str, Any], str, Path]) -> None:
    status, summary, printed, _ = sample_day
    assert status == 0, printed
    assert all(answer is True or answer == "not-exercised" for answer in summary["invariants"].values())
    assert len(summary["invariants"]) == 9
    assert summary["truth"]["mismatches"] == 0
    assert summary["ledger"]["imbalance"] == 0


def test_every_line_and_every_dose_of_the_sample_day_ends_in_one_place(sample_day: tuple[int, dict[str, Any], str, Path]) -> None:
    _, summary, _, _ = sample_day
    assert summary["sheet"]["orders"] == sum(summary["sheet"]["outcomes"].values()) > 150
    assert summary["doses"]["planned"] == sum(summary["doses"]["ended"].values()) == sum(summary["doses"]["lanes"].values()) > 200
    assert set(summary["doses"]["lanes"]) >= {"machine", "half-tablet", "ampoule", "injection", "liquid", "cold", "hazardous"}
    ended_unmade = summary["doubts"]["resolved"] + summary["packs"]["never_made"]
    assert summary["packs"]["produced"] == summary["packs"]["expected"] - ended_unmade, "a label in doubt takes its pack with it"
    assert summary["labels"]["read_back"] <= summary["labels"]["printed"]


def test_the_ledger_of_the_sample_day_verifies_by_the_program_of_its_document(
    sample_day: tuple[int, dict[str, Any], str, Path], tmp_path: Path
) -> None:
    _, summary, _, folder = sample_day
    export = tmp_path / "ledger.ndjson"
    with export.open("wb") as out:
        subprocess.run([sys.executable, "-m", "hub.cli", "ledger", "export", "--data-dir", str(folder / "hub")], cwd=ROOT, stdout=out, check=True)
    program = _program_of((ROOT / "docs" / "ledger.md").read_text(encoding="utf-8"))
    script = tmp_path / "verify.py"
    script.write_text(program, encoding="utf-8")
    sound = subprocess.run([sys.executable, str(script), str(export)], capture_output=True, text=True, check=False)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    ours = [sys.executable, "-m", "hub.cli", "ledger", "verify", "--data-dir", str(folder / "hub")]
    verified = subprocess.run(ours, cwd=ROOT, capture_output=True, text=True, check=False)
    assert verified.returncode == 0
    assert summary["ledger"]["head"] in verified.stdout
    export.write_bytes(export.read_bytes().replace(b'"dose-given"', b'"dose-taken"', 1))
    broken = subprocess.run([sys.executable, str(script), str(export)], capture_output=True, text=True, check=False)
    assert broken.returncode != 0


def _program_of(document: str) -> str:
    blocks = [block.split("```", 1)[0] for block in document.split("```python\n")[1:]]
    assert len(blocks) == 1
    return blocks[0]


@pytest.mark.parametrize("plant", ["double-drop", "swapped-label", "lost-event"])
def test_a_planted_fault_is_found_and_the_day_does_not_end_well(plant: str, small_day: Path, tmp_path: Path) -> None:
    status, summary, printed = run_demo(tmp_path, "--sheet", str(small_day), "--plant", plant)
    assert status == 1, printed
    assert summary["truth"]["mismatches"] > 0


def test_the_small_day_without_a_plant_ends_well(small_day: Path, tmp_path: Path) -> None:
    status, summary, printed = run_demo(tmp_path, "--sheet", str(small_day))
    assert status == 0, printed
    assert summary["doses"]["planned"] > 20


def test_a_truncated_sheet_is_refused_with_file_and_reason(tmp_path: Path) -> None:
    sheet = tmp_path / "2026-03-05.bundle.json"
    sheet.write_text('{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"', encoding="utf-8")
    status, summary, printed = run_demo(tmp_path, "--sheet", str(sheet))
    assert status == 1
    assert "2026-03-05.bundle.json" in " ".join(summary["problems"]), printed
    assert summary["doses"]["planned"] == 0


def test_options_that_cannot_be_met_are_refused_at_once(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.ndjson"
    foreign.write_text('{"hello": 1}\n', encoding="utf-8")
    damaged = tmp_path / "damaged.ndjson.gz"
    damaged.write_bytes(gzip.compress(b'{"at": "2026-03-05T07:00:00+03:00", "resource": {}}\n' * 50, mtime=0)[:40])
    sheet = str(SAMPLE / "day.csv")
    for arguments in (
        ["--sheet", str(tmp_path / "none.json")],
        ["--speed", "fast"],
        ["--day", "2026-03-06"],
        ["--changes", str(foreign)],
        ["--sheet", sheet, "--changes", str(foreign)],
        ["--sheet", sheet, "--changes", str(damaged)],
        ["--sheet", sheet, "--formulary", str(foreign)],
    ):
        status, summary, printed = run_demo(tmp_path, *arguments)
        assert status == 2, printed
        assert not summary


@pytest.mark.skipif(not FORTNIGHT.exists(), reason="the hospital fortnight is not beside this checkout")
def test_a_day_of_a_real_hospital_ends_with_every_invariant_held(tmp_path: Path) -> None:
    status, summary, printed = run_demo(
        tmp_path, "--sheet", str(FORTNIGHT / "sheets" / "2026-03-05.bundle.json.gz"), "--changes", str(FORTNIGHT / "changes" / "2026-03-05.ndjson.gz"),
        "--formulary", str(FORTNIGHT / "formulary.csv"), "--faults", "mild",
    )  # fmt: skip
    assert status == 0, printed
    assert summary["sheet"]["orders"] == 852
    assert summary["truth"]["mismatches"] == 0
    shutil.rmtree(tmp_path / "hub")
