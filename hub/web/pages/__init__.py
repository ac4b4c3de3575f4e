"""Pages for people, by audience; made of the same reads as the API, and every write of theirs goes through it."""

from fastapi import APIRouter

from hub.web.pages import (
    camera,
    codes,
    device_console,
    devices,
    evidence,
    intake,
    labels,
    ledger,
    line,
    lines,
    look_alikes,
    packs,
    reference,
    references,
    returned,
    review,
    sign_in,
    station,
    trolley,
    ward,
    why,
)
from hub.web.pages.sign_in import refused

router = APIRouter(include_in_schema=False)
for part in (sign_in, line, lines, returned, trolley, ward, devices, camera, device_console, intake, review, station, codes, look_alikes, references, evidence, packs, labels, ledger, reference, why):
    router.include_router(part.router)

__all__ = ["refused", "router"]
