"""The nurse's phone: departments, the list of a round, the two scans at the bedside."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services.ports import UnitOfWork
from hub.services.views import ward_list
from hub.services.ward_round import round_of
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.ward_words import reasons_in, script_words, ward_words, where_in

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_WARD))]
AHEAD = timedelta(hours=1)


async def _round(hub: HubContext, department: str, language: str) -> dict[str, Any]:
    until, where = hub.now() + AHEAD, where_in(language)

    def read(unit: UnitOfWork) -> list[dict[str, Any]]:
        return round_of(unit, department, until)

    patients = await hub.decisions.read(read)
    for patient in patients:
        family, _, given = patient["name"].partition(" ")
        patient["short"] = " ".join([family, *(f"{name[0]}." for name in given.split())])
        patient["born_on"] = ".".join(reversed(patient["born"].split("-")))
        for item in patient["items"]:
            item["due_at"] = datetime.fromisoformat(item["due"])
            item["where"] = where.get(item["state"], item["state"])
            item["here"] = item["state"] == ("packed" if item["ward_stock"] else "received")
    return {"department": department, "until": until, "patients": patients, "reasons": reasons_in(language), "said": script_words(language), **_spoken(language)}


def _spoken(language: str) -> dict[str, Any]:
    return {"language": language, "say": ward_words(language)}


@router.get("/ward")
async def ward(request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show the departments that have patients now, with how much is due."""
    until = hub.now() + AHEAD
    wards = await hub.decisions.read(lambda unit: ward_list(unit, until))
    return page(request, user, "wards.html", wards=wards, until=until, **_spoken(language_of(request, hub.house.language)))


@router.get("/ward/round")
async def ward_round(request: Request, hub: Hub, user: Reader, department: str) -> HTMLResponse:
    """Show what is open at a department and due within the hour."""
    return page(request, user, "ward.html", **await _round(hub, department, language_of(request, hub.house.language)))


@router.get("/ward/board")
async def board(request: Request, hub: Hub, user: Reader, department: str) -> HTMLResponse:
    """Return the list of the round alone."""
    return page(request, user, "ward_board.html", **await _round(hub, department, language_of(request, hub.house.language)))
