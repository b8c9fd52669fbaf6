"""What axe-core finds in a page."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Without the 250 options of the country list, which the browser itself draws.
_RUN = """tags => axe.run(
    {exclude: ["option"]},
    {resultTypes: ["violations"], runOnly: {type: "tag", values: tags}},
).then(found => found.violations)"""


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the elements that break it.

    Whoever has clicked waits for something of the page that it leads to first. A page that
    loads itself again for its news may go while it is looked at: then it is looked at again.
    """
    try:
        found = _run(page)
    except Error:
        found = _run(page)
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:100] for node in rule['nodes']]}"
        for rule in found
    ]


def _run(page: Page) -> list[Any]:
    page.wait_for_load_state("load")
    # Evaluated, not added as a script: the page's policy refuses foreign scripts.
    page.evaluate(_axe())
    found: list[Any] = page.evaluate(_RUN, TAGS)
    return found


@cache
def _axe() -> str:
    return (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
