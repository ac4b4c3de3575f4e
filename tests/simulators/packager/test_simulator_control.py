"""The control server and the truth file that all simulators share."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulators.control import BODY_LIMIT_BYTES, ControlRefusal, ControlServer, Stream, parse_address
from simulators.truth import Truth


def echo(values: Mapping[str, str], body: Any) -> dict[str, Any]:
    return {"values": dict(values), "body": body}


def refuse(values: Mapping[str, str], body: Any) -> Any:
    raise ControlRefusal(409, "not now")


def stream(values: Mapping[str, str], body: Any) -> Stream:
    return Stream("text/plain", iter([b"one", b"two"]))


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    routes = {("POST", "/cassettes/{slot}"): echo, ("GET", "/refuse"): refuse, ("GET", "/stream"): stream}
    server = ControlServer("127.0.0.1:0", routes)
    with contextlib.closing(http.client.HTTPConnection(*server.start(), timeout=10)) as opened:
        yield opened
    server.stop()
    server.stop()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_routes_get_their_names_and_the_body_over_one_kept_connection(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "POST", "/cassettes/a%20b?x=1", '{"n": 1}') == (200, {"values": {"slot": "a b"}, "body": {"n": 1}})
    kept = connection.sock
    assert ask(connection, "POST", "/cassettes/7") == (200, {"values": {"slot": "7"}, "body": None})
    assert connection.sock is kept


def test_refusals_name_their_reason(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "GET", "/refuse") == (409, {"error": "not now"})
    assert ask(connection, "GET", "/cassettes/7")[0] == 405
    assert ask(connection, "GET", "/nowhere")[0] == 404
    assert ask(connection, "POST", "/cassettes/7/8")[0] == 404
    assert ask(connection, "POST", "/cassettes/7", "{")[0] == 400
    connection.putrequest("POST", "/cassettes/7")
    connection.putheader("Content-Length", str(BODY_LIMIT_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_a_stream_is_sent_part_by_part(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/stream")
    with connection.getresponse() as response:
        assert response.read() == b"onetwo"


def test_stop_hangs_up_on_idle_clients() -> None:
    server = ControlServer("127.0.0.1:0", {})
    with socket.create_connection(server.start(), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 404")
        server.stop()
        while client.recv(4096):
            pass


@pytest.mark.parametrize("wrong", ["", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_address(wrong)


def test_an_address_is_host_and_port() -> None:
    assert parse_address("127.0.0.1:0") == ("127.0.0.1", 0)


def test_truth_keeps_whole_lines_from_many_threads(tmp_path: Path) -> None:
    path = tmp_path / "truth.ndjson"
    with Truth(path) as truth:
        def tell(thread: int) -> None:
            for n in range(100):
                truth.write("fact", thread=thread, n=n, text="с" * thread)

        threads = [threading.Thread(target=tell, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        facts = [json.loads(line) for line in path.read_bytes().splitlines()]
    truth.write("too-late")
    assert len(facts) == 400
    assert [fact["n"] for fact in facts if fact["thread"] == 2] == list(range(100))
    assert facts[0]["what"] == "fact"
