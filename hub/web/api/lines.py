"""Lines that went back to the ward, pharmacists' rulings, pull lists, and administrations entered in error."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.identifiers import DoseId, OrderId, UserId
from hub.domain.orders import Order
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.domain.returned_lines import ReturnedLine
from hub.services.cancel_administration import EnteredInError, Truth, cancel_administration
from hub.services.overrides import Said, let_allergy_pass, refuse_line, validate_again, withdraw_validation
from hub.services.ports import UnitOfWork
from hub.services.pull_lists import pull_lists
from hub.services.returned_lines import close_return, error_statistics, mark_seen, pass_on, returned_queue, totals
from hub.web.api.line_bodies import (
    AllergyBody,
    CancelAdministrationBody,
    CloseBody,
    PassOnBody,
    ReturnedBody,
    RulingBody,
)
from hub.web.context import Hub, HubContext, allowed, second_person
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["lines"])
Senior = Annotated[User, Depends(allowed(Action.RETURN_LINES))]
Pharmacist = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]
Corrector = Annotated[User, Depends(allowed(Action.CANCEL_ADMINISTRATION))]
Reader = Annotated[User, Depends(allowed(Action.READ_WARD))]


@router.get("/returned")
async def returned(hub: Hub, _: Senior, department: str = "", closed: bool = False, limit: int = 200) -> list[dict[str, Any]]:
    """Return rejected lines that wait for their ward, the oldest first; `closed`: those that are done, the newest first."""
    return await hub.decisions.read(lambda unit: returned_queue(unit, department, closed=closed, limit=limit))


@router.get("/returned/statistics")
async def statistics(hub: Hub, _: Senior, department: str = "", days: int = 31) -> dict[str, Any]:
    """Return the errors of the last days: by day, department, rule and ward nurse, and summed by department and rule."""
    counts = await hub.decisions.read(lambda unit: error_statistics(unit, hub.house, department, days))
    rows = [
        {"day": count.day.isoformat(), "department": count.department, "rule": count.rule, "nurse": count.nurse, "lines": count.lines}
        for count in counts
    ]
    return {"counts": rows, "totals": totals(counts)}


async def _mark(hub: HubContext, user: User, body: ReturnedBody, mark: Callable[[UnitOfWork], ReturnedLine | Refusal]) -> Response:
    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        line = mark(unit)
        return line if isinstance(line, Refusal) else {"returned": line.id, "state": line.state.value}

    return await once(hub, user, body, decide)


@router.post("/returned/seen")
async def seen(body: ReturnedBody, hub: Hub, user: Senior) -> Response:
    """Mark a returned line as seen."""
    return await _mark(hub, user, body, lambda unit: mark_seen(unit, body.returned, user.id))


@router.post("/returned/pass-on")
async def passed_on(body: PassOnBody, hub: Hub, user: Senior) -> Response:
    """Write down to whom a returned line was passed on."""
    return await _mark(hub, user, body, lambda unit: pass_on(unit, body.returned, body.to, user.id))


@router.post("/returned/close")
async def close(body: CloseBody, hub: Hub, user: Senior) -> Response:
    """Close a returned line that no correction will come for."""
    return await _mark(hub, user, body, lambda unit: close_return(unit, body.returned, body.reason, user.id))


async def _rule(hub: HubContext, user: User, body: RulingBody, name: str, rule: Callable[[UnitOfWork, Said], Order | Refusal], second: UserId | None = None) -> Response:
    said = Said(OrderId(body.order), body.reason, user.id, second)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        order = rule(unit, said)
        if isinstance(order, Refusal):
            return order
        reasons = [{"rule": reason.rule, "text": reason.text, "text_ru": reason.text_ru, "source": reason.source} for reason in order.reasons]
        return {"order": order.id, "version": order.version, "outcome": order.outcome.value, "state": order.state.value, "reasons": reasons}

    return await once(hub, user, body, decide, name)


@router.post("/lines/allergy")
async def allergy(body: AllergyBody, hub: Hub, user: Pharmacist) -> Response:
    """Let an allergy pass for one order; 409 `second-person` where the reaction was grave and nobody confirmed."""
    second = await second_person(hub, body.second_badge, body.second_pin, user, Action.DECIDE_LINES)
    return await _rule(hub, user, body, "allergy", lambda unit, said: let_allergy_pass(unit, said, body.allergy, hub.house), second)


@router.post("/lines/refuse")
async def refuse(body: RulingBody, hub: Hub, user: Pharmacist) -> Response:
    """Refuse an order: it goes back to the ward."""
    return await _rule(hub, user, body, "refuse", lambda unit, said: refuse_line(unit, said, hub.house))


@router.post("/lines/withdraw")
async def withdraw(body: RulingBody, hub: Hub, user: Pharmacist) -> Response:
    """Withdraw the validation of an order: its doses are called off, revoked or asked back."""
    return await _rule(hub, user, body, "withdraw", lambda unit, said: withdraw_validation(unit, said, hub.house))


@router.post("/lines/validate")
async def validate(body: RulingBody, hub: Hub, user: Pharmacist) -> Response:
    """Take a refusal or a withdrawal back: the order is judged anew."""
    return await _rule(hub, user, body, "validate", lambda unit, said: validate_again(unit, said, hub.house))


@router.post("/administrations/cancel")
async def cancel(body: CancelAdministrationBody, hub: Hub, user: Corrector) -> Response:
    """Correct what was recorded as given in error."""
    error = EnteredInError(body.patient_code, Truth(body.truth), body.reason, body.pack_code, DoseId(body.dose) if body.dose else None)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        doses = cancel_administration(unit, error)
        return doses if isinstance(doses, Refusal) else {"doses": [{"dose": dose.id, "state": dose.state.value} for dose in doses]}

    return await once(hub, user, body, decide)


@router.get("/trolleys/pull-list")
async def pull_list(hub: Hub, _: Reader, trolley: str = "") -> list[dict[str, Any]]:
    """Return what must come out of each trolley, in the order of its drawers."""
    return await hub.decisions.read(lambda unit: pull_lists(unit, trolley))
