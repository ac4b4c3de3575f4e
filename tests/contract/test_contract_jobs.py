"""Labels, jobs, events and verdicts: nothing is made twice, nothing leaves on a verdict that was not about it."""

import struct

import pytest
from contract_host import (
    ACCEPTED,
    AT_CAMERA,
    BAD_REQUEST,
    BUSY,
    CASSETTE_MISMATCH,
    CONFLICT,
    DIGEST,
    DIVERTED,
    DONE,
    DROPPED,
    EMPTY,
    FAIL,
    LOOK,
    NO_LABEL,
    OFFSET,
    OK,
    PASS,
    RELEASED,
    STALE_EVENT,
    UNKNOWN_JOB,
    ContractHost,
    answer_to,
    job_run,
    label_begin,
    new_job,
    new_label,
)
from contract_machine import Machine, until

BEGIN, DATA, COMMIT, RUN, QUERY, ABORT, VERDICT = 0x20, 0x21, 0x22, 0x02, 0x03, 0x07, 0x23
JOB_DONE, JOB_DIVERTED, JOB_ABORTED = 4, 5, 8


def offset(value: int) -> bytes:
    return struct.pack("<I", value)


def order(host: ContractHost, cassette: tuple[int, int], count: int = 1) -> bytes:
    """Order a job of one drop; gives its id."""
    job = new_job()
    rc, answer = host.ask(RUN, job_run(job, host.upload(), [(*cassette, count)]))
    assert (rc, answer[0] in (1, 2, 3)) == (OK, True)
    return job


def test_a_label_goes_on_where_it_was_left_and_is_committed_once(machine: Machine, host: ContractHost) -> None:
    label, stream = new_label()
    begin, tag = label_begin(label, len(stream)), label[:4]
    assert host.ask(BEGIN, begin) == (OK, offset(0))
    assert host.ask(DATA, tag + offset(3) + stream[3:9]) == (OFFSET, offset(0))
    assert host.ask(DATA, tag + offset(0) + stream[:10]) == (OK, offset(10))
    assert host.ask(DATA, tag + offset(0) + stream[:10]) == (OFFSET, offset(10))
    host.hello(machine.fence)
    assert host.ask(BEGIN, begin) == (OK, offset(10))
    assert host.ask(DATA, tag + offset(10) + stream[10:]) == (OK, offset(len(stream)))
    assert host.ask(COMMIT, label) == (OK, b"")
    assert host.ask(COMMIT, label) == (OK, b"")
    assert host.ask(BEGIN, begin) == (OK, offset(len(stream)))


def test_a_label_that_is_not_what_was_named_is_dropped(host: ContractHost) -> None:
    label, stream = new_label()
    _, other = new_label()
    assert len(other) == len(stream)
    host.ask(BEGIN, label_begin(label, len(stream)))
    assert host.ask(DATA, label[:4] + offset(0) + other) == (OK, offset(len(other)))
    assert host.ask(COMMIT, label) == (DIGEST, b"")
    assert host.ask(BEGIN, label_begin(label, len(stream))) == (OK, offset(0))


def test_another_label_begins_anew(host: ContractHost) -> None:
    (first, one), (second, two) = new_label(), new_label()
    host.ask(BEGIN, label_begin(first, len(one)))
    host.ask(DATA, first[:4] + offset(0) + one[:10])
    assert host.ask(BEGIN, label_begin(second, len(two))) == (OK, offset(0))
    assert host.ask(BEGIN, label_begin(first, len(one))) == (OK, offset(0))


def test_a_job_that_cannot_be_made_is_refused_and_leaves_nothing_behind(
    host: ContractHost, cassette: tuple[int, int],
) -> None:
    slot, number = cassette
    label, before, tablets = host.upload(), host.status(), host.remaining(slot)
    job = new_job()
    good = job_run(job, label, [(slot, number, 1)])
    wrong_sum = good[:16] + bytes([good[16] ^ 1]) + good[17:]
    for payload, rc in (
        (wrong_sum, DIGEST), (job_run(job, new_label()[0], [(slot, number, 1)]), NO_LABEL),
        (job_run(job, label, [(slot, number + 1, 1)]), CASSETTE_MISMATCH),
        (job_run(job, label, [(slot, number, 255)] * 12), EMPTY),
        (job_run(job, label, [(slot, number, 0)]), BAD_REQUEST), (job_run(job, label, []), BAD_REQUEST),
        (job_run(job, label, [(slot, number, 1)] * 13), BAD_REQUEST), (good[:-1], BAD_REQUEST),
    ):
        assert host.ask(RUN, payload) == (rc, b"")
    assert host.ask(QUERY, job) == (UNKNOWN_JOB, b"")
    after = host.status()
    assert (after.state, after.next_evt, host.remaining(slot)) == (0, before.next_evt, tablets)


@pytest.mark.parametrize(("verdict", "way", "state"), [
    (PASS, RELEASED, JOB_DONE), (FAIL, DIVERTED, JOB_DIVERTED), (LOOK, DIVERTED, JOB_DIVERTED)])
def test_a_job_from_its_order_to_its_end(
    host: ContractHost, cassette: tuple[int, int], verdict: int, way: int, state: int,
) -> None:
    slot, number = cassette
    before = host.remaining(slot)
    job = order(host, cassette, 2)
    host.finish(job, verdict)
    told = host.of_job(job)
    assert [event.kind for event in told] == [ACCEPTED, DROPPED, AT_CAMERA, way, DONE]
    assert [event.evt for event in told] == list(range(told[0].evt, told[0].evt + 5))
    counted = told[1].data[5]
    assert told[1].data == struct.pack("<IBBH", number, 2, counted, before - counted)
    assert told[3].data == (b"" if way == RELEASED else bytes([verdict]))
    assert told[4].data == bytes([state])
    assert host.query(job) == (state, 0, 0, told[4].evt)
    assert host.remaining(slot) == before - counted


def test_the_same_order_twice_is_one_job_and_another_digest_is_a_conflict(
    machine: Machine, host: ContractHost, cassette: tuple[int, int],
) -> None:
    job, label = new_job(), host.upload()
    payload, other = job_run(job, label, [(*cassette, 1)]), job_run(job, label, [(*cassette, 2)])
    before = host.remaining(cassette[0])
    assert host.ask(RUN, payload)[0] == OK
    at_camera = host.await_event(AT_CAMERA, job)
    assert host.ask(RUN, payload) == (OK, b"\3" + offset(at_camera.evt))
    assert host.ask(RUN, other) == (CONFLICT, b"")
    host.hello(machine.fence)
    assert host.ask(RUN, payload) == (OK, b"\3" + offset(at_camera.evt))
    host.finish(job)
    assert host.ask(RUN, payload)[1][0] == JOB_DONE
    assert host.ask(RUN, other) == (CONFLICT, b"")
    [dropped] = [event for event in host.of_job(job) if event.kind == DROPPED]
    assert host.remaining(cassette[0]) == before - dropped.data[5]
    assert host.status().state == 0


def test_events_come_again_in_order_until_they_are_acknowledged(
    machine: Machine, host: ContractHost, cassette: tuple[int, int],
) -> None:
    job = order(host, cassette)
    told = [host.await_event(kind, job) for kind in (ACCEPTED, DROPPED, AT_CAMERA)]
    oldest = told[0]
    until(lambda: host.poll() or host.events.count(oldest) >= 3, "the oldest event is not repeated")
    assert host.acknowledge(oldest.evt) == (OK, b"")
    host.hello(machine.fence)
    until(lambda: host.poll() or host.events.count(told[1]) >= 2, "the next event is not repeated")
    assert oldest not in host.events
    assert host.fresh()[:2] == told[1:]
    assert [event for event in host.events if event.evt <= told[2].evt][:2] == told[1:]
    assert host.acknowledge(told[2].evt) == (OK, b"")
    assert host.acknowledge(told[1].evt) == (OK, b"")
    host.hello(machine.fence)
    assert host.ask(VERDICT, answer_to(told[2], PASS)) == (OK, b"")
    done = host.await_event(DONE, job)
    assert [event.kind for event in host.of_job(job)] == [RELEASED, DONE]
    assert host.acknowledge(done.evt) == (OK, b"")


def test_an_acknowledgement_names_an_event_of_this_boot(host: ContractHost) -> None:
    newest = host.status().next_evt - 1
    assert host.ask(0x05, struct.pack("<II", host.boot + 1, newest)) == (STALE_EVENT, b"")
    assert host.ask(0x05, struct.pack("<II", host.boot, newest + 1)) == (BAD_REQUEST, b"")


def test_a_verdict_is_taken_for_its_own_event_alone(host: ContractHost, cassette: tuple[int, int]) -> None:
    job = order(host, cassette)
    event = host.await_event(AT_CAMERA, job)
    for other in ({"evt": event.evt - 1}, {"evt": event.evt + 1}, {"boot": event.boot + 1}):
        assert host.ask(VERDICT, answer_to(event, PASS, **other)) == (STALE_EVENT, b"")
    assert host.ask(VERDICT, new_job() + answer_to(event, PASS)[16:]) == (UNKNOWN_JOB, b"")
    for verdict in (0, 4):
        assert host.ask(VERDICT, answer_to(event, verdict)) == (BAD_REQUEST, b"")
    assert host.query(job)[0] == 3
    assert host.ask(VERDICT, answer_to(event, FAIL)) == (OK, b"")
    assert host.ask(VERDICT, answer_to(event, FAIL)) == (OK, b"")
    assert host.ask(VERDICT, answer_to(event, PASS)) == (STALE_EVENT, b"")
    assert host.acknowledge(host.await_event(DONE, job).evt) == (OK, b"")
    assert DIVERTED in [told.kind for told in host.of_job(job)]
    assert host.ask(VERDICT, answer_to(event, FAIL)) == (OK, b"")


def test_a_job_of_which_nothing_moved_can_be_aborted_and_no_other(host: ContractHost, cassette: tuple[int, int]) -> None:
    first = order(host, cassette)
    host.await_event(AT_CAMERA, first)
    second = order(host, cassette)
    before = host.remaining(cassette[0])
    rc, answer = host.ask(ABORT, second)
    assert (rc, answer[0]) == (OK, JOB_ABORTED)
    assert host.ask(ABORT, second) == (OK, answer)
    assert host.ask(ABORT, first) == (BUSY, b"")
    assert host.ask(ABORT, new_job()) == (UNKNOWN_JOB, b"")
    host.finish(first)
    assert [event.kind for event in host.of_job(second)] == [ACCEPTED, DONE]
    assert host.remaining(cassette[0]) == before


def test_no_more_than_four_jobs_wait(host: ContractHost, cassette: tuple[int, int]) -> None:
    jobs = [order(host, cassette) for _ in range(4)]
    assert host.ask(RUN, job_run(new_job(), host.upload(), [(*cassette, 1)])) == (BUSY, b"")
    host.await_event(AT_CAMERA, jobs[0])
    for job in jobs[1:]:
        assert host.ask(ABORT, job)[0] == OK
    host.finish(jobs[0])
    host.acknowledge_all()
