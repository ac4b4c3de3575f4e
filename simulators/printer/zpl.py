"""Take a ZPL byte stream apart, as it comes in pieces: formats to be printed, and the commands that are obeyed at once.

A caret or tilde begins a command and ends the one before it; in a graphic that is not whole yet it gives the graphic up.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass, field

from PIL import Image

from simulators.printer.parser import RasterImage

COMMAND_LIMIT_BYTES = 1 << 19
HEAD_DOTS, WIDEST_DOTS, HIGHEST_DOTS = 832, 2_400, 32_000
MOST_LABELS = 1_000
CARET, TILDE = 0x5E, 0x7E
_AT_ONCE = (b"~HS", b"~JA", b"~DN", b"^XA", b"^XZ", b"^FS")
_QUIET = (b"^LS", b"^PO", b"^PM", b"^LR", b"^MM", b"^CI", b"^MN", b"^MT", b"^PR", b"^MD", b"^LT", b"^FX", b"~SD", b"~TA", b"~JS")
"""Known and without a part here: speed, darkness, media."""
_GRAPHIC = re.compile(rb"A,(\d{1,6}),(\d{1,6}),(\d{1,5}),(.*)", re.DOTALL)
_PACKED = re.compile(rb":(Z64|B64):([A-Za-z0-9+/=]*):([0-9A-Fa-f]{4})")


@dataclass(frozen=True)
class StatusQuestion:
    """~HS."""


@dataclass(frozen=True)
class CancelAll:
    """~JA."""


@dataclass(frozen=True)
class Page:
    """One format as it is printed: `quantity` times the same dots; `answers` are sent back for each label as it is begun."""

    image: RasterImage
    quantity: int = 1
    answers: tuple[bytes, ...] = ()
    again_after_error: bool = True


Wanted = StatusQuestion | CancelAll | Page


@dataclass
class _Format:
    """What is between ^XA and ^XZ."""

    graphics: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    fields: dict[int, bytes] = field(default_factory=dict)
    verified: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    place: tuple[int, int] = (0, 0)
    number: int | None = None
    escape: bytes = b""
    quantity: int = 1


class ZplParser:
    """Turns bytes into what is wanted; commands that are not known are counted in `unknown_bytes` and passed over."""

    def __init__(self) -> None:
        self.unknown_bytes = 0
        self.spoiled_graphics = 0
        self._buffer = bytearray()
        self._format: _Format | None = None
        self._width, self._height, self._home = HEAD_DOTS, 0, (0, 0)
        self._again_after_error = True

    @property
    def has_open_format(self) -> bool:
        """Tell whether a format was begun and has not ended."""
        return self._format is not None

    @property
    def label_length(self) -> int:
        """Give the length of a label in dots."""
        return self._height

    def feed(self, data: bytes) -> list[Wanted]:
        """Take received bytes; returns what is complete now, in its order."""
        wanted: list[Wanted] = []
        for value in data:
            if value in (CARET, TILDE):
                self._obey(wanted)
            if value not in b"\r\n" and len(self._buffer) < COMMAND_LIMIT_BYTES:
                self._buffer.append(value)
            if len(self._buffer) == 3 and bytes(self._buffer).upper() in _AT_ONCE:
                self._obey(wanted)
        return wanted

    def _obey(self, wanted: list[Wanted]) -> None:
        command, self._buffer = bytes(self._buffer), bytearray()
        if not command:
            return
        name, rest = command[:3].upper(), command[3:]
        if name == b"~HS":
            wanted.append(StatusQuestion())
        elif name == b"~JA":
            self._format = None
            wanted.append(CancelAll())
        elif name == b"^XA":
            self._format = _Format()
        elif name == b"^XZ":
            wanted += self._page()
        elif name in (b"^PW", b"^LL", b"^LH", b"^JZ"):
            self._set(name, rest)
        elif self._format is not None and name in (b"^FO", b"^GF", b"^FN", b"^FD", b"^FH", b"^FS", b"^HV", b"^PQ"):
            self._field(self._format, name, rest)
        elif name not in (b"~DN", *_QUIET):
            self.unknown_bytes += len(command)

    def _set(self, name: bytes, rest: bytes) -> None:
        """Keep a setting; it holds until it is set anew."""
        numbers = _numbers(rest)
        if name == b"^JZ":
            self._again_after_error = rest[:1].upper() != b"N"
        elif name == b"^LH":
            self._home = (numbers[0], numbers[1] if len(numbers) > 1 else 0)
        elif name == b"^PW":
            self._width = min(max(numbers[0], 2), WIDEST_DOTS)
        else:
            self._height = min(max(numbers[0], 1), HIGHEST_DOTS)

    def _field(self, made: _Format, name: bytes, rest: bytes) -> None:
        if name == b"^FO":
            numbers = _numbers(rest)
            made.place = (numbers[0], numbers[1] if len(numbers) > 1 else 0)
        elif name == b"^GF":
            self._graphic(made, rest)
        elif name == b"^FN":
            made.number = _numbers(rest)[0]
        elif name == b"^FD" and made.number is not None:
            made.fields[made.number] = rest
        elif name == b"^FD":
            self.unknown_bytes += len(name + rest)  # text would be drawn by a font, which this printer has not
        elif name == b"^FH":
            made.escape = rest[:1] or b"_"
        elif name == b"^FS":
            made.place, made.number, made.escape = (0, 0), None, b""
        elif name == b"^PQ":
            made.quantity = min(max(_numbers(rest)[0], 1), MOST_LABELS)
        else:
            self._verify(made, rest)

    def _graphic(self, made: _Format, rest: bytes) -> None:
        found = _GRAPHIC.fullmatch(rest)
        bits = _bits(found.group(4)) if found is not None else None
        if found is None or bits is None or len(bits) != int(found.group(2)) or not int(found.group(3)):
            self.spoiled_graphics += 1
            self.unknown_bytes += 3 + len(rest)
        else:
            made.graphics.append((*made.place, int(found.group(3)), bits))

    def _verify(self, made: _Format, rest: bytes) -> None:
        number, length, header, end = (*rest.split(b","), b"", b"", b"", b"")[:4]
        count = _numbers(length)[0] or 64
        made.verified.append((_numbers(number)[0], count, _unescaped(header, made), _unescaped(end, made)))

    def _page(self) -> list[Wanted]:
        made, self._format = self._format, None
        if made is None or not (made.graphics or made.verified):
            return []
        answers = tuple(
            header + made.fields[number][:length] + end
            for number, length, header, end in made.verified
            if number in made.fields
        )
        return [Page(self._drawn(made), made.quantity, answers, self._again_after_error)]

    def _drawn(self, made: _Format) -> RasterImage:
        """Draw the graphics black where either is; what is outside of the label falls off."""
        height = self._height or max((y + len(bits) // row for _, y, row, bits in made.graphics), default=1)
        canvas = Image.new("1", (self._width, height))
        for x, y, row_bytes, bits in made.graphics:
            ink = Image.frombytes("1", (row_bytes * 8, len(bits) // row_bytes), bits)
            canvas.paste(1, (x + self._home[0], y + self._home[1]), ink)
        return RasterImage((self._width + 7) // 8, height, canvas.tobytes())


def _numbers(text: bytes) -> list[int]:
    return [int(part) if part.isdigit() and len(part) < 9 else 0 for part in text.split(b",")]


def _bits(text: bytes) -> bytes | None:
    """Give the bytes of a graphic's data; None for what is not whole, or has another check sum."""
    packed = _PACKED.fullmatch(text)
    try:
        if packed is None:
            return bytes.fromhex(text.decode("ascii"))
        if binascii.crc_hqx(packed.group(2), 0) != int(packed.group(3), 16):
            return None
        data = base64.b64decode(packed.group(2), validate=True)
        return zlib.decompressobj().decompress(data, COMMAND_LIMIT_BYTES) if packed.group(1) == b"Z64" else data
    except (ValueError, zlib.error):
        return None


def _unescaped(text: bytes, made: _Format) -> bytes:
    if not made.escape:
        return text
    return re.sub(re.escape(made.escape) + rb"([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found.group(1).decode()), text)
