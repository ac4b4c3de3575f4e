"""Births, last wills and the hub's own: a death counts for its session alone, and nothing begins while the hub is lost."""

from contract_machine import until
from contract_mqtt import MqttHost, new_job
from contract_plant import Device, need_break_off

DESCRIPTION = {"serial": str, "firmware": str, "protocol": str, "schema_crc": int, "boot": int, "reset_cause": str,
               "cassette_slots": int, "label_width": int, "capabilities": list, "bridge": str}


def test_a_device_tells_who_it_is_and_that_it_lives(device: Device, hub: MqttHost) -> None:
    told = hub.descriptions[-1]
    assert {name: type(value) for name, value in told.items()} == DESCRIPTION
    assert told["serial"] and told["boot"] >= 1 and 1 <= told["cassette_slots"] <= 250
    assert set(hub.states[-1]) == {"state", "session", "at"}
    with device.host() as late:  # retained: who comes later hears it too
        until(lambda: bool(late.states and late.descriptions and late.statuses), "what is retained was not heard")
        assert (late.states[-1], late.descriptions[-1]) == (hub.states[-1], told)


def test_status_and_description_come_when_they_are_asked_for(hub: MqttHost) -> None:
    statuses, descriptions = len(hub.statuses), len(hub.descriptions)
    hub.send(hub.command("status"))
    until(lambda: len(hub.statuses) > statuses and len(hub.descriptions) > descriptions, "they did not come")
    assert hub.statuses[-1]["link"] == "up"
    assert all(type(count) is int and count >= 0 for count in hub.statuses[-1]["counters"].values())


def test_a_death_carries_the_session_of_its_birth_and_the_next_birth_another(device: Device, hub: MqttHost) -> None:
    break_off = need_break_off(device)
    born = hub.states[-1]["session"]
    hub.states.clear()
    break_off()
    until(lambda: bool(hub.states) and hub.states[-1]["state"] == "ready", "the device did not come back")
    deaths = [told["session"] for told in hub.states if told["state"] == "lost"]
    assert deaths == [born]
    assert {told["session"] for told in hub.states if told["state"] != "lost"} == {hub.states[-1]["session"]}
    assert hub.states[-1]["session"] != born


def test_events_nobody_acknowledged_are_told_again_after_a_break(
    device: Device, hub: MqttHost, tray: tuple[int, int],
) -> None:
    break_off = need_break_off(device)
    hub.acknowledges = False
    job = hub.send(hub.run_of(tray))["job"]
    hub.await_event("at-camera", job)
    before = [(event["kind"], event["slot"], event["data"]) for event in hub.of_job(job)]
    hub.heard.clear()
    break_off()
    until(lambda: "at-camera" in hub.kinds_of(job), "the events are not told again")
    assert [(event["kind"], event["slot"], event["data"]) for event in hub.of_job(job)] == before
    hub.acknowledges = True
    for event in hub.fresh():
        hub.acknowledge(event)
    hub.finish(job)
    assert hub.kinds_of(job).count("dropped") == 1


def test_a_run_that_came_before_a_break_is_done_once(device: Device, hub: MqttHost, tray: tuple[int, int]) -> None:
    break_off = need_break_off(device)
    runs = [hub.send(hub.run_of(tray)) for _ in range(6)]
    hub.await_event("at-camera", runs[0]["job"])
    until(lambda: hub.status()["queued"] == 2, lambda: f"four jobs are accepted, two wait: {hub.status()}")
    break_off()
    for run in runs:
        hub.send(run)
    for run in runs:
        finish_however_often_asked(hub, run["job"])
    hub.settle()
    pouches = device.machine.steer("POST", "/output/take")
    made = {run["job"]: [len(pouch["tablets"]) for pouch in pouches if pouch["job"] == run["job"]] for run in runs}
    assert made == {run["job"]: [1] for run in runs}


def finish_however_often_asked(hub: MqttHost, job: str) -> None:
    """Let a pouch pass; a loss of power makes the question a new one."""
    answered: list[dict[str, object]] = []

    def is_done() -> bool:
        questions = [event for event in hub.of_job(job) if event["kind"] == "at-camera" and event not in answered]
        for event in questions:
            answered.append(event)
            hub.answer(event, "verdict", verdict="PASS")
        return "done" in hub.kinds_of(job)

    until(is_done, lambda: f"{job} did not end: {hub.of_job(job)}")


def test_no_job_begins_while_the_hub_is_lost_and_a_late_death_of_an_older_one_is_nothing(
    hub: MqttHost, tray: tuple[int, int],
) -> None:
    hub.say_hub("lost")
    run = hub.send(hub.run_of(tray))
    until(lambda: hub.status()["queued"] == 1, "the run did not come")
    assert hub.refusal_of(hub.send(hub.command("abort", job=new_job())))["rc"] == "UNKNOWN_JOB"
    assert hub.kinds_of(run["job"]) == []
    hub.say_hub("ready")
    hub.await_event("accepted", run["job"])
    hub.say_hub("lost", session="an older hub")
    second = hub.send(hub.run_of(tray))
    hub.await_event("accepted", second["job"])
    hub.finish(run["job"])
    hub.finish(second["job"])
