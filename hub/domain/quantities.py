"""Exact amounts: fractions with a unit, and text as sheets and directories write it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount of one unit; `unit` is a canonical name (`mg`, `g`, `mcg`, `mL`, `IU`, `tablet` …)."""

    amount: Fraction
    unit: str

    def __str__(self) -> str:
        """Return the amount as people write it: `0.5 mg`, `1/3 tablet`."""
        return f"{fraction_text(self.amount)} {self.unit}"

    def times(self, factor: Fraction) -> "Quantity":
        """Return the quantity taken `factor` times."""
        return self if factor == 1 else Quantity(self.amount * factor, self.unit)


def fraction_text(amount: Fraction) -> str:
    """Return a fraction as exact text: `2`, `0.5`, or `1/3` where decimals never end."""
    denominator = amount.denominator
    if denominator == 1:
        return str(amount.numerator)
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return f"{amount.numerator}/{amount.denominator}"
    digits = 0
    while (amount * 10**digits).denominator != 1:
        digits += 1
    sign = "-" if amount < 0 else ""
    scaled = str(abs(amount.numerator) * 10**digits // amount.denominator).rjust(digits + 1, "0")
    return f"{sign}{scaled[:-digits]}.{scaled[-digits:]}"


UNITS: Mapping[str, str] = {
    spelling: unit
    for unit, spellings in {
        "kg": "kg кг",
        "g": "g gm gr gram grams г гр грамм",
        "mg": "mg мг milligram milligrams",
        "mcg": "mcg ug µg μg мкг microgram micrograms",
        "ng": "ng нг",
        "L": "l liter liters litre litres л",
        "mL": "ml cc мл milliliter milliliters",
        "IU": "iu [iu] ui u unit units ме ед ед.действия",
        "mEq": "meq мэкв мг-экв",
        "mmol": "mmol ммоль",
        "tablet": "tablet tablets tab tabs tbl таб табл таблетка таблетки таблеток {tablet}",
        "half-tablet": "half-tab half-tablet halftab halftablet полтаблетки",
        "capsule": "capsule capsules cap caps капс капсула капсулы капсул {capsule}",
        "ampoule": "ampoule ampoules amp amps ампула ампулы ампул амп",
        "vial": "vial vials фл флакон флакона флаконов",
        "syringe": "syringe syringes syr шприц шприца шприцев",
        "pen": "pen pens шприц-ручка",
        "bag": "bag bags пакет пакета мешок",
        "bottle": "bottle bottles btl бутылка бут",
        "dropper-bottle": "dbtl",
        "cup": "cup cups udcup стаканчик",
        "packet": "packet packets pkt pack sachet sachets пак саше порошок пор",
        "patch": "patch patches ptch пластырь пластыря",
        "suppository": "suppository suppositories supp супп свеча свечи свечей суппозиторий",
        "enema": "enema enemas клизма",
        "nebule": "neb nebule nebules небула небулы",
        "lozenge": "lozenge lozenges loz troche troc пастилка леденец",
        "tube": "tube tubes туба тюбик",
        "inhaler": "inhaler ингалятор",
        "drop": "drop drops gtt кап капля капли капель {drop}",
        "dropperette": "drp",
        "puff": "puff puffs inh inhalation inhalations вдох вдоха вдохов ингаляция {puff}",
        "spray": "spray sprays spry впрыск впрыскивание",
        "application": "application applications appl аппликация",
        "dose": "dose doses доза дозы доз {dose}",
    }.items()
    for spelling in (*spellings.split(), unit.casefold())
}

_SIZES: Mapping[str, tuple[str, Fraction]] = {
    "kg": ("mass", Fraction(10**6)),
    "g": ("mass", Fraction(1000)),
    "mg": ("mass", Fraction(1)),
    "mcg": ("mass", Fraction(1, 1000)),
    "ng": ("mass", Fraction(1, 10**6)),
    "L": ("volume", Fraction(1000)),
    "mL": ("volume", Fraction(1)),
    "tablet": ("tablet", Fraction(1)),
    "half-tablet": ("tablet", Fraction(1, 2)),
}

_VULGAR = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3)}
_RATIO = re.compile(r"(?:(\d+) )?(\d+)/(\d+)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?: \d{3})+|[1-9]\d{0,2}(?:,\d{3}){2,}|[1-9]\d{0,2},000", re.ASCII)
_DECIMAL = re.compile(r"(\d+)(?:[.,](\d+))?|[.,](\d+)", re.ASCII)
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"(?:\d{1,3}(?: \d{3})+|\d+)?(?:(?<=\d),\d+|(?<=\d)\.\d+|(?<!\d)[.,]\d+)?", re.ASCII)
_DECIMAL_POINT = re.compile(r"(?:\d{1,3}(?: \d{3})+|[1-9]\d{0,2}(?:,\d{3})+|\d+)?(?:(?<=\d)\.\d+|(?<!\d)\.\d+)?", re.ASCII)
_EITHER_SIGN = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_POINTED_GROUP = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)
_LONGEST_AMOUNT = 24


@lru_cache(maxsize=4096)
def unit_named(text: str) -> str | None:
    """Return the canonical name of a unit as people write it (`ЕД`, `gm`, `таб.`), or None where it is not known."""
    word = text.strip().casefold().rstrip(".")
    return UNITS.get(word) or UNITS.get(word.replace(" ", ""))


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """Return the same quantity in another canonical unit, exactly; None where the two units measure different things."""
    if quantity.unit == unit:
        return quantity
    source, target = _SIZES.get(quantity.unit), _SIZES.get(unit)
    if source is None or target is None or source[0] != target[0]:
        return None
    return Quantity(quantity.amount * source[1] / target[1], unit)


def parse_dose_amount(text: str, decimal_sign: str | None) -> Fraction:
    """Read an amount that a prescriber's sheet writes, whose source has `decimal_sign` (`,`, `.`, None: nobody set it).

    With `,` the text `5,000` is five; with `.` it is five thousand and commas must part groups of three. What a thousandfold
    error may hide in (`5,000` without a set sign, `5.000` where the sign is not `.`) is refused. Raises ValueError with a
    sentence for a person.
    """
    cleaned = _tidied(text)
    if (simple := _simple_amount(cleaned)) is not None:
        return simple
    ambiguous = _EITHER_SIGN if decimal_sign is None else _POINTED_GROUP
    if decimal_sign != "." and ambiguous.fullmatch(cleaned):
        raise _two_readings(cleaned)
    if decimal_sign is None:
        return parse_amount(cleaned)
    if not cleaned or not (_DECIMAL_COMMA if decimal_sign == "," else _DECIMAL_POINT).fullmatch(cleaned):
        raise ValueError(f"'{cleaned}' is not an amount where the decimal sign is '{decimal_sign}'")
    plain = cleaned.replace(" ", "")
    return Fraction(plain.replace(",", ".") if decimal_sign == "," else plain.replace(",", ""))


def _tidied(text: str) -> str:
    cleaned = " ".join(text.split())
    if len(cleaned) > _LONGEST_AMOUNT:
        raise ValueError(f"'{cleaned[:_LONGEST_AMOUNT]}…' is too long to be an amount")
    return cleaned


def _simple_amount(cleaned: str) -> Fraction | None:
    """Return what has no decimal sign at all: `½`, `1/2`, `1 1/2`."""
    if cleaned in _VULGAR:
        return _VULGAR[cleaned]
    ratio = _RATIO.fullmatch(cleaned)
    if ratio is None:
        return None
    whole, above, below = ratio.groups()
    if int(below) == 0:
        raise ValueError(f"'{cleaned}' divides by zero")
    return Fraction(int(whole or 0)) + Fraction(int(above), int(below))


def _two_readings(cleaned: str) -> ValueError:
    many, few = re.sub("[.,]", "", cleaned), cleaned.replace(",", ".")
    return ValueError(f"'{cleaned}' may mean {many} or {few}: write one of them")


def parse_amount(text: str) -> Fraction:
    """Read an amount as directories write it, exactly: `0.5`, `2,5`, `25,000`, `25 000`, `1/2`, `1 1/2`, `½`.

    A comma before three digits that are not all zero (`1,125`) may be read as a decimal or as thousands, a thousandfold
    difference: it is refused. Raises ValueError with a sentence for a person. Doses of sheets: `parse_dose_amount`.
    """
    cleaned = _tidied(text)
    if (simple := _simple_amount(cleaned)) is not None:
        return simple
    if _GROUPED.fullmatch(cleaned):
        return Fraction(cleaned.replace(" ", "").replace(",", ""))
    if _AMBIGUOUS.fullmatch(cleaned):
        raise _two_readings(cleaned)
    if not _DECIMAL.fullmatch(cleaned):
        raise ValueError(f"'{cleaned}' is not an amount")
    return Fraction(cleaned.replace(",", "."))
