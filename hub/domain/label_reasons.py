"""Why a label cannot be drawn, in Russian: the field it is about and what is wrong with it, from the sentence that is recorded."""

import re
from collections.abc import Mapping

CANNOT_BE_DRAWN = re.compile(r"its label cannot be drawn: (.+)", re.DOTALL)
_FIELDS: Mapping[str, str] = {
    "headline": "имя или заголовок", "patient": "имя пациента", "department": "отделение", "room": "палата", "place": "палата и дата рождения",
    "detail": "подпись", "title": "вид этикетки", "time": "час", "slot": "время приёма", "day": "день", "drug": "препарат", "strength": "дозировка",
    "form": "лекарственная форма", "units": "доза", "doses": "препараты", "rules": "правила приёма", "lots": "серии", "marks": "предупреждения",
    "position": "номер в наборе", "expiry": "срок годности", "expiry_word": "срок годности", "expiry_day": "срок годности", "code": "код",
    "serial": "номер", "rows": "строки описи", "count": "число упаковок", "name": "имя", "role": "роль", "site": "учреждение",
    "deed": "действие", "cassette": "кассета", "device": "автомат", "record number": "номер карты", "width_mm": "ширина",
}  # fmt: skip
_REASONS: tuple[tuple[str, str], ...] = (
    (r"(.+) does not fit (\d+) dots in (\d+) lines at 7 pt", "{0} не помещается: строк не больше {2}, шрифт не мельче 7 пт"),
    (r"a word of (.+) is wider than its place", "слово в {0} шире своего места"),
    (r"(.+) takes more than (\d+) lines", "{0} занимает больше {1} строк"),
    (r"too full, (\d+) of (\d+) dots are needed at the smallest size", "не помещается: нужно {0} точек из {1} при самом мелком шрифте"),
    (r"the label font cannot print (.+) of (.+)", "в шрифте этикетки нет знака {0} из {1}"),
    (r"a label must name it, and it is empty", "должно стоять на этикетке, но не заполнено"),
    (r"1 to 20 of A-Z, a-z, 0-9 and '-' are read by every scanner, not (.+)", "сканеры читают от 1 до 20 знаков A-Z, a-z, 0-9 и «-», а не {0}"),
    (r"the (Data Matrix|Code 128) of (.+) needs (\d+) of (\d+) dots", "{0} для {1} занимает {2} точек из {3}"),
    (r"(\d+) patients need more than (\d+) pages", "{0} пациентов занимают больше {1} листов"),
    (r"the template (.+) has no place for it", "в шаблоне {0} для этого нет места"),
    (r"not one of ours: (.+)", "не наш номер: {0}"),
)
_WHOLE: tuple[tuple[str, str], ...] = (
    (r"it does not read back as itself: (.+)", "код с рисунка не читается как он сам ({0})"),
    (r"the pack has no expiry", "у упаковки нет срока годности"),
    (r"(.+)\.toml: width_mm: no template of this width, there are (.+)", "нет шаблона {0}, есть {1}"),
    (r"(.+\.toml): (.+?): (.+)", "шаблон {0}, {1}: {2}"),
)


def label_reason_ru(reason: str) -> str:
    """Return the reason in Russian; one that has none yet stays as it is."""
    for pattern, russian in _WHOLE:
        if (found := re.fullmatch(pattern, reason, re.DOTALL)) is not None:
            return russian.format(*found.groups())
    fields, _, rest = reason.partition(": ")
    named = [_FIELDS.get(field, "") for field in fields.split(", ")]
    for pattern, russian in _REASONS if all(named) else ():
        if (found := re.fullmatch(pattern, rest, re.DOTALL)) is not None:
            return f"{', '.join(dict.fromkeys(named))}: {russian.format(*found.groups())}"
    return reason
