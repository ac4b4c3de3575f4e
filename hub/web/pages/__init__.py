"""Pages for people, by audience; made of the same reads as the API, and every write of theirs goes through it."""

from fastapi import APIRouter

from hub.web.pages import (
    codes,
    device_console,
    devices,
    intake,
    ledger,
    line,
    lines,
    look_alikes,
    reference,
    returned,
    review,
    sign_in,
    trolley,
    ward,
    why,
)
from hub.web.pages.sign_in import refused

router = APIRouter(include_in_schema=False)
for part in (sign_in, line, lines, returned, trolley, ward, devices, device_console, intake, review, codes, look_alikes, ledger, reference, why):
    router.include_router(part.router)

__all__ = ["refused", "router"]
