"""The API's reference as a plain page, made from the application's own OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from hub.domain.people import User
from hub.web.context import current_user
from hub.web.pages.rendering import page

router = APIRouter()


@router.get("/api/docs")
async def reference(request: Request) -> HTMLResponse:
    """Show every call with its members and answers; it holds no data, so anyone may read it."""
    document = request.app.openapi()
    calls = [
        _call(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        groups.setdefault(call["group"], []).append(call)
    return page(request, await _reader(request), "reference.html", title=document["info"]["title"], groups=groups)


async def _reader(request: Request) -> User | None:
    try:
        return await current_user(request)
    except HTTPException:
        return None


def _call(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    parameters = [
        {
            "name": one["name"],
            "where": one["in"],
            "type": _type(document, one["schema"]),
            "required": one.get("required", False),
        }
        for one in operation.get("parameters", [])
    ]
    return {
        "group": (operation.get("tags") or ["other"])[0], "path": path, "method": method.upper(),
        "what": operation.get("description") or operation.get("summary", ""), "parameters": parameters,
        "members": list(_members(document, body)) if body else [], "anchor": f"{method}{path}".replace("/", "-"),
        "answers": sorted(operation.get("responses", {})),
    }  # fmt: skip


def _members(document: dict[str, Any], schema: dict[str, Any], inside: str = "") -> Iterator[dict[str, Any]]:
    """Yield the members of a body; those of the objects in a list follow it, as `list[].member`."""
    resolved = _resolved(document, schema)
    required = resolved.get("required", [])
    for name, member in resolved.get("properties", {}).items():
        yield {
            "name": inside + name,
            "type": _type(document, member),
            "required": name in required,
            "limits": _limits(member),
        }
        items = _resolved(document, member.get("items", {}))
        if items.get("properties"):
            yield from _members(document, items, f"{inside}{name}[].")


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _type(document: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(document, one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(f'"{one}"' for one in schema.get("enum", [schema.get("const")]))
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        return f"list of {_type(document, schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _limits(schema: dict[str, Any]) -> str:
    words = {"minLength": "at least {} characters", "maxLength": "at most {} characters", "minimum": "≥ {}", "maximum": "≤ {}",
             "minItems": "at least {}", "maxItems": "at most {}", "pattern": "fits {}", "default": "default {!r}"}  # fmt: skip
    return ", ".join(text.format(schema[name]) for name, text in words.items() if name in schema)
