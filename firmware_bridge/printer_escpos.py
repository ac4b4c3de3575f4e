"""What an ESC/POS printer is asked and says of itself: `DLE EOT` status, process-ID and clear answers, parsed without any port.

A bit that was not received is not known: silence is never taken for paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware_bridge.printer_status import PrinterStatus, checked_process_id

STATUS_NUMBERS = (1, 2, 3, 4)
"""Of `DLE EOT n`: printer, cause of being offline, cause of an error, paper roll sensor."""
CLEAR_BUFFERS = bytes.fromhex("10 14 08 01 03 14 01 06 02 08")
"""`DLE DC4` fn 8: forget what waits to be printed; answered by `37 25 00`."""
CLEAR_AFTER_ANYTHING = bytes(8) + CLEAR_BUFFERS
"""The same where a command may be open: the zeros end its header as one without dots, and mean nothing anywhere else."""
FEED_AND_CUT = bytes.fromhex("1B 40 1D 56 42 00")
"""`ESC @`, `GS V 66 0`: feed what is under the head to the cutter and cut it off."""
PENDING_LIMIT_BYTES = 6


def status_request(number: int) -> bytes:
    """Write `DLE EOT n`; n is 1 .. 4."""
    if number not in STATUS_NUMBERS:
        raise ValueError(f"no status {number}")
    return bytes((0x10, 0x04, number))


def is_status_byte(value: int) -> bool:
    """Tell whether a byte is a `DLE EOT` answer: bits 1 and 4 set, bits 0 and 7 clear."""
    return value & 0b1001_0011 == 0b0001_0010


def parse_status(answers: Mapping[int, int]) -> PrinterStatus:
    """Read the answers by their number; one that is missing or no status byte leaves its facts unknown."""
    printer, offline, error, paper = (_checked(answers.get(number)) for number in STATUS_NUMBERS)
    return PrinterStatus(
        online=None if printer is None else not printer & 0x08,
        cover_open=_bit(offline, 0x04),
        paper_out=_either(_bit(offline, 0x20), _bit(paper, 0x60)),
        paper_low=_bit(paper, 0x0C),
        cutter_error=_bit(error, 0x08),
        other_error=_bit(error, 0x64),
    )


def process_id_request(identifier: bytes) -> bytes:
    """Write `GS ( H` fn 48: answer with this ID once everything before it is printed; raises ValueError."""
    return b"\x1d(H\x06\x00\x30\x30" + checked_process_id(identifier)


@dataclass(slots=True)
class AnswerReader:
    """Sorts what a printer sends, as it comes: status bytes, process IDs, clear answers, anything else.

    A raster may hold the bytes of a status request by chance, and printers answer it: status bytes come unasked too.
    """

    last_status: int | None = None
    process_ids: set[bytes] = field(default_factory=set)
    cleared: bool = False
    unknown_bytes: int = 0
    _pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take what was received; an answer may come in pieces."""
        for value in data:
            self._take(value)

    def _take(self, value: int) -> None:
        self._pending.append(value)
        start = bytes(self._pending[:2])
        if start == b"7" or (start == b'7"' and len(self._pending) <= PENDING_LIMIT_BYTES):
            return
        if start == b"7%" and len(self._pending) == 2:
            return
        self._sort(bytes(self._pending))
        self._pending.clear()

    def _sort(self, answer: bytes) -> None:
        if len(answer) == 1 and is_status_byte(answer[0]):
            self.last_status = answer[0]
        elif answer == b"7%\0":
            self.cleared = True
        elif answer.startswith(b'7"') and answer.endswith(b"\0"):
            self.process_ids.add(answer[2:-1])
        else:
            self.unknown_bytes += len(answer)


def _checked(value: int | None) -> int | None:
    return value if value is not None and is_status_byte(value) else None


def _bit(value: int | None, mask: int) -> bool | None:
    return None if value is None else bool(value & mask)


def _either(first: bool | None, second: bool | None) -> bool | None:
    """Join two witnesses: one yes is enough, a no needs both."""
    if first or second:
        return True
    return None if first is None or second is None else False
