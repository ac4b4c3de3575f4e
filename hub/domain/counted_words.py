"""Counted nouns of the trade in Russian and English: tablets, days, times, each in the form that its number wants."""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

from hub.domain.quantities import Quantity, convert, fraction_text, russian_unit
from hub.domain.timing import PeriodUnit, Span


class Case(StrEnum):
    """How a Russian counted noun stands in its sentence: by itself, after 'по', or after 'не более'."""

    PLAIN = "plain"
    EACH = "each"
    AT_MOST = "at-most"


_PIECES = frozenset({2, 3, 4})
_RUSSIAN: Mapping[str, tuple[str, ...]] = {
    forms.split()[0]: tuple(forms.split()[1:])
    for forms in (
        "tablet таблетка таблетки таблеток таблетке", "capsule капсула капсулы капсул капсуле", "dragee драже драже драже драже",
        "ampoule ампула ампулы ампул ампуле", "vial флакон флакона флаконов флакону", "syringe шприц шприца шприцев шприцу",
        "pen шприц-ручка шприц-ручки шприц-ручек шприц-ручке", "bag пакет пакета пакетов пакету", "bottle бутылка бутылки бутылок бутылке",
        "dropper-bottle флакон-капельница флакона-капельницы флаконов-капельниц флакону-капельнице",
        "cup стаканчик стаканчика стаканчиков стаканчику", "packet пакетик пакетика пакетиков пакетику",
        "patch пластырь пластыря пластырей пластырю", "suppository суппозиторий суппозитория суппозиториев суппозиторию",
        "pessary пессарий пессария пессариев пессарию", "enema клизма клизмы клизм клизме", "nebule небула небулы небул небуле",
        "lozenge пастилка пастилки пастилок пастилке", "tube туба тубы туб тубе", "inhaler ингалятор ингалятора ингаляторов ингалятору",
        "drop капля капли капель капле", "dropperette тюбик-капельница тюбика-капельницы тюбиков-капельниц тюбику-капельнице",
        "puff вдох вдоха вдохов вдоху", "spray впрыск впрыска впрысков впрыску", "application аппликация аппликации аппликаций аппликации",
        "dose доза дозы доз дозе", "piece штука штуки штук штуке", "spoonful ложка ложки ложек ложке",
    )
}  # fmt: skip
_ENGLISH_PLURALS: Mapping[str, str] = {"suppository": "suppositories", "pessary": "pessaries", "patch": "patches"}
_SPANS: Mapping[PeriodUnit, tuple[tuple[str, str, str], str]] = {
    PeriodUnit.SECOND: (("секунду", "секунды", "секунд"), "second"),
    PeriodUnit.MINUTE: (("минуту", "минуты", "минут"), "minute"),
    PeriodUnit.HOUR: (("час", "часа", "часов"), "hour"),
    PeriodUnit.DAY: (("день", "дня", "дней"), "day"),
    PeriodUnit.WEEK: (("неделю", "недели", "недель"), "week"),
    PeriodUnit.MONTH: (("месяц", "месяца", "месяцев"), "month"),
    PeriodUnit.YEAR: (("год", "года", "лет"), "year"),
}


def russian_form(number: Fraction) -> int:
    """Return which form a Russian noun takes after a number: 0 as one, 1 as two to four and parts, 2 as five."""
    if number.denominator != 1:
        return 1
    last, tens = number.numerator % 10, number.numerator % 100
    if last == 1 and tens != 11:
        return 0
    return 1 if last in (2, 3, 4) and tens not in (12, 13, 14) else 2


def number_text(number: Fraction, language: str, *, in_pieces: bool = False) -> str:
    """Return a number as people write it: `2`, `1 1/2` pieces, `2,5` in Russian and `2.5` in English."""
    if in_pieces and number.denominator in _PIECES:
        whole, rest = divmod(number, 1)
        return f"{whole} {rest}" if whole else str(rest)
    text = fraction_text(number)
    return text.replace(".", ",") if language == "ru" else text


def amount_text(low: Quantity, high: Quantity, language: str, case: Case = Case.PLAIN) -> str:
    """Return a dose in words: `1 таблетка`, `1–2 tablets`, after 'по' `1 таблетке`, after 'не более' `2 таблеток`."""
    low, high = _in_pieces(low), _in_pieces(high)
    if low.unit != high.unit:
        return f"{amount_text(low, low, language, case)} – {amount_text(high, high, language, case)}"
    pieces = low.unit in _RUSSIAN
    numbers = [number_text(each.amount, language, in_pieces=pieces) for each in ((low,) if low == high else (low, high))]
    return f"{'–'.join(numbers)} {_unit_word(high, language, case)}"


def _in_pieces(quantity: Quantity) -> Quantity:
    """Return parts of tablets as tablets: a half-tablet is 1/2 tablet."""
    return convert(quantity, "tablet") or quantity if quantity.unit.endswith("-tablet") else quantity


def _unit_word(quantity: Quantity, language: str, case: Case) -> str:
    forms = _RUSSIAN.get(quantity.unit)
    if language == "ru":
        if forms is None:
            return russian_unit(quantity.unit)
        form = russian_form(quantity.amount)
        if case is Case.AT_MOST:
            return forms[1] if form == 0 or quantity.amount.denominator != 1 else forms[2]
        return forms[3] if case is Case.EACH and form == 0 else forms[form]
    if forms is None or quantity.amount <= 1:
        return quantity.unit
    return _ENGLISH_PLURALS.get(quantity.unit, f"{quantity.unit}s")


def span_text(least: Span, most: Span, language: str) -> str:
    """Return a length of time: `5 дней`, `5–7 days`."""
    numbers = [number_text(span.value, language) for span in ((least,) if least == most else (least, most))]
    forms, english = _SPANS[most.unit]
    if language == "ru":
        return f"{'–'.join(numbers)} {forms[russian_form(most.value)]}"
    return f"{'–'.join(numbers)} {english if most.value == 1 else english + 's'}"


def length_text(span: Span) -> str:
    """Return a length of time in Russian by itself, after a noun like 'длительность': `1 неделя`, `2 недели`."""
    alone = {"неделю": "неделя", "минуту": "минута", "секунду": "секунда"}
    number, word = span_text(span, span, "ru").rsplit(" ", 1)
    return f"{number} {alone.get(word, word)}"


def genitive_text(least: Span, most: Span) -> str:
    """Return a length of time in Russian in the genitive, after 'в течение': `1 недели`, `2 недель`, `1–2 месяцев`."""
    forms = _SPANS[most.unit][0]
    one = russian_form(most.value) == 0 or most.value.denominator != 1
    return f"{span_text(least, most, 'ru').rsplit(' ', 1)[0]} {forms[1] if one else forms[2]}"


def range_text(low: Quantity, high: Quantity) -> str:
    """Return a range of doses in English: `1 to 2 tablets`, `500 to 1000 mg`."""
    if low.unit != high.unit:
        return f"{amount_text(low, low, 'en')} to {amount_text(high, high, 'en')}"
    least = amount_text(low, low, "en").rsplit(" ", 1)[0]
    return f"{least} to {amount_text(high, high, 'en')}"


def every_text(span: Span, language: str) -> str:
    """Return a repetition by length: `каждые 8 часов`, `каждый час`, `every 8 hours`."""
    forms, english = _SPANS[span.unit]
    if span.value != 1:
        return f"{'каждые' if language == 'ru' else 'every'} {span_text(span, span, language)}"
    if language == "en":
        return f"every {english}"
    return f"{'каждую' if forms[0][-1] in 'ую' else 'каждый'} {forms[0]}"


def once_every_text(span: Span, language: str) -> str:
    """Return 'once in so long': `через день`, `раз в неделю`, `every other day`, `once a week`."""
    forms, english = _SPANS[span.unit]
    if span.unit is PeriodUnit.DAY and span.value == 2:
        return "через день" if language == "ru" else "every other day"
    if language == "ru":
        return f"раз в {forms[0] if span.value == 1 else span_text(span, span, language)}"
    return f"once a {english}" if span.value == 1 else f"once every {span_text(span, span, language)}"


def times_text(number: int, language: str, *, at_most: bool = False) -> str:
    """Return a number of times: `2 раза`, `5 раз`, `once`, `3 times`; `at_most`: the Russian form after 'не более'."""
    if language == "en":
        return {1: "once", 2: "twice"}.get(number, f"{number} times")
    form = russian_form(Fraction(number))
    if at_most:
        return f"{number} {'раза' if form == 0 else 'раз'}"
    return f"{number} {'раза' if form == 1 else 'раз'}"


def listed(parts: list[str], language: str) -> str:
    """Return parts joined by commas and 'and'."""
    last = " и " if language == "ru" else " and "
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}{last}{parts[-1]}"
