"""The machine with its firmware, journal and power: cut at any append, whole, torn or not at all, and switched on again."""

import hashlib
import json
import struct
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from simulators.packager.build import Build
from simulators.packager.codec import HELLO, Frame, encode_frame
from simulators.packager.firmware import Firmware
from simulators.packager.journal import Entry, Extent, decode_entries, encode_together
from simulators.packager.memory import Kind, Memory
from simulators.packager.recorder import Recorder
from simulators.packager.world import World
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.oracle import Truth, must
from tests.simulation.machine_link.timeline import Timeline
from tests.simulation.machine_link.wire import Wire

SLOTS = 12
TABLETS_A_CASSETTE = 60_000
DARK_S = (0.2, 20.0)
PICTURE_S = 0.05
JOB_RUN, LABEL_COMMIT = 0x02, 0x22
LOOK = {"colour": "#ffffff", "shape": "round", "size_mm": 8.0}


class PowerCut(Exception):
    """The power goes, in the middle of whatever was being done."""


class Device:
    """One packager; `plug` connects it to a host that takes its bytes, `receive` takes the host's; `plugging` counts the connections."""

    def __init__(self, timeline: Timeline, wire: Wire, faults: Faults, truth: Truth) -> None:
        self.faults = faults
        self.power_cuts = self.doubts = 0
        self._timeline, self._wire, self._truth = timeline, wire, truth
        self._log = bytearray()
        self._firmware: Firmware | None = None
        self._host: Any = None
        self.plugging = 0
        self._alarm = 0
        self._power_on()
        assert self._firmware is not None
        for slot in range(1, SLOTS + 1):
            self._firmware.machine.load({"op": "load", "slot": slot, "cassette": 100 + slot, "item": f"I{slot}", "lot": "L", "count": TABLETS_A_CASSETTE, "look": LOOK})

    @property
    def is_on(self) -> bool:
        """Tell whether there is power."""
        return self._firmware is not None

    @property
    def memory(self) -> Memory:
        """What firmware and mechanics remember."""
        return self._memory

    def plug(self, host: Any) -> None:
        """Connect a host's port (`arrived` takes bytes); a host that was there before hears nothing more."""
        self.plugging += 1
        self._host = host

    def receive(self, data: bytes) -> None:
        """Take bytes off the line; without power nobody hears them."""
        firmware = self._firmware
        if firmware is not None:
            self._run(lambda: firmware.receive(data, self._timeline.now_s, self._timeline.now_s))

    def hear_stale_host(self) -> None:
        """Have an older bridge, with a lower fence, try to open a session: it must not get one."""
        firmware = self._firmware
        if firmware is None or self.memory.fence == 0:
            return
        session = firmware._sid
        hello = encode_frame(Frame(HELLO, 0, self._timeline.chance.randrange(1, 0x10000), 0, struct.pack("<BBI", 1, 1, self.memory.fence - 1)))
        self.receive(hello)
        must(self._firmware is None or firmware._sid == session, "a lower fence opens no session", session)

    def fell(self, job: str, slot: int) -> int:
        """Count, as a person with the pouch in the hand, what fell for a slot of a job."""
        return self._truth.fell[job, slot]

    @property
    def diverted(self) -> set[str]:
        """The jobs whose pouches lie in the reject bin."""
        return self._truth.diverted

    def settle(self) -> None:
        """Have power again, at the latest now."""
        if self._firmware is None:
            self._power_on()

    def _power_on(self) -> None:
        if self._firmware is not None:
            return
        timeline, memory = self._timeline, Memory(World(pouch_name="P"))
        good = 0
        for entry, end in decode_entries(bytes(self._log)):
            memory.apply(entry)
            good = end
        del self._log[good:]
        recorder = Recorder(memory, self._append, self._truth.fact, lambda: 0)
        try:
            self._memory = memory
            self._firmware = Firmware(Build(seed=timeline.seed, cassette_slots=SLOTS), recorder, self._show, "SIM000001")
        except PowerCut:
            self._dark()
            return
        self._watch(self._firmware)
        timeline.note("boot", memory.boot)
        if memory.world.station is not None:
            self._show({})
        self._set_alarm()

    def _watch(self, firmware: Firmware) -> None:
        """Count what is executed: a repeated frame is answered from the reply store and executed never again."""
        execute = firmware._request

        def request(frame: Frame, simulated_now: float) -> bytes:
            must(frame.sid == firmware._sid, "a frame of another session is not executed", frame)
            must(self._wire.was_sent(frame), "no frame is taken that was not sent", frame)
            before = firmware.counters.dup
            jobs = len(self.memory.jobs)
            answer = execute(frame, simulated_now)
            if frame.op == JOB_RUN and len(self.memory.jobs) > jobs:
                self._host.has_begun(frame.payload[:16].hex(), encode_frame(frame))
            if firmware.counters.dup == before:
                key = (self.memory.boot, frame.sid, frame.seq, hash((frame.op, frame.payload)))
                last = self._recent[-1] if self._recent else None
                must(last != key, "a request is executed once for a session and number", frame)
                self._recent.append(key)
                if frame.op == LABEL_COMMIT:
                    self._check_labels()
            return answer

        self._recent: deque[tuple[int, int, int, int]] = deque(maxlen=4)
        firmware._request = request  # type: ignore[method-assign]

    def _check_labels(self) -> None:
        for digest, label in self.memory.labels.items():
            drawn = hashlib.sha256(struct.pack("<HH", label.width, label.height) + zlib.decompress(label.stream)).digest()
            must(drawn == digest, "a committed label is the one that its digest names", digest.hex())

    def _append(self, entries: Sequence[Entry]) -> None:
        """Make entries durable; the power may go before, in the middle of, or right after the writing."""
        data = encode_together(entries)
        if self._timeline.happens(self.faults.power_cut):
            at = self._timeline.chance.choice((0, self._timeline.chance.randrange(len(data)), len(data)))
            self._log += data[:at]
            if at == len(data):
                self._tell(entries)
            raise PowerCut
        self._log += data
        self._tell(entries, facts=False)

    def _tell(self, entries: Sequence[Entry], *, facts: bool = True) -> None:
        """Tell the truth of movements that are durable; their facts come from the recorder unless the power went."""
        for entry in entries:
            if not isinstance(entry, Extent) or entry.kind != Kind.MOVEMENT:
                continue
            movement = json.loads(entry.payload)
            asked = 0
            if movement["op"] == "drop":
                asked = self.memory.jobs[bytes.fromhex(movement["job"])].drops[movement["drop"]].count
            self._truth.movement(movement, asked)
            if facts:
                for fact in self.memory.apply(entry):
                    self._truth.fact(fact)

    def _run(self, deed: Any) -> None:
        try:
            out = deed()
        except PowerCut:
            self._dark()
            return
        self._send(out)
        self._set_alarm()

    def _dark(self) -> None:
        """Lose the power: everything but the journal is gone, also the answer that was under way."""
        self.power_cuts += 1
        self._firmware = None
        self._alarm += 1
        self._timeline.note("dark", len(self._log))
        self._timeline.after(self._timeline.chance.uniform(*DARK_S), self._power_on)

    def _send(self, data: bytes) -> None:
        host, plugging = self._host, self.plugging
        if data and host is not None:
            self._wire.send(data, lambda frame: host.arrived(frame) if plugging == self.plugging or self._stale() else None, f"to the host {plugging}")

    def _stale(self) -> bool:
        """Let bytes of an older plugging through now and then: a serial server keeps them."""
        return self._timeline.happens(self.faults.frame_late)

    def _show(self, scene: dict[str, Any] | None) -> None:
        if scene is not None:
            self._timeline.after(PICTURE_S, self._shown)

    def _shown(self) -> None:
        if self._firmware is not None:
            machine = self._firmware.machine
            self._run(lambda: (machine.scene_shown(self._timeline.now_s), self._tick())[1])

    def _tick(self) -> bytes:
        assert self._firmware is not None
        return self._firmware.tick(self._timeline.now_s, self._timeline.now_s)

    def _set_alarm(self) -> None:
        firmware = self._firmware
        if firmware is None:
            return
        dues = [due for due in (firmware.machine.due, firmware.event_due()) if due is not None]
        if not dues:
            return
        self._alarm += 1
        alarm = self._alarm
        self._timeline.after(max(0.0001, min(dues) - self._timeline.now_s), lambda: self._rang(alarm))

    def _rang(self, alarm: int) -> None:
        if alarm == self._alarm and self._firmware is not None:
            self._run(self._tick)
