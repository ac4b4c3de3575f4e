"""Labels of the house: what may be asked for, and a wish that goes to the label printer."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hub.domain.people import Action, User
from hub.domain.refusals import Refusal
from hub.services.house_labels import HouseLabel, LabelRequest, label_board, queue_labels
from hub.services.ports import UnitOfWork
from hub.web.api.bodies import Code, Write
from hub.web.context import Hub, allowed, answered
from hub.web.once import once

router = APIRouter(prefix="/api", tags=["labels"])
Printer = Annotated[User, Depends(allowed(Action.PRINT_LABELS))]


class LabelBody(Write):
    """What is asked for: `subject` is a person's id, a cassette's number, a command's code, or a trolley's id or label."""

    label: HouseLabel
    subject: Code


@router.get("/labels")
async def labels(hub: Hub, _: Printer) -> dict[str, Any]:
    """Return what may be asked for: badges, drawers, commands and manifests."""
    return await hub.decisions.read(label_board)


@router.post("/labels")
async def print_label(body: LabelBody, hub: Hub, user: Printer) -> Response:
    """Draw a label, read it back, and hand it to the label printer; a manifest is as many sheets as it needs."""
    request = LabelRequest(body.label, body.subject, body.event)
    drawn = answered(await hub.labels.draw(user.id, request))

    def decide(unit: UnitOfWork) -> dict[str, Any] | Refusal:
        return queue_labels(unit, hub.house, request, drawn)

    return await once(hub, user, body, decide)
