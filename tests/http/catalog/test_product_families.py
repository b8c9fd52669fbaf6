"""Product families through the SDK."""

import asyncio

import pytest
from meteroid import AsyncMeteroid
from meteroid.errors import NotFoundError

from tests.http.catalog.shop import Shop


def test_a_family_is_created_and_found_again(shop: Shop) -> None:
    """A family has a prefixed id and its name, and is found by that id."""
    made = shop.sdk.product_families.create(name="Cloud")

    assert made.id.startswith("pf_")
    assert made.name == "Cloud"
    assert shop.sdk.product_families.retrieve(made.id) == made


def test_families_are_created_and_found_by_the_async_client(shop: Shop) -> None:
    """The asynchronous client sees the same."""

    async def story() -> tuple[str, list[str]]:
        async with AsyncMeteroid(api_key=shop.tenant.api_key, base_url=shop.url) as client:
            made = await client.product_families.create(name="Cloud")
            found = await client.product_families.retrieve(made.id)
            return found.id, [one.id async for one in client.product_families.list()]

    made, listed = asyncio.run(story())

    assert listed == [made]


def test_a_blank_or_misspelt_name_is_refused(shop: Shop) -> None:
    """A family needs a name, under its own name; nothing is created."""
    assert shop.refused("POST", "/product_families", {"name": " "}) == (
        400,
        [("name", "too_short")],
    )
    assert shop.refused("POST", "/product_families", {"nam": "Cloud"}) == (
        400,
        [("name", "required"), ("nam", "unknown_field")],
    )
    assert shop.counts()["product_families"] == 0


def alias_of(shop: Shop, name: str, **fields: str) -> object:
    """The alias of a new family."""
    answer = shop.raw.post("/product_families", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["alias"]


def test_a_family_is_found_by_its_alias(shop: Shop, other_shop: Shop) -> None:
    """The client gives it a name, which makes the alias; another tenant's is not found."""
    made = shop.sdk.product_families.create(name="Cloud Storage")
    mine = shop.sdk.product_families.create(name="Edge", extra_body={"alias": "edge_1"})

    assert shop.sdk.product_families.retrieve("cloud-storage") == made
    assert shop.sdk.product_families.retrieve("edge_1") == mine
    for alias in ("cloud-storage", "edge_1", "Cloud Storage"):
        with pytest.raises(NotFoundError):
            other_shop.sdk.product_families.retrieve(alias)
    assert alias_of(other_shop, "Cloud Storage") == "cloud-storage"


def test_a_name_makes_an_alias_where_it_is_free(shop: Shop) -> None:
    """Names may be the same, aliases not; a name without letters makes none."""
    assert alias_of(shop, "Daten & Dienste, EU!") == "daten-dienste-eu"
    assert alias_of(shop, "Daten (Dienste) EU") is None
    assert alias_of(shop, "\u2601") is None
    assert alias_of(shop, "Cloud", alias="daten") == "daten"


def test_an_alias_that_is_taken_is_refused(shop: Shop) -> None:
    """409 by its field; one that cannot stand in an address is refused as well."""
    alias_of(shop, "Cloud")
    before = shop.counts()

    assert shop.refused("POST", "/product_families", {"name": "A", "alias": "cloud"}) == (
        409,
        [("alias", "taken")],
    )
    assert shop.refused("POST", "/product_families", {"name": "A", "alias": "a/b"}) == (
        400,
        [("alias", "malformed")],
    )
    assert shop.counts() == before
