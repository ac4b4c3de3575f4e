"""A refusal: the answer to something that may not be done, with a reason that a person can act on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is for programs, `text` is one plain sentence for the person who asked."""

    code: str
    text: str
