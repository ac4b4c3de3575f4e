"""Delimited text as hospitals send it, read line by line: encoding and delimiter told by a map or by the content, faults named by line."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.adapters.intake.errors import IntakeError
from hub.domain.words import Words

UTF8, CP1251 = "utf-8", "windows-1251"
ENCODINGS = (UTF8, CP1251)
DELIMITERS = ";\t,|"
# Longer than any row of a ward's sheet; what is longer is cut off and said to be. Below the csv module's own limit of a field.
LONGEST_LINE = 100_000
_CHUNK = 1 << 20
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_WHERE_IT_GOES_ON = ("unexpected end", "field larger")
# Bytes of Windows-1251 above 7F that Russian text has besides its letters: quotes, dashes, №, ё, degree, non-breaking space ...
_USUAL_SIGNS = bytes([0xA0, 0xA8, 0xB8, 0xAB, 0xBB, 0xB9, 0xB0, 0xB1, 0xB5, 0xB7, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, 0xA7, 0xAE])
_SMALL_THEN_LARGE = re.compile("[а-яё][А-ЯЁ]")
_LARGE_THEN_SMALL = re.compile("[А-ЯЁ][а-яё]")


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a table: the number of its first line, its cells, and why it cannot be trusted (None: it can).

    A `fault` with cells is about the column `column`, and the other cells stand where they belong.
    """

    number: int
    cells: list[str]
    fault: Words | None = None
    column: int | None = None
    is_cut: bool = False


def csv_lines(name: str, content: bytes, *, encoding: str = "", delimiter: str = "", header_row: int = 1) -> Iterator[Line]:
    """Yield the records that hold anything; raise IntakeError where the file as a whole is damaged, cut off or of another encoding.

    A record whose text is damaged, or longer than LONGEST_LINE characters, has a `fault` and no cells; `is_cut` is the last one
    where the file does not end with a line end.
    """
    found = encoding_of(name, content, encoding)
    sign = delimiter or _delimiter_of(name, content, found, header_row)
    text = _Text(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig" if found == UTF8 else found, newline=""))
    reader = csv.reader(text, delimiter=sign, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield _damaged(name, first, reader.line_num, error)
            continue
        if long := text.too_long(first, reader.line_num):
            yield Line(long, [], Words(
                f"the line is longer than {LONGEST_LINE} characters: it was cut off",
                f"строка длиннее {LONGEST_LINE} знаков и обрезана",
            ))
        elif any(cells):
            yield Line(first, cells, is_cut=text.ended_open)


def _damaged(name: str, first: int, last: int, error: csv.Error) -> Line:
    if str(error).startswith(_WHERE_IT_GOES_ON):
        raise IntakeError(name, f"line {first}", "", Words(
            f"the CSV is damaged or cut off ({error})",
            "CSV повреждён или обрывается",
        )) from error
    reach, reach_ru = (f" to line {last}", f" (по строку {last})") if last > first else ("", "")
    return Line(first, [], Words(f"the quotes{reach} are damaged ({error})", f"кавычки повреждены{reach_ru}"))


class _Text:
    """The lines of a stream, none longer than the limit; of one that is longer only an empty line is left, and its number."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._number = 0
        self._long: list[int] = []
        self.ended_open = False

    def __iter__(self) -> "_Text":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self._number += 1
        self.ended_open = not line.endswith(("\n", "\r"))
        if self.ended_open and len(line) == LONGEST_LINE:
            return self._skipped()
        return line

    def _skipped(self) -> str:
        self._long.append(self._number)
        while line := self._stream.readline(_CHUNK):
            if line.endswith(("\n", "\r")):
                break
        self.ended_open = False
        return "\n"

    def too_long(self, first: int, last: int) -> int:
        """Return the number of the line from `first` to `last` that was cut off, or 0."""
        return next((number for number in self._long if first <= number <= last), 0)


def encoding_of(name: str, content: bytes, wanted: str = "") -> str:
    """Return the encoding of a text: the one that is told, checked, or the one that fits; raise IntakeError where none does."""
    if content.startswith(_UTF16_MARKS):
        raise IntakeError(name, "", "", Words(
            "the text is UTF-16; it has to be " + " or ".join(ENCODINGS),
            "текст в UTF-16; нужна кодировка " + " или ".join(ENCODINGS),
        ))
    if b"\x00" in content:
        raise IntakeError(name, "", "", Words("the content is binary, not text", "содержимое двоичное, это не текст"))
    fits = _fits(content, UTF8)
    if wanted == UTF8 or content.startswith(_UTF8_MARK):
        if not fits:
            raise IntakeError(name, "", "", Words(f"the text is not {UTF8}", f"текст не в кодировке {UTF8}"))
        return UTF8
    if wanted == CP1251 and fits and not content.isascii():
        raise IntakeError(name, "", "", Words(
            f"the text is {UTF8}, and its column map says {CP1251}",
            f"текст в {UTF8}, а в карте столбцов указана {CP1251}",
        ))
    if fits and not wanted:
        return UTF8
    if not _fits(content, CP1251):
        raise IntakeError(name, "", "", Words(
            "the text is not " + " or ".join([wanted] if wanted else ENCODINGS),
            "текст не в кодировке " + " или ".join([wanted] if wanted else ENCODINGS),
        ))
    _refuse_other_cyrillic(name, content)
    return CP1251


def _fits(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_other_cyrillic(name: str, content: bytes) -> None:
    """Refuse DOS (CP866) and KOI8-R text, which every reader of Windows-1251 takes without an error and turns into nonsense."""
    sample = content[:_CHUNK]
    high = sample.translate(None, bytes(range(0x80)))
    odd = high.translate(None, bytes(range(0xC0, 0x100)) + _USUAL_SIGNS)
    if len(odd) * 5 > len(high):
        raise IntakeError(name, "", "", Words(
            f"the text is neither {UTF8} nor {CP1251} (CP866?): save it as one of them",
            f"текст не в {UTF8} и не в {CP1251} (CP866?): сохраните его в одной из них",
        ))
    text = sample.decode(CP1251, errors="replace")
    if len(_SMALL_THEN_LARGE.findall(text)) > len(_LARGE_THEN_SMALL.findall(text)):
        raise IntakeError(name, "", "", Words(
            f"the text is neither {UTF8} nor {CP1251} (KOI8-R?): save it as one of them",
            f"текст не в {UTF8} и не в {CP1251} (KOI8-R?): сохраните его в одной из них",
        ))


def _delimiter_of(name: str, content: bytes, encoding: str, header_row: int) -> str:
    """Return the delimiter of the row of headers (of the first row where there are none)."""
    stream = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig" if encoding == UTF8 else encoding, newline="")
    line = ""
    for _ in range(max(header_row, 1)):
        line = stream.readline(LONGEST_LINE)
        while line and not line.strip() and header_row <= 1:
            line = stream.readline(LONGEST_LINE)
    sign = max(DELIMITERS, key=line.count)
    if sign not in line:
        raise IntakeError(name, f"line {max(header_row, 1)}", "", Words(
            "no delimiter (; , | or tab) is in the header: it is no CSV table",
            "в заголовке нет разделителя (; , | или табуляции): это не таблица CSV",
        ))
    return sign
