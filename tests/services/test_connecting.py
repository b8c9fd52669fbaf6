"""Connecting and disconnecting an entity, live tenants, and what the schema refuses."""

from dataclasses import replace

import asyncpg
import pytest

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer import ExternalPayment, OnlinePayment
from tallystick.domain.provider_event import EventRefused
from tallystick.services.confirm_result import Completed
from tallystick.services.connect_provider import (
    connect_provider,
    disconnect_provider,
    keep_debits,
    keep_webhook_secret,
    open_connection,
    seal_everything_again,
)
from tallystick.services.create_tenant import create_tenant
from tallystick.services.ids import new_id
from tallystick.services.secret_box import SecretBox
from tests.connected import (
    BOX,
    WEBHOOK_SECRET,
    Connected,
    Opener,
    connect,
    fresh,
    keys_of,
    shown_connections,
)
from tests.providers.contract import Case
from tests.services.test_connected import bought_with
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, opener, twin, wires
from tests.world import NOON, World

__all__ = ["merchant", "opener", "twin", "wires"]


@pytest.fixture
async def shop(world: World, opener: Opener, merchant: Account) -> Connected:
    """A shop whose entity is paid through Stripe."""
    return await connect(world, opener, merchant)


async def live(world: World) -> World:
    """The same shop for real money, and connected to nothing."""
    await world.execute("update tenants set is_test = false, clock = null")
    return replace(world, ctx=await fresh(world))


async def test_secrets_are_stored_sealed(shop: Connected) -> None:
    """Neither key stands in the database as it is."""
    row = await shop.world.one("select secret_key, webhook_secret from provider_connections")

    assert row["secret_key"].startswith("sealed.")
    assert shop.merchant.secret_key not in row["secret_key"]
    assert WEBHOOK_SECRET not in row["webhook_secret"]
    with pytest.raises(asyncpg.CheckViolationError, match="secrets_are_sealed"):
        await shop.world.execute("update provider_connections set secret_key = 'sk_test_1'")


async def test_without_a_key_nothing_is_kept(world: World, merchant: Account) -> None:
    """It says which setting is missing."""
    async with world.app.transaction() as tx:
        with pytest.raises(Conflict, match="TALLYSTICK_ENCRYPTION_KEYS"):
            await connect_provider(world.ctx.within(tx), world.entity_id, keys_of(merchant))
    assert await shown_connections(world) == []


@pytest.mark.parametrize("is_live", [True, False])
async def test_keys_must_suit_the_tenant(
    world: World, merchant: Account, *, is_live: bool
) -> None:
    """Real money neither for a test tenant, nor test keys for a live one."""
    if not is_live:
        world = await live(world)
    app = replace(world.app, secret_box=BOX)
    async with app.transaction() as tx:
        ctx = replace(world.ctx, app=app, tx=tx)
        with pytest.raises(Conflict, match="real money"):
            await connect_provider(ctx, world.entity_id, keys_of(merchant, is_live=is_live))


async def test_the_keys_of_an_account_can_be_replaced(shop: Connected) -> None:
    """It stays the same connection; another account is refused while it is open."""
    world = shop.world
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        again = await connect_provider(
            ctx, world.entity_id, keys_of(shop.merchant, publishable_key="pk_test_new")
        )
        with pytest.raises(Conflict, match="connected to the account"):
            await connect_provider(
                ctx, world.entity_id, keys_of(shop.merchant, account="acct_other")
            )

    assert again.id == shop.connection_id
    (kept,) = await shown_connections(replace(world, ctx=await fresh(world)))
    assert kept.connection.publishable_key == "pk_test_new"


async def test_what_the_account_takes_is_offered(shop: Connected) -> None:
    """A plan in pounds is sold by debit alone once the account is known to take Bacs."""
    world = shop.world
    plan = await world.plan(currency="GBP")
    debit = OnlinePayment(card=False)
    customer = await world.customer(currency="GBP")
    with pytest.raises(InvalidInput, match="a direct debit that can be collected"):
        await world.session(customer, plan, payment=debit)

    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        connection = await open_connection(ctx, world.entity_id)
        await keep_debits(ctx, connection, (DebitScheme.SEPA, DebitScheme.BACS))
    now = replace(world, ctx=await fresh(world))
    await now.session(customer, plan, payment=debit)

    with pytest.raises(asyncpg.CheckViolationError, match="debits_are_schemes"):
        await world.execute("update provider_connections set debits = '{ACH}'")


async def test_disconnected_it_looks_after_what_it_began(shop: Connected) -> None:
    """The debit that is under way settles; the next purchase goes through the test bank."""
    world = shop.world
    await bought_with(shop, Case.GOOD_DEBIT)
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        left = await disconnect_provider(ctx, await open_connection(ctx, world.entity_id))
    assert left == 1
    apart = Connected(replace(world, ctx=await fresh(world)), shop.bank, shop.connection_id)
    (reference,) = shop.merchant.objects["payment_intent"]
    at.settle(shop.merchant, reference)

    assert await apart.hears(shop.told("payment_intent.succeeded"))
    row = await world.one("select status from transactions")
    assert row["status"] == "SETTLED"
    again = apart.world
    session = await again.session(await again.customer(), await again.plan(name="Other"))
    assert await again.confirm(session) == Completed()
    assert shop.merchant.moved() == [4900]


async def test_a_webhooks_secret_is_rotated_without_a_gap(shop: Connected) -> None:
    """Both sign for a day; after that the new one alone."""
    world = shop.world
    await bought_with(shop, Case.GOOD_CARD)
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        known = await open_connection(ctx, world.entity_id)
        await keep_webhook_secret(ctx, known, "whsec_next", None)
    event = shop.told("payment_intent.succeeded")

    assert await shop.hears(event)
    assert await shop.hears(event | {"id": "evt_2"}, "whsec_next")
    await world.execute("update provider_connections set old_webhook_secret_until = now()")
    with pytest.raises(EventRefused):
        await shop.hears(event | {"id": "evt_3"})
    assert await shop.hears(event | {"id": "evt_4"}, "whsec_next")


async def test_everything_is_sealed_again(shop: Connected) -> None:
    """Under the new key; without the old one nothing changes and nothing is lost."""
    world, new = shop.world, bytes(32)
    both = SecretBox([new, bytes(range(32))])
    async with world.app.transaction() as tx:
        assert await seal_everything_again(tx, both) == 2
    async with world.app.transaction() as tx:
        assert await seal_everything_again(tx, SecretBox([new])) == 0

    (connection,) = (await fresh(world)).tenant.connections
    opened = SecretBox([new]).open(connection.secret_key, connection.secret_key_place)
    assert opened == shop.merchant.secret_key


async def test_a_live_tenant_is_paid_online_once_it_is_connected(
    world: World, opener: Opener, merchant: Account
) -> None:
    """Until then a session names what is missing; by other means it can sell."""
    shop = await live(world)
    customer, plan = await shop.customer(), await shop.plan()

    with pytest.raises(InvalidInput) as refusal:
        await shop.session(customer, plan)
    assert [(one.field, one.code) for one in refusal.value.faults] == [
        ("payment_methods_config", "not_connected")
    ]
    await shop.session(customer, plan, payment=ExternalPayment())
    # No live account exists in tests: what matters is that one would be asked.
    assert shop.app.provider_of(shop.ctx.tenant, shop.entity_id) is None
    assert opener.made == {}
    assert merchant.moved() == []


async def test_a_link_that_waits_for_a_live_tenant_takes_no_test_card(world: World) -> None:
    """Its session was made for online payment, and its seller is not connected any more."""
    session = await world.session(
        await world.customer(), await world.plan(), payment=OnlinePayment()
    )
    shop = await live(world)

    with pytest.raises(Conflict, match="cannot be paid"):
        await shop.shown(session)


async def test_a_live_tenant_is_made_on_real_time(world: World) -> None:
    """With a live key, and no creditor identifier of tests."""
    async with world.app.transaction() as tx:
        made = await create_tenant(
            world.app,
            tx,
            name="Real",
            currency="EUR",
            clock=None,
            live=True,
            real_now=NOON,
        )
    assert made.api_key.startswith("tsk_live_")
    row = await world.one(
        "select t.is_test, e.creditor_identifier from tenants t"
        " join invoicing_entities e on e.tenant_id = t.id where t.id = $1",
        made.tenant_id,
    )
    assert row == {"is_test": False, "creditor_identifier": None}


async def test_what_names_a_connection_names_one_of_its_tenant(shop: Connected) -> None:
    """Neither a foreign one nor one that does not exist."""
    await bought_with(shop, Case.GOOD_CARD)
    for name in (f"stripe:{new_id()}", "other:1"):
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="is no connection"):
            await shop.world.execute("update payment_methods set provider = $1", name)


@pytest.mark.parametrize(
    "change", ["account = 'acct_2'", "is_live = true", "id = gen_random_uuid()"]
)
async def test_a_connection_is_of_one_account_for_ever(shop: Connected, change: str) -> None:
    """What is kept with it would be another's."""
    with pytest.raises(asyncpg.CheckViolationError):
        await shop.world.execute(f"update provider_connections set {change}")
