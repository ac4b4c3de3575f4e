"""The language of a page: what its address asks for, else what the browser's person chose, else the page's own."""

from fastapi import Request

LANGUAGES = ("ru", "en")
LANGUAGE_COOKIE = "dosehub_language"
LASTS_S = 365 * 24 * 3600


def language_of(request: Request, otherwise: str = "en") -> str:
    """Return `ru` or `en`; `otherwise` is what a page speaks where nobody chose."""
    for chosen in (request.query_params.get("language", ""), request.cookies.get(LANGUAGE_COOKIE, ""), otherwise):
        if chosen in LANGUAGES:
            return chosen
    return "en"


def other_language(language: str) -> str:
    """Return the language to switch to."""
    return "en" if language == "ru" else "ru"
