"""What befalls link, power and time on command: routes of the control port that work in the dark too."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from simulators.control import ControlRefusal, Routes
from simulators.packager.clock import Clock
from simulators.packager.disturbance import read_line_faults
from simulators.packager.firmware import Cause
from simulators.packager.hands import Hands, Mailbox
from simulators.packager.loop import Loop, Way
from simulators.packager.power import Cut, Device, PowerLost

RATE_LIMIT = 10_000.0
DARK_LIMIT_S = 86_400.0


def read_members(body: Any, *allowed: str) -> Mapping[str, Any]:
    """Give the body as an object of these members alone; raises ControlRefusal 400."""
    if not isinstance(body, dict) or set(body) - set(allowed):
        raise ControlRefusal(400, f"an object with the members {', '.join(allowed)}")
    return body


def read_seconds(body: Mapping[str, Any], name: str) -> float | None:
    """Read a time in real seconds; None where it is left out, which means: until somebody ends it."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= DARK_LIMIT_S:
        raise ControlRefusal(400, f"{name} is a number of seconds from 0 to {DARK_LIMIT_S:.0f}")
    return float(value)


def read_count(body: Mapping[str, Any], name: str, least: int) -> int:
    """Read a whole number from `least` on."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ControlRefusal(400, f"{name} is a whole number from {least}")
    return value


def read_cut(body: Mapping[str, Any]) -> Cut:
    """Read a cut "at-append"."""
    torn = None if body.get("torn") is None else read_count(body, "torn", 0)
    return Cut(read_count(body, "k", 1), torn, read_seconds(body, "dark_s"))


class Mishaps:
    """The routes; each is carried out by the machine's own thread."""

    def __init__(self, way: Way, device: Device, loop: Loop, clock: Clock, hands: Hands, mailbox: Mailbox) -> None:
        self._way = way
        self._device = device
        self._loop = loop
        self._clock = clock
        self._hands = hands
        self._mailbox = mailbox

    def routes(self) -> Routes:
        """Give the routes for the control server."""
        return {("GET", "/state"): self._by_loop(lambda body: self.state())} | {
            ("POST", path): self._by_loop(work) for path, work in (
                ("/line", self._line), ("/unplug", self._unplug), ("/plug", self._plug), ("/power", self._power),
                ("/time", self._time))}

    def _by_loop(self, work: Callable[[Any], Any]) -> Callable[[Mapping[str, str], Any], Any]:
        return lambda values, body: self._mailbox.call(lambda: work(body))

    def state(self) -> dict[str, Any]:
        """Tell of link, power and time, and of the machine where it has power."""
        around = {**self._power_seen(), "line": self._line_seen(), "time": self._time_seen()}
        return around | (self._hands.state() if self._device.powered else {})

    def _line(self, body: Any) -> dict[str, Any]:
        try:
            faults = read_line_faults(read_members(body, "lost", "flipped", "twice", "late", "late_s"))
        except ValueError as error:
            raise ControlRefusal(400, str(error)) from None
        self._way.disturb(faults)
        return self._line_seen()

    def _unplug(self, body: Any) -> dict[str, Any]:
        seconds = read_seconds(read_members({} if body is None else body, "seconds"), "seconds")
        self._way.unplug(None if seconds is None else time.monotonic() + seconds)
        return self._line_seen()

    def _plug(self, body: Any) -> dict[str, Any]:
        try:
            self._way.plug()
        except OSError as error:
            raise ControlRefusal(409, f"the port cannot come back: {error}") from None
        return self._line_seen()

    def _power(self, body: Any) -> dict[str, Any]:
        wanted = read_members(body, "cut", "k", "torn", "dark_s", "on")
        match wanted:
            case {"on": True, **more} if not more:
                self._loop.switch_on()
            case {"cut": "now", **more} if set(more) <= {"dark_s"}:
                self._loop.go_dark(PowerLost(read_seconds(wanted, "dark_s"), Cause.POWER_ON))
            case {"cut": "at-append", **more} if "on" not in more:
                self._device.fuse.order(read_cut(wanted))
            case {"cut": None, **more} if not more:
                self._device.fuse.order(None)
            case _:
                raise ControlRefusal(400, 'cut is "at-append", "now" or null (calls an ordered one off), or else on is true')
        return self._power_seen()

    def _time(self, body: Any) -> dict[str, Any]:
        wanted = read_members(body, "scale", "frozen")
        scale, frozen = wanted.get("scale"), wanted.get("frozen")
        if len(wanted) != 1 or not (isinstance(frozen, bool) or _is_rate(scale)):
            raise ControlRefusal(400, f"either scale, above 0 and at most {RATE_LIMIT:.0f}, or frozen, true or false")
        if isinstance(frozen, bool):
            self._clock.freeze(frozen)
        else:
            self._clock.scale(float(wanted["scale"]))
        return self._time_seen()

    def _power_seen(self) -> dict[str, Any]:
        cut, back = self._device.fuse.cut, self._loop.on_at
        ordered = None if cut is None else {"k": self._device.fuse.left, "torn": cut.torn, "dark_s": cut.dark_s}
        return {"power": "on" if self._device.powered else "off", "power_cut": ordered, "power_back_in_s": _in_s(back)}

    def _line_seen(self) -> dict[str, Any]:
        return {**self._way.seen(), "back_in_s": _in_s(self._way.plug_at)}

    def _time_seen(self) -> dict[str, Any]:
        return {"scale": self._clock.rate, "frozen": self._clock.frozen, "simulated_s": round(self._clock.simulated(), 6)}


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= RATE_LIMIT


def _in_s(at: float | None) -> float | None:
    return None if at is None else max(0.0, at - time.monotonic())
