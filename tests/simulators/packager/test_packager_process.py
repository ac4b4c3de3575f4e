"""The packager as a process: a real pseudo terminal, real HTTP, real kill -9."""

import base64
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from packager_bench import OK, RASTER, a_label, job_id
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


HELLO_RSP = bytes.fromhex("00021503efbe01020106398212df0101010102010101020301011828800205312e302e300953494d303030303030280d10f100")
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
def test_kill_between_intent_and_dropped_leaves_doubt_and_never_drops_again(tmp_path: Path, fallen: bool) -> None:
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
            state = packager.http("GET", "/state")[1]
            assert state["cassettes"]["5"]["tablets"] + fell == 100
            assert len(packager.truth()) == fell
            assert packager.http("POST", "/reset-stop") == (200, {"state": "idle"})
            host.await_event(1, 0x46)
            assert host.query(1)[0] == 5
        [pouch] = packager.http("POST", "/reject/take")[1]
        assert len(pouch["tablets"]) == fell
        assert packager.http("POST", "/reset-stop")[0] == 409


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
            packager.http("POST", "/reset-stop")
        state = packager.http("GET", "/state")[1]
        dropped = [fact for fact in packager.truth() if fact["what"] == "tablet-dropped"]
        assert state["cassettes"]["5"]["tablets"] + len(dropped) == 500
        assert len({(fact["job"], fact["slot"]) for fact in dropped}) == len(dropped)


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


def test_one_pouch_costs_less_than_ten_milliseconds_of_processor_time(tmp_path: Path) -> None:
    camera, pouches = Camera(), 40
    with camera.serving() as url, Packager(tmp_path, "--speed", "max", "--camera", url) as packager:
        packager.load(5, 1234, 1000)
        with open_port(packager.link) as host:
            host.hello()
            before = packager.cpu_s()
            for n in range(pouches):
                digest = host.upload(a_label(os.urandom(5000), 400))
                assert host.run(n, [(5, 1234, 1)] * 4, digest) == OK
                host.finish(n)
            spent_ms = (packager.cpu_s() - before) / pouches * 1000
    assert spent_ms < 10


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
