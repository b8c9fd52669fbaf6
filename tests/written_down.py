"""Figures that a command measured, written into a page between its own marks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RELIABILITY = Path(__file__).parent.parent / "docs" / "reliability.md"


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What was noted, a line of JSON each."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; the first column holds words, the others figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(one) for one in line) + " |" for line in lines)


def write_down(page: Path, name: str, text: str) -> None:
    """Put a text between the marks of its name, in place of what stood there.

    Raises:
        ValueError: The page has no such marks.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no place for {name}")
    replace_text(page, f"{before}{begin}\n{text}\n{end}{after}")


def replace_text(page: Path, text: str) -> None:
    """Give a page another text: whole, or as it was where this is interrupted."""
    new = page.with_name(f"{page.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(page)
