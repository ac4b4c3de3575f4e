"""Label documents as a ward sees them, in both languages."""

from dataclasses import replace
from datetime import date, datetime

from labels.documents import (
    BadgeLabel,
    CommandLabel,
    DoseLine,
    DrawerLabel,
    ItemKind,
    ItemLabel,
    LabelDocument,
    Language,
    ManifestLabel,
    ManifestRow,
    Mark,
    PouchLabel,
    WristbandLabel,
)
from labels.serial import make_serial

RUSSIAN_POUCH = PouchLabel(
    serial=make_serial(b"1"),
    language=Language.RUSSIAN,
    department="2-е терапевтическое отделение",
    room="12",
    patient="Константинопольская Александра Владимировна",
    birth_date=date(1951, 3, 14),
    slot="Утро",
    due=datetime.fromisoformat("2026-11-23T08:00"),
    lines=(
        DoseLine("метФОРМИН", "500 мг", "таблетки", "2 × 500 мг = 1000 мг"),
        DoseLine("Лизиноприл", "10 мг", "таблетки", "1 × 10 мг = 10 мг"),
        DoseLine("Варфарин", "2,5 мг", "таблетки", "½ × 2,5 мг = 1,25 мг", high_alert=True),
    ),
    rules="Принимать во время еды, запивая половиной стакана воды.",
    expiry=date(2026, 12, 5),
    lot_set="A1207 · 88-114 · W0925",
    marks=frozenset({Mark.ALLERGIES_NOT_CHECKED}),
    position=1,
    total=3,
)
ENGLISH_POUCH = PouchLabel(
    serial=make_serial(b"2"),
    language=Language.ENGLISH,
    department="Cardiology",
    room="4B",
    patient="Maria Jensen",
    birth_date=date(1944, 7, 2),
    slot="Morning",
    due=datetime.fromisoformat("2026-11-23T08:00"),
    lines=(DoseLine("metoPROLOL", "50 mg", "tablets", "1 × 50 mg = 50 mg"),),
    rules="Swallow whole.",
    expiry=date(2026, 12, 5),
    lot_set="L77120",
)
FIVE_DRUGS = PouchLabel(
    serial=make_serial(b"3"),
    language=Language.RUSSIAN,
    department="Кардиология",
    room="7",
    patient="Ли Анна Ивановна",
    birth_date=date(1960, 1, 30),
    slot="Перед сном",
    due=datetime.fromisoformat("2026-11-23T22:30"),
    lines=(
        DoseLine("Аторвастатин", "20 мг", "таб.", "2 × 20 мг = 40 мг"),
        DoseLine("Бисопролол", "5 мг", "таб.", "1 × 5 мг = 5 мг"),
        DoseLine("Ацетилсалициловая кислота", "75 мг", "таб.", "1 × 75 мг = 75 мг"),
        DoseLine("Амлодипин", "5 мг", "таб.", "1 × 5 мг = 5 мг"),
        DoseLine("Омепразол", "20 мг", "таб.", "1 × 20 мг = 20 мг"),
    ),
    rules="После еды.",
    expiry=date(2026, 12, 5),
    lot_set="A1 B2 C3 D4 E5",
    position=2,
    total=2,
)
COLD_ITEM = ItemLabel(
    serial=make_serial(b"4"),
    language=Language.RUSSIAN,
    kind=ItemKind.COLD,
    department="Эндокринология",
    ward="3",
    patient="Римский-Корсаков Николай Андреевич",
    birth_date=date(1938, 3, 18),
    slot="До завтрака",
    due=datetime.fromisoformat("2026-11-24T07:30"),
    lines=(DoseLine("Инсулин гларгин", "100 ЕД/мл", "раствор, картридж", "14 ЕД = 0,14 мл", high_alert=True),),
    rules="Подкожно. Отдать процедурной сестре.",
    expiry=date(2026, 12, 20),
    lot_set="INS-4471",
)
HALF_TABLET = ItemLabel(
    serial=make_serial(b"6"),
    language=Language.ENGLISH,
    kind=ItemKind.HALF_TABLET,
    department="Internal medicine",
    ward="5",
    patient="John Featherstonehaugh-Cholmondeley",
    birth_date=date(1938, 3, 18),
    slot="Lunch",
    due=datetime.fromisoformat("2026-11-24T12:30"),
    lines=(DoseLine("hydroCHLOROthiazide", "25 mg", "tablet", "½ × 25 mg = 12.5 mg"),),
    rules="With a meal.",
    expiry=date(2026, 12, 20),
    lot_set="H-4471",
)
TRAY = ItemLabel(
    serial=make_serial(b"5"),
    language=Language.RUSSIAN,
    kind=ItemKind.TRAY,
    department="2-е терапевтическое отделение",
    slot="Утро",
    due=datetime.fromisoformat("2026-11-23T08:00"),
)
WRISTBAND = WristbandLabel(
    serial=make_serial(b"7"),
    language=Language.RUSSIAN,
    patient="Константинопольская Александра Владимировна",
    birth_date=date(1951, 3, 14),
    department="2-е терапевтическое отделение",
    room="12",
    record_number="2026/11874",
    marks=frozenset({Mark.ALLERGIES_NOT_CHECKED}),
)
AMPOULES = ItemLabel(
    serial=make_serial(b"8"),
    language=Language.RUSSIAN,
    kind=ItemKind.AMPOULES,
    department="Хирургия",
    ward="14",
    patient="Нестерова Ольга Петровна",
    birth_date=date(1972, 9, 5),
    slot="Обед",
    due=datetime.fromisoformat("2026-11-24T12:30"),
    lines=(DoseLine("цефТРИАКСОН", "1 г", "флакон", "2 × 1 г = 2 г"),),
    rules="в/в",
    expiry=date(2026, 12, 20),
    lot_set="CF-204",
    marks=frozenset({Mark.LOOK_ALIKE}),
)
DRAWER = DrawerLabel(
    code="112",
    language=Language.RUSSIAN,
    cassette="112",
    slot="12",
    device="packager-1",
    drug="метоПРОЛОЛ",
    strength="50 мг",
    form="таблетки",
    marks=frozenset({Mark.HIGH_ALERT, Mark.LOOK_ALIKE}),
)
BADGE = BadgeLabel(
    code="B-2001",
    language=Language.RUSSIAN,
    name="Ильина Светлана Игоревна",
    role="Провизор",
    site="Областная больница",
)
COMMAND = CommandLabel(code="DISPATCH", language=Language.RUSSIAN, deed="Отправить тележку", place="Страница тележки")
MANIFEST = ManifestLabel(
    serial=make_serial(b"5"),
    language=Language.RUSSIAN,
    department="2-е терапевтическое отделение",
    slot="Утро",
    due=datetime.fromisoformat("2026-11-23T08:00"),
    rows=(
        ManifestRow("12", "Константинопольская Александра Владимировна", 3, 3),
        ManifestRow("12", "Ли Анна Ивановна", 1, 1),
        ManifestRow("14", "Нестерова Ольга Петровна", 1, 2),
    ),
    made_at=datetime.fromisoformat("2026-11-23T06:45"),
)
ENGLISH_OTHERS: dict[str, LabelDocument] = {
    "english ampoules": replace(
        AMPOULES,
        language=Language.ENGLISH,
        department="Surgery",
        patient="Maria Jensen",
        slot="Lunch",
        lines=(DoseLine("cefTRIAXONE", "1 g", "vial", "2 × 1 g = 2 g"),),
    ),
    "english tray": replace(TRAY, language=Language.ENGLISH, department="Cardiology", slot="Morning"),
    "english drawer": replace(DRAWER, language=Language.ENGLISH, drug="metoPROLOL", strength="50 mg", form="tablets"),
    "english badge": replace(
        BADGE, language=Language.ENGLISH, name="Ada Byron", role="Pharmacist", site="County hospital"
    ),
    "english command": replace(COMMAND, language=Language.ENGLISH, deed="Send the trolley", place="Trolley page"),
    "english manifest": replace(MANIFEST, language=Language.ENGLISH, department="Cardiology", slot="Morning"),
    "english wristband": replace(WRISTBAND, language=Language.ENGLISH, patient="Maria Jensen", department="Cardiology"),
}
SAMPLES: dict[str, LabelDocument] = {
    "russian pouch": RUSSIAN_POUCH,
    "english pouch": ENGLISH_POUCH,
    "five drugs": FIVE_DRUGS,
    "ampoules": AMPOULES,
    "cold item": COLD_ITEM,
    "half tablet": HALF_TABLET,
    "tray": TRAY,
    "drawer": DRAWER,
    "badge": BADGE,
    "command": COMMAND,
    "manifest": MANIFEST,
    "wristband": WRISTBAND,
    **ENGLISH_OTHERS,
}
