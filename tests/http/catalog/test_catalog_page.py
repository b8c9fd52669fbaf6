"""The page about the catalog: its code runs, from the first line to the last."""

import re
from pathlib import Path
from typing import Any

from meteroid import Meteroid

from tests.http.catalog.shop import Shop

PAGE = Path(__file__).parents[3] / "docs" / "catalog.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_code_of_the_page_runs(shop: Shop) -> None:
    """As a merchant would type it, with a key of a tenant that has nothing yet."""
    code = "\n".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    names: dict[str, Any] = {
        "API_KEY": shop.tenant.api_key,
        "URL": shop.url,
        "http": shop.raw,
    }

    exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - a page of our own

    assert isinstance(names["client"], Meteroid)
    names["client"].close()
    assert shop.counts()["plan_versions"] == 2
