"""Faults on command, at a running packager: a bad cable, one pulled out, lost power, time that stands still."""

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from packager_bench import OK, job_id, run_payload
from packager_process import DEADLINE_S, Host, Packager, open_port

from simulators.packager.codec import REQ, Frame, encode_frame

NO_FAULTS: dict[str, float] = {}
BAD_LINE = {"lost": 0.1, "flipped": 0.1, "twice": 0.2, "late": 0.1, "late_s": 0.02}


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def post(packager: Packager, path: str, body: Any = None) -> Any:
    status, answer = packager.http("POST", path, body)
    assert status == 200, answer
    return answer


def state(packager: Packager) -> Any:
    return packager.http("GET", "/state")[1]


def request(host: Host, n: int, drops: list[tuple[int, int, int]]) -> bytes:
    """Give the frame of JOB_RUN, which will not be answered."""
    return encode_frame(Frame(REQ, 200, host._sid, 0x02, run_payload(job_id(n), host.upload(), drops)))


@contextlib.contextmanager
def tcp_host(packager: Packager) -> Any:
    address = urlsplit(packager.ready["port"])
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S) as connection:
        yield Host(connection.fileno())


def test_jobs_come_through_a_bad_line_each_once(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", "--seed", "3") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        post(packager, "/line", BAD_LINE)
        for n in (1, 2):
            assert host.run(n) == OK
            host.finish(n)
        until(lambda: host.ask(0x06, b"ping") == (OK, b"ping") and all_befell(packager))
        seen = post(packager, "/line", NO_FAULTS)
        assert seen["faults"] == {"lost": 0.0, "flipped": 0.0, "twice": 0.0, "late": 0.0, "late_s": 0.2}
        assert state(packager)["cassettes"]["5"]["tablets"] == 98
        assert [fact["what"] for fact in packager.truth()].count("pouch-released") == 2


def all_befell(packager: Packager) -> bool:
    return all(count for way in state(packager)["line"]["befell"].values() for count in way.values())


def test_the_line_is_bad_from_the_start_by_option(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", "--line", '{"lost": 1}') as packager, open_port(packager.link) as host:
        host.write(encode_frame(Frame(0x14, 0, 7, 0, struct.pack("<BBI", 1, 1, 1))))
        until(lambda: state(packager)["line"]["befell"]["to_device"]["lost"] == 1)
        assert state(packager)["counters"]["ok"] == 0
        post(packager, "/line", NO_FAULTS)
        host.hello()


def test_an_unplugged_pty_is_gone_and_comes_back_under_the_same_name(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager:
        packager.load()
        descriptor = os.open(packager.link, os.O_RDWR | os.O_NOCTTY)
        try:
            assert post(packager, "/unplug")["plugged"] is False
            assert not packager.link.is_symlink()
            assert select.select([descriptor], [], [], DEADLINE_S)[0]
            with contextlib.suppress(OSError):
                assert os.read(descriptor, 1) == b""
            assert state(packager)["power"] == "on"
            assert post(packager, "/plug")["plugged"] is True
        finally:
            os.close(descriptor)
        with open_port(packager.link) as host:
            host.hello()
            assert host.run(1) == OK
            host.finish(1)


@pytest.mark.parametrize("tcp", [False, True], ids=["pty", "tcp"])
def test_a_cable_comes_back_by_itself_and_the_machine_worked_on_meanwhile(tmp_path: Path, tcp: bool) -> None:
    port = ("--tcp", "127.0.0.1:0") if tcp else None
    packager = Packager(tmp_path, "--speed", "max", port=port)
    with packager:
        packager.load()
        opening = tcp_host if tcp else lambda each: open_port(each.link)
        with opening(packager) as host:
            host.hello()
            assert host.run(1) == OK
            post(packager, "/unplug", {"seconds": 0.05})
        until(lambda: state(packager)["line"]["plugged"])
        with opening(packager) as host:
            host.hello(2)
            assert host.query(1)[0] == 3
            host.finish(1)


def test_an_unplugged_tcp_port_hangs_up_refuses_and_keeps_its_number(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", port=("--tcp", "127.0.0.1:0")) as packager:
        address = urlsplit(packager.ready["port"])
        with socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S) as connection:
            until(lambda: connection.send(b"\0"))
            post(packager, "/unplug")
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S)
        post(packager, "/unplug")
        post(packager, "/plug")
        post(packager, "/plug")
        with tcp_host(packager) as host:
            host.hello()


CUTS = [  # append after the order, bytes kept of it, tablets that fell, cause told at the next boot, state of the job
    (1, 0, 0, 0, None), (1, 9, 0, 2, None), (1, None, 0, 0, 3), (2, 5, 0, 2, 3), (2, None, 0, 0, 6), (3, 20, 0, 2, 6),
    (3, None, 2, 0, 6), (4, 0, 2, 0, 6), (4, 30, 2, 2, 6), (4, None, 2, 0, 3), (4, 100_000, 2, 0, 3)]


@pytest.mark.parametrize(("k", "torn", "fell", "cause", "job_state"), CUTS)
def test_power_cut_at_an_append_before_in_the_middle_and_after_it(
    tmp_path: Path, k: int, torn: int | None, fell: int, cause: int, job_state: int | None,
) -> None:
    with Packager(tmp_path, "--speed", "max") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        order = request(host, 1, [(5, 1234, 2)])
        ordered = post(packager, "/power", {"cut": "at-append", "k": k, "torn": torn, "dark_s": None})
        assert ordered["power_cut"] == {"k": k, "torn": torn, "dark_s": None}
        host.write(order)
        until(lambda: state(packager)["power"] == "off")
        assert len(packager.truth()) <= fell
        assert packager.http("POST", "/output/take") == (409, {"error": "the power is off"})
        host.write(encode_frame(Frame(0x14, 0, 8, 0, struct.pack("<BBI", 1, 1, 1))))
        assert post(packager, "/power", {"on": True})["power"] == "on"
        answer = host.hello(9)
        assert (struct.unpack_from("<I", answer, 7)[0], answer[11]) == (2, cause)
        rc, told = host.ask(0x03, job_id(1))
        assert (rc, told[:1]) == ((OK, bytes([job_state])) if job_state else (5, b""))
        assert [fact["what"] for fact in packager.truth()].count("tablet-dropped") == (2 if job_state == 3 else fell)
        assert state(packager)["cassettes"]["5"]["tablets"] == 100 - (2 if job_state == 3 else fell)


def test_the_power_comes_back_by_itself_and_the_process_stays_alive(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager, open_port(packager.link) as host:
        host.hello()
        post(packager, "/power", {"cut": "now", "dark_s": 0.05})
        until(lambda: state(packager)["power"] == "on")
        host.hello(5)
        assert host.boot == 2
        assert packager.process is not None and packager.process.poll() is None


def test_a_cut_may_hit_the_boot_itself_and_may_be_called_off(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager, open_port(packager.link) as host:
        post(packager, "/power", {"cut": "now"})
        post(packager, "/power", {"cut": "at-append", "k": 1, "torn": 3})
        assert post(packager, "/power", {"on": True})["power"] == "off"
        post(packager, "/power", {"cut": "at-append", "k": 1})
        assert post(packager, "/power", {"cut": None})["power_cut"] is None
        assert post(packager, "/power", {"on": True})["power"] == "on"
        answer = host.hello()
        assert (host.boot, answer[11]) == (2, 2)


def test_whoever_has_hands_in_the_machine_when_the_power_goes_is_told(tmp_path: Path) -> None:
    look = {"colour": "#ffffff", "shape": "round", "size_mm": 8}
    body = {"cassette": 1234, "item": "A", "lot": "L1", "count": 5, "look": look}
    with Packager(tmp_path, "--speed", "max") as packager:
        for torn, there in ((None, True), (10, False)):
            post(packager, "/power", {"cut": "at-append", "k": 1, "torn": torn})
            slot = "1" if torn is None else "2"
            status, answer = packager.http("POST", f"/cassettes/{slot}", {**body, "cassette": int(slot)})
            assert (status, "power was lost" in answer["error"]) == (503, True)
            post(packager, "/power", {"on": True})
            assert (slot in state(packager)["cassettes"]) is there


def test_what_a_hand_took_out_of_a_bin_it_holds_whatever_becomes_of_the_power(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        assert host.run(1) == OK
        host.finish(1)
        until(lambda: state(packager)["output"] == 1)
        post(packager, "/power", {"cut": "at-append", "k": 1})
        (pouch,) = post(packager, "/output/take")
        assert pouch["job"] == job_id(1).hex()
        seen = state(packager)
        assert (seen["power"], seen["output"], seen["power_cut"]["k"]) == ("on", 0, 1)


@pytest.mark.parametrize("speed", ["max", "50"])
def test_while_time_stands_still_status_is_served_and_nothing_moves(tmp_path: Path, speed: str) -> None:
    with Packager(tmp_path, "--speed", speed, "--baud", "none") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        assert post(packager, "/time", {"frozen": True})["frozen"] is True
        assert host.run(1) == OK
        stood = state(packager)["time"]["simulated_s"]
        for _ in range(20):
            assert host.ask(0x01, b"\1")[0] == OK
            assert host.query(1)[0] == 1
        seen = state(packager)
        assert (seen["cassettes"]["5"]["tablets"], seen["time"]["simulated_s"], packager.truth()) == (100, stood, [])
        assert packager.http("POST", "/reset-stop") == (409, {"error": "time stands still"})
        post(packager, "/time", {"frozen": False})
        host.finish(1)


def test_time_is_scaled_while_it_runs(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "0.001", "--baud", "none") as packager, open_port(packager.link) as host:
        packager.load()
        host.hello()
        assert host.run(1) == OK
        assert host.query(1)[0] == 2
        assert post(packager, "/time", {"scale": 100})["scale"] == 100.0
        host.finish(1)


def test_bytes_are_paced_at_the_baud_asked_for_also_where_motions_take_no_time(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max", "--baud", "9600") as packager, open_port(packager.link) as host:
        host.hello()
        begun = time.monotonic()
        assert host.ask(0x06, bytes(225))[0] == OK
        assert time.monotonic() - begun >= 2 * 236 / 960


REFUSED = [
    ("/line", {"lost": 2}), ("/line", None), ("/line", {"odd": 1}), ("/unplug", {"seconds": -1}), ("/unplug", {"s": 1}),
    ("/power", None), ("/power", {}), ("/power", {"on": False}), ("/power", {"cut": "soon"}), ("/power", {"cut": "at-append"}),
    ("/power", {"cut": "at-append", "k": 0}), ("/power", {"cut": "at-append", "k": 1, "torn": -1}),
    ("/power", {"cut": "at-append", "k": 1, "dark_s": "x"}), ("/power", {"on": True, "cut": "now"}),
    ("/time", {}), ("/time", {"scale": 0}), ("/time", {"frozen": 1}), ("/time", {"scale": 1, "frozen": True})]


def test_mishaps_that_make_no_sense_are_refused_and_nothing_happens(tmp_path: Path) -> None:
    with Packager(tmp_path, "--speed", "max") as packager:
        before = state(packager)
        for path, body in REFUSED:
            status, answer = packager.http("POST", path, body)
            assert (status, bool(answer["error"])) == (400, True), (path, body)
        after = state(packager)
        assert {**after, "time": None} == {**before, "time": None}


def test_help_tells_every_option_and_every_route() -> None:
    told = subprocess.run([sys.executable, "-m", "simulators", "packager", "--help"], capture_output=True, text=True,
                          check=True, cwd=Path(__file__).parents[3]).stdout
    for word in ("--line", "--baud", "/line", "/unplug", "/plug", "/power", "/time", "/cassettes", "/reset-stop", "at-append"):
        assert word in told
