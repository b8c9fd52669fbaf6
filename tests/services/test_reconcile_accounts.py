"""Money in accounts that tenants are connected to: ours is known, however it was connected."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tallystick.domain.credit_note import PaidAmount, Refund
from tallystick.domain.orphan import OrphanState
from tallystick.domain.payment import Refunded
from tallystick.services.connect_provider import disconnect_provider
from tallystick.services.hear_provider import look_into_intent
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest
from tallystick.services.look_after_connections import look_after_connections
from tallystick.services.look_into_money import look_into_money
from tallystick.services.record_reversal import record_reversal
from tallystick.services.refund_invoice import refund_invoice
from tests.connected import Connected, Opener, connect, connected_and_sold, fresh
from tests.providers.contract import Case
from tests.providers.stripe_banks import order_by, paid
from tests.services.test_reconcile import holds, states, told
from tests.services.test_reconcile import taken as taken_at_bank
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, opener, twin, wires
from tests.stripe.script import Failing
from tests.world import NOON, World

__all__ = ["merchant", "opener", "twin", "wires"]


@pytest.fixture
async def shop(world: World, opener: Opener, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity is paid through Stripe, and has sold for EUR 49."""
    shop = await connected_and_sold(world, opener, merchant)
    assert merchant.moved() == [4900]
    yield shop
    await shop.bank.stripe.close()


async def taken(shop: Connected, *, is_ours: bool = True) -> str:
    """EUR 54.12 that Stripe took for this tenant, or another one, and nobody here knows of."""
    order = await order_by(shop.bank, "pm_card_visa")
    if is_ours:
        customer = await shop.world.customer()
        order = replace(
            order,
            tenant_id=shop.world.tenant_id,
            customer_id=customer,
            attempt_id=new_id(),
        )
    return await paid(shop.bank, order)


async def connected_again(shop: Connected, opener: Opener) -> Connected:
    """The connection is closed, and another one made to the same account."""
    world = shop.world
    (old,) = world.ctx.tenant.connections
    async with world.app.transaction() as tx:
        await disconnect_provider(world.ctx.within(tx), old)
    closed = replace(world, ctx=await fresh(world))
    return await connect(closed, opener, shop.merchant)


async def test_what_nobody_knew_of_goes_back(shop: Connected) -> None:
    """Of this tenant's it is given back, once; another's on the same account is left alone."""
    await taken(shop)
    await taken(shop, is_ours=False)

    assert await states(shop.world) == [OrphanState.REFUNDED]
    assert await states(shop.world) == []

    assert sorted(shop.merchant.moved()) == [-5412, 4900, 5412, 5412]
    assert await told(shop.world) == ["found", "refunded"]
    await holds(shop.world)


async def test_an_account_that_was_connected_again(shop: Connected, opener: Opener) -> None:
    """What was sold through the connection before is known; only what nobody knew goes back."""
    world = shop.world
    again = await connected_again(shop, opener)
    assert again.name != shop.name
    assert await states(again.world) == []

    await taken(shop)
    assert await states(again.world) == [OrphanState.REFUNDED]
    row = await world.one("select provider from orphan_payments")
    assert row["provider"] == again.name
    assert sorted(shop.merchant.moved()) == [-5412, 4900, 5412]


async def test_what_was_found_through_a_closed_connection(
    shop: Connected, opener: Opener
) -> None:
    """It is taken up under the name that it was found by, and given back once."""
    world = shop.world
    await taken(shop)
    await world.execute("update tenants set orphan_policy = 'REPORT'")
    assert await states(world) == [OrphanState.FOUND]
    again = await connected_again(shop, opener)
    await world.execute("update tenants set orphan_policy = 'ATTACH_OR_REFUND'")

    assert await states(again.world) == [OrphanState.REFUNDED]

    row = await world.one("select provider, state from orphan_payments")
    assert (row["provider"], row["state"]) == (shop.name, "REFUNDED")
    assert sorted(shop.merchant.moved()) == [-5412, 4900, 5412]


async def test_what_is_taken_back_through_an_account_that_was_connected_again(
    shop: Connected, opener: Opener
) -> None:
    """The new connection tells of a dispute of what was sold through the closed one, and that a
    refund of it did not arrive; both are recorded once, whichever tells.
    """
    world = shop.world
    again = await connected_again(shop, opener)
    row = await world.one("select id, invoice_id, reference, provider from transactions")
    assert row["provider"] == shop.name
    request = CreditRequest(
        invoice_id=row["invoice_id"], kind=Refund(payment_id=row["id"]), scope=PaidAmount(1000)
    )
    await refund_invoice(again.world.ctx, request, new_id())
    (refund,) = shop.merchant.objects["refund"]
    at.fail_refund(shop.merchant, refund)
    at.dispute(shop.merchant, row["reference"], 700)

    provider = again.world.app.provider_named(again.world.ctx.tenant, again.name)
    for _ in range(2):
        await look_into_money(again.world.ctx, provider, row["reference"])
    (told_anew,) = await provider.reversals_of(world.tenant_id, row["reference"])
    (recorded,) = await world.fetch("select provider, amount from reversals")
    assert (recorded["provider"], recorded["amount"]) == (shop.name, 700)
    await record_reversal(again.world.ctx, told_anew, shop.name)

    assert len(await world.fetch("select from reversals")) == 1
    assert (await world.one("select reversed from invoices"))["reversed"] == 700
    came = await world.one("select came_back_because from refunds")
    assert came["came_back_because"] is not None
    await holds(world)


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_debit_that_was_accepted_through_the_closed_connection(
    world: World, opener: Opener, merchant: Account, *, is_told: bool
) -> None:
    """The new connection tells that it has settled, asked by the event or by the hour: its
    invoice is paid, though the keys of the closed one work no more.
    """
    shop = await connect(world, opener, merchant)
    session = await shop.world.session(await shop.world.customer(), await shop.world.plan())
    await shop.world.confirm(session, method=await shop.typed(Case.GOOD_DEBIT))
    row = await world.one("select reference, status from transactions")
    assert row["status"] == "PENDING"
    again = await connected_again(shop, opener)
    at.settle(merchant, row["reference"])

    provider = again.world.app.provider_named(again.world.ctx.tenant, again.name)
    if is_told:
        await look_into_intent(again.world.ctx, provider, row["reference"])
    else:
        await world.execute(
            "update provider_connections set check_at = case when disconnected_at is null"
            " then now() else now() + interval '1 day' end"
        )
        await look_after_connections(again.world.app, NOON, 3600)

    assert (await world.one("select payment_status from invoices"))["payment_status"] == "PAID"
    await holds(world)


async def test_what_went_back_is_no_orphan(shop: Connected) -> None:
    """It was given back in full before anybody looked."""
    reference = await taken(shop)
    given = await shop.bank.stripe.refund(shop.world.tenant_id, reference, 5412, "key")
    assert given == Refunded()
    assert await states(shop.world) == []


async def test_an_account_that_does_not_answer(world: World, shop: Connected) -> None:
    """It is looked at another time, and the test bank all the same."""
    await taken(shop)
    await taken_at_bank(world)
    shop.merchant.script("charges.list", Failing(500))
    assert await states(shop.world) == [OrphanState.REFUNDED]
    assert sorted(shop.merchant.moved()) == [4900, 5412]

    assert await states(shop.world) == [OrphanState.REFUNDED]
    assert sorted(shop.merchant.moved()) == [-5412, 4900, 5412]
