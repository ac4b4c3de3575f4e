"""The label's own words in Russian and English, as data."""

from dataclasses import dataclass
from datetime import date

from labels.documents import ItemKind, Language, Mark


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed words of one language; months stand as they follow a day number."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    born: str
    room: str
    ward: str
    record: str
    expiry: str
    lots: str
    of: str
    sheet: str
    as_of: str
    manifest: str
    badge: str
    command: str
    cassette: str
    slot: str
    marks: dict[Mark, str]
    kinds: dict[ItemKind, str]

    def day(self, day: date) -> str:
        """Write weekday, day and month: `Пн 23 ноября`, `Mon 23 Nov`."""
        return f"{self.days[day.weekday()]} {day.day} {self.months[day.month - 1]}"

    def short_day(self, day: date) -> str:
        """Write a full date in digits, day first: `23.11.2026`."""
        return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"


RUSSIAN = Wording(
    days=("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"),
    months=(
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ),
    born="р.",
    room="Палата",
    ward="Палата",
    record="№",
    expiry="Годен до",
    lots="Серии",
    of="из",
    sheet="Лист",
    as_of="По данным на",
    manifest="ОПИСЬ ТЕЛЕЖКИ",
    badge="БЕЙДЖ",
    command="КОМАНДА",
    cassette="КАССЕТА",
    slot="Ячейка",
    marks={
        Mark.HIGH_ALERT: "ВЫСОКИЙ РИСК",
        Mark.ALLERGIES_NOT_CHECKED: "АЛЛЕРГИИ НЕ ПРОВЕРЕНЫ",
        Mark.HAZARDOUS: "ОПАСНОЕ ВЕЩЕСТВО",
        Mark.COLD: "ХОЛОД 2–8 °C",
        Mark.LIGHT_SENSITIVE: "БЕРЕЧЬ ОТ СВЕТА",
        Mark.LOOK_ALIKE: "ПОХОЖИЕ НАЗВАНИЯ",
    },
    kinds={
        ItemKind.AMPOULES: "АМПУЛЫ",
        ItemKind.HALF_TABLET: "ПОЛОВИНА ТАБЛЕТКИ",
        ItemKind.LIQUID: "ЖИДКОСТЬ",
        ItemKind.COLD: "ИЗ ХОЛОДИЛЬНИКА",
        ItemKind.HAZARDOUS: "ОПАСНОЕ",
        ItemKind.OWN_MEDICINE: "СВОЁ ЛЕКАРСТВО",
        ItemKind.TABLETS: "ТАБЛЕТКИ",
        ItemKind.TRAY: "ЛОТОК",
    },
)

ENGLISH = Wording(
    days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=(
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
    ),
    born="b.",
    room="Room",
    ward="Ward",
    record="No.",
    expiry="Use by",
    lots="Lots",
    of="of",
    sheet="Page",
    as_of="As of",
    manifest="TROLLEY MANIFEST",
    badge="BADGE",
    command="COMMAND",
    cassette="CASSETTE",
    slot="Slot",
    marks={
        Mark.HIGH_ALERT: "HIGH ALERT",
        Mark.ALLERGIES_NOT_CHECKED: "ALLERGIES NOT CHECKED",
        Mark.HAZARDOUS: "HAZARDOUS",
        Mark.COLD: "KEEP COLD 2–8 °C",
        Mark.LIGHT_SENSITIVE: "PROTECT FROM LIGHT",
        Mark.LOOK_ALIKE: "LOOK-ALIKE NAME",
    },
    kinds={
        ItemKind.AMPOULES: "AMPOULES",
        ItemKind.HALF_TABLET: "HALF TABLET",
        ItemKind.LIQUID: "LIQUID",
        ItemKind.COLD: "COLD",
        ItemKind.HAZARDOUS: "HAZARDOUS",
        ItemKind.OWN_MEDICINE: "OWN MEDICINE",
        ItemKind.TABLETS: "TABLETS",
        ItemKind.TRAY: "TRAY",
    },
)

WORDINGS = {Language.RUSSIAN: RUSSIAN, Language.ENGLISH: ENGLISH}
