"""A hub in a new folder with one small day in it, without devices, and its web application."""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from hub.adapters.labelling import Labeller
from hub.adapters.ledger_pages import ledger_page
from hub.adapters.sessions import ArgonPins
from hub.adapters.writer import Writer
from hub.bootstrap import RunningHub, context_of, open_hub
from hub.demo.case import sample_case
from hub.demo.run import set_up
from hub.domain.identifiers import DeviceId
from hub.domain.packs import Content, Pack, PackState, Verdict
from hub.domain.people import Role
from hub.domain.records import Device
from hub.domain.stock import CassetteState, Layer
from hub.services.drops import WRONG_CASSETTE
from hub.services.endings import move_pack
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review
from hub.services.sign_in import NewUser, enrol
from hub.services.views import LedgerQuestion
from hub.settings import HubSettings
from hub.web.app import create_app

PIN = "135790"
DAY = sample_case()
CUT = DAY.starts_at + timedelta(minutes=15)
EVIL = '<script>alert("1")</script>'
EVIL_REASON = '"><img src=x onerror=alert(1)>'
EVIDENCE = "ab" * 32
STATUS = (
    '{"state":"stopped","reason":"film-out","job":null,"cassettes":[{"slot":1,"cassette":101,"remaining":7}],'
    '"counters":{"crc_err":3},"link":"up","queued":2}'
)


@dataclass
class Arranged:
    """The packs that stand in a named state; all of one trolley."""

    quarantined: Pack
    rejected: Pack
    loaded: Pack
    ready: tuple[Pack, ...]
    pulled: Pack


@dataclass
class WebPlant:
    """The hub, its application, its address, and the packs that stand in a named state."""

    hub: RunningHub
    app: FastAPI
    url: str
    quarantined: Pack
    rejected: Pack
    loaded: Pack
    ready: tuple[Pack, ...]
    pulled: Pack
    clients: list[httpx.Client] = field(default_factory=list)
    readers: dict[Role, httpx.Client] = field(default_factory=dict)

    def client(self, role: Role | None = None) -> httpx.Client:
        """Return a browser without JavaScript whose person chose English, signed in as a role where one is named."""
        client = client_of(self.url)
        client.cookies.set("dosehub_language", "en")
        self.clients.append(client)
        if role is not None:
            answer = client.post("/sign-in", data={"badge": f"T-{role.value}", "pin": PIN})
            assert answer.status_code == 303, answer.text
        return client

    def read(self, role: Role, path: str) -> str:
        """Return the text of a page as a role sees it."""
        if role not in self.readers:
            self.readers[role] = self.client(role)
        answer = self.readers[role].get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.text


def make_day(folder: Path) -> Arranged:
    """Put the sample's morning into a new folder: frozen, labelled, with packs of every kind that a page shows."""
    set_up(folder, DAY)
    hub = open_hub(HubSettings(data_dir=folder, stepped_from=CUT))
    try:
        hub.writer.submit("system", _people).result()
        hub.writer.submit("system", hub._enter_devices).result()
        with served(create_app(context_of(hub))) as url:
            _take_in(url, hub.writer)
        labeller = Labeller(hub.writer, hub.house)
        while labeller.work():
            pass
        return hub.writer.submit("system", _arranged).result()
    finally:
        hub.writer.close()


@contextlib.contextmanager
def web_plant(folder: Path, made: Path, arranged: Arranged) -> Iterator[WebPlant]:
    """Open and serve a copy of a day that was made."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    hub = open_hub(HubSettings(data_dir=folder, stepped_from=CUT + timedelta(minutes=5)))
    try:
        app = create_app(context_of(hub))
        with served(app) as url:
            plant = WebPlant(hub, app, url, **vars(arranged))
            yield plant
            for client in plant.clients:
                client.close()
    finally:
        hub.writer.close()


def _people(unit: UnitOfWork) -> None:
    pin_hash = ArgonPins().hashed(PIN)
    for role in Role:
        enrol(unit, NewUser(f"Person {role.value}", role, f"T-{role.value}", PIN), pin_hash)


def client_of(url: str) -> httpx.Client:
    """Return a client of a hub; redirections are not followed."""
    return httpx.Client(base_url=url, trust_env=False, timeout=20)


def _take_in(url: str, writer: Writer) -> None:
    """Receive stock and the sheet through the API, and fill the cassettes; the clock's tick then freezes the morning."""
    with client_of(url) as technician, client_of(url) as system:
        for client, role in ((technician, "technician"), (system, "system")):
            answer = client.post("/api/session", json={"badge": f"T-{role}", "pin": PIN})
            client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        _open_day(technician, writer)
        step = {"now": (CUT + timedelta(minutes=5)).isoformat()}
        assert system.post("/api/clock", json=step).status_code == 200


def _open_day(client: httpx.Client, writer: Writer) -> None:
    rows = list(DAY.stock)
    for start in range(0, len(rows), 500):
        body = {"event": f"receipt-{start}", "packs": rows[start : start + 500]}
        assert client.post("/api/stock/receipts", json=body).status_code == 200
    writer.submit("system", _fill_cassettes).result()
    assert DAY.allergies is not None
    for what, upload in (("allergies", DAY.allergies), ("sheet", DAY.sheets[0])):
        answer = client.post(f"/api/intake/{what}?source=sample&name={upload.name}", content=upload.data)
        assert answer.status_code == 200, answer.text


def _fill_cassettes(unit: UnitOfWork) -> None:
    for cassette in unit.cassettes.where():
        lot = unit.lots.where(item=cassette.item, limit=1)[0]
        filled = replace(cassette, layers=(Layer(lot.id, 60),), state=CassetteState.ARMED, opened_at=unit.now)
        unit.cassettes.put(filled)


def _arranged(unit: UnitOfWork) -> Arranged:
    waiting = unit.packs.where(state=PackState.EXPECTED, order_by="serial")
    aboard = [pack for pack in waiting if pack.job is not None and pack.trolley is not None]
    trolley = aboard[0].trolley
    aboard = [pack for pack in aboard if pack.trolley == trolley]
    held = move_pack(unit, _released(unit, aboard[0], PackState.PRODUCED), PackState.QUARANTINED, EVIL_REASON)
    unit.packs.put(replace(held, verdict=Verdict.LOOK, contents=_dropped(unit, held)))
    open_review(unit, "pouch", held.serial, "LOOK", (EVIL_REASON,), (EVIDENCE,))
    open_review(unit, WRONG_CASSETTE, "101", "", ("the machine dropped from cassette 102, cassette 101 was planned (job J1).", "Cassette 101 is locked: accept when somebody has seen what is in it."))
    failed = move_pack(unit, _released(unit, aboard[1], PackState.PRODUCED), PackState.REVOKED, "the machine diverted it without a verdict")
    unit.packs.put(replace(failed, verdict=Verdict.FAIL))
    loaded = replace(_released(unit, aboard[2], PackState.LOADED), in_drawer=True, verdict=Verdict.PASS)
    pulled = replace(
        _released(unit, aboard[3], PackState.REVOKED), in_drawer=True, verdict=Verdict.PASS, reason="lot A1 of EUTYROX was recalled: the maker asks for it"
    )
    unit.packs.put_many([loaded, pulled])
    ready = tuple(_released(unit, pack, PackState.RELEASED) for pack in aboard[4:9])
    unit.prints.put_many([replace(label, printed=True) for label in unit.prints.where(printed=False)])
    _evil_patient(unit, ready[0])
    unit.devices.put(Device(DeviceId("packager-1"), "packager", "stopped", STATUS))
    return Arranged(held, failed, loaded, ready, pulled)


def _released(unit: UnitOfWork, pack: Pack, state: PackState) -> Pack:
    put = replace(pack, state=state)
    unit.packs.put(put)
    return put


def _dropped(unit: UnitOfWork, pack: Pack) -> tuple[Content, ...]:
    """Return what the machine would have dropped into a pouch."""
    job = unit.jobs.get(pack.job)
    assert job is not None
    return tuple(
        Content(fill.dose, fill.drug, unit.lots.where(item=fill.drug, limit=1)[0].id, Fraction(fill.count))
        for fill in job.fills
    )


def _evil_patient(unit: UnitOfWork, pack: Pack) -> None:
    patient = unit.patients.get(pack.patient)
    assert patient is not None
    unit.patients.put(replace(patient, family=EVIL))


def wards_of(plant: WebPlant) -> str:
    """Return the department of the arranged packs."""
    return plant.ready[0].department


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a port that the kernel chose; yields its address."""
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def entries(plant: WebPlant, kind: str) -> list[dict[str, Any]]:
    """Return the data of all ledger entries of a kind, in order."""
    question = LedgerQuestion(limit=10_000, kind=kind, oldest_first=True)
    page = plant.hub.writer.submit_read(lambda unit: ledger_page(unit.connection, question)).result()
    return [dict(entry.data) for entry in page.entries]


def bring_to_ward(plant: WebPlant) -> list[Pack]:
    """Put the ready packs into the ward and step the clock to when the first is due."""

    def receive(unit: UnitOfWork) -> list[Pack]:
        packs = [replace(pack, state=PackState.RECEIVED) for pack in plant.ready]
        unit.packs.put_many(packs)
        return packs

    plant.hub.clock.step(plant.ready[0].due)  # type: ignore[attr-defined]
    return plant.hub.writer.submit("system", receive).result()
