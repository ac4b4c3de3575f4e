"""What is around a file: size limits, gzip by its magic bytes, and the encoding of its text."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from hub.adapters.intake.errors import IntakeError
from hub.domain.words import Words

MAXIMUM_BYTES = 32 * 2**20
MAXIMUM_UNPACKED_BYTES = 256 * 2**20
# A stream is not held, but somebody waits while it is read: about a million orders.
MAXIMUM_STREAM_BYTES = 2**30
GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def unpacked(name: str, data: bytes) -> bytes:
    """Return the content of a file, gunzipped if it is gzip; raise IntakeError when empty, damaged or too large."""
    if not data:
        raise IntakeError(name, "", "", Words("the file is empty", "файл пуст"))
    if len(data) > MAXIMUM_BYTES:
        raise IntakeError(name, "", "", Words(
            f"the file has {len(data)} bytes, more than the limit of {MAXIMUM_BYTES}",
            f"в файле {len(data)} байт, больше предела {MAXIMUM_BYTES}",
        ))
    content = _gunzipped(name, data) if data.startswith(GZIP_MAGIC) else data
    if not content.strip():
        raise IntakeError(name, "", "", Words("the file is empty", "файл пуст"))
    return content


def _gunzipped(name: str, data: bytes) -> bytes:
    parts: list[bytes] = []
    room = MAXIMUM_UNPACKED_BYTES
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(data, room + 1))
        except zlib.error as error:
            raise IntakeError(name, "", "", Words(f"the gzip file is damaged ({error})", "архив gzip повреждён")) from error
        room -= len(parts[-1])
        if room < 0:
            raise IntakeError(
                name, "", "", Words(
                    f"the file unpacks to more than the limit of {MAXIMUM_UNPACKED_BYTES} bytes",
                    f"распакованный файл больше предела в {MAXIMUM_UNPACKED_BYTES} байт",
                )
            )
        if not member.eof:
            raise IntakeError(name, "", "", Words("the gzip file is truncated", "архив gzip обрывается"))
        data = member.unused_data
    return b"".join(parts)


def sum_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a seekable file as it was sent."""
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(2**20):
        digest.update(part)
    return digest.hexdigest()


class _Members(gzip.GzipFile):
    """The content of a gzip file, as far as a stream may be long."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._name = name

    def read(self, size: int | None = -1) -> bytes:
        """Return the next part; raise IntakeError where all of them are too much."""
        part = super().read(size)
        if self.tell() > MAXIMUM_STREAM_BYTES:
            raise IntakeError(
                self._name, "", "", Words(
                    f"the file unpacks to more than the limit of {MAXIMUM_STREAM_BYTES} bytes",
                    f"распакованный файл больше предела в {MAXIMUM_STREAM_BYTES} байт",
                )
            )
        return part


@contextmanager
def opened(name: str, file: BinaryIO) -> Iterator[BinaryIO]:
    """Give a seekable file's content as a stream, gunzipped if it is gzip; damage that comes up while it is read is an IntakeError."""
    file.seek(0)
    is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    if not is_gzip:
        yield file
        return
    try:
        with _Members(name, file) as members:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, members), 2**18))
    except EOFError as error:
        raise IntakeError(name, "", "", Words("the gzip file is truncated", "архив gzip обрывается")) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise IntakeError(name, "", "", Words(f"the gzip file is damaged ({error})", "архив gzip повреждён")) from error


def utf8(name: str, content: bytes) -> bytes:
    """Return the content without a byte order mark; raise IntakeError unless it is UTF-8."""
    text = decoded(name, content, ("utf-8",))
    return text.encode() if content.startswith(b"\xef\xbb\xbf") else content


def decoded(name: str, content: bytes, encodings: Sequence[str]) -> str:
    """Return the text in the first encoding that fits; a UTF-8 mark decides, UTF-16 and binary content are refused."""
    if content.startswith(_UTF16_MARKS):
        raise IntakeError(name, "", "", Words(
            "the text is UTF-16; it has to be " + " or ".join(encodings),
            "текст в UTF-16; нужна кодировка " + " или ".join(encodings),
        ))
    if b"\x00" in content:
        raise IntakeError(name, "", "", Words("the content is binary, not text", "содержимое двоичное, это не текст"))
    if content.startswith(b"\xef\xbb\xbf"):
        encodings = ("utf-8-sig",)
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IntakeError(name, "", "", Words("the text is not " + " or ".join(encodings), "текст не в кодировке " + " или ".join(encodings)))
