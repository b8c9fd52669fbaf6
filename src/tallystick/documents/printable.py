"""What can be printed: text without what no font of ours has, and without what acts on it.

Names come from strangers. Characters that turn the direction of what follows are left out;
what no font has a picture of is shown as a square, because an archivable PDF may not hold text
that it does not show (nor the replacement character).
"""

from functools import cache
from importlib import resources

REPLACEMENT = "\N{WHITE SQUARE}"
_BLANK = " "
_LEFT_OUT = frozenset(
    [
        *range(0x200E, 0x2010),  # marks of direction
        *range(0x202A, 0x202F),  # embedding and override
        *range(0x2066, 0x206A),  # isolates
        0x061C,
        0xFEFF,
        *range(0xFE00, 0xFE10),  # which of its pictures a character has
        0x1F3FB,
        0x1F3FC,
        0x1F3FD,
        0x1F3FE,
        0x1F3FF,
    ]
)


@cache
def coverage() -> frozenset[int]:
    """The code points that our fonts have pictures of (`fonts/coverage.txt`)."""
    text = (resources.files(__package__) / "fonts" / "coverage.txt").read_text()
    ranges = (line.split("-") for line in text.split())
    return frozenset(
        point for first, last in ranges for point in range(int(first, 16), int(last, 16) + 1)
    )


def printable(text: str) -> str:
    """The text as it can be printed; line breaks stay."""
    known = coverage()
    if all(ord(one) in known for one in text):
        return text
    return "".join(_printed(one, known) for one in text)


def _printed(one: str, known: frozenset[int]) -> str:
    point = ord(one)
    if one == "\n" or point in known:
        return one
    if point in _LEFT_OUT:
        return ""
    return _BLANK if one.isspace() else REPLACEMENT
