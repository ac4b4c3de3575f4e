"""`python -m tests.benchmarks [plan] [expand] [fhir] [intake] [scan] [ledger] [link] [mllp] [chain] [camera] [label] [day]`: measures what is named, or everything, and prints one table."""

import argparse
import os
import sys

from tests.benchmarks import (
    bench_camera,
    bench_chain,
    bench_day,
    bench_expand,
    bench_fhir,
    bench_intake,
    bench_label,
    bench_ledger,
    bench_link,
    bench_mllp,
    bench_plan,
    bench_scan,
)
from tests.benchmarks.figures import Figure, print_table

PARTS = {
    "plan": bench_plan.figures,
    "expand": bench_expand.figures,
    "fhir": bench_fhir.figures,
    "intake": bench_intake.figures,
    "scan": bench_scan.figures,
    "ledger": bench_ledger.figures,
    "link": bench_link.figures,
    "mllp": bench_mllp.figures,
    "chain": bench_chain.figures,
    "camera": bench_camera.figures,
    "label": bench_label.figures,
    "day": bench_day.figures,
}


def main() -> None:
    """Measure and print; ends with status 0 whether the goals held or not: a figure is no test."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"any of {', '.join(PARTS)}; none: all")
    chosen = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found: list[Figure] = []
    for part in chosen:
        found += PARTS[part]()
    sys.stdout.write(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (1 min), {sys.implementation.name} {sys.version.split()[0]}\n")
    print_table(found)


if __name__ == "__main__":
    main()
