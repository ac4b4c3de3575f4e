"""Firmware updates as the hub conducts them: what is under way at each machine, and how the last one ended."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hub.domain.refusals import Refusal

Objection = Callable[[], Awaitable[Refusal | None]]
NOTES_KEPT = 20
RUNS = Refusal(
    "update-runs", "An update of this machine is under way: wait for its end, or end it by giving the lock back.", "Идёт обновление этой машины: дождитесь конца или прервите его, вернув блокировку."
)


@dataclass(frozen=True, slots=True)
class FirmwareAct:
    """Bring a signed image into the machine: carry, prove, try, test and confirm it."""

    version: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UpdateNews:
    """One thing that an update tells; what says nothing is left as it is. `rc` and `words` are there when it is over."""

    phase: str = ""
    carried: int | None = None
    note: str = ""
    slots: Mapping[str, Any] | None = None
    results: Mapping[str, Any] | None = None
    rc: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """One update: whose, of what, how far it is, and how it ended (`rc` is empty until then)."""

    user: str
    event: str
    act: FirmwareAct
    phase: str = "asked"
    carried: int = 0
    notes: tuple[str, ...] = ()
    slots: Mapping[str, Any] | None = None
    results: Mapping[str, Any] | None = None
    rc: str = ""
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self.rc != ""

    def after(self, news: UpdateNews) -> "Update":
        """Return the update with what was told since."""
        told = {
            "phase": news.phase, "carried": news.carried, "slots": news.slots, "results": news.results, "rc": news.rc, "words": news.words,
        }  # fmt: skip
        changed: dict[str, Any] = {name: value for name, value in told.items() if value is not None and value != ""}
        notes = (*self.notes, news.note)[-NOTES_KEPT:] if news.note else self.notes
        return replace(self, notes=notes, **changed)

    def facts(self) -> dict[str, Any]:
        """Return what the page shows of it; who began it stays in the ledger."""
        told = asdict(self)
        return {name: value for name, value in told.items() if name not in ("user", "event")} | {
            "is_over": self.is_over
        }


@dataclass(slots=True)
class Updates:
    """The last update of each machine since this hub started; used from one event loop."""

    _known: dict[str, Update] = field(default_factory=dict)

    def get(self, device: str) -> Update | None:
        """Return the update under way or the last one."""
        return self._known.get(device)

    def begin(self, device: str, update: Update) -> Refusal | None:
        """Take the machine for an update, unless one is under way."""
        known = self._known.get(device)
        if known is not None and not known.is_over:
            return RUNS
        self._known[device] = update
        return None

    def hear(self, device: str, news: UpdateNews) -> Update:
        """Take what an update tells; return how it stands."""
        self._known[device] = self._known[device].after(news)
        return self._known[device]

    def forget(self, device: str) -> None:
        """Let the machine go: the update was not begun."""
        self._known.pop(device, None)
