"""What the numbers of makers' packs mean here: told once by a pharmacist, and not changed under packs that are in the store."""

from fractions import Fraction
from typing import Any

from hub.domain.gtins import Gtin, is_gtin
from hub.domain.identifiers import DrugCode, UserId
from hub.domain.quantities import fraction_text
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork


def tell_gtin(unit: UnitOfWork, gtin: str, item: DrugCode, units: Fraction, by: UserId) -> Gtin | Refusal:
    """Write down which drug a GTIN is, and how many dispensing units one pack holds."""
    if not is_gtin(gtin):
        return Refusal("gtin", f"{gtin} is no GTIN of 14 digits with its check digit.", f"{gtin} — не GTIN из 14 цифр с верной контрольной цифрой.")
    if unit.drugs.get(item) is None:
        return Refusal("unknown-drug", f"Drug {item} is not in the directory.", f"Препарата {item} нет в справочнике.")
    if units <= 0:
        return Refusal("units", "A pack holds more than nothing.", "В упаковке должно что-то быть.")
    before = unit.gtins.get(gtin)
    if before is not None and before.item != item and _in_store(unit, before):
        return Refusal(
            "gtin-in-use", f"Packs of GTIN {gtin} are in the store as {before.item}: take them out of the books first.",
            f"Упаковки с GTIN {gtin} числятся на складе как {before.item}: сначала снимите их с учёта.",
        )  # fmt: skip
    told = Gtin(gtin, item, units, by, unit.now)
    unit.gtins.put(told)
    unit.record("gtin-told", {"gtin": gtin, "item": item, "units": fraction_text(units), "by": by, "was": before.item if before is not None else None})
    return told


def _in_store(unit: UnitOfWork, gtin: Gtin) -> bool:
    return any(pack.left > 0 and pack.scanned and pack.code.startswith(gtin.gtin) for pack in unit.source_packs.where(item=gtin.item))


def gtin_board(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return what every known GTIN means."""
    rows = []
    for gtin in unit.gtins.where(order_by="gtin"):
        drug = unit.drugs.get(gtin.item)
        name = f"{drug.trade_name or drug.inn} {drug.strength}" if drug is not None else gtin.item
        rows.append({"gtin": gtin.gtin, "item": gtin.item, "name": name, "units": fraction_text(gtin.units), "by": gtin.told_by, "at": gtin.told_at.isoformat()})
    return rows
