"""What the ledger tells of the lines of each file, and the file itself read by itself: each line exactly one word."""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILES = frozenset({"sheet-received", "changes-received"})
TOLD = frozenset({"line-decided", "order-changed", "order-unchanged"})

Mismatch = dict[str, Any]


class Lines:
    """The lines of every file by the ledger; a line that is judged again later names no file."""

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}
        self.decided: set[str] = set()
        self.told: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take in one entry of `FILES` or `TOLD`; raises KeyError."""
        if kind in FILES:
            self.orders[data["sha256"]] = int(data["orders"])
            return
        if kind == "line-decided":
            self.decided.add(data["order"])
        if data["sha256"] is not None:
            self.told[data["sha256"]][data["position"], data["order"]] += 1

    def contradictions(self) -> list[Mismatch]:
        """Return each file of which more or fewer lines were told than it is said to have had, and each line told of twice."""
        found: list[Mismatch] = []
        for sha256 in sorted(self.orders.keys() | self.told.keys()):
            told = self.told.get(sha256, Counter())
            if len(told) != self.orders.get(sha256):
                found.append({"fact": "lines-told", "sha256": sha256, "ledger": len(told), "file": self.orders.get(sha256)})
            found += [
                {"fact": "line-told", "sha256": sha256, "position": position, "order": order, "times": times}
                for (position, order), times in told.items()
                if times != 1
            ]
        return found


def against_file(lines: Lines, path: Path) -> Iterator[Mismatch]:
    """Compare a sheet with what the ledger told of it: every MedicationRequest by its id, or the number of rows of a CSV."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 not in lines.orders:
        yield {"fact": "sheet-received", "file": path.name, "reason": "the ledger knows of no file with this content"}
        return
    told = Counter(order for (_, order), times in lines.told.get(sha256, Counter()).items() for _ in range(times))
    try:
        expected = orders_in(_unpacked(data))
    except (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error, csv.Error) as error:
        yield {"fact": "sheet-read", "file": path.name, "reason": repr(error)}
        return
    if isinstance(expected, int):
        if told.total() != expected:
            yield {"fact": "sheet-line", "file": path.name, "ledger": told.total(), "truth": expected}
        return
    for order in sorted(told.keys() | expected):
        if told[order] != (order in expected):
            yield {"fact": "sheet-line", "file": path.name, "order": order, "ledger": told[order], "truth": int(order in expected)}


def _unpacked(data: bytes) -> str:
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    try:
        return plain.decode("utf-8-sig")
    except UnicodeDecodeError:
        return plain.decode("cp1251")


def orders_in(text: str) -> set[str] | int:
    """Return the ids of the orders of a Bundle or of NDJSON, or how many rows a CSV has below its head; raises ValueError."""
    if not text.lstrip().startswith("{"):
        return _rows_in(text)
    try:
        whole = json.loads(text)
        resources = [entry["resource"] for entry in whole["entry"]] if whole["resourceType"] == "Bundle" else [whole]
    except json.JSONDecodeError:
        resources = [json.loads(line) for line in text.split("\n") if line.strip()]
    return {resource["id"] for resource in resources if resource["resourceType"] == "MedicationRequest"}


def _rows_in(text: str) -> int:
    head = text.lstrip().split("\n", 1)[0]
    delimiter = max(";,\t", key=head.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cell.strip() for cell in row)]
    return max(0, len(rows) - 1)
