"""Service acts that a machine answers: whose lock counts until it told of it, what is asked once, and when a press is written down."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from hub.bootstrap import RunningHub, context_of
from hub.domain.identifiers import UserId
from hub.domain.people import Role, User
from hub.services.device_service import JogAct, LockAct, NoBroker, ServiceAct, ServiceAnswer
from hub.services.service_acts import owner_of
from hub.web.app import create_app
from tests.services.small_world import World
from tests.web_api.api_client import PIN

PATH = "/api/devices/packager-1"
JOG = {"press": "press-0001", "motor": "gate", "direction": "forward"}
ANNA, BORIS = "anna", "boris"


class Machine(NoBroker):
    """A machine that does what it is asked; while `held`, an answer waits for `release`."""

    trouble = ""

    def __init__(self) -> None:
        self.asked: list[ServiceAct] = []
        self.answers: list[ServiceAnswer | Exception] = []
        self.held = False
        self.came, self.release = asyncio.Event(), asyncio.Event()

    async def ask(self, device: str, act: ServiceAct, command: str) -> ServiceAnswer:
        self.asked.append(act)
        if self.held:
            self.came.set()
            await self.release.wait()
        told = self.answers.pop(0) if self.answers else _did(act)
        if isinstance(told, Exception):
            raise told
        return told


def _did(act: ServiceAct) -> ServiceAnswer:
    match act:
        case LockAct(mode, owner):
            is_held = mode != "release"
            return ServiceAnswer("OK", "", {"locked": is_held, "owner": owner if is_held else ""})
        case JogAct():
            return ServiceAnswer("OK", "", {"position": 30})
    return ServiceAnswer("OK", "", {"door": "passed"})


class Plant:
    """A hub of a small hospital before that machine, and two engineers; all calls on one event loop."""

    def __init__(self, path: Path, pin_hash: str) -> None:
        self.world, self.machine = World(path), Machine()
        self.people = {
            name: User(UserId(f"u-{name}"), name, Role.ENGINEER, f"badge-{name}", pin_hash) for name in (ANNA, BORIS)
        }
        self.world.do(lambda unit: unit.users.put_many(list(self.people.values())))
        hub = RunningHub(self.world.settings, self.world.house, self.world.writer, lambda: self.world.now)
        transport = ASGITransport(
            create_app(replace(context_of(hub), service=self.machine)), raise_app_exceptions=False
        )
        self._client = AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self._tokens: dict[str, str] = {}
        self._events = 0

    def owner(self, name: str) -> str:
        return owner_of(self.people[name])

    def tell(self, mode: str, name: str) -> None:
        self.world.machine.say("lock", None, None, mode=mode, owner=self.owner(name))

    def answers(self) -> list[dict[str, Any]]:
        return [entry["data"] for entry in self.world.ledger("service-answered")]

    async def post(self, name: str, path: str, **body: Any) -> Response:
        self._events += 1
        event = {"event": f"event-{self._events:06}"}
        return await self._client.post(f"{PATH}/{path}", json={**event, **body}, headers=await self._signed_in(name))

    async def page(self, name: str) -> str:
        return (await self._client.get("/devices/packager-1/board", headers=await self._signed_in(name))).text

    async def _signed_in(self, name: str) -> dict[str, str]:
        if name not in self._tokens:
            answer = await self._client.post("/api/session", json={"badge": f"badge-{name}", "pin": PIN})
            self._client.cookies.clear()
            self._tokens[name] = answer.json()["token"]
        return {"authorization": f"Bearer {self._tokens[name]}"}


@pytest.fixture
def plant(tmp_path: Path, pin_hash: str) -> Iterator[Plant]:
    made = Plant(tmp_path, pin_hash)
    yield made
    made.world.close()


def refused(answer: Response) -> str:
    assert answer.status_code == 409, answer.text
    assert answer.json()["reason"]
    return str(answer.json()["refused"])


def test_a_take_over_counts_from_its_answer_on(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        assert (await plant.post(ANNA, "jog", **JOG)).status_code == 200
        assert (await plant.post(BORIS, "lock", mode="take-over")).status_code == 200
        asked = len(plant.machine.asked)
        for path, body in (("jog", {**JOG, "press": "press-0002"}), ("jog", JOG), ("self-test", {})):
            answer = await plant.post(ANNA, path, **body)
            assert refused(answer) == "not-your-lock" and plant.owner(BORIS) in answer.json()["reason"]
        assert len(plant.machine.asked) == asked
        assert (await plant.post(BORIS, "self-test")).status_code == 200
        assert 'data-mine="yes"' in await plant.page(BORIS) and 'data-mine="no"' in await plant.page(ANNA)

    asyncio.run(go())


def test_a_lock_that_was_given_back_is_nobody_s_before_the_machine_tells_of_it(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        assert (await plant.post(ANNA, "lock", mode="release")).status_code == 200
        assert refused(await plant.post(ANNA, "self-test")) == "not-locked"

    asyncio.run(go())


def test_while_words_of_the_lock_cross_nobody_moves_until_one_takes_it_again(plant: Plant) -> None:
    async def go() -> None:
        assert (await plant.post(BORIS, "lock", mode="take-over")).status_code == 200
        plant.tell("taken", ANNA)
        assert refused(await plant.post(ANNA, "self-test")) == "not-your-lock"
        assert refused(await plant.post(BORIS, "self-test")) == "not-your-lock"
        assert (await plant.post(BORIS, "lock", mode="take-over")).status_code == 200
        assert (await plant.post(BORIS, "self-test")).status_code == 200

    asyncio.run(go())


def test_an_answer_is_found_under_many_others(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        assert (await plant.post(ANNA, "self-test")).status_code == 200
        assert (await plant.post(BORIS, "lock", mode="take-over")).status_code == 200
        other = {"device": "packager-2", "act": "self-test", "rc": "OK", "asked": 1, "data": {}}
        jogs = {"device": "packager-1", "act": "jog", "rc": "OK", "asked": 1, "data": {}}
        plant.world.do(lambda unit: [unit.record("service-answered", data) for data in [other, jogs] * 101])
        assert refused(await plant.post(ANNA, "self-test")) == "not-your-lock"
        assert "by anna" in await plant.page(ANNA)

    asyncio.run(go())


def test_a_press_that_is_let_go_while_a_command_is_under_way_is_told_with_that_command(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        plant.machine.held = True
        moving = asyncio.create_task(plant.post(ANNA, "jog", **JOG))
        await plant.machine.came.wait()
        assert (await plant.post(ANNA, "jog/release", press=JOG["press"])).json() == {"commands": 0}
        assert plant.answers() == []
        plant.machine.release.set()
        assert (await moving).status_code == 200

    asyncio.run(go())
    (told,) = plant.answers()
    assert (told["rc"], told["commands"], told["first"], told["last"]) == ("OK", 1, 30, 30)


def test_a_command_that_the_hub_failed_at_ends_its_press_and_is_told(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        plant.machine.answers = [ServiceAnswer("OK", "", {"position": 5}), OSError("no thread")]
        assert [(await plant.post(ANNA, "jog", **JOG)).status_code for _ in range(2)] == [200, 500]
        assert refused(await plant.post(ANNA, "jog", **JOG)) == "let-go"

    asyncio.run(go())
    (told,) = plant.answers()
    assert (told["rc"], told["commands"], told["last"]) == ("FAILED", 1, 5)


@pytest.mark.parametrize("outcome", [ServiceAnswer("OK", "", {"door": "passed"}), ServiceAnswer("BUSY", "at work")])
def test_the_same_event_asks_the_machine_once_and_gets_the_same_answer(plant: Plant, outcome: ServiceAnswer) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        plant.machine.answers = [outcome]
        first, again = [await plant.post(ANNA, "self-test", event="event-test") for _ in range(2)]
        assert (first.status_code, first.json()) == (again.status_code, again.json())

    asyncio.run(go())
    assert len(plant.machine.asked) == len(plant.answers()) == 1


def test_an_event_whose_answer_is_not_in_is_refused_and_asks_nobody(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        plant.machine.held = True
        testing = asyncio.create_task(plant.post(ANNA, "self-test", event="event-test"))
        await plant.machine.came.wait()
        assert refused(await plant.post(ANNA, "self-test", event="event-test")) == "repeated"
        plant.machine.release.set()
        assert (await testing).status_code == 200

    asyncio.run(go())
    assert len(plant.machine.asked) == len(plant.answers()) == 1


def test_a_command_of_a_press_that_comes_twice_moves_once(plant: Plant) -> None:
    async def go() -> None:
        plant.tell("taken", ANNA)
        assert (await plant.post(ANNA, "jog", **JOG, event="event-jog")).status_code == 200
        assert refused(await plant.post(ANNA, "jog", **JOG, event="event-jog")) == "repeated"
        assert (await plant.post(ANNA, "jog/release", press=JOG["press"])).json() == {"commands": 1}

    asyncio.run(go())
    assert len(plant.machine.asked) == 1 and [told["commands"] for told in plant.answers()] == [1]
