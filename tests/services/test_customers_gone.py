"""Somebody has deleted a customer in the dashboard of the account that she paid through."""

from collections.abc import AsyncIterator

import pytest

from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.examine import examine
from tallystick.services.pay_on_page import PagePayment, Paid, pay_on_page
from tests.connected import Connected, Opener, connect
from tests.providers.contract import Case
from tests.services.test_collecting import a_month_later
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin
from tests.world import PUBLIC_URL, World

__all__ = ["merchant", "twin", "wires"]


@pytest.fixture
async def shop(world: World, twin: Twin, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity is paid through Stripe, where a customer has bought."""
    opener = Opener(twin)
    shop = await connect(world, opener, merchant)
    world = shop.world
    session = await world.session(await world.customer(), await world.plan())
    assert await world.confirm(session, method=await shop.typed(Case.GOOD_CARD)) == Completed()
    yield shop
    await opener.close()


def forget_customers(merchant: Account) -> None:
    """Delete every customer there; their methods are nobody's any more."""
    merchant.objects["customer"].clear()
    for method in merchant.objects["payment_method"].values():
        method["customer"] = None
    for hidden in merchant.hidden.values():
        hidden["used"] = True


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_she_buys_again(shop: Connected, *, is_remembered: bool) -> None:
    """She is made there once more, whether or not Stripe remembers the key of the first."""
    world = shop.world
    first = set(shop.merchant.objects["customer"])
    forget_customers(shop.merchant)
    if not is_remembered:
        shop.merchant.kept.clear()
    customer = await world.one("select id from customers")
    session = await world.session(customer["id"], await world.plan(name="Other"))

    result = await world.confirm(session, method=await shop.typed(Case.GOOD_CARD))

    assert result == Completed()
    assert shop.merchant.moved() == [4900, 4900]
    kept = await world.fetch("select reference from provider_customers")
    (now,) = shop.merchant.objects["customer"]
    assert [row["reference"] for row in kept] == [now]
    assert now not in first
    assert (await examine(world.database)).breaches == ()


async def test_her_renewal_fails_and_ends(shop: Connected) -> None:
    """The saved method went with her: the try is over, and nothing is charged."""
    forget_customers(shop.merchant)
    later = await a_month_later(shop.world)

    await collect_due(later.ctx)

    tried = await later.one("select state, failure from collections")
    assert tried["state"] == "FAILED"
    assert shop.merchant.moved() == [4900]


async def test_she_pays_what_was_left_with_another_card(shop: Connected) -> None:
    """On the invoice's own page: she is made there once more."""
    forget_customers(shop.merchant)
    later = await a_month_later(shop.world)
    await collect_due(later.ctx)
    invoice = await later.one("select id, amount_due from invoices where amount_due > 0")
    payment = PagePayment(
        amount=invoice["amount_due"],
        method=await shop.at(later.ctx.now).typed(Case.GOOD_CARD),
        consent=None,
        return_url=f"{PUBLIC_URL}/pay/return",
    )

    assert await pay_on_page(later.ctx, invoice["id"], payment) == Paid()

    assert shop.merchant.moved() == [4900, 4900]
    assert len(shop.merchant.objects["customer"]) == 1
