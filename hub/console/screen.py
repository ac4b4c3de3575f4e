"""Where the console writes: tables and colours on a terminal, plain lines everywhere else.

What machine and bridge say is shown as text: no markup, and no character that a terminal would obey.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.console.machine import Facts


def harmless(text: str) -> str:
    """Return a text whose characters are all printed."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


TENTHS = 10


class Progress(Protocol):
    """How far something long is."""

    def reach(self, done: int) -> None:
        """Show that so much is done."""


class _Bar:
    """A bar on a terminal."""

    def __init__(self, show: Callable[[int], None]) -> None:
        self._show = show

    def reach(self, done: int) -> None:
        """Show that so much is done."""
        self._show(done)


class _Steps:
    """A line for each tenth, where there is no terminal."""

    def __init__(self, title: str, whole: int, line: Callable[[str], None]) -> None:
        self._title, self._whole, self._line = title, whole, line
        self._told = -1

    def reach(self, done: int) -> None:
        """Say that so much is done, where another tenth is full."""
        tenth = TENTHS * done // self._whole
        if tenth != self._told:
            self._told = tenth
            self._line(f"{self._title}: {done} of {self._whole} bytes, {100 // TENTHS * tenth} %")


class Screen:
    """Standard output, and standard error for what went wrong."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._errors = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def facts(self, title: str, facts: Facts) -> None:
        """Show facts by name: a table on a terminal, else a title and indented lines."""
        if self._out.is_terminal:
            self._out.print(_table(title, facts))
            return
        self.line(title)
        width = max((len(name) for name in facts), default=0)
        for name, fact in facts.items():
            self.line(f"  {name:<{width}}  {fact}")

    def line(self, text: str, style: str = "") -> None:
        """Show one line at once."""
        self._out.print(Text(harmless(text), style), soft_wrap=True)
        sys.stdout.flush()

    @contextmanager
    def progress(self, title: str, whole: int) -> Iterator[Progress]:
        """Show how far something is: a bar on a terminal, else a line for each tenth."""
        if not self._out.is_terminal:
            yield _Steps(title, whole, self.line)
            return
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Bars(*columns, console=self._out) as bars:
            task = bars.add_task(harmless(title), total=whole)
            yield _Bar(lambda done: bars.update(task, completed=done))

    def error(self, text: str) -> None:
        """Say what went wrong, on standard error."""
        self._errors.print(Text(harmless(text), "bold red"), soft_wrap=True)


def _table(title: str, facts: Facts) -> Table:
    table = Table(title=Text(title, "bold"), title_justify="left", show_header=False)
    for name, fact in facts.items():
        table.add_row(Text(harmless(name)), Text(harmless(fact)))
    return table
