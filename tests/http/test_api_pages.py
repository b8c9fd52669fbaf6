"""The pages for who builds on the API are true: everything on them is done, and answered so."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.conftest import Served
from tests.http.purchase.market import Market, open_market
from tests.http.walkthrough import Walkthrough, commands, differences

FOLDER = Path(__file__).parents[2] / "docs" / "api"
FIRST = FOLDER / "first-checkout.md"
OTHERS = sorted(
    page for page in FOLDER.glob("*.md") if page not in {FIRST, FOLDER / "README.md"}
)


@pytest.fixture
def reader(api: Served, shared_dsn: str) -> Iterator[Walkthrough]:
    """Somebody with a new tenant, whose buyers pay by card."""
    if shutil.which("curl") is None:
        pytest.skip("the pages speak through curl, which is not installed")
    with open_market(api, shared_dsn) as market:
        yield Walkthrough(known_to(market))


def known_to(market: Market) -> dict[str, object]:
    """What a reader has set up before the first page."""

    def pay(session_id: str) -> None:
        market.buy(market.sdk.checkout_sessions.retrieve(session_id).session)

    return {
        "API": f"{market.url}/api/v1",
        "AUTH": f"Authorization: Bearer {market.tenant.api_key}",
        "client": market.sdk,
        "pay": pay,
    }


def test_the_first_checkout(reader: Walkthrough) -> None:
    """The first page is true."""
    assert reader.follow(FIRST) > 5


@pytest.mark.parametrize("page", OTHERS, ids=lambda page: page.stem)
def test_a_page(reader: Walkthrough, page: Path) -> None:
    """Every other page is true for who has followed the first."""
    reader.follow(FIRST)

    assert reader.follow(page) > 2


def test_every_page_is_listed() -> None:
    """The contents name every page."""
    contents = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in (FIRST, *OTHERS) if f"]({page.name})" not in contents] == []


def test_what_differs_is_told() -> None:
    """A figure, a missing field, a shorter list and another text are differences."""
    told = {"id": "cus_...", "amount": 100, "lines": [1], "kept": None}
    found = {"id": "inv_1", "amount": 101, "lines": [1, 2], "more": True}

    assert [*differences(told, found, "answer")] == [
        "answer.id is 'inv_1' and not 'cus_...'",
        "answer.amount is 101 and not 100",
        "answer.lines is [1, 2] and not [1]",
        "answer.kept is missing",
    ]
    assert [*differences({"id": "cus_..."}, {"id": "cus_1", "name": "A"}, "answer")] == []


def test_commands_of_a_block() -> None:
    """A body belongs to its command, and the answer comes after it."""
    block = '$ curl $API/a --json @- <<END\n{"a": 1}\nEND\n{"b": 2}\n$ curl $API/c\n204\n'

    assert [*commands(block)] == [
        ('curl $API/a --json @- <<END\n{"a": 1}\nEND\n', '{"b": 2}'),
        ("curl $API/c\n", "204"),
    ]
