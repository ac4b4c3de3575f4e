"""The review station in a browser: by scanner, by keys and by touch; quick presses, foreign hands and test pouches are told in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from browser import Browser
from test_web_browser import RESULT, TOO_SMALL, type_cyrillic
from web_plant import PIN, served

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.domain.doses import DoseState
from hub.domain.identifiers import PackSerial, UserId
from hub.domain.looking import StationRules
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.people import Role, User
from hub.domain.verification import SeenPouch
from hub.services.review_station import SHOWN_AT_MOST
from hub.services.verify_pack import verify_pack
from hub.web.app import create_app
from hub.web.context import COOKIE
from tests.services.small_world import World, order_line

LOOKS = {"PLAIN": "#f4f1e6 round 11", "ALERT": "#3d6fb4 oval 9.5", "TWIN": "#c8452f capsule 18"}
ORDERS = (("a", "PLAIN", 2), ("b", "PLAIN", 2), ("c", "ALERT", 1))


def picture(text: str, colour: tuple[int, int, int], tablets: int) -> bytes:
    """Return a JPEG of a label and tablets on a dark base."""
    image = np.full((960, 1280, 3), (50, 44, 40), np.uint8)
    cv2.rectangle(image, (250, 60), (1030, 430), (240, 240, 240), -1)
    cv2.putText(image, text, (290, 270), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (20, 20, 20), 5)
    for number in range(tablets):
        cv2.circle(image, (440 + 200 * number, 680), 62, colour, -1)
    return bytes(cv2.imencode(".jpg", image)[1])


@dataclass
class StationPlant:
    """A hospital with pouches before the station; `ahead` moves the clock on the wall."""

    world: World
    hub: RunningHub
    jobs: list[PackJob]
    url: str = ""
    ahead: timedelta = timedelta()

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def wait(self, seconds: int) -> None:
        self.ahead += timedelta(seconds=seconds)

    def opened(self, page: Browser, role: Role, path: str, language: str = "en") -> None:
        told = httpx.post(f"{self.url}/api/session", json={"badge": f"badge-{role.value}", "pin": PIN}).json()
        page.call("Network.setCookie", name=COOKIE, value=told["token"], url=self.url)
        page.call("Network.setCookie", name="dosehub_language", value=language, url=self.url)
        page.open(f"{self.url}{path}")

    def shown(self, page: Browser, job: PackJob) -> None:
        page.wait_for(f"document.querySelector('[data-case]')?.dataset.pack === {job.pack!r}", 15)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    pin = ArgonPins().hashed(PIN)
    people = [User(UserId(f"u-{role.value}"), f"Person {role.value}", role, f"badge-{role.value}", pin) for role in Role]
    made.do(lambda unit: unit.users.put_many(people))
    made.do(lambda unit: unit.lots.put_many([replace(lot, look=LOOKS[lot.item]) for lot in unit.lots.where() if lot.item in LOOKS]))
    made.sheet(*(order_line(order, number, drug=drug, units=units) for number, (order, drug, units) in enumerate(ORDERS, 1)))
    made.at("06:15")
    made.machine.fetch()
    yield made
    made.close()


def looked_at(world: World, job: PackJob, seen: SeenPouch, frames: list[bytes]) -> None:
    """Have the camera see a pouch so, with its frames kept in the hub's own folder."""
    from hub.adapters.evidence import EvidenceFolder

    folder = EvidenceFolder(world.settings.data_dir / "evidence")
    evidence = tuple(folder.keep(frame) for frame in frames)
    world.now += timedelta(seconds=1)
    world.machine.make(job)
    seen = replace(seen, sensor_counts=world.machine.sensors(job))
    verdict = world.do(lambda unit: verify_pack(unit, job.id, seen, evidence))
    world.machine.finish(job, verdict)


Opens = Callable[[StationRules], StationPlant]


@pytest.fixture
def opens(world: World) -> Iterator[Opens]:
    """Offer a served station, with the first pouch passed and its frames kept, and two waiting."""
    jobs = [world.job_of(order) for order, *_ in ORDERS]
    for job, (_, drug, units) in zip(jobs, ORDERS, strict=True):
        colour = {"PLAIN": (230, 241, 244), "ALERT": (180, 111, 61)}[drug]
        frames = [picture(f"{job.pack} / {light}", colour, units) for light in ("A", "B", "AB")]
        passes = job is jobs[0]
        seen = SeenPouch((job.pack,) if passes else (), (), units, passes)
        looked_at(world, job, seen, frames)
    assert [world.get("packs", job.pack).verdict for job in jobs] == [Verdict.PASS, Verdict.LOOK, Verdict.LOOK]
    served_now: list[Iterator[str]] = []

    def open_station(rules: StationRules) -> StationPlant:
        house = replace(world.house, station=rules)
        hub = RunningHub(world.settings, house, world.writer, lambda: world.now)
        plant = StationPlant(world, hub, jobs)
        running = served(create_app(replace(context_of(hub), wall=plant.wall)))
        plant.url = running.__enter__()
        served_now.append(running)  # type: ignore[arg-type]
        return plant

    yield open_station
    for running in served_now:
        running.__exit__(None, None, None)  # type: ignore[attr-defined]


def told(page: Browser, look: str, words: str) -> None:
    page.wait_for(f"({RESULT}).includes('result-{look}') && ({RESULT}).includes({words!r})", 15)


QUIET = StationRules(one_in=0)


def test_a_pouch_is_accepted_by_card_and_its_own_label_and_not_before_its_time(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    first, second = plant.jobs[1:]
    plant.opened(page, Role.TECHNICIAN, "/station")
    plant.shown(page, first)
    page.wait_for("document.getElementById('frame')?.naturalWidth === 1280")
    assert page.evaluate("document.querySelectorAll('.thumb').length") == 3
    assert page.evaluate("document.querySelector('.expected').innerText").count("Siofor 500 mg") == 1
    assert "Family" not in page.evaluate("document.body.innerText")
    page.type("CMDACCEPTN")
    told(page, "stop", "Look at this pouch for at least 5 s")
    plant.wait(5)
    page.type("CMDACCEPTN")
    told(page, "run", f"Scan the label of pouch {first.pack}")
    page.type(second.pack)
    told(page, "stop", f"scan the label of pouch {first.pack}")
    type_cyrillic(page, first.pack)
    told(page, "ok", f"Pouch {first.pack} is accepted and released.")
    assert plant.world.dose("b").state is DoseState.PACKED
    plant.shown(page, second)
    assert page.evaluate("document.getElementById('waiting').textContent") in {"1", "2"}


def test_a_pouch_in_the_hand_is_shown_and_made_anew_by_keys_alone(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    alert = plant.jobs[2]
    plant.opened(page, Role.PHARMACIST, "/station", "ru")
    plant.shown(page, plant.jobs[1])
    page.type(alert.pack)
    told(page, "run", f"Пакет {alert.pack} у вас в руке")
    assert "высокий риск" in page.evaluate("document.querySelector('.case h2').innerText")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="F8", code="F8")
    page.call("Input.dispatchKeyEvent", type="keyUp", key="F8", code="F8")
    assert page.evaluate("document.getElementById('reasons').hidden"), "scanners send F8 for GS, in the midst of a code"
    page.call("Input.dispatchKeyEvent", type="keyDown", key="F7", code="F7")
    page.wait_for("!document.getElementById('reasons').hidden")
    page.press("Escape")
    page.wait_for("document.getElementById('reasons').hidden")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="F7", code="F7")
    page.type("CMDOPENP")
    told(page, "ok", f"Пакет {alert.pack} в коробе брака. Он делается заново")
    assert plant.world.get("packs", alert.pack).state is PackState.DESTROYED
    assert plant.world.pack_of("c").replaces == alert.pack


def test_by_touch_a_pouch_is_enlarged_and_rejected_with_a_reason(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    plant.opened(page, Role.TECHNICIAN, "/station")
    plant.shown(page, plant.jobs[1])
    page.evaluate("document.querySelectorAll('.thumb')[1].click()")
    page.wait_for("document.querySelectorAll('.thumb')[1].getAttribute('aria-pressed') === 'true'")
    page.evaluate("document.getElementById('zoom').click()")
    page.wait_for("(v => v.scrollWidth > v.clientWidth * 2)(document.getElementById('view'))", 10)
    page.evaluate("document.querySelector('[data-deed=reject]').click()")
    page.wait_for("!document.getElementById('reasons').hidden")
    assert page.evaluate(TOO_SMALL) == []
    page.evaluate("document.querySelector('[data-reason=broken]').click()")
    told(page, "ok", "is rejected. Scan it into the reject bin.")
    assert plant.world.get("packs", plant.jobs[1].pack).reason == "a tablet is broken"


SLOW_CASES = """(() => {
  const real = window.fetch;
  window.shows = 0;
  window.cases = 0;
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    if (String(asked[0]).startsWith("/station/case")) await new Promise((done) => setTimeout(done, 400 * ++window.cases));
    if (asked[0] === "/api/station/show") window.shows += 1;
    return answer;
  };
})()"""
"""The page of each further case comes later than the one before."""


def test_a_pouch_that_is_asked_for_twice_is_not_put_away_under_the_eyes_of_who_looks_at_it(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    plant.opened(page, Role.TECHNICIAN, "/station")
    plant.shown(page, plant.jobs[1])
    page.evaluate(SLOW_CASES)
    page.evaluate("for (let press = 0; press < 2; press += 1) document.querySelector('[data-deed=next]').click()")
    plant.shown(page, plant.jobs[2])
    page.evaluate("document.querySelectorAll('.thumb')[1].click()")
    page.wait_for("window.shows === 2")
    page.evaluate("new Promise((done) => setTimeout(done, 1500))")
    assert page.evaluate("document.querySelectorAll('.thumb')[1].getAttribute('aria-pressed')") == "true"


def test_what_somebody_else_decides_is_said_and_the_next_is_shown(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    plant.opened(page, Role.TECHNICIAN, "/station")
    plant.shown(page, plant.jobs[1])
    with httpx.Client(base_url=plant.url) as other:
        token = other.post("/api/session", json={"badge": "badge-pharmacist", "pin": PIN}).json()["token"]
        other.headers["authorization"] = f"Bearer {token}"
        case = other.post("/api/station/show", json={"event": "event-0001"}).json()["case"]
        decided = {"event": "event-0002", "case": case["case"], "shown": case["shown"], "decision": "reject", "reason": "broken"}
        assert other.post("/api/station/decide", json=decided).json()["state"] == "rejected"
        assert other.post("/api/station/decide", json=decided).json()["state"] == "rejected", "the same press counts once"
    told(page, "wait", "Somebody else has decided about this pouch.")
    plant.shown(page, plant.jobs[2])


def test_a_case_beyond_the_list_is_not_taken_for_decided(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    world = plant.world
    pack = world.get("packs", plant.jobs[1].pack)
    serials = [PackSerial(f"BEFORE{number:03d}") for number in range(SHOWN_AT_MOST)]
    (review,) = world.all("reviews", subject=pack.serial)
    early = [replace(review, id=serial, subject=serial, opened_at=review.opened_at - timedelta(days=1)) for serial in serials]
    world.do(lambda unit: unit.packs.put_many([replace(pack, serial=serial) for serial in serials]))
    world.do(lambda unit: unit.reviews.put_many(early))
    plant.opened(page, Role.TECHNICIAN, f"/station?case={review.id}")
    plant.shown(page, plant.jobs[1])
    assert review.id not in page.evaluate("document.querySelector('[data-cases]').dataset.cases")
    count = page.evaluate("document.getElementById('waiting').textContent")
    world.do(lambda unit: unit.reviews.put(replace(early[0], decision="reject")))
    page.wait_for(f"document.getElementById('waiting').textContent === '{int(count) - 1}'")
    world.do(lambda unit: unit.reviews.put(replace(review, decision="reject")))
    told(page, "wait", "Somebody else has decided about this pouch.")
    page.wait_for(f"document.querySelector('[data-case]').dataset.pack === '{serials[1]}'")


def test_who_is_signed_in_stands_on_the_page(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    page.size(1280, 800)
    plant.opened(page, Role.TECHNICIAN, "/station")
    assert page.evaluate("document.querySelector('.who .name').offsetWidth") > 0


def test_a_test_pouch_is_told_at_once_and_counted_for_all_together(opens: Opens, page: Browser) -> None:
    plant = opens(StationRules(one_in=1, least_s=1))
    plant.opened(page, Role.PHARMACIST, "/station")
    plant.shown(page, plant.jobs[0])
    assert page.evaluate("document.querySelector('.case').innerText").count("LOOK") == 1
    plant.wait(20)
    page.call("Input.dispatchKeyEvent", type="keyDown", key="F2", code="F2")
    told(page, "stop", "This was a test pouch:")
    plant.shown(page, plant.jobs[1])
    plant.opened(page, Role.HEAD, "/misses")
    assert "1 in 1 missed" in page.evaluate("document.querySelector('.together').innerText")
    assert "Person pharmacist" in page.evaluate("document.querySelectorAll('.misses')[2].innerText")
    plant.opened(page, Role.PHARMACIST, "/misses")
    assert page.evaluate("document.querySelectorAll('.misses').length") == 2, "nobody is named to colleagues"


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("width", [1280, 1920])
def test_on_panel_and_desk_nothing_is_small_cut_or_unreadable(opens: Opens, page: Browser, language: str, width: int, tmp_path: Path) -> None:
    plant = opens(QUIET)
    page.size(width, 800)
    plant.opened(page, Role.PHARMACIST, "/station", language)
    plant.shown(page, plant.jobs[1])
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.activeElement.id") == "code"
    page.screenshot(tmp_path / "station.png")
    plant.opened(page, Role.HEAD, "/misses", language)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_station_says_so(opens: Opens, page: Browser) -> None:
    plant = opens(QUIET)
    for review in plant.world.all("reviews", decision=""):
        plant.world.do(lambda unit, review=review: unit.reviews.put(replace(review, decision="reject")))
    plant.opened(page, Role.TECHNICIAN, "/station")
    page.wait_for("document.getElementById('nothing')?.innerText.includes('No pouch waits')")
    page.type("NOSUCHPOUCH1")
    told(page, "stop", "No pack has the serial NOSUCHPOUCH1.")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="F2", code="F2")
    told(page, "stop", "Nothing is shown now.")
