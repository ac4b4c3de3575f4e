"""Writes that count once: the client's event id, the kind of write and all it says but the PINs."""

from collections.abc import Callable
from typing import Any

from fastapi import Response

from hub.domain.people import User
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import Write
from hub.web.context import HubContext, answered

PINS = {"second_pin", "receiver_pin"}


async def once(hub: HubContext, user: User, body: Write, decide: Callable[[UnitOfWork], Any], step: str = "") -> Response:
    """Have a write decided once and return its answer as it is kept; a refusal becomes 409, as does the same event id for something else."""
    said = f"{type(body).__name__}:{step}:{body.model_dump_json(exclude=PINS)}"
    return Response(answered(await hub.decisions.once(user.id, body.event, said, decide)), media_type="application/json")
