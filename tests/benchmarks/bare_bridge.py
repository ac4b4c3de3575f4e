"""The limit program of the bridge: a command off the broker goes to the port as so many bytes, and as many back become an event.

It reads nothing and keeps nothing; with `--spool` it commits one row with `synchronous=FULL` before the bytes leave and one before
the event is published, which is the least that a bridge must do that loses nothing.
"""

import argparse
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import serial
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pysqlite3 import dbapi2 as sqlite


class Rows:
    """One table of one column; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._connection = None
        if path is not None:
            self._connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("CREATE TABLE messages (message BLOB NOT NULL)")

    def keep(self, message: bytes) -> None:
        """Commit one row."""
        if self._connection is not None:
            with self._lock:
                self._connection.execute("INSERT INTO messages VALUES (?)", (message,))


def without_delay(_client: mqtt.Client, _userdata: Any, connection: Any) -> None:
    """Send small messages at once, as hub and bridge do."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def carry(told: argparse.Namespace) -> None:
    """Carry until the process is ended."""
    rows = Rows(told.spool)
    port = serial.serial_for_url(told.url, baudrate=115_200, timeout=None, exclusive=True)
    question, event = b"x" * told.asked, b"e" * told.event_bytes
    ready = threading.Event()

    def came(client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        rows.keep(bytes(message.payload))
        port.write(question)
        client.ack(message.mid, message.qos)

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=told.topic.replace("/", "-"), protocol=mqtt.MQTTv5, manual_ack=True)
    client.on_socket_open = without_delay
    client.on_connect = lambda c, *_: c.subscribe(f"{told.topic}/job/cmd", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = came
    client.connect("127.0.0.1", told.broker)
    client.loop_start()
    ready.wait()
    sys.stdout.write(json.dumps({"ready": True}) + "\n")
    sys.stdout.flush()
    while True:
        held = len(port.read(1))
        while held < told.answer:
            held += len(port.read(max(1, port.in_waiting)))
        rows.keep(event)
        client.publish(f"{told.topic}/job/evt", event, qos=1)


def main() -> None:
    """Read the arguments and carry."""
    parser = argparse.ArgumentParser()
    for name in ("broker", "asked", "answer", "event-bytes"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--spool", type=Path)
    carry(parser.parse_args())


if __name__ == "__main__":
    main()
