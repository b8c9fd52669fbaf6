"""The result of the matrix as a table, between the marks of docs/reliability.md."""

from collections.abc import Sequence
from pathlib import Path

from tests.faults.matrix import Result

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
BEGIN = "<!-- written by make faults -->"
END = "<!-- until here -->"


def written(results: Sequence[Result], killed: Sequence[Result], told: str) -> str:
    """A sentence about the run, and a row for each story and outcome."""
    lines = [told, ""]
    lines.append(
        "| story | outcome | points | cases | one charge | none, and usable | breaches |"
    )
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    for one in results:
        story, outcome = one.cell.split(" / ")
        lines.append(_row(story, outcome, one))
    lines.append(_row("**all**", "", total(results)))
    if killed:
        lines.append(_row("**by SIGKILL**", "drawn from all", total(killed)))
    return "\n".join(lines)


def total(results: Sequence[Result]) -> Result:
    """All of them as one."""
    found = Result(cell="all")
    for one in results:
        found.points += one.points
        found.cases += one.cases
        found.once += one.once
        found.none += one.none
        found.breaches += one.breaches
    return found


def write(text: str, page: Path = PAGE) -> None:
    """Put it between the marks."""
    whole = page.read_text(encoding="utf-8")
    before, _, rest = whole.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _row(story: str, outcome: str, one: Result) -> str:
    numbers = (one.points, one.cases, one.once, one.none, len(one.breaches))
    return f"| {story} | {outcome} | {' | '.join(f'{number:,}' for number in numbers)} |"
