"""What is around messages: several in one file or frame, bytes before them, batches with their counts."""

import re
from dataclasses import dataclass

from hub.domain.words import Words

_SIGN = rb"[!-/:-@\[-`{-\xff]"
_START = re.compile(rb"(?:\A|(?<=[\r\n\x0b\x1c]))[ \t\xef\xbb\xbf]*(MSH)(?=" + _SIGN + rb"[^\r\n]{2})")
_FIRST = re.compile(rb"(MSH)(?=" + _SIGN + rb"[^\r\n]{2})")
_BATCH_LINE = re.compile(rb"(?:\A|[\r\n\x0b])(FHS|BHS|BTS|FTS)(" + _SIGN + rb"[^\r\n\x1c]*)?(?=[\r\n\x1c]|\Z)")
_FRAMING = b"\x0b\x1c\r\n\x00 \t"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The messages of some bytes; `before` is what stood before the first, `doubt` why they may not be all (None: they are).

    `is_batch`: a batch (FHS, BHS) holds them together.
    """

    messages: tuple[bytes, ...]
    before: str = ""
    doubt: Words | None = None
    is_batch: bool = False


def looks_like_hl7(data: bytes) -> bool:
    """Tell whether some bytes begin as a message, a batch or a frame of HL7 v2."""
    head = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")[:4]
    return data[:1] == b"\x0b" or (head[:3] in (b"MSH", b"FHS", b"BHS") and not head[3:4].isalnum() and len(head) == 4)


def opened(data: bytes) -> Envelope:
    """Return the messages of a file or of one frame."""
    if data.startswith(b"MSH") and data.count(b"MSH") == 1 and b"TS" + data[3:4] not in data:
        return Envelope((data.strip(_FRAMING),))
    starts = [match.start(1) for match in _START.finditer(data)]
    first = _FIRST.search(data)
    if first is None:
        return Envelope((), _shown(data))
    if first.start(1) not in starts:
        starts.insert(0, first.start(1))
    parts = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    before = _BATCH_LINE.sub(b"", data[: starts[0]])
    marks = _BATCH_LINE.findall(data) if any(sign in data for sign in (b"FHS", b"BHS", b"BTS", b"FTS")) else []
    messages = tuple(_BATCH_LINE.sub(b"", part).strip(_FRAMING) for part in parts) if marks else tuple(part.strip(_FRAMING) for part in parts)
    return Envelope(messages, _shown(before), _doubt(marks, len(messages)), bool(marks))


def _shown(data: bytes) -> str:
    return data.strip(_FRAMING + b"\xef\xbb\xbf").decode("utf-8", "replace")[:200]


def _doubt(marks: list[tuple[bytes, bytes]], found: int) -> Words | None:
    names = [name for name, _ in marks]
    for opening, closing in ((b"FHS", b"FTS"), (b"BHS", b"BTS")):
        if names.count(opening) > names.count(closing):
            return Words(
                f"{opening.decode()} has no {closing.decode()}: the batch is cut off",
                f"у {opening.decode()} нет {closing.decode()}: пакет сообщений обрывается",
            )
    counted = [rest[1:].split(rest[:1])[0] for name, rest in marks if name == b"BTS" and rest]
    counts = [int(text) for text in counted if text.isdigit() and len(text) < 10]
    if counts and len(counts) == names.count(b"BTS") and sum(counts) != found:
        return Words(
            f"the batch says that it has {sum(counts)} messages (BTS-1), and {found} are there",
            f"в пакете заявлено сообщений: {sum(counts)} (BTS-1), а есть {found}",
        )
    return None
