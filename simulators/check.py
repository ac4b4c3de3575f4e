"""`dosehub-sim check`: an export of the ledger against what physically happened, by code that shares nothing with the hub."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulators.checking.book import Book
from simulators.checking.chain import read_chain
from simulators.checking.compare import compared
from simulators.checking.lines import Mismatch, against_file
from simulators.checking.plant import Plant


def main(arguments: Sequence[str]) -> int:
    """Print each mismatch as one JSON line and then a summary; return 1 if there was any."""
    options = _options(arguments)
    book, mismatches = read_ledger(options.ledger, unfinished=options.unfinished)
    plant = read_truth(options.truth)
    if options.truth:
        mismatches += [*plant.mismatches, *compared(book, plant)]
    for sheet in options.sheet:
        mismatches += against_file(book.lines, sheet)
    for mismatch in mismatches:
        print(json.dumps(mismatch, ensure_ascii=False))
    print(json.dumps(_summary(book, plant, mismatches)))
    return 1 if mismatches else 0


def read_ledger(path: Path, *, unfinished: bool = False) -> tuple[Book, list[Mismatch]]:
    """Read an export twice (corrections count backwards) and return its book with every contradiction in itself."""
    corrected = frozenset(_corrected(path))
    faults: list[Mismatch] = []
    book = Book(corrected)
    with path.open("rb") as lines:
        book.read(read_chain(lines, faults))
    return book, faults + book.contradictions(unfinished=unfinished)


def read_truth(paths: Sequence[Path]) -> Plant:
    """Read the truth files of all simulators as one."""
    plant = Plant()
    for path in paths:
        with path.open("rb") as lines:
            plant.read(lines)
    return plant


def _corrected(path: Path) -> Iterator[int]:
    with path.open("rb") as lines:
        for entry in read_chain(lines, [{"fact": "told by the other reading"}]):
            corrects = entry["data"].get("corrects")
            if isinstance(corrects, int) and corrects < entry["seq"]:
                yield corrects


def _summary(book: Book, plant: Plant, mismatches: list[Mismatch]) -> dict[str, Any]:
    return {
        "mismatches": len(mismatches),
        "entries": book.entries,
        "head": book.head,
        "doses": len(book.doses),
        "doses_given": sum(story.ends == ["dose-given"] for story in book.doses.values()),
        "packs": len(book.packs),
        "pouches": len(plant.job_of_pouch),
        "handed": len(plant.handed),
        "facts": plant.facts,
    }


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dosehub-sim check", description="Compare a ledger with what physically happened.")
    parser.add_argument("--ledger", type=Path, required=True, help="export of `dosehub ledger export`")
    parser.add_argument("--truth", type=Path, nargs="+", default=[], action="extend", help="truth files of all simulators")
    parser.add_argument("--sheet", type=Path, nargs="+", default=[], action="extend", help="day sheets as they came: every line must have been told of")
    parser.add_argument("--unfinished", action="store_true", help="doses and packs may not have ended yet")
    return parser.parse_args(arguments)
