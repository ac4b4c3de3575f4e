"""Jobs at the MQTT contract: nothing is made twice, nothing leaves on a verdict that was not about it, each refusal has a reason."""

import pytest
from contract_machine import until
from contract_mqtt import MqttHost, in_s, label_members, new_job, new_label
from contract_plant import Device

Tray = tuple[int, int]


def order(hub: MqttHost, tray: Tray, count: int = 1) -> str:
    """Order a job of one drop; gives its id."""
    return str(hub.send(hub.run_of(tray, count))["job"])


def wait_remaining(hub: MqttHost, slot: int, wanted: int) -> None:
    until(lambda: hub.remaining(slot) == wanted, lambda: f"{wanted} were to be left: {hub.status()}")


@pytest.mark.parametrize(
    ("verdict", "way", "data", "state"),
    [("PASS", "released", {}, "done"), ("FAIL", "diverted", {"verdict": "FAIL"}, "diverted"),
     ("LOOK", "diverted", {"verdict": "LOOK"}, "diverted")])
def test_a_job_from_its_order_to_its_end(
    hub: MqttHost, tray: Tray, verdict: str, way: str, data: dict[str, str], state: str,
) -> None:
    slot, cassette = tray
    before = hub.remaining(slot)
    job = order(hub, tray, 2)
    hub.finish(job, verdict)
    told = hub.of_job(job)
    assert [event["kind"] for event in told] == ["accepted", "dropped", "at-camera", way, "done"]
    assert {(event["source"], event["boot"], event["slot"]) for event in told} == {("firmware", told[0]["boot"], 0)}
    assert [event["event"] for event in told] == list(range(told[0]["event"], told[0]["event"] + 5))
    counted = told[1]["data"]["counted"]
    assert told[1]["data"] == {"cassette": cassette, "asked": 2, "counted": counted, "remaining": before - counted}
    assert (told[3]["data"], told[4]["data"]) == (data, {"state": state})
    wait_remaining(hub, slot, before - counted)


def test_the_same_run_again_is_one_pouch(hub: MqttHost, tray: Tray) -> None:
    before = hub.remaining(tray[0])
    run = hub.send(hub.run_of(tray))
    hub.send(run)
    hub.await_event("at-camera", run["job"])
    hub.send(run)
    again = hub.send(run | {"command": run["command"] + "-again", "seq": run["seq"] + 1})
    hub.finish(run["job"])
    late = hub.send(run | {"command": run["command"] + "-late", "seq": run["seq"] + 2})
    hub.settle()
    assert hub.kinds_of(run["job"]) == ["accepted", "dropped", "at-camera", "released", "done"]
    assert not {run["command"], again["command"], late["command"]} & set(hub.refusals())
    wait_remaining(hub, tray[0], before - hub.of_job(run["job"])[1]["data"]["counted"])


def test_another_content_of_a_known_job_is_a_conflict(hub: MqttHost, tray: Tray) -> None:
    job = order(hub, tray)
    hub.await_event("at-camera", job)
    other = hub.send(hub.run_of(tray, 2, job=job))
    assert hub.refusal_of(other)["rc"] == "CONFLICT"
    hub.finish(job)
    another = hub.send(hub.run_of(tray, 2, job=job))
    assert hub.refusal_of(another)["rc"] == "CONFLICT"
    assert hub.kinds_of(job).count("dropped") == 1


def test_what_comes_too_late_or_under_an_older_fence_is_refused(hub: MqttHost, tray: Tray) -> None:
    before = hub.remaining(tray[0])
    late = hub.send(hub.run_of(tray, expires_at=in_s(-1)))
    assert hub.refusal_of(late)["rc"] == "EXPIRED"
    if hub.fence:
        hub.send(hub.command("status"))
        fenced = hub.send(hub.run_of(tray, fence=hub.fence - 1))
        assert hub.refusal_of(fenced)["rc"] == "FENCED"
        assert hub.kinds_of(fenced["job"]) == []
    assert hub.kinds_of(late["job"]) == []
    hub.send(late)
    hub.settle()
    assert hub.refusals().count(late["command"]) == 1
    wait_remaining(hub, tray[0], before)


def test_a_verdict_that_comes_too_late_is_refused_and_the_pouch_waits(hub: MqttHost, tray: Tray) -> None:
    job = order(hub, tray)
    event = hub.await_event("at-camera", job)
    late = hub.answer(event, "verdict", verdict="PASS", expires_at=in_s(-1))
    assert hub.refusal_of(late)["rc"] == "EXPIRED"
    hub.finish(job, "FAIL")
    assert hub.kinds_of(job)[-2:] == ["diverted", "done"]


BAD = {
    "kind": ("$", {"kind": "fly"}), "seq": ("$.seq", {"seq": 0}), "fence": ("$.fence", {"fence": -1}),
    "expires_at": ("$.expires_at", {"expires_at": "tomorrow"}), "zone": ("$.expires_at", {"expires_at": "2026-01-01T00:00:00"}),
    "job": ("$.job", {"job": "A" * 32}), "slots": ("$.slots", {"slots": []}),
    "count": ("$.slots[0].count", {"slots": [{"slot": 1, "cassette": 1, "count": 0}]}),
    "slot": ("$.slots[1].slot", {"slots": [{"slot": 1, "cassette": 1, "count": 1}, {"slot": 251, "cassette": 1, "count": 1}]}),
    "cassette": ("$.slots[0].cassette", {"slots": [{"slot": 1, "cassette": "1", "count": 1}]}),
    "label": ("$.label.digest", {"label": label_members(*new_label()) | {"digest": "00"}}),
    "raster": ("$.label.raster", {"label": label_members(*new_label()) | {"raster": "?"}}),
    "height": ("$.label.height", {"label": label_members(*new_label()) | {"height": 801}}),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_does_not_fit_is_refused_and_the_member_is_named(hub: MqttHost, tray: Tray, bad: str) -> None:
    place, members = BAD[bad]
    run = hub.send(hub.run_of(tray) | members)
    told = hub.refusal_of(run)
    assert told["rc"] == "INVALID"
    assert told["reason"].startswith(place), told
    hub.send(run)
    hub.settle()
    assert hub.refusals() == [run["command"]]


@pytest.mark.parametrize("member", ["seq", "fence", "expires_at", "job", "slots", "label"])
def test_what_is_missing_is_named(hub: MqttHost, tray: Tray, member: str) -> None:
    run = hub.run_of(tray)
    del run[member]
    told = hub.refusal_of(hub.send(run))
    assert told["rc"] == "INVALID"
    assert told["reason"].startswith(f"$.{member}:"), told


@pytest.mark.parametrize("message", [b"{", b"[]", b"\xff", b'{"kind": "run"}'], ids=["torn", "list", "bytes", "nameless"])
def test_what_has_no_name_is_refused_too(hub: MqttHost, message: bytes) -> None:
    hub.publish("job/cmd", message)
    refused = hub.refusal_of({"command": ""})
    assert (refused["rc"], refused["command"]) == ("INVALID", "")


def test_a_job_that_cannot_be_made_is_refused_and_leaves_nothing_behind(hub: MqttHost, tray: Tray) -> None:
    slot, cassette = tray
    before = hub.remaining(slot)
    other_label = label_members(new_label()[0], new_label()[1])
    for rc, run in (
        ("CASSETTE_MISMATCH", hub.run_of((slot, cassette + 1))),
        ("EMPTY", hub.run_of(tray, slots=[{"slot": slot, "cassette": cassette, "count": 255}] * 12)),
        ("DIGEST", hub.run_of(tray, label=other_label)),
    ):
        assert hub.refusal_of(hub.send(run))["rc"] == rc
        assert hub.kinds_of(run["job"]) == []
    hub.settle()
    wait_remaining(hub, slot, before)


def test_a_verdict_is_taken_for_its_own_event_alone(hub: MqttHost, tray: Tray) -> None:
    job = order(hub, tray)
    event = hub.await_event("at-camera", job)
    for wrong in ({"event": event["event"] - 1}, {"event": event["event"] + 1}, {"boot": event["boot"] + 1}):
        assert hub.refusal_of(hub.answer(event, "verdict", verdict="PASS", **wrong))["rc"] == "STALE_EVENT"
    assert hub.refusal_of(hub.answer(event, "verdict", verdict="PASS", job=new_job()))["rc"] == "UNKNOWN_JOB"
    assert hub.kinds_of(job)[-1] == "at-camera"
    hub.answer(event, "verdict", verdict="FAIL")
    hub.await_event("done", job)
    same = hub.answer(event, "verdict", verdict="FAIL")
    other = hub.answer(event, "verdict", verdict="PASS")
    assert hub.refusal_of(other)["rc"] == "STALE_EVENT"
    assert same["command"] not in hub.refusals()
    assert hub.kinds_of(job)[-2:] == ["diverted", "done"]


def test_without_a_verdict_the_machine_stops_with_the_pouch_held(device: Device, hub: MqttHost, tray: Tray) -> None:
    device.machine.need_hands("let thirty seconds pass at once")
    job = order(hub, tray)
    event = hub.await_event("at-camera", job)
    device.machine.steer("POST", "/time", {"scale": 1000})
    stopped = hub.await_event("stopped", job)
    device.machine.steer("POST", "/time", {"scale": 1})
    assert stopped["data"] == {"reason": "no-verdict"}
    until(lambda: (hub.status()["state"], hub.status()["reason"]) == ("stopped", "no-verdict"), "the stop is not in status")
    hub.answer(event, "verdict", verdict="PASS")
    hub.await_event("done", job)
    assert hub.kinds_of(job)[-4:] == ["stopped", "ready", "released", "done"]


def test_a_job_of_which_nothing_moved_can_be_aborted_and_no_other(hub: MqttHost, tray: Tray) -> None:
    before = hub.remaining(tray[0])
    first = order(hub, tray)
    hub.await_event("at-camera", first)
    second = order(hub, tray)
    hub.await_event("accepted", second)
    hub.send(hub.command("abort", job=second))
    assert hub.await_event("done", second)["data"] == {"state": "aborted"}
    assert hub.refusal_of(hub.send(hub.command("abort", job=first)))["rc"] == "BUSY"
    hub.finish(first)
    assert hub.refusal_of(hub.send(hub.command("abort", job=first)))["rc"] == "ENDED"
    assert hub.kinds_of(second) == ["accepted", "done"]
    wait_remaining(hub, tray[0], before - hub.of_job(first)[1]["data"]["counted"])


def test_a_job_that_was_aborted_before_it_came_is_never_started(hub: MqttHost, tray: Tray) -> None:
    run = hub.run_of(tray)
    assert hub.refusal_of(hub.send(hub.command("abort", job=run["job"])))["rc"] == "UNKNOWN_JOB"
    assert hub.refusal_of(hub.send(run))["rc"] == "ABORTED"
    assert hub.kinds_of(run["job"]) == []


def test_events_come_again_in_order_until_they_are_acknowledged(hub: MqttHost, tray: Tray) -> None:
    hub.acknowledges = False
    job = order(hub, tray)
    told = [hub.await_event(kind, job) for kind in ("accepted", "dropped", "at-camera")]
    until(lambda: all(hub.heard.count(event) >= 2 for event in told), "events are not told again")
    first_times = [hub.heard.index(event) for event in told]
    assert first_times == sorted(first_times)
    hub.acknowledge(told[1])
    hub.acknowledge(told[0])
    hub.settle("at-camera")
    hub.heard.clear()
    until(lambda: hub.heard.count(told[2]) >= 2, "what is not acknowledged is not told again")
    assert told[0] not in hub.heard and told[1] not in hub.heard
    hub.acknowledge(told[2])
    hub.acknowledges = True
    hub.answer(told[2], "verdict", verdict="PASS")
    hub.await_event("done", job)


def test_more_jobs_than_the_machine_accepts_wait_their_turn(hub: MqttHost, tray: Tray) -> None:
    jobs = [order(hub, tray) for _ in range(6)]
    for job in jobs:
        hub.finish(job)
    assert [hub.kinds_of(job).count("dropped") for job in jobs] == [1] * 6
    assert hub.refusals() == []
