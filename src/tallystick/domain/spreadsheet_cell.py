"""Cells of CSV files that no spreadsheet takes for a formula.

What somebody typed in a form ends up in a file that a clerk opens: `=HYPERLINK(...)` would be
carried out there. An apostrophe before it makes it text, which is how spreadsheets themselves
write it. It can be taken off again, so that nothing that was sent is lost.
"""

import re

MARK = "'"

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MARKED = re.compile(r"'+\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NEGATIVE = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def guarded(cell: str) -> str:
    """A cell as it is written: one that would be a formula gets an apostrophe before it.

    A negative number stays a number. What has apostrophes before a formula already gets one
    more, so that `bare` gives back what it was.
    """
    if _FORMULA.match(cell) and not _NEGATIVE.fullmatch(cell):
        return MARK + cell
    return cell


def bare(cell: str) -> str:
    """A cell as it was before `guarded`."""
    return cell[len(MARK) :] if _MARKED.match(cell) else cell
