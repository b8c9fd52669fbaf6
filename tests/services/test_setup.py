"""Confirming where nothing is due today: a method is saved, or nothing is asked of the bank."""

import json
from datetime import timedelta
from decimal import Decimal

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer, ExternalPayment, OnlinePayment
from tallystick.domain.payment import FailureReason
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.confirm_result import Completed, PaymentFailed
from tests.shops import attempts, invoice, sold, subscription, told
from tests.soundness import assert_sound
from tests.world import NOON, World, day, rate


async def test_a_free_trial_saves_the_card_and_charges_nothing(world: World) -> None:
    """Fourteen free days: a saved card, a subscription in trial, no invoice, no charge."""
    session = await world.session(
        await world.customer(), await world.plan(), trial_duration_days=14
    )

    assert await world.confirm(session) == Completed()

    assert await sold(world) == (0, 1, 0)
    made = await subscription(world)
    assert (made["status"], made["trial_end"]) == ("TRIAL_ACTIVE", day("2026-03-24"))
    assert (made["billing_start_date"], made["current_period_end"]) == (
        day("2026-03-24"),
        day("2026-03-24"),
    )
    saved = await world.one("select * from payment_methods")
    assert (saved["id"], saved["card_last4"]) == (made["payment_method_id"], "4242")
    (attempt,) = await attempts(world)
    assert (attempt["kind"], attempt["amount"]) == ("SETUP", 0)
    await assert_sound(world)


async def test_a_card_that_cannot_be_saved_starts_no_trial(world: World) -> None:
    """A decline of the saving is a decline: no subscription, and the link stays usable."""
    session = await world.session(
        await world.customer(), await world.plan(), trial_duration_days=14
    )

    declined = await world.confirm(session, method=await world.card("4000000000000002"))

    assert declined == PaymentFailed(FailureReason.DECLINED)
    assert await sold(world) == (0, 0, 0)
    only_saves = await world.card("4000000000000341")
    assert await world.confirm(session, method=only_saves) == Completed()
    await assert_sound(world)


async def test_a_mandate_starts_a_trial(world: World) -> None:
    """A bank account serves a free trial as a card does."""
    session = await world.session(
        await world.customer(), await world.plan(), trial_duration_days=14
    )

    assert await world.confirm(session, method=await world.debit()) == Completed()

    assert (await subscription(world))["status"] == "TRIAL_ACTIVE"
    saved = await world.one("select * from payment_methods")
    assert saved["mandate_reference"].startswith("TEST-")
    assert await world.fetch("select * from transactions") == []
    await assert_sound(world)


async def test_a_paid_trial_is_charged_today(world: World) -> None:
    """A trial that is not free is charged from its first day, and is a trial all the same."""
    plan = await world.plan(trial_days=14, trial_is_free=False)
    session = await world.session(await world.customer(), plan)

    assert await world.confirm(session) == Completed()

    assert await world.charges() == [4900]
    made = await subscription(world)
    assert (made["status"], made["trial_is_free"]) == ("TRIAL_ACTIVE", False)
    assert made["billing_start_date"] == day("2026-03-10")
    assert (await invoice(world))["payment_status"] == "PAID"
    await assert_sound(world)


async def test_a_future_start_waits_with_a_saved_card(world: World) -> None:
    """Bought for next month: nothing is due, the card is saved, activation is pending."""
    session = await world.session(
        await world.customer(), await world.plan(), billing_start_date=day("2026-04-01")
    )

    assert await world.confirm(session) == Completed()

    assert await sold(world) == (0, 1, 0)
    made = await subscription(world)
    assert (made["status"], made["activated_at"]) == ("PENDING_ACTIVATION", None)
    assert made["start_date"] == day("2026-04-01")
    assert made["payment_method_id"] is not None
    await assert_sound(world)


async def test_a_coupon_that_covers_everything_still_saves_the_card(world: World) -> None:
    """A first month for nothing: the invoice of zero is paid, the card saved, no charge."""
    coupon = await world.coupon("FREE", Percentage(percentage=Decimal(100)), recurring_value=1)
    session = await world.session(
        await world.customer(), await world.plan(), coupon_ids=(coupon,)
    )

    assert await world.confirm(session) == Completed()

    assert await sold(world) == (0, 1, 1)
    bill = await invoice(world)
    assert (bill["total"], bill["discount"], bill["payment_status"]) == (0, 4900, "PAID")
    assert "invoice.paid" in await told(world)
    assert (await subscription(world))["payment_method_id"] is not None
    await assert_sound(world)


async def test_a_balance_that_covers_everything_still_saves_the_card(world: World) -> None:
    """EUR 60 of credit pay EUR 49; the rest stays, and the card is saved."""
    customer = await world.customer()
    await world.balance(customer, 6000)
    session = await world.session(customer, await world.plan())

    assert await world.confirm(session) == Completed()

    bill = await invoice(world)
    assert (bill["total"], bill["applied_balance"], bill["amount_due"]) == (4900, 4900, 0)
    assert (bill["payment_status"], await world.charges()) == ("PAID", [])
    balance = await world.one("select * from customer_balances")
    assert (balance["balance"], balance["held"]) == (1100, 0)
    assert (await subscription(world))["payment_method_id"] is not None
    await assert_sound(world)


async def test_a_free_plan_asks_for_nothing(world: World) -> None:
    """A plan that can never owe anything needs no card and no bank."""
    plan = await world.plan(("Free", RateFee(), [(Cadence.MONTHLY, rate("0"))]), name="Free")
    session = await world.session(await world.customer(), plan)

    assert await world.confirm(session, chooses=False, agrees=False) == Completed()

    made = await subscription(world)
    assert (made["status"], made["payment_method_id"]) == ("ACTIVE", None)
    assert await world.fetch("select * from payment_methods") == []
    (attempt,) = await attempts(world)
    assert (attempt["kind"], attempt["provider"], attempt["consent"]) == ("NONE", None, None)
    await assert_sound(world)


async def test_a_zero_total_without_later_charges_needs_no_card(world: World) -> None:
    """Where later invoices are not charged, a covered first one asks for no method."""
    customer = await world.customer()
    await world.balance(customer, 4900)
    session = await world.session(customer, await world.plan(), charge_automatically=False)

    assert await world.confirm(session, chooses=False, agrees=False) == Completed()

    assert (await attempts(world))[0]["kind"] == "NONE"
    assert (await invoice(world))["payment_status"] == "PAID"
    await assert_sound(world)


async def test_paying_without_later_charges_saves_no_card(world: World) -> None:
    """A payment keeps the method only where later invoices are charged to it."""
    session = await world.session(
        await world.customer(), await world.plan(), charge_automatically=False
    )

    assert await world.confirm(session, agrees=False) == Completed()

    assert await world.charges() == [4900]
    assert await world.fetch("select * from payment_methods") == []
    made = await subscription(world)
    assert (made["charge_automatically"], made["payment_method_id"]) == (False, None)
    await assert_sound(world)


async def test_a_bank_transfer_completes_with_an_invoice_to_pay(world: World) -> None:
    """No provider is asked: the subscription is live and its finalized invoice unpaid."""
    account = await world.one(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban, "
        "created_at) values ($1, gen_random_uuid(), $2, 'Acme Cloud SAS', "
        "'FR7630006000011234567890189', $3) returning id",
        world.tenant_id,
        world.entity_id,
        NOON,
    )
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=BankTransfer(account_id=account["id"]),
        net_terms=30,
    )

    assert await world.confirm(session, chooses=False, agrees=False) == Completed()

    bill = await invoice(world)
    assert (bill["status"], bill["payment_status"], bill["amount_due"]) == (
        "FINALIZED",
        "UNPAID",
        4900,
    )
    assert (bill["invoice_date"], bill["due_date"]) == (day("2026-03-10"), day("2026-04-09"))
    assert (await subscription(world))["status"] == "ACTIVE"
    assert await world.fetch("select * from transactions") == []
    await assert_sound(world)


async def test_an_external_payment_completes_with_an_invoice_to_pay(world: World) -> None:
    """Paid outside: finalized and unpaid, or a draft where invoices are finalized by hand."""
    plan = await world.plan()
    for automatic, status, number in ((True, "FINALIZED", "INV-1"), (False, "DRAFT", None)):
        session = await world.session(
            await world.customer(),
            plan,
            payment=ExternalPayment(),
            auto_advance_invoices=automatic,
        )
        assert await world.confirm(session, chooses=False, agrees=False) == Completed()
        bill = await world.one(
            "select i.* from invoices i join subscriptions s on s.id = i.subscription_id "
            "where s.checkout_session_id = $1",
            session,
        )
        assert (bill["status"], bill["invoice_number"]) == (status, number)
        assert (bill["payment_status"], bill["amount_due"]) == ("UNPAID", 4900)
        assert (bill["finalized_at"] is None) == (not automatic)
    assert (await told(world)).count("invoice.created") == 2
    assert (await told(world)).count("invoice.finalized") == 1
    await assert_sound(world)


async def test_a_paid_invoice_is_final_whatever_the_offer_says(world: World) -> None:
    """An invoice that is paid at the checkout does not wait to be finalized by hand."""
    session = await world.session(
        await world.customer(), await world.plan(), auto_advance_invoices=False
    )

    await world.confirm(session)

    bill = await invoice(world)
    assert (bill["status"], bill["payment_status"]) == ("FINALIZED", "PAID")
    assert (await subscription(world))["auto_advance_invoices"] is False


async def test_an_amount_below_the_least_charge_is_written_off(world: World) -> None:
    """EUR 0.49 cannot be charged: the invoice is paid, 49 cents written off, the card saved."""
    plan = await world.plan(("Tiny", RateFee(), [(Cadence.MONTHLY, rate("0.49"))]), name="Tiny")
    session = await world.session(await world.customer(), plan)

    assert await world.confirm(session) == Completed()

    bill = await invoice(world)
    assert (bill["total"], bill["written_off"], bill["amount_due"]) == (49, 49, 0)
    assert (bill["status"], bill["payment_status"]) == ("FINALIZED", "PAID")
    assert bill["write_off_reason"] == "BELOW_MINIMUM_CHARGE"
    assert (await subscription(world))["payment_method_id"] is not None
    assert await world.charges() == []
    await assert_sound(world)


async def test_the_least_charge_is_charged(world: World) -> None:
    """EUR 0.50 can be charged; what a balance leaves below that is written off."""
    plan = await world.plan(("Tiny", RateFee(), [(Cadence.MONTHLY, rate("0.50"))]), name="Tiny")
    rich = await world.customer("Initech")
    await world.balance(rich, 10)
    await world.confirm(await world.session(await world.customer(), plan))
    await world.confirm(await world.session(rich, plan))

    assert await world.charges() == [50]
    bill = await world.one("select * from invoices where customer_id = $1", rich)
    assert (bill["applied_balance"], bill["written_off"], bill["amount_due"]) == (10, 40, 0)
    await assert_sound(world)


async def test_the_customers_own_trial_is_granted_once(world: World) -> None:
    """A plan's own free trial is not given again after the first subscription of it."""
    plan = await world.plan(trial_days=14, trial_is_free=True)
    customer = await world.customer()
    assert await world.confirm(await world.session(customer, plan)) == Completed()
    await world.execute("update subscriptions set status = 'TRIAL_EXPIRED'")
    await world.execute("delete from plan_places")
    later = world.at(NOON + timedelta(days=20))
    session = await later.session(customer, plan)

    assert await later.confirm(session) == Completed()

    assert await world.charges() == [4900]
    statuses = await world.fetch("select status from subscriptions order by created_at")
    assert [row["status"] for row in statuses] == ["SUPERSEDED", "ACTIVE"]
    await assert_sound(world)


async def test_another_plan_is_lent_only_in_a_trial(world: World) -> None:
    """The plan whose features a trial lends stands beside a trial, and not where it was had."""
    lent = await world.plan(name="Everything")
    plan = await world.plan(trial_days=14, trial_is_free=True, trialing_plan_id=lent.id)
    customer = await world.customer()
    assert await world.confirm(await world.session(customer, plan)) == Completed()
    await world.execute("update subscriptions set status = 'CANCELLED'")
    await world.execute("delete from plan_places")
    assert await world.confirm(await world.session(customer, plan)) == Completed()

    made = await world.fetch(
        "select trial_duration, trialing_plan_id from subscriptions order by id"
    )
    assert [tuple(row.values()) for row in made] == [(14, lent.id), (None, None)]


async def test_a_paid_trial_that_was_over_when_bought_was_had(world: World) -> None:
    """Bought from a start three weeks ago, two of them its paid trial: no other is granted."""
    plan = await world.plan(trial_days=14, trial_is_free=False)
    customer = await world.customer()
    start = day("2026-02-17")
    session = await world.session(customer, plan, billing_start_date=start)
    assert await world.confirm(session) == Completed()

    made = await subscription(world)
    assert (made["status"], made["trial_duration"]) == ("ACTIVE", 14)
    assert (made["trial_end"], made["trial_is_free"]) == (day("2026-03-03"), False)
    await world.execute("update subscriptions set status = 'CANCELLED'")
    await world.execute("delete from plan_places")

    shown = json.loads(await world.shown(await world.session(customer, plan)))
    assert (shown["trial_end"], shown["due"]) == (None, 4900)


async def test_only_the_methods_offered_are_taken(world: World) -> None:
    """A card where only direct debit is offered is refused before anything is asked."""
    session = await world.session(
        await world.customer(), await world.plan(), payment=OnlinePayment(card=False)
    )

    refused = await world.confirm(session)

    assert [fault.code for fault in getattr(refused, "faults", ())] == ["not_offered"]

    assert await world.confirm(session, method=await world.debit()) == Completed()
    await assert_sound(world)
