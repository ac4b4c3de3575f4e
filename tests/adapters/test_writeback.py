"""The hospital's system gets back what was dispensed and given: by FHIR REST, or in a folder; nothing is lost when it is away."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.adapters.writeback import Writeback
from hub.services.administer import BedsideScan, give
from tests.services.small_world import World, order_line


class FhirServer:
    """A server that takes resources by PUT, and can be told to refuse."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.refuses = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if not outer.refuses:
                    outer.taken[self.path] = json.loads(body)
                self.send_response(503 if outer.refuses else 201)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/fhir"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[FhirServer]:
    made = FhirServer()
    yield made
    made.stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def give_one_dose(world: World) -> None:
    pack = world.brought(order_line("a"))
    world.at("08:00")

    patient = world.get("patients", pack.patient)
    given = world.do(lambda unit: give(unit, BedsideScan(patient.code, pack.serial), world.house), actor="u-nurse")
    assert isinstance(given, tuple), given


def all_sent(writeback: Writeback) -> None:
    while writeback.work():
        pass


def test_dispense_and_administration_are_put_to_the_server(world: World, server: FhirServer, tmp_path: Path) -> None:
    give_one_dose(world)
    writeback = Writeback(world.writer, server.url, tmp_path / "fhir")
    all_sent(writeback)
    writeback.close()
    kinds = [resource["resourceType"] for resource in server.taken.values()]
    assert sorted(set(kinds)) == ["MedicationAdministration", "MedicationDispense"]
    administration = next(resource for resource in server.taken.values() if resource["resourceType"] == "MedicationAdministration")
    assert administration["status"] == "completed"
    assert administration["request"] == {"reference": "MedicationRequest/a"}
    assert all(path.endswith(f"/{resource['resourceType']}/{resource['id']}") for path, resource in server.taken.items())


def test_a_server_that_refuses_gets_everything_later_and_nothing_twice(world: World, server: FhirServer, tmp_path: Path) -> None:
    give_one_dose(world)
    writeback = Writeback(world.writer, server.url, tmp_path / "fhir")
    server.refuses = True
    with pytest.raises(httpx.HTTPStatusError):
        writeback.work()
    assert not server.taken
    server.refuses = False
    all_sent(writeback)
    first = dict(server.taken)
    all_sent(writeback)
    writeback.close()
    assert server.taken == first
    assert first


def test_without_a_server_the_resources_lie_in_the_folder(world: World, tmp_path: Path) -> None:
    give_one_dose(world)
    writeback = Writeback(world.writer, "", tmp_path / "fhir")
    all_sent(writeback)
    all_sent(writeback)
    writeback.close()
    lines = (tmp_path / "fhir" / "fhir-outbox.ndjson").read_text(encoding="utf-8").splitlines()
    resources = [json.loads(line) for line in lines]
    assert len({resource["id"] for resource in resources}) == len(resources) >= 2
    dispense = next(resource for resource in resources if resource["resourceType"] == "MedicationDispense")
    assert dispense["quantity"]["value"] == 1
