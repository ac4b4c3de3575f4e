"""The newest entries of the ledger that fit: what they must say may lie under many others of their kind."""

from collections.abc import Callable
from dataclasses import replace

from hub.domain.ledger import LedgerEntry
from hub.services.service_acts import holders_in, is_done, question_of_answers, question_of_lock
from hub.services.views import LedgerQuestion
from hub.web.context import HubContext

# Mostly the first page has it; the rest is gone through in fewer steps.
FURTHER_PAGE = 1000


async def newest_entries(
    hub: HubContext, question: LedgerQuestion, fits: Callable[[LedgerEntry], bool]
) -> list[LedgerEntry]:
    """Return what fits on the newest page that has any; empty where nothing in the ledger does."""
    while True:
        entries = (await hub.read_ledger(question)).entries
        found = [entry for entry in entries if fits(entry)]
        if found or len(entries) < question.limit:
            return found
        question = replace(question, before=entries[-1].seq, limit=FURTHER_PAGE)


async def done_acts(hub: HubContext, device: str, act: str) -> list[LedgerEntry]:
    """Return the machine's newest answers that it did such an act."""
    return await newest_entries(hub, question_of_answers(device), lambda entry: is_done(entry, device, act))


async def lock_holders(hub: HubContext, device: str) -> tuple[str, ...]:
    """Return who may hold the service lock; the answers are read last, for people act on them."""
    told = (await hub.read_ledger(question_of_lock(device))).entries
    return holders_in(device, told, await done_acts(hub, device, "lock"))
