"""What should lie in a pouch, what a real picture of it teaches, and which tablets no picture tells apart."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from camera_plant import lying, picture
from camera_rasters import label

from devices.barcode_camera.content import UNKNOWN_LOOK
from devices.barcode_camera.inspect import Expected, Inspection, inspect
from devices.barcode_camera.looks import LookSource
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.expected_content import ExpectedContent, expected_content, look_of, sightings, with_expected
from hub.domain.identifiers import DrugCode, LotId
from hub.domain.packs import PackJob, Verdict
from hub.domain.references import MeasuredLook, ReferenceState, TabletReference
from hub.domain.verification import SeenPouch
from hub.services.references import name_of
from hub.services.verify_pack import verify_pack
from simulators.camera.scene import Scene, Tablet
from tests.services.small_world import World, order_line

PLAIN, ALERT = LotId("PLAIN/P1"), LotId("ALERT/A1")
WHITE = MeasuredLook(9000, 9000, 785, (240, 240, 240), (240, 240, 240))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def job(world: World) -> PackJob:
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    return job


def expected(world: World, job: PackJob) -> ExpectedContent:
    return world.do(lambda unit: expected_content(unit, unit.jobs.get(job.id)))


def typed(world: World, lot: LotId, look: str) -> None:
    world.do(lambda unit: unit.lots.put(replace(unit.lots.get(lot), look=look)))


def typed_all_but_the_plain(world: World) -> None:
    """Say of each lot how it looks: the plain one white, all others red."""
    for lot in world.all("lots"):
        typed(world, lot.id, "#ffffff round 9" if lot.id == PLAIN else "#c03030 round 9")


def confirmed(world: World, lot: LotId, look: MeasuredLook) -> None:
    reference = TabletReference(lot, DrugCode(lot.partition("/")[0]), ReferenceState.CONFIRMED, look=look)
    world.do(lambda unit: unit.tablet_references.put(reference))


def seen(job: PackJob, content: ExpectedContent, *tablets: Tablet, **changed: object) -> Inspection:
    return inspect(picture(Scene(job.pack, label(job.pack), tablets), **changed), Expected(job.pack, content.looks))


def test_a_confirmed_look_stands_before_a_typed_one_and_a_typed_one_before_none(world: World, job: PackJob) -> None:
    assert expected(world, job).looks == (UNKNOWN_LOOK, UNKNOWN_LOOK)
    typed(world, PLAIN, "#ffffff round 9")
    assert {look.source for look in expected(world, job).looks} == {LookSource.TYPED}
    confirmed(world, PLAIN, WHITE)
    assert expected(world, job).looks == (look_of(WHITE), look_of(WHITE))
    assert look_of(WHITE).source is LookSource.LEARNED


def test_a_picture_of_tablets_apart_teaches_a_lot_without_a_look_and_keeps_each_tablet(world: World, job: PackJob, tmp_path: Path) -> None:
    folder, content = EvidenceFolder(tmp_path / "references"), expected(world, job)
    taught = sightings(content, seen(job, content, lying(), lying()), folder)
    assert [one.lot for one in taught] == [PLAIN, PLAIN]
    assert all(abs(one.look.length_um - 9000) < 400 and one.like is None for one in taught)
    crops = [folder.read(one.crop) for one in taught]
    assert all(crop is not None and crop.startswith(b"\xff\xd8") and len(crop) < 20_000 for crop in crops)


@pytest.mark.parametrize(
    ("tablets", "changed"),
    [((lying(), lying()), {"touching": True}), ((lying(), lying(broken=True)), {}), ((lying(),), {}), ((lying(), lying(), lying()), {})],
)
def test_a_picture_that_is_not_certain_or_not_of_the_plan_teaches_nothing(
    world: World, job: PackJob, tmp_path: Path, tablets: tuple[Tablet, ...], changed: dict[str, object]
) -> None:
    typed(world, PLAIN, "#ffffff round 9")
    content = expected(world, job)
    assert sightings(content, seen(job, content, *tablets, **changed), EvidenceFolder(tmp_path / "references")) == ()


def test_a_lot_that_does_not_learn_any_more_is_not_pictured_again(world: World, job: PackJob, tmp_path: Path) -> None:
    confirmed(world, PLAIN, WHITE)
    content = expected(world, job)
    assert content.learning == frozenset()
    assert sightings(content, seen(job, content, lying(), lying()), EvidenceFolder(tmp_path / "references")) == ()


def test_a_tablet_says_which_confirmed_lot_of_its_item_it_looks_like(world: World, job: PackJob, tmp_path: Path) -> None:
    older = LotId("PLAIN/P0")
    folder, content = EvidenceFolder(tmp_path / "references"), expected(world, job)
    first = sightings(content, seen(job, content, lying(), lying()), folder)[0].look
    confirmed(world, older, first)
    again = expected(world, job)
    assert {one.like for one in sightings(again, seen(job, again, lying(), lying()), folder)} == {older}
    assert {one.like for one in sightings(again, seen(job, again, lying("#c03030"), lying("#c03030")), folder)} == {None}


def test_a_disk_that_takes_no_picture_never_stops_the_pouch(world: World, job: PackJob, tmp_path: Path) -> None:
    folder, content = EvidenceFolder(tmp_path / "references"), expected(world, job)
    (tmp_path / "references").rmdir()
    (tmp_path / "references").write_text("a file in the way")
    assert sightings(content, seen(job, content, lying(), lying()), folder) == ()


def test_what_lies_in_a_cassette_of_the_machine_and_looks_the_same_is_named(world: World, job: PackJob) -> None:
    typed_all_but_the_plain(world)
    assert expected(world, job).look_alikes == ()
    typed(world, ALERT, "#f5f0e0 round 9.3")
    (pair,) = expected(world, job).look_alikes
    assert pair.drug == "PLAIN" and not pair.proven and pair.first != pair.second
    inspection = seen(job, expected(world, job), lying(), lying())
    assert with_expected(SeenPouch(), expected(world, job), inspection, None).look_alikes == (pair,)


def test_a_drug_of_the_machine_whose_look_nobody_knows_may_look_the_same(world: World, job: PackJob) -> None:
    typed_all_but_the_plain(world)
    typed(world, ALERT, "")
    (pair,) = expected(world, job).look_alikes
    assert pair.drug == "PLAIN" and name(world, "ALERT") in pair.second
    own = SeenPouch((job.pack,), (), 2, True, world.machine.sensors(job), look_alikes=(pair,))
    without_record = tuple(replace(content, lot=LotId("PLAIN/TYPED")) for content in world.get("packs", job.pack).contents)
    world.do(lambda unit: unit.packs.put(replace(unit.packs.get(job.pack), contents=without_record)))
    assert world.do(lambda unit: verify_pack(unit, job.id, own, ())) is Verdict.LOOK
    (reason,) = world.facts("pack-verified")[0]["reasons"]
    assert pair.first in reason and pair.second in reason


def name(world: World, drug: str) -> str:
    return str(world.do(lambda unit: name_of(unit, DrugCode(drug))))
