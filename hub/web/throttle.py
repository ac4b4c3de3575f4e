"""Slows guessing of PINs down: after five wrong ones in a row a badge waits 1, then 5, then 15 minutes (OWASP ASVS 6.3.1)."""

from dataclasses import dataclass, field

FREE_TRIES = 5
WAITS_S = (60.0, 300.0, 900.0)
BADGES_AT_MOST = 10_000


@dataclass
class _Failures:
    count: int = 0
    until_s: float = 0.0


@dataclass
class SignInGuard:
    """Counts wrong PINs by badge, in memory; times are monotonic seconds and passed in."""

    _failures: dict[str, _Failures] = field(default_factory=dict)

    def wait_s(self, badge: str, now_s: float) -> float:
        """Return how long a badge must wait before its next try; 0 where it may try now."""
        failures = self._failures.get(badge)
        return max(0.0, failures.until_s - now_s) if failures is not None else 0.0

    def wrong(self, badge: str, now_s: float) -> None:
        """Count a wrong PIN."""
        if badge not in self._failures and len(self._failures) >= BADGES_AT_MOST:
            self._failures.pop(next(iter(self._failures)))
        failures = self._failures.setdefault(badge, _Failures())
        failures.count += 1
        if failures.count >= FREE_TRIES:
            failures.until_s = now_s + WAITS_S[min(failures.count - FREE_TRIES, len(WAITS_S) - 1)]

    def right(self, badge: str) -> None:
        """Forget the wrong ones."""
        self._failures.pop(badge, None)
