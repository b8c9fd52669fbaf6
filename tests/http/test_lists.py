"""Lists: pages, order and filters, true to what there is."""

import httpx
import pytest

from tests.http.conftest import Shop


@pytest.fixture
async def ten(client: httpx.AsyncClient) -> list[str]:
    """The ids of ten customers, oldest first, all made at the same instant."""
    made = []
    for number in range(10):
        answer = await client.post(
            "/customers",
            json={
                "name": f"{'aB'[number % 2]}-{9 - number}",
                "currency": "EUR",
                "alias": f"alias-{number}",
                "billing_email": f"Billing{number}@globex.example",
            },
        )
        made.append(answer.json()["id"])
    return made


async def names(client: httpx.AsyncClient, query: str) -> list[str]:
    """The names in a list."""
    answer = await client.get(f"/customers?{query}")
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["data"]]


@pytest.mark.parametrize(
    ("page", "per_page", "items", "pages"),
    [(0, 25, 10, 1), (0, 10, 10, 1), (0, 4, 4, 3), (2, 4, 2, 3), (3, 4, 0, 3), (9, 1, 1, 10)],
)
async def test_pages_tell_the_truth(
    client: httpx.AsyncClient, ten: list[str], page: int, per_page: int, items: int, pages: int
) -> None:
    """The page has its items, and its totals are true, also past the end."""
    answer = (await client.get(f"/customers?page={page}&per_page={per_page}")).json()

    assert len(answer["data"]) == items
    assert answer["pagination_meta"] == {
        "page": page,
        "per_page": per_page,
        "total_items": len(ten),
        "total_pages": pages,
    }


async def test_pages_do_not_overlap(client: httpx.AsyncClient, ten: list[str]) -> None:
    """Rows made in one instant still have one order, newest first."""
    pages = [(await client.get(f"/customers?page={n}&per_page=3")).json() for n in range(4)]
    seen = [one["id"] for page in pages for one in page["data"]]

    assert seen == ten[::-1]


async def test_orders(client: httpx.AsyncClient, ten: list[str]) -> None:
    """Names are ordered without regard to capitals; each order has its reverse."""
    del ten
    ascending = await names(client, "order_by=name.asc")

    assert ascending == sorted(ascending, key=str.lower)
    assert await names(client, "order_by=name.desc") == ascending[::-1]
    for column in ("email", "alias", "created_at"):
        forward = await names(client, f"order_by={column}.asc")
        assert await names(client, f"order_by={column}.desc") == forward[::-1]


@pytest.mark.parametrize(
    ("search", "found"),
    [("A-3", 1), ("alias-7", 1), ("BILLING4@", 1), ("globex.EXAMPLE", 10), ("%", 0), ("", 10)],
)
async def test_search(
    client: httpx.AsyncClient, ten: list[str], search: str, found: int
) -> None:
    """A search is a part of name, alias or email, in any capitals, and no pattern."""
    del ten
    answer = await client.get("/customers", params={"search": search})

    assert answer.json()["pagination_meta"]["total_items"] == found


async def test_archived_customers(shop: Shop, ten: list[str]) -> None:
    """Archived customers are listed when they are asked for, and only then."""
    async with shop.app.database.connection() as connection:
        await connection.execute(
            "update customers set archived_at = now() where alias = 'alias-1' "
            "and tenant_id = $1",
            shop.tenant.tenant_id,
        )

    assert len(await names(shop.client, "archived=false")) == len(ten) - 1
    assert await names(shop.client, "archived=true") == ["B-8"]


async def test_an_empty_list(client: httpx.AsyncClient) -> None:
    """A list of nothing has no pages."""
    answer = (await client.get("/customers")).json()

    assert answer == {
        "data": [],
        "pagination_meta": {"page": 0, "per_page": 25, "total_items": 0, "total_pages": 0},
    }
