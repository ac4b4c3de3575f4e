"""MLLP over TLS: the server shows its certificate, and wants one of its senders where it is set up to."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hl7_messages import adt

from hub.adapters.feeds.framing import framed
from hub.adapters.feeds.mllp import mllp_settings, start_mllp
from hub.domain.feeds import FeedSettings
from hub.domain.orders import SourceSettings
from tests.services.small_world import World

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: no certificates can be made")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, stocked=False)
    world.house.sources["his"] = SourceSettings("his", False, False, 3, False, ())  # type: ignore[index]
    yield world
    world.close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate of its own signing for 127.0.0.1; returns it and its key."""
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([str(OPENSSL), "req", "-x509", *curve, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


def answered(port: int, context: ssl.SSLContext) -> bytes:
    """Send one message and return what came back; empty where the server hung up."""
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname="127.0.0.1") as connection:
        connection.sendall(framed(adt("A01").encode()))
        return connection.recv(65536)


def is_refused(port: int, context: ssl.SSLContext) -> bool:
    """Tell whether the server hangs up on a sender."""
    try:
        return not answered(port, context)
    except (ssl.SSLError, ConnectionResetError):
        return True


def test_only_a_known_sender_is_answered(world: World, tmp_path: Path) -> None:
    hub, sender = certificate(tmp_path, "hub"), certificate(tmp_path, "sender")
    feed = FeedSettings("his", mllp_certificate=str(hub[0]), mllp_key=str(hub[1]), mllp_client_authorities=str(sender[0]))
    server = start_mllp(world.writer, world.house, "his", "127.0.0.1", 0, mllp_settings(feed))
    stranger = ssl.create_default_context(cafile=str(hub[0]))
    known = ssl.create_default_context(cafile=str(hub[0]))
    known.load_cert_chain(*sender)
    assert is_refused(server.port, stranger)
    assert world.all("patients", id="P1") == []
    assert b"MSA|AA|D1" in answered(server.port, known)
    server.stop()
