"""The authored sample day holds together: ids, directory, stock, changes."""

from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hub.adapters.intake.sample import SAMPLE_ZONE, Sample, read_sample, sample_file, write_changes
from hub.adapters.intake.sources import shipped_sources
from hub.domain.drugs import DrugClass, Storage
from hub.domain.orders import OrderStatus
from tests.said import english

ZONE = ZoneInfo(SAMPLE_ZONE)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return read_sample(shipped_sources()["sample"], ZONE)


def test_the_day_has_the_size_and_the_oddities_of_a_day(sample: Sample) -> None:
    lines, drugs = sample.sheet.lines, sample.directory
    assert (len(sample.sheet.patients), len(lines), len(drugs)) == (41, 191, 76)
    assert len({line.id for line in lines}) == len(lines)
    assert Counter(stay.department for stay in sample.sheet.stays) == {
        "Терапевтическое отделение": 12,
        "Кардиологическое отделение": 11,
        "Хирургическое отделение": 8,
        "Неврологическое отделение": 8,
        "Отделение реанимации и интенсивной терапии": 1,
        "Приёмное отделение": 1,
    }
    assert [line.drug for line in lines if line.drug not in drugs] == ["?фитолизин паста 100 г паста"]
    assert sum(line.dose is None for line in lines) == sum(line.timing is None for line in lines) == 1
    assert sum(not line.signed_by for line in lines) == 2
    assert [words for line in lines for words in english(line.unsupported)] == ["the course end cannot be read: не определено"]
    ordered = [drugs[line.drug] for line in lines if line.drug in drugs]
    assert any(drug.hazardous for drug in ordered)
    assert any(drug.storage is Storage.COLD for drug in ordered)
    assert {drug.drug_class for drug in ordered} >= {None, DrugClass.NARCOTIC, DrugClass.PSYCHOTROPIC, DrugClass.POTENT}
    assert sum(bool(patient.allergies) for patient in sample.sheet.patients) == 8
    assert all(patient.allergies is not None for patient in sample.sheet.patients)


def test_every_drug_has_two_lots_and_every_cassette_a_drug(sample: Sample) -> None:
    lots = Counter(receipt.item for receipt in sample.stock)
    assert lots == dict.fromkeys(sample.directory, 2)
    assert all(receipt.expires_on.year in (2027, 2028) for receipt in sample.stock)
    assert len(sample.cassettes) == 30


def test_the_changes_are_what_the_sheet_makes_of_them(sample: Sample) -> None:
    sheet = replace(sample.sheet, name="day.csv")
    assert write_changes(sheet, ZONE) == sample_file("changes.ndjson")


def test_changed_orders_are_those_of_the_sheet_and_say_nothing_else(sample: Sample) -> None:
    known = {line.id: line for line in sample.sheet.lines}
    changed = [change.line for change in sample.changes.changes if change.line]
    old = [line for line in changed if line.id in known]
    assert (len(changed), len(old)) == (13, 8)
    for line in old:
        before = known[line.id]
        same = replace(line, sheet=before.sheet, position=before.position, status=before.status, note=before.note, dosages=before.dosages)
        assert same == before
    assert {line.status for line in old} >= {OrderStatus.STOPPED, OrderStatus.ON_HOLD, OrderStatus.CANCELLED, OrderStatus.ACTIVE}
    assert not any(english(line.unsupported) for line in changed)
    assert sum(line.stat for line in changed) == 1


def test_moves_and_discharges_are_of_patients_of_the_day(sample: Sample) -> None:
    stays = {stay.patient: stay for stay in sample.sheet.stays}
    finished = [change.stay for change in sample.changes.changes if change.stay and change.stay.finished_at]
    assert {stay.patient for stay in finished} == {stay.patient for stay in sample.discharges.stays}
    for stay in (*finished, *sample.discharges.stays):
        assert stays[stay.patient].encounter == stay.encounter
        assert stays[stay.patient].department == stay.department
    new = {change.patient.id for change in sample.changes.changes if change.patient}
    assert len(new) == 1 and not new & stays.keys()
