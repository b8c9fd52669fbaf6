"""The golden cases: exact figures to compare with, by the case's id.

`decided_otherwise` in the file lists the cases whose figures differ here on purpose; asking for
one of them without saying so fails.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("billing_cases.json")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return document


@cache
def _cases() -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in _document()["cases"]}


def decided_otherwise() -> dict[str, str]:
    """Case id -> what is decided otherwise here."""
    return {
        case_id: decision
        for ids, decision in _document()["decided_otherwise"].items()
        for case_id in ids.replace(" and other", ",").split(", ")
        if case_id in _cases()
    }


def case(case_id: str, *, decided: str | None = None) -> dict[str, Any]:
    """The case with this id.

    For a case that is decided otherwise, `decided` must be a part of the decision that the test
    honours.
    """
    decision = decided_otherwise().get(case_id)
    if decision is None:
        assert decided is None, f"{case_id} stands as it is"
    else:
        assert decided, f"{case_id} is decided otherwise: {decision}"
        assert decided in decision, f"{case_id}: {decision}"
    return _cases()[case_id]


def cases() -> list[dict[str, Any]]:
    """Every case, in the order of the file."""
    return list(_cases().values())


def plan_fixture(name: str) -> dict[str, Any]:
    """A plan of the cases."""
    plan: dict[str, Any] = _document()["fixtures"]["plans"][name]
    return plan


def rows(case_id: str, *, decided: str | None = None) -> list[dict[str, Any]]:
    """The rows of a case that is a table, each with its case's id and number under ``id``."""
    table = case(case_id, decided=decided)["expected"]["rows"]
    return [{**row, "id": f"{case_id}[{index}]"} for index, row in enumerate(table)]


def row_id(row: dict[str, Any]) -> str:
    """The id of a row, for pytest's ``ids``."""
    text: str = row["id"]
    return text
