"""Trolleys and handovers."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.custody import Trolley
from hub.domain.packs import Pack, PackState
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork
from hub.services.sign_in import user_of_badge
from hub.services.trolleys import (
    TrolleyView,
    close_trolley,
    dispatch_trolley,
    hand_over,
    load_pack,
    pull_pack,
    receive_trolley,
    seal_trolley,
    view_trolley,
)
from hub.web.api.bodies import Handover, LoadPack, PullPack, TrolleyBody
from hub.web.context import Hub, HubContext, allowed, refuse, second_person
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["trolley"])
Loader = Annotated[User, Depends(allowed(Action.LOAD_TROLLEY))]
Nurse = Annotated[User, Depends(allowed(Action.RECEIVE_TROLLEY))]
Reader = Annotated[User, Depends(allowed(Action.READ_WARD))]


@router.get("/trolleys")
async def trolleys(hub: Hub, _: Reader) -> list[dict[str, Any]]:
    """Return the trolleys that are not closed, with what is missing and what must be pulled."""
    return await hub.decisions.read(open_trolleys)


def open_trolleys(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return the views of all trolleys that are not reconciled."""
    rows = unit.trolleys.where(
        state=["assembling", "sealed", "dispatched", "received", "in-round", "closed"], order_by="id"
    )
    return [_shown(view_trolley(unit, trolley)) for trolley in rows]


def _shown(view: TrolleyView) -> dict[str, Any]:
    trolley = view.trolley
    return {
        "trolley": trolley.id, "department": trolley.department, "slot": trolley.slot, "day": trolley.day.isoformat(),
        "state": trolley.state.value, "seal": trolley.seal, "label": trolley.label,
        "packs": [_pack(pack) for pack in view.packs],
        "missing": [{**_pack(pack), "why": why} for pack, why in view.missing],
        "pull": [{**_pack(pack), "why": pack.reason} for pack in view.pull],
    }  # fmt: skip


def _pack(pack: Pack) -> dict[str, Any]:
    return {"pack": pack.serial, "drawer": pack.drawer, "state": pack.state.value}


@router.post("/trolleys/load")
async def load(body: LoadPack, hub: Hub, user: Loader) -> Response:
    """Book a pack into its drawer."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        view = load_pack(unit, body.trolley, body.drawer, body.pack)
        return view if isinstance(view, Refusal) else {"loaded": body.pack, "missing": len(view.missing)}

    return await once(hub, user, body, decide)


@router.post("/trolleys/pull")
async def pull(body: PullPack, hub: Hub, user: Loader) -> Response:
    """Book out of its drawer a revoked pack, for the returns, or one on hold, to be kept back."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        pulled = pull_pack(unit, body.trolley, body.pack)
        return pulled if isinstance(pulled, Refusal) else {"pulled": pulled.serial, "deed": "return" if pulled.state is PackState.REVOKED else "keep"}

    return await once(hub, user, body, decide)


async def _step(
    hub: HubContext, user: User, body: TrolleyBody, name: str, step: Callable[[UnitOfWork], Trolley | Refusal]
) -> Response:
    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        trolley = step(unit)
        return trolley if isinstance(trolley, Refusal) else {"state": trolley.state.value}

    return await once(hub, user, body, decide, name)


@router.post("/trolleys/seal")
async def seal(body: TrolleyBody, hub: Hub, user: Loader) -> Response:
    """Seal a trolley."""
    return await _step(hub, user, body, "seal", lambda unit: seal_trolley(unit, body.trolley, body.seal))


@router.post("/trolleys/dispatch")
async def dispatch(body: TrolleyBody, hub: Hub, user: Loader) -> Response:
    """Book that a trolley left."""
    return await _step(hub, user, body, "dispatch", lambda unit: dispatch_trolley(unit, body.trolley))


@router.post("/trolleys/receive")
async def receive(body: TrolleyBody, hub: Hub, user: Nurse) -> Response:
    """Book that a ward received a trolley."""
    return await _step(hub, user, body, "receive", lambda unit: receive_trolley(unit, body.trolley, body.seal))


@router.post("/trolleys/close")
async def close(body: TrolleyBody, hub: Hub, user: Nurse) -> Response:
    """Close a trolley's round."""
    return await _step(hub, user, body, "close", lambda unit: close_trolley(unit, body.trolley))


@router.post("/handovers")
async def handover(body: Handover, hub: Hub, user: Loader) -> Response:
    """Hand packs that go by hand to a nurse, who confirms with badge and PIN."""
    receiver = await hub.decisions.read(lambda unit: user_of_badge(unit, body.receiver_badge))
    if receiver is None:
        raise refuse(409, Refusal("second-person", "The receiver's badge is not known.", "Бейдж получателя неизвестен."))
    await second_person(hub, body.receiver_badge, body.receiver_pin, user, Action.RECEIVE_TROLLEY)

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        handed = hand_over(unit, body.packs, receiver.id)
        return handed if isinstance(handed, Refusal) else {"handed": handed}

    return await once(hub, user, body, decide)
