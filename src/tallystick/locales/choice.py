"""Which of our languages a tag asks for."""

from babel import Locale, UnknownLocaleError

LANGUAGES = ("en", "fr", "de", "es")
"""The languages of pages and documents; the first one is the fallback."""


def supported(tag: str) -> Locale | None:
    """The locale of a language tag whose language is ours, None for any other.

    The region is kept where CLDR knows it: "de-AT" writes amounts as Austria does.
    """
    subtags = tag.partition(".")[0].strip().replace("_", "-").split("-")
    if subtags[0].lower() not in LANGUAGES:
        return None
    for length in (2, 1):
        try:
            return Locale.parse("-".join(subtags[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None
