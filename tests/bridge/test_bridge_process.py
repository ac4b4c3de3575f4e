"""The whole bridge process between a real broker and a scripted machine on a real pty."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.__main__ import ConfigError, read_config
from firmware_bridge.packets import Op, Rc, pack_status
from tests.bridge.orders import run_command, status_command, verdict_command
from tests.bridge.plant import HubClient, bridge, mosquitto, wait_until
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine

WHOLE_JOB = ["accepted", "dropped", "at-camera", "released", "done"]


@pytest.fixture
def machine() -> Iterator[MachineOnPty]:
    with MachineOnPty(ScriptedMachine()) as running:
        yield running


def test_births_description_and_status_are_published_and_sigterm_ends_cleanly(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        wait_until(lambda: {"$state", "$description", "status"} <= set(hub.retained), "births")
        wait_until(lambda: hub.remaining() == {5: 100, 6: 50}, "all pages of cassettes")
        assert hub.retained["$state"]["state"] == "ready"
        assert hub.retained["$description"]["serial"] == "S007"
        assert hub.retained["$description"]["capabilities"] == ["labels", "verdict"]
        assert hub.retained["status"]["cassettes"][0] == {"slot": 5, "cassette": 1234, "remaining": 100}
        assert (hub.retained["status"]["link"], hub.retained["status"]["state"]) == ("up", "idle")
        assert running.stop() == 0
    wait_until(lambda: hub.retained["$state"]["state"] == "lost", "the farewell")


def test_job_is_carried_out_once_and_its_events_come_in_order(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        command = run_command(1, frames=25)
        for _ in range(3):
            hub.send(command)
        hub.wait_for("done")
        assert hub.kinds() == WHOLE_JOB
        dropped = next(event for event in hub.heard if event.kind == "dropped")
        assert (dropped.boot, dropped.job, dropped.slot) == (3, command.job, 0)
        assert dropped.data == {"cassette": 1234, "asked": 1, "counted": 1, "remaining": 99}
        hub.send(status_command(9))
        wait_until(lambda: hub.remaining().get(5) == 99, "fresh status")
        assert machine.machine.asked.count(Op.JOB_RUN) == 1
        assert machine.machine.cassettes[5] == (1234, 99)
        wait_until(lambda: not machine.machine.unacknowledged, "acknowledged events")


def test_broker_without_mqtt_5_serves_too(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path, options="?version=3") as running:
        running.wait_ready()
        hub.send(run_command(1))
        hub.wait_for("done")
        assert hub.kinds() == WHOLE_JOB


def test_machine_with_many_slots_tells_all_cassettes_and_is_not_paged_through_at_every_event(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    machine.machine.slots = 250
    machine.machine.cassettes |= {250: (77, 7)}
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        wait_until(lambda: hub.remaining() == {5: 100, 6: 50, 250: 7}, "all pages of cassettes")
        machine.machine.executed.clear()
        hub.send(run_command(1))
        wait_until(lambda: hub.remaining() == {5: 99, 6: 50, 250: 7}, "the new stand")
        assert {payload for op, payload in list(machine.machine.executed) if op == Op.STATUS} <= {pack_status(1)}


def test_verdict_goes_before_waiting_jobs(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    machine.machine.holds_at_camera = True
    machine.machine.answers_to_run = [Rc.OK] + [Rc.BUSY] * 1000
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        first, second = run_command(1), run_command(2)
        hub.send(first)
        hub.send(second)
        at_camera = hub.wait_for("at-camera")
        hub.send(verdict_command(3, first.job, at_camera.boot, at_camera.event, "PASS"))
        hub.wait_for("done")
        assert "released" in hub.kinds()
        hub.send(verdict_command(4, first.job, at_camera.boot, at_camera.event, "FAIL"))
        refused = hub.wait_for("refused")
        assert (refused.data["command"], refused.data["rc"]) == ("verdict-4", "STALE_EVENT")
        machine.machine.answers_to_run = []
        hub.wait_for("at-camera", times=2)


def test_refusals_name_the_command_and_the_rule(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        machine.machine.answers_to_run = [Rc.CASSETTE_MISMATCH, Rc.EMPTY]
        hub.send(run_command(1))
        hub.send(run_command(2))
        hub.send(run_command(3, seconds=-1))
        hub.send(b'{"kind": "run", "command": "broken"}')
        hub.wait_for("refused", times=4)
        refusals = {event.data["command"]: event.data["rc"] for event in hub.heard if event.kind == "refused"}
        assert refusals == {"run-1": "CASSETTE_MISMATCH", "run-2": "EMPTY", "run-3": "EXPIRED", "broken": "INVALID"}
        assert machine.machine.jobs == {}


def test_older_fence_is_refused_and_a_newer_one_opens_a_new_session(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path, fence=5) as running:
        running.wait_ready()
        assert machine.machine.fence == 5
        hub.send(run_command(1, fence=4))
        assert hub.wait_for("refused").data["rc"] == "FENCED"
        hub.send(run_command(2, fence=6))
        hub.wait_for("done")
        assert machine.machine.fence == 6


def test_events_are_sent_again_until_the_hub_acknowledges_them(
    tmp_path: Path, broker_port: int, machine: MachineOnPty
) -> None:
    with HubClient(broker_port, acknowledges=False) as hub, bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        hub.send(run_command(1))
        hub.wait_for("done")
        wait_until(lambda: [event.kind for event in hub.heard] == WHOLE_JOB * 2, "the second sending")
        for event in hub.heard[:5]:
            hub.acknowledge(event)
        hub.send(run_command(2))
        hub.wait_for("done", times=2)
        before = len(hub.heard)
        wait_until(lambda: len(hub.heard) >= before + 5, "the second job's second sending")
        assert {event.job for event in hub.heard[before:]} == {run_command(2).job}


def test_events_outlive_the_bridge_and_are_not_taken_twice(
    tmp_path: Path, broker_port: int, machine: MachineOnPty
) -> None:
    with HubClient(broker_port, acknowledges=False) as hub:
        with bridge(tmp_path, broker_port, machine.path) as first:
            first.wait_ready()
            hub.send(run_command(1))
            hub.wait_for("done")
            first.kill()
        wait_until(lambda: hub.retained["$state"]["state"] == "lost", "the last will")
        hub.heard.clear()
        machine.machine.asked.clear()
        with bridge(tmp_path, broker_port, machine.path) as second:
            second.wait_ready()
            hub.wait_for("done")
            assert hub.kinds() == WHOLE_JOB
        assert Op.JOB_RUN not in machine.machine.asked


def test_no_new_job_starts_while_the_hub_is_lost_but_a_stale_death_does_not_count(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        hub.say("lost")
        wait_until(lambda: hub.retained.get("status") is not None, "status")
        hub.send(run_command(1))
        wait_until(lambda: hub.retained["status"]["queued"] == 1, "the queued command")
        assert machine.machine.jobs == {}
        hub.say("ready", session="hub-2")
        hub.wait_for("done")
        hub.say("lost", session="hub-1")
        hub.send(run_command(2))
        hub.wait_for("done", times=2)


def test_silent_machine_is_queried_before_a_job_is_sent_again(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        wait_until(lambda: hub.retained.get("status", {}).get("link") == "up", "link up")
        machine.machine.answers_to_run = [Rc.BUSY] * 1000
        hub.send(run_command(1))
        wait_until(lambda: Op.JOB_RUN in machine.machine.asked, "the first try")
        machine.machine.is_silent = True
        wait_until(lambda: hub.retained["status"]["link"] == "down", "link down")
        wait_until(lambda: hub.retained["$state"]["state"] == "init", "the state without a machine")
        machine.machine.answers_to_run = []
        machine.machine.asked.clear()
        machine.tell(ScriptedMachine.reboot)
        machine.machine.is_silent = False
        hub.wait_for("done")
        asked = [op for op in machine.machine.asked if op not in {Op.STATUS, Op.EVT_ACK}]
        assert asked[0] == Op.JOB_QUERY
        assert asked.count(Op.JOB_RUN) == 1


def test_machine_that_is_unplugged_and_plugged_in_again_goes_on(
    tmp_path: Path, broker_port: int, hub: HubClient
) -> None:
    link = tmp_path / "port"
    with MachineOnPty(ScriptedMachine()) as first:
        link.symlink_to(first.path)
        running = bridge(tmp_path, broker_port, str(link))
        process = running.__enter__()
        process.wait_ready()
        wait_until(lambda: hub.retained.get("status", {}).get("link") == "up", "link up")
    try:
        wait_until(lambda: hub.retained["status"]["link"] == "down", "link down")
        with MachineOnPty(ScriptedMachine(boot=4)) as second:
            link.unlink()
            link.symlink_to(second.path)
            hub.send(run_command(1))
            hub.wait_for("done")
            assert {event.boot for event in hub.heard} == {4}
            assert process.stop() == 0
    finally:
        running.__exit__(None, None, None)


def test_broker_restart_loses_no_event(tmp_path: Path, machine: MachineOnPty) -> None:
    with mosquitto(tmp_path) as port, HubClient(port) as hub:
        running = bridge(tmp_path, port, machine.path)
        process = running.__enter__()
        process.wait_ready()
        hub.send(run_command(1))
        hub.wait_for("done")
    try:
        machine.tell(lambda m: m.happen(0x48))
        wait_until(lambda: not machine.machine.unacknowledged, "the event in the spool")
        with mosquitto(tmp_path, port), HubClient(port) as hub:
            hub.wait_for("ready")
            wait_until(lambda: hub.states[-1:] == ["ready"], "the new birth")
    finally:
        running.__exit__(None, None, None)
    assert process.process.returncode == 0


def test_interrupt_during_start_ends_cleanly(tmp_path: Path) -> None:
    with bridge(tmp_path, 9, str(tmp_path / "no-such-port")) as running:
        wait_until(lambda: "link down" in running.log.read_text(), "the first failure")
        os.kill(running.process.pid, signal.SIGINT)
        wait_until(lambda: running.process.poll() is not None, "the end")
        assert running.stop() == 0


def test_configuration_that_cannot_be_used_is_named(tmp_path: Path, broker_port: int) -> None:
    with bridge(tmp_path, broker_port, "x") as running:
        running.stop()
    config = (tmp_path / "bridge.toml").read_text()
    (tmp_path / "bridge.toml").write_text(config.replace("packager-1", "Packager 1"))
    with pytest.raises(ConfigError, match=r"\$\.device\[0?\.*\]\.id"):
        read_config(tmp_path / "bridge.toml")
