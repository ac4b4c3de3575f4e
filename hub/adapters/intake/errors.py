"""The one error of intake: a file that is refused as a whole, with the place and the reason."""


class IntakeError(ValueError):
    """A file is refused; `line` is `line 12` or `entry 3` (empty: the file as a whole), `field` may be empty."""

    def __init__(self, file: str, line: str, field: str, reason: str) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
        super().__init__(file, line, field, reason)

    def __str__(self) -> str:
        """Return one sentence for a person: file, place, field, reason."""
        place = ", ".join(part for part in (self.file, self.line, self.field and f"field {self.field}") if part)
        return f"{place}: {self.reason}."
