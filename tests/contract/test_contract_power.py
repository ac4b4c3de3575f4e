"""Power is lost: what was told is told again, nothing moves by itself, and a doubt is ended by a person's count alone."""

import struct

import pytest
from contract_host import (
    ACCEPTED,
    AT_CAMERA,
    BAD_REQUEST,
    DIVERTED,
    DONE,
    OK,
    READY,
    RESOLVED,
    STALE_EVENT,
    STOPPED,
    STOPPED_EVENT,
    ContractHost,
    answer_to,
    job_run,
    new_job,
)
from contract_machine import Machine, until

RUN, RESOLVE, ABORT, LOCK = 0x02, 0x04, 0x07, 0x08
STATE_IN_DOUBT, JOB_IN_DOUBT, JOB_DIVERTED = 4, 6, 5
ASKED = 2
# From the order of a job on, its appends are: accepted, intent, what fell, what was counted.
AT_INTENT, AT_FALL, AT_COUNT = 2, 3, 4
CUTS = {"before-the-fall": (AT_INTENT, None), "while-the-fall-is-noted": (AT_FALL, 7), "after-the-fall": (AT_FALL, None),
        "while-the-count-is-noted": (AT_COUNT, 11), "before-the-count-is-noted": (AT_COUNT, 0)}


def cut_in_a_drop(machine: Machine, host: ContractHost, cassette: tuple[int, int], k: int, torn: int | None) -> bytes:
    """Order a job and lose the power in its drop; gives the job, the device has started again."""
    job, label = new_job(), host.upload()
    boot = host.boot
    host.acknowledge_all()
    machine.steer("POST", "/power", {"cut": "at-append", "k": k, "torn": torn, "dark_s": 0.05})
    request = host.next_request(RUN, job_run(job, label, [(*cassette, ASKED)]))
    host.start(request)
    until(lambda: machine.steer("GET", "/state").get("boot") == boot + 1, "the power did not come back")
    identity = host.hello(machine.fence)
    assert identity.reset_cause == (2 if torn else 0)
    return job


@pytest.mark.parametrize("cut", CUTS)
def test_a_drop_in_doubt_is_resolved_by_the_count_that_names_its_event(
    machine: Machine, host: ContractHost, cassette: tuple[int, int], cut: str,
) -> None:
    machine.need_hands("cut the power in the middle of a drop")
    before = host.remaining(cassette[0])
    job = cut_in_a_drop(machine, host, cassette, *CUTS[cut])
    stopped = host.await_event(STOPPED_EVENT, job)
    fell = machine.steer("GET", "/state")["doubt"]["fell"]
    assert (host.status().state, host.query(job)[0], stopped.slot, stopped.data) == (STATE_IN_DOUBT, JOB_IN_DOUBT, 0, b"\0")
    assert host.remaining(cassette[0]) == before
    assert host.ask(RUN, job_run(new_job(), host.upload(), [(*cassette, 1)])) == (STOPPED, b"")
    for wrong in ({"evt": stopped.evt + 1}, {"boot": stopped.boot - 1}, {"slot": 1}):
        assert host.ask(RESOLVE, answer_to(stopped, fell, **wrong)) == (STALE_EVENT, b"")
    assert host.ask(RESOLVE, answer_to(stopped, 255)) == (BAD_REQUEST, b"")
    assert host.query(job)[0] == JOB_IN_DOUBT
    rc, answer = host.ask(RESOLVE, answer_to(stopped, fell))
    ready = host.await_event(READY, job)
    assert (rc, answer) == (OK, bytes([JOB_DIVERTED]) + struct.pack("<I", ready.evt))
    assert host.ask(RESOLVE, answer_to(stopped, fell)) == (OK, answer)
    assert host.ask(RESOLVE, answer_to(stopped, fell + 1)) == (STALE_EVENT, b"")
    assert_destroyed(host, job, cassette, fell, before)


def assert_destroyed(host: ContractHost, job: bytes, cassette: tuple[int, int], fell: int, before: int) -> None:
    told = host.of_job(job)
    assert [event.kind for event in told] == [ACCEPTED, STOPPED_EVENT, RESOLVED, DIVERTED, DONE, READY]
    assert told[2].data == struct.pack("<IBBH", cassette[1], ASKED, fell, before - fell)
    assert (told[3].data, told[4].data) == (b"\0", bytes([JOB_DIVERTED]))
    assert host.remaining(cassette[0]) == before - fell
    assert host.status().state == 0
    host.acknowledge_all()


def test_an_order_that_was_torn_was_never_given(machine: Machine, host: ContractHost, cassette: tuple[int, int]) -> None:
    machine.need_hands("cut the power while an order is noted")
    before = host.remaining(cassette[0])
    job = cut_in_a_drop(machine, host, cassette, 1, 5)
    assert host.ask(0x03, job)[0] == 5
    assert (host.status().state, host.remaining(cassette[0])) == (0, before)
    assert host.status().next_evt == 1


def test_events_nobody_acknowledged_are_told_again_with_numbers_of_the_new_boot(
    machine: Machine, host: ContractHost, cassette: tuple[int, int],
) -> None:
    machine.need_hands("cut the power")
    job = new_job()
    assert host.ask(RUN, job_run(job, host.upload(), [(*cassette, 1)]))[0] == OK
    host.await_event(AT_CAMERA, job)
    before = host.of_job(job)
    machine.steer("POST", "/power", {"cut": "now"})
    machine.steer("POST", "/power", {"on": True})
    boot = host.boot
    assert host.hello(machine.fence).boot == boot + 1
    stale = before[-1]
    event = host.await_event(AT_CAMERA, job)
    again = host.of_job(job)
    assert [(each.kind, each.slot, each.data) for each in again] == [(each.kind, each.slot, each.data) for each in before]
    assert [each.evt for each in again] == [1, 2, 3]
    assert host.ask(0x23, answer_to(stale, 1)) == (STALE_EVENT, b"")
    assert host.ask(0x23, answer_to(event, 1)) == (OK, b"")
    assert host.acknowledge(host.await_event(DONE, job).evt) == (OK, b"")


def test_the_lock_outlives_power(machine: Machine, locked: ContractHost) -> None:
    machine.need_hands("cut the power")
    machine.steer("POST", "/power", {"cut": "now"})
    machine.steer("POST", "/power", {"on": True})
    locked.hello(machine.fence)
    assert locked.status().state == 5
    assert locked.ask(LOCK, b"\1\4Anna")[0] == 14


@pytest.mark.hardware
def test_a_person_switches_the_machine_off_and_on(
    machine: Machine, host: ContractHost, cassette: tuple[int, int],
) -> None:
    job = new_job()
    assert host.ask(RUN, job_run(job, host.upload(), [(*cassette, 1)]))[0] == OK
    host.await_event(AT_CAMERA, job)
    before, boot = host.of_job(job), host.boot
    input("A pouch waits at the camera. Switch the machine off and on again, then press Enter. ")
    with ContractHost(machine.url) as again:
        assert again.hello(machine.fence).boot > boot
        again.await_event(AT_CAMERA, job)
        assert [(each.kind, each.data) for each in again.of_job(job)] == [(each.kind, each.data) for each in before]
        again.finish(job)
