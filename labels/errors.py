"""What can be wrong with a label: it does not fit, or the font has no such letter; nothing is ever cut off."""


class LabelError(ValueError):
    """A document that cannot be printed faithfully."""


class LabelOverflow(LabelError):
    """The text does not fit the label at the smallest readable size."""


class UnprintableText(LabelError):
    """A character has no glyph, or would need shaping or a direction that the label does not set."""


class TemplateError(LabelError):
    """A template that cannot be used: the message names its file, the field and the reason."""

    def __init__(self, file: str, field: str, reason: str) -> None:
        super().__init__(f"{file}: {field}: {reason}")
        self.file, self.field, self.reason = file, field, reason
