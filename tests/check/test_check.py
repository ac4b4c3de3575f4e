"""The independent checker: silent about a day that agrees, and naming every planted disagreement."""

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_day import LABELS, SHEET, Entries, Facts, ledger, put_down, truth, written

from simulators.check import main
from simulators.checking.chain import NotSound, canonical

Found = list[dict[str, Any]]


def _checked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Found, dict[str, Any]]:
    status = main(arguments)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return status, lines[:-1], lines[-1]


def _entry(entries: Entries, kind: str, **members: Any) -> dict[str, Any]:
    return next(data for name, data in entries if name == kind and members.items() <= data.items())


def _fact(facts: Facts, what: str, **members: Any) -> dict[str, Any]:
    return next(fact for fact in facts if fact["what"] == what and members.items() <= fact.items())


def test_a_day_that_agrees_has_no_mismatch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found, summary = _checked(put_down(tmp_path, ledger(), truth()), capsys)
    assert (status, found) == (0, [])
    last = json.loads(written(ledger()).splitlines()[-1])["hash"]
    assert summary == {
        "mismatches": 0, "entries": len(ledger()), "head": last, "doses": 5, "doses_given": 3, "packs": 4, "pouches": 2, "handed": 2,
        "facts": len(truth()),
    }  # fmt: skip


def test_it_runs_as_a_program_of_its_own_and_imports_nothing_of_the_hub(tmp_path: Path) -> None:
    arguments = put_down(tmp_path, ledger(), truth())
    program = (
        "import sys; from simulators.check import main; status = main(sys.argv[1:]); "
        "sys.exit(status or any(name.split('.')[0] in {'hub', 'devices', 'labels', 'firmware_bridge'} for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert (ran.returncode, json.loads(ran.stdout)["mismatches"]) == (0, 0), ran.stderr
    ran = subprocess.run([sys.executable, "-m", "simulators", "check", *arguments], capture_output=True, timeout=30, check=False)
    assert ran.returncode == 0


def _drop_a_second_tablet(entries: Entries, facts: Facts) -> None:
    facts.append(dict(_fact(facts, "tablet-dropped", pouch="u1")))


def _lose_the_drop_event(entries: Entries, facts: Facts) -> None:
    entries.remove(("stock-moved", _entry(entries, "stock-moved", to="pack:A")))
    entries.remove(("stock-moved", _entry(entries, "stock-moved", **{"from": "pack:A"})))


def _swap_labels(entries: Entries, facts: Facts) -> None:
    _fact(facts, "pouch-labelled", pouch="u1")["digest"] = LABELS["B"]


def _given_was_missed(entries: Entries, facts: Facts) -> None:
    entries[:] = [("dose-missed", {"dose": data["dose"], "reason": ""}) if kind == "dose-given" else (kind, data) for kind, data in entries]


def _planned_seven(entries: Entries) -> None:
    for kind, data in entries:
        if kind == "dose-planned":
            data["units"] = "7"


PLANTED: dict[str, tuple[Callable[[Entries, Facts], Any], set[str]]] = {
    "double drop": (_drop_a_second_tablet, {"tablet-dropped"}),
    "lost event": (_lose_the_drop_event, {"tablet-dropped"}),
    "swapped label": (_swap_labels, {"pouch-labelled"}),
    "another lot fell": (lambda _, facts: _fact(facts, "tablet-dropped").update(lot="L9"), {"tablet-dropped"}),
    "a drop for an unknown job": (lambda _, facts: _fact(facts, "tablet-dropped").update(job="other"), {"tablet-dropped"}),
    "two pouches of one job": (
        lambda _, facts: facts.extend([{"what": "pouch-cut", "pouch": "u9", "job": "jobA"}, {"what": "pouch-diverted", "pouch": "u9", "job": "jobA"}]),
        {"pouch-cut", "pouch-released"},
    ),
    "a pouch of no job": (
        lambda _, facts: facts.extend([{"what": "pouch-cut", "pouch": "u9", "job": "x"}, {"what": "pouch-diverted", "pouch": "u9", "job": "x"}]),
        {"pouch-cut"},
    ),
    "a pouch that was never cut left": (lambda _, facts: facts.append({"what": "pouch-diverted", "pouch": "u9", "job": "x"}), {"pouch-cut"}),
    "produced but never cut": (lambda _, facts: facts.remove(_fact(facts, "pouch-cut", pouch="u2")), {"pack-produced", "pouch-cut", "destroyed"}),
    "cut but never produced": (lambda entries, _: entries.remove(("pack-produced", {"pack": "B", "job": "jobB"})), {"pouch-cut"}),
    "a failed pouch was let out": (lambda _, facts: _fact(facts, "pouch-diverted").update(what="pouch-released"), {"pouch-released"}),
    "a passed pouch was diverted": (lambda _, facts: _fact(facts, "pouch-released").update(what="pouch-diverted"), {"pouch-released"}),
    "a diverted pouch released by the camera": (
        lambda entries, _: entries.append(("pack-released", {"pack": "B", "by": "camera"})), {"pouch-diverted"},
    ),
    "a pouch still in the station": (lambda _, facts: facts.remove(_fact(facts, "pouch-released")), {"pouch-released"}),
    "given without a release": (lambda entries, _: entries.remove(("pack-released", {"pack": "A", "by": "camera"})), {"pack-released"}),
    "handed to another": (lambda _, facts: _fact(facts, "pouch-handed", pouch="u1").update(patient="p2"), {"pouch-handed"}),
    "handed and not written down": (
        lambda _, facts: facts.append({"what": "pouch-handed", "label": "l1", "patient": "p1", "codes": []}), {"pouch-handed"},
    ),
    "written down and not handed": (lambda _, facts: facts.remove(_fact(facts, "pouch-handed", label="l2")), {"pouch-handed"}),
    "picked one more": (lambda _, facts: _fact(facts, "picked", label="l1").update(quantity="1"), {"picked"}),
    "picked for another label": (lambda _, facts: _fact(facts, "picked", label="l1").update(label="l9"), {"picked"}),
    "another lot given from the ward": (lambda _, facts: _fact(facts, "item-given").update(lot="L1"), {"item-given"}),
    "fewer tablets poured in": (lambda _, facts: _fact(facts, "cassette-loaded").update(quantity="19"), {"cassette-loaded"}),
    "destroyed only on paper": (lambda _, facts: facts.remove(_fact(facts, "destroyed")), {"destroyed"}),
    "restocked instead of destroyed": (lambda _, facts: _fact(facts, "destroyed").update(what="restocked"), {"destroyed", "restocked"}),
    "a picked pack without a printed label": (
        lambda _, facts: _fact(facts, "label-printed", label="l1").update(digest="0"), {"label-printed", "picked", "restocked"},
    ),
    "all that was given was missed": (_given_was_missed, {"dose-handed", "ward-dose-given"}),
    "given without being handed, with no pack": (
        lambda entries, _: entries.append(("dose-given", {"dose": "3", "patient": "p1", "pack": None, "units": "1/2"})), {"dose-given", "ward-dose-given"},
    ),
    "given out of a pack that nobody handed": (
        lambda entries, _: entries.append(("dose-given", {"dose": "2", "patient": "p2", "pack": "B", "units": "1"})), {"dose-given"},
    ),
    "given out of a pack that it was not in": (lambda entries, _: _entry(entries, "dose-given", dose="4").update(dose="2"), {"dose-given", "dose-handed"}),
    "given twice over": (lambda entries, _: entries.append(("dose-given", _entry(entries, "dose-given", dose="1"))), {"dose-handed"}),
    "planned units were seven": (lambda entries, _: _planned_seven(entries), {"dose-given", "units-handed", "ward-dose-given"}),
    "planned and given units were seven": (
        lambda entries, _: (_planned_seven(entries), [data.update(units="7") for kind, data in entries if kind == "dose-given"]),
        {"units-handed", "ward-dose-given"},
    ),
    "another drug was planned": (lambda entries, _: _entry(entries, "dose-planned", dose="1").update(drug="D9"), {"units-handed"}),
    "ward issues doubled": (
        lambda entries, _: _entry(entries, "stock-moved", because="ward-issue").update(quantity="4"), {"ward-issued"},
    ),
    "issued to another ward": (lambda _, facts: _fact(facts, "ward-issued").update(department="Surgery"), {"ward-issued"}),
    "no label printed by the ledger": (
        lambda entries, _: [entries.remove(entry) for entry in list(entries) if entry[0] == "label-printed"], {"label-printed"},
    ),
    "a label that nobody printed": (
        lambda entries, _: entries.append(("label-printed", {"pack": "A", "label": "0" * 64, "device": "printer-1"})), {"label-printed"},
    ),
    "no line decided": (
        lambda entries, _: [entries.remove(entry) for entry in list(entries) if entry[0] == "line-decided"], {"lines-told", "dose-planned"},
    ),
    "a line never decided": (lambda entries, _: entries.remove(("line-decided", _entry(entries, "line-decided", order="o-6"))), {"lines-told"}),
    "a line decided twice": (lambda entries, _: entries.append(("line-decided", _entry(entries, "line-decided", order="o-6"))), {"line-told"}),
    "the label of another pack scanned": (lambda _, facts: _fact(facts, "pouch-handed", pouch="u1").update(codes=["w1", "D"]), {"pouch-scanned"}),
    "another wristband scanned": (lambda _, facts: _fact(facts, "pouch-handed", pouch="u1").update(codes=["w2", "A"]), {"wristband-scanned"}),
    "a broken tablet handed over": (lambda _, facts: _fact(facts, "tablet-dropped", pouch="u1").update(broken=True), {"broken-handed"}),
    "a truth that cannot be read": (lambda _, facts: facts.append({"what": "picked", "item": "x"}), {"truth-line"}),
    "a dose that never ended": (lambda entries, _: entries.pop(), {"dose-ended"}),
    "a dose with two ends": (lambda entries, _: entries.append(("dose-missed", {"dose": "5", "reason": ""})), {"dose-ended"}),
    "a dose planned twice": (lambda entries, _: entries.append(("dose-planned", _entry(entries, "dose-planned", dose="1"))), {"dose-planned"}),
    "an end without a dose": (lambda entries, _: entries.append(("dose-missed", {"dose": "6", "reason": ""})), {"dose-planned"}),
    "a dose given to another": (lambda entries, _: _entry(entries, "dose-given", dose="5").update(patient="p1"), {"dose-given"}),
    "a pack with two ends": (lambda entries, _: entries.append(("pack-lost", {"pack": "B", "reason": ""})), {"pack-ended"}),
    "a pack that never ended": (
        lambda entries, _: entries.remove(("pack-destroyed", {"pack": "B", "reason": "rejected"})), {"pack-ended", "destroyed"},
    ),
    "a pack that nobody expected": (lambda entries, _: entries.append(("pack-lost", {"pack": "Z", "reason": ""})), {"pack-expected"}),
    "a pack given to another": (lambda entries, _: _entry(entries, "pack-given", pack="D").update(patient="p1"), {"pack-given", "pouch-handed"}),
    "contents given to another": (lambda entries, _: _entry(entries, "stock-moved", **{"from": "pack:D"}).update(to="patient:p1"), {"stock-moved"}),
    "something left in an ended pack": (
        lambda entries, _: _entry(entries, "stock-moved", **{"from": "pack:D"}).update(quantity="2"), {"pack-emptied"},
    ),
    "more taken than there was": (lambda entries, _: _entry(entries, "stock-moved", to="store", lot="L2").update(quantity="3"), {"stock-moved"}),
    "a lot of two items": (lambda entries, _: _entry(entries, "stock-moved", to="ward:Cardiology").update(item="D1"), {"stock-moved"}),
    "a quantity that is none": (lambda entries, _: _entry(entries, "stock-moved", to="ward:Cardiology").update(quantity="-2"), {"stock-moved"}),
    "a quantity that is no text": (lambda entries, _: _entry(entries, "stock-moved", to="ward:Cardiology").update(quantity=2), {"stock-moved"}),
    "a job that makes two packs": (
        lambda entries, _: entries.append(("job-queued", {"job": "jobA", "pack": "C", "device": "m", "fills": []})), {"job-queued"},
    ),
    "a correction of what comes later": (lambda entries, _: entries.insert(0, ("note", {"corrects": 5})), {"note"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_disagreement_is_found_and_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant, facts_named = PLANTED[name]
    entries, facts = ledger(), truth()
    plant(entries, facts)
    status, found, summary = _checked(put_down(tmp_path, entries, facts), capsys)
    assert status == 1
    assert summary["mismatches"] == len(found)
    assert facts_named <= {mismatch["fact"] for mismatch in found}, found


def test_a_pouch_with_a_broken_tablet_that_was_destroyed_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = truth()
    _fact(facts, "tablet-dropped", pouch="u2")["broken"] = True
    assert _checked(put_down(tmp_path, ledger(), facts), capsys)[:2] == (0, [])


def _put_in_doubt(entries: Entries) -> None:
    """Let pouch B never get to the camera: power was lost over it, and a person counted."""
    for kind in ("pack-produced", "pack-verified"):
        entries.remove((kind, _entry(entries, kind, pack="B")))
    entries.append(("doubt-resolved", {"job": "jobB", "device": "packager-1", "slot": 0, "cassette": 7, "asked": 1, "counted": 1}))


def test_a_pouch_in_doubt_is_cut_to_be_thrown_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = ledger()
    _put_in_doubt(entries)
    assert _checked(put_down(tmp_path, entries, truth()), capsys)[:2] == (0, [])


def test_a_pouch_in_doubt_that_was_let_out_or_miscounted_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries, facts = ledger(), truth()
    _put_in_doubt(entries)
    _fact(facts, "pouch-diverted").update(what="pouch-released")
    facts.append(dict(_fact(facts, "tablet-dropped", pouch="u2")))
    status, found, _ = _checked(put_down(tmp_path, entries, facts), capsys)
    assert status == 1 and {"pouch-released", "tablet-dropped"} <= {mismatch["fact"] for mismatch in found}


def test_a_label_of_a_pack_that_was_called_off_need_not_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries, facts = ledger(), truth()
    label = hashlib.sha256(b"E").hexdigest()
    called_off = {"pack": "E", "lane": "tray", "doses": [], "patient": "p1", "label": label, "job": None, "replaces": None, "expires_on": None}
    entries += [("pack-expected", called_off), ("pack-never-made", {"pack": "E", "reason": "stopped"})]
    facts.append({"what": "label-printed", "label": "l3", "digest": label})
    assert _checked(put_down(tmp_path, entries, facts), capsys)[:2] == (0, [])
    assert "label-printed" in {found["fact"] for found in _checked(put_down(tmp_path, entries[:-1], facts), capsys)[1]}


def _sheet(folder: Path, data: bytes, entries: Entries) -> list[str]:
    """Write a sheet whose content the ledger knows, and return the arguments that name it."""
    for kind, told in entries:
        if kind in ("sheet-received", "line-decided"):
            told["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "sheet").write_bytes(data)
    return [*put_down(folder, entries, truth()), "--sheet", str(folder / "sheet")]


NDJSON = b"\n".join(json.dumps(entry["resource"]).encode() for entry in json.loads(SHEET)["entry"]) + b"\n"
ROWS = "отделение;код\n" + "".join(f'"Хирургия;\n{number}";{number}\n' for number in range(6)) + ";\n"


@pytest.mark.parametrize("data", [SHEET, gzip.compress(SHEET, mtime=0), NDJSON, gzip.compress(NDJSON, mtime=0), ROWS.encode("utf-8-sig"), ROWS.encode("cp1251")])
def test_every_line_of_a_sheet_must_have_been_told_of(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = ledger()
    assert _checked(_sheet(tmp_path, data, entries), capsys)[:2] == (0, [])
    _entry(entries, "sheet-received")["orders"] = 5
    entries.remove(("line-decided", _entry(entries, "line-decided", order="o-6")))
    status, found, _ = _checked(_sheet(tmp_path, data, entries), capsys)
    assert (status, {mismatch["fact"] for mismatch in found}) == (1, {"sheet-line"})


def test_an_order_in_the_place_of_another_is_found_by_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = ledger()
    _entry(entries, "line-decided", order="o-6")["order"] = "o-7"
    found = _checked(_sheet(tmp_path, SHEET, entries), capsys)[1]
    assert [(mismatch["fact"], mismatch["order"]) for mismatch in found] == [("sheet-line", "o-6"), ("sheet-line", "o-7")]


@pytest.mark.parametrize("data", [SHEET[:-9], b"{", gzip.compress(SHEET, mtime=0)[:-9], b'{"resourceType": "Bundle"}', b"[1]"])
def test_a_sheet_that_cannot_be_read_is_a_mismatch(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _checked(_sheet(tmp_path, data, ledger()), capsys)[0] == 1


def test_a_sheet_that_the_ledger_does_not_know_is_a_mismatch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").write_bytes(SHEET + b"\n")
    found = _checked([*put_down(tmp_path, ledger(), truth()), "--sheet", str(tmp_path / "other")], capsys)[1]
    assert [mismatch["fact"] for mismatch in found] == ["sheet-received"]


def test_a_release_by_review_of_a_diverted_pouch_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = ledger()
    at = entries.index(("pack-destroyed", {"pack": "B", "reason": "rejected"}))
    entries.insert(at, ("pack-released", {"pack": "B", "by": "review"}))
    assert _checked(put_down(tmp_path, entries, truth()), capsys)[:2] == (0, [])


def test_a_corrected_entry_does_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = ledger()
    entries.append(("dose-missed", {"dose": "5", "reason": "by mistake"}))
    entries.append(("correction", {"corrects": len(entries), "reason": "it was given"}))
    assert _checked(put_down(tmp_path, entries, truth()), capsys)[:2] == (0, [])


def test_a_day_that_goes_on_may_have_open_ends_but_no_double_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries, facts = ledger()[:-2], truth()
    facts.remove(_fact(facts, "item-given"))
    arguments = [*put_down(tmp_path, entries, facts), "--unfinished"]
    assert _checked(arguments, capsys)[0] == 0
    assert entries[-3][0] == "dose-given"
    arguments = [*put_down(tmp_path, [*entries, entries[-3]], facts), "--unfinished"]
    assert _checked(arguments, capsys)[0] == 1


def test_without_truth_only_the_ledger_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = put_down(tmp_path, ledger(), truth())[:2]
    assert _checked(arguments, capsys)[0] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"actor":"system"', b'"actor":"mallory"'), (b'"seq":3}', b'"seq":4}'), (b'{"actor"', b'{ "actor"'), (b'"because":"receipt"', b'"because":"receip7"'),
        (b'"quantity":"30"', b'"quantity":30.0'), (b'"lot":"L1"', b'"lot":"L1","lot":"L1"'), (b'00.5Z"', b'00.5+00:00"'), (b"}\n", b"}"), (b"}\n", b"}\n\n"),
    ],
)  # fmt: skip
def test_a_broken_chain_is_found(old: bytes, new: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = put_down(tmp_path, ledger(), truth())
    path = tmp_path / "ledger.ndjson"
    whole = path.read_bytes()
    assert old in whole
    path.write_bytes(whole.replace(old, new, 1))
    status, found, _ = _checked(arguments, capsys)
    assert (status, found[0]["fact"]) == (1, "ledger-chain")


def test_a_missing_end_of_the_last_line_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = put_down(tmp_path, ledger(), truth())
    (tmp_path / "ledger.ndjson").write_bytes(written(ledger())[:-1])
    assert _checked(arguments, capsys)[1][0]["seq"] == len(ledger())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=150)
def test_its_own_canonical_form_is_rfc_8785(value: Any) -> None:
    assert canonical(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, 2**53, {"a": b"x"}])
def test_its_own_canonical_form_refuses_what_is_not_exact(value: Any) -> None:
    with pytest.raises(NotSound):
        canonical(value)


def test_the_program_in_the_document_verifies_an_export_as_it_stands_there(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
    program = tmp_path / "verify.py"
    program.write_text(document.split("```python\n")[1].split("```")[0])
    assert len(program.read_text().splitlines()) <= 40
    path = tmp_path / "ledger.ndjson"

    def run(export: bytes) -> tuple[int, str]:
        path.write_bytes(export)
        ran = subprocess.run([sys.executable, program, path], capture_output=True, text=True, timeout=30, check=False)
        return ran.returncode, ran.stdout + ran.stderr

    sound = written([*ledger(), ("note", {"\U0001f600": 1, "\ufb33": "ж\n", "n": -5})])
    status, said = run(sound)
    assert status == 0, said
    assert f"{len(ledger()) + 1} entries" in said
    assert hashlib.sha256(b"").hexdigest() not in said
    for spoilt in (sound.replace(b'"D1"', b'"D9"', 1), sound[:-1], sound.replace(b":", b": ", 1), sound + b"\n", b"".join(sound.splitlines(True)[1:])):
        status, said = run(spoilt)
        assert status == 1, said
        assert "entry" in said
