"""The short way of a scan: who is it, what was scanned, answer; nothing else that FastAPI can do for an endpoint is asked for.

A nurse waits for each of these answers, so body and person are read here without the general machinery of dependencies.
What an endpoint needs is told by its signature as everywhere: `body`, a model; `request`; `user`, who may do it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, get_args, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send


class ScanRoute(APIRoute):
    """A route whose endpoint takes (body, request, user) and returns a Response; refusals are those of any other route.

    401 or 403 where the person may not, 422 where the body cannot be read: the application answers these.
    """

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        hints = get_type_hints(endpoint, include_extras=True)
        model, who = hints["body"], get_args(hints["user"])[1].dependency

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            user = await who(request)
            response = await endpoint(body=await _body(request, model), request=request, user=user)
            await response(scope, receive, send)

        self.app = answer


async def _body(request: Request, model: type[BaseModel]) -> BaseModel:
    """Return the body; only declared JSON is read, so that no form of another site's page can say it."""
    data = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestValidationError([{"loc": ("body",), "type": "content_type", "msg": "Send application/json", "input": None}])
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]) from error
