"""Exact amounts: fractions with a unit, and text as sheets and directories write it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from hub.domain.words import Unfit


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount of one unit; `unit` is a canonical name (`mg`, `g`, `mcg`, `mL`, `IU`, `tablet` …)."""

    amount: Fraction
    unit: str

    def __str__(self) -> str:
        """Return the amount as people write it: `0.5 mg`, `1/3 tablet`."""
        return f"{fraction_text(self.amount)} {self.unit}"

    def in_russian(self) -> str:
        """Return the amount as a Russian sheet writes it: `0,5 мг`, `1/3 таб.`."""
        return f"{fraction_text(self.amount).replace('.', ',')} {russian_unit(self.unit)}"

    def times(self, factor: Fraction) -> "Quantity":
        """Return the quantity taken `factor` times."""
        return self if factor == 1 else Quantity(self.amount * factor, self.unit)


def russian_unit(unit: str) -> str:
    """Return a canonical unit as a Russian sheet writes it (`мг`, `мг/кг`)."""
    named, slash, measure = unit.partition("/")
    return RUSSIAN_UNITS.get(named, named) + (f"/{_RUSSIAN_MEASURES.get(measure, measure)}" if slash else "")


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
        "kg": "kg кг kilogram kilograms килограмм",
        "g": "g gm gram grams г гр грамм грамма граммов 258682000",
        "mg": "mg мг milligram milligrams миллиграмм 258684004",
        "mcg": "mcg ug µg μg мкг microgram micrograms микрограмм 258685003",
        "ng": "ng нг nanogram nanograms",
        "L": "l liter liters litre litres л литр литра",
        "dL": "dl дл",
        "mL": "ml cc мл milliliter milliliters millilitre millilitres миллилитр 258773002",
        "mcL": "ul µl μl mcl мкл microliter microlitre",
        "IU": "iu [iu] ui u unit units ме ед ед.действия ie i.e i.u {unit} {unt} [usp'u] м.е международныхединиц",
        "thousand-IU": "тыс.ед тыс.ме тысед тысме тысячед тысячме ku kiu k[iu] 10*3.[iu] 10*3[iu]",
        "million-IU": "млнед млнме млн.ед млн.ме миллионовед миллионовме mioie mioe mioiu miou 10*6.[iu] 10*6[iu] 396186001",
        "mEq": "meq мэкв мг-экв мгэкв milliequivalent milliequivalents 258727004",
        "mol": "mol моль",
        "mmol": "mmol ммоль millimole millimoles",
        "mcmol": "umol µmol μmol mcmol мкмоль",
        "tablet": "tablet tablets tab tabs tbl tabl таб табл таблетка таблетки таблетку таблеток тб {tablet} {tbl} {tab} vagtab comprimé comprimés cp tablette "
        "tabletten 錠 732936001 428673006",
        "half-tablet": "half-tab half-tablet halftab halftablet полтаблетки",
        "quarter-tablet": "quarter-tab quarter-tablet quartertab quartertablet четвертьтаблетки",
        "dragee": "драже dragee dragée",
        "capsule": "capsule capsules cap caps капс капсула капсулу капсулы капсул {capsule} {cap} kapsel kapseln kaps gélule gélules カプセル 732937005",
        "ampoule": "ampoule ampoules ampule ampules amp amps ампула ампулу ампулы ампул амп {ampule} {ampoule} ampulle ampullen 管 732978007",
        "vial": "vial vials фл флакон флакона флаконов {vial} バイアル 733026001",
        "syringe": "syringe syringes syr шприц шприца шприцев {syringe} 733020007",
        "pen": "pen pens шприц-ручка 733006000",
        "bag": "bag bags пакет пакета мешок 732982009",
        "bottle": "bottle bottles btl бутылка бут flasche 732986007",
        "dropper-bottle": "dbtl",
        "cup": "cup cups udcup стаканчик 732991008",
        "packet": "packet packets pkt pack sachet sachets пак пакетик саше порошок пор beutel {packet} {sachet} 包 733013000",
        "patch": "patch patches ptch пластырь пластыря пластырей ттс {patch} pflaster 枚 733005001",
        "suppository": "suppository suppositories supp супп свеча свечу свечи свечей суппозиторий суппозитория суппозиториев {suppository} zäpfchen 733019001",
        "pessary": "pessary pessaries пессарий 733007009",
        "enema": "enema enemas клизма",
        "nebule": "neb nebule nebules небула небулы",
        "lozenge": "lozenge lozenges loz troche troc пастилка леденец 733004002",
        "tube": "tube tubes туба тюбик 733024003",
        "inhaler": "inhaler ингалятор 732997007",
        "drop": "drop drops gtt кап капля капли капель {drop} {drops} [drp] opdrop tropfen goutte gouttes 滴 732994000",
        "dropperette": "drp",
        "puff": "puff puffs inh inhalation inhalations вдох вдоха вдохов ингаляция ингаляции {puff} {inhalation} orinhl hub hübe 732981002",
        "spray": "spray sprays spry впрыск впрыска впрыскивание впрыскивания {spray} {sprays} sprühstoß sprühstoss",
        "application": "application applications appl аппликация {application} {applicatorful} 413568008",
        "dose": "dose doses доза дозы доз {dose} einzeldosis 408102007",
        "piece": "piece pieces pc pcs ea each шт штука штуки штук {each} {piece} stück stk",
        "spoonful": "spoonful spoonfuls ложка ложки messlöffel 733015007",
    }.items()
    for spelling in (*spellings.split(), unit.casefold())
}

UCUM: Mapping[str, str] = {
    "kg": "kg", "g": "g", "mg": "mg", "mcg": "ug", "ng": "ng", "L": "L", "dL": "dL", "mL": "mL", "mcL": "uL", "IU": "[iU]",
    "thousand-IU": "10*3.[iU]", "million-IU": "10*6.[iU]", "mEq": "meq", "mol": "mol", "mmol": "mmol", "mcmol": "umol", "drop": "[drp]",
    "tablet": "{tablet}", "capsule": "{capsule}", "ampoule": "{ampule}", "vial": "{vial}", "puff": "{puff}", "spray": "{spray}",
    "dose": "{dose}", "patch": "{patch}", "suppository": "{suppository}", "packet": "{packet}", "syringe": "{syringe}",
    "application": "{application}", "piece": "{piece}",
}  # fmt: skip

RUSSIAN_UNITS: Mapping[str, str] = {
    "kg": "кг", "g": "г", "mg": "мг", "mcg": "мкг", "ng": "нг", "L": "л", "dL": "дл", "mL": "мл", "mcL": "мкл", "IU": "ЕД",
    "thousand-IU": "тыс. ЕД", "million-IU": "млн ЕД", "mEq": "мэкв", "mol": "моль", "mmol": "ммоль", "mcmol": "мкмоль", "tablet": "таб.",
    "half-tablet": "полтаблетки", "quarter-tablet": "четверть таблетки", "dragee": "драже", "capsule": "капс.", "ampoule": "амп.",
    "vial": "фл.", "syringe": "шприц", "pen": "шприц-ручка", "bag": "пакет", "bottle": "бутылка", "dropper-bottle": "флакон-капельница",
    "cup": "стаканчик", "packet": "пакетик", "patch": "пластырь", "suppository": "супп.", "pessary": "пессарий", "enema": "клизма",
    "nebule": "небула", "lozenge": "пастилка", "tube": "туба", "inhaler": "ингалятор", "drop": "кап.", "dropperette": "тюбик-капельница",
    "puff": "вдох", "spray": "впрыск", "application": "аппликация", "dose": "доза", "piece": "шт.", "spoonful": "ложка",
}  # fmt: skip

_SIZES: Mapping[str, tuple[str, Fraction]] = {
    "kg": ("mass", Fraction(10**6)),
    "g": ("mass", Fraction(1000)),
    "mg": ("mass", Fraction(1)),
    "mcg": ("mass", Fraction(1, 1000)),
    "ng": ("mass", Fraction(1, 10**6)),
    "L": ("volume", Fraction(1000)),
    "dL": ("volume", Fraction(100)),
    "mL": ("volume", Fraction(1)),
    "mcL": ("volume", Fraction(1, 1000)),
    "IU": ("activity", Fraction(1)),
    "thousand-IU": ("activity", Fraction(1000)),
    "million-IU": ("activity", Fraction(10**6)),
    "mol": ("amount", Fraction(1000)),
    "mmol": ("amount", Fraction(1)),
    "mcmol": ("amount", Fraction(1, 1000)),
    "tablet": ("tablet", Fraction(1)),
    "half-tablet": ("tablet", Fraction(1, 2)),
    "quarter-tablet": ("tablet", Fraction(1, 4)),
}
_MEASURES: Mapping[str, str] = {"kg": "kg", "кг": "kg", "m2": "m2", "m²": "m2", "m^2": "m2", "м2": "m2", "м²": "m2", "м^2": "m2"}
_RUSSIAN_MEASURES: Mapping[str, str] = {"kg": "кг", "m2": "м²"}
_MEASURED = frozenset({"mass", "volume", "activity", "amount"})

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
_WITH_UNIT = re.compile(r"(?P<number>[\d.,/½¼¾⅓⅔ ]*[\d½¼¾⅓⅔]) ?(?P<unit>[^\d\s½¼¾⅓⅔].*)", re.ASCII)


@lru_cache(maxsize=4096)
def unit_named(text: str) -> str | None:
    """Return the canonical name of a unit as people write it (`ЕД`, `gm`, `таб.`), or None where it is not known."""
    word = text.strip().casefold().rstrip(".")
    return UNITS.get(word) or UNITS.get(word.replace(" ", "")) or _per_measure(word)


def _per_measure(word: str) -> str | None:
    """Return the name of a unit that counts by the patient's weight or surface (`mg/kg`, `мг/м²`), or None."""
    above, slash, below = word.replace(" ", "").partition("/")
    unit, measure = UNITS.get(above.rstrip(".")), _MEASURES.get(below)
    if not slash or unit is None or measure is None:
        return None
    return f"{unit}/{measure}" if unit == "mEq" or _SIZES.get(unit, ("",))[0] in _MEASURED else None


def needs_measure_of(unit: str) -> str:
    """Return what of the patient a unit counts by: `weight`, `body surface`; empty for a unit that stands by itself."""
    return {"kg": "weight", "m2": "body surface"}.get(unit.partition("/")[2], "")


def dimension_of(unit: str) -> str:
    """Return what a canonical unit measures (`mass`, `volume`, `activity`, `amount`, `tablet`); else the unit's own name."""
    return _SIZES[unit][0] if unit in _SIZES else unit


def parse_quantity(text: str) -> Quantity:
    """Read an amount with its unit as directories write it (`500 мг`, `1,5 млн ЕД`); raise ValueError with a sentence."""
    found = _WITH_UNIT.fullmatch(_tidied(text))
    if found is None:
        raise Unfit(f"'{text}' is not a number with a unit", f"«{text}» — не число с единицей")
    unit = unit_named(found["unit"])
    if unit is None:
        raise Unfit(f"the unit '{found['unit']}' is not known", f"единица «{found['unit']}» не известна")
    return Quantity(parse_amount(found["number"]), unit)


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
        raise Unfit(
            f"'{cleaned}' is not an amount where the decimal sign is '{decimal_sign}'",
            f"«{cleaned}» — не количество, когда дробный знак «{decimal_sign}»",
        )
    plain = cleaned.replace(" ", "")
    return Fraction(plain.replace(",", ".") if decimal_sign == "," else plain.replace(",", ""))


def _tidied(text: str) -> str:
    cleaned = " ".join(text.split())
    if len(cleaned) > _LONGEST_AMOUNT:
        raise Unfit(
            f"'{cleaned[:_LONGEST_AMOUNT]}…' is too long to be an amount",
            f"«{cleaned[:_LONGEST_AMOUNT]}…» слишком длинно для количества",
        )
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
        raise Unfit(f"'{cleaned}' divides by zero", f"«{cleaned}» делит на ноль")
    return Fraction(int(whole or 0)) + Fraction(int(above), int(below))


def _two_readings(cleaned: str) -> Unfit:
    many, few = re.sub("[.,]", "", cleaned), cleaned.replace(",", ".")
    return Unfit(
        f"'{cleaned}' may mean {many} or {few}: write one of them",
        f"«{cleaned}» может значить {many} или {few}: напишите однозначно",
    )


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
        raise Unfit(f"'{cleaned}' is not an amount", f"«{cleaned}» — не количество")
    return Fraction(cleaned.replace(",", "."))
