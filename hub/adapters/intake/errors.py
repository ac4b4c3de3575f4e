"""The one error of intake: a file that is refused as a whole, with the place and the reason in both languages."""

import errno
import re
from pathlib import Path

from hub.domain.words import Words, place_ru

_OPENING_RU = {
    errno.ENOENT: "нет такого файла", errno.EACCES: "нет прав на чтение", errno.EPERM: "нет прав на чтение", errno.EISDIR: "это папка",
    errno.ENOTDIR: "в пути не папка", errno.ENAMETOOLONG: "слишком длинное имя", errno.EIO: "ошибка чтения с диска",
}  # fmt: skip
_FIELDS_RU = {
    "department": "отделение", "room": "палата", "bed": "койка", "place": "место", "patient": "пациент", "person": "пациент", "birth_date": "дата рождения",
    "patient_code": "номер пациента", "sex": "пол", "allergies": "аллергии", "allergy": "аллергия", "drug": "препарат", "drug_code": "код препарата",
    "medicine": "препарат", "strength": "дозировка", "form": "форма", "dose": "доза", "unit": "единица", "route": "путь введения", "morning": "утро",
    "noon": "день", "evening": "вечер", "night": "ночь", "scheme": "схема приёма", "frequency": "режим", "prn": "по требованию", "urgent": "срочно",
    "starts": "начало курса", "ends": "конец курса", "days": "число дней", "course": "курс", "status": "статус", "signed_by": "подпись",
    "note": "примечание", "order_code": "код назначения", "discharged_at": "выписан", "outcome": "исход",
}  # fmt: skip
_PLACE_OF_TOML = re.compile(r"\(at line (\d+), column (\d+)\)")


class IntakeError(ValueError):
    """A file is refused; `line` is `line 12` or `entry 3` (empty: the file as a whole), `field` may be empty.

    Its text is one English sentence for a person: file, place, field, reason; `in_russian` is the Russian one.
    """

    def __init__(self, file: str, line: str, field: str, reason: Words) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
        super().__init__(file, line, field, reason)

    def __str__(self) -> str:
        """Return the English sentence."""
        return _sentence(self.file, self.line, self.field and f"field {self.field}", self.reason.en)

    def in_russian(self) -> str:
        """Return the Russian sentence."""
        line = re.sub(r"^source (?=\S)", "источник ", place_ru(self.line))
        return _sentence(self.file, line, self.field and f"поле {field_ru(self.field)}", self.reason.ru)

    def in_both(self) -> str:
        """Return the English sentence and the Russian one, a line each."""
        return f"{self}\n{self.in_russian()}"


def _sentence(file: str, line: str, field: str, reason: str) -> str:
    place = ", ".join(part for part in (file, line, field) if part)
    return f"{place}: {reason}."


def field_ru(field: str) -> str:
    """Return a field's name for a Russian sentence: `dose` as `«доза» (dose)`, any other name as it is written in the file."""
    parts = field.split(" or ")
    return " или ".join(f"«{_FIELDS_RU[part]}» ({part})" if part in _FIELDS_RU else part for part in parts)


def bytes_of_settings(path: Path, name: str, what: Words, most: int = -1) -> bytes:
    """Return a file of settings, at most `most` bytes of it; raise IntakeError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        why = why_not_opened(error)
        raise IntakeError(name, "", "", Words(f"{what.en} cannot be opened ({why.en})", f"{what.ru} не открывается ({why.ru})")) from error


def why_not_opened(error: OSError) -> Words:
    """Return why the system did not open a file."""
    return Words(error.strerror or str(error), _OPENING_RU.get(error.errno or 0, f"ошибка системы {error.errno}"))


def no_toml(error: ValueError) -> Words:
    """Return why a text is no TOML; in Russian with the place where its reader stopped."""
    place = _PLACE_OF_TOML.search(str(error))
    where = f": ошибка в строке {place[1]}, столбец {place[2]}" if place else ": он обрывается" if "end of document" in str(error) else ""
    return Words(f"it is no TOML file ({error})", f"это не файл TOML{where}")
