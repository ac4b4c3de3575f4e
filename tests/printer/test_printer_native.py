"""The printer that speaks MQTT itself, as a process at a real broker: the contract of docs/mqtt.md without a bridge."""

import base64
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge.contract import ContractError, encode
from firmware_bridge.print_contract import decode_print_command
from simulators.printer.mechanism import Mechanism
from simulators.printer.native.connection import read_place
from simulators.printer.native.desk import PrintDesk
from simulators.printer.native.memory import Memory, Order, Taken
from simulators.printer.paper import Paper
from simulators.truth import Truth
from tests.bridge.plant import SITE, mosquitto, wait_until
from tests.bridge.printer_desk import PRINTER, TALL, TINY, PrintingHub, print_command
from tests.printer.printer_plant import Plant, running_printer


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def printing(port: int) -> Iterator[PrintingHub]:
    with PrintingHub(port) as hub:
        yield hub


@contextmanager
def native(folder: Path, port: int, printing: PrintingHub, *options: str) -> Iterator[Plant]:
    """Run the printer until the block ends, which begins once the hub has heard of it."""
    address = f"mqtt://127.0.0.1:{port}"
    options = options or ("--speed", "max")
    births = printing.states.count("ready")
    with running_printer(folder, "--mqtt", address, "--site", SITE, "--device", PRINTER, *options) as printer:
        wait_until(lambda: printing.states.count("ready") > births, "the birth of the printer")
        yield printer


def test_label_is_printed_once_however_often_its_command_comes(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    with native(tmp_path, port, printing) as printer:
        printing.send(print_command("a"))
        assert printing.outcome("a").kind == "printed"
        printing.send(print_command("a", TALL))
        printing.outcome("a", times=2)
        labels = printer.take()
        assert [base64.b64decode(label["raster"]) for label in labels] == [TINY.bits]
        assert len(printer.truth()) == 1
        printing.wait_for_status(state="ready", reason="none", queued=0)
        assert printing.retained["$description"]["capabilities"] == ["print"]
        assert printing.states[-1] == "ready"
    wait_until(lambda: printing.states[-1] == "lost", "the farewell")


def test_outcome_is_told_until_it_is_acknowledged(tmp_path: Path, port: int, printing: PrintingHub) -> None:
    printing.acknowledges = False
    with native(tmp_path, port, printing):
        printing.send(print_command("a"))
        printing.outcome("a", times=2)
        printing.acknowledge("a")
        printing.send(print_command("b"))
        printing.outcome("b")
        heard = len(printing.told("a"))
        printing.outcome("b", times=3)
        assert len(printing.told("a")) == heard


def test_paper_out_and_cover_open_are_told_and_refused(tmp_path: Path, port: int, printing: PrintingHub) -> None:
    with native(tmp_path, port, printing) as printer:
        for name, path, member, state in (
            ("a", "/paper", "out", "out-of-paper"),
            ("b", "/cover", "open", "cover-open"),
        ):
            printer.call("POST", path, {member: True})
            printing.send(print_command(name))
            refused = printing.outcome(name)
            assert (refused.kind, refused.rc) == ("refused", "NOT_READY") and state in refused.reason
            printing.wait_for_status(state=state)
            printer.call("POST", path, {member: False})
        printing.send(print_command("a-again"))
        assert printing.outcome("a-again").kind == "printed"
        assert len(printer.truth()) == 1


def test_paper_that_ends_in_the_middle_is_in_doubt_and_nothing_comes_later(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    with native(tmp_path, port, printing, "--speed", "0.3") as printer:
        printing.send(print_command("a", TALL))
        wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
        printer.call("POST", "/paper", {"out": True})
        doubt = printing.outcome("a")
        assert (doubt.kind, doubt.rc) == ("in-doubt", "NOT_CONFIRMED")
        printing.wait_for_status(reason="in-doubt")
        printer.call("POST", "/paper", {"out": False})
        printing.send(print_command("b"))
        assert printing.outcome("b").kind == "printed"
        assert [label["height"] for label in printer.take()] == [TINY.height]


def test_power_lost_in_the_middle_of_a_label_leaves_it_in_doubt(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    with native(tmp_path, port, printing, "--speed", "0.01") as printer:
        printing.send(print_command("a", TALL))
        wait_until(lambda: printer.state()["rows"] > 0, "the first dots")
        printer.kill()
        wait_until(lambda: printing.states[-1] == "lost", "the last will")
    with native(tmp_path, port, printing) as printer:
        doubt = printing.outcome("a")
        assert (doubt.kind, doubt.rc) == ("in-doubt", "INTERRUPTED")
        printing.wait_for_status(reason="in-doubt")
        heard = len(printing.told("a"))
        printing.send(print_command("a", TALL))
        printing.outcome("a", times=heard + 1)
        printing.send(print_command("b"))
        assert printing.outcome("b").kind == "printed"
        assert [label["height"] for label in printer.take()] == [TINY.height]


def test_lost_answer_is_in_doubt_while_the_label_lies_in_the_tray(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    seed = next(seed for seed in range(10_000) if _second_draw(seed) < 0.01)
    with native(tmp_path, port, printing, "--speed", "max", "--faults", "mild", "--seed", str(seed)) as printer:
        printing.send(print_command("a"))
        assert printing.outcome("a").kind == "in-doubt"
        assert len(printer.take()) == 1


def _second_draw(seed: int) -> float:
    chance = random.Random(f"{seed}/1")
    return [chance.random(), chance.random()][1]


def test_expired_and_fenced_and_unsound_commands_are_refused_with_a_reason(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    with native(tmp_path, port, printing) as printer:
        printing.send(print_command("late", seconds=-1))
        assert printing.outcome("late").rc == "EXPIRED"
        printing.send(print_command("newer", fence=7))
        assert printing.outcome("newer").kind == "printed"
        printing.send(print_command("older", fence=6))
        assert printing.outcome("older").rc == "FENCED"
        for name, wrong in UNSOUND.items():
            printing.send(json.dumps(json.loads(encode(print_command(name))) | wrong).encode())
            assert (printing.outcome(name).kind, printing.outcome(name).rc) == ("refused", "INVALID")
        printing.send(b"no JSON at all")
        wait_until(lambda: (printing.status("counters") or {}).get("unreadable") == 1, "the count of the unreadable")
        assert len(printer.truth()) == 1


def test_half_a_surrogate_is_refused_and_the_printer_goes_on(
    tmp_path: Path, port: int, printing: PrintingHub
) -> None:
    poison = json.loads(encode(print_command("x"))) | {"command": "a\ud800"}
    too_early = json.loads(encode(print_command("early"))) | {"expires_at": "0001-01-01T00:00:00+14:00"}
    with native(tmp_path, port, printing) as printer:
        printing.send(json.dumps(poison).encode())
        assert printing.outcome("a?").rc == "INVALID"
        printing.send(json.dumps(too_early).encode())
        assert printing.outcome("early").kind == "refused"
        printing.send(print_command("good"))
        assert printing.outcome("good").kind == "printed"
    with native(tmp_path, port, printing) as printer:
        printing.send(print_command("better"))
        assert printing.outcome("better").kind == "printed"
        assert len(printer.truth()) == 2


def test_what_is_refused_or_has_no_room_is_counted_and_a_doubt_is_remembered_over_a_start(tmp_path: Path) -> None:
    mechanism = Mechanism(Paper(tmp_path), Truth(None), speed=None, seed=1, faults="none")
    memory = Memory(tmp_path / "prints.sqlite")
    desk = PrintDesk(read_place("mqtt://127.0.0.1:1", SITE, PRINTER), memory, mechanism)
    for number in range(201):
        desk._heard("print/cmd", json.dumps({"command": f"c{number}"}).encode())
    assert (desk._counters["refused"], desk._counters["not_taken"]) == (200, 1)
    memory.acknowledged("c0")
    order = Order("d", b"J?1!", b"", 0.0)
    assert memory.take(order) is Taken.NEW
    memory.end(order, {"command": "d", "kind": "in-doubt"})
    assert memory.last_attempt() == "in-doubt"
    memory.close()


UNSOUND: dict[str, dict[str, object]] = {
    "no-fence": {"fence": -1},
    "short-id": {"process_id": "abc"},
    "other-id": {"process_id": "abcd"},
    "no-data": {"data": ""},
    "much-data": {"data": base64.b64encode(bytes(131_073)).decode()},
    "no-zone": {"expires_at": "2026-11-22T08:30:00"},
}


@pytest.mark.parametrize(("name", "wrong"), UNSOUND.items())
def test_bridge_finds_the_same_commands_unsound(name: str, wrong: dict[str, object]) -> None:
    message = json.dumps(json.loads(encode(print_command(name))) | wrong).encode()
    with pytest.raises(ContractError):
        decode_print_command(message)


def test_nothing_is_begun_while_the_hub_is_lost(tmp_path: Path, port: int, printing: PrintingHub) -> None:
    with native(tmp_path, port, printing) as printer:
        printing.say("lost")
        printing.send(print_command("a"))
        printing.wait_for_status(queued=1)
        assert printer.take() == []
        printing.say("ready")
        assert printing.outcome("a").kind == "printed"
