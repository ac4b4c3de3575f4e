"""The camera as a process: lights by cable and by command, faults of the stream, conditions, and what it tells."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sim_camera import WAIT_S, Camera, camera, decoded

from simulators.camera.conditions import Lights
from simulators.camera.lights import Relay

FIRST_ON, FIRST_OFF = bytes.fromhex("a00101a2"), bytes.fromhex("a00100a1")
SECOND_ON, SECOND_OFF = bytes.fromhex("a00201a3"), bytes.fromhex("a00200a2")


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lights") / "lights.tty"


@pytest.fixture(scope="module")
def running(link: Path) -> Iterator[Camera]:
    with camera("--lights-link", str(link), "--fps", "20") as process:
        yield process


@pytest.fixture
def plant(running: Camera) -> Iterator[Camera]:
    """Offer the running camera as it was when it started."""
    yield running
    assert running.ask("POST", "/fault", {"fault": None})[0] == 200
    assert running.ask("POST", "/conditions", {})[0] == 200
    assert running.ask("POST", "/lights", {"1": True, "2": True})[0] == 200


def wait_until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline_s, "waited in vain"


def send(link: Path, data: bytes) -> None:
    descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def lights(plant: Camera) -> dict[str, bool]:
    return plant.ask("GET", "/state")[1]["lights"]


def test_relay_takes_its_four_bytes_and_nothing_else() -> None:
    relay = Relay()
    assert relay.feed(FIRST_OFF) and relay.lights == Lights(first=False, second=True)
    assert relay.feed(SECOND_OFF) and relay.lights == Lights(first=False, second=False)
    assert relay.feed(FIRST_ON) and relay.lights == Lights(first=True, second=False)
    assert not relay.feed(FIRST_ON)
    for wrong in ("a00101a3", "a00301a4", "a00102a3", "00000000"):
        assert not relay.feed(bytes.fromhex(wrong))
    assert relay.lights == Lights(first=True, second=False) and relay.ignored_bytes > 0


def test_relay_finds_a_command_behind_rubbish_and_in_pieces() -> None:
    relay = Relay()
    data = b"\xa0\x01\xff" + FIRST_OFF + b"\x00" + SECOND_OFF
    for byte in data:
        relay.feed(bytes([byte]))
    assert relay.lights == Lights(first=False, second=False)
    assert relay.ignored_bytes == 4


def test_the_board_on_its_cable_switches_the_lights(plant: Camera, link: Path) -> None:
    plant.lay("lit")
    assert plant.ready["lights"] == str(link)
    bright = plant.newest().mean()
    send(link, FIRST_OFF + SECOND_OFF)
    wait_until(lambda: lights(plant) == {"1": False, "2": False})
    assert plant.newest().mean() < bright / 10
    send(link, SECOND_ON)
    wait_until(lambda: lights(plant) == {"1": False, "2": True})
    assert plant.newest().mean() > bright / 2


def test_the_first_picture_after_a_switch_is_of_the_new_light(plant: Camera) -> None:
    plant.lay("switched")
    with plant.stream() as stream:
        assert decoded(stream.jpeg()).mean() > 30
        plant.ask("POST", "/lights", {"1": False, "2": False})
        assert any(decoded(stream.jpeg()).mean() < 10 for _ in range(10))


def test_a_frozen_stream_shows_the_pouch_before(plant: Camera) -> None:
    plant.lay("before")
    with plant.stream() as stream:
        stream.jpeg()
        plant.ask("POST", "/fault", {"fault": "frozen"})
        frozen = [stream.jpeg() for _ in range(5)][-1]
        plant.lay("after", 4)
        assert {stream.jpeg() for _ in range(6)} == {frozen}
        plant.ask("POST", "/fault", {"fault": None})
        assert any(stream.jpeg() != frozen for _ in range(3))


def test_a_black_stream_shows_noise_that_never_repeats(plant: Camera) -> None:
    plant.lay("covered")
    plant.ask("POST", "/fault", {"fault": "black"})
    with plant.stream() as stream:
        jpegs = [stream.jpeg() for _ in range(4)]
    assert len(set(jpegs)) == 4
    assert all(decoded(jpeg).mean() < 8 for jpeg in jpegs)


def test_a_torn_stream_sends_parts_of_pictures(plant: Camera) -> None:
    plant.ask("POST", "/fault", {"fault": "torn"})
    with plant.stream() as stream:
        assert not any(stream.jpeg().endswith(b"\xff\xd9") for _ in range(4))


def test_a_share_of_the_frames_is_torn_and_the_rest_is_whole(plant: Camera) -> None:
    plant.ask("POST", "/fault", {"fault": "torn", "share": 0.5})
    with plant.stream() as stream:
        whole = sum(stream.jpeg().endswith(b"\xff\xd9") for _ in range(24))
    assert 4 < whole < 20


def test_a_shifted_stream_has_whole_pictures_with_a_jump(plant: Camera) -> None:
    plant.lay("shifted")
    straight = plant.newest().astype(int)
    plant.ask("POST", "/fault", {"fault": "shifted"})
    with plant.stream() as stream:
        shifted = decoded(stream.jpeg()).astype(int)
    changed = np.abs(shifted - straight).max(axis=2).max(axis=1) > 80
    assert not changed[:110].any() and changed[110:].any()


def test_a_slow_stream_waits_even_with_a_new_pouch(plant: Camera) -> None:
    plant.ask("POST", "/fault", {"fault": "slow", "interval_s": 0.4})
    with plant.stream() as stream:
        stream.jpeg()
        plant.lay("slow")
        begun_s = time.monotonic()
        for _ in range(2):
            stream.jpeg()
        assert time.monotonic() - begun_s > 0.4


def test_a_camera_that_hangs_up_does_so_again_until_it_is_healed(plant: Camera) -> None:
    with plant.stream() as stream:
        stream.jpeg()
        plant.ask("POST", "/fault", {"fault": "hang-up"})
        assert stream.until_gone() < 50
    with plant.stream() as stream:
        assert stream.until_gone() == 0
    plant.ask("POST", "/fault", {"fault": None})
    assert plant.newest().shape == (960, 1280, 3)


def test_an_address_that_is_no_camera_answers_a_page(plant: Camera) -> None:
    plant.ask("POST", "/fault", {"fault": "wrong-type"})
    with plant.stream() as stream:
        assert stream.answer.getheader("Content-Type") == "text/html"
        assert b"sign in" in stream.answer.read()


def test_ordered_conditions_and_what_lies_there_are_told(plant: Camera) -> None:
    status, state = plant.ask("POST", "/conditions", {"stratum": "overlapping", "blur_sigma": 2})
    assert status == 200 and state["conditions"] == {"stratum": "overlapping", "blur_sigma": 2}
    plant.lay("told", 3)
    state = plant.ask("GET", "/state")[1]
    assert (state["pouch"], state["stratum"], state["severity"], state["fault"]) == (
        "told",
        "overlapping",
        "none",
        None,
    )
    plant.ask("DELETE", "/scene")
    assert plant.ask("GET", "/state")[1]["pouch"] is None


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/fault", {"fault": "sulking"}, "no such fault"),
        ("/fault", {}, "a fault is"),
        ("/fault", {"fault": "torn", "share": 0}, "share"),
        ("/fault", {"fault": "slow", "interval_s": "1"}, "interval_s"),
        ("/lights", {"1": True}, "the lights are"),
        ("/lights", {"1": 1, "2": 0}, "the lights are"),
        ("/conditions", [], "an object"),
        ("/conditions", {"angle": 999}, "angle"),
        ("/conditions", {"severity": "wild"}, "no such severity"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_its_reason(
    plant: Camera, path: str, body: object, reason: str
) -> None:
    status, answer = plant.ask("POST", path, body)
    assert status == 400 and reason in answer["error"]


def test_truth_tells_the_stratum_of_each_pouch(tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    with camera("--truth", str(truth), "--severity", "none") as plant:
        for stratum in ("apart", "touching", "overlapping"):
            plant.ask("POST", "/conditions", {"stratum": stratum})
            plant.lay(stratum, 3)
        plant.lay("one")
    told = [
        (fact["pouch"], fact["stratum"], fact["touching"]) for fact in map(json.loads, truth.read_text().splitlines())
    ]
    assert told == [
        ("apart", "apart", False),
        ("touching", "touching", True),
        ("overlapping", "overlapping", True),
        ("one", "single", False),
    ]


def test_the_cable_is_gone_when_the_camera_has_ended(tmp_path: Path) -> None:
    link = tmp_path / "cable"
    with camera("--lights-link", str(link)):
        assert link.is_symlink()
    assert not link.is_symlink()
