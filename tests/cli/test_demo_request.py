"""What the demo sends: the full request, for any catalog and any day."""

import json
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tallystick.cli.demo_catalog import Catalog
from tallystick.cli.demo_request import PLAN, as_curl, full_request, in_a_year

EXAMPLE = Path(__file__).parent.parent / "cases" / "full_request.json"
TODAY = date(2026, 3, 10)


def request() -> dict[str, Any]:
    """The request of a catalog whose ids are made up."""
    components = ("Platform fee", "Seats", "API calls", "Managed backups")
    catalog = Catalog(
        plans={
            PLAN: {
                "version_id": "plv_1",
                "price_components": [
                    {"id": f"price_{name}", "name": name} for name in components
                ],
            }
        },
        add_ons={
            "Priority support": {"id": "add_1"},
            "Extra environments": {"id": "add_2"},
        },
        coupons={"WELCOME25": {"id": "cou_1"}},
    )
    return full_request(catalog, "globex", TODAY, "http://127.0.0.1:8484/demo")


def test_it_has_every_field() -> None:
    """It has each field of the example, in the same structure, and no other."""
    example = json.loads(EXAMPLE.read_text())

    assert shape_of(request()) == shape_of(example)


def shape_of(value: object) -> object:
    """The structure of a JSON value, without what it says."""
    match value:
        case dict():
            return {name: shape_of(part) for name, part in value.items()}
        case list():
            return [shape_of(part) for part in value]
        case _:
            return type(value).__name__


def test_it_begins_today_and_ends_in_a_year() -> None:
    """The subscription begins on the tenant's day and covers one year."""
    sent = request()

    assert sent["billing_start_date"] == "2026-03-10"
    assert sent["end_date"] == "2027-03-10"


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 3, 1)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_year_later(day: date, later: date) -> None:
    """A year later is the same day, and after a leap day the first of March."""
    assert in_a_year(day) == later


def test_the_command_can_be_copied() -> None:
    """A shell that reads the command hands curl exactly the request."""
    sent = request() | {"invoice_memo": "It's yours."}

    words = shlex.split(as_curl("http://127.0.0.1:8484/x", "tsk_test_k", sent))

    assert words[:4] == ["curl", "--request", "POST", "http://127.0.0.1:8484/x"]
    assert json.loads(words[words.index("--data") + 1]) == sent
    assert "Authorization: Bearer tsk_test_k" in words
