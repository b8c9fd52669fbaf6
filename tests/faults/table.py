"""The result of the matrix as a table, between the marks of docs/reliability.md.

The page keeps the rows of cells that a run did not try, so that some can be renewed alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults.banks import SANDBOX, STRIPE
from tests.faults.matrix import Result, cells
from tests.written_down import replace_text

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
BEGIN = "<!-- written by make faults -->"
BEGIN_OF = {SANDBOX: BEGIN, STRIPE: "<!-- written by make faults, with Stripe -->"}
"""Each provider has a table of its own."""
END = "<!-- until here -->"
HEAD = (
    "| story | outcome | points | cases | one charge | none, and usable | breaches |",
    "|---|---|---:|---:|---:|---:|---:|",
)
KILLED = "**by SIGKILL** / drawn from all"
ALL = "**all** / "
COLUMNS = 7


def write(
    tried: Sequence[Result],
    killed: Sequence[Result],
    run: str,
    page: Path = PAGE,
    provider: str = SANDBOX,
) -> None:
    """Renew the rows of what was tried, all at once or not at all; `run` says how."""
    whole = page.read_text(encoding="utf-8")
    begin, every = BEGIN_OF[provider], cells(provider)
    before, _, rest = whole.partition(begin)
    known, _, after = rest.partition(END)
    rows = {**_rows(known), **{one.cell: one for one in tried}}
    if killed:
        rows[KILLED] = total(killed, KILLED)
    there_are = [rows[cell.name] for cell in every if cell.name in rows]
    everything = total(there_are, ALL)
    sizes = f"{len(there_are)} of {len(every)} cells"
    at_points = f"{everything.cases - len(there_are):,} of {2 * everything.points:,} at points"
    told = f"one of each cell without a failure, and {at_points}, two at each"
    lines = [
        f"{everything.cases:,} cases in {sizes}: {told}. The last run: {run}.",
        "",
        *HEAD,
        *map(_row, there_are),
        _row(everything),
        *([_row(rows[KILLED])] if KILLED in rows else []),
    ]
    text = "\n".join(lines)
    replace_text(page, f"{before}{begin}\n\n{text}\n\n{END}{after}")


def total(results: Iterable[Result], name: str = "") -> Result:
    """All of them as one."""
    found = Result(cell=name)
    for one in results:
        found.points += one.points
        found.cases += one.cases
        found.once += one.once
        found.none += one.none
        found.breaches += one.breaches
    return found


def _rows(known: str) -> dict[str, Result]:
    """The rows that a page has, by their cells."""
    found = {}
    for line in known.splitlines():
        words = [word.strip() for word in line.strip("|").split("|")]
        if len(words) == COLUMNS and words[-1].isdigit():
            story, outcome, *figures = words
            points, cases, once, none, breaches = (int(one.replace(",", "")) for one in figures)
            cell = f"{story} / {outcome}"
            found[cell] = Result(
                cell=cell,
                points=points,
                cases=cases,
                once=once,
                none=none,
                breaches=[line] * breaches,
            )
    return found


def _row(one: Result) -> str:
    numbers = (one.points, one.cases, one.once, one.none, len(one.breaches))
    return f"| {one.cell.replace(' / ', ' | ')} | {' | '.join(f'{it:,}' for it in numbers)} |"
