"""Which characters the bytes of a message are: MSH-18 says it (HL7 table 0211), or else the bytes and the source do."""

import re

from hub.adapters.intake.hl7.problems import ErrorCode, unreadable

UNSAID = ("", "ASCII", "ISOIR6", "US-ASCII")
_JAPANESE = "iso2022_jp_ext"
_CODECS = {
    "UNICODE": "utf-8-sig",
    "UNICODEUTF-8": "utf-8-sig",
    "UTF-8": "utf-8-sig",
    "UTF8": "utf-8-sig",
    "ISOIR192": "utf-8-sig",
    "CP1251": "cp1251",
    "WINDOWS-1251": "cp1251",
    "WINDOWS1251": "cp1251",
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
    "ISOIR13": _JAPANESE,
    "ISOIR14": _JAPANESE,
    "ISOIR87": _JAPANESE,
    "ISOIR159": _JAPANESE,
    "GB18030-2000": "gb18030",
    "KSX1001": "euc_kr",
    "BIG-5": "big5",
} | {f"8859/{part}": f"iso8859-{part}" for part in range(1, 17) if part != 12}
_FIRST_LINE = re.compile(rb"[^\r\n]{0,4000}")


def declared(data: bytes) -> tuple[str, ...]:
    """Return what MSH-18 of a message says, in capitals without spaces; repetitions that are empty mean ASCII and are left out."""
    first = _FIRST_LINE.match(data)
    fields = first[0].split(data[3:4]) if first and len(data) > 8 else []
    if len(fields) < 18:
        return ()
    mark = fields[1][1:2] or b"~"
    names = fields[17].decode("ascii", "replace").split(mark.decode("latin-1"))
    return tuple(name for name in ("".join(name.split()).upper() for name in names) if name)


def decoded(data: bytes, otherwise: str = "") -> str:
    """Return a message's text; `otherwise` is the codec of a source that says nothing in MSH-18 and does not send UTF-8."""
    names = [name for name in declared(data) if name not in UNSAID]
    for name in names:
        if name not in _CODECS:
            told = f"the character set '{name[:40]}' is not read"
            raise unreadable("MSH", 18, ErrorCode.TABLE_VALUE_NOT_FOUND, told, f"кодировка «{name[:40]}» не читается")
    codecs = tuple(_CODECS[name] for name in names[-1:]) or ("utf-8-sig", *([otherwise] if otherwise else []))
    if codecs == (_JAPANESE,) and not data.isascii():
        codecs = ("utf-8-sig",)  # ISO 2022 has seven bits: these bytes were written anew on their way
    for codec in codecs:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    told = f"the bytes are not of the character set {names[-1] if names else 'UTF-8, and MSH-18 names no other'}"
    told_ru = f"байты не в кодировке {names[-1] if names else 'UTF-8, а MSH-18 другой не называет'}"
    raise unreadable("MSH", 18, ErrorCode.DATA_TYPE, told, told_ru)
