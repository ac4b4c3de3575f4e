"""Labels drawn for packs that wait: all of them, and a label that cannot be drawn stops nobody else's."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hub.adapters.intake.drug_match import drugs_like
from hub.adapters.label_documents import drug_text
from hub.adapters.labelling import ON_THE_ROLL, Labeller, LabelWidths, tall_names
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import DoseState
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode, PatientId
from hub.domain.packs import PackState
from hub.domain.tall_names import tall_names_of
from hub.services.close_day import tick
from hub.services.reject_packs import Decision, decide_review
from labels.documents import LabelKind
from labels.errors import TemplateError
from labels.template_file import template_of
from tests.services.small_world import World, order_line


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = World(tmp_path)
    yield made
    made.close()


def _rename(unit: SqlUnitOfWork, patient: str, name: str) -> None:
    known = unit.patients.get(PatientId(patient))
    assert known is not None
    unit.patients.put(replace(known, family=name, given=""))


def test_every_waiting_pack_gets_a_label_that_reads_back_as_itself(world: World) -> None:
    world.sheet(order_line("a"), order_line("b", patient=2))
    world.now = world.now.replace(hour=6, minute=20)
    world.do(lambda unit: tick(unit, world.house))
    labeller = Labeller(world.writer, world.house)
    while labeller.work():
        pass
    packs = world.all("packs")
    assert packs
    assert all(pack.label_digest for pack in packs)
    assert {entry["pack"] for entry in world.facts("pack-expected")} == {pack.serial for pack in packs}


def test_a_label_that_cannot_be_drawn_is_a_question_and_the_others_go_on(world: World) -> None:
    world.sheet(order_line("a"), order_line("b", patient=2))
    first = world.all("patients")[0].id
    world.do(lambda unit: _rename(unit, first, "王小明"))
    world.now = world.now.replace(hour=6, minute=20)
    world.do(lambda unit: tick(unit, world.house))
    labeller = Labeller(world.writer, world.house)
    for _ in range(3):
        labeller.work()
    stuck = [pack for pack in world.all("packs") if not pack.label_digest]
    assert [pack.patient for pack in stuck] == [first]
    assert "cannot be drawn" in stuck[0].reason
    reviews = world.all("reviews", kind="label")
    assert [review.subject for review in reviews] == [stuck[0].serial]
    assert reviews[0].reasons[0].startswith("its label cannot be drawn: patient: the label font cannot print")
    assert reviews[0].reasons_ru[0].startswith("этикетку нельзя напечатать: имя пациента: в шрифте этикетки нет знака")

    decision = Decision(reviews[0].id, accept=False, scanned="", reason="seen", by=reviews[0].decided_by or "u")  # type: ignore[arg-type]
    world.do(lambda unit: decide_review(unit, decision, world.house))
    assert world.get("packs", stuck[0].serial).state is PackState.NEVER_MADE
    ended = [dose for dose in world.all("doses") if dose.pack == stuck[0].serial]
    assert {dose.state for dose in ended} == {DoseState.UNFULFILLABLE}
    assert all("王小明" in dose.reason or "cannot be drawn" in dose.reason for dose in ended)


def test_names_of_a_look_alike_group_are_written_apart_and_others_are_not(world: World) -> None:
    world.sheet(order_line("a"))
    drug = world.get("drugs", world.all("orders")[0].line.drug)
    like = replace(drug, code=DrugCode("LIKE"), inn="Bisoprolol", trade_name="", look_alike_group="olol")
    own = replace(drug, inn="Metoprolol tartrate", trade_name="", look_alike_group="olol")
    assert drug_text(own, tall_names_of([own, like])) == "METoprolol tartrate"
    assert drug_text(drug, tall_names_of([own, like])) == drug_text(drug, {})
    facts = world.do(lambda unit: tall_names_with(unit, own, like))
    assert facts == {"metoprolol": "METoprolol", "bisoprolol": "BISoprolol"}
    assert drugs_like("METoprolol", [like, own], 1) == drugs_like("Metoprolol", [like, own], 1) == [own]


def tall_names_with(unit: SqlUnitOfWork, own: Drug, like: Drug) -> Mapping[str, str]:
    unit.drugs.put_many((own, like))
    return tall_names(unit, [own])


@pytest.mark.parametrize("film_mm", [60, 70, 100])
def test_labels_are_as_wide_as_the_film(world: World, film_mm: int) -> None:
    world.sheet(order_line("a"))
    world.now = world.now.replace(hour=6, minute=20)
    world.do(lambda unit: tick(unit, world.house))
    Labeller(world.writer, world.house, LabelWidths(of_film_mm=film_mm)).work()
    packs = [pack for pack in world.all("packs") if pack.job is not None]
    assert packs
    assert {world.get("prints", pack.serial).width for pack in packs} == {film_mm * 8}


def test_a_width_without_a_template_is_refused_at_once_with_those_there_are() -> None:
    with pytest.raises(TemplateError, match=r"pouch-75\.toml: width_mm: no template of this width, there are pouch-100, pouch-60"):
        LabelWidths(of_film_mm=75)
    with pytest.raises(TemplateError, match=r"item-50\.toml: .*there are item-60, item-60x60, item-80"):
        LabelWidths(of_roll_mm=50)


@pytest.mark.parametrize("kind", ON_THE_ROLL)
def test_a_roll_has_a_template_for_every_label_that_is_printed_on_it(kind: LabelKind) -> None:
    assert {template_of(kind, width).width for width in (60, 80)} == {480, 640}


def test_packs_and_trays_go_on_the_small_roll(world: World) -> None:
    world.sheet(order_line("a"))
    world.now = world.now.replace(hour=6, minute=20)
    world.do(lambda unit: tick(unit, world.house))
    labeller = Labeller(world.writer, world.house, LabelWidths(of_roll_mm=60))
    while labeller.work():
        pass
    assert all(pack.label_digest for pack in world.all("packs"))
    tray = world.get("prints", world.all("trolleys")[0].label)
    assert (tray.width, tray.height) == (480, 320)
