"""What axe-core finds in a page."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Without the 250 options of the country list, which the browser itself draws.
_RUN = """tags => axe.run(
    {exclude: ["option"]},
    {resultTypes: ["violations"], runOnly: {type: "tag", values: tags}},
).then(found => found.violations)"""


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the elements that break it."""
    # Evaluated, not added as a script: the page's policy refuses foreign scripts.
    page.evaluate(_axe())
    found = page.evaluate(_RUN, TAGS)
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:100] for node in rule['nodes']]}"
        for rule in found
    ]


@cache
def _axe() -> str:
    return (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
