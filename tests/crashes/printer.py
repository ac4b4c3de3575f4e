"""The simulated label printer with a tray of matter: what lay in it when the process was killed lies in it when it is back."""

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulators.printer import serve
from simulators.printer.mechanism import Mechanism
from simulators.printer.paper import Label

TAKEN = "taken"


class KeptTray(Mechanism):
    """A mechanism whose tray begins with the labels that came out, by its own truth, and that nobody has taken."""

    def __init__(self, paper_folder: Path, truth_file: Path, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._taken_file = paper_folder / TAKEN
        taken = int(self._taken_file.read_text("utf-8")) if self._taken_file.exists() else 0
        for name in _printed(truth_file)[taken:]:
            self._tray.append(Label(name, paper_folder / f"label-{name.removeprefix('L')}.png"))
        self._taken_before = taken

    def take(self) -> list[Label]:
        """Empty the tray, and write down how many labels were ever taken."""
        labels = super().take()
        self._taken_before += len(labels)
        fresh = self._taken_file.with_suffix(".part")
        fresh.write_text(str(self._taken_before), "utf-8")
        os.replace(fresh, self._taken_file)
        return labels


def _printed(truth_file: Path) -> list[str]:
    """Return the names of the labels that came out, in order; what was being cut when the process was killed is none."""
    facts = [json.loads(line) for line in truth_file.read_text("utf-8").splitlines()] if truth_file.exists() else []
    return [fact["label"] for fact in facts if fact["what"] == "label-printed"]


def main(arguments: Sequence[str]) -> int:
    """Serve as `dosehub-sim printer` does, with its options."""
    after = dict(pairwise(arguments))
    serve.Mechanism = partial(KeptTray, Path(after["--paper"]), Path(after["--truth"]))  # type: ignore[attr-defined, assignment]
    return serve.main(list(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
