"""A person's account at the hub, for the one decision that is the hub's: what fell in a slot in doubt.

Badge and PIN come from the environment or are asked for, never from the command line, which everybody on the box could read.
"""

import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from hub.console.visit import Refused

PATIENCE_S = 15.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Person:
    """Who signs, by badge and PIN."""

    badge: str
    pin: str


def ask_person(who: str, prefix: str) -> Person:
    """Return badge and PIN out of `<prefix>BADGE` and `<prefix>PIN`, or ask at the terminal; raise Refused where nobody can be asked."""
    badge = os.environ.get(f"{prefix}BADGE") or _typed(f"Badge of {who}: ", f"{prefix}BADGE", hidden=False)
    pin = os.environ.get(f"{prefix}PIN") or _typed(f"PIN of {who}: ", f"{prefix}PIN", hidden=True)
    return Person(badge, pin)


def _typed(prompt: str, variable: str, *, hidden: bool) -> str:
    if not sys.stdin.isatty():
        raise Refused(f"there is no terminal to ask at: set {variable}")
    return (getpass.getpass(prompt) if hidden else input(prompt)).strip()


def hub_address(url: str) -> str:
    """Return the hub's address; raise Refused for one over which a PIN must not go."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused("--hub must be https://host[:port]")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Refused("a PIN goes over https only: --hub https://… (http only to this computer itself)")
    return url.rstrip("/")


class HubAccount:
    """One session at the hub, ended with the block."""

    def __init__(self, url: str, person: Person) -> None:
        self._client = httpx.Client(base_url=hub_address(url), timeout=PATIENCE_S)
        self._person = person

    def __enter__(self) -> Self:
        told = self._send("POST", "/api/session", {"badge": self._person.badge, "pin": self._person.pin})
        self._client.headers["Authorization"] = f"Bearer {told['token']}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._send("DELETE", "/api/session", None)
        except Refused:
            if kind is None:
                raise
        finally:
            self._client.close()

    def doubts(self) -> list[Mapping[str, Any]]:
        """Return the doubts of all machines as `GET /api/doubts` tells them."""
        found: list[Mapping[str, Any]] = self._send("GET", "/api/doubts", None)
        return found

    def resolve(self, answer: Mapping[str, Any]) -> None:
        """Answer a doubt by `POST /api/doubts/resolve`; raise Refused with the hub's own words."""
        self._send("POST", "/api/doubts/resolve", answer)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise Refused(f"the hub cannot be reached: {error}") from error
        if answer.is_success:
            return answer.json()
        raise Refused(f"the hub refuses: {_reason(answer)}")


def _reason(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{told['refused']}: {told['reason']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
