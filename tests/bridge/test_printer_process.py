"""A label printer behind the bridge, with real processes: broker, bridge as it is started, simulated printer on TCP and on a pty."""

import base64
import os
import select
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bridge.orders import run_command
from tests.bridge.plant import DEADLINE_S, DEVICE, HubClient, mosquitto, wait_until
from tests.bridge.printer_desk import TALL, TINY, PrintingHub, print_command, printer_bridge
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.printer.printer_plant import Plant, running_printer


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Plant]:
    with running_printer(tmp_path, "--speed", "max") as plant:
        yield plant


@pytest.fixture
def printing(broker_port: int) -> Iterator[PrintingHub]:
    with PrintingHub(broker_port) as hub:
        yield hub


def test_label_is_printed_once_and_told_until_it_is_acknowledged(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    printing.acknowledges = False
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        printing.send(print_command("a"))
        assert printing.outcome("a", times=2).kind == "printed"
        printing.acknowledge("a")
        printing.send(print_command("b"))
        printing.outcome("b", times=2)
        heard_of_a = len(printing.told("a"))
        printing.outcome("b", times=3)
        assert len(printing.told("a")) == heard_of_a
    labels = printer.take()
    assert [base64.b64decode(label["raster"]) for label in labels] == [TINY.bits, TINY.bits]
    assert len(printer.truth()) == 2


def test_same_command_again_prints_nothing_and_is_told_its_outcome_again(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        for _ in range(3):
            printing.send(print_command("a"))
        assert printing.outcome("a").kind == "printed"
        heard = len(printing.told("a"))
        printing.send(print_command("a", TALL))
        printing.outcome("a", times=heard + 1)
        bridge.kill()
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        heard = len(printing.told("a"))
        printing.send(print_command("a"))
        printing.outcome("a", times=heard + 1)
        printing.send(print_command("b"))
        printing.outcome("b")
    assert len(printer.truth()) == 2


def test_without_paper_it_is_refused_and_a_new_command_prints_it_later(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        printer.call("POST", "/paper", {"out": True})
        printing.send(print_command("a"))
        refused = printing.outcome("a")
        assert (refused.kind, refused.rc) == ("refused", "NOT_READY")
        assert "out-of-paper" in refused.reason
        printing.wait_for_status(state="out-of-paper", link="up")
        printer.call("POST", "/paper", {"out": False})
        printing.send(print_command("a-again"))
        assert printing.outcome("a-again").kind == "printed"
        printing.wait_for_status(state="ready", reason="none")
    assert len(printer.truth()) == 1


def test_bridge_killed_in_the_middle_of_a_label_leaves_it_in_doubt_and_prints_nothing_more(
    tmp_path: Path, broker_port: int, printing: PrintingHub
) -> None:
    with running_printer(tmp_path, "--speed", "0.3") as printer:
        with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
            bridge.wait_ready()
            printing.send(print_command("a", TALL))
            wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
            bridge.kill()
        with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
            bridge.wait_ready()
            doubt = printing.outcome("a")
            assert (doubt.kind, doubt.rc) == ("in-doubt", "INTERRUPTED")
            printing.wait_for_status(reason="in-doubt")
            printing.send(print_command("a", TALL))
            printing.send(print_command("b"))
            assert printing.outcome("b").kind == "printed"
            printing.wait_for_status(reason="none")
        tall = [label for label in printer.take() if label["height"] == TALL.height]
        assert len(tall) <= 1
        assert len(printer.truth()) == 1 + len(tall)


def test_expired_and_fenced_and_unsound_commands_are_refused_with_a_reason(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        printing.send(print_command("late", seconds=-1))
        assert printing.outcome("late").rc == "EXPIRED"
        printing.send(print_command("newer", fence=7))
        assert printing.outcome("newer").kind == "printed"
        printing.send(print_command("older", fence=6))
        assert printing.outcome("older").rc == "FENCED"
        printing.send(b'{"command": "odd"}')
        assert (printing.outcome("odd").kind, printing.outcome("odd").rc) == ("refused", "INVALID")
        printing.send(b"no JSON at all")
        counted = {"printed": 1, "refused": 3, "in_doubt": 0, "denied": 0, "unreadable": 1, "not_taken": 0}
        printing.wait_for_status(counters=counted)
    assert len(printer.truth()) == 1


def test_no_print_is_begun_while_the_hub_is_lost(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        printing.say("lost")
        printing.send(print_command("a"))
        printing.wait_for_status(queued=1)
        printing.send(print_command("late", seconds=-1))
        printing.wait_for_status(queued=2)
        assert printer.take() == []
        printing.say("ready")
        assert printing.outcome("a").kind == "printed"
        assert printing.outcome("late").rc == "EXPIRED"


def test_broker_away_holds_the_outcome_until_it_is_back(tmp_path: Path, printer: Plant) -> None:
    with (
        mosquitto(tmp_path) as port,
        PrintingHub(port, acknowledges=False) as printing,
        printer_bridge(tmp_path, port, printer.url) as bridge,
    ):
        bridge.wait_ready()
        printing.send(print_command("a"))
        printing.outcome("a")
        bridge.kill()
    with mosquitto(tmp_path, port), PrintingHub(port) as printing, printer_bridge(tmp_path, port, printer.url):
        assert printing.outcome("a").kind == "printed"
    assert len(printer.truth()) == 1


def test_birth_description_and_death_of_a_printer(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub
) -> None:
    with printer_bridge(tmp_path, broker_port, printer.url) as bridge:
        bridge.wait_ready()
        wait_until(lambda: printing.states[-1:] == ["ready"], "the birth")
        born = printing.retained["$state"]["session"]
        assert printing.retained["$description"]["protocol"] == "ESC/POS"
        bridge.kill()
        wait_until(lambda: printing.states[-1] == "lost", "the last will")
        assert printing.retained["$state"]["session"] == born


def test_silent_printer_is_unknown_and_a_print_is_refused_there(
    tmp_path: Path, broker_port: int, printing: PrintingHub
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with printer_bridge(tmp_path, broker_port, f"tcp://127.0.0.1:{port}"):
        printing.wait_for_status(state="unknown", link="down")
        printing.send(print_command("a"))
        assert printing.outcome("a").rc == "UNREACHABLE"
        assert printing.states[-1] == "init"


@contextmanager
def serial_cable(printer: Plant) -> Iterator[str]:
    """Join a pty to the printer's port: a serial printer at the path that is yielded."""
    master, slave = os.openpty()
    tty.setraw(slave)
    place = urlsplit(printer.url)
    with socket.create_connection((place.hostname, place.port)) as line:
        thread = threading.Thread(target=_carry, args=(master, line))
        thread.start()
        try:
            yield os.ttyname(slave)
        finally:
            line.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)
            os.close(slave)
            os.close(master)


def _carry(master: int, line: socket.socket) -> None:
    while True:
        readable, _, _ = select.select([master, line], [], [])
        if master in readable:
            line.sendall(os.read(master, 4096))
        if line in readable:
            answer = line.recv(4096)
            if not answer:
                return
            os.write(master, answer)


def test_printer_on_a_serial_line(tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub) -> None:
    with serial_cable(printer) as path, printer_bridge(tmp_path, broker_port, path) as bridge:
        bridge.wait_ready()
        printing.send(print_command("a", TALL))
        assert printing.outcome("a").kind == "printed"
    assert [base64.b64decode(label["raster"]) for label in printer.take()] == [TALL.bits]


def test_machine_and_printer_share_a_bridge_and_its_spool(
    tmp_path: Path, broker_port: int, printer: Plant, printing: PrintingHub, hub: HubClient
) -> None:
    with MachineOnPty(ScriptedMachine()) as machine:
        device = f'[[device]]\nid = "{DEVICE}"\nurl = "{machine.path}"\n'
        with printer_bridge(tmp_path, broker_port, printer.url, device) as bridge:
            bridge.wait_ready()
            hub.send(run_command(1))
            printing.send(print_command("a"))
            hub.wait_for("done")
            assert printing.outcome("a").kind == "printed"
