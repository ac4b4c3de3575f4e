"""Layouts: every character is on the label, readable, in a place of its own; or it is an error."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import (
    AMPOULES,
    BADGE,
    COLD_ITEM,
    ENGLISH_POUCH,
    HALF_TABLET,
    RUSSIAN_POUCH,
    SAMPLES,
    WRISTBAND,
)

from labels.content import content_of
from labels.documents import DoseLine, ItemKind, LabelDocument, Language, Mark, PouchLabel, WristbandLabel
from labels.errors import LabelError, LabelOverflow, TemplateError, UnprintableText
from labels.fonts import Face
from labels.geometry import Plan, apart
from labels.layout import fits, plan_label
from labels.proof import prove
from labels.render import draw
from labels.serial import make_serial
from labels.template import SMALLEST_TEXT_DOTS
from labels.textflow import pieces_of, wrap

words = st.text(alphabet="абвгдежщюяАБВЁЙЩabcWMgjQ0123456789½×=,.-/°«»", min_size=1, max_size=16)
phrases = st.lists(words, min_size=1, max_size=6).map(" ".join)
optional = st.one_of(st.just(""), phrases)
doses = st.builds(DoseLine, words, words, optional, phrases, st.booleans())
days = st.dates(date(1920, 1, 1), date(2099, 12, 31))
times = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2099-12-31"))
shared = {
    "serial": st.binary(min_size=1, max_size=8).map(make_serial),
    "language": st.sampled_from(Language),
    "department": phrases,
    "patient": phrases,
    "birth_date": days,
    "marks": st.frozensets(st.sampled_from(Mark), max_size=3),
}
pouches = st.builds(
    PouchLabel,
    **shared,
    room=optional,
    slot=optional,
    due=times,
    lines=st.lists(doses, min_size=1, max_size=6).map(tuple),
    rules=optional,
    expiry=days,
    lot_set=optional,
)
wristbands = st.builds(WristbandLabel, **shared, room=optional, record_number=optional)


def letters(text: str) -> Counter[str]:
    """Count the characters that are seen."""
    return Counter(text.replace(" ", "").replace("·", ""))


def assert_sound(document: LabelDocument, plan: Plan) -> None:
    assert letters("".join(run.text for run in plan.runs)) == letters("".join(content_of(document).texts()))
    for run in plan.runs:
        assert run.size >= SMALLEST_TEXT_DOTS
        assert run.box.x >= 0 and run.box.right <= plan.width
        assert run.box.y >= 0 and run.box.bottom <= plan.height
    boxes = [run.box for run in plan.runs] + [symbol.box for symbol in plan.symbols]
    assert all(apart(first, second) for first, second in combinations(boxes, 2))
    assert all(apart(bar, symbol.box) for bar in plan.bars for symbol in plan.symbols)
    for run in plan.runs:
        around = [bar for bar in plan.bars if not apart(bar, run.box)]
        assert bool(around) == run.inverted
        assert all(bar.x <= run.box.x and run.box.right <= bar.right for bar in around)
        assert all(bar.y <= run.box.y and run.box.bottom <= bar.bottom for bar in around)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_labels_are_sound(name: str) -> None:
    assert_sound(SAMPLES[name], plan_label(SAMPLES[name]))


@pytest.mark.parametrize("width", [60, 70, 100])
@pytest.mark.parametrize("document", [RUSSIAN_POUCH, ENGLISH_POUCH], ids=["ru", "en"])
def test_a_pouch_is_sound_on_film_of_every_width(document: LabelDocument, width: int) -> None:
    plan = plan_label(document, width)
    assert plan.width == width * 8
    assert_sound(document, plan)


@pytest.mark.parametrize("document", [AMPOULES, HALF_TABLET, SAMPLES["tray"]], ids=["bag", "item", "tray"])
def test_an_item_is_sound_on_the_small_roll(document: LabelDocument) -> None:
    plan = plan_label(document, 60)
    assert (plan.width, plan.height) == (480, 320)
    assert_sound(document, plan)


LONG_NAMES = (
    ("Инсулин растворимый человеческий генно-инженерный (Актрапид НМ)", "100 МЕ/мл", "раствор", "1 мл (100 МЕ)"),
    ("Цефотаксим + сульбактам натрия (Сульбактомакс)", "1000 мг + 500 мг", "флакон", "1 фл. (1500 мг)"),
    ("potassium chloride concentrate for infusion", "40 mEq/20 mL", "ampoule", "1 ampoule (40 mEq of 40 mEq)"),
)


@pytest.mark.parametrize("kind", [ItemKind.LIQUID, ItemKind.AMPOULES, ItemKind.COLD])
@pytest.mark.parametrize("drug", LONG_NAMES, ids=["insulin", "two-substances", "potassium"])
@pytest.mark.parametrize("language", Language)
def test_a_high_alert_drug_of_a_long_name_fits_a_longer_label_of_the_small_roll(
    kind: ItemKind, drug: tuple[str, str, str, str], language: Language
) -> None:
    marks = frozenset({Mark.HIGH_ALERT, Mark.ALLERGIES_NOT_CHECKED, Mark.LOOK_ALIKE})
    line = DoseLine(*drug, high_alert=True)
    document = replace(AMPOULES, kind=kind, language=language, lines=(line,), marks=marks, patient="Константинопольская Александра Владимировна")
    plan = plan_label(document, 60)
    assert (plan.width, plan.height) == (480, 480)
    assert_sound(document, plan)
    assert plan_label(AMPOULES, 60).height == 320, "a short one stays short"


@pytest.mark.parametrize("name", ["drawer", "badge", "command", "manifest"])
def test_the_labels_of_the_house_are_sound_on_the_small_roll(name: str) -> None:
    plan = plan_label(SAMPLES[name], 60)
    assert plan.width == 480
    assert_sound(SAMPLES[name], plan)
    assert prove(draw(plan), SAMPLES[name].code).passed


def test_a_width_that_no_template_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(TemplateError, match=r"pouch-75\.toml: width_mm: .*pouch-100, pouch-60, pouch-70, pouch-80"):
        plan_label(RUSSIAN_POUCH, 75)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.tuples(pouches, st.sampled_from((60, 70, 80, 100))), st.tuples(wristbands, st.just(80))))
def test_a_label_shows_every_character_or_is_refused(sample: tuple[LabelDocument, int]) -> None:
    document, width = sample
    try:
        plan = plan_label(document, width)
    except LabelOverflow:
        assert not fits(document, width)
        return
    assert_sound(document, plan)


def test_the_name_and_the_hour_are_the_largest_texts() -> None:
    plan = plan_label(ENGLISH_POUCH)
    first, second, *_ = sorted(plan.runs, key=lambda run: run.size, reverse=True)
    assert {first.text, second.text} == {"Maria Jensen", "08:00"}
    assert first.face is second.face is Face.BOLD


def test_a_high_alert_drug_is_white_on_black_and_marked_by_itself() -> None:
    plan = plan_label(RUSSIAN_POUCH)
    inverted = [run.text for run in plan.runs if run.inverted]
    assert "½ × 2,5 мг = 1,25 мг" in [text.replace("\N{NO-BREAK SPACE}", " ") for text in inverted]
    assert any("ВЫСОКИЙ РИСК" in text and "АЛЛЕРГИИ НЕ ПРОВЕРЕНЫ" in text for text in inverted)
    assert not any("500" in text for text in inverted)


def test_a_figure_never_stands_apart_from_its_unit() -> None:
    lines = [run.text for run in plan_label(RUSSIAN_POUCH, 60).runs]
    assert not [text for text in lines if text.rstrip()[-1:].isdigit() and text.startswith("Варфарин")]
    assert any("2,5\N{NO-BREAK SPACE}мг" in text for text in lines)


@pytest.mark.parametrize("strength", ["5000 МЕ/мл", "500 мг/125 мг", "2.5 мг/2 мл", "100000 анти-Ха МЕ/мл", "10-20 мг", "500 мг/5 мл"])
@pytest.mark.parametrize("width", range(160, 420, 20))
def test_a_concentration_is_never_broken(strength: str, width: int) -> None:
    content = content_of(replace(AMPOULES, lines=(DoseLine("Гепарин", strength, "раствор", "1 мл"),)))
    lines = wrap(pieces_of(content.doses[0].name, Face.BOLD), 24, width)
    texts = [span.text for line in lines or () for span in line.spans]
    assert not [text for text in texts if text.endswith(("/", "10-")) or text.startswith(("/", "мл", "125", "20"))], texts


def test_words_may_still_be_broken_after_a_hyphen_or_a_slash() -> None:
    assert [piece.text for piece in pieces_of("Ко-тримоксазол натрия/калия", Face.BOLD)] == ["Ко-", "тримоксазол", "натрия/", "калия"]


def test_a_cold_item_says_so_without_being_told() -> None:
    assert any("ХОЛОД" in run.text for run in plan_label(COLD_ITEM).runs if run.inverted)


def test_weekdays_and_months_are_of_the_language() -> None:
    assert "Пн 23 ноября" in content_of(RUSSIAN_POUCH).texts()
    assert "Mon 23 Nov" in content_of(ENGLISH_POUCH).texts()
    assert "1 из 3" in content_of(RUSSIAN_POUCH).texts()
    assert "1 of 1" in content_of(ENGLISH_POUCH).texts()


def test_too_many_drugs_are_an_error_and_not_a_shorter_list() -> None:
    many = replace(RUSSIAN_POUCH, lines=RUSSIAN_POUCH.lines * 4)
    assert not fits(many)
    with pytest.raises(LabelOverflow, match=r"doses.*too full"):
        plan_label(many)


def test_a_word_wider_than_the_label_is_an_error() -> None:
    with pytest.raises(LabelOverflow, match=r"^headline: 'Щ{120}' does not fit"):
        plan_label(replace(RUSSIAN_POUCH, patient="Щ" * 120))
    with pytest.raises(LabelOverflow, match=r"^detail: "):
        plan_label(replace(WRISTBAND, department="Щ" * 60))


@pytest.mark.parametrize("text", ["李 明", "\u202eабв", "שלום", "А\x07", "e\u0301\u0323", "А\u2028Б", "А\u2029Б", "А\rБ", "А\x85Б"])
def test_text_that_the_font_cannot_print_is_an_error(text: str) -> None:
    with pytest.raises(UnprintableText, match=r"^patient: the label font cannot print .* \(U\+"):
        plan_label(replace(ENGLISH_POUCH, patient=text))
    assert issubclass(UnprintableText, LabelError)


def test_decomposed_letters_are_composed_first() -> None:
    plan = plan_label(replace(RUSSIAN_POUCH, patient="Сергеи\u0306"))
    assert any(run.text == "Сергей" for run in plan.runs)


def test_documents_refuse_what_is_no_label() -> None:
    with pytest.raises(ValueError, match=r"^serial: "):
        replace(ENGLISH_POUCH, serial="ABCDEFGHIJKL")
    with pytest.raises(ValueError, match="at least one drug"):
        replace(ENGLISH_POUCH, lines=())
    with pytest.raises(ValueError, match="position"):
        replace(ENGLISH_POUCH, position=2, total=1)
    with pytest.raises(ValueError, match=r"^patient: .*empty"):
        replace(COLD_ITEM, patient=" ")
    with pytest.raises(ValueError, match=r"^department: .*empty"):
        replace(ENGLISH_POUCH, department="")
    with pytest.raises(ValueError, match=r"^units: .*empty"):
        replace(ENGLISH_POUCH.lines[0], units="")


@pytest.mark.parametrize("code", ["", "Б-1001", "B 1001", "B" * 21, "B\n1", "(01)"])
def test_a_code_that_scanners_type_differently_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"^code: "):
        replace(BADGE, code=code)
