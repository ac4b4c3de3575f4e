"""The screen that the commands write to."""

from rich.console import Console

WIDTH_OF_A_FILE = 160


def wide_console() -> Console:
    """Return a console as wide as its terminal; what goes into a file or a pipe has room for whole sentences."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_OF_A_FILE)
