"""How a drug's name sounds, written alike for Latin and Cyrillic, so that one name is found under both spellings."""

import re
import unicodedata
from functools import lru_cache

_WORDS = re.compile(r"[^\W\d_]+")
_CYRILLIC = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "s", "и": "i", "й": "i", "к": "k", "л": "l",
        "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "tsh", "ш": "sh",
        "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    }
)  # fmt: skip
# In this order: what a Latin letter stands for in an international name.
_LATIN = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        ("x", "ks"), ("ph", "f"), ("th", "t"), ("rh", "r"), ("qu", "kv"), ("ck", "k"), ("[ao]e", "e"), ("ch", "\0"), ("h", "g"), ("\0", "h"),
        ("c(?=[eiy])", "ts"), ("[cq]", "k"), ("[yj]", "i"), ("w", "v"), ("z", "s"), ("e$", ""),
    )
)  # fmt: skip
_DOUBLE = re.compile(r"(.)\1")


def words_of(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return _WORDS.findall(text.casefold())


@lru_cache(maxsize=32768)
def sound(word: str) -> str:
    """Return how one word sounds: `Cefazolin` and `цефазолин` become `tsefasolin`."""
    plain = word.casefold().replace("й", "и")
    if plain.isascii():
        written = plain
        for pattern, instead in _LATIN:
            written = pattern.sub(instead, written)
    else:
        written = _without_marks(plain).translate(_CYRILLIC)
    return _DOUBLE.sub(r"\1", written)


def _without_marks(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
