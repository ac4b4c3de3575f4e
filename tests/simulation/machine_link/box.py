"""The bridge's box: the real core, intake and spool between a model of the broker and the wire; it crashes and starts again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from firmware_bridge.broker import HubWatch
from firmware_bridge.contract import DeviceState, decode_state, encode
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.intake import Intake
from firmware_bridge.machine_core import MachineCore, MachineSettings
from firmware_bridge.spool import Spool
from firmware_bridge.surroundings import PortLost
from tests.simulation.machine_link.device import Device
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.oracle import must
from tests.simulation.machine_link.timeline import Timeline
from tests.simulation.machine_link.wire import Wire

DEVICE = "packager-1"
BEGUN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DOWN_S = (0.5, 15.0)
UNPLUGGED_S = (0.2, 10.0)
REQUESTS_KEPT = 1000


class Crash(Exception):
    """The bridge's process ends in the middle of what it was doing."""


class CrashingSpool(Spool):
    """The real spool, at whose commits the process can end: before, so that nothing is written, or right after."""

    def __init__(self, path: Path, timeline: Timeline, faults: Faults) -> None:
        self.faults = faults
        self._timeline = timeline
        super().__init__(path, first_number=1)
        # Only the process dies here, never the disk under it: nothing has to be synced, and nobody else opens the file.
        for pragma in ("locking_mode = EXCLUSIVE", "synchronous = OFF", "journal_mode = MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite.Connection]:
        crash = self._timeline.happens(self.faults.bridge_crash)
        after = crash and self._timeline.happens(0.5)
        with super()._transaction() as db:
            yield db
            if crash and not after:
                raise Crash("before a commit")
        if after:
            raise Crash("after a commit")


    def run_expires_at(self, job: str) -> datetime:
        """Return until when a job may be begun: as the first copy of its order says that was taken, whatever later copies say."""
        (seconds,) = self._connection.execute("SELECT expires_at_s FROM commands WHERE command = ?", (f"run-{job}",)).fetchone()
        return datetime.fromtimestamp(seconds, UTC)


class Box:
    """One bridge for one machine, as the surroundings that its core asks for."""

    def __init__(self, timeline: Timeline, wire: Wire, device: Device, faults: Faults, spool: CrashingSpool, broker: Any) -> None:
        self.faults = faults
        self.crashes = 0
        self._timeline, self._wire, self._device, self._spool, self._broker = timeline, wire, device, spool, broker
        self._core: MachineCore | None = None
        self._is_plugged = True
        self._is_open = False
        self._alarm = 0
        self._asked_at: dict[bytes, datetime] = {}
        broker.box = self
        self._start()

    @property
    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._core is not None

    # What comes from outside

    def arrived(self, data: bytes) -> None:
        """Take bytes off the port."""
        if self._core is not None and self._is_open:
            self._turn(data, set())

    def deliver(self, leaf: str, message: bytes) -> None:
        """Take a message of the broker."""
        if self._core is None:
            return
        try:
            if leaf == "job/cmd":
                self._intake.command(message)
            elif leaf == "job/ack":
                self._intake.acknowledgement(message)
            elif leaf == "svc/cmd":
                self._inbox.leave_service(message)
            elif leaf == "hub/$state":
                self._hub.heard(decode_state(message))
                self._inbox.leave(Sign.HUB)
        except Crash:
            self._crashed()
            return
        self._turn(b"", set())

    def has_begun(self, job: str, request: bytes) -> None:
        """Hear that the machine took a job on a request, which may have been long on its way: by the bridge's clock it was asked in time."""
        asked, until = self._asked_at[request], self._spool.run_expires_at(job)
        must(asked < until, "no command is begun after it has expired", job, asked, until)

    def connection_changed(self) -> None:
        """Hear that the broker was lost or is back."""
        if self._core is not None:
            self._turn(b"", {Sign.BROKER})

    def unplug(self) -> None:
        """Have the cable pulled for a while."""
        self._is_plugged = False
        self._timeline.note("unplugged")
        if self._is_open and self._core is not None:
            self._turn(b"", {Sign.PORT_LOST})
        self._timeline.after(self._timeline.chance.uniform(*UNPLUGGED_S), self.plug)

    def plug(self) -> None:
        """Have the cable back."""
        self._is_plugged = True

    def crash(self) -> None:
        """End the process at a random moment."""
        if self._core is not None:
            self._crashed()

    def settle(self) -> None:
        """Run again, at the latest now."""
        self.plug()
        if self._core is None:
            self._start()

    # The surroundings of the core

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can leave now."""
        return bool(self._broker.bridge_connected)

    @property
    def hub_is_lost(self) -> bool:
        """Tell whether the hub is known to be lost."""
        return self._hub.is_lost

    @property
    def denials(self) -> int:
        """Return how often the broker refused something: this model never does."""
        return 0

    def take_service(self) -> list[bytes]:
        """Return the service commands since the last call."""
        return self._inbox.take_service()

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish a message of this machine."""
        if not self._broker.bridge_connected:
            return False
        self._broker.from_bridge(leaf, message)
        return True

    def publish_state(self, state: str) -> None:
        """Publish a birth."""
        told = DeviceState(state=state, session=f"{self.crashes}", at=self._now())  # type: ignore[arg-type]
        self.publish("$state", encode(told), retain=True)

    def open_port(self) -> None:
        """Open the port; it is not there while the cable is out."""
        if not self._is_plugged:
            raise PortLost("no such device")
        self._is_open = True
        self._device.plug(self)

    def close_port(self) -> None:
        """Close the port."""
        self._is_open = False

    def write(self, data: bytes) -> None:
        """Send bytes to the machine."""
        if not self._is_plugged:
            raise PortLost("unplugged")
        self._asked_at.setdefault(data, self._now())
        if len(self._asked_at) > REQUESTS_KEPT:
            del self._asked_at[next(iter(self._asked_at))]
        self._wire.send(data, self._device.receive, f"to the machine {self._device.plugging}")

    def new_session(self) -> int:
        """Return a random session id."""
        return self._timeline.chance.randrange(1, 0x10000)

    # The process

    def _now(self) -> datetime:
        return BEGUN + timedelta(seconds=self._timeline.now_s + self._timeline.wall_offset_s)

    def _start(self) -> None:
        if self._core is not None:
            return
        self._inbox, self._hub = Inbox(), HubWatch()
        self._intake = Intake(self._spool, DEVICE, self._inbox, self._now)
        try:
            self._core = MachineCore(MachineSettings(DEVICE, "sim:", fence=1), self._spool, self, lambda: None)
        except Crash:
            self._crashed()
            return
        self._broker.bridge_started()

    def _turn(self, data: bytes, signs: set[Sign]) -> None:
        core = self._core
        if core is None:
            return
        _, left = self._inbox.take(0.0)
        try:
            core.turn(data, signs | left, self._timeline.now_s, self._now())
        except Crash:
            self._crashed()
            return
        if self._core is core:
            self._set_alarm(core)

    def _set_alarm(self, core: MachineCore) -> None:
        self._alarm += 1
        alarm = self._alarm
        self._timeline.after(max(0.0005, core.sleep_s(self._timeline.now_s)), lambda: self._rang(alarm))

    def _rang(self, alarm: int) -> None:
        if alarm == self._alarm:
            self._turn(b"", set())

    def _crashed(self) -> None:
        """Lose everything but the spool."""
        self.crashes += 1
        self._core = None
        self._is_open = False
        self._alarm += 1
        self._timeline.note("bridge crashed")
        self._broker.bridge_ended()
        self._timeline.after(self._timeline.chance.uniform(*DOWN_S), self._start)
