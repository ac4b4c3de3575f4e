"""A FHIR server over HTTP: searches page by page, with limits on everything; a failure is one sentence that names address and cause.

It may not follow a link to another host (the token would go with it), nor a page that was read before, nor read without end.
"""

import email.utils
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

JSON = "application/fhir+json"
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_KNOWN = frozenset({403, 404, 405, 501})
_KNOWN_ANSWERS: Mapping[int, tuple[str, str]] = {
    400: ("it does not understand the search", "запрос ему непонятен"),
    401: ("it does not accept the token", "токен не принят"),
    403: ("the token may not read this", "токен не даёт права читать это"),
    404: ("there is nothing at this address", "по этому адресу ничего нет"),
    410: ("this page is gone; the list has to be read from its beginning", "этой страницы больше нет; список нужно читать сначала"),
    429: ("it asks to be left alone for now", "он просит пока его не опрашивать"),
}
_log = logging.getLogger(__name__)


class PullFailed(RuntimeError):
    """A server could not be read to the end; nothing of what it said counts. Says why in both languages."""

    def __init__(self, english: str, russian: str) -> None:
        super().__init__(english)
        self.english = english
        self.russian = russian

    def at(self, url: str) -> "PullFailed":
        """Return the same with the address before it, without what its search or page token says."""
        return type(self)(f"{_plain(url)}: {self.english}", f"{_plain(url)}: {self.russian}")


class NotKnown(PullFailed):
    """A server does not know what it was asked for, or does not let it be read."""


@dataclass(frozen=True, slots=True)
class PullLimits:
    """How much of a server is read, and how long it is waited for."""

    tries: int = 4
    timeout_s: float = 30.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    page_bytes: int = 32 * 2**20
    total_bytes: int = 256 * 2**20
    pages: int = 1_000


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _Search(msgspec.Struct):
    mode: str = ""


class Entry(msgspec.Struct, rename={"full_url": "fullUrl"}):
    """One entry of a page; the resource as it was sent."""

    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw()
    search: _Search | None = None


class _Page(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    type: str = ""
    total: int | None = None
    link: list[_Link] = []
    entry: list[Entry] = []


class _Issue(msgspec.Struct):
    severity: str = ""
    code: str = ""
    diagnostics: str = ""


class _Outcome(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    issue: list[_Issue] = []


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: its entries, how many matches the server tells of, and the server's clock."""

    entries: tuple[Entry, ...]
    total: int | None
    told_at: datetime | None


class FhirServer:
    """Searches one server; `pause` waits some seconds and tells whether to go on."""

    def __init__(self, url: str, token: str, pause: Callable[[float], bool], limits: PullLimits | None = None) -> None:
        self._url = url
        self._pause = pause
        self._limits = limits or PullLimits()
        headers = {"accept": JSON} | ({"authorization": f"Bearer {token}"} if token else {})
        self._client = httpx.Client(headers=headers, timeout=self._limits.timeout_s, follow_redirects=False)

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def pages(self, search: str, parameters: list[tuple[str, str]]) -> Iterator[Page]:
        """Yield the pages of a search in order; raise PullFailed where any of them cannot be had."""
        url = str(httpx.URL(f"{self._url}/{search}", params=parameters))
        read: set[str] = set()
        size = 0
        while url:
            if url in read:
                raise PullFailed("the pages go round in a circle", "страницы ссылаются по кругу").at(url)
            if len(read) >= self._limits.pages:
                raise PullFailed(f"there are more than {len(read)} pages", f"страниц больше {len(read)}").at(url)
            read.add(url)
            body, told_at = self._body(url)
            size += len(body)
            if size > self._limits.total_bytes:
                most = self._limits.total_bytes
                raise PullFailed(f"all pages together have more than {most} bytes", f"все страницы вместе больше {most} байт").at(url)
            page = _page(url, body)
            yield Page(tuple(page.entry), page.total, told_at)
            url = self._next(url, page)

    def _next(self, url: str, page: _Page) -> str:
        """Return the address of the next page, empty where there is none."""
        links = [link.url for link in page.link if link.relation == "next"]
        if not links:
            return ""
        following = urljoin(url, links[0])
        if _origin(following) != _origin(self._url):
            there = _plain(following)
            raise PullFailed(f"the next page is at another host ({there}), which is not asked", f"следующая страница на другом сервере ({there}), он не опрашивается").at(url)
        return following

    def _body(self, url: str) -> tuple[bytes, datetime | None]:
        """Return what stands at an address and the server's clock; try again where a failure may pass."""
        problem, wait_s = PullFailed("no answer", "нет ответа"), 0.0
        for attempt in range(self._limits.tries):
            if attempt and not self._pause(max(wait_s, self._limits.first_pause_s * 2 ** (attempt - 1))):
                raise PullFailed("the hub is being ended", "работа завершается").at(url)
            try:
                response, body = self._asked(url)
            except httpx.HTTPError as error:
                cause = f"{type(error).__name__}: {error}".rstrip(": ")
                problem, wait_s = PullFailed(f"no whole answer ({cause})", f"нет полного ответа ({cause})"), 0.0
                continue
            if response.status_code == httpx.codes.OK:
                return body, _clock(response)
            problem, wait_s = _refusal(response, body), _retry_after(response)
            if response.status_code not in _TEMPORARY:
                break
            if wait_s > self._limits.longest_pause_s:
                problem = PullFailed(f"{problem.english}, for {wait_s:.0f} s", f"{problem.russian}, {wait_s:.0f} с")
                break
        raise problem.at(url)

    def _asked(self, url: str) -> tuple[httpx.Response, bytes]:
        with self._client.stream("GET", url) as response:
            parts, size = [], 0
            for part in response.iter_bytes():
                size += len(part)
                if size > self._limits.page_bytes:
                    most = self._limits.page_bytes
                    raise PullFailed(f"the page has more than {most} bytes", f"в странице больше {most} байт").at(url)
                parts.append(part)
            return response, b"".join(parts)


def _page(url: str, body: bytes) -> _Page:
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise PullFailed(f"the answer is no Bundle ({error})", f"ответ не Bundle ({error})").at(url) from error
    if page.resource_type != "Bundle" or page.type != "searchset":
        found = f"{page.resource_type} {page.type}".strip() or "-"
        raise PullFailed(f"the answer is {found}, not a searchset", f"ответ {found}, а не searchset").at(url)
    return page


def _is_not_supported(body: bytes) -> bool:
    try:
        return any(issue.code == "not-supported" for issue in msgspec.json.decode(body, type=_Outcome).issue)
    except (msgspec.MsgspecError, RecursionError):
        return False


def outcome_words(body: bytes | msgspec.Raw) -> str:
    """Return what an OperationOutcome says is wrong; empty where it is none, or only warns."""
    try:
        outcome = msgspec.json.decode(body, type=_Outcome)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    grave = [issue for issue in outcome.issue if issue.severity in ("error", "fatal")]
    return "; ".join(issue.diagnostics or issue.code for issue in grave)[:300]


def _refusal(response: httpx.Response, body: bytes) -> PullFailed:
    known, known_ru = _KNOWN_ANSWERS.get(response.status_code, ("", ""))
    if response.is_redirect:
        there = _plain(response.headers.get("location", ""))
        known = f"it points to another address ({there}), which is not followed: write that one into fhir_url"
        known_ru = f"он указывает на другой адрес ({there}), переход не делается: впишите его в fhir_url"
    words = outcome_words(body)
    failure = NotKnown if response.status_code in _NOT_KNOWN or _is_not_supported(body) else PullFailed
    return failure(
        f"the server answers {response.status_code}{_in_brackets(known, words)}", f"сервер отвечает {response.status_code}{_in_brackets(known_ru, words)}"
    )


def _in_brackets(*parts: str) -> str:
    said = "; ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds that a server asks to be left alone (RFC 9110, 10.2.3); 0 where it says nothing that can be read."""
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at, now = _http_date(text), _clock(response) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds()) if at is not None else 0.0


def _clock(response: httpx.Response) -> datetime | None:
    return _http_date(response.headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None


def _plain(url: str) -> str:
    """Return an address for a person, without what a search or a page token says."""
    return url.partition("?")[0][:200]
