"""The dead man's handle: a motor that runs while the handle is held, counted in steps of one millisecond of simulated time."""

POSITIONS = 1 << 32
MOTORS = (1, 2, 3)
HOLD_LIMIT_MS = 500


class Handle:
    """One motor at a time runs, and stops by itself: nothing has to be called for that. `now` is in simulated seconds."""

    def __init__(self) -> None:
        self._positions = dict.fromkeys(MOTORS, 0)
        self._motor = MOTORS[0]
        self._step = 0
        self._since_ms = 0
        self._until_ms = 0

    def press(self, motor: int, step: int, hold_ms: int, now: float) -> int:
        """Let `motor` run by `step` (1 or -1) a millisecond for `hold_ms` from now on; gives where it stands now."""
        self.stop(now)
        self._motor, self._step, self._until_ms = motor, step, self._since_ms + hold_ms
        return self._positions[motor]

    def stop(self, now: float) -> None:
        """Let go."""
        self._positions = self.positions(now)
        self._since_ms = self._until_ms = round(now * 1000)

    def running(self, now: float) -> int:
        """Give the number of the motor that runs, 0 where none does."""
        return self._motor if round(now * 1000) < self._until_ms else 0

    def positions(self, now: float) -> dict[int, int]:
        """Give where each motor stands, by its number."""
        ran_ms = max(0, min(round(now * 1000), self._until_ms) - self._since_ms)
        moved = (self._positions[self._motor] + self._step * ran_ms) % POSITIONS
        return {**self._positions, self._motor: moved}
