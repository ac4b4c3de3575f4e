"""The web application: API and pages, with headers that allow no code but ours."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from hub.web import pages
from hub.web.api import intake, pharmacy, session, state, trolley, ward
from hub.web.context import HubContext

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def create_app(hub: HubContext) -> FastAPI:
    """Build the application of one hub."""
    app = FastAPI(title="Dosehub", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.hub = hub
    for module in (session, intake, pharmacy, trolley, ward, state):
        app.include_router(module.router, prefix="/api")
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.middleware("http")(_headers)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_unreadable)
    return app


async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if request.method not in ("GET", "HEAD") and request.headers.get("sec-fetch-site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        return JSONResponse({"refused": "cross-site", "reason": "Requests from other sites are not taken."}, 403)
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    kept = "no-cache" if request.url.path.startswith("/static/") else "no-store"
    response.headers.setdefault("cache-control", kept)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if isinstance(error.detail, dict) else {"refused": "error", "reason": str(error.detail)}
    if request.url.path.startswith(("/api/", "/static/")):
        return JSONResponse(detail, error.status_code)
    return pages.refused(request, error.status_code, str(detail["reason"]))


async def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"refused": "unreadable", "reason": f"{where}: {first['msg']}", "where": where}, 422)
