"""What the broker keeps for a bridge that is away: commands of jobs, and no service command, for that would be done late."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_bridge.broker import Broker, Handlers, parse_address
from tests.bridge.engineer import Engineer, jog_command
from tests.bridge.orders import status_command
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, HubClient, mosquitto, wait_until

Heard = queue.Queue[tuple[str, bytes]]


@contextmanager
def connected(port: int, heard: Heard) -> Iterator[Broker]:
    handlers = Handlers(
        {"job/cmd": lambda message: heard.put(("job", message)), "svc/cmd": lambda message: heard.put(("service", message))},
        connection_changed=lambda: None,
        hub_changed=lambda: None,
    )
    broker = Broker(parse_address(f"mqtt://127.0.0.1:{port}"), SITE, DEVICE, handlers)
    broker.start()
    try:
        wait_until(lambda: broker.is_connected, "the connection")
        yield broker
    finally:
        broker.stop()


def kinds_until_job(heard: Heard) -> list[str]:
    kinds = []
    while kinds[-1:] != ["job"]:
        kinds.append(heard.get(timeout=DEADLINE_S)[0])
    return kinds


def test_service_command_for_a_bridge_that_is_away_is_never_brought_to_it(tmp_path: Path) -> None:
    heard: Heard = queue.Queue()
    with mosquitto(tmp_path) as port, Engineer(port) as engineer, HubClient(port) as hub:
        with connected(port, heard):
            engineer.send(jog_command(1))
            assert heard.get(timeout=DEADLINE_S)[0] == "service"
        engineer.send(jog_command(2))
        engineer.settle()
        hub.send(status_command(1))
        with connected(port, heard):
            assert kinds_until_job(heard) == ["job"]
            engineer.send(jog_command(3))
            assert heard.get(timeout=DEADLINE_S)[0] == "service"
