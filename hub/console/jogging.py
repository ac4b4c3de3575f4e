"""The dead man's handle: short holds, each one after the answer to the one before, for as long as the console runs.

Whatever ends the console ends the movement: a hold that is not renewed stops the motor within its 300 ms, by the firmware alone.
"""

import time
from datetime import datetime, timedelta

from firmware_bridge.service_contract import JogCommand, ServiceCommand, ServiceEvent
from hub.console.line import Unanswered
from hub.console.options import ConsoleOptions
from hub.console.visit import Visit

HOLD_S = 0.3
RENEW_S = 0.1
LET_GO_S = 0.001
JOG_LASTS = timedelta(seconds=1)
ANSWER_PATIENCE_S = 1.0
TOLD_EVERY_S = 0.5


def jog(visit: Visit) -> None:
    """Hold the handle for as long as was asked; let go at once where that is interrupted or refused."""
    end_s = time.monotonic() + (visit.options.jog_s or 0.0)
    try:
        _hold(visit, end_s)
    except KeyboardInterrupt:
        _let_go(visit)
        raise
    _let_go(visit)


def _hold(visit: Visit, end_s: float) -> None:
    told_s = 0.0
    while (now_s := time.monotonic()) < end_s:
        position = _press(visit, min(HOLD_S, end_s - now_s))
        if now_s >= told_s + TOLD_EVERY_S:
            told_s = now_s
            _tell(visit, position)
        _listen(visit, min(now_s + RENEW_S, end_s))


def _listen(visit: Visit, until_s: float) -> None:
    while (heard := visit.line.next(until_s)) is not None:
        visit.note(heard)


def _let_go(visit: Visit) -> None:
    """Cut the last hold short: a newer one of a millisecond replaces it, and its answer tells where the motor came to stand."""
    _tell(visit, _press(visit, LET_GO_S))


def _tell(visit: Visit, position: object) -> None:
    motor, direction = visit.options.motor
    visit.screen.line(f"{motor} {direction}: position {position}")


def _press(visit: Visit, hold_s: float) -> object:
    """Ask for one hold and return the motor's position; raise Refused, or Unanswered: then the motor stops by itself."""
    hold_ms = max(1, round(hold_s * 1000))
    name = visit.line.command(lambda *head: _jog(visit.options, hold_ms, *head), JOG_LASTS)
    until_s = time.monotonic() + ANSWER_PATIENCE_S
    while (heard := visit.line.next(until_s)) is not None:
        if isinstance(heard, ServiceEvent) and heard.command == name:
            visit.demand(heard)
            return heard.data["position"]
        visit.note(heard)
    raise Unanswered(
        f"no answer within {ANSWER_PATIENCE_S:.0f} s: the motor stops by itself within {HOLD_S * 1000:.0f} ms"
    )


def _jog(options: ConsoleOptions, hold_ms: int, command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    motor, direction = options.motor
    return JogCommand(
        command=command, fence=fence, expires_at=expires_at, motor=motor, direction=direction, hold_ms=hold_ms
    )
