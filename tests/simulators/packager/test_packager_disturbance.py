"""A bad cable: what befalls frames is drawn from a seed, counted, and never hits what is between two frames."""

import pytest

from simulators.packager.clock import Clock
from simulators.packager.codec import REQ, Counters, Frame, Receiver, encode_frame
from simulators.packager.disturbance import Disturbance, LineFaults, read_line_faults


def frames(count: int) -> list[bytes]:
    return [encode_frame(Frame(REQ, n % 256, 0xBEEF, 6, bytes([n // 256]) * 20)) for n in range(count)]


def through(faults: LineFaults, sent: list[bytes], seed: str = "1") -> tuple[Disturbance, bytes]:
    disturbance = Disturbance(seed)
    disturbance.faults = faults
    for each in sent:
        disturbance.push(each, 0.0)
    return disturbance, b"".join(disturbance.take(1e9))


def test_without_faults_bytes_pass_as_they_come_half_frames_too() -> None:
    disturbance = Disturbance("1")
    disturbance.push(b"\0half", 0.0)
    assert disturbance.take(0.0) == [b"\0half"]


def test_every_frame_can_be_lost() -> None:
    disturbance, left = through(LineFaults(lost=1.0), frames(5))
    assert Receiver(Counters()).feed(left) == []
    assert disturbance.befell["lost"] == 5


def test_a_flipped_frame_is_another_by_one_bit() -> None:
    for sent in frames(300):
        _, came = through(LineFaults(flipped=1.0), [sent], sent.hex())
        assert [(a ^ b).bit_count() for a, b in zip(sent, came, strict=True)].count(1) == 1
        assert sum((a ^ b).bit_count() for a, b in zip(sent, came, strict=True)) == 1
        assert came[0] == came[-1] == 0
        assert Receiver(Counters()).feed(came) == []


def test_twice_is_two_sound_frames() -> None:
    _, came = through(LineFaults(twice=1.0), frames(2))
    assert [frame.seq for frame in Receiver(Counters()).feed(came)] == [0, 0, 1, 1]


def test_a_late_frame_holds_up_those_behind_it() -> None:
    disturbance = Disturbance("1")
    first, second = frames(2)
    disturbance.faults = LineFaults(late=1.0, late_s=5.0)
    disturbance.push(first, 10.0)
    disturbance.faults = LineFaults()
    disturbance.push(second, 11.0)
    assert b"".join(disturbance.take(14.9)) == b"\0"
    assert disturbance.due == 15.0
    assert b"".join(disturbance.take(15.0)) == first[1:] + second


def test_a_frame_that_comes_in_pieces_has_one_fate_and_none_is_kept_for_good() -> None:
    [sent] = frames(1)
    disturbance = Disturbance("1")
    disturbance.faults = LineFaults(twice=1.0)
    disturbance.push(sent[:7], 0.0)
    assert b"".join(disturbance.take(0.0)) == b"\0"
    disturbance.push(sent[7:9], 0.0)
    disturbance.faults = LineFaults()
    disturbance.push(sent[9:], 0.0)
    assert b"".join(disturbance.take(0.0)) == sent[1:]


def test_the_same_seed_is_the_same_fate_and_the_rate_is_what_was_asked_for() -> None:
    faults, sent = LineFaults(0.1, 0.1, 0.1, 0.1, 0.5), frames(2000)
    one, came = through(faults, sent)
    two, again = through(faults, sent)
    _, different = through(faults, sent, "2")
    assert (came, one.befell) == (again, two.befell)
    assert came != different
    assert all(120 < count < 280 for count in one.befell.values())


@pytest.mark.parametrize("wrong", [
    {"lost": 1.1}, {"lost": -0.1}, {"flipped": True}, {"late": "0.1"}, {"late_s": -1}, {"late_s": None}, {"odd": 0},
    {"lost": float("nan")}])
def test_what_is_no_fault_of_the_line_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"line|probability|number"):
        read_line_faults(wrong)


def test_frozen_time_stands_still_and_goes_on_where_it_stood() -> None:
    clock = Clock(1000.0)
    clock.freeze(True)
    stood = clock.simulated()
    assert clock.real(stood + 1) is None
    assert clock.simulated() == stood
    clock.freeze(False)
    assert clock.simulated() >= stood
    clock.scale(2.0)
    now = clock.simulated()
    first, later = clock.real(now), clock.real(now + 10)
    assert first is not None and later is not None
    assert later - first == pytest.approx(5.0)
