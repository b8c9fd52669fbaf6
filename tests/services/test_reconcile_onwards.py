"""A worker goes on with each account from where it stands: nothing is passed over."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallystick.db import reconciled_accounts
from tallystick.domain.payment import Pending, Succeeded, Unknown
from tallystick.domain.reconciliation import Progress
from tallystick.providers import stripe_payments
from tallystick.services import reconcile_accounts as rounds
from tallystick.services.connect_provider import disconnect_provider
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tallystick.services.reconcile import note
from tallystick.services.reconcile_accounts import reconcile_accounts
from tallystick.services.settle_debit import settle_debit
from tests.connected import (
    Connected,
    Opener,
    connect,
    connected_and_sold,
    fresh,
    shown_connections,
)
from tests.providers.contract import Case, an_order, opened
from tests.scripted_bank import ScriptedBank, says, silent, with_bank
from tests.services.test_reconcile import failed_but_taken, given_back, holds, told
from tests.services.test_reconcile import taken as taken_at_bank
from tests.services.test_reconcile_accounts import connected_again, taken
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, opener, twin, wires
from tests.stripe.script import Failing, Unanswered
from tests.world import World

__all__ = ["merchant", "opener", "twin", "wires"]

HOUR = 3600.0


@pytest.fixture
async def shop(world: World, opener: Opener, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity has been paid through Stripe for 20 days, and has sold for EUR 49."""
    shop = await connected_and_sold(world, opener, merchant)
    for statement in (
        "alter table provider_connections disable trigger connection_is_kept",
        "update provider_connections set connected_at = now() - interval '20 days'",
        "alter table provider_connections enable trigger connection_is_kept",
    ):
        await world.execute(statement)
    yield shop
    await shop.bank.stripe.close()


def real_now() -> datetime:
    """Real time."""
    return datetime.now(UTC)  # noqa: TID251 - real time, as a worker


async def round_of(world: World, *, later: timedelta = timedelta(hours=1)) -> int:
    """A worker's round, when what was just taken is old enough."""
    await world.execute("update reconciled_accounts set check_at = now()")
    return await reconcile_accounts(world.app, real_now() + later, HOUR)


async def account(world: World, provider: str = "stripe") -> dict[str, Any]:
    """Where the account stands."""
    return await world.one(f"select * from reconciled_accounts where provider = '{provider}'")


async def states(world: World) -> list[str]:
    """How what was found stands, oldest first."""
    rows = await world.fetch("select state from orphan_payments order by id")
    return [row["state"] for row in rows]


async def test_it_goes_on_from_where_it_stands(world: World) -> None:
    """The test bank's: EUR 49 that nobody knew of go back; the next round begins there."""
    await taken_at_bank(world)
    assert await round_of(world, later=timedelta()) == 1
    assert await states(world) == []

    began = real_now()
    assert await round_of(world) == 1
    assert await states(world) == ["REFUNDED"]
    stands = await account(world, "sandbox")
    assert stands["reconciled_until"] >= began + timedelta(minutes=45)
    assert stands["piece_until"] is None
    assert stands["check_at"] > began + timedelta(minutes=59)
    assert await reconcile_accounts(world.app, real_now(), HOUR) == 0

    assert await given_back(world) == [4900]
    assert await told(world) == ["found", "refunded"]
    await holds(world)


async def test_several_workers_are_as_one(shop: Connected) -> None:
    """Three that nobody knew of, four workers at once: each goes back once, told of once."""
    for _ in range(3):
        await taken(shop)
    for _ in range(2):
        await shop.world.execute("update reconciled_accounts set check_at = now()")
        now = real_now() + timedelta(hours=1)
        await asyncio.gather(*(reconcile_accounts(shop.world.app, now, HOUR) for _ in range(4)))
    assert await states(shop.world) == ["REFUNDED"] * 3
    assert sorted(shop.merchant.moved()) == [-5412] * 3 + [4900] + [5412] * 3
    assert sorted(await told(shop.world)) == ["found"] * 3 + ["refunded"] * 3
    await holds(shop.world)


async def test_page_by_page_through_everything(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page holds two charges of six that nobody knew of, and a round reads one page. Rounds
    without an answer change nothing, the next one goes on: all go back, each once.
    """
    monkeypatch.setattr(stripe_payments, "_PAGE", 2)
    monkeypatch.setattr(rounds, "PAGES_AT_ONCE", 1)
    for _ in range(6):
        await taken(shop)
    # Two pieces without anything, before the one of today.
    for _ in range(2 * 2 + 2):
        await round_of(shop.world)
    assert await states(shop.world) == ["REFUNDED"] * 4
    shop.merchant.script("charges.list", Failing(500), Unanswered())
    stood = await account(shop.world)
    assert stood["piece_mark"] is not None
    await round_of(shop.world)
    await round_of(shop.world)
    assert (await account(shop.world))["piece_mark"] == stood["piece_mark"]

    for _ in range(8):
        await round_of(shop.world)
    assert await states(shop.world) == ["REFUNDED"] * 6
    assert sorted(shop.merchant.moved()) == [-5412] * 6 + [4900] + [5412] * 6
    stands = await account(shop.world)
    assert stands["reconciled_until"] > real_now()
    assert stands["piece_until"] is None
    await holds(shop.world)


async def test_a_page_is_kept_with_the_place_that_is_reached(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when it notes what it has found: the place is not reached, and the next
    round finds both. Two workers at one page are as one.
    """
    for _ in range(2):
        await taken(shop)
    await shop.world.execute("update tenants set orphan_policy = 'REPORT'")
    noted = 0

    async def dies(*args: Any) -> str:  # noqa: ANN401 - as it is called
        nonlocal noted
        noted += 1
        if noted == 2:
            raise KeyError("died")
        return await note(*args)

    monkeypatch.setattr("tallystick.services.reconcile_accounts.note", dies)
    await round_of(shop.world)
    assert await states(shop.world) == []

    await round_of(shop.world)
    assert await states(shop.world) == ["FOUND", "FOUND"]
    assert await told(shop.world) == ["found", "found"]
    before = await account(shop.world)
    late = Progress(until=before["reconciled_until"] - timedelta(days=1))
    async with shop.world.app.transaction() as tx:
        key = shop.world.ctx.tenant.connections[0].leads_to
        assert not await reconciled_accounts.go_on(tx, key, late, late)


async def test_a_debit_that_settled_later(shop: Connected) -> None:
    """Made 19 days ago, for nobody that we know; it settles when all that is compared."""
    order = await an_order(shop.bank, Case.GOOD_DEBIT)
    order = replace(order, tenant_id=shop.world.tenant_id, attempt_id=new_id())
    reference = await opened(shop.bank.stripe, order)
    assert await shop.bank.stripe.confirm(order, reference) == Pending()
    at.made_ago(shop.merchant, reference, days=19)
    await round_of(shop.world)
    await round_of(shop.world)
    assert await states(shop.world) == []
    await shop.world.execute(
        "update reconciled_accounts set reconciled_until = now() - interval '1 minute'"
    )

    at.settle(shop.merchant, reference)
    await round_of(shop.world)
    assert await states(shop.world) == ["REFUNDED"]
    assert shop.merchant.moved(reference) == [5412, -5412]
    await holds(shop.world)


async def closed(shop: Connected) -> World:
    """The shop once its connection is closed."""
    world = shop.world
    (old,) = world.ctx.tenant.connections
    async with world.app.transaction() as tx:
        await disconnect_provider(world.ctx.within(tx), old)
    return replace(world, ctx=await fresh(world))


async def test_a_closed_connection_is_looked_at(shop: Connected) -> None:
    """What it took goes back; after 60 days nothing is asked any more."""
    world = await closed(shop)
    await taken(shop)
    await round_of(world)
    assert await states(world) == ["REFUNDED"]
    asked = len(shop.merchant.calls)

    for _ in range(2):
        await round_of(world, later=timedelta(days=61))
    stands = await account(world)
    assert stands["check_at"] is None
    (facts,) = await shown_connections(world)
    assert facts.disconnected_at is not None
    assert facts.reconciled_until == facts.disconnected_at + timedelta(days=60)
    assert len(shop.merchant.calls) > asked
    asked = len(shop.merchant.calls)
    await taken(shop)
    made = len(shop.merchant.calls)
    assert await reconcile_accounts(world.app, real_now() + timedelta(days=62), HOUR) == 0
    assert (len(shop.merchant.calls), await states(world)) == (made, ["REFUNDED"])


async def test_an_account_that_is_connected_again_goes_on(
    shop: Connected, opener: Opener
) -> None:
    """It has one place however often it is connected, and is looked at again."""
    world = await closed(shop)
    await world.execute(
        "update reconciled_accounts set reconciled_until = now(), check_at = null"
    )
    shop = Connected(world, shop.bank, shop.connection_id)
    again = await connect(world, opener, shop.merchant)
    await taken(shop)

    await reconcile_accounts(again.world.app, real_now() + timedelta(hours=1), HOUR)
    assert await states(again.world) == ["REFUNDED"]
    row = await world.one("select provider from orphan_payments")
    assert row["provider"] == again.name
    assert len(await world.fetch("select from reconciled_accounts")) == 1


async def test_replaced_by_another_connection(shop: Connected, opener: Opener) -> None:
    """Two connections to one account are one account: what nobody knew of goes back once."""
    await taken(shop)
    again = await connected_again(shop, opener)
    await round_of(again.world)
    assert await states(again.world) == ["REFUNDED"]
    assert sorted(shop.merchant.moved()) == [-5412, 4900, 5412]


async def test_keys_that_are_refused(shop: Connected) -> None:
    """The operator is told why, and up to when the account was compared; the doctor says so
    after a day, of an account that is connected.
    """
    world = shop.world
    await world.execute("update reconciled_accounts set reconciled_until = now()")
    shop.merchant.script("charges.list", *[Failing(401)] * 3)
    await round_of(world)
    (facts,) = await shown_connections(world)
    assert facts.refusal == "An unknown error occurred."
    assert facts.reconciled_until is not None
    (breach,) = (await examine(world.database)).breaches
    assert breach.rule == "provider-reconciled"
    assert breach.about.endswith(": An unknown error occurred.")
    again = await closed(shop)
    await round_of(again)
    assert (await examine(world.database)).breaches == ()
    stands = await account(world)
    assert stands["check_at"] > real_now() + timedelta(hours=23)

    await taken(shop)
    await round_of(again)
    (facts,) = await shown_connections(world)
    assert facts.refusal == "An unknown error occurred."
    await round_of(again)
    (facts,) = await shown_connections(world)
    assert (facts.refusal, await states(world)) == (None, ["REFUNDED"])


async def test_an_account_that_lags(shop: Connected) -> None:
    """Connected for 20 days and never compared: the doctor warns until a worker was there."""
    (breach,) = (await examine(shop.world.database)).breaches
    assert (breach.rule, breach.about.endswith("; does a worker run?")) == (
        "provider-reconciled",
        True,
    )
    await round_of(shop.world)
    assert (await examine(shop.world.database)).breaches == ()


async def test_what_waits_is_taken_up_again(world: World) -> None:
    """Without an answer to its refund the money is asked for again, though its page is long
    compared; what was only reported is done when the tenant wants it, as far as it is held.
    """
    first, second = await taken_at_bank(world), await taken_at_bank(world, 5000)
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(Unknown()), silent)
    scripted = with_bank(world, bank)
    await world.execute("update tenants set orphan_policy = 'REPORT'")
    await round_of(scripted)
    assert await states(world) == ["FOUND", "FOUND"]
    await world.sandbox.refund(world.tenant_id, second, 1000, "by hand")
    await world.execute("update tenants set orphan_policy = 'ATTACH_OR_REFUND'")

    await round_of(scripted)
    assert await states(world) == ["REFUNDING", "REFUNDING"]
    await round_of(scripted)
    assert await states(world) == ["REFUNDED", "REFUNDED"]
    assert sorted(await given_back(world)) == [1000, 4000, 4900]
    assert first != second
    assert await told(world) == ["found", "found", "refunded", "refunded"]


@pytest.mark.parametrize("policy", ["REPORT", "ATTACH_OR_REFUND"])
async def test_what_was_found_and_then_recorded(world: World, policy: str) -> None:
    """Its news came after it was found: it has paid its invoice, and the doctor is content."""
    later = await failed_but_taken(world)
    await world.execute("update tenants set orphan_policy = 'REPORT'")
    await round_of(later)
    assert await states(world) == ["FOUND"]
    row = await world.one("select reference from collections")
    await settle_debit(later.ctx, row["reference"], Succeeded())

    await world.execute("update tenants set orphan_policy = $1", policy)
    await round_of(later)
    assert await states(world) == ["ATTACHED"]
    assert (await told(world), await given_back(world)) == (["found", "attached"], [])
    await holds(later)
