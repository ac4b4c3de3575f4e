"""The ledger's word against the plant's: each fact that one tells and the other does not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from simulators.checking.book import Amounts, Book, amounts
from simulators.checking.doses import doses_compared
from simulators.checking.lines import Mismatch
from simulators.checking.plant import Plant

_Tally = Counter[tuple[str, ...]]


def compared(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """Yield every mismatch between a ledger and the truth."""
    yield from _quantities(book, plant)
    yield from _pouches(book, plant)
    yield from _labels(book, plant)
    yield from _hands(book, plant)
    yield from _scans(book, plant)
    yield from _broken(book, plant)
    handed = {(_pack(book, plant, kind, name), patient) for kind, name, patient in plant.handed}
    dropped, picked = _contents(book, plant)
    yield from doses_compared(book, handed, amounts() | dropped | picked, plant)


def _contents(book: Book, plant: Plant) -> tuple[Amounts, Amounts]:
    """Return what fell into each pack and what was picked into each, by the truth."""
    digests = plant.digest_of_label
    dropped = _renamed(plant.dropped, lambda job: book.pack_of_job.get(job, f"job {job}"))
    picked = _renamed(plant.picked, lambda label: book.pack_of_label.get(digests.get(label, ""), f"label {label}"))
    return dropped, picked


def _quantities(book: Book, plant: Plant) -> Iterator[Mismatch]:
    dropped, picked = _contents(book, plant)
    yield from _sums("tablet-dropped", "pack", book.dropped, dropped)
    yield from _sums("picked", "pack", book.picked, picked)
    yield from _sums("item-given", "patient", book.given, plant.given)
    yield from _sums("ward-issued", "department", book.issued, plant.issued)
    yield from _sums("cassette-loaded", "cassette", book.loaded, plant.loaded)


def _renamed(told: Amounts, name: Callable[[str], str]) -> Amounts:
    renamed = amounts()
    for (thing, *rest), quantity in told.items():
        renamed[name(thing), *rest] += quantity
    return renamed


def _sums(fact: str, thing: str, ledger: Amounts, truth: Amounts) -> Iterator[Mismatch]:
    for key in sorted(ledger.keys() | truth.keys()):
        told, happened = ledger.get(key, 0), truth.get(key, 0)
        if told != happened:
            named = dict(zip((thing, "item", "lot"), key, strict=True))
            yield {"fact": fact, **named, "ledger": str(told), "truth": str(happened)}


def _pouches(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """One pouch a job; it left the way the ledger says; what the ledger calls produced was cut.

    A pouch that was in doubt is cut to be thrown away: nobody calls it produced, and it is never let out.
    """
    for job, pouches in plant.pouches_of_job.items():
        pack = book.pack_of_job.get(job)
        if len(pouches) > 1 or pack is None or not (book.packs[pack].produced or job in book.doubtful):
            yield {"fact": "pouch-cut", "job": job, "pack": pack, "pouches": pouches}
        for pouch in pouches:
            yield from _way_out(book, plant, pouch, pack)
    for pouch in plant.left.keys() - plant.job_of_pouch.keys():
        yield {"fact": "pouch-cut", "pouch": pouch, "reason": "it left and was never cut"}
    for pack, story in book.packs.items():
        if story.produced and story.job is not None and not plant.pouches_of_job.get(story.job):
            yield {"fact": "pack-produced", "pack": pack, "job": story.job, "reason": "no pouch was cut"}


def _way_out(book: Book, plant: Plant, pouch: str, pack: str | None) -> Iterator[Mismatch]:
    story = book.packs[pack] if pack is not None else None
    doubtful = plant.job_of_pouch[pouch] in book.doubtful
    passed = story is not None and story.verdicts[-1:] == ["PASS"] and not doubtful
    ways = plant.left.get(pouch, [])
    if ways != ["pouch-released" if passed else "pouch-diverted"]:
        yield {"fact": "pouch-released", "pouch": pouch, "pack": pack, "ledger": story.verdicts if story else [], "truth": ways}
    elif story is not None and "pouch-diverted" in ways and set(story.released_by) - {"review"}:
        yield {"fact": "pouch-diverted", "pouch": pouch, "pack": pack, "ledger": story.released_by, "truth": ways}
    elif passed and story is not None and "camera" not in story.released_by and (story.given_to or not story.ends):
        yield {"fact": "pack-released", "pouch": pouch, "pack": pack, "ledger": story.released_by, "truth": ways}


def _labels(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """A released pouch carries the label of its own pack; a picked pack has a label that was printed; what was in doubt may have come out."""
    for pouch, ways in plant.left.items():
        pack = book.pack_of_job.get(plant.job_of_pouch.get(pouch, ""))
        expected = book.packs[pack].label if pack is not None else None
        found = plant.label_on_pouch.get(pouch)
        if "pouch-released" in ways and found != expected:
            yield {"fact": "pouch-labelled", "pouch": pouch, "pack": pack, "ledger": expected, "truth": found}
    printed = set(plant.digest_of_label.values())
    for pack, story in book.packs.items():
        if "picker" in story.released_by and story.label not in printed:
            yield {"fact": "label-printed", "pack": pack, "ledger": story.label, "truth": None}
    for digest in sorted(book.printed - printed):
        yield {"fact": "label-printed", "pack": book.pack_of_label.get(digest), "ledger": digest, "truth": None}
    for digest in sorted(printed - book.printed - book.labels_in_doubt):
        pack = book.pack_of_label.get(digest)
        if pack is None or book.packs[pack].ends != ["pack-never-made"]:
            yield {"fact": "label-printed", "pack": pack, "ledger": None, "truth": digest}


def _hands(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """What was put into a hand, the waste or back on the shelf is what the ledger says of it, as often as it says so."""
    given: _Tally = Counter((pack, patient) for pack, story in book.packs.items() for patient in story.given_to)
    handed: _Tally = Counter((_pack(book, plant, kind, name), patient) for kind, name, patient in plant.handed)
    yield from _counts("pouch-handed", ("pack", "patient"), given, handed)
    for what, names in plant.put_away.items():
        told: _Tally = Counter((pack,) for pack, story in book.packs.items() for end in story.ends if end == f"pack-{what}")
        happened: _Tally = Counter((_pack(book, plant, kind, name),) for kind, name in names)
        yield from _counts(what, ("pack",), told, happened)


def _scans(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """What was scanned before a hand-over: a wristband that is always this patient's, and the serial of this very pack."""
    patient_of: dict[str, str] = {}
    code_of: dict[str, str] = {}
    for kind, name, patient, codes in plant.scanned:
        pack = _pack(book, plant, kind, name)
        wristband = codes[0] if codes else ""
        if codes[1:] != [pack]:
            yield {"fact": "pouch-scanned", "pack": pack, "ledger": pack, "truth": codes[1:]}
        if patient_of.setdefault(wristband, patient) != patient or code_of.setdefault(patient, wristband) != wristband:
            yield {"fact": "wristband-scanned", "pack": pack, "patient": patient, "truth": wristband}


def _broken(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """No pouch with a broken tablet in it is handed to a patient."""
    for kind, name, patient in plant.handed:
        if kind == "pouch" and name in plant.broken:
            yield {"fact": "broken-handed", "pouch": name, "pack": _pack(book, plant, kind, name), "patient": patient}


def _counts(fact: str, names: Iterable[str], ledger: _Tally, truth: _Tally) -> Iterator[Mismatch]:
    for key in sorted(ledger.keys() | truth.keys()):
        if ledger[key] != truth[key]:
            yield {"fact": fact, **dict(zip(names, key, strict=True)), "ledger": ledger[key], "truth": truth[key]}


def _pack(book: Book, plant: Plant, kind: str, name: str) -> str:
    """Return the pack that a pouch or a label is, or its own name where the ledger knows of none."""
    if kind == "pouch":
        return book.pack_of_job.get(plant.job_of_pouch.get(name, ""), f"pouch {name}")
    return book.pack_of_label.get(plant.digest_of_label.get(name, ""), f"label {name}")
