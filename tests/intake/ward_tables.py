"""A ward's table as tests write it: a small directory, one header, one row."""

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.orders import SourceSettings

MOSCOW = ZoneInfo("Europe/Moscow")
WARD = SourceSettings("ward", True, True, None, True, ())
FREE = SourceSettings("free", False, False, None, False, ())


def drug(code: str, inn: str, trade: str, form: Form, strength: str) -> Drug:
    return Drug(
        DrugCode(code), inn, trade, form, strength, form.value, "", DrugClass.ORDINARY, False, False, "", Storage.ROOM, True, True, Decimal(1)
    )  # fmt: skip


DIRECTORY = {
    each.code: each
    for each in (
        drug("T001", "метопролол", "Эгилок", Form.TABLET, "25 мг"),
        drug("T002", "метопролол", "Эгилок", Form.TABLET, "50 мг"),
        drug("T012", "варфарин", "Варфарин Никомед", Form.TABLET, "2,5 мг"),
        drug("A001", "фуросемид", "Лазикс", Form.AMPOULE, "10 мг/мл - 2 мл"),
    )
}
HEADER = (
    "Отделение;Палата;Койка;Код пациента;Пациент;Дата рождения;Препарат;Дозировка;Форма;Доза;Ед.;Путь;"
    "Утро;Обед;Вечер;Ночь;Режим;Начало;Конец;Подпись;Примечание"
)
ROW = "Терапия;101;2;26-1;Ильина Анна Львовна;03.10.1965;Эгилок;25 мг;таб.;12,5;мг;внутрь;1;;1/2;;;05.03.2026;09.03.2026;Басова Н.Г.;натощак"


def text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def workbook(*rows: list[Any], change: Callable[[Any], None] = lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
