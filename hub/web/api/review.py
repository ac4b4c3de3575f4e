"""Lines that wait for a pharmacist: what waits, how much of it, and the rulings by which a line goes on."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hub.domain.identifiers import OrderId
from hub.domain.orders import Order
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.lines_in_review import review_board, review_statistics
from hub.services.ports import UnitOfWork
from hub.services.release_lines import Duration, release_doubt, settle_dose, tell_duration, withdraw_ruling
from hub.services.ruling_desk import Said
from hub.web.api.bodies import Code
from hub.web.api.line_bodies import RulingBody
from hub.web.context import Hub, HubContext, allowed, second_person
from hub.web.once import once

router = APIRouter(prefix="/api/review", tags=["review"])
Reader = Annotated[User, Depends(allowed(Action.READ_LINE))]
Pharmacist = Annotated[User, Depends(allowed(Action.DECIDE_LINES))]


class ConfirmedBody(RulingBody):
    """A ruling about an order; of a high-alert drug with a second pharmacist."""

    second_badge: Annotated[str, Field(max_length=200)] = ""
    second_pin: Annotated[str, Field(max_length=64)] = ""


class ReleaseBody(ConfirmedBody):
    """A doubt that is released: its rule, and the matter as the waiting line shows it."""

    rule: Code
    about: Code


class DoseBody(ConfirmedBody):
    """The dose to which a range is settled, an amount in its unit."""

    dose: Annotated[str, Field(min_length=1, max_length=20)]


class DurationBody(ConfirmedBody):
    """What a duration that is not shorter than its period means."""

    meaning: Literal["course", "infusion"]


class WithdrawBody(RulingBody):
    """A ruling that is taken back."""

    ruling: Code


@router.get("")
async def waiting(hub: Hub, _: Reader, department: str = "", limit: int = 200) -> dict[str, Any]:
    """Return the lines that wait for a pharmacist, by department, the most urgent first; patients by code, room and bed."""
    return await hub.decisions.read(lambda unit: review_board(unit, hub.house, department, limit))


@router.get("/statistics")
async def statistics(hub: Hub, _: Reader, days: int = 31) -> dict[str, Any]:
    """Return how many lines wait, by department and rule, and what pharmacists ruled in the last days (at most 92)."""
    return await hub.decisions.read(lambda unit: review_statistics(unit, hub.house, days))


async def _rule(hub: HubContext, user: User, body: RulingBody, name: str, rule: Callable[[UnitOfWork, Said], Order | Refusal]) -> Response:
    second = None
    if isinstance(body, ConfirmedBody):
        second = await second_person(hub, body.second_badge, body.second_pin, user, Action.DECIDE_LINES)
    said = Said(OrderId(body.order), body.reason, user.id, second)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        order = rule(unit, said)
        if isinstance(order, Refusal):
            return order
        reasons = [{"rule": reason.rule, "text": reason.text, "text_ru": reason.said("ru"), "source": reason.source} for reason in order.reasons]
        planned = unit.doses.count(order=order.id, version=order.version)
        return {
            "order": order.id, "version": order.version, "outcome": order.outcome.value, "state": order.state.value, "reasons": reasons, "planned": planned,
        }  # fmt: skip

    return await once(hub, user, body, decide, name)


@router.post("/release")
async def release(body: ReleaseBody, hub: Hub, user: Pharmacist) -> Response:
    """Release one doubt of a line; 409 `not-releasable` where no ruling helps, `second-person` where nobody confirmed."""
    return await _rule(hub, user, body, "release", lambda unit, said: release_doubt(unit, said, body.rule, body.about, hub.house))


@router.post("/dose")
async def dose(body: DoseBody, hub: Hub, user: Pharmacist) -> Response:
    """Settle the dose of a written range."""
    return await _rule(hub, user, body, "dose", lambda unit, said: settle_dose(unit, said, body.dose, hub.house))


@router.post("/duration")
async def duration(body: DurationBody, hub: Hub, user: Pharmacist) -> Response:
    """Say whether a long duration is the length of the course or that of an infusion."""
    return await _rule(hub, user, body, "duration", lambda unit, said: tell_duration(unit, said, Duration(body.meaning), hub.house))


@router.post("/withdraw")
async def withdraw(body: WithdrawBody, hub: Hub, user: Pharmacist) -> Response:
    """Take back a ruling by which a line goes on; the line is judged anew."""
    return await _rule(hub, user, body, "withdraw", lambda unit, said: withdraw_ruling(unit, said, body.ruling, hub.house))
