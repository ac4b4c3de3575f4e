"""A sender that speaks MLLP over a real socket, well or badly."""

import socket
from collections.abc import Iterable

from hub.adapters.feeds.framing import Framing, framed
from hub.adapters.intake.hl7.er7 import Message, parse

WAIT_S = 20


class Sender:
    """One connection; `answers` waits for so many acknowledgements."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_S)
        self._framing = Framing()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *messages: str) -> None:
        """Send messages, each in a block of its own."""
        self.socket.sendall(b"".join(framed(message.encode()) for message in messages))

    def send_bytes(self, parts: Iterable[bytes]) -> None:
        """Send bytes as they are cut."""
        for part in parts:
            self.socket.sendall(part)

    def raw_answers(self, count: int) -> list[bytes]:
        """Return the next acknowledgements as they came."""
        found: list[bytes] = []
        while len(found) < count:
            data = self.socket.recv(65536)
            assert data, f"the server closed after {len(found)} answers"
            found += [block.data for block in self._framing.feed(data)]
        assert len(found) == count
        return found

    def answers(self, count: int = 1) -> list[Message]:
        """Return the next acknowledgements."""
        return [parse(data.decode()) for data in self.raw_answers(count)]

    def ask(self, *messages: str) -> list[str]:
        """Send messages and return the codes of their answers."""
        self.send(*messages)
        return [answer.segments[1].value(1) for answer in self.answers(len(messages))]

    def is_closed(self) -> bool:
        """Wait for the end of the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
