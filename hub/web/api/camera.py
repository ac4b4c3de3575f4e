"""The set-up of the camera: its live picture, what is measured, its lights, the accepted set-up; and maintenance tickets."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hub.domain.camera_set_up import what_to_move
from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.camera_at_hand import accept_if_right
from hub.services.maintenance import close_ticket
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import Code, Write
from hub.web.context import Hub, allowed, answered, refuse
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["camera"])
Looker = Annotated[User, Depends(allowed(Action.OPERATE_DEVICES))]
Server = Annotated[User, Depends(allowed(Action.SERVE_DEVICES))]
NO_PICTURE = Refusal("no-picture", "The camera gives no new picture: look at its state.", "Новых снимков от камеры нет: посмотрите её состояние.")
HeightMm = Annotated[int, Field(ge=50, le=2000)]
USUAL_HEIGHT_MM = 250


class LightBody(Write):
    """Which lights are to burn until the next pouch comes."""

    light: Literal["first", "second", "both", "off"]


class SetUpBody(Write):
    """The set-up that is measured now is to be kept; the lens hangs so high above the pouch."""

    height_mm: HeightMm = USUAL_HEIGHT_MM


class TicketBody(Write):
    """A maintenance ticket that is done; `renewed`: print head or ribbon was changed."""

    ticket: Code
    reason: Annotated[str, Field(max_length=500)]
    renewed: bool = False


@router.get("/devices/camera-1/picture.jpg")
async def picture(hub: Hub, _: Looker) -> Response:
    """Return the newest frame of the camera as JPEG; 409 where there is none that is new."""
    jpeg = await asyncio.to_thread(hub.camera.picture)
    if jpeg is None:
        raise refuse(409, NO_PICTURE)
    return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})


@router.get("/devices/camera-1/set-up")
async def measured(hub: Hub, _: Looker, height_mm: HeightMm = USUAL_HEIGHT_MM) -> dict[str, Any]:
    """Measure the newest frame: `figures` and what is to be moved, in both languages; 409 where no label is read."""
    figures = answered(await asyncio.to_thread(hub.camera.measured))
    moves = what_to_move(figures, height_mm, hub.camera.now().light_number)
    return {"figures": figures.told(), "moves": [{"en": move.en, "ru": move.ru} for move in moves]}


@router.post("/devices/camera-1/set-up")
async def accept(body: SetUpBody, hub: Hub, user: Server) -> Response:
    """Measure now and keep it as the accepted set-up in one's own name; refused with what is to be moved."""
    figures = answered(await asyncio.to_thread(hub.camera.measured))
    light = hub.camera.now().light_number

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        kept = accept_if_right(unit, figures, body.height_mm, light, user.id)
        return kept if isinstance(kept, Refusal) else {"figures": kept.figures.told()}

    return await once(hub, user, body, decide)


@router.post("/devices/camera-1/lights")
async def lights(body: LightBody, hub: Hub, _: Server) -> dict[str, str]:
    """Switch the lights; the next pouch has its own."""
    answered(await asyncio.to_thread(hub.camera.show_light, body.light))
    return {"light": body.light}


@router.post("/maintenance")
async def maintenance(body: TicketBody, hub: Hub, user: Looker) -> Response:
    """Close a maintenance ticket with a reason, in one's own name."""

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        closed = close_ticket(unit, body.ticket, body.reason, is_renewed=body.renewed)
        return closed if isinstance(closed, Refusal) else {"closed": closed.id}

    return await once(hub, user, body, decide)
