"""The demonstration's own hands: a client of the hub's API, and of the people's control port."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from hub.demo.stopwatch import Stopwatch

PATIENCE_S = 30.0
AGAIN_AFTER_S = 0.1
ALREADY_TAKEN_IN: Mapping[str, Any] = {"orders": 0, "changes": 0, "outcomes": {}}
"""Of a file that was taken in by a hub that broke off before it could answer: what became of its lines stands in the ledger."""


class Refused(RuntimeError):
    """The hub or the people refused something that the demonstration needs."""


class HubClient:
    """Signed in as the system's own user; a hub that breaks off or is away is asked again, and what it did already it does not do twice.

    `clock` is the moment at which the hub's clock is known to stand.
    """

    clock: datetime | None = None

    def __init__(self, url: str, badge: str, pin: str, watch: Stopwatch) -> None:
        self._watch = watch
        self._client = httpx.Client(base_url=url, timeout=120.0)
        token = self._asked("POST", "/api/session", json={"badge": badge, "pin": pin})["token"]
        self._client.headers["authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def state(self) -> dict[str, Any]:
        """Return the state of the line in numbers."""
        with self._watch.measure("hub: state"):
            return self._asked("GET", "/api/state")

    def step(self, now: datetime) -> None:
        """Step the hub's clock."""
        with self._watch.measure("hub: clock"):
            self._asked("POST", "/api/clock", json={"now": now.isoformat()})
        self.clock = now

    def take_in(self, kind: str, source: str, name: str, data: bytes) -> dict[str, Any]:
        """Upload a sheet, changes, a discharge list or allergies."""
        with self._watch.measure(f"hub: take in {kind}"):
            return self._asked("POST", f"/api/intake/{kind}", params={"source": source, "name": name}, content=data)

    def _asked(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Ask until there is an answer; raise Refused where it is a refusal, or where none came in time."""
        until_s, lost = time.monotonic() + PATIENCE_S, ""
        while not lost or time.monotonic() < until_s:
            try:
                answer = self._client.request(method, path, **request)
            except httpx.TransportError as error:
                lost = str(error) or type(error).__name__
                time.sleep(AGAIN_AFTER_S)
                continue
            if lost and answer.status_code == 422 and answer.json().get("refused") == "known-sheet":
                return dict(ALREADY_TAKEN_IN)
            return self._said(answer)
        raise Refused(f"{method} {path}: no answer in {PATIENCE_S:.0f} s: {lost}")

    def _said(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_success:
            told: dict[str, Any] = answer.json()
            return told
        raise Refused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")


class People:
    """The simulated people, told one chore at a time; their troubles are collected, never dropped."""

    def __init__(self, url: str, watch: Stopwatch) -> None:
        self._watch = watch
        self._client = httpx.Client(base_url=url, timeout=600.0)
        self.troubles: list[str] = []
        self.counts: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def do(self, chore: str, **request: Any) -> Mapping[str, Any]:
        """Have a chore done and return its counts."""
        with self._watch.measure(f"people: {chore}"):
            answer = self._client.post(f"/do/{chore}", json=request)
        if not answer.is_success:
            raise Refused(f"the people could not do '{chore}': {answer.status_code} {answer.text[:500]}")
        told: dict[str, Any] = answer.json()
        self.troubles += [f"{chore}: {json.dumps(trouble, ensure_ascii=False)}" for trouble in told.get("troubles", [])]
        for name, value in told.items():
            if isinstance(value, int) and not isinstance(value, bool):
                self.counts[f"{chore}.{name}"] = self.counts.get(f"{chore}.{name}", 0) + value
        return told
