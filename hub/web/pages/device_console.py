"""The engineer's console of one machine: what it says of itself, its counters and frames, the service lock, tests and jog."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import Action, User
from hub.services import machine_journal
from hub.services.device_service import SelfTestTold
from hub.services.doubt_view import doubt_board
from hub.services.ports import UnitOfWork
from hub.services.service_acts import UNKNOWN, owner_of, serves
from hub.services.views import LedgerQuestion, device_board
from hub.web.context import Hub, HubContext, allowed
from hub.web.newest_entries import done_acts, lock_holders
from hub.web.pages.rendering import page
from hub.web.pages.wording import told

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
BRIDGE_PREFIX = "link_"
ERRORS = frozenset({"crc_err", "cobs_err", "overrun", "retransmits", "stale", "stale_sid", "bad_payload", "denied"})
# A service command comes to nothing where the clocks of hub and bridge are further apart.
CLOCKS_APART = timedelta(seconds=5)
MOTORS = (("film", "Film"), ("gate", "Gate"), ("tray", "Tray"))


@router.get("/devices/{device}")
async def console(device: str, request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Show one machine, and to those who may the means to serve it."""
    return page(request, user, "device_console.html", motors=MOTORS, **await _read(hub, user, device))


@router.get("/devices/{device}/board")
async def board(device: str, request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Return the live part of the page alone."""
    return page(request, user, "device_console_board.html", **await _read(hub, user, device))


@router.get("/devices/{device}/journal")
async def journal(device: str, request: Request, hub: Hub, user: Reader) -> HTMLResponse:
    """Return what the books have of the machine's newest jobs, as a part of the page."""
    if not await hub.decisions.read(lambda unit: serves(unit, device)):
        raise HTTPException(404, UNKNOWN.told())
    jobs = await hub.decisions.read(lambda unit: machine_journal.newest_jobs(unit, device))
    found = [await hub.read_ledger(question) for question in machine_journal.questions(jobs)]
    entries = [entry for one in found for entry in one.entries]
    rows = [job | {"steps": machine_journal.steps_of(job["job"], entries)} for job in jobs]
    return page(request, user, "device_journal.html", jobs=rows)


async def _read(hub: HubContext, user: User, device: str) -> dict[str, Any]:
    def read(unit: UnitOfWork) -> dict[str, Any] | None:
        if not serves(unit, device):
            return None
        people = unit.users.where()
        names = {key: person.name for person in people for key in (person.id, owner_of(person))}
        row = next(row for row in device_board(unit) if row["device"] == device)
        doubts = [doubt for doubt in doubt_board(unit) if doubt["device"] == device]
        return {"row": row, "names": names, "doubts": doubts}

    found = await hub.decisions.read(read)
    if found is None:
        raise HTTPException(404, UNKNOWN.told())
    update = hub.updates.get(device)
    in_books = await _last_test(hub, device, found["names"])
    holders = await lock_holders(hub, device)
    return {
        **found, "device": device, "holder": next(filter(None, holders), ""), "mine": holders == (owner_of(user),),
        "description": hub.service.description(device),
        "trouble": hub.service.trouble, "counters": _counters(found["row"]["counters"]), "test": newer_test(in_books, hub.service.self_test(device)),
        "is_updating": update is not None and not update.is_over,
        "entries": [told(entry, found["names"]) for entry in await _last_entries(hub, device)],
    }  # fmt: skip


def _counters(pairs: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Return the counters by name, the machine's beside the bridge's; None where one of them does not count it."""
    own = {name: value for name, value in pairs if not name.startswith(BRIDGE_PREFIX)}
    bridge = {name.removeprefix(BRIDGE_PREFIX): value for name, value in pairs if name.startswith(BRIDGE_PREFIX)}
    return [
        {
            "name": name, "machine": own.get(name), "bridge": bridge.get(name),
            "is_error": name in ERRORS and bool(own.get(name) or bridge.get(name)),
        }
        for name in sorted({*own, *bridge}, key=lambda name: (name not in ERRORS, name))
    ]  # fmt: skip


async def _last_test(hub: HubContext, device: str, names: dict[str, str]) -> dict[str, Any] | None:
    """Return the last self test that a machine answered: when, by whom, and each result."""
    for entry in await done_acts(hub, device, "self-test"):
        at = datetime.fromisoformat(entry.at.replace("Z", "+00:00"))
        by = names.get(entry.actor, entry.actor)
        return {"at": at, "by": by, "results": entry.data["data"], "seq": entry.seq}
    return None


def newer_test(in_books: dict[str, Any] | None, told: SelfTestTold | None) -> dict[str, Any] | None:
    """Return the machine's own word of its last self test where it is newer than the ledger's, else the ledger's.

    The two tell of the same test where their clocks may just differ; then the ledger, which knows who asked, is shown.
    """
    if told is None or (in_books is not None and told.at <= in_books["at"] + CLOCKS_APART):
        return in_books
    return {"at": told.at, "by": "", "results": dict(told.results), "seq": None}


async def _last_entries(hub: HubContext, device: str) -> list[Any]:
    """Return what the ledger last heard of and about this machine: its own words, and what people asked of it."""
    kinds = ("service-lock", "service-asked", "service-answered", "device-stopped", "device-ready", "events-missing")
    found = [await hub.read_ledger(LedgerQuestion(limit=8, kind=kind, about=(device,))) for kind in kinds]
    entries = sorted((entry for one in found for entry in one.entries), key=lambda entry: -entry.seq)
    return entries[:8]
