"""The service lock: it is one person's, it outlives sessions, and while it is held no job begins."""

import struct

import pytest
from contract_host import LOCK_EVENT, LOCKED, NOT_LOCKED, OK, ContractHost, job_run, new_job
from contract_machine import Machine, until

LOCK, RUN, JOG, SELFTEST = 0x08, 0x02, 0x09, 0x0A
STATE_LOCKED = 5
OURS, OTHERS = b"\x0ccontract kit", b"\x0bsomebody el"


def test_the_lock_survives_a_new_session_and_refuses_jobs(
    machine: Machine, locked: ContractHost, cassette: tuple[int, int],
) -> None:
    locked.hello(machine.fence)
    assert locked.status().state == STATE_LOCKED
    before = locked.status().next_evt
    job = job_run(new_job(), locked.upload(), [(*cassette, 1)])
    assert locked.ask(RUN, job) == (LOCKED, b"")
    assert locked.ask(LOCK, b"\1" + OURS) == (OK, b"\1" + OURS)
    assert locked.status().next_evt == before


def test_nobody_else_takes_it_or_gives_it_back_but_somebody_may_take_it_over(locked: ContractHost) -> None:
    assert locked.ask(LOCK, b"\1" + OTHERS) == (LOCKED, b"\1" + OURS)
    assert locked.ask(LOCK, b"\0" + OTHERS) == (LOCKED, b"\1" + OURS)
    assert locked.ask(LOCK, b"\2" + OTHERS) == (OK, b"\1" + OTHERS)
    assert locked.ask(LOCK, b"\0" + OURS) == (LOCKED, b"\1" + OTHERS)


def test_each_change_is_told(host: ContractHost) -> None:
    first = host.status().next_evt
    for mode, owner in ((1, OURS), (1, OURS), (2, OTHERS), (0, OTHERS), (0, OTHERS)):
        assert host.ask(LOCK, bytes([mode]) + owner)[0] == OK
    assert host.status().next_evt == first + 3
    host.await_event(LOCK_EVENT, bytes(16))
    until(lambda: host.poll() or len(host.fresh()) >= 3, "three changes are not told")
    assert [event.data for event in host.fresh()] == [b"\1" + OURS, b"\2" + OTHERS, b"\0" + OTHERS]
    host.acknowledge_all()


@pytest.mark.parametrize(("op", "payload"), [(JOG, struct.pack("<BBH", 3, 1, 1)), (SELFTEST, b"\0")], ids=["jog", "selftest"])
def test_nothing_is_serviced_without_the_lock(host: ContractHost, op: int, payload: bytes) -> None:
    assert host.ask(op, payload) == (NOT_LOCKED, b"")


def test_the_self_test_tells_each_test_it_was_asked_for(locked: ContractHost) -> None:
    rc, answer = locked.ask(SELFTEST, b"\x41")
    assert (rc, answer[0], answer[1], answer[3]) == (OK, 2, 1, 7)
    assert {answer[2], answer[4]} <= {0, 1, 2}
