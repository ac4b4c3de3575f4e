"""What physically happened, appended to an NDJSON file that only the independent checker reads."""

import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Truth:
    """An append-only NDJSON file, one fact a line, each line flushed before `write` returns."""

    def __init__(self, path: Path | str | None) -> None:
        self._lock = threading.Lock()
        self._file = None if path is None else Path(path).open("ab", buffering=0)  # noqa: SIM115

    def write(self, what: str, **fields: Any) -> None:
        """Append one fact; `what` names it. One write call a line: a kill leaves whole lines; safe between threads."""
        line = json.dumps({"what": what, **fields}, ensure_ascii=False, separators=(",", ":")) + "\n"
        with self._lock:
            if self._file is not None and not self._file.closed:
                self._file.write(line.encode())

    def close(self) -> None:
        """Close the file; what is written later is ignored."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
