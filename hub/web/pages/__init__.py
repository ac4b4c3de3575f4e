"""Pages for people, by audience; made of the same reads as the API, and every write of theirs goes through it."""

from fastapi import APIRouter

from hub.web.pages import device_console, devices, ledger, line, reference, sign_in, trolley, ward
from hub.web.pages.sign_in import refused

router = APIRouter(include_in_schema=False)
for part in (sign_in, line, trolley, ward, devices, device_console, ledger, reference):
    router.include_router(part.router)

__all__ = ["refused", "router"]
