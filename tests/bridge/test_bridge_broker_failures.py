"""A message that could not be taken, because the disk was full for a while, comes again and is taken."""

import queue
from pathlib import Path

import pytest
from paho.mqtt import publish

from firmware_bridge.broker import Broker, Handlers, parse_address
from firmware_bridge.contract import topic
from tests.bridge.plant import DEVICE, SITE, mosquitto, wait_until

COMMANDS = 60
"""More than a broker sends without an acknowledgement."""


class FullDisk:
    """Takes nothing until there is room."""

    def __init__(self) -> None:
        self.has_room = False
        self.refused = 0
        self.taken: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def take(self, message: bytes) -> None:
        if not self.has_room:
            self.refused += 1
            raise OSError("no space left on device")
        self.taken.put(message)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_full_disk_refused_is_taken_once_there_is_room(tmp_path: Path) -> None:
    disk = FullDisk()
    with mosquitto(tmp_path) as port:
        broker = Broker(parse_address(f"mqtt://127.0.0.1:{port}"), SITE, DEVICE, Handlers({"job/cmd": disk.take}, lambda: None, lambda: None))
        broker.start()
        wait_until(lambda: broker.is_connected, "the connection")
        sent = [(topic(SITE, DEVICE, "job/cmd"), str(number), 1, False) for number in range(COMMANDS)]
        publish.multiple(sent, port=port)
        wait_until(lambda: disk.refused >= 2, "refusals on two connections")
        disk.has_room = True
        wait_until(lambda: disk.taken.qsize() >= COMMANDS, "every command")
        broker.stop()
    assert {int(disk.taken.get()) for _ in range(disk.taken.qsize())} == set(range(COMMANDS))
