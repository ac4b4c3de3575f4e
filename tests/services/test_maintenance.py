"""Tickets of devices: fading print and a knocked camera are told once, in both languages, and closed by a person with a reason."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from hub.domain.camera_set_up import CameraFigures
from hub.domain.identifiers import DeviceId, PackSerial, UserId
from hub.domain.refusals import Refusal
from hub.services.camera_at_hand import CAMERA, accept_if_right, set_up_board
from hub.services.maintenance import (
    CAMERA_MOVED,
    PRINT_FADES,
    camera_seen,
    close_ticket,
    open_tickets,
    print_seen,
)
from hub.services.views import device_board, line_board
from tests.services.small_world import PACKAGER, World

ENGINEER = "u-engineer"
RIGHT = CameraFigures(Fraction(45, 8), Fraction(9), Fraction(2), Fraction(0), Fraction(0), 220, 5)
SERIAL = PackSerial("ABCDEF012345")


def prints(world: World, shares: Iterable[float], device: DeviceId = PACKAGER) -> None:
    for share in shares:
        world.do(lambda unit, share=share: print_seen(unit, device, SERIAL, share))


def close(world: World, ticket: str, reason: str = "ribbon changed", *, renewed: bool = True) -> object:
    return world.do(lambda unit: close_ticket(unit, ticket, reason, is_renewed=renewed), ENGINEER)


def test_print_that_fades_opens_one_ticket_with_its_figures_and_no_second_one(world: World) -> None:
    prints(world, [0.95] * 40 + [0.70] * 60)
    (ticket,) = world.all("incidents", kind=PRINT_FADES)
    assert all(figure in ticket.text and figure in ticket.text_ru for figure in ("packager-1", "95 %"))
    (fact,) = world.facts("maintenance-asked")
    assert (fact["device"], fact["fresh"], fact["pack"]) == (PACKAGER, 95, SERIAL) and fact["now"] < 95


def test_each_printer_has_a_trend_of_its_own(world: World) -> None:
    prints(world, [0.95] * 80)
    prints(world, [0.60] * 80, DeviceId("packager-2"))
    assert world.all("incidents") == []


def test_a_ticket_is_closed_with_a_reason_in_a_persons_name_and_print_is_learned_anew(world: World) -> None:
    prints(world, [0.95] * 40 + [0.60] * 40)
    (ticket,) = world.all("incidents")
    assert close(world, ticket.id, "  ").code == "reason"
    assert close(world, "nothing").code == "unknown-ticket"
    assert close(world, ticket.id).closed
    assert close(world, ticket.id).code == "unknown-ticket"
    (entry,) = world.ledger("maintenance-done")
    assert entry["actor"] == ENGINEER and entry["data"]["reason"] == "ribbon changed" and entry["data"]["renewed"] is True
    prints(world, [0.60] * 80)
    assert world.do(open_tickets) == []


def test_a_ticket_closed_without_a_change_is_raised_again_only_once_print_is_clearly_worse(world: World) -> None:
    prints(world, [0.95] * 40 + [0.70] * 40)
    (ticket,) = world.all("incidents")
    close(world, ticket.id, "looked at, fine for today", renewed=False)
    level = world.get("print_qualities", PACKAGER).told
    prints(world, [(level - 9) / 100] * 60)
    assert world.do(open_tickets) == []
    prints(world, [(level - 10) / 100] * 60)
    assert len(world.do(open_tickets)) == 1 and len(world.all("incidents")) == 2


@pytest.mark.parametrize("share", [-0.5, 1.5])
def test_a_reader_that_tells_nonsense_does_not_stop_the_line(world: World, share: float) -> None:
    prints(world, [share])
    assert world.get("print_qualities", PACKAGER).last in {(0,), (100,)}


def test_a_set_up_is_accepted_once_nothing_is_to_be_moved(world: World) -> None:
    refused = world.do(lambda unit: accept_if_right(unit, replace(RIGHT, edge_px=Fraction(41, 10)), 250, 0, UserId(ENGINEER)), ENGINEER)
    assert isinstance(refused, Refusal) and "4.1" in refused.text and "4.1" in refused.text_ru
    assert world.all("camera_set_ups") == []
    world.do(lambda unit: accept_if_right(unit, RIGHT, 250, 0, UserId(ENGINEER)), ENGINEER)
    (entry,) = world.ledger("camera-set-up")
    assert entry["actor"] == ENGINEER and entry["data"]["figures"]["pixels_per_mm"] == "9.00"
    assert world.do(set_up_board)["accepted"].figures == RIGHT


def test_a_camera_that_was_knocked_is_told_once_until_it_is_set_up_anew(world: World) -> None:
    knocked = replace(RIGHT, pixels_per_mm=Fraction(94, 10))
    assert world.do(lambda unit: camera_seen(unit, CAMERA, knocked)), "nothing was accepted yet"
    world.do(lambda unit: accept_if_right(unit, RIGHT, 250, 0, UserId(ENGINEER)), ENGINEER)
    assert world.do(lambda unit: camera_seen(unit, CAMERA, replace(RIGHT, pixels_per_mm=Fraction(92, 10))))
    for _ in range(3):
        assert not world.do(lambda unit: camera_seen(unit, CAMERA, knocked))
    (ticket,) = world.all("incidents", kind=CAMERA_MOVED)
    assert "9.40" in ticket.text and "9.00" in ticket.text_ru and not ticket.closed
    world.do(lambda unit: accept_if_right(unit, replace(knocked, edge_px=Fraction(2)), 250, 0, UserId(ENGINEER)), ENGINEER)
    assert world.do(open_tickets) == []


def test_a_ticket_stands_on_both_boards_in_both_languages(world: World) -> None:
    prints(world, [0.95] * 40 + [0.60] * 40)
    for machines in (world.do(device_board), world.do(lambda unit: line_board(unit, world.house))["machines"]):
        (told,) = next(machine["tickets"] for machine in machines if machine["device"] == PACKAGER)
        assert "fades" in told["text"] and "бледнеет" in told["text_ru"]
