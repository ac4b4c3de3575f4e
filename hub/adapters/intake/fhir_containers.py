"""The containers in which FHIR resources come: one resource, a Bundle, or NDJSON, told by the content.

NDJSON is read line by line and never held as a whole; a Bundle is one JSON document and has to be. A whole file is refused only where
it cannot be told what is missing; an entry that cannot be read is found with its problem, and the rest goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from hub.adapters.intake.envelope import MAXIMUM_UNPACKED_BYTES, utf8
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir_found import (
    ORDER_KINDS,
    Found,
    Unread,
    decoded,
    decoder_of,
    found_resource,
    kind_in,
    type_and_id,
)
from hub.adapters.intake.fhir_model import Bundle, Entry, Kind
from hub.adapters.intake.fhir_split import split_bundle
from hub.domain.words import Words

MAXIMUM_LINE_BYTES = 16 * 2**20
DEEPEST_BUNDLE = 4
BUNDLE_TYPES = frozenset({"collection", "searchset", "transaction", "batch", "message", "document"})
_MARK = b"\xef\xbb\xbf"
_BESIDE_MATCHES = frozenset({"include", "outcome"})
_NOT_READ = {
    "history": Words(
        "it tells what orders once were; send what is in force (a searchset or a collection)",
        "в нём прежние версии назначений; пришлите действующие (searchset или collection)",
    ),
    "transaction-response": Words("it is a server's answer; send the resources themselves", "это ответ сервера; пришлите сами ресурсы"),
    "batch-response": Words("it is a server's answer; send the resources themselves", "это ответ сервера; пришлите сами ресурсы"),
    "subscription-notification": Words(
        "it says only that something changed; the resources have to be asked for",
        "в нём сказано лишь, что что-то изменилось; ресурсы нужно запросить",
    ),
}

Resources = Callable[[], Iterable[Found]]
Line = tuple[int, bytes, bool]


def resources_in(name: str, file: BinaryIO) -> Resources:
    """Return what gives the resources of an unpacked file from its first to its last, as often as it is asked.

    Raises IntakeError, at once or while they are given, where the file cannot be told from a part of one or is no FHIR at all.
    """
    lines = lines_of(file)
    number, first, too_long = next(lines, (0, b"", False))
    if not number:
        raise IntakeError(name, "", "", Words("the file is empty", "файл пуст"))
    _refuse_foreign(name, first)
    more = next(lines, None) is not None
    if not too_long and isinstance(decoded(Kind, first), Kind):
        return (lambda: _of_lines(name, file)) if more else _document(name, first)
    return _document_or_lines(name, file, is_cut=not (too_long or (more and first.endswith(b"}"))))


def _refuse_foreign(name: str, first: bytes) -> None:
    if not first.startswith((b"{", b"[")):
        utf8(name, first)
    if first.startswith(b"["):
        raise IntakeError(name, "", "", Words(
            "it is a JSON array; send a Bundle, or one resource a line (NDJSON)",
            "это массив JSON; пришлите Bundle или по одному ресурсу в строке (NDJSON)",
        ))
    if not first.startswith(b"{"):
        raise IntakeError(name, "", "", Words("it is not a whole JSON document", "это не целый документ JSON"))


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Yield (number, line, whether it was too long and is cut) of every line that is not blank, from the start of the file."""
    file.seek(0)
    number = 0
    while line := file.readline(MAXIMUM_LINE_BYTES + 1):
        number += 1
        too_long = len(line) > MAXIMUM_LINE_BYTES
        if too_long:
            _skip_line(file, line)
        if line := line.removeprefix(_MARK if number == 1 else b"").strip():
            yield number, line, too_long


def _skip_line(file: BinaryIO, part: bytes) -> None:
    while part and not part.endswith(b"\n"):
        part = file.readline(2**20)


def _of_lines(name: str, file: BinaryIO) -> Iterator[Found]:
    last: Found | None = None
    for number, line, too_long in lines_of(file):
        position = f"line {number}"
        if too_long:
            last = Found(
                position,
                kind_in(line),
                "",
                "",
                b"",
                "",
                Words(
                    f"the line is longer than the limit of {MAXIMUM_LINE_BYTES} bytes",
                    f"строка длиннее предела в {MAXIMUM_LINE_BYTES} байт",
                ),
            )
        else:
            _refuse_other_text(name, position, line)
            last = found_resource(position, line)
        if last.kind == "Bundle":
            yield from _unfolded(name, last, 0)
        else:
            yield last
    if last is not None and last.problem and not _ends_with_a_line(file):
        raise IntakeError(name, last.position, last.field, Words(
            f"{last.problem.en}; the file ends there, so it is truncated",
            f"{last.problem.ru}; на этом файл обрывается",
        ))


def _ends_with_a_line(file: BinaryIO) -> bool:
    """Tell whether the last line of the file, which was just read to its end, is closed."""
    end = file.tell()
    file.seek(max(end - 1, 0))
    return file.read(1) == b"\n"


def _refuse_other_text(name: str, position: str, line: bytes) -> None:
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError as error:
            raise IntakeError(name, position, "", Words("the text is not utf-8", "текст не в кодировке utf-8")) from error
    if b"\x00" in line:
        raise IntakeError(name, position, "", Words("the content is binary, not text", "содержимое двоичное, это не текст"))


def _document_or_lines(name: str, file: BinaryIO, *, is_cut: bool) -> Resources:
    """Return the resources of a file whose first line is no resource: a document of many lines, or lines with a bad first one."""
    file.seek(0)
    content = file.read(MAXIMUM_UNPACKED_BYTES + 1)
    if len(content) <= MAXIMUM_UNPACKED_BYTES:
        content = utf8(name, content).strip()
        try:
            decoder_of(Kind).decode(content)
            return _document(name, content)
        except RecursionError:
            if (parts := split_bundle(content)) is not None:
                return _once(_of_bundle(name, _bundle(name, parts[0]), parts[1]))
        except msgspec.MsgspecError as error:
            if is_cut:
                raise IntakeError(name, "", "", Words(
                    f"it is not a whole JSON document ({error})",
                    "это не целый документ JSON",
                )) from error
    if is_cut:
        raise IntakeError(
            name, "", "", Words(
                f"it is no Bundle, is nested too deeply or has more than {MAXIMUM_UNPACKED_BYTES} bytes",
                f"это не Bundle, вложенность слишком глубока или в нём больше {MAXIMUM_UNPACKED_BYTES} байт",
            )
        )
    return lambda: _of_lines(name, file)


def _document(name: str, content: bytes) -> Resources:
    utf8(name, content)
    if decoder_of(Kind).decode(content).resource_type != "Bundle":
        return _once([found_resource("line 1", content)])
    bundle = _bundle(name, content)
    return _once(_of_bundle(name, bundle, bundle.entry))


def _once(found: Iterable[Found]) -> Resources:
    held = list(found)
    return lambda: held


def _bundle(name: str, content: bytes) -> Bundle:
    bundle = decoded(Bundle, content)
    if isinstance(bundle, Unread):
        raise IntakeError(name, "", bundle.field, Words(
            f"it is not a Bundle of FHIR: {bundle.reason.en}",
            f"это не Bundle FHIR: {bundle.reason.ru}",
        ))
    return bundle


def _of_bundle(
    name: str, bundle: Bundle, raw_entries: Sequence[bytes | msgspec.Raw], depth: int = 0, place: str = ""
) -> Iterator[Found]:
    entries = [decoded(Entry, raw) for raw in raw_entries]
    _refuse_parts(name, bundle, entries, place)
    for number, (raw, entry) in enumerate(zip(raw_entries, entries, strict=True), start=1):
        position = f"{place}entry {number}"
        if isinstance(entry, Entry):
            yield from _unfolded(name, _of_entry(position, entry), depth)
        else:
            yield Found(position, kind_in(raw), "", "", raw, entry.field, entry.reason)


def _of_entry(position: str, entry: Entry) -> Found:
    method, url = (entry.request.method, entry.request.url) if entry.request else ("", "")
    if method in ("DELETE", "PATCH"):
        kind, identity = type_and_id(url)
        problem = Words(
            f"a sheet cannot {method.lower()}; send the order as it is now, a stopped one with its status",
            f"лист не выполняет {method}; пришлите назначение как оно есть сейчас, отменённое — с его статусом",
        )
        return Found(
            position, kind if kind in ORDER_KINDS else "", identity, "", entry.resource, "request.method", problem
        )
    if not bytes(entry.resource):
        return Found(position, "", "", entry.full_url, b"", "resource", Words("the entry has no resource", "в записи нет ресурса"))
    return found_resource(position, entry.resource, entry.full_url)


def _unfolded(name: str, found: Found, depth: int) -> Iterator[Found]:
    """Yield a resource, or the resources of a Bundle that stands in its place."""
    if found.kind != "Bundle" or found.problem:
        yield found
    elif depth >= DEEPEST_BUNDLE:
        yield Found(found.position, "", "", "", b"", "resourceType", Words(
            "Bundles are nested too deeply",
            "слишком глубокая вложенность Bundle",
        ))
    else:
        bundle = decoded(Bundle, found.raw)
        if isinstance(bundle, Bundle):
            yield from _of_bundle(name, bundle, bundle.entry, depth + 1, f"{found.position} ")
        else:
            yield Found(found.position, kind_in(found.raw), "", "", found.raw, bundle.field, bundle.reason)


def _known_types() -> Words:
    types = ", ".join(sorted(BUNDLE_TYPES))
    return Words(f"known are {types}", f"известны {types}")


def _refuse_parts(name: str, bundle: Bundle, entries: Sequence[Entry | Unread], place: str) -> None:
    """Refuse what is a part of something larger, or nothing that orders come in."""
    place = place.strip()
    if bundle.type not in BUNDLE_TYPES:
        reason = _NOT_READ.get(bundle.type, _known_types())
        raise IntakeError(
            name, place, "type", Words(
                f"a Bundle of the type {bundle.type or '(none)'} is not read as a sheet: {reason.en}",
                f"Bundle типа {bundle.type or '(нет)'} не читается как лист назначений: {reason.ru}",
            )
        )
    if not entries and bundle.type != "searchset":
        raise IntakeError(name, place, "entry", Words("the Bundle has no entries", "в Bundle нет записей"))
    if any(link.relation == "next" for link in bundle.link):
        raise IntakeError(name, place, "link", Words(
            "it is one page of several; a sheet has to come whole",
            "это одна страница из нескольких; лист должен прийти целиком",
        ))
    matches = sum(
        1
        for entry in entries
        if not (isinstance(entry, Entry) and entry.search and entry.search.mode in _BESIDE_MATCHES)
    )
    if bundle.type == "searchset" and bundle.total is not None and bundle.total > matches:
        raise IntakeError(name, place, "total", Words(
            f"the Bundle tells of {bundle.total} matches and brings {matches}",
            f"Bundle сообщает о {bundle.total} найденных, а содержит {matches}",
        ))
