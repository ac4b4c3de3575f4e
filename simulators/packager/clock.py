"""Simulated time: how fast it runs, and that it can stand still while port and control port go on."""

import time


class Clock:
    """Simulated seconds since the start; `rate` of them pass in a real one. It never runs backwards."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.frozen = False
        self._real = time.monotonic()
        self._simulated = 0.0

    def simulated(self) -> float:
        """Give the simulated seconds since the start."""
        passed_s = 0.0 if self.frozen else (time.monotonic() - self._real) * self.rate
        return self._simulated + passed_s

    def real(self, simulated: float) -> float | None:
        """Give the real time, as `time.monotonic` counts it, of a simulated one; None while time stands still."""
        return None if self.frozen else self._real + (simulated - self._simulated) / self.rate

    def scale(self, rate: float) -> None:
        """Let time run, from now on at `rate` simulated seconds in a real one."""
        self._hold()
        self.rate, self.frozen = rate, False

    def freeze(self, frozen: bool) -> None:
        """Let time stand still, or run on at the rate it had."""
        self._hold()
        self.frozen = frozen

    def _hold(self) -> None:
        self._simulated, self._real = self.simulated(), time.monotonic()
