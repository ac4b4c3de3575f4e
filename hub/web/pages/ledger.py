"""The ledger for people: the newest entries first, and the story of one pack, dose or order from its first entry to its last."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hub.domain.ledger import LedgerEntry
from hub.domain.people import Action, User
from hub.services.ports import UnitOfWork
from hub.services.views import LedgerQuestion, drug_name
from hub.web.context import Hub, HubContext, allowed
from hub.web.pages.rendering import page
from hub.web.pages.wording import told

router = APIRouter()
Reader = Annotated[User, Depends(allowed(Action.READ_LEDGER))]
Text = Annotated[str, Query(max_length=200)]
PAGE = 50
STORY = 400
RELATED = 40
_ORDER_KINDS = frozenset({"line-decided", "order-changed"})
# What may be asked "why?", by the member of an entry that names it.
WHY_KINDS = {"pack": "pack", "dose": "dose", "order": "line"}
_TRACES = ("pack", "dose", "job", "order")


@router.get("/ledger")
async def ledger(
    request: Request, hub: Hub, user: Reader, before: Annotated[int, Query(ge=0)] = 0, kind: Text = "", about: Text = ""
) -> HTMLResponse:
    """Show entries newest first, or with `about` the whole story of an id in its order."""
    kind, about = kind.strip(), about.strip()
    if about:
        return page(request, user, "passport.html", **await _story(hub, about))
    found = await hub.read_ledger(LedgerQuestion(before=before, limit=PAGE + 1, kind=kind))
    rows = found.entries[:PAGE]
    names = await _names(hub, rows)
    older = rows[-1].seq if len(found.entries) > PAGE else 0
    return page(
        request, user, "ledger.html", entries=[told(row, names) for row in rows], head_seq=found.head_seq,
        head_hash=found.head_hash, kind=kind, before=before, older=older,
    )  # fmt: skip


async def _story(hub: HubContext, about: str) -> dict[str, Any]:
    """Read what names the id itself, then, twice, what names the packs, doses, job and order that those entries speak of."""
    found = await hub.read_ledger(LedgerQuestion(limit=STORY, about=(about,), oldest_first=True))
    entries = found.entries
    for _ in range(2 if entries else 0):
        related = _related(entries)
        if len(related) > RELATED:
            break
        ids = tuple({about: "", **related})
        found = await hub.read_ledger(LedgerQuestion(limit=STORY, about=ids, oldest_first=True))
        entries = tuple(entry for entry in found.entries if _belongs(entry, about, related))
    names = await _names(hub, entries)
    kinds = {trace for entry in entries for trace in WHY_KINDS if entry.data.get(trace) == about}
    asks = next((kind for trace, kind in WHY_KINDS.items() if trace in kinds), "")
    ends = [entry for entry in entries if entry.kind.startswith("dose-") and _is_end(entry.kind)]
    return {
        "about": about, "asks": asks, "entries": [told(entry, names) for entry in entries], "head_seq": found.head_seq,
        "head_hash": found.head_hash, "ends": [told(entry, names) for entry in ends], "more": len(entries) >= STORY,
    }  # fmt: skip


def _is_end(kind: str) -> bool:
    return kind not in ("dose-planned", "dose-packed", "dose-not-given")


def _related(entries: Iterable[LedgerEntry]) -> dict[str, str]:
    """Return the ids that some entries speak of, each with what it is."""
    found: dict[str, str] = {}
    for entry in entries:
        for trace in _TRACES:
            if isinstance(value := entry.data.get(trace), str) and value:
                found[value] = trace
        doses = entry.data.get("doses")
        found.update({dose: "dose" for dose in doses if isinstance(dose, str)} if isinstance(doses, list) else {})
    return found


def _belongs(entry: LedgerEntry, about: str, related: dict[str, str]) -> bool:
    """An order has other doses too: of what only names the order, its decisions alone belong to the story."""
    named = {str(entry.data[trace]) for trace in (*_TRACES, "subject") if entry.data.get(trace)}
    if about in named or any(related.get(name) in ("pack", "dose", "job") for name in named):
        return True
    return entry.kind in _ORDER_KINDS or not named


async def _names(hub: HubContext, entries: Iterable[LedgerEntry]) -> dict[str, str]:
    rows = list(entries)
    actors = sorted({entry.actor for entry in rows})
    items = sorted({str(entry.data[name]) for entry in rows for name in ("item", "drug") if entry.data.get(name)})

    def read(unit: UnitOfWork) -> dict[str, str]:
        return {user.id: user.name for user in unit.users.where(id=actors)} | {
            item: drug_name(unit, item) for item in items
        }

    return await hub.decisions.read(read)
