"""An MLLP server: HL7 v2 messages come over TCP and are answered after their commit, in their order.

It runs in a thread of its own beside the web. Messages of one connection are read ahead, so that many share a commit; a sender
that does not take its answers, and a store that does not keep up, stop the reading.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from hub.adapters.clock import wall_clock
from hub.adapters.feeds.connection import Asked, Connection
from hub.adapters.feeds.framing import LARGEST_BLOCK
from hub.adapters.feeds.hl7_desk import MessageDesk, Told
from hub.adapters.intake.hl7.acknowledgements import Verdict, internal_problem
from hub.adapters.intake.hl7.header import broken_header
from hub.adapters.intake.hl7.problems import ErrorCode
from hub.adapters.intake.hl7.reading import MessageReader, ReadMessage
from hub.adapters.writer import CommitUnknown, Writer, WriterBusy, WriterClosed
from hub.domain.drugs import DrugDirectory
from hub.domain.feeds import FeedSettings
from hub.services.feeds import feed_failed
from hub.services.house import House

ACTOR = "system"
READ_AT_ONCE = 64 * 1024
TRIES = 3
_FAULT = internal_problem(
    "the message could not be taken in through an error of the hub itself: call who looks after it",
    "сообщение не принято из-за ошибки самой системы: позовите того, кто её обслуживает",
)
_BUSY = internal_problem("the store is busy: send the message again", "хранилище занято: отправьте сообщение ещё раз", ErrorCode.LOCKED)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MllpSettings:
    """How one source's messages are taken.

    `charset` is the codec of messages that say nothing in MSH-18, `processing` the ids of MSH-11 that count. `waiting` is how many
    messages of a connection may wait for their answers.
    """

    largest_message: int = LARGEST_BLOCK
    most_connections: int = 32
    idle_s: float = 3_600.0
    waiting: int = 512
    charset: str = ""
    processing: frozenset[str] = field(default_factory=lambda: frozenset({"P"}))
    certificate: Path | None = None
    key: Path | None = None
    client_authorities: Path | None = None


def mllp_settings(feed: FeedSettings) -> MllpSettings:
    """Return how the messages of a configured feed are taken."""
    certificate, key, authorities = (Path(name) if name else None for name in (feed.mllp_certificate, feed.mllp_key, feed.mllp_client_authorities))
    return MllpSettings(
        charset=feed.hl7_charset, processing=frozenset(feed.hl7_processing), certificate=certificate, key=key, client_authorities=authorities
    )


def start_mllp(
    writer: Writer, house: House, source: str, host: str, port: int, settings: MllpSettings | None = None
) -> "MllpServer":
    """Listen for the messages of a source; port 0 lets the kernel choose. Raises OSError where the port cannot be had."""
    server = MllpServer(writer, house, source, settings or MllpSettings())
    server.start(host, port)
    return server


class MllpServer:
    """Listens in a thread of its own from `start` to `stop`; `port` is where."""

    def __init__(self, writer: Writer, house: House, source: str, settings: MllpSettings) -> None:
        self.source = source
        self.port = 0
        self._writer = writer
        self._house = house
        self._settings = settings
        self._desk = MessageDesk(source, house)
        self._reader: MessageReader | None = None
        self._drugs_changed = True
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=f"mllp-{source}", daemon=True)
        self._ready: Future[int] = Future()
        self._address = ("", 0)

    def start(self, host: str, port: int) -> None:
        """Begin to listen; raises what keeps it from that."""
        self._address = (host, port)
        self._writer.on_commit.append(self._committed)
        self._thread.start()
        try:
            self.port = self._ready.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more messages; one that was not answered has to be sent again, and may have been kept."""
        if self.port and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop_listening)
        self._thread.join()
        if self._committed in self._writer.on_commit:
            self._writer.on_commit.remove(self._committed)

    def _stop_listening(self) -> None:
        if self._stopping is not None:
            self._stopping.set()

    def _committed(self, touched: frozenset[str]) -> None:
        self._desk.committed(touched)
        if "drugs" in touched:
            self._drugs_changed = True

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._listen())
            except Exception as error:  # noqa: BLE001 a thread's error is told to whoever started it, or to the log
                if self._ready.done():
                    _log.exception("the MLLP server of %s ended", self.source)
                else:
                    self._ready.set_exception(error)

    async def _listen(self) -> None:
        self._stopping = asyncio.Event()
        host, port = self._address
        server = await asyncio.start_server(self._connected, host, port, limit=READ_AT_ONCE, ssl=_tls(self._settings))
        self._ready.set_result(server.sockets[0].getsockname()[1])
        _log.info("HL7 v2 of %s is listened for on %s port %d", self.source, host, self._ready.result())
        async with server:
            await self._stopping.wait()
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self._settings.most_connections:
            _log.warning("%s has %d connections already: one more is closed", self.source, len(self._connections))
            out.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, out)
        except asyncio.CancelledError:
            _log.info("a connection of %s was ended with the server", self.source)
        finally:
            self._connections.discard(task)
            out.close()

    async def _serve(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        settings = self._settings
        try:
            await Connection(self, reader, out, settings.largest_message, settings.waiting, settings.idle_s).serve()
        except* (OSError, WriterBusy, WriterClosed) as errors:
            _log.info("a connection of %s ended: %r", self.source, errors.exceptions[0])

    async def read(self, data: bytes) -> ReadMessage:
        """Return a message's values, by the drugs as the newest commit left them."""
        if self._drugs_changed or self._reader is None:
            self._drugs_changed = False
            drugs = {drug.code: drug for drug in await self._writer.read(lambda unit: unit.drugs.where())}
            self._reader = self._reader_of(drugs)
        try:
            return self._reader.read(data, "", sent_at=wall_clock())
        except Exception:  # noqa: BLE001 a message that no reader foresaw is answered, and its connection goes on
            _log.exception("a message of %s could not be read", self.source)
            return ReadMessage(broken_header(data), problem=_FAULT)

    def _reader_of(self, drugs: DrugDirectory) -> MessageReader:
        zone, settings = self._house.zone_of(self.source), self._settings
        return MessageReader(f"MLLP {self.source}", self._house.sources[self.source], drugs, zone, settings.charset, settings.processing)

    async def decide(self, asked: Sequence[Asked]) -> list[Told]:
        """Return the answers to messages after their commit; where they cannot be decided together, each is decided alone."""
        try:
            return await self._writer.run(ACTOR, lambda unit: [self._desk.take(unit, message, digest) for message, digest in asked])
        except Exception as error:  # noqa: BLE001 whatever it was, one message must not keep the others out
            _log.info("%d messages of %s are decided one by one: %r", len(asked), self.source, error)
            return [await self._decide_alone(message, digest) for message, digest in asked]

    async def _decide_alone(self, message: ReadMessage, digest: str) -> Told:
        for _ in range(TRIES):
            try:
                return await self._writer.run(ACTOR, lambda unit: self._desk.take(unit, message, digest))
            except CommitUnknown:
                continue  # the same message again: its control id tells whether it was kept
            except (WriterBusy, WriterClosed):
                break
            except Exception:  # noqa: BLE001 one message that cannot be taken must not end the connection
                _log.exception("a message of %s could not be taken: %s %s", self.source, message.header.name, message.header.control_id)
                return Told(Verdict(_FAULT), wall_clock())
        return Told(Verdict(_BUSY), wall_clock())

    def tell_broken(self, english: str, russian: str) -> None:
        """Tell people here that what a sender sent did not come whole."""
        self._writer.submit(ACTOR, lambda unit: feed_failed(unit, self.source, english, russian))


def _tls(settings: MllpSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate, settings.key)
    if settings.client_authorities is not None:
        context.load_verify_locations(settings.client_authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
