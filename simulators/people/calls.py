"""How people reach the hub and the machines: kept HTTP connections, one event id a write, bounded repetition."""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

ATTEMPTS = 24
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
"""Twenty seconds in all. Who gave up earlier would not know whether what was asked has been done, and would leave a pack where the hub does not look for it."""
ANSWER_TIMEOUT_S = 60.0
IDLE_CONNECTION_S = 4.0
"""Shorter than the five seconds after which a usual server hangs up, so that hardly a call meets a dead connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; status 0 means that there was none, and `body` says why. `perhaps_done`: nobody knows whether it was done."""

    status: int
    body: Any
    perhaps_done: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether it was done."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> str:
        """Give the code of a refusal that people must act on, or nothing."""
        code = self._words().get("refused") if self.status in (409, 422) else None
        return code if isinstance(code, str) else ""

    @property
    def why(self) -> str:
        """Say in a line what went wrong."""
        return " ".join(filter(None, (str(self.status), self.refused, str(self._words().get("reason") or self.body)[:300])))

    def _words(self) -> dict[str, Any]:
        """Give the members of a refusal, which may stand one level deeper."""
        words = self.body.get("detail", self.body) if isinstance(self.body, dict) else {}
        return words if isinstance(words, dict) else {}


def read_reply(response: httpx.Response) -> Reply:
    """Decode an answer; what is not JSON stays text."""
    try:
        return Reply(response.status_code, json.loads(response.content) if response.content else None)
    except ValueError:
        return Reply(response.status_code, response.text)


class Hub:
    """The hub's HTTP API, used by people who each logged in with badge and PIN; roles name them here."""

    def __init__(self, url: str, chance: random.Random, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx.Client(
            base_url=url, timeout=ANSWER_TIMEOUT_S, trust_env=False,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=IDLE_CONNECTION_S),
        )  # fmt: skip
        self._chance = chance
        self._pause = pause
        self._people: dict[str, tuple[str, str]] = {}
        self._headers: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def login(self, role: str, badge: str, pin: str) -> Reply:
        """Log a person in; from then on the role names this person."""
        self._people[role] = (badge, pin)
        reply = self._send("POST", "/api/session", {}, {"badge": badge, "pin": pin}, None)
        if reply.ok:
            self._headers[role] = {"Authorization": f"Bearer {reply.body['token']}"}
        return reply

    def knows(self, role: str) -> bool:
        """Tell whether a person of that role has logged in."""
        return role in self._headers

    def roles(self) -> list[str]:
        """List the roles that have logged in."""
        return sorted(self._headers)

    def badge_and_pin(self, role: str) -> tuple[str, str]:
        """Give badge and PIN of a person who is asked to confirm; empty texts where there is none."""
        return self._people.get(role, ("", ""))

    def wait(self, seconds: float) -> None:
        """Let time pass that the hub measures by the clock on the wall."""
        self._pause(seconds)

    def get(self, role: str, path: str, **parameters: str) -> Reply:
        """Read as that person."""
        return self._as(role, "GET", path, None, parameters)

    def write(self, role: str, path: str, **members: Any) -> Reply:
        """Write as that person with a fresh event id, made before the first sending and kept in every repetition."""
        event = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return self._as(role, "POST", path, {"event": event, **members}, None)

    def _as(self, role: str, method: str, path: str, body: Any, parameters: dict[str, str] | None) -> Reply:
        if role not in self._headers:
            return Reply(0, f"no {role} has logged in")
        reply = self._send(method, path, self._headers[role], body, parameters)
        if reply.status == 401 and self.login(role, *self._people[role]).ok:
            return self._send(method, path, self._headers[role], body, parameters)
        return reply

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: Any, parameters: dict[str, str] | None
    ) -> Reply:
        content = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        pause_s, failure = FIRST_PAUSE_S, ""
        for attempt in range(ATTEMPTS):
            try:
                return read_reply(
                    self._client.request(method, path, headers=headers, content=content, params=parameters)
                )
            except httpx.TransportError as error:
                failure = f"{type(error).__name__}: {error}"
            if attempt + 1 < ATTEMPTS:
                self._pause(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return Reply(0, failure)


class Machine:
    """The control port of a simulated machine: where hands reach into it. Connections are not kept.

    What was sent and not answered may have happened, so only a connection that was never made is tried again, and what the machine
    cannot take while it waits for its host or for its power.
    """

    def __init__(self, url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx.Client(
            base_url=url, timeout=ANSWER_TIMEOUT_S, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._pause = pause

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def look(self) -> Reply:
        """See how the machine stands; it may be asked again at any time."""
        try:
            return read_reply(self._client.get("/state"))
        except httpx.TransportError as error:
            return Reply(0, f"{type(error).__name__}: {error}")

    def look_with_power(self) -> Reply:
        """See how the machine stands, once it has power and answers; the last look where that takes too long."""
        pause_s = FIRST_PAUSE_S
        for _ in range(ATTEMPTS):
            reply = self.look()
            if reply.ok and isinstance(reply.body, dict) and reply.body.get("power", "on") == "on":
                return reply
            self._pause(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return reply

    def post(self, path: str, body: Any = None) -> Reply:
        """Do something at the machine."""
        pause_s, failure = FIRST_PAUSE_S, ""
        for attempt in range(ATTEMPTS):
            try:
                reply = read_reply(self._client.post(path, json=body if body is not None else {}))
                if not _can_do_nothing_yet(reply) or attempt + 1 == ATTEMPTS:
                    return reply
            except httpx.ConnectError as error:
                failure = f"{type(error).__name__}: {error}"
            except httpx.TransportError as error:
                return Reply(0, f"{type(error).__name__}: {error}", perhaps_done=True)
            if attempt + 1 < ATTEMPTS:
                self._pause(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return Reply(0, failure)


def _can_do_nothing_yet(reply: Reply) -> bool:
    """Tell whether a machine did nothing and will in a moment: its store of events is full, or it is without power."""
    return reply.status == 409 and any(why in str(reply.body) for why in ("acknowledged", "the power is off"))
