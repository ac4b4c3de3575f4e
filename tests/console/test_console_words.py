"""What the console says of what it has heard; no broker in here."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.contract import CassettePlace, DeviceState, StatusReport
from firmware_bridge.trace_contract import TracedFrame, TraceReport
from hub.console.line import ConsoleError, parse_broker
from hub.console.machine import Machine, Rates, sentence, state_facts
from hub.console.options import ConsoleOptions, mistake
from hub.console.screen import harmless

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
READY = DeviceState(state="ready", session="a", at=AT)
LOST = DeviceState(state="lost", session="a", at=AT)
OPTIONS = ConsoleOptions(device="packager-1", broker="mqtt://b", site="mercy")


def status(**changes: Any) -> StatusReport:
    told: dict[str, Any] = {
        "state": "idle", "reason": "none", "job": None, "counters": {"ok": 1}, "link": "up", "queued": 0,
        "cassettes": (CassettePlace(slot=5, cassette=7, remaining=40), CassettePlace(slot=6, cassette=8, remaining=2)),
    }  # fmt: skip
    return StatusReport(**(told | changes))


def frame(**changes: Any) -> TracedFrame:
    told: dict[str, Any] = {
        "at_us": 1_500_000, "direction": "to-device", "hex": "1101", "type": "REQ", "seq": 1, "sid": 9, "op": "PING",
    }  # fmt: skip
    return TracedFrame(**(told | changes))


def test_state_says_how_many_tablets_there_are_and_that_a_lost_bridge_knows_no_better() -> None:
    facts = state_facts(READY, status(state="stopped", reason="jam"))
    assert facts["machine"] == "stopped (jam), link up"
    assert facts["cassettes"] == "2 in their slots, 42 tablets"
    assert facts["job"] == "none"
    assert "the bridge is lost" in state_facts(LOST, status())["machine"]
    assert state_facts(None, None) == {"bridge": "never heard of", "machine": "not told yet"}


def test_only_changes_are_told() -> None:
    machine = Machine()
    assert [machine.hear(READY), machine.hear(status()), machine.hear(status(counters={"ok": 2}))] == ["", "", ""]
    assert machine.hear(status(state="locked")) == "machine idle, link up -> locked, link up"
    assert machine.hear(LOST) == "bridge ready -> lost"
    assert machine.status == status(state="locked")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (frame(), "   1.500000 -> REQ       PING         seq   1 1101"),
        (frame(fields={"first": 21}), "   1.500000 -> REQ       PING         seq   1 first=21"),
        (
            frame(direction="from-device", type="RSP", fields={"rc": "OK"}, round_trip_us=3190),
            "   1.500000 <- RSP       PING         seq   1 rc=OK (3.19 ms)",
        ),
        (
            frame(direction="from-device", type="RSP", fields={"rc": "OK"}, error="stale"),
            "   1.500000 <- RSP       PING         seq   1 rc=OK STALE: 1101",
        ),
        (
            TracedFrame(at_us=1, direction="from-device", hex="aabb", error="crc"),
            "   0.000001 <- CRC error in 2 bytes: aabb",
        ),
    ],
)
def test_frame_is_one_line(told: TracedFrame, words: str) -> None:
    assert sentence(told) == words


def test_rates_count_errors_repetitions_and_what_was_not_told() -> None:
    rates = Rates()
    answers = [frame(direction="from-device", type="RSP", round_trip_us=1000 * number) for number in (1, 2, 9)]
    broken = TracedFrame(at_us=1, direction="from-device", hex="aa", error="cobs")
    rates.hear(TraceReport(frames=(frame(), frame(), *answers), dropped=0, ended=False))
    rates.hear(TraceReport(frames=(frame(seq=2), broken), dropped=4, ended=False))
    assert rates.facts(3.5) == {
        "frames": "7", "errors": "1", "repeated": "1", "not told": "4", "frames a second": "2.0", "bytes a second": "4",
        "round trip, median": "2.00 ms", "round trip, 99 %": "9.00 ms",
    }  # fmt: skip
    assert Rates().facts(0.0) == {"frames": "0", "errors": "0", "repeated": "0", "not told": "0"}


def test_no_character_that_a_terminal_would_obey_is_shown() -> None:
    assert harmless("Иванова \x1b[2J\r\n[red]") == "Иванова \ufffd[2J\ufffd\ufffd[red]"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"owner": "ivanova", "tests": True, "keeps_lock": True}, ""),
        ({"owner": "ivanova", "releases": True}, ""),
        ({"tests": True}, "--control NAME"),
        ({"keeps_lock": True}, "--control NAME"),
        ({"releases": True}, "--control NAME"),
        ({"owner": "ivanova", "releases": True, "tests": True}, "does nothing else"),
        ({"owner": "x" * 33}, "1 to 32"),
        ({"owner": "Иванова"}, "ASCII"),
        ({"device": "packager/1"}, "lower-case"),
        ({"site": "+"}, "lower-case"),
        ({"trace_to": Path("t"), "follow_s": 0.0}, "--trace-to"),
    ],
)
def test_options_that_do_not_fit_together_are_named(changes: dict[str, Any], words: str) -> None:
    found = mistake(replace(OPTIONS, **changes))
    assert (words in found) if words else (found == "")


@pytest.mark.parametrize(
    ("changes", "follows"),
    [
        ({}, True),
        ({"owner": "ivanova"}, True),
        ({"follow_s": 0.0}, False),
        ({"owner": "ivanova", "tests": True}, False),
        ({"owner": "ivanova", "tests": True, "follow_s": 5.0}, True),
        ({"owner": "ivanova", "keeps_lock": True, "trace_to": Path("t")}, True),
    ],
)
def test_frames_are_followed_when_asked_for_or_when_nothing_else_was(changes: dict[str, Any], follows: bool) -> None:
    assert replace(OPTIONS, **changes).follows == follows


@pytest.mark.parametrize("url", ["", "b:1883", "http://b", "mqtt://"])
def test_broker_is_named_by_its_url(url: str) -> None:
    with pytest.raises(ConsoleError, match="--broker"):
        parse_broker(url)
