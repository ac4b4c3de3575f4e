"""The core of the bridge between jobs and service, without threads and clocks: what is asked first, and what is never asked again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_bridge.codec import FrameDecoder
from firmware_bridge.contract import BridgeEvent, Command, decode_event, decode_status, encode
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.intake import Intake
from firmware_bridge.machine_core import MachineCore, MachineSettings
from firmware_bridge.packets import Op
from firmware_bridge.service_contract import ServiceCommand, ServiceEvent, decode_service_event
from firmware_bridge.spool import Spool
from firmware_bridge.trace_contract import TraceReport, decode_trace
from tests.bridge.engineer import jog_command, lock_command, watch_command
from tests.bridge.orders import run_command, verdict_command
from tests.bridge.plant import DEVICE
from tests.bridge.scripted_machine import ScriptedMachine

STEP_S = 0.01


class Bench:
    """A core, a scripted machine at the other end of the wire, and a broker that is a list."""

    is_connected, hub_is_lost, denials = True, False, 0

    def __init__(self, folder: Path, serial: str = "") -> None:
        self.machine = ScriptedMachine()
        self.published: list[tuple[str, bytes]] = []
        self.now_s, self.begun = 0.0, datetime.now(UTC)
        self._spool, self._inbox = Spool(folder / "spool.db"), Inbox()
        self._intake = Intake(self._spool, DEVICE, self._inbox)
        self.sent: list[int] = []
        self._to_machine, self._decoder = bytearray(), FrameDecoder()
        self._core = MachineCore(MachineSettings(DEVICE, "bench:", serial=serial), self._spool, self, lambda: None)

    def close(self) -> None:
        self._spool.close()

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            _, signs = self._inbox.take(0.0)
            data = self.machine.receive(bytes(self._to_machine)) + self.machine.tick(self.now_s)
            self._to_machine.clear()
            self._core.turn(data, signs, self.now_s, self.begun + timedelta(seconds=self.now_s))
            self.now_s += STEP_S

    def command(self, command: Command) -> None:
        self._intake.command(encode(command))

    def serve(self, command: ServiceCommand) -> None:
        self._inbox.leave_service(encode(command))

    def answers(self) -> list[ServiceEvent]:
        return [decode_service_event(message) for leaf, message in self.published if leaf == "svc/evt"]

    def reports(self) -> list[TraceReport]:
        return [decode_trace(message) for leaf, message in self.published if leaf == "trace"]

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        if self.is_connected:
            self.published.append((leaf, message))
        return self.is_connected

    def publish_state(self, state: str) -> None:
        pass

    def take_service(self) -> list[bytes]:
        return self._inbox.take_service()

    def open_port(self) -> None:
        pass

    def close_port(self) -> None:
        self._to_machine.clear()

    def write(self, data: bytes) -> None:
        self._to_machine += data
        self.sent += [frame.op for frame in self._decoder.feed(data)]

    def new_session(self) -> int:
        return 1 + int(self.now_s / STEP_S)

    def events(self) -> list[BridgeEvent]:
        return [decode_event(message) for leaf, message in self.published if leaf == "job/evt"]

    def replace_board(self) -> None:
        """Put another board in, which counts its boots and events from 1."""
        self.machine = ScriptedMachine(boot=1, serial=b"\x04S008", holds_at_camera=True)
        self.lose_port()

    def lose_port(self) -> None:
        self._inbox.leave(Sign.PORT_LOST)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.turn(20)
    yield made
    made.close()


def test_verdict_and_event_are_before_a_service_command_and_that_before_a_job(bench: Bench) -> None:
    bench.machine.holds_at_camera = True
    bench.command(run_command(1))
    bench.turn(40)
    (at_camera,) = [
        event
        for leaf, message in bench.published
        if leaf == "job/evt" and (event := decode_event(message)).kind == "at-camera"
    ]
    bench.machine.asked.clear()
    bench.serve(lock_command(1, "take", "ivanova"))
    bench.command(run_command(2))
    bench.command(verdict_command(1, at_camera.job or "", at_camera.boot, at_camera.event, "PASS"))
    bench.turn(40)
    asked = [op for op in bench.machine.asked if op != Op.STATUS]
    assert asked[:3] == [Op.VERDICT, Op.EVT_ACK, Op.LOCK]
    assert asked[3] == Op.LABEL_BEGIN
    assert [answer.rc for answer in bench.answers()] == ["UNSUPPORTED"]


def test_jog_whose_answer_was_lost_with_the_link_is_never_asked_again(bench: Bench) -> None:
    jog = jog_command(1)
    bench.serve(jog)
    while Op.JOG not in bench.sent:
        bench.turn()
    bench.lose_port()
    bench.turn()
    assert Op.JOG in bench.machine.asked
    bench.machine.asked.clear()
    assert [answer.rc for answer in bench.answers()] == ["NO_ANSWER"]
    bench.serve(jog)
    bench.turn(100)
    assert Op.STATUS in bench.machine.asked
    assert Op.JOG not in bench.machine.asked
    assert [answer.rc for answer in bench.answers()] == ["NO_ANSWER"] * 2


def test_command_while_the_machine_is_silent_is_refused_within_half_a_second_and_never_done(bench: Bench) -> None:
    bench.machine.is_silent = True
    bench.command(run_command(1))
    bench.turn(2)
    bench.serve(jog_command(1))
    bench.turn(52)
    assert [answer.rc for answer in bench.answers()] == ["NOT_AT_ONCE"]
    bench.machine.is_silent = False
    bench.turn(200)
    assert Op.JOG not in bench.machine.asked
    assert Op.JOB_RUN in bench.machine.asked


def test_frames_are_told_from_the_watch_to_its_end_over_a_loss_of_the_link(bench: Bench) -> None:
    assert bench.reports() == []
    bench.serve(watch_command(1, seconds=3))
    bench.turn(100)
    bench.lose_port()
    bench.turn(250)
    reports = bench.reports()
    frames = [frame for report in reports for frame in report.frames]
    assert [report.ended for report in reports].count(True) == 1
    assert reports[-1].ended
    kinds = [frame.type for frame in frames]
    assert {"REQ", "RSP", "HELLO", "HELLO_RSP"} <= set(kinds)
    assert all(later.at_us >= frame.at_us for frame, later in pairwise(frames))
    assert frames[-1].at_us < 3_000_000


def test_trace_that_cannot_leave_is_counted(bench: Bench) -> None:
    bench.serve(watch_command(1))
    bench.turn(20)
    bench.is_connected = False
    bench.turn(300)
    lost = bench.machine.asked.count(Op.STATUS)
    assert lost > 0
    bench.is_connected = True
    bench.turn(200)
    assert bench.reports()[-1].dropped > 0
    assert not bench.reports()[-1].ended


def test_a_machine_with_another_serial_number_gets_no_job_and_is_told_of(tmp_path: Path) -> None:
    bench = Bench(tmp_path, serial="SOMEBODY-ELSE")
    bench.command(run_command(1))
    bench.turn(300)
    assert Op.JOB_RUN not in bench.sent and Op.HELLO in bench.sent
    last = [decode_status(message) for leaf, message in bench.published if leaf == "status"][-1]
    assert (last.link, last.reason) == ("down", "wrong-machine")
    bench.close()


@pytest.mark.parametrize("others", [0, 9])
def test_a_wrong_machine_is_turned_away_before_it_hears_our_fence(tmp_path: Path, others: int) -> None:
    bench = Bench(tmp_path, serial="SOMEBODY-ELSE")
    bench.machine.fence = others
    bench.command(run_command(1, fence=7))
    bench.turn(300)
    assert bench.machine.fence == others and Op.JOB_RUN not in bench.sent
    last = [decode_status(message) for leaf, message in bench.published if leaf == "status"][-1]
    assert (last.link, last.reason) == ("down", "wrong-machine")
    bench.close()


@pytest.mark.parametrize("before", [0, 3])
def test_the_right_machine_is_driven_under_our_fence_once_it_is_known(tmp_path: Path, before: int) -> None:
    bench = Bench(tmp_path, serial="S007")
    bench.machine.fence = before
    bench.command(run_command(1, fence=7))
    bench.turn(300)
    assert bench.machine.fence == 7 and Op.JOB_RUN in bench.sent
    bench.close()


def test_a_new_board_s_events_are_told_beside_the_old_one_s_and_its_verdicts_reach_it(bench: Bench) -> None:
    bench.machine.holds_at_camera = True
    bench.command(run_command(1))
    bench.turn(60)
    bench.replace_board()
    bench.command(run_command(2))
    bench.turn(200)
    asked = list({event.boot: event for event in bench.events() if event.kind == "at-camera"}.values())
    assert sorted(event.boot for event in asked) == [3, 3 + 1], "the old board was in its third boot, the new one is in its first"
    assert len({(event.boot, event.event) for event in bench.events()}) == len({(event.boot, event.event, event.job) for event in bench.events()})
    bench.machine.asked.clear()
    bench.command(verdict_command(3, run_command(2).job, 4, asked[1].event, "PASS"))
    bench.turn(20)
    assert bench.machine.verdicts and set(bench.machine.verdicts) == {(1, asked[1].event)}


def test_the_machine_that_the_settings_name_is_driven(tmp_path: Path) -> None:
    bench = Bench(tmp_path, serial="S007")
    bench.command(run_command(1))
    bench.turn(300)
    assert Op.JOB_RUN in bench.sent
    bench.close()
