"""The set-up page of the camera in a browser, on a simulated camera with a label in it: measured, told what to move, accepted, compared."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import httpx
import pytest
from browser import Browser
from test_web_browser import TOO_SMALL
from web_plant import PIN, served

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.domain.identifiers import DeviceId, PackSerial, UserId
from hub.domain.people import Role, User
from hub.services.maintenance import print_seen
from hub.web.app import create_app
from hub.web.context import COOKIE
from tests.camera.camera_plant import CameraProcess, camera_process, tablet
from tests.services.small_world import World

SERIAL = "ABCDEF012345"


@dataclass
class Plant:
    """A hub with a camera of its own, and an engineer."""

    world: World
    camera: CameraProcess
    url: str

    def sign_in(self, page: Browser) -> httpx.Client:
        """Return a client of the engineer's, whose session the page has too."""
        token = httpx.post(f"{self.url}/api/session", json={"badge": "badge-engineer", "pin": PIN}).json()["token"]
        page.call("Network.setCookie", name=COOKIE, value=token, url=self.url)
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=30)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    world = World(tmp_path, stocked=False)
    engineer = User(UserId("u-engineer"), "Ивин И. И.", Role.ENGINEER, "badge-engineer", ArgonPins().hashed(PIN))
    world.do(lambda unit: unit.users.put(engineer))
    link = str(tmp_path / "relay")
    with camera_process("--fps", "10", "--lights-link", link) as camera:
        settings = replace(world.settings, camera=camera.stream, lights=link)
        hub = RunningHub(settings, world.house, world.writer, lambda: world.now)
        assert hub.camera is not None
        hub.camera.start()
        try:
            with served(create_app(context_of(hub))) as url:
                yield Plant(world, camera, url)
        finally:
            hub.camera.stop()
            world.close()


def test_a_camera_is_measured_accepted_and_its_lights_are_switched(plant: Plant, page: Browser) -> None:
    client = plant.sign_in(page)
    page.open(f"{plant.url}/devices/camera-1?language=ru")
    page.wait_for("document.querySelector('[data-key=refused]')?.textContent.includes('положите под камеру')")
    page.evaluate("document.querySelector('#accept [type=submit]').click()")
    page.wait_for("document.getElementById('result').className.includes('stop')")
    plant.camera.lay(SERIAL, [tablet("#60a0d0")])
    page.wait_for("document.querySelector('[data-key=rows]') && document.querySelector('[data-key=moves] .chip-ok')")
    page.wait_for("document.getElementById('picture').naturalWidth === 1280")
    assert page.evaluate(TOO_SMALL) == []
    page.evaluate("document.querySelector('button[data-light=second]').click()")
    page.wait_for("document.querySelector('button[data-light=second]').getAttribute('aria-pressed') === 'true'")
    page.evaluate("document.querySelector('button[data-light=both]').click()")
    page.wait_for("document.querySelector('button[data-light=both]').getAttribute('aria-pressed') === 'true'")
    page.wait_for("document.querySelector('[data-key=moves] .chip-ok')")
    page.evaluate("document.querySelector('#accept [type=submit]').click()")
    page.wait_for("document.querySelector('[data-key=accepted]').textContent.includes('Ивин')")
    (set_up,) = plant.world.all("camera_set_ups")
    assert abs(set_up.figures.pixels_per_mm - 9) < Fraction(1, 5) and set_up.accepted_by == "u-engineer"
    assert len(plant.world.facts("camera-set-up")) == 1
    told = client.get("/api/devices/camera-1/set-up").json()
    assert told["moves"] == [] and told["figures"]["pixels_per_mm"].startswith(("8.9", "9.0"))


def test_fading_print_is_told_once_and_closed_with_a_reason(plant: Plant, page: Browser) -> None:
    printer = DeviceId("packager-1")
    for unused in [0.95] * 40 + [0.6] * 45:
        plant.world.do(lambda unit, unused=unused: print_seen(unit, printer, PackSerial(SERIAL), unused))
    plant.sign_in(page)
    page.open(f"{plant.url}/devices/camera-1?language=en")
    page.wait_for("document.querySelector('.ticket')?.textContent.includes('The print of packager-1 fades')")
    assert page.evaluate(TOO_SMALL) == []
    page.evaluate("document.querySelector('.ticket [name=reason]').focus()")
    page.type("head cleaned, ribbon changed", end="")
    page.evaluate("document.querySelector('.ticket [name=renewed]').click(); document.querySelector('.ticket [type=submit]').click()")
    page.wait_for("document.querySelector('[data-key=tickets] .calm')")
    (ticket,) = plant.world.all("incidents")
    assert ticket.closed and "95 %" in ticket.text and "бледнеет" in ticket.text_ru
    (quality,) = plant.world.all("print_qualities")
    assert (quality.printed, quality.fresh, quality.told) == (0, (), None)


def test_who_may_not_serve_devices_sees_the_page_and_no_buttons(plant: Plant, page: Browser) -> None:
    technician = User(UserId("u-tech2"), "Technician", Role.TECHNICIAN, "badge-tech2", ArgonPins().hashed(PIN))
    plant.world.do(lambda unit: unit.users.put(technician))
    token = httpx.post(f"{plant.url}/api/session", json={"badge": "badge-tech2", "pin": PIN}).json()["token"]
    page.call("Network.setCookie", name=COOKIE, value=token, url=plant.url)
    page.open(f"{plant.url}/devices/camera-1?language=en")
    assert page.evaluate("document.querySelectorAll('button[data-light], #accept').length") == 0
