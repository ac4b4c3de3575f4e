"""Words for a person in both languages: a sentence, or a part of one that other sentences take in."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

# A place's own number follows, and nothing else: `order 5.csv` is the name of a file.
_PLACE = re.compile(r"(?<![^ ,])(line|entry|message|order|row)(?= \d+(?:[ ,]|$))")
_PLACES_RU = {"line": "строка", "entry": "запись", "message": "сообщение", "order": "назначение", "row": "строка"}


class Topic(StrEnum):
    """What words speak of, where a rule has to know it: of the times of a line, or only of something that a person takes note of."""

    NONE = ""
    TIMES = "times"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in English and in Russian; both say the same."""

    en: str
    ru: str
    about: Topic = Topic.NONE

    def said(self, language: str) -> str:
        """Return the words in `ru` or `en`."""
        return self.ru if language == "ru" else self.en


def about_times(words: Iterable[Words]) -> Iterator[Words]:
    """Yield words that say what of a line's times is not understood."""
    return (replace(word, about=Topic.TIMES) for word in words)


class Unfit(ValueError):
    """A text that is not what has to stand there; `words` say why, in a part of a sentence."""

    def __init__(self, english: str, russian: str) -> None:
        self.words = Words(english, russian)
        super().__init__(english)


def words_of(error: Exception) -> Words:
    """Return why a text does not fit; of an error that knows one language only, its own words and a plain Russian sentence."""
    return error.words if isinstance(error, Unfit) else Words(str(error), "значение не читается")


def place_ru(place: str) -> str:
    """Return a place in a file (`day.csv line 3`, `message 1, order 2`) in Russian."""
    return _PLACE.sub(lambda match: _PLACES_RU[match[0]], place)
