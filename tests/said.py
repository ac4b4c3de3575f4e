"""What is said in both languages, told in English, so that a test reads like the sentence; the Russian one has to be there as well."""

import re
from collections.abc import Iterable
from typing import overload

from hub.domain.words import Words

_LATIN, _CYRILLIC = re.compile(r"[A-Za-z]{2}"), re.compile(r"[А-Яа-яЁё]{2}")


@overload
def english(said: Words | None) -> str: ...
@overload
def english(said: Iterable[Words]) -> tuple[str, ...]: ...
def english(said: Words | Iterable[Words] | None) -> str | tuple[str, ...]:
    """Return the English of words (nothing said: an empty text), or of several of them."""
    if said is None:
        return ""
    if not isinstance(said, Words):
        return tuple(english(words) for words in said)
    assert _LATIN.search(said.en), said
    assert _CYRILLIC.search(said.ru), said
    return said.en
