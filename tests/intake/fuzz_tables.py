"""Feed damaged tables and column maps to their readers: each is read whole or refused with a reason; `python -m tests.intake.fuzz_tables`."""

import argparse
import io
import random
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable

from hub.adapters.intake.column_map import ColumnMap
from hub.adapters.intake.column_map_file import column_map_named, read_column_map
from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.errors import IntakeError
from hub.domain.orders import OrderSheet
from tests.intake.ward_tables import DIRECTORY, FREE, HEADER, MOSCOW, ROW, text, workbook
from tests.said import english

OTHER = ROW.replace("26-1", "26-2").replace("Ильина Анна Львовна", "Носов Лев").replace("1;;1/2;", ";;;1-0-1")
PIECES = [b"\x00", b"\xff", b'"', b";", b"\n", b"\r", b"-", b"1/0", b"\xd0", "½".encode(), b"9" * 40, b"1900-01-01", b"=1+1", b" ", b"{", b"[", b": ", b"&a", b"*a"]


SIGNS = ['"', ";", "\n", "\r\n", "-", "1/0", "½", "9" * 40, "01.01.1900", "=1+1", "  ", "\u2028", "1-0-1", "1,125", "2001-01-01", ">", "<f>", "я", "/", "?"]


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Return data with a few bytes dropped, doubled, replaced, moved or cut off."""
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.randint(0, 12))
        piece = chance.choice([b"", chance.choice(PIECES), chance.randbytes(chance.randint(1, 4)), data[place:end] * 2])
        data = data[:place] + piece + data[end:]
    return data[: chance.randrange(len(data) + 1)] if chance.random() < 0.1 else data


def damaged_text(chance: random.Random, data: bytes, encoding: str) -> bytes:
    """Return data damaged letter by letter, so that its encoding stays whole and the damage reaches the cells."""
    letters = data.decode(encoding)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(letters) + 1)
        piece = chance.choice(["", chance.choice(SIGNS), letters[place : place + chance.randint(1, 20)] * 2])
        letters = letters[:place] + piece + letters[place + chance.randint(0, 6) :]
    return letters.encode(encoding, errors="replace")


def damaged_sheet(chance: random.Random, data: bytes) -> bytes:
    """Return a workbook whose sheet is damaged inside a whole archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, damaged_text(chance, part, "utf-8") if name.endswith("sheet1.xml") else part)
    return stream.getvalue()


def judge(sheet: OrderSheet, rows: int) -> str:
    """Return what became of a sheet; raise where a row is lost without a word or two lines have one id."""
    ids = {line.id for line in sheet.lines}
    assert len(ids) == len(sheet.lines) and (sheet.lines or sheet.rejects)
    assert all(line.position and line.dosages for line in sheet.lines) and all(english(reject.reason) for reject in sheet.rejects)
    assert all(len(english(line.unsupported)) == len(line.unsupported) and bool(english(line.unreadable)) == (line.unreadable is not None) for line in sheet.lines)
    told = sum(line.position.count(",") + 1 + line.note.count("once more") for line in sheet.lines) + len(sheet.rejects)
    assert told <= rows
    return "read" if not sheet.rejects else "read in part"


def main() -> int:
    """Run; an exception or a failed assertion ends the run with its traceback, and the seed repeats it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="damaged inputs for all readers together")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, fates, started_s = random.Random(options.seed), Counter[str](), time.monotonic()
    book = workbook(HEADER.split(";"), [cell or None for cell in ROW.split(";")])
    russian = column_map_named("ward-cp1251")
    yaml = b"encoding: utf-8\nheader_row: 2\ncolumns: {drug: [A, 2], dose: {letter: C}}\npatterns:\n  place: ['{room}/{bed}']\ndates: ['%d.%m.%y']\n"

    def sheet(data: bytes, columns: ColumnMap) -> str:
        return judge(read_day_sheet("f", data, FREE, DIRECTORY, zone=MOSCOW, columns=columns), data.count(b"\n") + data.count(b"\r") + 2)

    def column_map(data: bytes) -> str:
        read_column_map("m.yaml", data)
        return "read"

    title = b"\n\n" + "Палата/койка;Больной;№ ИБ;МНН;Дозировка;Форма;Разовая доза;Способ;Кратность (у-о-в-н);Дата назн.;Срок;Cito;Лечащий врач\n101/2;Ильина А, 03.10.1965 г.р.;26-1;Варфарин;2,5 мг;таб;1 таб;per os;1-0-1;05.03.26;5 дней;;Б\n;;;Варфарин;2,5 мг;таб;1 таб;per os;1-0-1;05.03.26;5 дней;;\n".encode("cp1251")
    default = ColumnMap()
    targets: tuple[tuple[str, int, bytes, Callable[[random.Random, bytes], bytes], Callable[[bytes], str]], ...] = (
        ("csv, bytes", 10, text(ROW, OTHER).encode(), damaged, lambda data: sheet(data, default)),
        ("csv, letters", 50, text(ROW, OTHER).encode(), lambda by, data: damaged_text(by, data, "utf-8"), lambda data: sheet(data, default)),
        ("mapped csv, letters", 25, title, lambda by, data: damaged_text(by, data, "cp1251"), lambda data: sheet(data, russian)),
        ("column map, bytes", 8, yaml, damaged, column_map),
        ("workbook, bytes", 2, book, damaged, lambda data: sheet(data, default)),
        ("workbook, its sheet", 5, book, damaged_sheet, lambda data: sheet(data, default)),
    )  # fmt: skip
    names = [target for target in targets for _ in range(target[1])]
    for _ in range(options.inputs):
        name, _, whole, damage, read = chance.choice(names)
        try:
            fate = read(damage(chance, whole))
        except IntakeError as error:
            assert english(error.reason)
            fate = "refused"
        fates[f"{name}: {fate}"] += 1
    spent_s = time.monotonic() - started_s
    sys.stdout.write("\n".join(f"{fate:32} {count:>9,}" for fate, count in sorted(fates.items())) + f"\nseed {options.seed}, {spent_s:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
