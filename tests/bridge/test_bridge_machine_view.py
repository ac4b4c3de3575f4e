"""What the bridge tells of a machine in `status` and `$description`."""

import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from firmware_bridge import packets
from firmware_bridge.contract import CassettePlace, decode_description, encode
from firmware_bridge.machine_view import MachineView
from tests.bridge.vectors import payload_of


def view_of(name: str) -> MachineView:
    view = MachineView()
    view.take_page(packets.unpack_status(payload_of(name)))
    return view


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("status-rsp-locked", "locked", "none"),
        ("status-rsp-safe-mode", "safe-mode", "none"),
        ("status-rsp-gate-stuck", "stopped", "gate-stuck"),
    ],
)
def test_new_states_and_reasons_have_their_words(name: str, state: str, reason: str) -> None:
    report = view_of(name).report(is_up=True, queued=0, link_counters={})
    assert (report.state, report.reason) == (state, reason)


def test_doubt_has_no_stop_reason_in_the_status() -> None:
    page = replace(packets.unpack_status(payload_of("status-rsp")), state=4, reason=0)
    view = MachineView()
    view.take_page(page)
    assert (view.state, view.reason) == ("in-doubt", "none")


@pytest.mark.parametrize("kind", [packets.EventKind.DROPPED, packets.EventKind.RESOLVED])
def test_cassette_is_counted_down_by_a_drop_and_by_the_answer_to_a_doubt(kind: packets.EventKind) -> None:
    view = MachineView(cassettes={6: CassettePlace(slot=6, cassette=12345, remaining=10)})
    data = struct.pack("<IBBH", 12345, 2, 1, 9)
    event = packets.unpack_event(kind, struct.pack("<II16sB", 3, 1, bytes(range(16)), 0) + data)
    view.recorded(event, datetime.now(UTC))
    assert view.cassettes[6].remaining == 9


def test_description_names_protocol_and_capabilities() -> None:
    view = MachineView(hello=packets.unpack_hello(payload_of("hello-rsp")))
    description = view.description("0.1.0")
    assert description is not None
    assert description.protocol == "PPL/1.1"
    words = ("labels", "verdict", "resolve", "lock", "jog", "self-test", "firmware-update")
    assert description.capabilities == words
    assert decode_description(encode(description)) == description


def test_boots_of_a_new_board_go_on_where_the_older_one_ended() -> None:
    view = MachineView(hello=packets.unpack_hello(payload_of("hello-rsp")), boots_before=40)
    data = struct.pack("<IBBH", 12345, 2, 1, 9)
    event = packets.unpack_event(packets.EventKind.DROPPED, struct.pack("<II16sB", 3, 1, bytes(range(16)), 0) + data)
    assert view.recorded(event, datetime.now(UTC)).boot == 43
    description = view.description("0.1.0")
    assert description is not None and view.hello is not None and description.boot == 40 + view.hello.boot
