"""The web application: API and pages, with headers that allow no code but ours."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from hub.domain.refusals import Refusal
from hub.web import pages
from hub.web.api import (
    camera,
    codes,
    device_firmware,
    devices,
    doubts,
    feeds,
    gtins,
    intake,
    labels,
    lines,
    look_alikes,
    pharmacy,
    references,
    review,
    session,
    state,
    station,
    trolley,
    ward,
    why,
)
from hub.web.context import HubContext
from hub.web.headers import SafeHeaders

STATIC = Path(__file__).parent / "static"
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def create_app(hub: HubContext) -> FastAPI:
    """Build the application of one hub."""
    app = FastAPI(title="Dosehub", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", telemetry=NO_TELEMETRY)
    app.state.hub = hub
    for router in (ward.scans, *(module.router for module in (ward, lines, trolley, pharmacy, references, gtins, station, look_alikes, doubts, camera, devices, device_firmware, intake, feeds, codes, review, why, session, state, labels))):
        app.router.routes.extend(router.routes)  # flat: an included router is searched twice for each request
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SafeHeaders)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_unreadable)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if isinstance(error.detail, dict) else Refusal("error", str(error.detail), f"Запрос отклонён: {error.status_code}.").told()
    if request.url.path.startswith(("/api/", "/static/")):
        return JSONResponse(detail, error.status_code)
    return pages.refused(request, error.status_code, detail)


async def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    refusal = Refusal("unreadable", f"{where}: {first['msg']}", f"{where}: значение не подходит ({first['msg']})")
    return JSONResponse({**refusal.told(), "where": where}, 422)
