"""Product families through the SDK."""

import asyncio

from meteroid import AsyncMeteroid

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
