"""A bridge whose rights at the broker are wrong says so: counted, in words, and told to the machine's loop."""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge.broker import DENIALS_LIMIT, Broker, Denials, Handlers, parse_address
from firmware_bridge.contract import EventAck, StatusReport, encode
from tests.bridge.orders import status_command
from tests.bridge.plant import DEADLINE_S
from tests.mqtt.secure_broker import Client, SecureBroker, rights, secure_broker

DEVICE = "packager-1"
STATUS = encode(
    StatusReport(state="idle", reason="none", job=None, cassettes=(), counters={}, link="up", queued=0),
)


class Told:
    """What the connection told the machine's loop, in the order in which it came."""

    def __init__(self) -> None:
        self.denied: queue.Queue[bool] = queue.Queue()
        self.commands: queue.Queue[bytes] = queue.Queue()
        self.acks: queue.Queue[bytes] = queue.Queue()
        self.services: queue.Queue[bytes] = queue.Queue()
        self.connection: queue.Queue[bool] = queue.Queue()
        self.handlers = Handlers(
            {"job/cmd": self.commands.put, "job/ack": self.acks.put, "svc/cmd": self.services.put},
            connection_changed=lambda: self.connection.put(True),
            hub_changed=lambda: None,
            denied=lambda: self.denied.put(True),
        )


@contextmanager
def connection(url: str, told: Told) -> Iterator[Broker]:
    broker = Broker(parse_address(url), "mercy", DEVICE, told.handlers)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def connected(broker: SecureBroker, told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Connect as the bridge does, trusting the house's authority as the shipped unit says."""
    monkeypatch.setenv("SSL_CERT_FILE", str(broker.authority))
    with connection(broker.url(f"mercy.{DEVICE}"), told) as running:
        told.connection.get(timeout=DEADLINE_S)
        assert running.is_connected
        yield running


def without(right: str) -> str:
    line = f"topic {right.replace(' ', f' dosehub/v1/mercy/{DEVICE}/')}\n"
    assert rights().count(line) == 1
    return rights().replace(line, "")


def test_with_the_shipped_rights_nothing_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    with (
        secure_broker(tmp_path) as broker,
        connected(broker, told, monkeypatch) as bridge,
        Client(broker.port, broker.authority, "mercy.hub") as hub,
    ):
        command = encode(status_command(1))
        assert hub.publish(f"dosehub/v1/mercy/{DEVICE}/job/cmd", command)
        assert told.commands.get(timeout=DEADLINE_S) == command
        bridge.publish_state("ready")
        for leaf in ("$description", "status", "job/evt"):
            sent = bridge.publish(leaf, STATUS)
            assert sent is not None
            sent.wait_for_publish(DEADLINE_S)
        assert bridge.denials == Denials()


def test_message_that_may_not_be_sent_is_counted_with_its_topic_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    with (
        secure_broker(tmp_path, without("write job/evt")) as broker,
        connected(broker, told, monkeypatch) as bridge,
    ):
        for number in (1, 2):
            bridge.publish("job/evt", b"{}")
            assert told.denied.get(timeout=DEADLINE_S)
            assert bridge.denials.count == number
        assert bridge.denials.last in {
            "the broker refuses job/evt: Not authorized",
            "the broker refuses a message: Not authorized",
        }
        assert bridge.is_connected


def test_user_without_a_password_here_is_told_as_a_refused_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    with secure_broker(tmp_path) as broker:
        monkeypatch.setenv("SSL_CERT_FILE", str(broker.authority))
        with connection(broker.url("mercy.stranger"), told) as bridge:
            assert told.denied.get(timeout=DEADLINE_S)
            assert bridge.denials.last == "the broker refuses the connection: Not authorized"
            assert not bridge.is_connected


def test_mosquitto_grants_what_it_never_serves_so_the_bridge_cannot_know_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holds the limit that docs/deployment.md names: when a broker begins to tell, this test says so."""
    told = Told()
    ack = encode(EventAck(source="bridge", boot=0, event=1))
    with (
        secure_broker(tmp_path, without("read job/cmd")) as broker,
        connected(broker, told, monkeypatch) as bridge,
        Client(broker.port, broker.authority, "mercy.hub") as hub,
    ):
        assert hub.publish(f"dosehub/v1/mercy/{DEVICE}/job/cmd", encode(status_command(1)))
        assert hub.publish(f"dosehub/v1/mercy/{DEVICE}/job/ack", ack)
        assert told.acks.get(timeout=DEADLINE_S) == ack
        assert told.commands.empty()
        assert bridge.denials == Denials()


def refuse_job_cmd(listener: socket.socket) -> None:
    """Be a broker for one connection: accept it, grant `job/ack` and the hub's state, refuse `job/cmd` (0x87)."""
    peer, _ = listener.accept()
    with peer:
        assert peer.recv(4096)[0] == 0x10
        peer.sendall(bytes.fromhex("20 03 00 00 00"))
        subscribe = peer.recv(4096)
        assert subscribe[0] == 0x82
        packet_id = subscribe[3:5] if subscribe[1] & 0x80 else subscribe[2:4]
        peer.sendall(b"\x90\x06" + packet_id + bytes.fromhex("00 87 01 01"))
        while peer.recv(4096):
            pass


def test_refused_subscription_is_told_with_its_topic() -> None:
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = threading.Thread(target=refuse_job_cmd, args=(listener,))
        peer.start()
        with connection(f"mqtt://127.0.0.1:{listener.getsockname()[1]}", told) as bridge:
            assert told.denied.get(timeout=DEADLINE_S)
            assert bridge.denials == Denials(1, "the broker refuses to serve job/cmd: Not authorized")
        peer.join(DEADLINE_S)


def test_count_of_denials_stays_in_its_bounds() -> None:
    assert Denials(DENIALS_LIMIT - 1).and_also("a").and_also("b") == Denials(DENIALS_LIMIT, "b")
