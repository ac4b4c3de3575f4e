"""The review station: which pouches wait, one shown to a person, that person's decision, and what machine and people miss."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork
from hub.services.review_station import Asked, CaseDecision, Station, decide_case, queue_view, show_case
from hub.services.station_figures import looking_view, misses_view
from hub.web.api.bodies import Code, Write
from hub.web.context import Hub, HubContext, allowed, answered
from hub.web.once import once

router = APIRouter(prefix="/api/station", tags=["review station"])
Reviewer = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
MissesReader = Annotated[User, Depends(allowed(Action.READ_MISSES))]
Head = Annotated[User, Depends(allowed(Action.READ_LOOKING))]
MayBeEmpty = Annotated[str, Field(max_length=200)]


class ShowBody(Write):
    """Which case a person wants to see; without any member the next one."""

    case: MayBeEmpty = ""
    pack: MayBeEmpty = ""
    after: MayBeEmpty = ""


class DecideBody(Write):
    """What a person says of the case that was shown; `reason` is a key of hub/domain/commands.py or free text."""

    case: Code
    shown: Code
    decision: Literal["accept", "reject", "remake"]
    scanned: MayBeEmpty = ""
    reason: Annotated[str, Field(max_length=500)] = ""
    unreadable: bool = False


def station_of(hub: HubContext, user: User) -> Station:
    """Return who stands at the station now."""
    return Station(user.id, hub.wall(), hub.house, lambda digest: hub.evidence(digest) is not None)


@router.get("")
async def queue(hub: Hub, user: Reviewer) -> dict[str, Any]:
    """Return how many pouches wait for an eye, and which."""
    station = station_of(hub, user)
    return await hub.decisions.read(lambda unit: queue_view(unit, station))


@router.post("/show")
async def show(body: ShowBody, hub: Hub, user: Reviewer) -> Any:
    """Show a case and record since when this person sees it; asked again, it answers what is so now."""
    station, asked = station_of(hub, user), Asked(body.case, body.pack, body.after)
    return answered(await hub.decisions.run(user.id, lambda unit: show_case(unit, station, asked)))


@router.post("/decide")
async def decide(body: DecideBody, hub: Hub, user: Reviewer) -> Response:
    """Take a decision on the case that was shown."""
    station = station_of(hub, user)
    decision = CaseDecision(body.case, body.shown, body.decision, body.scanned, body.reason, body.unreadable)

    def decided(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        return decide_case(unit, station, decision)

    return await once(hub, user, body, decided)


@router.get("/misses")
async def misses(hub: Hub, _: MissesReader) -> dict[str, Any]:
    """Return what the machine and all people together missed of known-bad pouches, with intervals at 95 %."""
    return {**await hub.decisions.read(misses_view), "left_out": hub.trials_left_out()}


@router.get("/looking")
async def looking(hub: Hub, _: Head) -> list[dict[str, Any]]:
    """Return how long each person looks before deciding, for the head alone."""
    return await hub.decisions.read(looking_view)
