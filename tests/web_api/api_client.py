"""A person's view of the API: calls by role, over ASGI, on one event loop of the test's own."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from hub.domain.people import Role
from tests.services.small_world import World

PIN = "2468"


class Client:
    """Calls an application and waits for its answer; what it raises is a 500 as it is for a browser."""

    def __init__(self, application: FastAPI) -> None:
        transport = ASGITransport(application, raise_app_exceptions=False)
        self._client = AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self._runner = asyncio.Runner()

    def request(self, method: str, path: str, **more: Any) -> Response:
        answer = self._runner.run(self._client.request(method, path, **more))
        self._client.cookies.clear()
        return answer

    def get(self, path: str, **more: Any) -> Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Response:
        return self.request("POST", path, **more)

    def delete(self, path: str, **more: Any) -> Response:
        return self.request("DELETE", path, **more)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@dataclass
class Api:
    """Calls as a person of a role; every write gets an event id of its own unless one is given."""

    world: World
    client: Client
    tokens: dict[Role, str] = field(default_factory=dict)
    events: int = 0

    def get(self, role: Role, path: str, **parameters: str) -> Response:
        return self.client.get(path, params=parameters, headers=self.headers(role))

    def post(self, role: Role, path: str, **body: Any) -> Response:
        self.events += 1
        return self.client.post(path, json={"event": f"event-{self.events:06}", **body}, headers=self.headers(role))

    def headers(self, role: Role) -> dict[str, str]:
        if role not in self.tokens:
            answer = self.client.post("/api/session", json={"badge": f"badge-{role.value}", "pin": PIN})
            assert answer.status_code == 200, answer.text
            self.tokens[role] = answer.json()["token"]
        return {"authorization": f"Bearer {self.tokens[role]}"}
