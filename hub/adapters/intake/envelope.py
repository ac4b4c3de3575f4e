"""What is around a file: size limits, gzip by its magic bytes, and the encoding of its text."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from hub.adapters.intake.errors import IntakeError

MAXIMUM_BYTES = 32 * 2**20
MAXIMUM_UNPACKED_BYTES = 256 * 2**20
GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def unpacked(name: str, data: bytes) -> bytes:
    """Return the content of a file, gunzipped if it is gzip; raise IntakeError when empty, damaged or too large."""
    if not data:
        raise IntakeError(name, "", "", "the file is empty")
    if len(data) > MAXIMUM_BYTES:
        raise IntakeError(name, "", "", f"the file has {len(data)} bytes, more than the limit of {MAXIMUM_BYTES}")
    content = _gunzipped(name, data) if data.startswith(GZIP_MAGIC) else data
    if not content.strip():
        raise IntakeError(name, "", "", "the file is empty")
    return content


def _gunzipped(name: str, data: bytes) -> bytes:
    parts: list[bytes] = []
    room = MAXIMUM_UNPACKED_BYTES
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(data, room + 1))
        except zlib.error as error:
            raise IntakeError(name, "", "", f"the gzip file is damaged ({error})") from error
        room -= len(parts[-1])
        if room < 0:
            raise IntakeError(
                name, "", "", f"the file unpacks to more than the limit of {MAXIMUM_UNPACKED_BYTES} bytes"
            )
        if not member.eof:
            raise IntakeError(name, "", "", "the gzip file is truncated")
        data = member.unused_data
    return b"".join(parts)


def sum_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a seekable file as it was sent."""
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(2**20):
        digest.update(part)
    return digest.hexdigest()


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
        with gzip.GzipFile(fileobj=file, mode="rb") as members:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, members), 2**18))
    except EOFError as error:
        raise IntakeError(name, "", "", "the gzip file is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise IntakeError(name, "", "", f"the gzip file is damaged ({error})") from error


def utf8(name: str, content: bytes) -> bytes:
    """Return the content without a byte order mark; raise IntakeError unless it is UTF-8."""
    text = decoded(name, content, ("utf-8",))
    return text.encode() if content.startswith(b"\xef\xbb\xbf") else content


def decoded(name: str, content: bytes, encodings: Sequence[str]) -> str:
    """Return the text in the first encoding that fits; a UTF-8 mark decides, UTF-16 and binary content are refused."""
    if content.startswith(_UTF16_MARKS):
        raise IntakeError(name, "", "", "the text is UTF-16; it has to be " + " or ".join(encodings))
    if b"\x00" in content:
        raise IntakeError(name, "", "", "the content is binary, not text")
    if content.startswith(b"\xef\xbb\xbf"):
        encodings = ("utf-8-sig",)
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IntakeError(name, "", "", "the text is not " + " or ".join(encodings))
