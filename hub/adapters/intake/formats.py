"""What a file is, told by its first bytes and never by its name."""

import zlib

from hub.adapters.intake.envelope import GZIP_MAGIC
from hub.adapters.intake.errors import IntakeError
from hub.domain.feeds import SheetFormat
from hub.domain.words import Words

_LOOKED_AT = 64 * 1024
_MARK = b"\xef\xbb\xbf"
_HL7_STARTS = (b"MSH", b"\x0bMSH", b"FHS", b"BHS")


def format_of(name: str, data: bytes) -> SheetFormat:
    """Return the format of a file, also of a gzip; what is neither FHIR nor HL7 v2 can only be a table."""
    head = _head(name, data).removeprefix(_MARK).lstrip()
    if head.startswith(b"{"):
        return SheetFormat.FHIR
    return SheetFormat.HL7 if head.startswith(_HL7_STARTS) else SheetFormat.TABLE


def is_changes_feed(name: str, data: bytes) -> bool:
    """Tell whether a file is NDJSON of dated changes and no sheet: its first line has `at` and a `resource`."""
    first = _head(name, data).removeprefix(_MARK).lstrip().partition(b"\n")[0][:2000]
    return first.startswith(b"{") and b'"at"' in first and b'"resource"' in first and not first.lstrip(b"{ ").startswith(b'"resourceType"')


def _head(name: str, data: bytes) -> bytes:
    if not data.startswith(GZIP_MAGIC):
        return data[:_LOOKED_AT]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _LOOKED_AT)
    except zlib.error as error:
        raise IntakeError(name, "", "", Words(f"the gzip file is damaged ({error})", "архив gzip повреждён")) from error
