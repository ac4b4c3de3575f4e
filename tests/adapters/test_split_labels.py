"""What does not fit one label goes into several packs, each with a label that says which of how many it is."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from hub.adapters.label_documents import pack_document
from hub.adapters.labelling import Labeller, LabelWidths, _facts
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import DoseState
from hub.domain.identifiers import CassetteId, DrugCode
from hub.domain.packs import JobState, Pack, PackState
from hub.domain.recorded_words import in_russian
from hub.domain.stock import Cassette, CassetteState
from hub.services.close_day import tick
from hub.services.endings import move_pack
from hub.services.reject_packs import remake
from hub.services.split_pack import TOO_FULL, split_pack
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from labels.content import content_of
from labels.raster import Raster
from labels.render import render
from tests.services.small_world import PACKAGER, PLAIN, TECHNICIAN, World, long_standing, order_line

NAMES = (
    ("Бисопролол", "Конкор", "5 mg"), ("Лизиноприл", "Диротон", "10 mg"), ("Аторвастатин", "Липримар", "20 mg"),
    ("Ацетилсалициловая кислота", "Тромбо АСС", "100 mg"), ("Метформин", "Сиофор", "500 mg"), ("Изосорбида мононитрат", "Моночинкве", "40 mg"),
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.do(_with_six_drugs)
    for slot in range(10, 10 + len(NAMES)):
        made.do(lambda unit, slot=slot: load_cassette(unit, Loading(PACKAGER, slot, CassetteId(slot), (f"D{slot}-L",), 30, "u-second")), TECHNICIAN)  # type: ignore[misc]
    yield made
    made.close()


def _with_six_drugs(unit: SqlUnitOfWork) -> None:
    for slot, (inn, trade_name, strength) in enumerate(NAMES, 10):
        code = DrugCode(f"D{slot}")
        unit.drugs.put(replace(PLAIN, code=code, inn=inn, trade_name=trade_name, strength=strength, group=""))
        unit.cassettes.put(Cassette(CassetteId(slot), code, PACKAGER, slot, 60, CassetteState.EMPTY))
        receive_stock(unit, [Receipt(f"D{slot}-L", code, f"L{slot}123", date(2027, 9, 1), Fraction(60), Decimal(1))])


def _frozen(world: World, drugs: int, *others: str) -> Labeller:
    """Have as many drugs frozen for one patient's morning; returns who draws their labels."""
    lines = [replace(long_standing(f"o{slot}"), drug=DrugCode(f"D{slot}")) for slot in range(10, 10 + drugs)]
    world.sheet(*lines, *(order_line(f"other-{drug}", drug=drug) for drug in others))
    world.now = world.now.replace(hour=6, minute=20)
    world.do(lambda unit: tick(unit, world.house))
    return Labeller(world.writer, world.house)


def _alive(world: World) -> list[Pack]:
    return sorted((pack for pack in world.all("packs") if pack.state is not PackState.NEVER_MADE and pack.patient == "p1"), key=lambda pack: pack.part)


def _says(world: World, pack: Pack) -> str:
    """Return the place in the set that the label at the printer says, whose dots are those drawn from the pack as it is now."""
    document = world.do(lambda unit: pack_document(_facts(unit, pack), world.house))
    label = world.get("prints", pack.serial)
    assert Raster(label.width, label.height, base64.b64decode(label.raster)) == render(document)
    return content_of(document).position


@pytest.mark.parametrize(("drugs", "sizes"), [(3, [3]), (4, [2, 2]), (5, [3, 2]), (6, [3, 2, 1])])
def test_a_label_that_is_too_full_becomes_parts_that_fit_and_say_which_they_are(world: World, drugs: int, sizes: list[int]) -> None:
    labeller = _frozen(world, drugs)
    while labeller.work():
        pass
    parts = _alive(world)
    assert [len(pack.doses) for pack in parts] == sizes
    assert [_says(world, pack) for pack in parts] == [f"{part} из {len(sizes)}" for part in range(1, len(sizes) + 1)]
    assert world.all("reviews", kind="label") == []
    doses = [dose for dose in world.all("doses") if dose.state is DoseState.FROZEN and dose.pack in {pack.serial for pack in parts}]
    assert sorted(dose.id for dose in doses) == sorted(dose for pack in parts for dose in pack.doses)
    assert len(doses) == drugs


def test_what_was_reserved_is_reserved_once_and_no_job_of_the_whole_is_sent(world: World) -> None:
    labeller = _frozen(world, 5)
    before = {cassette.id: cassette.reserved for cassette in world.all("cassettes")}
    [whole] = [pack for pack in _alive(world) if len(pack.doses) == 5]
    labeller.work()
    assert {cassette.id: cassette.reserved for cassette in world.all("cassettes")} == before
    dead = world.get("packs", whole.serial)
    assert (dead.state, dead.reason, dead.replaced_by) == (PackState.NEVER_MADE, TOO_FULL, _alive(world)[0].serial)
    assert world.get("jobs", whole.job).state is JobState.ABORTED
    assert world.get("commands", f"run-{whole.job}") is None and world.get("prints", whole.serial) is None
    assert {entry["job"] for entry in world.facts("job-queued")} == {pack.job for pack in _alive(world)}
    assert [pack.trolley for pack in _alive(world)] == [whole.trolley] * 2
    assert in_russian(TOO_FULL) != TOO_FULL


def test_packs_of_the_same_time_that_people_fill_count_with_the_parts(world: World) -> None:
    labeller = _frozen(world, 5, "TOXIC")
    assert sorted(len(pack.doses) for pack in _alive(world)) == [1, 5]
    labeller.work()
    assert [_says(world, pack) for pack in _alive(world)] == ["1 из 3", "2 из 3", "3 из 3"]


def test_a_set_of_which_a_label_says_its_number_already_is_not_split_but_asked_about(world: World) -> None:
    labeller = _frozen(world, 5, "TOXIC")
    whole, by_hand = sorted(_alive(world), key=lambda pack: -len(pack.doses))
    world.do(lambda unit: unit.packs.put(replace(by_hand, label_digest="00")))
    assert world.do(lambda unit: split_pack(unit, whole.serial, world.house)) is False
    labeller.work()
    [review] = world.all("reviews", kind="label")
    assert review.subject == whole.serial and "too full" in review.reasons[0]


def test_a_single_dose_and_a_pack_with_a_label_are_never_split(world: World) -> None:
    _frozen(world, 2, "TOXIC")
    two, one = sorted(_alive(world), key=lambda pack: -len(pack.doses))
    assert world.do(lambda unit: split_pack(unit, one.serial, world.house)) is False
    world.do(lambda unit: unit.packs.put(replace(two, label_digest="00")))
    assert world.do(lambda unit: split_pack(unit, two.serial, world.house)) is False


def test_a_patient_whose_name_fits_no_label_is_one_question_and_not_one_for_each_dose(world: World) -> None:
    labeller = _frozen(world, 4)
    patient = world.get("patients", "p1")
    world.do(lambda unit: unit.patients.put(replace(patient, family="Я" * 120)))
    labeller.work()
    assert len(world.all("reviews", kind="label")) == len(_alive(world)) == 1


def test_a_pouch_that_is_made_anew_keeps_its_place_in_the_set(world: World) -> None:
    labeller = _frozen(world, 5)
    labeller.work()
    second = _alive(world)[1]
    dead = world.do(lambda unit: move_pack(unit, second, PackState.NEVER_MADE, "the machine refused the job"))
    world.do(lambda unit: remake(unit, dead, world.house))
    new = world.get("packs", world.get("packs", second.serial).replaced_by)
    assert (new.part, new.parts) == (2, 2)


def test_the_small_film_splits_sooner(world: World) -> None:
    _frozen(world, 4)
    labeller = Labeller(world.writer, world.house, LabelWidths(of_film_mm=60))
    while labeller.work():
        pass
    assert all(pack.label_digest for pack in _alive(world)) and world.all("reviews", kind="label") == []
