"""Power is lost at the machine: a doubt is told, and ended only by the count that names its event."""

import pytest
from contract_machine import until
from contract_mqtt import MqttHost, in_s, label_members, new_label
from contract_plant import Device, power_cycle

ASKED = 2
# With a label that the machine has, the appends of an order are: accepted, intent, what fell, what was counted.
CUTS = {"before-the-fall": (2, None), "while-the-fall-is-noted": (3, 7), "after-the-fall": (3, None),
        "while-the-count-is-noted": (4, 11), "before-the-count-is-noted": (4, 0)}


def cut_in_a_drop(device: Device, hub: MqttHost, tray: tuple[int, int], k: int, torn: int | None) -> str:
    """Have a job's power lost in its drop; gives the job, the machine has started again."""
    label = label_members(*new_label())
    first = hub.send(hub.run_of(tray, label=label))
    hub.finish(first["job"])
    until(lambda: device.machine.steer("GET", "/state")["events"] == 0, "events are not acknowledged")
    boot = device.machine.steer("GET", "/state")["boot"]
    device.machine.steer("POST", "/power", {"cut": "at-append", "k": k, "torn": torn, "dark_s": 0.05})
    job = str(hub.send(hub.run_of(tray, ASKED, label=label))["job"])
    until(lambda: device.machine.steer("GET", "/state").get("boot") == boot + 1, "the power did not come back")
    return job


@pytest.mark.parametrize("cut", CUTS)
def test_a_drop_in_doubt_is_resolved_by_the_count_that_names_its_event(
    device: Device, hub: MqttHost, tray: tuple[int, int], cut: str,
) -> None:
    device.machine.need_hands("cut the power in the middle of a drop")
    job = cut_in_a_drop(device, hub, tray, *CUTS[cut])
    stopped = hub.await_event("stopped", job)
    fell = device.machine.steer("GET", "/state")["doubt"]["fell"]
    assert (stopped["slot"], stopped["data"]) == (0, {"reason": "in-doubt"})
    before = next(each["remaining"] for each in hub.settle("in-doubt")["cassettes"] if each["slot"] == tray[0])
    run = hub.send(hub.run_of(tray, expires_at=in_s(1)))
    assert hub.refusal_of(run)["rc"] in {"EXPIRED", "STOPPED"}
    for wrong in ({"event": stopped["event"] + 1}, {"boot": stopped["boot"] - 1}, {"slot": 1}):
        assert hub.refusal_of(hub.answer(stopped, "resolve", counted=fell, **wrong))["rc"] == "STALE_EVENT"
    assert hub.refusal_of(hub.answer(stopped, "resolve", counted=255))["rc"] == "BAD_REQUEST"
    assert hub.kinds_of(job)[-1] == "stopped"
    hub.answer(stopped, "resolve", counted=fell)
    hub.await_event("ready", job)
    same = hub.answer(stopped, "resolve", counted=fell)
    assert hub.refusal_of(hub.answer(stopped, "resolve", counted=fell + 1))["rc"] == "STALE_EVENT"
    assert same["command"] not in hub.refusals()
    assert_destroyed(hub, job, tray, fell, before)


def assert_destroyed(hub: MqttHost, job: str, tray: tuple[int, int], fell: int, before: int) -> None:
    told = {event["kind"]: event["data"] for event in hub.of_job(job)}
    assert hub.kinds_of(job) == ["accepted", "stopped", "resolved", "diverted", "done", "ready"]
    assert told["resolved"] == {"cassette": tray[1], "asked": ASKED, "counted": fell, "remaining": before - fell}
    assert (told["diverted"], told["done"]) == ({"verdict": "NONE"}, {"state": "diverted"})
    until(lambda: hub.remaining(tray[0]) == before - fell, lambda: f"{before - fell} were to be left: {hub.status()}")
    hub.settle()


def test_an_order_that_was_torn_is_made_once(device: Device, hub: MqttHost, tray: tuple[int, int]) -> None:
    device.machine.need_hands("cut the power while an order is noted")
    job = cut_in_a_drop(device, hub, tray, 1, 5)
    hub.finish(job)
    assert hub.kinds_of(job) == ["accepted", "dropped", "at-camera", "released", "done"]


def test_after_a_loss_of_power_only_the_new_question_can_be_answered(
    device: Device, hub: MqttHost, tray: tuple[int, int],
) -> None:
    device.machine.need_hands("cut the power")
    hub.acknowledges = False
    job = hub.send(hub.run_of(tray))["job"]
    old = hub.await_event("at-camera", job)
    power_cycle(device.machine)
    new = hub.await_event("at-camera", job, after_boot=old["boot"])
    hub.acknowledges = True
    assert hub.refusal_of(hub.answer(old, "verdict", verdict="PASS"))["rc"] == "STALE_EVENT"
    for event in hub.fresh():
        hub.acknowledge(event)
    hub.answer(new, "verdict", verdict="FAIL")
    hub.await_event("done", job)
    assert "released" not in hub.kinds_of(job)
    hub.settle()


def test_the_lock_outlives_power(device: Device, held: MqttHost) -> None:
    device.machine.need_hands("cut the power")
    power_cycle(device.machine)
    until(lambda: held.states[-1]["state"] == "ready", "the device did not come back")
    held.settle("locked")
    assert held.serve("lock", mode="take", owner="somebody else")["rc"] == "LOCKED"
