"""Every golden case is a test, or is named here.

A case of one function counts where a test anywhere asks for it; a case of a whole story only
where one asks for it that goes through the services.
"""

import ast
import re
from functools import cache
from pathlib import Path

from tests.cases.golden import cases

TESTS = Path(__file__).parent
ID = re.compile(r"[A-Z]{3}-U?\d+")

# May only shrink: what comes takes its cases off.
WITHOUT_A_TEST: dict[str, list[str]] = {}


@cache
def _asked_for() -> dict[str, set[Path]]:
    """Case id -> the modules of tests that name it as a value, not in a sentence."""
    asked: dict[str, set[Path]] = {}
    for path in TESTS.rglob("test_*.py"):
        source = path.read_text(encoding="utf-8")
        if path == Path(__file__) or "tests.cases.golden" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and ID.fullmatch(value):
                asked.setdefault(value, set()).add(path)
    return asked


def _has_a_test(case_id: str, layer: str) -> bool:
    found = _asked_for().get(case_id, set())
    domain = TESTS / "domain"
    return any(layer == "unit" or not path.is_relative_to(domain) for path in found)


def test_every_case_has_a_test_or_is_named() -> None:
    """Nobody loses one unseen, and who adds one takes it off the list."""
    missing = {one["id"] for one in cases() if not _has_a_test(one["id"], one["layer"])}
    named = [case_id for ids in WITHOUT_A_TEST.values() for case_id in ids]

    assert sorted(missing - set(named)) == [], "these have lost their test"
    assert sorted(set(named) - missing) == [], "these have a test: take them off the list"
    assert len(named) == len(set(named))
    assert len(cases()) == 127
