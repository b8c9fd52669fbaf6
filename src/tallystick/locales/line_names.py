"""What the name of an invoice's line says besides its product, in the customer's language."""

from collections.abc import Callable

KINDS = ("prorated", "credit", "adjustment")
"""What a change of a subscription adds to the name of a line, in brackets and in English."""


def line_name(name: str, words: Callable[[str], str]) -> str:
    """A line's name with what was added to it in another language.

    Args:
        name: The name as it is stored, which never changes.
        words: The texts of a catalogue that has a section `line_kind`.
    """
    for kind in KINDS:
        bare = name.removesuffix(f" ({kind})")
        if bare not in ("", name):
            return f"{bare} ({words(f'line_kind.{kind}')})"
    return name
