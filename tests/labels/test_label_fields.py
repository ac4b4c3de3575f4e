"""What the regulation and ASHP want on a label is on it, for each kind and in both languages; docs/labels.md lists the clauses."""

from dataclasses import replace
from datetime import date

import pytest
from label_samples import AMPOULES, ENGLISH_OTHERS, HALF_TABLET, MANIFEST, RUSSIAN_POUCH, SAMPLES, TRAY

from labels.documents import LabelDocument, Language, ManifestLabel, ManifestRow
from labels.errors import LabelError, LabelOverflow
from labels.layout import plan_label
from labels.paging import pages_of
from labels.proof import prove
from labels.render import render

# Per kind, what must be read on it: order 1088 (annex 1, II.2-4), ASHP for what is inside, the house for the rest.
FIELDS: dict[str, tuple[str, ...]] = {
    "russian pouch": (
        "2-е терапевтическое отделение", "Константинопольская Александра Владимировна", "Палата 12", "Утро", "08:00", "Пн 23 ноября",
        "метФОРМИН 500 мг", "таблетки", "2 × 500 мг = 1000 мг", "½ × 2,5 мг = 1,25 мг", "ВЫСОКИЙ РИСК", "Принимать во время еды",
        "Годен до", "05.12.2026", "Серии A1207", "1 из 3", "SCTW 97AH XTU9",
    ),
    "english pouch": (
        "Cardiology", "Maria Jensen", "Room 4B", "Morning", "08:00", "Mon 23 Nov", "metoPROLOL 50 mg", "tablets", "1 × 50 mg = 50 mg",
        "Swallow whole.", "Use by", "05.12.2026", "Lots L77120", "1 of 1",
    ),
    "ampoules": ("АМПУЛЫ", "Хирургия", "Нестерова Ольга Петровна", "Палата 14", "цефТРИАКСОН 1 г", "2 × 1 г = 2 г", "ПОХОЖИЕ НАЗВАНИЯ", "Серии CF-204"),
    "english ampoules": ("AMPOULES", "Surgery", "Maria Jensen", "Ward 14", "cefTRIAXONE 1 g", "2 × 1 g = 2 g", "LOOK-ALIKE NAME", "Lots CF-204"),
    "cold item": ("ИЗ ХОЛОДИЛЬНИКА", "Эндокринология", "Палата 3", "ХОЛОД 2–8 °C", "ВЫСОКИЙ РИСК", "14 ЕД = 0,14 мл", "Годен до"),
    "half tablet": ("HALF TABLET", "Internal medicine", "Ward 5", "½ × 25 mg = 12.5 mg", "Use by", "1 of 1"),
    "tray": ("ЛОТОК", "2-е терапевтическое отделение", "Утро", "08:00", "Пн 23 ноября"),
    "english tray": ("TRAY", "Cardiology", "Morning", "08:00", "Mon 23 Nov"),
    "drawer": ("КАССЕТА 112", "Ячейка 12", "packager-1", "метоПРОЛОЛ 50 мг", "таблетки", "ВЫСОКИЙ РИСК", "ПОХОЖИЕ НАЗВАНИЯ", "112"),
    "english drawer": ("CASSETTE 112", "Slot 12", "packager-1", "metoPROLOL 50 mg", "tablets", "HIGH ALERT", "LOOK-ALIKE NAME"),
    "badge": ("БЕЙДЖ", "Ильина Светлана Игоревна", "Провизор", "Областная больница", "B-2001"),
    "english badge": ("BADGE", "Ada Byron", "Pharmacist", "County hospital", "B-2001"),
    "command": ("КОМАНДА", "Отправить тележку", "Страница тележки", "DISPATCH"),
    "english command": ("COMMAND", "Send the trolley", "Trolley page", "DISPATCH"),
    "manifest": ("ОПИСЬ ТЕЛЕЖКИ", "2-е терапевтическое отделение", "Утро", "12", "Ли Анна Ивановна", "1 из 2", "Лист 1 из 1", "По данным на 06:45 23.11.2026"),
    "english manifest": ("TROLLEY MANIFEST", "Cardiology", "Morning", "1 of 2", "Page 1 of 1", "As of 06:45 23.11.2026"),
    "wristband": ("Константинопольская Александра Владимировна", "р. 14.03.1951", "№ 2026/11874", "Палата 12", "АЛЛЕРГИИ НЕ ПРОВЕРЕНЫ"),
    "english wristband": ("Maria Jensen", "b. 14.03.1951", "No. 2026/11874", "Room 12", "ALLERGIES NOT CHECKED"),
}  # fmt: skip


def read(document: LabelDocument) -> str:
    """Return what is printed, top to bottom, in one line."""
    runs = sorted(plan_label(document).runs, key=lambda run: (run.box.y, run.box.x))
    return "".join(run.text for run in runs).translate({ord(" "): None, 0xA0: None})


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_that_is_asked_for_is_printed(name: str) -> None:
    printed = read(SAMPLES[name])
    for text in FIELDS[name]:
        words = text.split()
        assert all(word in printed for word in words), (name, text, printed)


def test_every_kind_is_held_in_both_languages() -> None:
    held = {(SAMPLES[name].kind_of_label, SAMPLES[name].language) for name in FIELDS}
    kinds = {document.kind_of_label for document in SAMPLES.values()}
    assert held == {(kind, language) for kind in kinds for language in Language}
    assert {document.language for document in ENGLISH_OTHERS.values()} == {Language.ENGLISH}


def test_a_tray_names_no_patient_and_a_manifest_no_birth_date_and_no_drug() -> None:
    assert "Константинопольская" not in read(TRAY)
    assert not {"lines", "birth_date", "record_number"} & set(ManifestLabel.__dataclass_fields__)
    assert set(ManifestRow.__dataclass_fields__) == {"room", "patient", "packs", "wanted"}


def _manifest(patients: int) -> ManifestLabel:
    rows = tuple(ManifestRow(str(n), f"Иванов-Преображенский Константин Александрович {n:03}", 1, 2) for n in range(1, patients + 1))
    return replace(MANIFEST, rows=rows)


def test_a_long_manifest_goes_on_over_pages_and_loses_nobody() -> None:
    pages = pages_of(_manifest(50))
    assert len(pages) > 2
    assert [row.room for page in pages for row in page.rows] == [str(n) for n in range(1, 51)]
    for number, page in enumerate(pages, 1):
        assert f"Лист{number}из{len(pages)}" in read(page)
        assert all(word in read(page) for row in page.rows for word in row.patient.split())
        assert prove(render(page), page.serial).passed


def test_a_short_manifest_is_one_page() -> None:
    assert pages_of(MANIFEST) == (MANIFEST,)


def test_a_row_that_fits_no_page_is_an_error() -> None:
    with pytest.raises(LabelOverflow, match=r"^patient: a word"):
        pages_of(replace(MANIFEST, rows=(*MANIFEST.rows, ManifestRow("1", "Щ" * 90, 1, 1))))


def test_a_manifest_without_end_is_refused() -> None:
    with pytest.raises(LabelOverflow, match=r"^rows: 500 patients need more than 20 pages"):
        pages_of(_manifest(500))


@pytest.mark.parametrize("document", [RUSSIAN_POUCH, AMPOULES, HALF_TABLET, SAMPLES["cold item"]], ids=lambda document: document.kind_of_label)
def test_a_name_of_120_letters_is_an_error_that_names_its_field_or_stands_whole(document: LabelDocument) -> None:
    with pytest.raises(LabelError, match=r"^headline: "):
        plan_label(replace(document, patient="Александра " * 30))
    with pytest.raises(LabelError, match=r"^drug: a word"):
        plan_label(replace(document, lines=(replace(document.lines[0], drug="Щ" * 120),)))


def test_the_day_of_expiry_is_whole_on_the_smallest_film() -> None:
    plan = plan_label(replace(RUSSIAN_POUCH, expiry=date(2030, 12, 31)), 60)
    assert any("Годен до 31.12.2030" in run.text for run in plan.runs)
