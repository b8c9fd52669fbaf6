"""A shop that is paid through Stripe: one charge, whatever is told, when, and how often."""

import asyncio
from typing import Any

import pytest

from tallystick.domain.credit_note import PaidAmount, Refund
from tallystick.domain.errors import NotFound
from tallystick.domain.payment import Acceptance, FailureReason
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_checkout import confirm_checkout
from tallystick.services.confirm_result import Challenge, Completed, Consent, PaymentFailed
from tallystick.services.examine import examine
from tallystick.services.hear_provider import look_into_intent
from tallystick.services.own_methods import use_own_method
from tests.connected import Connected, Opener, connect
from tests.crediting import Billed
from tests.portals import opened
from tests.providers.contract import Case
from tests.services.test_collecting import a_month_later
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, opener, twin, wires
from tests.stripe.script import NewsFirst, Unanswered
from tests.world import GLOBEX, PUBLIC_URL, World

__all__ = ["merchant", "opener", "twin", "wires"]


@pytest.fixture
async def shop(world: World, opener: Opener, merchant: Account) -> Connected:
    """A shop whose entity is paid through Stripe."""
    return await connect(world, opener, merchant)


async def bought_with(shop: Connected, case: Case) -> object:
    """Buy the plan of EUR 49 with a method of this case."""
    world = shop.world
    session = await world.session(await world.customer(), await world.plan())
    return await world.confirm(session, method=await shop.typed(case))


async def paid(shop: Connected) -> list[str]:
    """How the payments stand, oldest first."""
    rows = await shop.world.fetch("select status from transactions order by created_at, id")
    return [row["status"] for row in rows]


async def invoice(shop: Connected) -> dict[str, Any]:
    """How the only invoice stands."""
    return await shop.world.one(
        "select payment_status, amount_due, settled from invoices order by number limit 1"
    )


async def the_invoice(shop: Connected) -> Billed:
    """The only invoice, for a merchant to credit."""
    row = await shop.world.one("select id, customer_id from invoices")
    return Billed(world=shop.world, customer_id=row["customer_id"], id=row["id"])


async def test_a_purchase_and_its_renewal_go_through_the_connection(shop: Connected) -> None:
    """EUR 49 at the page, EUR 49 a month later while nobody is there; one customer there."""
    assert await bought_with(shop, Case.GOOD_CARD) == Completed()
    later = shop.at((await a_month_later(shop.world)).ctx.now)
    await collect_due(later.world.ctx)

    assert shop.merchant.moved() == [4900, 4900]
    names = await shop.world.fetch(
        "select provider from payment_methods union select provider from transactions "
        "union select provider from payment_attempts union select provider from collections"
    )
    assert [row["provider"] for row in names] == [shop.name]
    assert len(shop.merchant.objects["customer"]) == 1
    at_page, alone = shop.merchant.called("payment_intents.confirm")
    assert "off_session" not in at_page.params
    assert alone.params["off_session"] in {True, "true"}


async def test_a_method_of_the_test_bank_is_not_charged_through_stripe(
    world: World, opener: Opener, merchant: Account
) -> None:
    """It was saved before the entity was connected: the invoice waits for its buyer."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    shop = await connect(await a_month_later(world), opener, merchant)

    await collect_due(shop.world.ctx)

    assert shop.merchant.moved() == []
    assert await world.charges() == [4900]
    assert await world.fetch("select id from collections") == []


async def test_a_method_of_the_test_bank_is_not_chosen(
    world: World, opener: Opener, merchant: Account
) -> None:
    """Nobody could charge it, so it takes no subscription over, and stops no dunning."""
    customer = await world.customer()
    await world.confirm(await world.session(customer, await world.plan()))
    shop = await connect(world, opener, merchant)
    saved = await world.one("select id from payment_methods")
    portal = await opened(shop.world, customer)

    with pytest.raises(NotFound):
        await use_own_method(portal, saved["id"])


async def test_a_declined_card_is_over_at_stripe_too(shop: Connected) -> None:
    """Its intent cannot be confirmed again by anybody."""
    result = await bought_with(shop, Case.DECLINED_CARD)

    assert result == PaymentFailed(FailureReason.DECLINED)
    (intent,) = shop.merchant.objects["payment_intent"].values()
    assert intent["status"] == "canceled"
    assert shop.merchant.moved() == []


async def test_an_event_completes_what_the_buyer_left_at_the_bank(shop: Connected) -> None:
    """She approves and closes the window; told twice, it is bought once."""
    assert isinstance(await bought_with(shop, Case.CHALLENGED_CARD), Challenge)
    (reference,) = shop.merchant.objects["payment_intent"]
    at.approve(shop.merchant, reference)
    event = shop.told("payment_intent.succeeded")

    assert await shop.hears(event)
    assert not await shop.hears(event)

    assert await paid(shop) == ["SETTLED"]
    assert shop.merchant.moved() == [4900]
    assert await shop.world.fetch("select id from subscriptions where status = 'ACTIVE'")


async def test_all_who_hear_of_it_record_it_once(shop: Connected) -> None:
    """Five events at once, each of which looks and records."""
    await bought_with(shop, Case.CHALLENGED_CARD)
    (reference,) = shop.merchant.objects["payment_intent"]
    at.approve(shop.merchant, reference)
    provider = shop.world.app.provider_named(shop.world.ctx.tenant, shop.name)

    await asyncio.gather(
        *(look_into_intent(shop.world.ctx, provider, reference) for _ in range(5))
    )

    assert await paid(shop) == ["SETTLED"]
    assert shop.merchant.moved() == [4900]
    assert (await examine(shop.world.database)).breaches == ()


async def test_a_mandate_is_signed_from_where_the_buyer_is(shop: Connected) -> None:
    """Address and browser stay with the attempt, and go with the confirmation."""
    world = shop.world
    session = await world.session(await world.customer(), await world.plan())
    who = Acceptance(at=world.ctx.now, ip="192.0.2.7", user_agent="Firefox")
    consent = Consent(
        text_version="1", language="en", text="...", given_at=world.ctx.now, acceptance=who
    )

    await confirm_checkout(
        world.ctx,
        session,
        shown=await world.shown(session),
        buyer=GLOBEX,
        code=None,
        method=await shop.typed(Case.GOOD_DEBIT),
        consent=consent,
        return_url=f"{PUBLIC_URL}/checkout/return",
    )

    (mandate,) = shop.merchant.objects["mandate"].values()
    online = mandate["customer_acceptance"]["online"]
    assert (online["ip_address"], online["user_agent"]) == ("192.0.2.7", "Firefox")


async def test_an_event_that_is_faster_than_the_answer_is_harmless(shop: Connected) -> None:
    """Stripe tells of a success while the call that made it is under way."""
    shop.merchant.script("payment_intents.confirm", NewsFirst())
    assert await bought_with(shop, Case.GOOD_CARD) == Completed()
    assert await shop.hears(shop.told("payment_intent.succeeded"))

    assert await paid(shop) == ["SETTLED"]
    assert shop.merchant.moved() == [4900]


async def test_a_payment_of_another_program_is_left_alone(shop: Connected) -> None:
    """It uses the same account, and its customer may try another card: nobody cancels that."""
    await bought_with(shop, Case.GOOD_CARD)
    (ours,) = shop.merchant.objects["payment_intent"]
    error = {"code": "card_declined"}
    foreign = shop.merchant.objects["payment_intent"][ours] | {
        "id": "pi_foreign",
        "status": "requires_payment_method",
        "last_payment_error": error,
    }
    shop.merchant.objects["payment_intent"]["pi_foreign"] = foreign
    event = shop.told("payment_intent.succeeded")
    about = {"data": {"object": {"id": "pi_foreign"}}}

    await shop.hears(event | about | {"id": "evt_1", "type": "payment_intent.payment_failed"})

    assert foreign["status"] == "requires_payment_method"
    assert await paid(shop) == ["SETTLED"]


async def test_a_lost_confirmation_is_recorded_by_its_event(shop: Connected) -> None:
    """The money was taken, and the answer lost: the event is there before the sweeper."""
    shop.merchant.script("payment_intents.confirm", Unanswered())
    await bought_with(shop, Case.GOOD_CARD)
    assert await paid(shop) == []

    await shop.hears(shop.told("payment_intent.succeeded"))

    assert await paid(shop) == ["SETTLED"]
    assert shop.merchant.moved() == [4900]


@pytest.mark.parametrize("told", [True, False])
async def test_a_debit_settles_whether_or_not_it_is_told(
    shop: Connected, *, told: bool
) -> None:
    """Bought when it was accepted, PROCESSING; days later the money comes."""
    assert await bought_with(shop, Case.GOOD_DEBIT) == Completed()
    assert (await invoice(shop))["payment_status"] == "PROCESSING"
    assert await shop.an_hour_later() == 1
    assert await paid(shop) == ["PENDING"]
    (reference,) = shop.merchant.objects["payment_intent"]
    at.settle(shop.merchant, reference)

    if told:
        await shop.hears(shop.told("payment_intent.succeeded"))
    await shop.an_hour_later()
    await shop.an_hour_later()

    assert await paid(shop) == ["SETTLED"]
    assert await invoice(shop) == {
        "payment_status": "PAID",
        "amount_due": 0,
        "settled": 4900,
    }


async def test_a_debit_that_fails_is_owed_again_and_cannot_come_later(shop: Connected) -> None:
    """The invoice is ERRORED with all of it due; its intent is cancelled."""
    await bought_with(shop, Case.FAILING_DEBIT)
    (reference,) = shop.merchant.objects["payment_intent"]
    at.settle(shop.merchant, reference)

    await shop.hears(shop.told("payment_intent.payment_failed"))

    assert await paid(shop) == ["FAILED"]
    stands = await invoice(shop)
    assert (stands["payment_status"], stands["amount_due"]) == ("ERRORED", 4900)
    assert shop.merchant.objects["payment_intent"][reference]["status"] == "canceled"


@pytest.mark.parametrize("told", [True, False])
async def test_a_dispute_is_owed_again_until_it_is_won(shop: Connected, *, told: bool) -> None:
    """Told or found by looking: taken once, given back once."""
    await bought_with(shop, Case.GOOD_CARD)
    (reference,) = shop.merchant.objects["payment_intent"]
    dispute = at.dispute(shop.merchant, reference, 700)
    if told:
        await shop.hears(shop.told("charge.dispute.created"))
    await shop.an_hour_later()
    await shop.an_hour_later()
    assert (await invoice(shop))["amount_due"] == 700

    at.decide_dispute(shop.merchant, dispute, won=True)
    if told:
        await shop.hears(shop.told("charge.dispute.closed"))
    await shop.an_hour_later()

    assert (await invoice(shop))["amount_due"] == 0
    rows = await shop.world.fetch("select amount, returned from reversals")
    assert rows == [{"amount": 700, "returned": 700}]


async def test_a_refund_by_hand_is_owed_again(shop: Connected) -> None:
    """Somebody refunds in Stripe's dashboard: it is a reversal, not a note of ours."""
    await bought_with(shop, Case.GOOD_CARD)
    (reference,) = shop.merchant.objects["payment_intent"]
    at.refund_by_hand(shop.merchant, reference, 1000)

    await shop.an_hour_later()

    rows = await shop.world.fetch("select kind, amount from reversals")
    assert rows == [{"kind": "REFUND", "amount": 1000}]


async def test_a_refund_that_comes_back_is_told_once(shop: Connected) -> None:
    """It was given under a note; its bank sends it back, and a person must decide."""
    world = shop.world
    await bought_with(shop, Case.GOOD_CARD)
    billed = await the_invoice(shop)
    await billed.credit(Refund(), PaidAmount(1000))
    assert shop.merchant.moved() == [4900, -1000]
    (refund,) = shop.merchant.objects["refund"]
    at.fail_refund(shop.merchant, refund)

    for event in [one for one in shop.merchant.events if one["type"].startswith("refund.")]:
        await shop.hears(event)

    row = await world.one("select state, came_back_at, came_back_because from refunds")
    assert row["state"] == "SUCCEEDED"
    assert row["came_back_at"] is not None
    failed = await world.fetch("select type from events where type = 'refund.failed'")
    assert len(failed) == 1


async def test_a_card_that_was_renewed_shows_its_new_end(shop: Connected) -> None:
    """The bank sends another card, and Stripe knows it; one that is gone is not charged."""
    await bought_with(shop, Case.GOOD_CARD)
    (token,) = {
        row["token"] for row in await shop.world.fetch("select token from payment_methods")
    }
    kept = shop.merchant.objects["payment_method"][token]
    kept["card"] |= {"exp_month": 1, "exp_year": 2044, "last4": "1881"}
    event = {
        "id": "evt_card",
        "object": "event",
        "livemode": False,
        "type": "payment_method.automatically_updated",
        "data": {"object": {"id": token}},
    }
    await shop.hears(event)
    row = await shop.world.one(
        "select card_expiry, card_last4, archived_at from payment_methods"
    )
    assert row == {"card_expiry": "01/2044", "card_last4": "1881", "archived_at": None}

    kept["customer"] = None
    await shop.hears(event | {"id": "evt_gone", "type": "payment_method.detached"})
    row = await shop.world.one("select archived_at from payment_methods")
    assert row["archived_at"] is not None


async def test_looking_at_what_is_recorded_changes_nothing(shop: Connected) -> None:
    """Whoever asks, and however often."""
    await bought_with(shop, Case.GOOD_CARD)
    (reference,) = shop.merchant.objects["payment_intent"]
    provider = shop.world.app.provider_named(shop.world.ctx.tenant, shop.name)

    for _ in range(2):
        await look_into_intent(shop.world.ctx, provider, reference)

    assert await paid(shop) == ["SETTLED"]
