"""What comes back of what is removed, where the invoice that billed it is no plain one."""

import json
from dataclasses import replace

import pytest

from tallystick.domain.amendment_request import ComponentChange
from tests.scenarios.amending import Amending, extra, flat, joining, lines, priced
from tests.scenarios.plan_changes import Shop
from tests.subscribing import Merchant
from tests.world import World


@pytest.fixture
def shop(world: World) -> Amending:
    """A shop with one subscription."""
    return Amending(shop=Shop(merchant=Merchant(world=world)))


@pytest.mark.parametrize(
    ("old", "new", "back"), [("STARTER", "PRO", 5110), ("PRO", "STARTER", 1497)]
)
async def test_after_a_plan_change_all_of_its_charge_comes_back(
    shop: Amending, old: str, new: str, back: int
) -> None:
    """A change's invoice asks for new less old, below zero for nothing: a note against it could
    not give back what the new fee was charged. A line does.
    """
    await shop.begin(old)
    await shop.on("2024-01-16")
    await shop.shop.change(shop.subscription_id, await shop.shop.sold(new))
    before = await shop.shop.balance()

    await shop.remove("Platform Fee")

    assert await shop.notes() == []
    assert lines((await shop.invoices())[-1]) == [("Platform Fee (credit)", -back)]
    assert await shop.shop.balance() == before + back


async def test_beside_one_that_became_cheaper_all_of_it_comes_back(shop: Amending) -> None:
    """Support joined in the amendment that took 36.13 off the fee: nothing was due of it."""
    await shop.begin("PRO")
    await shop.on("2024-01-16")
    fee = await shop.item("Platform Fee")
    cheaper = ComponentChange(item_id=fee.id, price=priced(flat("29")))
    await shop.ask(replace(joining(extra("Support", "50")), components=(cheaper,)))
    assert sorted(lines((await shop.invoices())[-1])) == [
        ("Platform Fee (adjustment)", -3613),
        ("Support (prorated)", 2581),
    ]

    await shop.remove("Support")

    assert await shop.notes() == []
    assert lines((await shop.invoices())[-1]) == [("Support (credit)", -2581)]
    assert await shop.shop.balance() == 3613 - 2581 + 2581


async def test_with_tax_included_the_days_come_back_of_the_price(shop: Amending) -> None:
    """16 of 31 days of 10.00 are 5.16, of which 0.83 is tax of 19 %: not 4.34 and 0.83."""
    rates = json.dumps([{"name": "VAT", "rate": "0.19", "tax_code": "VAT"}])
    await shop.shop.at("2024-01-01")
    customer = await shop.shop.world.customer(custom_taxes=rates)
    await shop.begin(customer=customer, version={"tax_inclusive": True})
    await shop.on("2024-01-16")

    await shop.remove("Seats")

    assert [(one["total"], one["tax_amount"]) for one in await shop.notes()] == [(516, 83)]
