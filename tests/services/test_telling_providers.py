"""Providers are told what was removed here and who has changed: once, and in the end always."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import saved_methods
from tallystick.domain.customer_record import CustomerRecord
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.edit_customer import CustomerChange, edit_customer
from tallystick.services.examine import examine
from tallystick.services.keep_method import remove_method
from tallystick.services.method_events import RemovedBy
from tallystick.services.tell_providers import forget_methods, tell_of_customers
from tests.connected import Connected, Opener, connect
from tests.providers.contract import Case
from tests.scripted_bank import ScriptedBank, lost, silent, with_bank
from tests.services.test_collecting import a_month_later, swept
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.script import Unheard
from tests.stripe.twin import Twin
from tests.world import GLOBEX, NOON, World

__all__ = ["merchant", "twin", "wires"]

DETACH, UPDATE = "payment_methods.detach", "customers.update"


@pytest.fixture
async def shop(world: World, twin: Twin, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity is paid through Stripe."""
    opener = Opener(twin)
    yield await connect(world, opener, merchant)
    await opener.close()


async def bought(shop: Connected, case: Case = Case.GOOD_CARD) -> UUID:
    """A customer who has bought the plan of EUR 49, with the details that were known."""
    world = shop.world
    customer = await world.customer(name=GLOBEX.name, billing_email=GLOBEX.email)
    session = await world.session(customer, await world.plan())
    assert await world.confirm(session, method=await shop.typed(case)) == Completed()
    return customer


async def removed(world: World, customer: UUID) -> None:
    """The customer's only method is removed."""
    row = await world.one("select id from payment_methods where archived_at is null")
    async with world.app.transaction() as tx:
        await remove_method(world.ctx, tx, customer, row["id"], RemovedBy.CUSTOMER)


async def renamed(world: World, customer: UUID, **fields: Any) -> None:  # noqa: ANN401
    """A merchant changes a customer."""

    def change(record: CustomerRecord) -> CustomerRecord:
        return replace(record, **fields)

    async with world.app.transaction() as tx:
        await edit_customer(world.ctx.within(tx), customer, CustomerChange(apply=change))


async def later(world: World) -> tuple[int, int]:
    """Real time passes, and the worker comes: methods and customers taken up."""
    await world.execute("update payment_methods set forget_at = now() where forget_at > now()")
    await world.execute("update provider_customers set tell_at = now() where tell_at > now()")
    return await forget_methods(world.app, NOON), await tell_of_customers(world.app, NOON)


def known(shop: Connected) -> tuple[str | None, str | None]:
    """The name and address that the account has of its only customer."""
    (found,) = shop.merchant.objects["customer"].values()
    return found["name"], found["email"]


def is_attached(shop: Connected) -> bool:
    """Whether the customer's method can be charged at Stripe."""
    (found,) = shop.merchant.objects["payment_method"].values()
    return found["customer"] is not None


async def is_sound(world: World) -> None:
    """The doctor has nothing to say."""
    assert (await examine(world.database)).breaches == ()


async def test_a_removed_method_is_detached(shop: Connected) -> None:
    """Not while it is removed, but by the next worker; once."""
    customer = await bought(shop)
    assert await later(shop.world) == (0, 0)
    await removed(shop.world, customer)
    assert is_attached(shop)
    assert shop.merchant.called(DETACH) == []

    assert await later(shop.world) == (1, 0)
    assert await later(shop.world) == (0, 0)

    assert not is_attached(shop)
    assert len(shop.merchant.called(DETACH)) == 1
    row = await shop.world.one("select forget_at, forgotten_at from payment_methods")
    assert row["forget_at"] is None
    assert row["forgotten_at"] is not None
    # Stripe tells of it, too, and nothing comes of that.
    await shop.hears(shop.told("payment_method.detached"))
    await is_sound(shop.world)


@pytest.mark.parametrize("step", [silent, lost])
async def test_a_provider_that_gives_no_answer(shop: Connected, step: Any) -> None:  # noqa: ANN401
    """It is asked again, and says that it is done, whether it was or not; the key stays."""
    bank = ScriptedBank(shop.world.provider)
    bank.script("forget_method", step)
    customer = await bought(shop)
    world = with_bank(shop.world, bank)
    await removed(world, customer)

    assert await forget_methods(world.app, NOON) == 1
    row = await world.one(
        "select forget_tries, forget_at > now() + interval '10 seconds' as waits, forgotten_at "
        "from payment_methods"
    )
    assert row == {"forget_tries": 1, "waits": True, "forgotten_at": None}
    assert await forget_methods(world.app, NOON) == 0

    assert await later(world) == (1, 0)
    assert await later(world) == (0, 0)

    assert not is_attached(shop)
    assert bank.calls == ["forget_method", "forget_method"]
    assert len({call.key for call in shop.merchant.called(DETACH)}) == 1
    await is_sound(world)


async def test_a_try_waits_an_hour_at_most(shop: Connected) -> None:
    """Half a minute, a minute, two: a provider that is down is asked less and less often."""
    await removed(shop.world, await bought(shop))
    waited = []
    for tries in (0, 1, 2, 6, 7, 2_000_000_000):
        await shop.world.execute(
            "update payment_methods set forget_tries = $1, forget_at = now()", tries
        )
        async with shop.world.app.transaction() as tx:
            assert len(await saved_methods.lease_to_forget(tx, 8, 30.0)) == 1
        row = await shop.world.one(
            "select extract(epoch from forget_at - now()) as seconds from payment_methods"
        )
        waited.append(round(row["seconds"] / 30))

    assert waited == [1, 2, 4, 64, 120, 120]


async def test_a_method_that_is_gone_at_stripe_is_not_detached(shop: Connected) -> None:
    """Its owner took it away there: nothing is asked, and its subscription has none."""
    await bought(shop)
    (token,) = shop.merchant.objects["payment_method"]
    at_stripe = shop.merchant.objects["payment_method"][token]
    at_stripe["customer"] = None
    event = {
        "id": "evt_gone",
        "object": "event",
        "livemode": False,
        "type": "payment_method.detached",
        "data": {"object": {"id": token}},
    }
    for number in range(2):
        await shop.hears(event | {"id": f"evt_{number}"})

    assert await later(shop.world) == (0, 0)
    assert shop.merchant.called(DETACH) == []
    told = await shop.world.fetch(
        "select data ->> 'removed_by' as by from events where type = 'payment_method.removed'"
    )
    assert told == [{"by": "PROVIDER"}]
    await is_sound(shop.world)


async def test_not_while_it_is_charged(shop: Connected) -> None:
    """A try that lives and a debit that is not decided are waited for."""
    customer = await bought(shop, Case.GOOD_DEBIT)
    await removed(shop.world, customer)
    assert await later(shop.world) == (0, 0)
    assert is_attached(shop)
    await is_sound(shop.world)

    (reference,) = shop.merchant.objects["payment_intent"]
    at.settle(shop.merchant, reference)
    await shop.an_hour_later()

    assert await later(shop.world) == (1, 0)
    assert not is_attached(shop)


async def test_not_while_a_renewal_is_tried(shop: Connected) -> None:
    """The renewal is under way when the method is removed: its answer comes first."""
    customer = await bought(shop)
    world = await a_month_later(shop.world)
    shop.merchant.script("payment_intents.confirm", Unheard())
    await collect_due(world.ctx)
    await removed(world, customer)

    assert await later(world) == (0, 0)
    assert is_attached(shop)
    await swept(world)
    assert await later(world) == (1, 0)
    assert not is_attached(shop)


async def test_it_is_removed_while_it_is_charged(shop: Connected) -> None:
    """At once, with workers about: charged before it is let go, or not charged at all."""
    customer = await bought(shop)
    world = await a_month_later(shop.world)

    await asyncio.gather(
        collect_due(world.ctx),
        removed(world, customer),
        *(forget_methods(world.app, NOON) for _ in range(4)),
    )
    await swept(world)
    await later(world)

    rows = await world.fetch("select state from collections")
    assert [row["state"] for row in rows] in ([], ["SUCCEEDED"])
    assert shop.merchant.moved() == [4900, *(4900 for _ in rows)]
    assert not is_attached(shop)
    assert len(shop.merchant.called(DETACH)) == 1
    await is_sound(world)


async def test_the_test_bank_notes_it(world: World) -> None:
    """It lets go of what it was asked for, and keeps the rest."""
    customer = await world.customer()
    for _ in range(2):
        session = await world.session(customer, await world.plan())
        assert await world.confirm(session) == Completed()
    first = await world.one("select id, token from payment_methods order by id limit 1")
    async with world.app.transaction() as tx:
        await remove_method(world.ctx, tx, customer, first["id"], RemovedBy.CUSTOMER)

    assert await later(world) == (1, 0)

    rows = await world.fetch("select token from sandbox.methods where forgotten_at is not null")
    assert rows == [{"token": first["token"]}]
    assert await world.provider.look_at_method(world.tenant_id, first["token"]) is None
    await is_sound(world)
