"""What a ZPL printer is asked and says of itself: `~HS` host status and the `^HV` verification of a label, parsed without any port.

What is not told wholly is not known. Newer printers do not answer `~HS` at all without paper or with an open head: silence is UNKNOWN.
"""

import re
from collections import deque
from dataclasses import dataclass, field

from firmware_bridge.printer_status import PrinterStatus, checked_process_id

STATUS_REQUEST = b"~HS"
FORGET = b"~DN~JA~JA"
"""End a graphic that is open, cancel every format and batch; twice, since the first may end a command that was cut off. No answer."""
STATUS_STRINGS = 3
LINE_LIMIT_BYTES = 256
_STX, _ETX, _ENDS = 0x02, 0x03, b"\r\n"
_IDENTITY = re.compile(rb"[0-9A-F]{8}")
_STRINGS = (
    re.compile(r"\d{1,4},[01],[01],\d{1,5},\d{1,4},[01],[01],[01],\d{1,4},[01],[01],[01]"),
    re.compile(r"\d{1,4},[01],[01],[01],[01],[0-9A-Z],\d,[01],\d{1,8},\d,\d{1,4}"),
    re.compile(r"\w{1,4},[01]"),
)


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The three strings of `~HS`, wholly; flags are those that stand at 1, lengths are in dots."""

    interface: int
    paper_out: bool
    paused: bool
    label_length: int
    formats_in_buffer: int
    buffer_full: bool
    diagnostic_mode: bool
    partial_format: bool
    memory_corrupt: bool
    under_temperature: bool
    over_temperature: bool
    functions: int
    head_open: bool
    ribbon_out: bool
    thermal_transfer: bool
    print_mode: str
    print_width_mode: int
    label_waiting: bool
    labels_remaining: int
    format_while_printing: bool
    graphics_stored: int
    password: str
    static_memory: bool

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing waits to be printed: no format, no rest of one, no label of a batch."""
        return not (self.formats_in_buffer or self.partial_format or self.labels_remaining or self.buffer_full)

    @property
    def facts(self) -> PrinterStatus:
        """Return what of it a person has to know; a ribbon counts only where one is printed with."""
        return PrinterStatus(
            online=not self.buffer_full,
            cover_open=self.head_open,
            paper_out=self.paper_out,
            cutter_error=False,
            other_error=self.memory_corrupt or self.under_temperature or self.over_temperature or self.diagnostic_mode,
            ribbon_out=self.ribbon_out and self.thermal_transfer,
            paused=self.paused,
            label_waiting=self.label_waiting,
        )


def parse_host_status(strings: tuple[str, ...]) -> HostStatus | None:
    """Read the strings of one answer, without STX and ETX; None where one is missing or is no status string."""
    if len(strings) != STATUS_STRINGS:
        return None
    if not all(form.fullmatch(string) for form, string in zip(_STRINGS, strings, strict=True)):
        return None
    one, two, three = (string.split(",") for string in strings)
    return HostStatus(
        int(one[0]), one[1] == "1", one[2] == "1", int(one[3]), int(one[4]), one[5] == "1", one[6] == "1", one[7] == "1",
        one[9] == "1", one[10] == "1", one[11] == "1",
        int(two[0]), two[2] == "1", two[3] == "1", two[4] == "1", two[5], int(two[6]), two[7] == "1", int(two[8]),
        two[9] == "1", int(two[10]), three[0], three[1] == "1",
    )  # fmt: skip


def identity(identifier: bytes) -> bytes:
    """Write a process ID as eight hex digits: a caret or tilde in it would be a command."""
    return checked_process_id(identifier).hex().upper().encode()


def verification_request(identifier: bytes) -> bytes:
    """Write the end of a format that prints once and has this ID sent back for the label; raises ValueError.

    The field has a number and no place, so it is on no label.
    """
    return b"^FN1^FD" + identity(identifier) + b"^FS^FH_^HV1,8,,_0D_0A,L^FS^PQ1,0,0,N^XZ"


@dataclass(slots=True)
class ZplAnswers:
    """Sorts what a printer sends, as it comes: status strings, verified labels, anything else."""

    strings: deque[str] = field(default_factory=lambda: deque(maxlen=STATUS_STRINGS))
    verified: set[bytes] = field(default_factory=set)
    unknown_bytes: int = 0
    _pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take what was received; an answer may come in pieces."""
        for value in data:
            self._take(value)

    @property
    def host_status(self) -> HostStatus | None:
        """Return what the strings since the last `strings.clear()` say, None while they are not whole."""
        return parse_host_status(tuple(self.strings))

    def _take(self, value: int) -> None:
        if value == _STX:
            self._drop()
        if value in _ENDS and self._pending[:1] != b"\x02":
            self._line(bytes(self._pending))
            self._pending.clear()
            return
        self._pending.append(value)
        if value == _ETX:
            self._string(bytes(self._pending))
            self._pending.clear()
        elif len(self._pending) >= LINE_LIMIT_BYTES:
            self._drop()

    def _drop(self) -> None:
        self.unknown_bytes += len(self._pending)
        self._pending.clear()

    def _string(self, answer: bytes) -> None:
        if answer[0] == _STX and answer.isascii():
            self.strings.append(answer[1:-1].decode())
        else:
            self.unknown_bytes += len(answer)

    def _line(self, answer: bytes) -> None:
        if _IDENTITY.fullmatch(answer):
            self.verified.add(answer)
        else:
            self.unknown_bytes += len(answer)
