"""The shipped broker configuration: each user can do his own work over TLS, and nothing else, on the real broker."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.mqtt.secure_broker import (
    DEVICES,
    ROLES,
    SITES,
    Client,
    SecureBroker,
    make_certificates,
    secure_broker,
    users,
)

TOLD_BY_DEVICE = ("$state", "$description", "status", "job/evt", "svc/evt", "self-test", "trace")
TOLD_BY_HUB = ("job/cmd", "job/ack")
TOLD_BY_SERVICE = ("svc/cmd",)
TOLD_TO_DEVICE = TOLD_BY_HUB + TOLD_BY_SERVICE
TOLD_TO_HUB = ("$state", "$description", "status", "job/evt")
TOLD_TO_SERVICE = TOLD_BY_DEVICE
DEVICE, HUB, ENGINEER, SERVICE = "mercy.packager-1", "mercy.hub", "mercy.engineer.ivanova", "mercy.service.ivanova"
MARKER = b"the last one"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with secure_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


def topics(site: str, device: str, leaves: tuple[str, ...]) -> set[str]:
    return {f"dosehub/v1/{site}/{device}/{leaf}" for leaf in leaves}


def of_all_devices(site: str, leaves: tuple[str, ...]) -> set[str]:
    return {topic for device in DEVICES for topic in topics(site, device, leaves)}


HUB_STATES = {f"dosehub/v1/{site}/hub/$state" for site in SITES}
EVERYTHING = HUB_STATES | {topic for site in SITES for topic in of_all_devices(site, TOLD_BY_DEVICE + TOLD_TO_DEVICE)}
ELSEWHERE = {"dosehub/v1/mercy", "dosehub/v2/mercy/packager-1/status", "other", "$SYS/broker/version"}
MAY_WRITE = {
    DEVICE: topics("mercy", "packager-1", TOLD_BY_DEVICE),
    HUB: {"dosehub/v1/mercy/hub/$state"} | of_all_devices("mercy", TOLD_BY_HUB),
    ENGINEER: set(),
    SERVICE: of_all_devices("mercy", TOLD_BY_SERVICE),
}
MAY_READ = {
    DEVICE: {"dosehub/v1/mercy/hub/$state"} | topics("mercy", "packager-1", TOLD_TO_DEVICE),
    HUB: {"dosehub/v1/mercy/hub/$state"} | of_all_devices("mercy", TOLD_TO_HUB),
    ENGINEER: {topic for topic in EVERYTHING if topic.startswith("dosehub/v1/mercy/")},
    SERVICE: {"dosehub/v1/mercy/hub/$state"} | of_all_devices("mercy", TOLD_TO_SERVICE),
}


def speakers() -> list[str]:
    return [f"{site}.{name}" for site in SITES for name in (*DEVICES, "hub", "service.ivanova")]


def tell_everything(clients: dict[str, Client]) -> None:
    """Have every message sent by somebody who may: the devices and hubs of both sites, and who serves there."""
    sent: set[str] = set()
    for site in SITES:
        for device in DEVICES:
            own = topics(site, device, TOLD_BY_DEVICE)
            sent |= {topic for topic in own if clients[f"{site}.{device}"].publish(topic)}
        own = {f"dosehub/v1/{site}/hub/$state"} | of_all_devices(site, TOLD_BY_HUB)
        sent |= {topic for topic in own if clients[f"{site}.hub"].publish(topic)}
        sent |= {topic for topic in of_all_devices(site, TOLD_BY_SERVICE) if clients[f"{site}.service.ivanova"].publish(topic)}
    assert sent == EVERYTHING


@pytest.mark.parametrize("user", [DEVICE, HUB, ENGINEER, SERVICE])
def test_user_may_send_his_own_and_is_refused_everything_else(broker: SecureBroker, user: str) -> None:
    with Client(broker.port, broker.authority, user) as client:
        taken = {topic for topic in sorted(EVERYTHING | ELSEWHERE) if client.publish(topic)}
    assert taken == MAY_WRITE[user]


@pytest.mark.parametrize("user", [DEVICE, HUB, ENGINEER, SERVICE])
def test_user_hears_his_own_and_nothing_else_whatever_he_subscribes_to(broker: SecureBroker, user: str) -> None:
    marker = "dosehub/v1/mercy/hub/$state"
    with ExitStack() as open_clients:
        clients = {
            name: open_clients.enter_context(Client(broker.port, broker.authority, name))
            for name in {user, *speakers()}
        }
        clients[user].subscribe("#", "$SYS/#", "dosehub/v1/+/+/#", *sorted(EVERYTHING))
        tell_everything(clients)
        assert clients[HUB].publish(marker, MARKER)
        assert clients[user].heard_until(marker, MARKER) == MAY_READ[user]


def test_what_a_device_may_not_send_reaches_nobody(broker: SecureBroker) -> None:
    with (
        Client(broker.port, broker.authority, "mercy.engineer.ivanova") as engineer,
        Client(broker.port, broker.authority, "mercy.packager-2") as stranger,
    ):
        engineer.subscribe("dosehub/v1/mercy/#")
        for topic in sorted(topics("mercy", "packager-1", TOLD_BY_DEVICE + TOLD_TO_DEVICE)):
            assert not stranger.publish(topic)
        assert stranger.publish("dosehub/v1/mercy/packager-2/status", MARKER)
        assert engineer.heard_until("dosehub/v1/mercy/packager-2/status", MARKER) == set()


def test_last_will_on_the_state_of_another_device_reaches_nobody(broker: SecureBroker) -> None:
    with Client(broker.port, broker.authority, HUB) as hub:
        hub.subscribe("dosehub/v1/mercy/+/$state")
        for device in ("packager-1", "packager-2"):
            client = Client(broker.port, broker.authority, "mercy.packager-2", will=f"dosehub/v1/mercy/{device}/$state")
            assert client.connects() == "Success"  # the broker looks at the right when it sends the will
            client.vanish()
        assert hub.heard_until("dosehub/v1/mercy/packager-2/$state", b"the will") == set()


def test_nobody_takes_over_a_connection_by_its_client_id(broker: SecureBroker) -> None:
    with Client(broker.port, broker.authority, HUB, client_id="dosehub-mercy") as hub:
        with Client(broker.port, broker.authority, DEVICE, client_id="dosehub-mercy") as device:
            assert device.publish("dosehub/v1/mercy/packager-1/status")
        assert hub.publish("dosehub/v1/mercy/hub/$state")
        assert hub.ended.empty()


@pytest.mark.parametrize(("user", "password"), [(None, ""), (DEVICE, "guessed"), ("mercy.stranger", "by heart")])
def test_who_has_no_password_here_is_refused(broker: SecureBroker, user: str | None, password: str) -> None:
    client = Client(broker.port, broker.authority, user, password)
    assert client.connects() == "Not authorized"
    client.close()


def test_broker_is_not_trusted_under_another_authority(broker: SecureBroker, tmp_path: Path) -> None:
    make_certificates(tmp_path, "other")
    assert Client(broker.port, tmp_path / "other.crt", DEVICE).connects() is None


def test_each_user_has_rights_and_a_password_of_his_own() -> None:
    assert len(users()) == len(set(users())) == len(SITES) * (1 + len(DEVICES) + len(ROLES))
