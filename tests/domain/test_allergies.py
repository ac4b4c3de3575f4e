"""An allergy speaks against the drug, its class and its relatives, in both languages; what is denied never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.allergies import AllergyHit, Strength, allergy_hits, allergy_reason, is_allergic_to
from hub.domain.allergy_classes import CLASSES, CROSS_REACTIONS, UMBRELLAS
from hub.domain.allergy_words import allergens, allergy_text, is_high_criticality
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.sounds import sound


def item(inn: str, trade_name: str = "", group: str = "") -> Drug:
    return Drug(
        code=DrugCode("X"), inn=inn, trade_name=trade_name, form=Form.TABLET, strength="500 mg", unit="tablet", group=group, drug_class=DrugClass.ORDINARY,
        high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=1, prepack_allowed=True, price=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("allergy", "inn", "strength"),
    [
        ("Метформин", "Metformin", "allergy"), ("warfarin", "варфарин", "allergy"), ("гидрохлоротиазид", "Hydrochlorothiazide", "allergy"),
        ("цефтриаксона", "CefTRIAXone", "allergy"), ("аспирин", "Aspirin EC", "allergy"), ("амоксициллин", "Amoxicillin-Clavulanic Acid", "allergy"),
        ("пенициллины", "Ampicillin Sodium", "allergy-class"), ("J01CA04", "Piperacillin-Tazobactam", "allergy-class"), ("J01C", "oxacillin", "allergy-class"),
        ("Аугментин", "Ampicillin", "allergy-class"), ("цефалоспорины", "Cephalexin", "allergy-class"), ("Bactrim", "Sulfadiazine", "allergy-class"),
        ("Sulfa (sulfonamide antibiotics)", "Sulfameth/Trimethoprim DS", "allergy-class"), ("аспирин", "Ibuprofen", "allergy-class"),
        ("НПВС", "кеторолак", "allergy-class"), ("NSAIDs", "Naproxen", "allergy-class"), ("кодеин", "Morphine Sulfate", "allergy-class"),
        ("опиаты", "Fentanyl Citrate", "allergy-class"), ("рентгеноконтраст", "Iohexol 240", "allergy-class"), ("йод", "амиодарон", "allergy-class"),
        ("статины", "Rosuvastatin Calcium", "allergy-class"), ("местные анестетики", "лидокаин", "allergy-class"), ("Lidocaine", "бупивакаин", "allergy-class"),
        ("бета-лактамы", "meropenem", "allergy-class"), ("фторхинолоны", "Levofloxacin", "allergy-class"), ("макролиды", "азитромицин", "allergy-class"),
        ("пенициллин", "Ceftriaxone", "allergy-cross"), ("цефазолин", "Амоксициллин", "allergy-cross"), ("penicillin", "Meropenem", "allergy-cross"),
        ("сульфаниламиды", "фуросемид", "allergy-cross"), ("новокаин", "Лидокаин", "allergy-cross"), ("йод", "iohexol", "allergy-cross"),
        ("анальгин", "ибупрофен", "allergy-cross"), ("эналаприл", "Losartan Potassium", "allergy-cross"),
    ],
)  # fmt: skip
def test_an_allergy_meets_the_drug_its_class_or_a_relative(allergy: str, inn: str, strength: str) -> None:
    (hit,) = allergy_hits((allergy,), item(inn))
    assert hit.strength.value == strength


@pytest.mark.parametrize(
    ("allergy", "inn", "group"),
    [
        ("sulfa", "Ferrous Sulfate", ""), ("статины", "Nystatin", ""), ("аспирин", "Парацетамол", "анальгетики"), ("пыльца берёзы", "Метформин", "бигуаниды"),
        ("мёд", "Метформин", ""), ("penicillin", "Metoprolol Tartrate", ""), ("codeine", "Clonidine", ""), ("latex", "Sodium Chloride", ""),
        ("пенициллин", "азитромицин", "макролиды"), ("морфин", "Metformin", ""), ("Potassium", "Potassium Chloride", ""), ("", "Metformin", ""),
    ],
)  # fmt: skip
def test_what_has_nothing_to_do_with_the_drug_stays_silent(allergy: str, inn: str, group: str) -> None:
    assert not is_allergic_to(allergy, item(inn, group=group))


def test_a_drug_without_a_word_of_its_own_is_met_by_its_whole_name() -> None:
    assert is_allergic_to("chloride of potassium", item("Potassium Chloride"))


def test_trade_name_and_group_of_the_directory_count() -> None:
    assert is_allergic_to("Сиофор", item("Метформин", "Сиофор 500"))
    (hit,) = allergy_hits(("аллергия на бигуаниды",), item("Метформин", group="Бигуаниды"))
    assert (hit.strength, hit.class_name) == (Strength.CLASS, "Бигуаниды")


DENIALS = (
    "нет", "NKDA", "nka", "Аллергоанамнез не отягощён", "не отягощен", "отрицает", "отрицает аллергию на пенициллин", "отрицает аллергию на пенициллин, сульфаниламиды",
    "denies allergy to penicillin", "Patient denies any drug allergy", "Аллергии нет", "Аллергических реакций не было", "No known drug allergies",
    "no known allergies", "not allergic to penicillin", "пенициллин - нет", "Пенициллин: нет", "непереносимость пенициллина отсутствует", "аллергию на пенициллин отрицает",
    "реакций на пенициллин не отмечает", "аллергологический анамнез: спокоен", "без особенностей", "на пенициллин аллергия не выявлена", "-", "none", "",
)  # fmt: skip


@pytest.mark.parametrize("text", DENIALS)
def test_what_is_denied_is_no_allergy(text: str) -> None:
    assert allergens(text) == ()
    assert not is_allergic_to(text, item("Benzylpenicillin", group="Пенициллины"))


@pytest.mark.parametrize(
    "text",
    [
        "не переносит пенициллин", "не отрицает аллергию на пенициллин", "doesn't deny allergy to penicillin", "аллергия на пенициллин не исключена",
        "не отягощён, кроме пенициллина", "No known allergies except penicillin", "no known food allergies; penicillin", "отрицает аллергию на йод, отёк Квинке на пенициллин",
        "реакции на пенициллин ранее не было, сейчас отёк Квинке", "нет аллергии на аспирин, есть на пенициллин", "цефтриаксон: нет, пенициллин: сыпь",
        "аллергия: пенициллин", "penicillin?", "Пенициллин (со слов жены)", "пенициллин (реакция не указана)", "пенициллин - тип реакции не установлен",
        "пенициллин (анафилактический шок с отсутствием сознания)", "Penicillin (no documented reaction)", "penicillin (denies other allergies)",
        "пенициллин (пищевую отрицает)", "пенициллин (сыпь, пищевую отрицает)", "аллергия на пенициллин пищевую отрицает", "нет (кроме пенициллина)",
        "аллергия на пенициллин реакция не указана", "PCN", "PCN - hives", "Pen-VK", "пенецилин", "антибиотики", "на все антибиотики",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_denial_is_an_allergy(text: str) -> None:
    assert is_allergic_to(text, item("Benzylpenicillin"))


@pytest.mark.parametrize("text", ["бета-блокаторы", "β-блокаторы", "бета блокаторы", "beta-blockers", "beta blocker", "бета-адреноблокаторы"])
def test_beta_blockers_are_met_however_they_are_written(text: str) -> None:
    (hit,) = allergy_hits((text,), item("bisoprolol"))
    assert (hit.strength, hit.class_name) == (Strength.CLASS, "beta blockers")


@pytest.mark.parametrize("text", ["какой-то укол", "Foozitol", "penicillin and Foozitol", "аллергия есть", "сыпь", "варфарин", "неизвестно", "пенецилин"])
def test_a_text_that_names_nothing_known_is_asked_about_for_every_drug(text: str) -> None:
    (hit,) = allergy_hits((text,), item("Метформин"))
    reason = allergy_reason(hit, item("Метформин"))
    assert reason.rule == "allergy-not-understood" and text in reason.text and text in reason.text_ru
    assert not is_allergic_to(text, item("Метформин"))


@pytest.mark.parametrize(
    "text",
    ["пыльца берёзы", "кошачья шерсть", "cat hair", "dust mites", "молоко, арахис", "орехи и мёд", "latex", "пенициллин (сыпь)", "Lisinopril / cough", "нет (со слов матери)",
     "антибиотики пенициллинового ряда", "антибиотики", "penicillin (criticality high / severity severe / rash)", "пенициллин, крапивница в 2010 году", *DENIALS],
)  # fmt: skip
def test_what_is_plainly_known_or_denied_asks_nothing_of_another_drug(text: str) -> None:
    assert allergy_hits((text,), item("Метформин")) == ()


def test_the_name_of_another_drug_of_the_directory_is_known() -> None:
    directory = {DrugCode("W"): item("Warfarin", "Варфарекс")}
    for text in ("варфарин", "Варфарекс", "warfarin (rash)"):
        assert allergy_hits((text,), item("Метформин"), directory) == ()
    assert allergy_hits(("варфарин, Foozitol",), item("Метформин"), directory)[0].strength is Strength.UNCLEAR


def test_antibiotics_beside_a_class_say_only_what_it_is() -> None:
    assert allergy_hits(("антибиотики пенициллинового ряда",), item("Ciprofloxacin")) == ()
    assert is_allergic_to("антибиотики", item("Ciprofloxacin")) and is_allergic_to("antibiotics", item("Linezolid"))


@pytest.mark.parametrize("text", ["пенициллин (анафилактический шок с отсутствием сознания)", "пенициллин, анафилактический шок", "Penicillin — anaphylaxis", "отёк Квинке на пенициллин", "severe rash, penicillin",
                                  allergy_text("penicillin", criticality="high"), allergy_text("penicillin", severity="severe", reactions=("hives",))])  # fmt: skip
def test_a_grave_reaction_is_known_as_one(text: str) -> None:
    (hit,) = allergy_hits((text,), item("Benzylpenicillin"))
    assert is_high_criticality(text) and hit.is_critical
    assert "two people" in allergy_reason(hit, item("Benzylpenicillin")).text


@pytest.mark.parametrize("text", ["пенициллин", "penicillin, rash", "анафилаксии не было; пенициллин", allergy_text("penicillin", criticality="low", severity="mild")])
def test_a_light_or_unknown_reaction_is_not_grave(text: str) -> None:
    assert not is_high_criticality(text)


def test_a_relative_of_a_grave_allergy_needs_one_pharmacist_only() -> None:
    (hit,) = allergy_hits(("анафилаксия на пенициллин",), item("Ceftriaxone"))
    assert hit.strength is Strength.CROSS and not hit.is_critical


@pytest.mark.parametrize("strength", Strength)
def test_the_reason_names_allergy_drug_and_class_in_both_languages(strength: Strength) -> None:
    reason = allergy_reason(AllergyHit("пенициллин", strength, "penicillins", "пенициллины"), item("Ampicillin"))
    assert reason.rule == strength.value and reason.source
    for text, class_name in ((reason.text, "penicillins"), (reason.text_ru, "пенициллины")):
        assert "пенициллин" in text and "Ampicillin" in text and (class_name in text or strength in (Strength.SAME, Strength.UNCLEAR))


@pytest.mark.parametrize("each", CLASSES, ids=lambda each: each.name)
def test_every_member_of_a_class_meets_every_other(each: object) -> None:
    for member in each.members:  # type: ignore[attr-defined]
        hits = allergy_hits((each.members[0],), item(member))  # type: ignore[attr-defined]
        assert hits and hits[0].strength in (Strength.SAME, Strength.CLASS), member


def test_cross_reactions_and_umbrellas_name_classes_that_exist() -> None:
    names = {each.name for each in CLASSES}
    assert len(names) == len(CLASSES)
    assert {name for pair in CROSS_REACTIONS for name in pair} <= names and all(len(pair) == 2 for pair in CROSS_REACTIONS)
    assert {name for _, held in UMBRELLAS for name in held} <= names


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [("Cefazolin", "цефазолин"), ("azithromycin", "азитромицин"), ("Hydrochlorothiazide", "гидрохлоротиазид"), ("heparin", "гепарин"), ("iohexol", "йогексол"),
     ("levothyroxine", "левотироксин"), ("naproxen", "напроксен"), ("theophylline", "теофиллин"), ("vancomycin", "ванкомицин"), ("morphine", "морфин")],
)  # fmt: skip
def test_a_name_sounds_alike_in_both_alphabets(latin: str, cyrillic: str) -> None:
    assert sound(latin) == sound(cyrillic)


@given(st.text(max_size=60))
def test_any_text_is_an_answer_and_what_is_told_is_part_of_it(text: str) -> None:
    parts = allergens(text)
    assert all(part in text for part in parts)
    assert isinstance(is_high_criticality(text), bool) and isinstance(allergy_hits((text,), item("Ampicillin")), tuple)
