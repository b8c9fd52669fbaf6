"""What every list of the catalog does: pages, order, search, and tenancy."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.catalog.shop import Shop

Make = Callable[[Shop, str], None]


def _product(shop: Shop, name: str) -> None:
    shop.product(name)


def _add_on(shop: Shop, name: str) -> None:
    product = shop.product(name)
    shop.sdk.add_ons.create(name=name, product_id=product, price_id=shop.price(product))


def _coupon(shop: Shop, name: str) -> None:
    discount = {"type": "PERCENTAGE", "percentage": "20"}
    answer = shop.raw.post("/coupons", json={"code": name, "discount": discount})
    assert answer.status_code == 201


LISTS: dict[str, tuple[Make, str]] = {
    "/product_families": (lambda shop, name: void(shop.family(name)), "name"),
    "/products": (_product, "name"),
    "/metrics": (lambda shop, name: void(shop.metric(name)), "code"),
    "/plans": (lambda shop, name: void(shop.plan(name)), "name"),
    "/addons": (_add_on, "name"),
    "/coupons": (_coupon, "code"),
    "/features": (lambda shop, name: void(shop.feature(name)), "code"),
}


def void(_: object) -> None:
    """Forget what was made."""


@pytest.fixture(params=list(LISTS))
def path(request: pytest.FixtureRequest) -> str:
    """Each list in turn."""
    return str(request.param)


def fill(shop: Shop, path: str, *names: str) -> str:
    """Make things of these names; returns the field that holds a name."""
    make, field = LISTS[path]
    for name in names:
        make(shop, name)
    return field


def read(shop: Shop, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
    """The answer of a list."""
    answer = shop.raw.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_pages_are_true_also_past_the_end(shop: Shop, path: str) -> None:
    """Three things make two pages of two; the page after the last is empty and still counts."""
    field = fill(shop, path, "ant", "bee", "cat")
    order = f"{field}.asc"

    pages = [read(shop, path, per_page=2, page=page, order_by=order) for page in (0, 1, 2, 99)]

    assert [[one[field] for one in page["data"]] for page in pages] == [
        ["ant", "bee"],
        ["cat"],
        [],
        [],
    ]
    assert [page["pagination_meta"] for page in pages] == [
        {"page": page, "per_page": 2, "total_items": 3, "total_pages": 2}
        for page in (0, 1, 2, 99)
    ]


def test_an_empty_list_has_no_pages(shop: Shop, path: str) -> None:
    """Nothing is listed, on none of zero pages, twenty-five to a page."""
    assert read(shop, path) == {
        "data": [],
        "pagination_meta": {"page": 0, "per_page": 25, "total_items": 0, "total_pages": 0},
    }


def test_order_is_as_asked_and_newest_first_or_by_name_by_default(
    shop: Shop, path: str
) -> None:
    """Every list orders by its name both ways; products and metrics do so unasked."""
    field = fill(shop, path, "bee", "ant", "cat")

    def listed(**query: object) -> list[str]:
        return [one[field] for one in read(shop, path, **query)["data"]]

    assert listed(order_by=f"{field}.asc") == ["ant", "bee", "cat"]
    assert listed(order_by=f"{field}.desc") == ["cat", "bee", "ant"]
    assert listed(order_by="created_at.asc") == ["bee", "ant", "cat"]
    by_name = path in ("/products", "/metrics")
    assert listed() == (["ant", "bee", "cat"] if by_name else ["cat", "ant", "bee"])


def test_a_search_finds_a_part_of_the_name_in_any_case(shop: Shop, path: str) -> None:
    """`%` and `_` are letters like others."""
    field = fill(shop, path, "Rate 100%", "Rate_A", "Bee")

    def found(text: str) -> set[str]:
        return {one[field] for one in read(shop, path, search=text)["data"]}

    assert found("RATE") == {"Rate 100%", "Rate_A"}
    assert found("%") == {"Rate 100%"}
    assert found("_") == {"Rate_A"}
    assert found("") == {"Rate 100%", "Rate_A", "Bee"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("order_by=id.asc", "order_by"),
        ("order_by=name", "order_by"),
        ("order_by=created_at.asc;drop", "order_by"),
        ("page=-1", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("page=x", "page"),
        ("pge=1", "pge"),
    ],
)
def test_a_query_that_cannot_be_is_refused(
    shop: Shop, path: str, query: str, field: str
) -> None:
    """Order, page and size are checked, and a misspelt filter is not ignored."""
    status, faults = shop.refused("GET", f"{path}?{query}")

    assert (status, [name for name, _ in faults]) == (400, [field])


def test_another_tenants_things_are_not_found(shop: Shop, other_shop: Shop, path: str) -> None:
    """Another tenant's things are neither listed nor found, nor is a malformed id."""
    fill(other_shop, path, "ant")
    foreign = read(other_shop, path)["data"][0]["id"]

    assert read(shop, path)["pagination_meta"]["total_items"] == 0
    assert shop.refused("GET", f"{path}/{foreign}") == (404, [])
    assert shop.refused("GET", f"{path}/nonsense") == (404, [])
    assert other_shop.raw.get(f"{path}/{foreign}").status_code == 200


@pytest.mark.parametrize(
    ("method", "below"),
    [("GET", "prices"), ("POST", "prices"), ("GET", "taxes"), ("PUT", "taxes")],
)
def test_another_tenants_product_has_no_doors_here(
    shop: Shop, other_shop: Shop, method: str, below: str
) -> None:
    """Prices and taxes of another tenant's product are not found, and stay as they are."""
    foreign = other_shop.product()
    bodies = {
        "POST": {
            "cadence": "MONTHLY",
            "currency": "EUR",
            "pricing": {"type": "RATE", "rate": "1"},
        },
        "PUT": {"taxes": []},
    }

    assert shop.refused(method, f"/products/{foreign}/{below}", bodies.get(method)) == (404, [])
    assert other_shop.counts()["prices"] == 0


def test_another_tenants_plan_cannot_be_published(shop: Shop, other_shop: Shop) -> None:
    """A draft of another tenant stays a draft."""
    draft = other_shop.plan(status="DRAFT")

    assert shop.refused("POST", f"/plans/{draft.id}/publish") == (404, [])
    assert other_shop.sdk.plans.retrieve(draft.id).status == "DRAFT"
