"""Work that follows from the state: each worker looks at what waits, does it, and sleeps until something was committed."""

import logging
import threading
from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)
IDLE_S = 5.0
AFTER_FAILURE_S = 1.0


class Worker:
    """One thread that calls `work` again and again while it says True, then waits for a commit (or `idle_s`).

    `watches` names the tables whose change can bring work; `rests_s` is how long the thread rests before it looks again, so that
    work that is not urgent takes no time from scans. `work` must be safe to repeat: after a crash it finds what waits in the
    store again.
    """

    def __init__(self, name: str, work: Callable[[], bool], watches: Iterable[str], rests_s: float = 0.0, idle_s: float = IDLE_S) -> None:
        self._work = work
        self._watches = frozenset(watches)
        self._rests_s = rests_s
        self._idle_s = idle_s
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self, touched: frozenset[str]) -> None:
        """Tell that something was committed to these tables."""
        if not self._wake.is_set() and not self._watches.isdisjoint(touched):
            self._wake.set()

    def stop(self) -> None:
        """End after the piece of work at hand."""
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            try:
                more = self._work()
            except Exception:  # noqa: BLE001 a worker outlives any single failure; the work still waits in the store
                _log.exception("worker %s failed; trying again", self._thread.name)
                self._ending.wait(AFTER_FAILURE_S)
                continue
            if not more:
                self._ending.wait(self._rests_s)
                self._wake.wait(self._idle_s)
