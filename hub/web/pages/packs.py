"""The page of makers' packs: received by scan, and what their numbers mean, told once by a pharmacist; in Russian and English."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.gtins import gtin_board
from hub.services.ports import UnitOfWork
from hub.web.context import Hub, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
Stockman = Annotated[User, Depends(allowed(Action.RECEIVE_STOCK))]
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Приём упаковок", "Makers' packs"),
    "scan": ("Код упаковки", "Code of the pack"),
    "scan_hint": ("квадратный код производителя или складской", "the maker's square code, or one of the stock room's own"),
    "begin": ("Отсканируйте упаковку.", "Scan a pack."),
    "typed": ("С упаковки, если в коде этого нет", "From the pack, where its code does not say it"),
    "item": ("Препарат (код справочника)", "Item (code of the directory)"),
    "lot": ("Серия", "Lot"),
    "expires_on": ("Годен до", "Expires on"),
    "units": ("Единиц в упаковке", "Units in the pack"),
    "unit_cost": ("Цена за единицу", "Cost of a unit"),
    "empty": ("Очистить", "Clear"),
    "known": ("Что означают номера", "What the numbers mean"),
    "none": ("Ни одного номера ещё не указано.", "No number was told yet."),
    "tell": ("Указать номер", "Tell a number"),
    "gtin": ("GTIN, 14 цифр", "GTIN, 14 digits"),
    "save": ("Записать", "Save"),
    "told": ("{gtin}: записано, {item}.", "{gtin}: recorded, {item}."),
    "received": ("Принято: {item}, серия {lot}, годен до {expires_on}, единиц: {units}.", "Received: {item}, lot {lot}, expires on {expires_on}, units: {units}."),
    "received_as": (
        "Принято: {item}, годен до {expires_on}, единиц: {units}. Внимание: серия {lot_said} уже учтена как {lot}, это одна серия.",
        "Received: {item}, expires on {expires_on}, units: {units}. Note: lot {lot_said} is in the books as {lot}, one and the same lot.",
    ),
    "anew": ("Это другой препарат: введите его серию и срок годности и отсканируйте снова.", "This is another item: type its lot and expiry, then scan it again."),
    "cost": ("Сначала введите цену за единицу.", "Enter the cost of a unit first."),
}


@router.get("/packs")
async def packs(request: Request, hub: Hub, user: Stockman) -> HTMLResponse:
    """Show the scan field of receipts and the numbers that are known."""
    language = language_of(request, hub.house.language)
    words = spoken(WORDS, language)
    read = await hub.decisions.read(_board)
    return page(request, user, "packs.html", gtins=read["gtins"], drugs=read["drugs"], say=words, language=language)


def _board(unit: UnitOfWork) -> dict[str, Any]:
    drugs = [(drug.code, f"{drug.trade_name or drug.inn} {drug.strength}") for drug in unit.drugs.where(order_by="code")]
    return {"gtins": gtin_board(unit), "drugs": drugs}
