"""A broker with the shipped configuration, rights, self-made certificates and passwords, on a port that the kernel chose."""

import os
import queue
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.bridge.plant import DEADLINE_S, MOSQUITTO, ended, free_port, wait_until

DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment"
MOSQUITTO_PASSWD = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
PASSWORD = "by heart"
SITES = ("mercy", "saint")
DEVICES = ("packager-1", "packager-2")
PEOPLE = ("ivanova",)
ROLES = ("engineer", "service")


def rights() -> str:
    """Return the ACL file of two sites, put together as docs/deployment.md says."""
    blocks = []
    for site in SITES:
        blocks.append(_filled("hub.acl", SITE=site))
        blocks += [_filled("device.acl", SITE=site, DEVICE=device) for device in DEVICES]
        blocks += [_filled(f"{role}.acl", SITE=site, NAME=person) for role in ROLES for person in PEOPLE]
    return "".join(blocks)


def users() -> list[str]:
    """Return the users whom `rights` names."""
    return [line.removeprefix("user ") for line in rights().splitlines() if line.startswith("user ")]


def _filled(name: str, **words: str) -> str:
    text = (DEPLOYMENT / name).read_text("utf-8")
    for word, filling in words.items():
        text = text.replace(word, filling)
    return text


def make_certificates(folder: Path, name: str = "ca") -> None:
    """Make an authority and the broker's certificate with the commands of docs/deployment.md."""
    ca = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    _openssl(
        folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=Dosehub broker CA", *ca
    )
    request = ["-keyout", "server.key", "-out", "server.csr", "-addext", "subjectAltName=IP:127.0.0.1"]
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker.example", *request)
    signing = ["-CA", f"{name}.crt", "-CAkey", f"{name}.key", "-CAcreateserial", "-copy_extensions", "copy"]
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-days", "825", *signing, "-out", "server.crt")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class SecureBroker:
    """A running broker: its port, and the authority that its clients are to trust."""

    port: int
    authority: Path

    def url(self, user: str) -> str:
        """Return the address with which a user's program is started."""
        return f"mqtts://{user}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}"


@contextmanager
def secure_broker(folder: Path, acl: str | None = None) -> Iterator[SecureBroker]:
    """Run the broker until the block ends, with the shipped rights or those given."""
    make_certificates(folder)
    for user in users():
        (folder / "passwords").touch(0o600)
        subprocess.run([MOSQUITTO_PASSWD, "-b", folder / "passwords", user, PASSWORD], check=True, capture_output=True)
    (folder / "acl").write_text(rights() if acl is None else acl, "utf-8")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(_placed(folder, port), "utf-8")
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=log)
    try:
        wait_until(lambda: _answers(port, folder / "ca.crt"), "the broker")
        yield SecureBroker(port, folder / "ca.crt")
    finally:
        ended(process)


def _placed(folder: Path, port: int) -> str:
    """Return the shipped configuration with its files in `folder`, on the loopback."""
    text = (DEPLOYMENT / "mosquitto.conf").read_text("utf-8")
    replaced: Mapping[str, str] = {
        "/etc/mosquitto/dosehub": str(folder),
        "/var/lib/mosquitto/": f"{folder}/",
        "listener 8883": f"listener {port} 127.0.0.1",
    }
    for shipped, here in replaced.items():
        assert shipped in text
        text = text.replace(shipped, here)
    # mosquitto gives root away to a user who may not read a test's folder.
    return "user root\n" + text if os.geteuid() == 0 else text


def _answers(port: int, authority: Path) -> bool:
    client = Client(port, authority, "nobody", "nothing")
    try:
        return client.connects() is not None
    finally:
        client.close()


class Client:
    """A user's program on the secure broker, by MQTT 5; every wait ends with an answer of the broker."""

    def __init__(
        self,
        port: int,
        authority: Path | None,
        user: str | None,
        password: str = PASSWORD,
        *,
        client_id: str = "",
        will: str | None = None,
    ) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.ended: queue.Queue[str] = queue.Queue()
        self._port = port
        self._answers: queue.Queue[Any] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        if user is not None:
            self._client.username_pw_set(user, password)
        if authority is not None:
            self._client.tls_set(str(authority), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        if will is not None:
            self._client.will_set(will, b"the will", qos=1)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._answers.put(reason)
        self._client.on_publish = lambda _c, _u, _m, reason, _p: self._answers.put(reason)
        self._client.on_subscribe = lambda _c, _u, _m, reasons, _p: self._answers.put(reasons)
        self._client.on_message = lambda _c, _u, message: self.heard.put((message.topic, message.payload))
        self._client.on_disconnect = lambda _c, _u, _f, reason, _p: self.ended.put(str(reason))

    def connects(self) -> str | None:
        """Connect; return the broker's answer, or None where nobody answered."""
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError:
            return None
        self._client.loop_start()
        return str(self._answers.get(timeout=DEADLINE_S))

    def publish(self, topic: str, payload: bytes = b"{}") -> bool:
        """Publish; return whether the broker took it."""
        self._client.publish(topic, payload, qos=1)
        return not self._answers.get(timeout=DEADLINE_S).is_failure

    def subscribe(self, *topics: str) -> list[bool]:
        """Subscribe; return which the broker granted (mosquitto grants what it will never serve)."""
        self._client.subscribe([(topic, mqtt.SubscribeOptions(qos=1)) for topic in topics])
        return [not reason.is_failure for reason in self._answers.get(timeout=DEADLINE_S)]

    def heard_until(self, topic: str, payload: bytes) -> set[str]:
        """Return the topics heard before a marker; what was sent before it and is missing will never come."""
        topics: set[str] = set()
        while (message := self.heard.get(timeout=DEADLINE_S)) != (topic, payload):
            topics.add(message[0])
        return topics

    def vanish(self) -> None:
        """Break off without a farewell, so that the broker sends the will."""
        connection = self._client.socket()
        assert connection is not None
        self._client.loop_stop()
        connection.close()

    def close(self) -> None:
        """Disconnect and end the network thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> "Client":
        assert self.connects() == "Success"
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
