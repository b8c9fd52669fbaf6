"""Money that nobody owed, and that somebody refunds at its provider: noted, and told once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.orphan import AllRefunded, OrphanState
from tallystick.domain.payment import RefundRefused, Unknown
from tallystick.services.came_back import give_back_again
from tallystick.services.ids import new_id
from tallystick.services.look_into_money import BY_HAND_CAME_BACK, record_failed_refunds
from tests.connected import Connected, Opener, connected_and_sold
from tests.scripted_bank import ScriptedBank, says, silent, through, with_bank
from tests.services.test_came_back import comes_back, failures
from tests.services.test_came_back import given_back as moved_back
from tests.services.test_reconcile import holds, states, taken, told
from tests.services.test_reconcile_accounts import taken as taken_by_stripe
from tests.services.test_reconcile_onwards import round_of
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, opener, twin, wires
from tests.world import NOON, World

__all__ = ["merchant", "opener", "twin", "wires"]


@pytest.fixture
async def shop(world: World, opener: Opener, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity is paid through Stripe, and has sold for EUR 49."""
    shop = await connected_and_sold(world, opener, merchant)
    yield shop
    await shop.bank.stripe.close()


async def orphan(world: World) -> dict[str, Any]:
    """The only payment that nobody knew of."""
    return await world.one("select id, state, amount, failure, tries from orphan_payments")


async def reported(world: World) -> None:
    """The tenant only wants to be told."""
    await world.execute("update tenants set orphan_policy = 'REPORT'")


async def refused(world: World) -> UUID:
    """What was just taken is found, and its provider refuses to give it back."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(RefundRefused("too old")))
    assert await states(with_bank(world, bank)) == [OrphanState.REFUSED]
    orphan_id = (await orphan(world))["id"]
    assert isinstance(orphan_id, UUID)
    return orphan_id


async def by_hand(world: World, reference: str, amount: int | None = None) -> None:
    """Somebody refunds at the test bank, of all that is left."""
    name = f"sbx_rev_{new_id().hex}"
    await world.sandbox.take_back(world.tenant_id, reference, name, "REFUND", amount)


async def refunded_event(world: World) -> dict[str, Any]:
    """What was told when it went back."""
    row = await world.one(
        "select data::jsonb ->> 'amount' as amount, data::jsonb ->> 'payment_type' as kind"
        " from events where type = 'payment.orphan_refunded'"
    )
    return dict(row)


@pytest.mark.parametrize("by_worker", [True, False])
async def test_found_and_refunded_by_hand(world: World, *, by_worker: bool) -> None:
    """EUR 49 are reported only; 9 and then 40 are refunded at the bank: told once."""
    reference = await taken(world)
    await reported(world)
    assert await states(world) == [OrphanState.FOUND]

    async def looks() -> None:
        await (round_of(world) if by_worker else states(world))

    await by_hand(world, reference, 900)
    await looks()
    assert (await orphan(world))["state"] == "FOUND"
    await by_hand(world, reference)
    for _ in range(2):
        await looks()

    now = await orphan(world)
    assert (now["state"], now["amount"], now["tries"]) == ("REFUNDED", 4900, 1)
    assert await told(world) == ["found", "refunded"]
    assert await refunded_event(world) == {"amount": "4900", "kind": "REFUND"}
    assert await moved_back(world) == []
    await holds(world)


async def test_it_is_among_what_reconcile_tells(world: World) -> None:
    """As REFUNDED, once; whatever its tenant wants."""
    reference = await taken(world)
    await reported(world)
    await states(world)
    await world.execute("update tenants set orphan_policy = 'ATTACH_OR_REFUND'")
    await by_hand(world, reference)
    assert await states(world) == [OrphanState.REFUNDED]
    assert await states(world) == []
    await holds(world)


async def test_refused_and_refunded_by_hand(world: World) -> None:
    """It is asked for no more; what the bank says of the refused refund changes nothing."""
    reference = await taken(world)
    orphan_id = await refused(world)
    await by_hand(world, reference)
    await round_of(world)

    now = await orphan(world)
    assert (now["state"], now["failure"], now["tries"]) == ("REFUNDED", None, 2)
    assert await told(world) == ["found", "refunded"]
    with pytest.raises(Conflict, match="this payment is REFUNDED"):
        await give_back_again(world.ctx, orphan_id)
    await holds(world)


async def test_ours_came_back_and_was_refunded_by_hand(world: World) -> None:
    """The bank goes on telling that our refund came back: the payment stays as it is."""
    reference = await taken(world)
    await states(world)
    orphan_id = (await orphan(world))["id"]
    await comes_back(world, reference, f"{orphan_id}:refund")
    await by_hand(world, reference)
    await round_of(world)
    for _ in range(2):
        await record_failed_refunds(world.app, NOON)
        await round_of(world)

    now = await orphan(world)
    assert (now["state"], now["tries"]) == ("REFUNDED", 2)
    assert await told(world) == ["found", "refunded", "refunded"]
    assert await failures(world) == [orphan_id]
    assert await moved_back(world) == [-4900, 4900]
    await holds(world)


async def test_what_is_disputed_waits_on(world: World) -> None:
    """A dispute takes what a refund by hand has left: nothing is noted."""
    reference = await taken(world)
    await reported(world)
    await states(world)
    await by_hand(world, reference, 900)
    await world.sandbox.take_back(world.tenant_id, reference, "d", "DISPUTE", 4000)
    await round_of(world)
    await states(world)
    assert (await orphan(world))["state"] == "FOUND"
    await world.sandbox.decide_dispute(world.tenant_id, reference, won=False)
    await round_of(world)
    assert (await orphan(world))["state"] == "FOUND"
    assert await told(world) == ["found"]


async def test_a_bank_without_an_answer(world: World) -> None:
    """Nobody knows: it waits, and is noted when the bank answers."""
    reference = await taken(world)
    await reported(world)
    await states(world)
    await by_hand(world, reference)
    bank = ScriptedBank(world.sandbox)
    bank.script("payment_held", silent)
    scripted = with_bank(world, bank)
    await round_of(scripted)
    assert (await orphan(world))["state"] == "FOUND"
    await round_of(scripted)
    assert (await orphan(world))["state"] == "REFUNDED"


async def test_never_while_a_refund_of_ours_is_under_way(world: World) -> None:
    """A person begins to give it back between the bank's answer and its arrival: that refund
    is asked for under its key, and only its own end is recorded.
    """
    reference = await taken(world)
    orphan_id = await refused(world)
    begun = ScriptedBank(world.sandbox)
    begun.script("refund", says(Unknown()))

    async def begins() -> None:
        given = await give_back_again(with_bank(world, begun).ctx, orphan_id)
        assert given is OrphanState.REFUNDING

    bank = ScriptedBank(world.sandbox)

    async def all_gone(_: object) -> object:
        await begins()
        return AllRefunded()

    bank.script("payment_held", through, all_gone)
    await round_of(with_bank(world, bank))
    now = await orphan(world)
    assert (now["state"], now["tries"]) == ("REFUNDING", 2)
    assert await told(world) == ["found"]

    # By hand before ours arrives: refused, and noted by the round after.
    await by_hand(world, reference)
    await round_of(world)
    assert await told(world) == ["found", "refunded"]
    assert (await orphan(world))["state"] == "REFUNDED"
    assert await moved_back(world) == []
    await holds(world)


async def test_many_look_at_once(busy: World) -> None:
    """Ten workers and commands: told once."""
    reference = await taken(busy)
    await reported(busy)
    await states(busy)
    await by_hand(busy, reference)
    await asyncio.gather(*(states(busy) for _ in range(10)))
    assert await told(busy) == ["found", "refunded"]
    await holds(busy)


async def test_what_is_still_held_is_given_back(world: World) -> None:
    """EUR 9 of 49 were refunded by hand: 40 are asked for, and 40 again where nobody answers,
    also when more goes by hand meanwhile; then what is left of that.
    """
    reference = await taken(world)
    orphan_id = await refused(world)
    await by_hand(world, reference, 900)
    bank = ScriptedBank(world.sandbox)
    shop = with_bank(world, bank)
    bank.script("refund", silent)
    assert await give_back_again(shop.ctx, orphan_id) is OrphanState.REFUNDING
    now = await orphan(world)
    assert (now["amount"], now["tries"]) == (4000, 2)
    await by_hand(world, reference, 500)
    assert await give_back_again(shop.ctx, orphan_id) is OrphanState.REFUSED
    now = await orphan(world)
    assert (now["amount"], now["tries"]) == (4000, 2)

    assert await give_back_again(shop.ctx, orphan_id) is OrphanState.REFUNDED
    now = await orphan(world)
    assert (now["state"], now["amount"], now["tries"]) == ("REFUNDED", 3500, 3)
    assert await moved_back(world) == [-3500]
    assert await refunded_event(world) == {"amount": "3500", "kind": "REFUND"}
    await holds(world)


async def test_nothing_is_held_that_could_be_given_back(world: World) -> None:
    """It is said why, and nothing is begun."""
    reference = await taken(world)
    orphan_id = await refused(world)
    kept = await orphan(world)
    bank = ScriptedBank(world.sandbox)
    bank.script("payment_held", silent)
    with pytest.raises(Busy, match="does not say what it holds"):
        await give_back_again(with_bank(world, bank).ctx, orphan_id)

    await world.sandbox.take_back(world.tenant_id, reference, "d", "DISPUTE")
    with pytest.raises(Conflict, match="it is disputed"):
        await give_back_again(world.ctx, orphan_id)
    await world.sandbox.decide_dispute(world.tenant_id, reference, won=True)

    await by_hand(world, reference)
    with pytest.raises(Conflict, match="all of it was refunded"):
        await give_back_again(world.ctx, orphan_id)
    assert await orphan(world) == kept
    assert await moved_back(world) == []


async def test_at_stripe_by_its_dashboard(shop: Connected) -> None:
    """EUR 54.12 are reported only, and refunded at the dashboard in two parts."""
    world = shop.world
    reference = await taken_by_stripe(shop)
    await reported(world)
    await round_of(world)
    at.refund_by_hand(shop.merchant, reference, 1412)
    await round_of(world)
    assert (await orphan(world))["state"] == "FOUND"
    at.refund_by_hand(shop.merchant, reference)
    for _ in range(2):
        await round_of(world)

    now = await orphan(world)
    assert (now["state"], now["amount"]) == ("REFUNDED", 5412)
    assert await told(world) == ["found", "refunded"]
    assert sorted(shop.merchant.moved()) == [-4000, -1412, 4900, 5412]
    await holds(world)


async def test_at_stripe_what_is_disputed_waits_on(shop: Connected) -> None:
    """Even where all of it had been refunded at the dashboard."""
    world = shop.world
    reference = await taken_by_stripe(shop)
    await reported(world)
    await round_of(world)
    at.refund_by_hand(shop.merchant, reference)
    at.dispute(shop.merchant, reference, 5412)
    await round_of(world)
    assert (await orphan(world))["state"] == "FOUND"


async def test_at_stripe_what_is_still_held_is_given_back(shop: Connected) -> None:
    """Our refund of EUR 54.12 came back, 14.12 went by hand: 40 are given under a new key."""
    world = shop.world
    reference = await taken_by_stripe(shop)
    assert await states(world) == [OrphanState.REFUNDED]
    (ours,) = shop.merchant.objects["refund"]
    at.fail_refund(shop.merchant, ours)
    await shop.an_hour_later()
    now = await orphan(world)
    assert (now["state"], now["amount"]) == ("REFUSED", 5412)
    at.refund_by_hand(shop.merchant, reference, 1412)

    assert await give_back_again(world.ctx, now["id"]) is OrphanState.REFUNDED

    now = await orphan(world)
    assert (now["state"], now["amount"], now["tries"]) == ("REFUNDED", 4000, 2)
    assert sorted(shop.merchant.moved()) == [-5412, -4000, -1412, 4900, 5412, 5412]
    await shop.an_hour_later()
    assert (await orphan(world))["state"] == "REFUNDED"
    await holds(world)


@pytest.mark.parametrize("is_told", [True, False])
async def test_at_stripe_a_refund_by_hand_comes_back(shop: Connected, *, is_told: bool) -> None:
    """EUR 14.12 and 40 went by hand, and 40 come again: told by Stripe or found by looking,
    the payment waits for a person, who gives 40 back.
    """
    world = shop.world
    reference = await taken_by_stripe(shop)
    await reported(world)
    await round_of(world)
    at.refund_by_hand(shop.merchant, reference, 1412)
    rest = at.refund_by_hand(shop.merchant, reference)
    await round_of(world)
    assert (await orphan(world))["state"] == "REFUNDED"

    at.fail_refund(shop.merchant, rest)
    for _ in range(2):
        if is_told:
            await shop.hears(shop.told("refund.failed"))
        await shop.an_hour_later()
    now = await orphan(world)
    assert (now["state"], now["failure"]) == ("REFUSED", BY_HAND_CAME_BACK)
    assert await failures(world) == [now["id"]]
    row = await world.one(
        "select data::jsonb ->> 'amount' as amount from events where type = 'refund.failed'"
    )
    assert row["amount"] == "4000"

    assert await give_back_again(world.ctx, now["id"]) is OrphanState.REFUNDED
    now = await orphan(world)
    assert (now["amount"], now["tries"]) == (4000, 2)
    assert sorted(shop.merchant.moved()) == [-4000, -4000, -1412, 4000, 4900, 5412]
    await shop.an_hour_later()
    await holds(world)
