"""The edges of the bridge one by one: serial ports, the inbox, broker addresses, the hub's deaths, resending, lateness."""

import os
import socket
import threading
import time
import tty
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.broker import BrokerAddress, HubWatch, parse_address
from firmware_bridge.contract import BridgeEvent, DeviceState, EventAck, decode_event, encode
from firmware_bridge.event_sender import RESEND_S, EventSender
from firmware_bridge.inbox import BYTES_LIMIT, Inbox, Sign
from firmware_bridge.intake import Intake
from firmware_bridge.packets import Op, Rc
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.spool import Spool
from firmware_bridge.surroundings import REOPEN_LONGEST_S, PortLost, reopen_wait_s
from firmware_bridge.work_queue import WorkQueue
from tests.bridge.orders import run_command
from tests.bridge.plant import wait_until

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DEVICE = "packager-1"
LONGER_THAN_A_TEST_MAY_LAST_S = 3600.0


class Ear:
    """Hears what a port tells."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: list[PortLost] = []

    def open(self, url: str) -> SerialPort:
        return SerialPort(url, 115_200, on_bytes=self.data.extend, on_lost=self.lost.append)


def test_port_on_a_pty_carries_bytes_both_ways_and_tells_its_loss_once() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    ear = Ear()
    port = ear.open(os.ttyname(slave))
    os.write(master, b"\x00to host\x00")
    wait_until(lambda: bytes(ear.data) == b"\x00to host\x00", "bytes from the machine")
    port.write(b"\x00to machine\x00")
    assert os.read(master, 100) == b"\x00to machine\x00"
    os.close(master)
    os.close(slave)
    wait_until(lambda: len(ear.lost) == 1, "the loss")
    with pytest.raises(PortLost):
        port.write(b"more")
    port.close()
    assert len(ear.lost) == 1


def test_port_behind_a_serial_server_works_by_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ear = Ear()
        port = ear.open(f"socket://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
        with connection:
            connection.sendall(bytes(range(256)) * 4)
            wait_until(lambda: len(ear.data) == 1024, "bytes from the machine")
            port.write(b"answer")
            assert connection.recv(100) == b"answer"
        wait_until(lambda: len(ear.lost) == 1, "the loss")
        port.close()


def test_machine_that_takes_no_bytes_is_a_lost_port_not_a_hang() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    port = Ear().open(os.ttyname(slave))
    with pytest.raises(PortLost):
        port.write(bytes(200_000))
    os.close(master)
    port.close()
    os.close(slave)


def test_port_that_is_not_there_is_a_lost_port(tmp_path: Path) -> None:
    for url in (str(tmp_path / "none"), "socket://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(PortLost):
            Ear().open(url)


def test_reopening_waits_longer_up_to_a_limit() -> None:
    waits = [reopen_wait_s(failures) for failures in range(40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.1, REOPEN_LONGEST_S)


def test_inbox_wakes_its_reader_and_stays_small() -> None:
    inbox = Inbox()
    threading.Timer(0.05, inbox.leave, [Sign.HUB]).start()
    assert inbox.take(LONGER_THAN_A_TEST_MAY_LAST_S) == (b"", {Sign.HUB})
    for _ in range(3):
        inbox.leave_bytes(bytes(30_000))
    data, signs = inbox.take(0.0)
    assert len(data) <= BYTES_LIMIT
    assert not signs


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://10.0.0.7", BrokerAddress("10.0.0.7", 1883, None, None, False)),
        ("mqtt://a%40b:s%3Aecret@broker:1999", BrokerAddress("broker", 1999, "a@b", "s:ecret", False)),
        ("mqtts://broker", BrokerAddress("broker", 8883, None, None, True)),
        ("mqtt://broker?version=3", BrokerAddress("broker", 1883, None, None, False, 3)),
    ],
)
def test_broker_url_is_read(url: str, address: BrokerAddress) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url", ["http://broker", "mqtt://", "broker:1883", "mqtt://broker:x", "mqtt://broker?version=4"]
)
def test_wrong_broker_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_address(url)


def test_death_of_the_hub_counts_for_its_own_session_only() -> None:
    hub = HubWatch()
    assert not hub.is_lost
    for state, session, is_lost in [
        ("lost", "a", True),
        ("ready", "b", False),
        ("lost", "a", False),
        ("lost", "b", True),
        ("ready", "c", False),
    ]:
        hub.heard(DeviceState(state=state, session=session, at=AT))  # type: ignore[arg-type]
        assert hub.is_lost == is_lost


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool.db")
    yield spool
    spool.close()


def event(number: int) -> BridgeEvent:
    return BridgeEvent(source="firmware", boot=3, event=number, kind="ready", job=None, slot=None, at=AT, data={})


def test_events_go_out_once_then_again_after_two_seconds_until_acknowledged(spool: Spool) -> None:
    sent: list[int] = []

    def publish(message: bytes) -> bool:
        sent.append(decode_event(message).event)
        return True

    sender = EventSender(spool, DEVICE, publish)
    spool.keep_events(DEVICE, "S", [event(1), event(2)])
    sender.send(100.0, again=True)
    sender.look_again()
    sender.send(100.5, again=True)
    assert sent == [1, 2]
    assert sender.due_in_s(100.5) == pytest.approx(RESEND_S - 0.5)
    spool.acknowledge(DEVICE, EventAck(source="firmware", boot=3, event=1))
    sender.send(102.1, again=True)
    assert sent == [1, 2, 2]
    sender.look_again()
    sender.send(110.0, again=False)
    assert sent == [1, 2, 2]
    assert sender.due_in_s(110.0) is None
    sender.start_over()
    sender.send(110.1, again=True)
    assert sent == [1, 2, 2, 2]


def test_events_that_cannot_leave_wait_for_the_connection_in_order(spool: Spool) -> None:
    asked = []

    def publish(message: bytes) -> bool:
        asked.append(decode_event(message).event)
        return False

    sender = EventSender(spool, DEVICE, publish)
    spool.keep_events(DEVICE, "S", [event(1), event(2)])
    sender.send(100.0, again=True)
    assert asked == [1]
    assert sender.due_in_s(100.0) is None


def queue_with(spool: Spool, *, seconds: float) -> WorkQueue:
    Intake(spool, DEVICE, Inbox()).command(encode(run_command(1, seconds=seconds)))
    queue = WorkQueue(spool, DEVICE, lambda: datetime.now(UTC))
    queue.reload()
    return queue


def refusals(spool: Spool) -> list[int | str]:
    return [decode_event(pending.message).data["rc"] for pending in spool.pending(DEVICE, 0, 10)]


def test_late_run_is_refused_even_without_a_machine(spool: Spool) -> None:
    queue = queue_with(spool, seconds=-1)
    queue.expire(time.time())
    assert refusals(spool) == ["EXPIRED"]
    assert queue.queued == 0


def test_late_run_that_the_machine_may_have_seen_is_queried_before_it_is_refused(spool: Spool) -> None:
    queue = queue_with(spool, seconds=-1)
    spool.mark_sent(spool.waiting(DEVICE)[0].id)
    again = WorkQueue(spool, DEVICE, lambda: datetime.now(UTC))
    again.reload()
    again.expire(time.time())
    assert refusals(spool) == []
    work = again.run_to_ask(1.0, time.time(), may_start=False)
    assert work is not None
    assert again.ask(work).op == Op.JOB_QUERY
    again.answered(work, Rc.UNKNOWN_JOB, bytes([Rc.UNKNOWN_JOB]), 1.0)
    assert again.run_to_ask(1.0, time.time(), may_start=True) is None
    assert refusals(spool) == ["EXPIRED"]
    assert queue.queued == 1


def test_run_is_marked_as_sent_before_its_bytes_leave(spool: Spool) -> None:
    queue = queue_with(spool, seconds=600)
    asked = []
    length = len(run_command(1).label.raster)
    answer = b"\0" + length.to_bytes(4, "little")
    while True:
        work = queue.run_to_ask(1.0, time.time(), may_start=True)
        assert work is not None
        asked.append(queue.ask(work).op)
        if asked[-1] == Op.JOB_RUN:
            break
        assert not spool.job_was_sent(DEVICE, run_command(1).job)
        queue.answered(work, Rc.OK, answer, 1.0)
    assert spool.job_was_sent(DEVICE, run_command(1).job)
    queue.forget_progress()
    work = queue.run_to_ask(1.0, time.time(), may_start=True)
    assert work is not None
    assert queue.ask(work).op == Op.JOB_QUERY
