"""Service at the MQTT contract: at once or never, answered once, and while the lock is held no job begins."""

from contract_machine import until
from contract_mqtt import MqttHost, in_s

OURS, OTHERS = "contract kit", "somebody else"


def test_the_lock_is_one_persons_and_each_change_is_told(hub: MqttHost) -> None:
    def lock(mode: str, owner: str) -> tuple[str, object]:
        answer = hub.serve("lock", mode=mode, owner=owner)
        return answer["rc"], answer["data"]

    ours, others = {"locked": True, "owner": OURS}, {"locked": True, "owner": OTHERS}
    assert lock("take", OURS) == ("OK", ours)
    assert lock("take", OURS) == ("OK", ours)
    assert lock("take", OTHERS) == ("LOCKED", ours)
    assert lock("release", OTHERS) == ("LOCKED", ours)
    assert lock("take-over", OTHERS) == ("OK", others)
    assert lock("release", OTHERS) == ("OK", {"locked": False, "owner": ""})
    until(lambda: len(hub.fresh()) >= 3, "three changes are not told")
    assert [(event["kind"], event["job"], event["slot"]) for event in hub.fresh()] == [("lock", None, None)] * 3
    assert [event["data"] for event in hub.fresh()] == [
        {"mode": "taken", "owner": OURS}, {"mode": "taken-over", "owner": OTHERS}, {"mode": "released", "owner": OTHERS}]


def test_while_the_lock_is_held_no_job_begins(held: MqttHost, tray: tuple[int, int]) -> None:
    before = held.settle("locked")["cassettes"]
    short, long = held.run_of(tray, expires_at=in_s(1)), held.run_of(tray)
    held.send(short)
    assert held.refusal_of(short)["rc"] in {"EXPIRED", "LOCKED"}
    held.send(long)
    until(lambda: held.status()["queued"] == 1, "the job does not wait")
    assert (held.status()["state"], held.status()["cassettes"]) == ("locked", before)
    assert (held.kinds_of(short["job"]), held.kinds_of(long["job"])) == ([], [])
    assert held.serve("lock", mode="release", owner=OURS)["rc"] == "OK"
    held.finish(long["job"])
    assert held.serve("lock", mode="take", owner=OURS)["rc"] == "OK"


def test_nothing_is_serviced_without_the_lock(hub: MqttHost) -> None:
    for answer in (hub.serve("self-test", tests=[]), hub.serve("jog", motor="tray", direction="back", hold_ms=1)):
        assert (answer["rc"], answer["data"]) == ("NOT_LOCKED", {})
        assert answer["reason"]


def test_a_motor_runs_and_tests_are_told_by_their_names(held: MqttHost) -> None:
    assert held.serve("jog", motor="tray", direction="forward", hold_ms=1)["data"].keys() == {"position"}
    answer = held.serve("self-test", tests=["memory", "door"])
    assert (answer["rc"], answer["data"].keys()) == ("OK", {"memory", "door"})
    assert set(answer["data"].values()) <= {"passed", "failed", "not-fitted"}
    every = held.serve("self-test", tests=[])["data"]
    assert len(every) == 7
    until(lambda: bool(held.tested) and held.tested[-1]["results"] == every, "what the self test found is not kept")
    assert held.tested[-1].keys() == {"at", "results"}


def test_the_same_command_gets_the_same_answer_and_is_not_done_again(held: MqttHost) -> None:
    command = held.command("lock", mode="release", owner=OURS, expires_at=in_s(5))
    first = held.served(command)
    held.serve("lock", mode="take", owner=OURS)
    until(lambda: len(held.fresh()) >= 2, "two changes are not told")
    assert held.served(command, times=2) == first
    assert held.settle("locked")["state"] == "locked"
    assert [event["data"]["mode"] for event in held.fresh()][-2:] == ["released", "taken"]


def test_what_is_late_fenced_or_does_not_fit_is_refused(held: MqttHost) -> None:
    jog = {"motor": "film", "direction": "back", "hold_ms": 1}
    assert held.serve("jog", **jog, expires_at=in_s(-1))["rc"] == "EXPIRED"
    assert held.serve("jog", **jog, expires_at=in_s(30))["rc"] == "INVALID"
    assert held.serve("jog", **jog | {"hold_ms": 501})["reason"].startswith("$.hold_ms")
    assert held.serve("lock", mode="keep", owner=OURS)["reason"].startswith("$.mode")
    assert held.serve("lock", mode="take", owner="")["reason"].startswith("$.owner")
    assert held.serve("fly")["rc"] == "INVALID"
    if held.fence:
        assert held.serve("jog", **jog, fence=held.fence - 1)["rc"] == "FENCED"


def test_a_watch_is_begun_or_refused_by_name(hub: MqttHost) -> None:
    answer = hub.serve("watch", seconds=1)
    assert (answer["rc"], answer["data"]) == ("OK", {"seconds": 1}) or (answer["rc"] == "UNSUPPORTED" and answer["reason"])
