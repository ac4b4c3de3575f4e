"""The MLLP server over real sockets and a real store: once, as a whole, in order, whatever the sender does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hl7_messages import PID, PV1, adt, at, message, msh, order, rde
from mllp_client import Sender

from hub.adapters.feeds.framing import framed
from hub.adapters.feeds.mllp import MllpServer, MllpSettings, start_mllp
from hub.domain.doses import DoseState
from hub.domain.orders import LineState, Outcome, SourceSettings
from tests.services.small_world import World

EVENING = "1||BID||||20260302060000"
RXE = "RXE||PLAIN^metformin|1||TAB"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, stocked=False)
    world.house = replace(world.house, sources={"his": SourceSettings("his", False, False, 3, False, ("intensive care",), 3)})
    world.at("06:35")
    yield world
    world.close()


@pytest.fixture
def server(world: World) -> Iterator[MllpServer]:
    server = start_mllp(world.writer, world.house, "his", "127.0.0.1", 0)
    yield server
    server.stop()


@pytest.fixture
def sender(server: MllpServer) -> Iterator[Sender]:
    with Sender(server.port) as sender:
        yield sender


def plain(number: str = "A1", control: str = "C1", **more: str) -> str:
    """Return an order for PLAIN twice a day."""
    return rde(*order(number, rxe=RXE, tq1=EVENING, **more), control=control)


def test_an_order_is_committed_before_its_answer(world: World, sender: Sender) -> None:
    assert sender.ask(plain()) == ["AA"]
    found = world.get("orders", "his:A1")
    assert (found.outcome, found.patient, len(world.all("doses", order="his:A1"))) == (Outcome.SCHEDULED, "P1", 2)
    assert world.get("stays", "P1").department == "CARD"


def test_the_same_message_again_gets_the_same_answer_and_does_nothing(world: World, sender: Sender) -> None:
    sender.send(plain())
    (first,) = sender.raw_answers(1)
    entries = len(world.ledger())
    world.at("06:40")
    entries = len(world.ledger())
    sender.send(plain())
    assert sender.raw_answers(1) == [first]
    assert len(world.ledger()) == entries


def test_a_control_id_with_another_content_is_an_error(world: World, sender: Sender) -> None:
    assert sender.ask(plain("A1"), plain("A2")) == ["AA", "AE"]
    assert world.get("orders", "his:A2") is None


def test_messages_without_a_control_id_are_known_by_their_content(world: World, sender: Sender) -> None:
    assert sender.ask(plain("A1", control=""), plain("A1", control=""), plain("A2", control="")) == ["AA", "AA", "AA"]
    assert len(world.ledger("changes-received")) == 2


def test_one_bad_order_keeps_the_whole_message_out(world: World, sender: Sender) -> None:
    sender.send(rde(*order("A1", rxe=RXE), "ORC|HD|UNKNOWN"))
    (answer,) = sender.answers()
    err = answer.first("ERR")
    assert (answer.segments[1].value(1), err and err.raw(2), err and err.value(3)) == ("AE", "ORC^2^2", "204")
    assert world.all("orders") == []
    assert world.all("patients", id="P1") == []
    assert world.all("incidents", kind="feed-refused")[0].text_ru


def test_what_is_not_for_us_is_rejected_and_alarms_nobody(world: World, sender: Sender) -> None:
    assert sender.ask(message(PID, kind="RDS^O13")) == ["AR"]
    assert world.all("incidents", kind="feed-refused") == []
    assert sender.ask(message(PID, kind="ADT^A40", control="C2"), rde(processing="T", control="C3")) == ["AR", "AR"]
    assert len(world.all("incidents", kind="feed-refused")) == 2


def test_hold_release_and_stop_need_no_content(world: World, sender: Sender) -> None:
    sender.ask(plain())
    told = []
    for control in ("HD", "RL", "DC"):
        assert sender.ask(rde(f"ORC|{control}|A1", control=control)) == ["AA"]
        told.append(world.get("orders", "his:A1").state)
    assert told == [LineState.ON_HOLD, LineState.ACTIVE, LineState.STOPPED]
    assert {dose.state for dose in world.all("doses", order="his:A1")} == {DoseState.CANCELLED}


def test_an_order_may_be_stopped_by_its_fillers_number(world: World, sender: Sender) -> None:
    sender.ask(plain("", orc="F7"))
    assert sender.ask(rde("ORC|DC|A1|F7", control="C2")) == ["AA"]
    assert world.get("orders", "his:filler:F7").state is LineState.STOPPED


def test_an_order_of_another_patient_is_not_touched(world: World, sender: Sender) -> None:
    sender.ask(plain())
    other = message(PID.replace("P1^", "P2^"), "ORC|DC|A1", control="C2")
    assert sender.ask(other) == ["AE"]
    assert world.get("orders", "his:A1").state is LineState.ACTIVE


def test_a_new_order_never_takes_the_place_of_another_drug(world: World, sender: Sender) -> None:
    assert sender.ask(plain(), rde(*order("A1", rxe=RXE.replace("PLAIN", "TWIN")), control="C2")) == ["AA", "AE"]
    assert world.get("orders", "his:A1").line.drug == "PLAIN"


def test_the_movements_of_a_patient(world: World, sender: Sender) -> None:
    sender.ask(adt("A01"), plain())
    moved = "PV1|1|I|SURG^7^1||||||||||||||||V7"
    assert sender.ask(adt("A02", PID, moved, control="D2"), adt("A08", PID, "PV1|1|I|SURG||||||||||||||||V7", control="D3")) == ["AA", "AA"]
    stay = world.get("stays", "P1")
    assert (stay.department, stay.room) == ("SURG", "7")
    assert sender.ask(adt("A03", PID, moved.replace("V7", "V6"), control="D4")) == ["AE"]
    assert sender.ask(adt("A03", PID, moved, control="D5")) == ["AA"]
    assert world.get("stays", "P1").finished_at is not None
    assert sender.ask(adt("A08", PID, moved, control="D6")) == ["AA"]
    assert world.get("stays", "P1").finished_at is not None
    assert {dose.state for dose in world.all("doses", order="his:A1")} == {DoseState.CANCELLED}
    assert sender.ask(adt("A13", PID, moved, control="D7")) == ["AA"]
    assert world.get("stays", "P1").finished_at is None


def test_a_new_allergy_stops_what_is_on_its_way(world: World, sender: Sender) -> None:
    sender.ask(plain())
    assert sender.ask(adt("A08", PID, PV1, "AL1|1|DA|^metformin", control="D2")) == ["AA"]
    assert world.get("patients", "P1").allergies == ("metformin",)
    assert sender.ask(rde(*order("A9", rxe=RXE), control="C3")) == ["AA"]
    assert world.get("patients", "P1").allergies == ("metformin",)


def test_a_give_of_a_scheduled_order_is_refused(world: World, sender: Sender) -> None:
    sender.ask(plain())
    give = message(PID, "ORC|NW|A1", "RXG|1|||PLAIN|1||TAB", "TQ1|1||||||202603021200", "RXR|PO", kind="RGV^O15", control="C2")
    assert sender.ask(give, give.replace("A1", "A5").replace("C2", "C3").replace("PLAIN", "TWIN")) == ["AE", "AA"]
    assert [dose.due for dose in world.all("doses", order="his:A5/give/1")] == [at("2026-03-02 12:00")]


def test_bytes_cut_anywhere_and_several_messages_in_a_block(world: World, sender: Sender) -> None:
    stream = framed(plain("A1", "C1").encode()) + framed((plain("A2", "C2") + plain("A3", "C3")).encode())
    sender.send_bytes(stream[start : start + 7] for start in range(0, len(stream), 7))
    assert [answer.segments[1].value(2) for answer in sender.answers(3)] == ["C1", "C2", "C3"]
    assert len(world.all("orders")) == 3


def test_a_sender_that_dies_in_the_middle_leaves_nothing_and_is_told_of(world: World, server: MllpServer) -> None:
    with Sender(server.port) as dying:
        dying.send(plain("A1", "C1"))
        dying.send_bytes([framed(plain("A2", "C2").encode())[:-40]])
        dying.answers(1)
    with Sender(server.port) as sender:
        assert sender.ask(plain("A2", "C2")) == ["AA"]
    assert {found.id for found in world.all("orders")} == {"his:A1", "his:A2"}


def test_broken_blocks_are_answered_or_told(server: MllpServer, sender: Sender, world: World) -> None:
    sender.send_bytes([b"GET / HTTP/1.0\r\n", framed(b"no header at all"), framed(msh().encode()), framed(plain().encode())])
    assert [answer.segments[1].value(1) for answer in sender.answers(3)] == ["AE", "AE", "AA"]
    assert world.get("orders", "his:A1") is not None
    told = world.writer.submit_read(lambda unit: unit.incidents.where(kind="feed-failing")).result()
    assert all("MLLP" in alarm.text_ru and "отправитель" in alarm.text_ru for alarm in told) and told


def test_a_message_beyond_the_limit_is_answered_by_its_control_id(world: World) -> None:
    server = start_mllp(world.writer, world.house, "his", "127.0.0.1", 0, MllpSettings(largest_message=2_000))
    with Sender(server.port) as sender:
        sender.send(plain("A1", "BIG") + "NTE|1||" + "x" * 300_000, plain("A2", "C2"))
        large, good = sender.answers(2)
        assert (large.segments[1].value(1), large.segments[1].value(2), large.segments[2].value(3)) == ("AE", "BIG", "104")
        assert good.segments[1].value(1) == "AA"
    server.stop()


def test_a_flood_is_answered_in_order(world: World, server: MllpServer) -> None:
    messages = [adt("A08", PID.replace("P1^", f"P{n % 7}^"), PV1, control=f"F{n}") for n in range(700)]
    with Sender(server.port) as sender:
        flood = Thread(target=sender.send, args=messages)
        flood.start()
        told = [answer.segments[1].value(2) for answer in sender.answers(len(messages))]
        flood.join()
    assert told == [f"F{n}" for n in range(700)]
    assert world.writer.commits < 350


def test_too_many_and_idle_connections_are_closed(world: World) -> None:
    server = start_mllp(world.writer, world.house, "his", "127.0.0.1", 0, MllpSettings(most_connections=1, idle_s=0.2))
    with Sender(server.port) as first:
        assert first.ask(plain()) == ["AA"]
        with Sender(server.port) as second:
            assert second.is_closed()
        assert first.is_closed()
    server.stop()


def test_a_fault_of_the_hub_keeps_one_message_out_and_not_the_others(world: World, server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = server._desk._taken

    def failing(unit: Any, message: Any, digest: str) -> Any:
        if message.header.control_id == "C2":
            taken(unit, message, digest)
            raise RuntimeError("the hub is at fault")
        return taken(unit, message, digest)

    monkeypatch.setattr(server._desk, "_taken", failing)
    with Sender(server.port) as sender:
        sender.send(plain("A1", "C1"), plain("A2", "C2"), plain("A3", "C3"))
        told = sender.answers(3)
    assert [answer.segments[1].value(1) for answer in told] == ["AA", "AE", "AA"]
    assert told[1].segments[2].value(3) == "207"
    assert {found.id for found in world.all("orders")} == {"his:A1", "his:A3"}


def test_a_message_that_no_reader_foresaw_is_answered(world: World, server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Any:
        raise KeyError("unforeseen")

    monkeypatch.setattr("hub.adapters.intake.hl7.reading.header_of", failing)
    with Sender(server.port) as sender:
        sender.send(plain("A1", "C1"))
        (answer,) = sender.answers()
        assert [answer.segments[1].value(at) for at in (1, 2)] == ["AE", "C1"]
        monkeypatch.undo()
        assert sender.ask(plain("A1", "C1")) == ["AA"]
    assert world.all("incidents", kind="feed-refused")[0].text_ru


def test_two_senders_at_once(world: World, server: MllpServer) -> None:
    with Sender(server.port) as one, Sender(server.port) as two:
        one.send(plain("A1", "C1"))
        two.send(plain("A2", "C2"))
        assert [answer.segments[1].value(2) for sender in (one, two) for answer in sender.answers()] == ["C1", "C2"]


def test_a_port_that_is_taken_is_said_at_the_start(world: World, server: MllpServer) -> None:
    with pytest.raises(OSError, match=str(server.port)):
        start_mllp(world.writer, world.house, "his", "127.0.0.1", server.port)
    assert len(world.writer.on_commit) == 1


def test_enhanced_mode_answers_twice(sender: Sender) -> None:
    sender.send(plain().replace("|P|2.5", "|P|2.5|||AL|AL"))
    assert [answer.segments[1].value(1) for answer in sender.answers(2)] == ["CA", "AA"]


def test_the_feed_is_heard(world: World, sender: Sender) -> None:
    sender.ask(plain())
    feed = world.get("feeds", "his")
    assert (feed.heard_at, feed.name) == (world.now, "RDE^O11 C1")
