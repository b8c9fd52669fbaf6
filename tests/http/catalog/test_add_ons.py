"""Add-ons through the SDK."""

import pytest
from meteroid import models as m
from meteroid.errors import NotFoundError

from tests.http.catalog.shop import Shop


def test_an_add_on_is_created_and_found_again(shop: Shop) -> None:
    """An add-on is one price of one product, with a limit per subscription."""
    product = shop.product()
    price = shop.price(product)

    made = shop.sdk.add_ons.create(
        name="Priority support",
        product_id=product,
        price_id=price,
        description="Answers in an hour",
        max_instances_per_subscription=3,
        self_serviceable=True,
    )

    assert made.id.startswith("add_")
    assert (made.product_id, made.price_id, made.fee_type) == (product, price, "RATE")
    assert (made.max_instances_per_subscription, made.self_serviceable) == (3, True)
    assert shop.sdk.add_ons.retrieve(made.id) == made


def test_an_add_on_tells_its_event(shop: Shop) -> None:
    """`addon.created` decodes as the SDK's event."""
    product = shop.product()
    made = shop.sdk.add_ons.create(name="A", product_id=product, price_id=shop.price(product))

    (body,) = shop.events("addon.created")
    data = m.AddOnEvent.from_dict(body).add_on_event_data
    assert (data.add_on_id, data.price_id, data.fee_type) == (made.id, made.price_id, "RATE")
    assert data.self_serviceable is False


def test_a_price_of_another_product_is_refused(shop: Shop) -> None:
    """The price must be the product's; nothing is created."""
    price = shop.price(shop.product("One"))

    assert shop.refused(
        "POST",
        "/addons",
        {"name": "A", "product_id": shop.product("Two"), "price_id": price},
    ) == (400, [("price_id", "contradiction")])
    assert shop.counts()["add_ons"] == 0


def test_an_add_on_of_another_tenants_product_is_not_found(
    shop: Shop, other_shop: Shop
) -> None:
    """Another tenant's product and price do not exist here."""
    product = other_shop.product()
    price = other_shop.price(product)

    with pytest.raises(NotFoundError) as refusal:
        shop.sdk.add_ons.create(name="A", product_id=product, price_id=price)

    assert "product_id" in str(refusal.value)
    assert shop.counts()["add_ons"] == 0


def test_limits_are_bounded(shop: Shop) -> None:
    """At least one instance, and no more than can be counted."""
    product = shop.product()
    body = {"name": "A", "product_id": product, "price_id": shop.price(product)}
    for limit in (0, -1, 1_000_000_001, 2**63, 1.5, "1"):
        assert shop.refused(
            "POST", "/addons", {**body, "max_instances_per_subscription": limit}
        ) == (
            400,
            [
                (
                    "max_instances_per_subscription",
                    "wrong_type" if limit in (1.5, "1") else "out_of_range",
                )
            ],
        )


def test_add_ons_are_listed_by_currency(shop: Shop) -> None:
    """`currency` keeps the add-ons whose price is in it."""
    product = shop.product()
    euro = shop.sdk.add_ons.create(name="E", product_id=product, price_id=shop.price(product))
    dollar = shop.sdk.add_ons.create(
        name="D", product_id=product, price_id=shop.price(product, currency="USD")
    )

    assert [one.id for one in shop.sdk.add_ons.list(currency="USD")] == [dollar.id]
    assert [one.id for one in shop.sdk.add_ons.list(currency="EUR")] == [euro.id]
    assert [one.id for one in shop.sdk.add_ons.list(order_by="name.asc")] == [
        dollar.id,
        euro.id,
    ]
