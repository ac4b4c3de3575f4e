"""Look-alike and sound-alike names: what is flagged, why, how it is told apart, and what is left alone."""

from itertools import combinations
from pathlib import Path

import pytest
from domain_cases import drug
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode
from hub.domain.look_alikes import (
    LIKENESS_WORDS,
    Likeness,
    bare_name,
    groups_of,
    look_alike,
    look_alikes_of,
    pairs_of_names,
    spoken,
    tall_man,
)
from hub.domain.word_distance import bigrams, edits, fewest_edits, jaro_winkler

# Published as mixed up (lists of confused drug names, tall-man lists).
CONFUSED = (
    "hydroxyzine/hydralazine prednisone/prednisolone vinblastine/vincristine clonidine/clonazepam chlorpromazine/chlorpropamide",
    "daunorubicin/doxorubicin dobutamine/dopamine tramadol/trazodone metformin/metronidazole amlodipine/amiloride bupropion/buspirone",
    "glipizide/glyburide lamotrigine/lamivudine sulfadiazine/sulfasalazine carboplatin/cisplatin ephedrine/epinephrine quinine/quinidine",
    "risperidone/ropinirole nicardipine/nifedipine medroxyprogesterone/methylprednisolone hydrocodone/oxycodone hydromorphone/morphine",
    "cycloserine/cyclosporine guaifenesin/guanfacine tolbutamide/tolazamide fluoxetine/duloxetine fluoxetine/fluvoxamine celebrex/celexa",
    "zantac/xanax furosemide/torsemide acetazolamide/acetohexamide carbamazepine/oxcarbazepine sitagliptin/saxagliptin tizanidine/tiagabine",
    "valacyclovir/valganciclovir levetiracetam/levofloxacin lorazepam/alprazolam diazepam/diltiazem losartan/lovastatin",
    "винбластин/винкристин клонидин/клоназепам преднизон/преднизолон гидроксизин/гидралазин фуросемид/торасемид метформин/метронидазол",
    "амлодипин/амиодарон аминазин/аминалон лозартан/ловастатин цефотаксим/цефтриаксон дофамин/добутамин эпинефрин/эфедрин тиамин/тиамазол",
)
APART = (
    "aspirin warfarin metformin insulin ibuprofen furosemide heparin digoxin omeprazole lisinopril vancomycin ondansetron gabapentin",
    "аспирин варфарин омепразол дигоксин левотироксин фуросемид парацетамол гепарин цефтриаксон спиронолактон бисакодил",
)
ALPHABETS = st.sampled_from(["abcdeiorst", "абвеиорст"])


def named(inn: str, trade: str = "", **changes: object) -> Drug:
    return drug(code=DrugCode(inn[:12].upper()), inn=inn, trade_name=trade, **changes)


@pytest.mark.parametrize("pair", [pair for pairs in CONFUSED for pair in pairs.split()])
def test_pairs_that_people_have_mixed_up_are_flagged(pair: str) -> None:
    first, second = pair.split("/")
    found = look_alike(first, second)
    assert found is not None
    assert found == look_alike(second.upper(), first.title())
    assert found.why and found.said("en") and found.said("ru")
    one, other = found.tall
    assert (one.casefold(), other.casefold()) == (found.first, found.second)
    assert one != found.first and other != found.second


@pytest.mark.parametrize("names", APART)
def test_names_that_are_clearly_different_are_left_alone(names: str) -> None:
    assert pairs_of_names(names.split()) == ()
    assert [pair for pair in combinations(names.split(), 2) if look_alike(*pair)] == []


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("цефазолин", "цефазолил", Likeness.ONE_LETTER), ("Тиотриазолин", "Диотриазолин", Likeness.ONE_LETTER),
        ("кетанол", "кетонал", Likeness.LETTERS), ("Fluoxetine", "Флуоксатин", Likeness.SOUND), ("clonidine", "clonazepam", Likeness.BEGINNING),
        ("prednisone", "prednisolone", Likeness.LETTERS), ("risperidone", "ropinirole", Likeness.KNOWN), ("рисперидон", "ропинирол", Likeness.KNOWN),
    ],
)  # fmt: skip
def test_the_reason_is_told(first: str, second: str, why: Likeness) -> None:
    found = look_alike(first, second)
    assert found is not None
    assert why in found.why
    assert LIKENESS_WORDS[why][0] in found.said("en") and LIKENESS_WORDS[why][1] in found.said("ru")


@pytest.mark.parametrize(("first", "second"), [("Prednisone", "преднизон"), ("MetFORMIN XR (Glucophage XR)", "metformin"), ("ab", "abc"), ("", "x"), ("5%", "10%")])
def test_one_name_in_two_spellings_and_names_too_short_are_no_pair(first: str, second: str) -> None:
    found = look_alike(first, second)
    assert found is None or bare_name(first) != bare_name(second)
    assert look_alikes_of({item.code: item for item in (named("A1 " + first), named("B1 " + second))}) == ()


@pytest.mark.parametrize(
    ("first", "second", "tall"),
    [
        ("hydroxyzine", "hydralazine", ("hydrOXYzine", "hydrALAzine")), ("vinblastine", "vincristine", ("vinBLAstine", "vinCRIstine")),
        ("prednisone", "prednisolone", ("predniSONE", "predniSOLONE")), ("винбластин", "винкристин", ("винБЛАстин", "винКРИстин")),
        ("клонидин", "клоназепам", ("клонИДИН", "клонАЗЕПАМ")), ("dobutamine", "dopamine", ("doBUTAMINE", "doPAMINE")),
    ],
)  # fmt: skip
def test_capitals_show_where_names_differ(first: str, second: str, tall: tuple[str, str]) -> None:
    assert tall_man(first, second) == tall


def test_voiced_and_unvoiced_sound_alike_in_both_alphabets() -> None:
    assert spoken("Кардил") == spoken("гартил")
    assert spoken("Cefazolin") == spoken("цефазолин")


def test_a_directory_s_pairs_name_the_drugs_and_leave_out_one_substance_and_what_was_dismissed() -> None:
    drugs = [
        named("винбластин", "Розевин"), named("винкристин", "Онкокристин"), named("винкристина сульфат", "Винкристин-Тева"),
        named("гепарин натрия", "Гепарин"), named("Prednisone"), named("преднизолон", "Медопред", look_alike_group="пред"),
        named("преднизон", look_alike_group="пред"),
    ]  # fmt: skip
    directory = {item.code: item for item in drugs}
    pairs = look_alikes_of(directory)
    told = {(pair.names.first, pair.names.second): pair for pair in pairs}
    assert ("винбластин", "винкристин") in told and ("преднизолон", "преднизон") in told
    assert told["преднизолон", "преднизон"].confirmed and not told["винбластин", "винкристин"].confirmed
    assert told["винбластин", "винкристин"].first == ("ВИНБЛАСТИН",)
    assert not any({"prednisone", "преднизон"} == {pair.names.first, pair.names.second} for pair in pairs)
    assert frozenset({"винбластин", "винкристин"}) <= next(group for group in groups_of(pairs) if "винбластин" in group)
    dismissed = {**directory, drugs[0].code: named("винбластин", "Розевин", told_apart="прочее; винкристин")}
    assert ("винбластин", "винкристин") not in {(pair.names.first, pair.names.second) for pair in look_alikes_of(dismissed)}


@given(ALPHABETS.flatmap(lambda letters: st.tuples(st.text(letters, max_size=14), st.text(letters, max_size=14))))
def test_distances_are_those_of_a_library(words: tuple[str, str]) -> None:
    first, second = words
    assert edits(first, second) == OSA.distance(first, second) == edits(second, first)
    assert fewest_edits(first, second) <= edits(first, second)
    assert jaro_winkler(first, second) == pytest.approx(JaroWinkler.similarity(first, second) if first or second else 1.0)
    assert len(bigrams(first)) == len(first) + 1


@pytest.mark.parametrize(("first", "second"), [("abcde", "acbde"), ("abcde", "abXde"), ("abcde", "abde"), ("abcde", "Xabcde")])
def test_the_cheap_bound_is_never_above_one_edit(first: str, second: str) -> None:
    assert fewest_edits(first, second) <= edits(first, second) == 1


@given(ALPHABETS.flatmap(lambda letters: st.lists(st.text(letters, min_size=4, max_size=12), max_size=12)))
def test_looking_up_pairs_finds_what_comparing_all_finds(names: list[str]) -> None:
    bare = sorted({bare_name(name) for name in names} - {""})
    every = {(found.first, found.second) for one, other in combinations(bare, 2) if (found := look_alike(one, other)) is not None}
    found = {(pair.first, pair.second) for pair in pairs_of_names(names)}
    assert found <= every
    strong = {pair for pair in every if (alike := look_alike(*pair)) is not None and alike.score >= 80}
    assert strong <= found


@given(ALPHABETS.flatmap(lambda letters: st.tuples(st.text(letters, max_size=14), st.text(letters, max_size=14))))
def test_capitals_never_change_a_name(words: tuple[str, str]) -> None:
    first, second = words
    assert tuple(name.casefold() for name in tall_man(first, second)) == (first, second)


HOSPITAL = Path(__file__).parents[3] / "shared" / "data" / "hospital_fortnight" / "formulary.csv"


@pytest.mark.skipif(not HOSPITAL.is_file(), reason="the hospital's formulary is not beside the checkout")
def test_a_real_formulary_has_its_known_pairs() -> None:
    names = {line.split(",")[1] for line in HOSPITAL.read_text(encoding="utf-8").splitlines()[1:]}
    found = {(pair.first, pair.second) for pair in pairs_of_names(names)}
    for known in (("hydralazine", "hydroxyzine"), ("metformin", "metronidazole"), ("furosemide", "torsemide"), ("bupropion", "buspirone")):
        assert known in found
    assert len(found) < 400
