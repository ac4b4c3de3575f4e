"""Headers that allow no code but ours on every answer, and no writes that another site asked for; plain ASGI, for its speed."""

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.domain.refusals import Refusal

HEADERS = (
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
FILES, ANSWERS = (b"cache-control", b"no-cache"), (b"cache-control", b"no-store")
CROSS_SITE = Refusal("cross-site", "Requests from other sites are not taken.", "Запросы с чужих сайтов не принимаются.")
OUR_OWN = ("same-origin", "none")


class SafeHeaders:
    """Adds the headers to answers that have not set them, and refuses writes from other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = (*HEADERS, FILES if scope["path"].startswith("/static/") else ANSWERS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in wanted if header[0] not in present)]
            await send(message)

        if scope["method"] not in ("GET", "HEAD") and _from_elsewhere(Headers(scope=scope)):
            refused = JSONResponse(CROSS_SITE.told(), 403)
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send_with_headers)


def _from_elsewhere(headers: Headers) -> bool:
    """Tell whether a browser says that another site's page made the request; programs say nothing and are not meant.

    Browsers too old for Sec-Fetch-Site are asked by their Origin.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in OUR_OWN
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host", "")
