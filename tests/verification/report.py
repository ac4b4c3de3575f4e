"""Makes the tables of `docs/evidence/verification.md` of the outcomes of a run."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from hub.domain.known_bad import clopper_pearson
from hub.domain.picture_figures import PictureRate
from tests.verification.pouches import COUNT_FAULTS, FAULTS, LABEL_FAULTS, LYING_FAULTS, RIGHT, STRATA

Line = dict[str, Any]
NEVER = (*LABEL_FAULTS, *COUNT_FAULTS)
FALSE_FAIL_LIMIT, LOOK_LIMIT, UNSENSED_LIMIT = 0.001, 0.05, 0.01
BINDING = ("single", "apart")
CELL = 300
WHOLE = 100_000
VERDICTS = ("PASS", "LOOK", "FAIL")
RATED = {
    RIGHT: "none", "missing-unsensed": "missing", "extra-unsensed": "extra", "swapped": "swapped", "broken": "broken",
}  # fmt: skip
WORDS = {
    "wrong": "label of another pouch",
    "neighbour": "label of the next pouch",
    "double": "two labels in sight",
    "no-label": "no label",
    "unreadable": "Data Matrix spoilt",
    "revoked": "label made void by a reprint",
    "missing": "a tablet missing, the sensor says so",
    "extra": "a tablet too many, the sensor says so",
    "missing-unsensed": "a tablet missing, the sensor lies",
    "extra-unsensed": "a tablet too many, the sensor lies",
    "swapped": "another tablet in one's place",
    "broken": "a broken tablet",
}


def report(lines: Sequence[Line]) -> tuple[str, bool]:
    """Return the page, and whether no label or count fault passed."""
    lines = [{**line, "stratum": "single" if line["stratum"] == "empty" else line["stratum"]} for line in lines]
    never = [line for line in lines if line["fault"] in NEVER]
    parts = [
        _head(lines),
        _summary(lines, never),
        _right(lines),
        _faults(lines),
        _looks(lines),
        _why(lines),
        _cost(lines),
    ]
    return "\n\n".join(parts) + "\n", bool(never) and not false_passes(lines)


def picture_rates(lines: Iterable[Line]) -> list[PictureRate]:
    """Return the outcomes of what only the picture can find, as the page of references tells them."""
    counted = Counter((line["stratum"], RATED[line["fault"]], line["verdict"]) for line in lines if line["fault"] in RATED)
    cells = dict.fromkeys((lay, fault) for lay in STRATA for fault in RATED.values())
    rates = [PictureRate(*cell, *(counted[*cell, verdict] for verdict in VERDICTS)) for cell in cells]
    return [rate for rate in rates if rate.tried]


def false_passes(lines: Iterable[Line]) -> dict[str, int]:
    """Count the pouches that passed with a fault that no pouch may pass with, by fault."""
    return dict(Counter(line["fault"] for line in lines if line["verdict"] == "PASS" and line["fault"] in NEVER))


def share(hits: int, trials: int) -> str:
    """Say a share with its exact interval at 95 % (Clopper and Pearson); of no hit, what so many trials prove."""
    if not trials:
        return "—"
    if not hits:
        return f"0 of {trials} (< {min(1.0, 3 / trials):.2%})"
    low, high = clopper_pearson(hits, trials)
    return f"{hits} of {trials} = {hits / trials:.2%} ({low:.2%}–{high:.2%})"


def _head(lines: Sequence[Line]) -> str:
    runs = sorted({(line["severity"], line["seed"]) for line in lines})
    commands = "\n".join(
        f"    python -m tests.verification.run --seed {seed} --severity {severity} --from {min(numbers)} --to {max(numbers) + 1}"
        for severity, seed in runs
        if (numbers := [line["number"] for line in lines if (line["severity"], line["seed"]) == (severity, seed)])
    )
    return (
        f"# Verification: what passes, what stops, what is missed\n\n{len(lines):,} simulated pouches with the product's own labels, laid by the simulated camera "
        "and judged by the functions of the camera station. The looks of the tablets were learned from first pouches. Nothing here is a real film, print or camera.\n\n"
        f"{commands}\n    python -m tests.verification.run --report\n\n"
        f"The whole run is `make verification ARGS=\"--pouches {WHOLE} --seed 1\"`; these are {len(lines) / WHOLE:.1%} of it. "
        "Shares are told with their exact interval at 95 % (Clopper and Pearson); where nothing was seen, with the bound of the rule of three. "
        "How the tablets lie is computed from their final outlines: apart are those with 0.8 mm or more between any two."
    )


def _summary(lines: Sequence[Line], never: Sequence[Line]) -> str:
    right = [line for line in lines if line["fault"] == RIGHT and line["stratum"] in BINDING]
    lying = [line for line in lines if line["fault"] in LYING_FAULTS and line["stratum"] in BINDING]
    label = [line for line in never if line["fault"] in LABEL_FAULTS]
    count = [line for line in never if line["fault"] in COUNT_FAULTS]
    return _table(
        ("figure", "goal", "measured", ""),
        [
            (
                "label faults that passed",
                "0",
                share(_count(label, "PASS"), len(label)),
                _held(_count(label, "PASS"), len(label), 0),
            ),
            (
                "count faults that passed, sensor and picture together",
                "0",
                share(_count(count, "PASS"), len(count)),
                _held(_count(count, "PASS"), len(count), 0),
            ),
            (
                "the sensor lies too: missed by the picture alone, single and apart",
                "≤ 1 %",
                share(_count(lying, "PASS"), len(lying)),
                _held(_count(lying, "PASS"), len(lying), UNSENSED_LIMIT),
            ),
            (
                "right pouches that FAIL, single and apart",
                "≤ 0.1 %",
                share(_count(right, "FAIL"), len(right)),
                _held(_count(right, "FAIL"), len(right), FALSE_FAIL_LIMIT),
            ),
            (
                "right pouches that are LOOK, single and apart",
                "≤ 5 %",
                share(_count(right, "LOOK"), len(right)),
                _held(_count(right, "LOOK"), len(right), LOOK_LIMIT),
            ),
        ],
    )


def _held(hits: int, trials: int, limit: float) -> str:
    return "**not held**" if not trials or hits / trials > limit else "held"


def _right(lines: Sequence[Line]) -> str:
    rows = []
    for stratum in STRATA:
        there = [line for line in lines if line["fault"] == RIGHT and line["stratum"] == stratum]
        rows.append((stratum, *(share(_count(there, verdict), len(there)) for verdict in VERDICTS)))
    return "## Right pouches\n\n" + _table(("tablets lie", *VERDICTS), rows)


def _faults(lines: Sequence[Line]) -> str:
    rows = []
    for fault in FAULTS:
        cells = []
        for stratum in STRATA:
            there = [line for line in lines if line["fault"] == fault and line["stratum"] == stratum]
            few = " *" if 0 < len(there) < CELL else ""
            cells.append(share(_count(there, "PASS"), len(there)) + few)
        rows.append((WORDS[fault], *cells))
    note = f"\n\n\\* fewer than {CELL} faults in the cell. A pouch with a tablet too many is never single."
    return "## Faults that passed\n\n" + _table(("fault", *STRATA), rows) + note


def _looks(lines: Sequence[Line]) -> str:
    """Tell of swapped tablets by the look that was expected, and name the pairs that were missed most."""
    swapped, pairs = [line for line in lines if line["fault"] == "swapped"], Counter[str]()
    by_look: dict[str, list[Line]] = defaultdict(list)
    for line in swapped:
        by_look[line["look"]].append(line)
        if line["verdict"] == "PASS":
            pairs[" for ".join((line["other"], line["look"]))] += 1
    rows = [
        (look, *(share(_count(there, verdict), len(there)) for verdict in ("PASS", "FAIL")))
        for look, there in sorted(by_look.items())
    ]
    most = "; ".join(f"{pair} ({count})" for pair, count in pairs.most_common(12)) or "none"
    return (
        f"## Swapped tablets, by the look that was expected\n\nAll looks: {share(_count(swapped, 'PASS'), len(swapped))} missed. "
        f"What was taken for another: {most}.\n\n" + _table(("look", "missed", "FAIL"), rows)
    )


def _why(lines: Sequence[Line]) -> str:
    """Tell for what reasons right pouches did not pass."""
    rows = []
    for stratum in STRATA:
        right = [line for line in lines if line["fault"] == RIGHT and line["stratum"] == stratum]
        counted = Counter(
            f"{line['verdict']} {reason}"
            for line in right
            if line["verdict"] != "PASS"
            for reason in set(line["reasons"])
        )
        rows += [(stratum, reason, share(count, len(right))) for reason, count in counted.most_common(8)]
    return "## Why right pouches did not pass\n\n" + _table(("tablets lie", "verdict and reason", "share"), rows)


def _cost(lines: Sequence[Line]) -> str:
    figures = ", ".join(
        f"{name} {_percentile(lines, key, median):.0f} ms (95 % within {_percentile(lines, key, _p95):.0f} ms)"
        for name, key in (("drawing", "drawing_ms"), ("judging", "judging_ms"))
    )
    return f"CPU of one thread a pouch: {figures}."


def _percentile(lines: Sequence[Line], key: str, of: Callable[[list[float]], float]) -> float:
    return of([line[key] for line in lines]) if lines else 0.0


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _count(lines: Iterable[Line], verdict: str) -> int:
    return sum(line["verdict"] == verdict for line in lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)
