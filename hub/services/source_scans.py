"""A scan of a maker's pack: the source pack that it names in the books, or the receipt that it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hub.domain.gtins import Gtin
from hub.domain.identifiers import DrugCode
from hub.domain.makers_codes import SHORTEST_PROVEN, MakersCode
from hub.domain.refusals import Refusal
from hub.domain.stock import SourcePack, is_same_number, lot_number
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.stock_in import Receipt

_SHORTEST_GTIN = 8


@dataclass(frozen=True, slots=True)
class TypedReceipt:
    """A pack as it is received: its scan, and what was typed of it; empty or None where the maker's code is to say it."""

    scanned: str
    unit_cost: Decimal
    item: str = ""
    lot: str = ""
    expires_on: date | None = None
    units: Fraction | None = None
    look: str = ""


def source_codes(unit: UnitOfWork, house: House, scans: Sequence[str]) -> tuple[str, ...] | Refusal:
    """Return the codes by which the books know the packs that were scanned, or the first refusal."""
    codes: list[str] = []
    for scanned in scans:
        code = source_code(unit, house, scanned)
        if isinstance(code, Refusal):
            return code
        codes.append(code)
    return tuple(codes)


def source_code(unit: UnitOfWork, house: House, scanned: str) -> str | Refusal:
    """Return the code by which the books know the pack of a scan: the scan itself, or GTIN and serial of a maker's code."""
    known = unit.source_packs.get(scanned)
    if known is not None and known.scanned:
        return scanned
    read = _read_scan(unit, house, scanned)
    if read is None or isinstance(read, Refusal):
        return scanned if read is None else read
    if not read.serial:
        return _without_serial(read)
    pack = unit.source_packs.get(read.code)
    if pack is None:
        return _caps_lock(unit, read) or read.code
    return _contradiction(unit, house, read, pack) or pack.code


def receipt_of(unit: UnitOfWork, house: House, typed: TypedReceipt) -> Receipt | Refusal:
    """Return the receipt of a pack: what its maker's code says, and what was typed where that says nothing; both must agree."""
    read = _read_scan(unit, house, typed.scanned)
    if isinstance(read, Refusal):
        return read
    if read is None:
        return _typed(typed)
    gtin = unit.gtins.get(read.gtin)
    if gtin is None:
        if not read.serial:
            return _without_serial(read)
        return Refusal(
            "unknown-gtin", f"Nobody has said yet which drug GTIN {read.gtin} is: a pharmacist tells it once on the page Makers' packs.",
            f"Какой препарат означает GTIN {read.gtin}, ещё никто не указал: провизор указывает это один раз на странице «Упаковки».",
        )  # fmt: skip
    return _unlike(unit, house, typed, read, gtin) or _read(typed, read, gtin)


def _read_scan(unit: UnitOfWork, house: House, scanned: str) -> MakersCode | Refusal | None:
    """Return what a scan says as a maker's code, or None for a code of the stock room's own: one that holds no number of a product."""
    read = house.read_makers_code(scanned, house.local_date(unit.now))
    if isinstance(read, Refusal) or (read is not None and (read.serial or unit.gtins.get(read.gtin) is not None)):
        return read
    written = "".join(filter(str.isalnum, scanned))
    told = next((gtin.gtin for gtin in unit.gtins.where() if gtin.gtin.lstrip("0").zfill(_SHORTEST_GTIN) in written), "")
    return MakersCode(told, scanned=scanned) if told else read


def _typed(typed: TypedReceipt) -> Receipt | Refusal:
    """Return the receipt of a pack with a code of the stock room's own: all of it is typed."""
    if not typed.item or not typed.lot or typed.expires_on is None or typed.units is None:
        return _to_type(typed.scanned)
    return Receipt(typed.scanned, DrugCode(typed.item), typed.lot, typed.expires_on, typed.units, typed.unit_cost, typed.look)


def _read(typed: TypedReceipt, read: MakersCode, gtin: Gtin) -> Receipt | Refusal:
    lot, expires_on = read.lot or typed.lot, read.expires_on or typed.expires_on
    if not lot or expires_on is None:
        return _to_type(read.code)
    units = gtin.units if typed.units is None else typed.units
    return Receipt(read.code, gtin.item, lot, expires_on, units, typed.unit_cost, typed.look, typed.scanned)


def _unlike(unit: UnitOfWork, house: House, typed: TypedReceipt, read: MakersCode, gtin: Gtin) -> Refusal | None:
    """Return where the code and what was typed contradict each other, or why such a pack is not received."""
    if typed.item and typed.item != gtin.item:
        return Refusal("wrong-drug", f"{typed.item} was typed, but GTIN {read.gtin} is {gtin.item}.", f"Введён препарат {typed.item}, а GTIN {read.gtin} означает {gtin.item}.")
    if not read.serial:
        return _without_serial(read)
    if typed.lot and read.lot and not is_same_number(typed.lot, read.lot):
        return Refusal("wrong-lot", f"Lot {typed.lot} was typed, but the code says lot {read.lot}.", f"Введена серия {typed.lot}, а в коде серия {read.lot}.")
    if typed.expires_on and read.expires_on and typed.expires_on != read.expires_on:
        return _wrong_expiry(read.code, typed.expires_on, read.expires_on)
    if typed.units is not None and typed.units > gtin.units:
        return Refusal("units", f"A pack of GTIN {read.gtin} holds {gtin.units}, not {typed.units}.", f"В упаковке с GTIN {read.gtin} {gtin.units}, а не {typed.units}.")
    expires_on = read.expires_on or typed.expires_on
    if expires_on is not None and expires_on < house.local_date(unit.now):
        return Refusal("expired", f"Pack {read.code} expired on {expires_on}: it is not received.", f"Срок годности упаковки {read.code} истёк {expires_on}: её не принимают.")
    return _unproven(unit, house, read, gtin) or _caps_lock(unit, read)


def _unproven(unit: UnitOfWork, house: House, read: MakersCode, gtin: Gtin) -> Refusal | None:
    """Refuse a code without proof where packs of the number came with one: it was cut short, and its serial with it."""
    if read.proof or not any(_has_proof(unit, house, pack) for pack in unit.source_packs.where(item=gtin.item) if pack.code.startswith(gtin.gtin)):
        return None
    return Refusal(
        "no-proof", f"Packs of GTIN {read.gtin} have a verification code, and this scan has none: it was cut short. Scan the whole square code again.",
        f"На упаковках с GTIN {read.gtin} есть код проверки, а в этом скане его нет: код считан не целиком. Отсканируйте весь квадратный код снова.",
    )  # fmt: skip


def _has_proof(unit: UnitOfWork, house: House, pack: SourcePack) -> bool:
    if len(pack.scanned) < SHORTEST_PROVEN:
        return False
    received = house.read_makers_code(pack.scanned, house.local_date(unit.now))
    return isinstance(received, MakersCode) and received.proof != ""


def _contradiction(unit: UnitOfWork, house: House, read: MakersCode, pack: SourcePack) -> Refusal | None:
    """Return what a scan says otherwise than the books do of the same GTIN and serial."""
    received = house.read_makers_code(pack.scanned, house.local_date(unit.now)) if pack.scanned else None
    if isinstance(received, MakersCode) and received.proof != read.proof:
        return Refusal(
            "another-pack", f"A pack with the serial of {pack.code} was received with another verification code: set both aside, one of them is not genuine.",
            f"Упаковка с номером {pack.code} принята с другим кодом проверки: отложите обе, одна из них не подлинная.",
        )  # fmt: skip
    number, lot = lot_number(pack.item, pack.lot), unit.lots.get(pack.lot)
    if read.lot and not is_same_number(read.lot, number):
        return Refusal("wrong-lot", f"Pack {pack.code} was received as lot {number}; its code says lot {read.lot}.", f"Упаковка {pack.code} принята как серия {number}, а в коде серия {read.lot}.")
    if read.expires_on and lot is not None and read.expires_on != lot.expires_on:
        return _wrong_expiry(pack.code, lot.expires_on, read.expires_on)
    return None


def _caps_lock(unit: UnitOfWork, read: MakersCode) -> Refusal | None:
    """Return the refusal of a serial that the books know with upper and lower case swapped."""
    swapped = f"{read.gtin}{read.serial.swapcase()}"
    if swapped == read.code or unit.source_packs.get(read.code) is not None or unit.source_packs.get(swapped) is None:
        return None
    return Refusal("caps-lock", "Caps Lock is on: switch it off and scan again.", "Включён Caps Lock: выключите его и отсканируйте снова.")


def _without_serial(read: MakersCode) -> Refusal:
    return Refusal(
        "no-serial", f"The code of GTIN {read.gtin} names a product, not this pack: scan the square code, or stick a code of the stock room's own on it (without that number) and type item, lot and expiry.",
        f"Код с GTIN {read.gtin} означает товар, а не эту упаковку: отсканируйте квадратный код или наклейте складской код без этого номера и введите препарат, серию и срок годности.",
    )  # fmt: skip


def _to_type(code: str) -> Refusal:
    return Refusal(
        "to-type", f"The code of pack {code} does not say everything: type item, lot, expiry and units as they are printed on it.",
        f"Код упаковки {code} говорит не всё: введите препарат, серию, срок годности и количество, как на ней напечатано.",
    )  # fmt: skip


def _wrong_expiry(code: str, known: date, read: date) -> Refusal:
    return Refusal("wrong-expiry", f"Pack {code}: the expiry {known} contradicts the {read} of its code.", f"Упаковка {code}: срок годности {known} противоречит сроку {read} в коде.")
