"""The hub's labels over MQTT, with real processes: through the bridge to an ESC/POS printer, and to a printer that speaks MQTT itself."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from hub.adapters.device_link import DeviceLink
from hub.adapters.label_printing import LabelPrinting
from hub.adapters.print_link import printer_place
from hub.adapters.workers import Worker
from hub.domain.identifiers import DeviceId, PackSerial, UserId
from hub.domain.records import Device, Print
from hub.domain.refusals import Refusal
from hub.services.reject_packs import Decision, decide_review
from labels.raster import Raster
from tests.bridge.plant import SITE, mosquitto, wait_until
from tests.bridge.printer_desk import PRINTER, TALL, TINY, printer_bridge
from tests.printer.printer_plant import Plant, running_printer
from tests.services.small_world import TECHNICIAN, World

Started = Callable[..., AbstractContextManager[Plant]]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    yield made
    made.close()


@contextmanager
def behind_the_bridge(folder: Path, port: int, *options: str) -> Iterator[Plant]:
    with running_printer(folder, *options) as printer, printer_bridge(folder, port, printer.url) as bridge:
        bridge.wait_ready()
        yield printer


@contextmanager
def by_itself(folder: Path, port: int, *options: str) -> Iterator[Plant]:
    address = f"mqtt://127.0.0.1:{port}"
    with running_printer(folder, "--mqtt", address, "--site", SITE, "--device", PRINTER, *options) as printer:
        assert printer.url == f"{address}/{SITE}/{PRINTER}"
        yield printer


@pytest.fixture(params=[behind_the_bridge, by_itself])
def started(request: pytest.FixtureRequest) -> Started:
    found: Started = request.param
    return found


@contextmanager
def hub_at(world: World, port: int) -> Iterator[None]:
    """Run the hub's end: the board's link to devices, and the printing as the hub starts it."""
    broker = f"mqtt://127.0.0.1:{port}"
    link = DeviceLink(world.writer, broker, SITE, lambda: world.now)
    printing = LabelPrinting(world.writer, world.house, f"{broker}/{SITE}/{PRINTER}")
    worker = Worker("printer", printing.work, {"prints", "packs", "devices"}, rests_s=0.1, idle_s=1.0)
    world.writer.on_commit.append(worker.wake)
    link.start()
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        printing.stop()
        link.stop()
        world.writer.on_commit.remove(worker.wake)


def want(world: World, *rasters: Raster) -> None:
    """Have labels wait for the printer."""
    labels = [
        Print(
            PackSerial(f"P{number}"),
            DeviceId(PRINTER),
            raster.digest().hex(),
            raster.width,
            raster.height,
            _base64(raster),
        )
        for number, raster in enumerate(rasters)
    ]
    world.do(lambda unit: unit.prints.put_many(labels))


def want_more(world: World, raster: Raster) -> None:
    """Have one more label wait."""
    label = Print(
        PackSerial("P9"), DeviceId(PRINTER), raster.digest().hex(), raster.width, raster.height, _base64(raster)
    )
    world.do(lambda unit: unit.prints.put(label))


def _base64(raster: Raster) -> str:
    return base64.b64encode(raster.bits).decode()


def printed(world: World) -> list[str]:
    return [label.pack for label in world.all("prints", printed=True, order_by="pack")]


def board(world: World) -> Device:
    found = world.do(lambda unit: unit.devices.get(DeviceId(PRINTER)))
    assert found is not None
    return found


def test_labels_are_printed_once_each_and_booked(tmp_path: Path, port: int, world: World, started: Started) -> None:
    with started(tmp_path, port, "--speed", "max") as printer, hub_at(world, port):
        want(world, TINY, TALL, TINY)
        wait_until(lambda: printed(world) == ["P0", "P1", "P2"], "all labels")
        assert [label["height"] for label in printer.take()] == [TINY.height, TALL.height, TINY.height]
        assert [fact["pack"] for fact in world.facts("label-printed")] == ["P0", "P1", "P2"]
        wait_until(lambda: board(world).state == "ready", "the board")


def test_labels_wait_for_paper(tmp_path: Path, port: int, world: World, started: Started) -> None:
    with started(tmp_path, port, "--speed", "max") as printer, hub_at(world, port):
        wait_until(lambda: board(world).state == "ready", "the board")
        printer.call("POST", "/paper", {"out": True})
        wait_until(lambda: board(world).state == "out-of-paper", "the board without paper")
        want(world, TINY)
        assert printed(world) == []
        printer.call("POST", "/paper", {"out": False})
        wait_until(lambda: printed(world) == ["P0"], "the label", deadline_s=30)
        assert len(printer.truth()) == 1


def test_label_in_doubt_is_asked_about_and_printed_anew_only_when_a_person_has_looked(
    tmp_path: Path, port: int, world: World, started: Started
) -> None:
    with started(tmp_path, port, "--speed", "0.3") as printer, hub_at(world, port):
        want(world, TALL)
        wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
        printer.call("POST", "/cover", {"open": True})
        wait_until(lambda: tries(world) == 1, "the outcome")
        wait_until(lambda: '"in-doubt"' in board(world).status, "the printer's own word")
        printer.call("POST", "/cover", {"open": False})
        want_more(world, TINY)
        wait_until(lambda: printed(world) == ["P9"], "the label of another pack", deadline_s=30)
        assert len(printer.truth()) == 1
        settle(world, "P0")
        wait_until(lambda: printed(world) == ["P0", "P9"], "the label", deadline_s=30)
        assert len(printer.truth()) == 2


def settle(world: World, pack: str) -> None:
    """Have somebody look at the printer and say so at the line."""
    (review,) = world.all("reviews", kind="label-in-doubt", decision="")
    assert review.subject == pack
    decision = Decision(review.id, accept=True, scanned="", reason="thrown away", by=UserId(TECHNICIAN))
    assert not isinstance(world.do(lambda unit: decide_review(unit, decision, world.house), TECHNICIAN), Refusal)


def tries(world: World) -> int:
    return int(world.all("prints")[0].tries)


def test_hub_that_starts_anew_prints_nothing_twice(tmp_path: Path, port: int, world: World, started: Started) -> None:
    with started(tmp_path, port, "--speed", "0.3") as printer:
        with hub_at(world, port):
            want(world, TALL)
            wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
        wait_until(lambda: len(printer.truth()) == 1, "the label")
        assert printed(world) == []
        with hub_at(world, port):
            wait_until(lambda: printed(world) == ["P0"], "the booking")
        assert len(printer.truth()) == 1
        assert len(world.facts("label-printed")) == 1


def test_printer_that_is_away_gets_the_label_when_it_is_back(
    tmp_path: Path, port: int, world: World, started: Started
) -> None:
    with started(tmp_path, port, "--speed", "max"), hub_at(world, port):
        want(world, TINY)
        wait_until(lambda: printed(world) == ["P0"], "the label")
    with hub_at(world, port):
        want_more(world, TINY)
        with started(tmp_path, port, "--speed", "max"):
            wait_until(lambda: printed(world) == ["P0", "P9"], "the label")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mqtt://broker", "is mqtt://host:port/site/device"),
        ("mqtt://broker/mercy", "is mqtt://host:port/site/device"),
        ("mqtt:///mercy/printer-1", "is mqtt://host:port/site/device"),
        ("mqtts://broker/mercy/printer-2", "its address names printer-2"),
    ],
)
def test_address_that_cannot_be_used_says_why(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        printer_place(url, DeviceId(PRINTER))


def test_address_has_user_and_transport() -> None:
    place = printer_place("mqtts://mercy.printing:by%20heart@broker/mercy/printer-1", DeviceId(PRINTER))
    assert (place.broker, place.port, place.tls) == ("broker", 8883, True)
    assert (place.user, place.password, place.site) == ("mercy.printing", "by heart", "mercy")
