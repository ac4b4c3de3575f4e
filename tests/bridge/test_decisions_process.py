"""A person's decisions on the whole way: hub, broker, the bridge as it is started, a machine on a pty, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.orders import abort_command, resolve_command, run_command
from tests.bridge.plant import HubClient, bridge, wait_until
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine


@pytest.fixture
def machine() -> Iterator[MachineOnPty]:
    with MachineOnPty(ScriptedMachine(holds_jobs=True)) as machine:
        yield machine


def test_doubt_is_told_resolved_and_booked(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        command = run_command(1)
        hub.send(command)
        hub.wait_for("accepted")
        machine.tell(lambda scripted: scripted.fall_into_doubt(bytes.fromhex(command.job), 0))
        stopped = hub.wait_for("stopped")
        assert (stopped.job, stopped.slot, stopped.data) == (command.job, 0, {"reason": "in-doubt"})
        hub.send(resolve_command(2, command.job, stopped.boot, stopped.event + 1, 1))
        refused = hub.wait_for("refused")
        assert (refused.data["command"], refused.data["rc"]) == ("resolve-2", "STALE_EVENT")
        hub.send(resolve_command(3, command.job, stopped.boot, stopped.event, 1))
        hub.wait_for("ready")
        assert hub.kinds() == ["accepted", "stopped", "refused", "resolved", "diverted", "done", "ready"]
        told = {event.kind: event.data for event in hub.heard}
        assert told["resolved"] == {"cassette": 1234, "asked": 1, "counted": 1, "remaining": 99}
        assert (told["diverted"], told["done"]) == ({"verdict": "NONE"}, {"state": "diverted"})
        wait_until(lambda: hub.remaining().get(5) == 99, "the new stand of the cassette")


def test_accepted_job_is_aborted_by_the_machine(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        command = run_command(1)
        hub.send(command)
        hub.wait_for("accepted")
        hub.send(abort_command(2, command.job))
        assert hub.wait_for("done").data == {"state": "aborted"}
        hub.send(abort_command(3, "77" * 16))
        refused = hub.wait_for("refused")
        assert (refused.data["command"], refused.data["rc"]) == ("abort-3", "UNKNOWN_JOB")


def test_run_that_waits_for_the_hub_is_aborted_before_the_machine_hears_of_it(
    tmp_path: Path, broker_port: int, machine: MachineOnPty, hub: HubClient
) -> None:
    with bridge(tmp_path, broker_port, machine.path) as running:
        running.wait_ready()
        hub.say("lost")
        command = run_command(1)
        hub.send(command)
        hub.send(abort_command(2, command.job))
        refused = hub.wait_for("refused")
        assert (refused.data["command"], refused.data["rc"]) == ("run-1", "ABORTED")
        assert machine.machine.jobs == {}
