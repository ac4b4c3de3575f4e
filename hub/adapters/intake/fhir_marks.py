"""What may stand at any level of a FHIR resource and must never be ignored, wherever it stands.

Modifier extensions change the meaning of what is around them, `implicitRules` that of the whole resource, and a value that is only
an extension (`_status`) or is said to be absent is not there (FHIR R4 2.1.5 Extensibility, 2.6.2 JSON, Resource.implicitRules).
"""

from collections.abc import Iterator
from typing import Any

from hub.adapters.intake.fhir_found import Unread, tree_of
from hub.domain.words import Words, about_times

MOST_MARKS = 20
_ABSENT_REASON = "data-absent-reason"
_ABSENT = _ABSENT_REASON.encode()
_NEUTRAL = frozenset({"_id", "_language", "_div", "_display"})


def marks_of(raw: bytes) -> tuple[Words, ...]:
    """Return in words what may not be ignored of a resource, with its place; at most twenty of them."""
    if not _may_have_marks(raw):
        return ()
    tree = tree_of(raw)
    if isinstance(tree, Unread):
        return (Words(
            f"a resource that cannot be looked through for modifier extensions ({tree.reason.en})",
            f"ресурс, в котором нельзя найти расширения-модификаторы ({tree.reason.ru})",
        ),)
    found = [mark for _, mark in zip(range(MOST_MARKS + 1), _marks(tree), strict=False)]
    return (*found[:MOST_MARKS], *([Words(
        "more modifier extensions and absent values",
        "и ещё расширения-модификаторы и отсутствующие значения",
    )] if len(found) > MOST_MARKS else []))


def _may_have_marks(raw: bytes) -> bool:
    """Tell whether a resource has to be looked through; an escape may hide a name from a search through the bytes."""
    if b"xtension" in raw and (b'"modifierExtension"' in raw or _ABSENT in raw):
        return True
    return b'"implicitRules"' in raw or (b"_" in raw and b'"_' in raw) or (b"\\" in raw and b"\\u00" in raw)


def _marks(tree: Any) -> Iterator[Words]:
    """Yield the marks of a tree from the top; without recursion, as senders decide how deep it is."""
    waiting = [("", tree)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{place}[{number}]", part) for number, part in enumerate(value)]
        elif isinstance(value, dict):
            yield from about_times(_marks_of_element(place, value)) if "timing" in place.split(".") else _marks_of_element(place, value)
            waiting += [
                (f"{place}.{name}".removeprefix("."), part) for name, part in value.items() if not name.startswith("_")
            ]


def _marks_of_element(place: str, element: dict[str, Any]) -> Iterator[Words]:
    at, at_ru = (f" at {place}", f" в {place}") if place else ("", "")
    if extensions := element.get("modifierExtension"):
        yield Words(
            f"modifierExtension{at}: {_urls(extensions)}",
            f"расширение-модификатор (modifierExtension){at_ru}: {_urls(extensions)}",
        )
    if rules := element.get("implicitRules"):
        yield Words(f"implicitRules{at}: {rules}", f"особые правила чтения (implicitRules){at_ru}: {rules}")
    if _ABSENT_REASON in _urls(element.get("extension")):
        yield Words(f"{place or 'the resource'} is said to be absent", f"{place or 'ресурс'}: отправитель пишет, что значения нет")
    for name, extra in element.items():
        if name.startswith("_") and name not in _NEUTRAL and _is_absent(element.get(name[1:]), extra):
            yield Words(
                f"{place}.{name[1:]} has an extension in place of a value".removeprefix("."),
                f"{place}.{name[1:]}: вместо значения стоит расширение".removeprefix("."),
            )


def _is_absent(value: Any, extra: Any) -> bool:
    values, extras = (part if isinstance(part, list) else [part] for part in (value, extra))
    return any(part is None for part in values) or any(
        isinstance(part, dict) and _ABSENT_REASON in _urls(part.get("extension")) for part in extras
    )


def _urls(extensions: Any) -> str:
    parts = extensions if isinstance(extensions, list) else [extensions]
    return " ".join(str(part.get("url") or "(no url)") if isinstance(part, dict) else "(no url)" for part in parts)
