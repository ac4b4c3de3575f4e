"""What physically happened, by the truth files of all simulators together."""

import json
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from simulators.checking.book import amounts
from simulators.checking.lines import Mismatch

_WHERE = ("pouch", "label")


class Plant:
    """Reads facts in any order. A pack is named by what people hold: ("pouch", id) or ("label", id)."""

    def __init__(self) -> None:
        self.facts = 0
        self.mismatches: list[Mismatch] = []
        self.dropped, self.picked, self.given, self.loaded = amounts(), amounts(), amounts(), amounts()
        self.issued = amounts()
        self.broken: set[str] = set()
        self.scanned: list[tuple[str, str, str, list[str]]] = []
        self.job_of_pouch: dict[str, str] = {}
        self.pouches_of_job: defaultdict[str, list[str]] = defaultdict(list)
        self.left: defaultdict[str, list[str]] = defaultdict(list)
        self.label_on_pouch: dict[str, str] = {}
        self.digest_of_label: dict[str, str] = {}
        self.handed: list[tuple[str, str, str]] = []
        self.put_away: dict[str, list[tuple[str, str]]] = {"destroyed": [], "restocked": []}

    def read(self, lines: Iterable[bytes]) -> None:
        """Take in every fact; one that cannot be understood is a mismatch, one of another kind is left alone."""
        for number, line in enumerate(lines, start=1):
            self.facts += 1
            try:
                fact = json.loads(line)
                self._take(fact["what"], fact)
            except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
                self.mismatches.append({"fact": "truth-line", "line": number, "reason": repr(error)})

    def _take(self, what: str, fact: dict[str, Any]) -> None:
        if what in ("tablet-dropped", "picked", "item-given", "cassette-loaded", "ward-issued"):
            self._quantity(what, fact)
        elif what == "pouch-cut":
            self.job_of_pouch[fact["pouch"]] = fact["job"]
            self.pouches_of_job[fact["job"]].append(fact["pouch"])
        elif what in ("pouch-released", "pouch-diverted"):
            self.left[fact["pouch"]].append(what)
        elif what == "pouch-labelled":
            self.label_on_pouch[fact["pouch"]] = fact["digest"]
        elif what == "label-printed" and "label" in fact:
            self.digest_of_label[fact["label"]] = fact["digest"]
        elif what == "pouch-handed":
            self.handed.append((*_named(fact), fact["patient"]))
            self.scanned.append((*_named(fact), fact["patient"], fact["codes"]))
        elif what in self.put_away:
            self.put_away[what].append(_named(fact))

    def _quantity(self, what: str, fact: dict[str, Any]) -> None:
        item, lot, quantity = fact["item"], fact["lot"], Fraction(fact["quantity"])
        if what == "tablet-dropped":
            self.dropped[fact["job"], item, lot] += quantity
            if fact.get("broken"):
                self.broken.add(fact["pouch"])
        elif what == "picked":
            self.picked[fact["label"], item, lot] += quantity
        elif what == "item-given":
            self.given[fact["patient"], item, lot] += quantity
        elif what == "ward-issued":
            self.issued[fact["department"], item, lot] += quantity
        else:
            self.loaded[str(fact["cassette"]), item, lot] += quantity


def _named(fact: dict[str, Any]) -> tuple[str, str]:
    kind = next(kind for kind in _WHERE if kind in fact)
    return kind, fact[kind]
