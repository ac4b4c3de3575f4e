"""Where the console writes: tables and colours on a terminal, plain lines everywhere else.

What machine and bridge say is shown as text: no markup, and no character that a terminal would obey.
"""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.console.machine import Facts


def harmless(text: str) -> str:
    """Return a text whose characters are all printed."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


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

    def error(self, text: str) -> None:
        """Say what went wrong, on standard error."""
        self._errors.print(Text(harmless(text), "bold red"), soft_wrap=True)


def _table(title: str, facts: Facts) -> Table:
    table = Table(title=Text(title, "bold"), title_justify="left", show_header=False)
    for name, fact in facts.items():
        table.add_row(Text(harmless(name)), Text(harmless(fact)))
    return table
