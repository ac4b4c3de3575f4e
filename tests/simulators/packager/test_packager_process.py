"""The packager as a process: a real pseudo terminal, real HTTP, real kill -9."""

import base64
import contextlib
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packager_bench import OK, RASTER, SIGNATURE, job_id
from packager_process import DEADLINE_S, Host, Packager, open_port

from simulators.control import ControlServer

VECTORS = {vector["name"]: vector for vector in
           json.loads((Path(__file__).parents[2] / "vectors" / "frames.json").read_text())}


def wire(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["hex"])


class Camera:
    """A light box that notes what is laid into it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.before_answer: Callable[[], None] = lambda: None
        self._server = ControlServer("127.0.0.1:0", {("POST", "/scene"): self._lay, ("DELETE", "/scene"): self._lay})

    def _lay(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        self.before_answer()
        self.seen.append(body)
        return {}

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        host, port = self._server.start()
        try:
            yield f"http://{host}:{port}"
        finally:
            self._server.stop()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


HELLO_RSP = bytes.fromhex("00021503efbe01080101afb215a80101010102010101027f01011828800205312e312e300953494d303030303030fca53e2a00")
CONVERSATION = [
    ("ping", "ping-rsp"), ("ping", "ping-rsp"), ("job-query", "job-query-rsp-unknown"),
    ("label-begin", "label-begin-rsp"), ("label-data", "label-data-rsp"), ("label-data-200", "label-data-rsp-offset"),
]


def test_literal_frames_over_a_real_pty(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", "--cassette-slots", "40") as packager:
        with open_port(packager.link) as host:
            host.write(b"noise" + wire("hello"))
            assert host.read_raw(len(HELLO_RSP)) == HELLO_RSP
            for asked, answered in CONVERSATION:
                host.write(wire(asked))
                assert host.read_raw(len(wire(answered))) == wire(answered)
            for name in ("bad-crc-zero", "truncated", "too-long"):
                host.write(wire(name))
            host.write(wire("ping"))
            assert host.read_raw(len(wire("ping-rsp"))) == wire("ping-rsp")
        counters = packager.http("GET", "/state")[1]["counters"]
        assert counters == {"crc_err": 1, "cobs_err": 2, "overrun": 1, "ok": 8, "dup": 1, "stale_sid": 0}


def test_a_whole_job_over_a_pty(tmp_path: Path) -> None:
    camera = Camera()
    with camera.serving() as url, Packager(tmp_path, "--speed", "max", "--camera", url, "--seed", "7") as packager:
        packager.load(5, 1234, 10)
        packager.load(6, 12345, 10, "B", "L2")
        with open_port(packager.link) as host:
            assert b"SIM000007" in host.hello()
            assert host.run(1, [(5, 1234, 2), (6, 12345, 1)]) == OK
            host.await_event(1, 0x43)
            assert camera.seen[-1]["pouch"] == "SIM000007-000001"
            assert base64.b64decode(camera.seen[-1]["raster"]) == RASTER
            assert len(camera.seen[-1]["tablets"]) == 3
            assert host.run(2) == OK
            host.finish(1)
            host.finish(2, 3)
        kinds = [event["kind"] for event in host.events if event["job"] == job_id(1)]
        assert kinds == [0x41, 0x42, 0x42, 0x43, 0x44, 0x46]
        until(lambda: len(camera.seen) == 4)
        assert [seen and seen["pouch"][-1] for seen in camera.seen] == ["1", None, "2", None]
        status, [pouch] = packager.http("POST", "/output/take")
        assert (status, pouch["job"], base64.b64decode(pouch["raster"])) == (200, job_id(1).hex(), RASTER)
        assert sorted(tablet["item"] for tablet in pouch["tablets"]) == ["A", "A", "B"]
        assert [pouch["job"] for pouch in packager.http("POST", "/reject/take")[1]] == [job_id(2).hex()]
        assert packager.http("POST", "/output/take")[1] == []
        state = packager.http("GET", "/state")[1]
        assert (state["state"], state["cassettes"]["5"]["remaining"]) == ("idle", 7)
    assert [fact["what"] for fact in packager.truth()].count("tablet-dropped") == 4


def test_at_camera_waits_for_the_picture_but_the_line_goes_on_answering(tmp_path: Path) -> None:
    camera, let_go = Camera(), threading.Event()
    camera.before_answer = lambda: let_go.wait(DEADLINE_S) and None
    with camera.serving() as url, Packager(tmp_path, "--speed", "max", "--camera", url) as packager:
        packager.load()
        with open_port(packager.link) as host:
            host.hello()
            host.run(1)
            for _ in range(20):
                assert host.ask(0x06, b"still there") == (OK, b"still there")
            assert host.query(1)[0] == 2
            assert 0x43 not in [event["kind"] for event in host.events]
            let_go.set()
            host.finish(1)


def test_a_camera_that_is_away_does_not_stop_the_machine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Packager(tmp_path, "--speed", "max", "--camera", address) as packager:
        packager.load()
        with open_port(packager.link) as host:
            host.hello()
            host.run(1)
            host.finish(1)


@pytest.mark.parametrize("fallen", [False, True])
def test_kill_between_intent_and_dropped_leaves_doubt_until_a_person_counted(tmp_path: Path, fallen: bool) -> None:
    packager = Packager(tmp_path, "--speed", "0.2")
    with packager:
        packager.load()
        with open_port(packager.link, acknowledges=False) as host:
            host.hello()
            assert host.run(1, [(5, 1234, 2)]) == OK
            until(lambda: host.query(1)[0] == 2)
            if fallen:
                until(lambda: bool(packager.truth()))
        packager.kill()
        fell = len(packager.truth())
        packager.start()
        assert packager.ready["boot"] == 2
        with open_port(packager.link) as host:
            host.hello()
            assert host.query(1)[0] == 6
            assert host.ask(0x01, b"\1")[1][0] == 4
            assert host.await_event(1, 0x41)["boot"] == 2
            stopped = host.await_event(1, 0x47)
            state = packager.http("GET", "/state")[1]
            assert state["cassettes"]["5"] | {"layers": []} == {
                "cassette": 1234, "remaining": 100, "tablets": 100 - fell, "layers": []}
            assert len(packager.truth()) == fell
            status, refusal = packager.http("POST", "/reset-stop")
            assert (status, "answers at the hub" in refusal["error"]) == (409, True)
            assert packager.http("DELETE", "/cassettes/5")[0] == 409
            assert (state["doubt"]["job"], state["doubt"]["fell"]) == (job_id(1).hex(), fell)
            answer = job_id(1) + struct.pack("<BIIB", 0, stopped["boot"], stopped["evt"], state["doubt"]["fell"])
            assert host.ask(0x04, answer)[1][0] == 5
            host.await_event(1, 0x48)
        state = packager.http("GET", "/state")[1]
        assert (state["doubt"], state["cassettes"]["5"]["remaining"]) == (None, 100 - fell)
        [pouch] = packager.http("POST", "/reject/take")[1]
        assert len(pouch["tablets"]) == fell


def test_kill_after_accepted_goes_on_and_events_come_again(tmp_path: Path) -> None:
    packager = Packager(tmp_path, "--speed", "max")
    with packager:
        packager.load()
        with open_port(packager.link, acknowledges=False) as host:
            host.hello()
            label = host.upload()
            for n in range(1, 4):
                assert host.run(n, label=label) == OK
        packager.kill()
        packager.start()
        with open_port(packager.link) as host:
            host.hello()
            assert [host.query(n)[0] for n in range(1, 4)] == [3, 1, 1]
            for n in range(1, 4):
                host.finish(n)
            assert [event["kind"] for event in host.events if event["job"] == job_id(1)] == [
                0x41, 0x42, 0x43, 0x44, 0x46]
        assert len(packager.http("POST", "/output/take")[1]) == 3


def test_kill_at_any_moment_loses_and_doubles_no_tablet_in_truth(tmp_path: Path) -> None:
    packager = Packager(tmp_path, "--speed", "max")
    with packager:
        packager.load(5, 1234, 500)
        n = 0
        for cut in range(6):
            with open_port(packager.link, acknowledges=False) as host:
                host.hello(100 + cut)
                label = host.upload()
                killer = threading.Timer(0.02 + 0.013 * cut, os.kill, (packager.process.pid, signal.SIGKILL))
                killer.start()
                with contextlib.suppress(OSError, AssertionError):
                    host_until_dead(host, packager.process, label, n)
                killer.join()
                n += 1000
            packager.kill()
            packager.start()
            resolve_a_doubt(packager)
        state = packager.http("GET", "/state")[1]
        dropped = [fact for fact in packager.truth() if fact["what"] == "tablet-dropped"]
        assert state["cassettes"]["5"]["tablets"] + len(dropped) == 500
        assert state["doubt"] or state["cassettes"]["5"]["remaining"] == state["cassettes"]["5"]["tablets"]
        assert len({(fact["job"], fact["slot"]) for fact in dropped}) == len(dropped)


def resolve_a_doubt(packager: Packager) -> None:
    doubt = packager.http("GET", "/state")[1]["doubt"]
    if doubt is None:
        return
    with open_port(packager.link) as host:
        host.hello(99)
        until(lambda: host.poll(0.1) or any(event["kind"] == 0x47 for event in host.events))
        stopped = next(event for event in reversed(host.events) if event["kind"] == 0x47)
        answer = struct.pack("<BIIB", doubt["drop"], stopped["boot"], stopped["evt"], doubt["fell"])
        assert host.ask(0x04, bytes.fromhex(doubt["job"]) + answer)[0] == OK


def host_until_dead(host: Host, process: Any, label: bytes, start: int) -> None:
    for n in range(start + 1, start + 1000):
        assert process.poll() is None
        if host.run(n % 65536, label=label) != OK:
            return
        while process.poll() is None and 0x43 not in [e["kind"] for e in host.events if e["job"] == job_id(n)]:
            host.poll(0.01)
        event = next(e for e in reversed(host.events) if e["kind"] == 0x43)
        host.ask(0x23, job_id(n) + b"\0" + struct.pack("<IIB", event["boot"], event["evt"], 1))
        host.ask(0x05, struct.pack("<II", event["boot"], event["evt"]))


def test_a_truth_line_that_power_loss_cut_off_is_written_at_the_next_start(tmp_path: Path) -> None:
    packager = Packager(tmp_path, "--speed", "max")
    with packager:
        packager.load()
        with open_port(packager.link) as host:
            host.hello()
            host.run(1)
            host.await_event(1, 0x43)
        packager.kill()
        whole = packager.truth()
        lines = (tmp_path / "truth.ndjson").read_text().splitlines(keepends=True)
        (tmp_path / "truth.ndjson").write_text("".join(lines[:-1]))
        packager.start()
        assert packager.truth() == whole


def test_truth_is_finished_at_the_next_start_wherever_in_a_movement_it_was_cut_off(tmp_path: Path) -> None:
    packager = Packager(tmp_path, "--speed", "0.2")
    with packager:
        packager.load()
        with open_port(packager.link) as host:
            host.hello()
            host.run(1, [(5, 1234, 2)])
            until(lambda: len(packager.truth()) == 2)
        assert_finished(packager, 1)
        resolve_a_doubt(packager)
        assert [fact["what"] for fact in packager.truth()[2:]] == [
            "label-printed", "pouch-cut", "pouch-diverted", "pouch-labelled"]
        assert_finished(packager, 3)


def assert_finished(packager: Packager, lines: int) -> None:
    """Cut the power and all of the truth but its first lines, and see that it is the same at the next start."""
    packager.kill()
    whole = (packager.folder / "truth.ndjson").read_text()
    (packager.folder / "truth.ndjson").write_text("".join(whole.splitlines(keepends=True)[:lines]))
    packager.start()
    assert (packager.folder / "truth.ndjson").read_text() == whole


def test_the_line_is_as_slow_as_115200_baud(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "1") as packager, open_port(packager.link) as host:
        host.hello()
        begun = time.monotonic()
        for _ in range(5):
            assert host.ask(0x06, bytes(225))[0] == OK
        assert time.monotonic() - begun >= 5 * 2 * 236 / 11520


def test_tcp_instead_of_a_pty(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", port=("--tcp", "127.0.0.1:0")) as packager:
        address = urlsplit(packager.ready["port"])
        assert address.scheme == "socket"
        packager.load()
        for sid in (1, 2):
            with socket.create_connection((address.hostname, address.port)) as connection:
                host = Host(connection.fileno())
                host.hello(sid)
                host.run(sid)
                host.finish(sid)


def test_sigterm_ends_cleanly_and_takes_the_symlink_away(tmp_path: Path) -> None:
    packager = Packager(tmp_path, "--speed", "max").start()
    assert packager.link.is_symlink()
    assert packager.signal(signal.SIGTERM) == 0
    assert not packager.link.is_symlink()


def test_a_state_file_serves_one_process_only(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager:
        assert packager.process is not None
        second = subprocess.run(packager.process.args, capture_output=True, timeout=DEADLINE_S, check=False,
                                cwd=Path(__file__).parents[3])
        assert second.returncode == 1
        assert b"another process" in second.stderr


def test_hands_are_told_what_is_impossible(tmp_path: Path) -> None:
    look = {"colour": "#ffffff", "shape": "round", "size_mm": 8}
    body = {"cassette": 1, "item": "A", "lot": "L", "count": 5, "look": look}
    with Packager(tmp_path, "--speed", "max", "--cassette-slots", "3") as packager:
        assert packager.http("POST", "/cassettes/1", body)[1]["remaining"] == 5
        assert packager.http("POST", "/cassettes/1", {**body, "lot": "M"})[1]["tablets"] == 10
        assert packager.http("POST", "/cassettes/1", {**body, "cassette": 2})[0] == 409
        assert packager.http("POST", "/cassettes/2", body)[0] == 409
        assert packager.http("POST", "/cassettes/4", body)[0] == 404
        assert packager.http("POST", "/cassettes/2", {"cassette": 9})[0] == 400
        assert packager.http("DELETE", "/cassettes/2")[0] == 409
        assert [layer["lot"] for layer in packager.http("DELETE", "/cassettes/1")[1]["layers"]] == ["L", "M"]
        assert packager.http("POST", "/reset-stop")[0] == 409


def test_hands_open_the_door_and_put_right_what_befell_the_machine(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        assert packager.http("POST", "/door", {"open": True})[0] == 200
        assert packager.http("POST", "/trouble", {"trouble": "jam"})[0] == 200
        assert host.run(1) == OK
        host.await_event(1, 0x47)
        assert packager.http("POST", "/reset-stop")[0] == 409
        packager.http("POST", "/door", {"open": False})
        assert packager.http("GET", "/state")[1]["reason"] == "door_open"
        assert packager.http("POST", "/reset-stop")[0] == 200
        host.finish(1)
        for path, body in (("/door", None), ("/door", {"open": 1}), ("/trouble", {}), ("/trouble", {"trouble": "x"})):
            assert packager.http("POST", path, body)[0] == 400


def carry(host: Host, image: bytes, maker: Ed25519PrivateKey, *, until_offset: int) -> bytes:
    digest = hashlib.sha256(image).digest()
    signature = maker.sign(b"PPL-FW\x052.0.0" + struct.pack("<I", len(image)) + digest)
    sums = struct.pack("<II", len(image), zlib.crc32(image))
    rc, answer = host.ask(0x10, b"\0" + sums + digest + signature + b"\x052.0.0")
    assert rc == OK
    offset = struct.unpack("<I", answer)[0]
    while offset < until_offset:
        rc, answer = host.ask(0x11, sums[4:] + struct.pack("<I", offset) + image[offset : offset + 200])
        assert rc == OK
        offset = struct.unpack("<I", answer)[0]
    return digest


def test_lock_and_half_carried_firmware_survive_kill_and_the_new_one_is_tried(tmp_path: Path) -> None:
    maker, image = Ed25519PrivateKey.generate(), os.urandom(5000)
    public = maker.public_key().public_bytes_raw().hex()
    packager = Packager(tmp_path, "--speed", "max", "--maker-key", public)
    with packager:
        with open_port(packager.link) as host:
            host.hello()
            assert host.ask(0x08, b"\1\4Anna") == (OK, b"\1\4Anna")
            carry(host, image, maker, until_offset=2000)
        packager.kill()
        packager.start()
        with open_port(packager.link) as host:
            host.hello()
            assert packager.http("GET", "/state")[1]["firmware"]["carried"] == 2000
            digest = carry(host, image, maker, until_offset=len(image))
            assert host.ask(0x13, digest) == (OK, b"")
            assert b"\x052.0.0" in host.hello(0x4343)
            assert host.boot == 3
        for _ in range(3):
            packager.kill()
            packager.start()
        state = packager.http("GET", "/state")[1]
        assert (state["lock"], state["state"], state["firmware"]["active"], state["firmware"]["failed_boots"]) == (
            "Anna", "locked", "A", 3)
        assert packager.http("POST", "/firmware/B/spoil")[1]["b"] == {"version": "2.0.0", "sound": False}
        assert packager.http("POST", "/firmware/B/spoil")[0] == 409
        assert packager.http("POST", "/firmware/C/spoil")[0] == 404
        packager.http("POST", "/firmware/A/spoil")
        packager.kill()
        packager.start()
        assert packager.http("GET", "/state")[1]["state"] == "safe_mode"


def test_firmware_of_the_test_maker_is_not_taken_by_a_machine_of_another(tmp_path: Path) -> None:
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    image = b"x" * 300
    with Packager(tmp_path, "--speed", "max", "--maker-key", public) as packager, open_port(packager.link) as host:
        host.hello()
        host.ask(0x08, b"\1\4Anna")
        digest = carry(host, image, Ed25519PrivateKey.from_private_bytes(bytes(range(32))), until_offset=300)
        assert host.ask(0x13, digest) == (SIGNATURE, b"")


def test_a_jogged_motor_stops_by_itself_in_simulated_time(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "20") as packager, open_port(packager.link) as host:
        host.hello()
        host.ask(0x08, b"\1\4Anna")
        assert host.ask(0x09, struct.pack("<BBH", 2, 1, 500)) == (OK, bytes(4))
        until(lambda: packager.http("GET", "/state")[1]["jog"]["running"] == 0)
        assert packager.http("GET", "/state")[1]["jog"]["positions"] == {"1": 0, "2": 500, "3": 0}


@pytest.mark.parametrize("wrong", ["", "zz", "00" * 31])
def test_what_is_no_maker_key_is_refused(tmp_path: Path, wrong: str) -> None:
    packager = Packager(tmp_path, "--maker-key", wrong)
    with pytest.raises(AssertionError, match="ended with 2"):
        packager.start()


def test_an_idle_packager_sleeps(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "1") as packager, open_port(packager.link) as host:
        host.hello()
        assert packager.process is not None
        before = switches(packager.process.pid)
        time.sleep(0.5)
        assert switches(packager.process.pid) - before < 20


def switches(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("voluntary_ctxt")).split()[1])
