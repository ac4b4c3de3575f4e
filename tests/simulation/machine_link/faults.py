"""How bad things are: probabilities of everything that can go wrong, drawn anew for each seed."""

import random
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Faults:
    """Probabilities: of the wire a frame, of the broker a message, of crashes a point where one can happen, else a second."""

    frame_lost: float = 0.0
    frame_flipped: float = 0.0
    frame_twice: float = 0.0
    frame_late: float = 0.0
    message_lost: float = 0.0
    message_twice: float = 0.0
    message_late: float = 0.0
    bridge_cut_off: float = 0.0
    hub_cut_off: float = 0.0
    unplugged: float = 0.0
    bridge_crash: float = 0.0
    hub_crash: float = 0.0
    power_cut: float = 0.0
    clock_jump: float = 0.0
    stale_host: float = 0.0
    command_again: float = 0.0
    answer_wrong: float = 0.0
    order_wrong: float = 0.0
    label_wrong: float = 0.0
    verdict_wrong: float = 0.0
    verdict_fails: float = 0.02
    command_lasts_s: float = 600.0


CALM = Faults()


def drawn(seed: int) -> Faults:
    """Return the faults of a seed: of each kind none, some or much, so that every mixture is met."""
    chance = random.Random(f"faults {seed}")

    def of(most: float) -> float:
        return chance.choice((0.0, most / 10, most / 3, most))

    return Faults(
        frame_lost=of(0.05), frame_flipped=of(0.03), frame_twice=of(0.05), frame_late=of(0.03),
        message_lost=of(0.10), message_twice=of(0.15), message_late=of(0.15), bridge_cut_off=of(0.01), hub_cut_off=of(0.01),
        unplugged=of(0.01), bridge_crash=of(0.003), hub_crash=of(0.005), power_cut=of(0.03), clock_jump=of(0.005),
        stale_host=of(0.01), command_again=of(0.2), answer_wrong=of(0.5), order_wrong=of(0.1), label_wrong=of(0.05), verdict_wrong=of(0.3), command_lasts_s=chance.choice((20.0, 120.0, 600.0)),
    )  # fmt: skip


def healed(faults: Faults) -> Faults:
    """Return what is left of faults in the second phase: nothing but pouches that fail."""
    return replace(CALM, verdict_fails=faults.verdict_fails)
