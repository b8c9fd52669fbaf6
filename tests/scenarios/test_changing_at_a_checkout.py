"""Plan changes that the customer makes at a checkout: charged as quoted, or not made."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.payment import FailureReason
from tallystick.domain.purchase import Activation
from tallystick.services.change_plan import change_plan
from tallystick.services.changing_plan import open_plan_change
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Completed,
    Ended,
    InFlight,
    PaymentFailed,
    QuoteChanged,
)
from tallystick.services.end_session import cancel_session, expire_session
from tallystick.services.late_money import refund_late_money
from tallystick.services.plan_wanted import PlanChanged, PlanChangeRequest
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tests.cases.golden import case
from tests.scenarios.plan_changes import Shop, amounts, begin, last
from tests.shops import attempts
from tests.subscribing import Merchant
from tests.world import SoldPlan, World

DECLINES = "4000000000000002"
ANSWER_IS_LOST = "4000000000009979"
CHALLENGES = "4000002500003155"


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop whose plans share their products."""
    return Shop(merchant=Merchant(world=world))


async def opened(shop: Shop, subscription_id: UUID, plan: SoldPlan) -> UUID:
    """A session in which the plan is changed."""
    request = PlanChangeRequest(plan_version_id=plan.version_id, components=OfferRequest())
    async with shop.world.app.transaction() as tx:
        made = await open_plan_change(shop.world.ctx.within(tx), subscription_id, request, "{}")
    await shop.merchant.is_sound()
    assert made.session is not None
    return made.session.session.id


async def changed(
    shop: Shop, subscription_id: UUID, plan: SoldPlan, due: int
) -> dict[str, Any]:
    """Change the plan at a checkout that charges so much; the invoice."""
    session = await opened(shop, subscription_id, plan)
    row = await shop.world.one("select * from checkout_sessions where id = $1", session)
    assert (row["checkout_type"], row["amount_due"]) == ("PLAN_CHANGE", due)
    before = len(await shop.world.charges())
    assert isinstance(await shop.world.confirm(session), Completed)
    assert (await shop.world.charges())[before:] == ([due] if due else [])
    await shop.merchant.is_sound()
    return await last(shop)


async def checked_out(shop: Shop, plan: SoldPlan) -> UUID:
    """A subscription since January 1 that its customer has activated and paid."""
    await shop.at("2024-01-01")
    made = await shop.merchant.subscribe(
        await shop.world.customer(), plan, date(2024, 1, 1), Activation.ON_CHECKOUT
    )
    row = await shop.merchant.stands(made.subscription.id)
    assert isinstance(await shop.world.confirm(row["checkout_session_id"]), Completed)
    return made.subscription.id


async def standing(shop: Shop, made: UUID) -> tuple[object, ...]:
    """What a change would change."""
    row = await shop.merchant.stands(made)
    row.pop("updated_at")
    balance = await shop.balance()
    return row, await shop.merchant.invoices(), balance, await shop.world.charges()


@pytest.mark.parametrize("case_id", ["PCC-01"])
async def test_from_a_free_trial(shop: Shop, case_id: str) -> None:
    """On January 8 the first invoice is the quote, 39.00, and the trial is over."""
    golden = case(case_id)["expected"]
    trial, starter = await shop.sold("PAID_FREE_TRIAL"), await shop.sold("STARTER")
    made = await begin(shop, trial)
    await shop.merchant.travel(date(2024, 1, 8))

    invoice = await changed(shop, made, starter, 3900)

    assert (invoice["invoice_type"], invoice["invoice_date"]) == (
        "RECURRING",
        date(2024, 1, 8),
    )
    assert (invoice["total"], invoice["payment_status"]) == (3900, "PAID")
    stands = await shop.merchant.stands(made)
    assert (stands["plan_id"], stands["status"], stands["mrr"]) == (
        starter.id,
        "ACTIVE",
        3900,
    )
    assert (stands["current_period_start"], stands["current_period_end"]) == (
        date(2024, 1, 8),
        date(2024, 2, 8),
    )
    places = await shop.world.fetch("select plan_id, holder from plan_places")
    assert places == [{"plan_id": starter.id, "holder": made}]
    await shop.merchant.travel(date(2024, 2, 9))
    assert [one["total"] for one in await shop.merchant.invoices()] == [
        one["total"] for one in golden["invoices"]
    ]


@pytest.mark.parametrize(
    ("case_id", "before", "after", "first"),
    [
        ("PCC-03", "STARTER", "PAID_FREE_TRIAL", 3900),
        ("PCC-04", "PAID_TRIAL", "PRO", 9900),
    ],
)
async def test_within_a_period(
    shop: Shop, case_id: str, before: str, after: str, first: int
) -> None:
    """16 of 31 days: the adjustment is charged and paid; no trial is granted."""
    golden = case(case_id)["expected"]
    old, new = await shop.sold(before), await shop.sold(after)
    made = await checked_out(shop, old)
    assert await shop.world.charges() == [first]
    await shop.merchant.travel(date(2024, 1, 16))
    due = golden["invoices"][0]["total"]

    invoice = await changed(shop, made, new, due)

    assert amounts(invoice) == golden["line_amounts_documented"]
    assert (invoice["invoice_type"], invoice["total"]) == ("ADJUSTMENT", due)
    assert (invoice["payment_status"], invoice["amount_due"]) == ("PAID", 0)
    stands = await shop.merchant.stands(made)
    assert (stands["plan_id"], stands["status"]) == (new.id, "ACTIVE")
    assert stands["current_period_end"] == date(2024, 2, 1)
    assert ("subscription.updated", "plan_changed") in await shop.merchant.events()
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == golden["invoices"][1]["total"]
    assert await shop.world.charges() == [first, due, golden["invoices"][1]["total"]]


@pytest.mark.parametrize("case_id", ["PCC-06"])
async def test_a_credit_is_carried_on(shop: Shop, case_id: str) -> None:
    """30.16 to the balance, 3.55 of it for the next change, 26.61 for the renewal."""
    golden = case(case_id)["expected"]
    pro, starter = await shop.sold("PRO"), await shop.sold("STARTER")
    trial = await shop.sold("PAID_FREE_TRIAL")
    made = await checked_out(shop, pro)
    await shop.merchant.travel(date(2024, 1, 21))

    first = await changed(shop, made, starter, 0)

    assert amounts(first) == golden["line_amounts_documented"]["first"]
    assert (first["total"], first["payment_status"]) == (-3016, "PAID")
    assert await shop.balance() == golden["per_step"][0]["customer_balance"]

    second = await changed(shop, made, trial, 0)

    assert amounts(second) == golden["line_amounts_documented"]["second"]
    assert (second["total"], second["applied_balance"], second["amount_due"]) == (355, 355, 0)
    assert await shop.balance() == golden["per_step"][1]["customer_balance"]
    await shop.merchant.travel(date(2024, 2, 2))
    renewed = await last(shop)
    assert (renewed["total"], renewed["applied_balance"]) == (4900, 2661)
    assert await shop.balance() == 0
    assert await shop.world.charges() == [12400, 2239]


async def test_a_decline_changes_nothing(shop: Shop) -> None:
    """The link can be used again; then the change is made, once."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session = await opened(shop, made, pro)
    before = await standing(shop, made)

    declined = await shop.world.confirm(session, method=await shop.world.card(DECLINES))

    assert isinstance(declined, PaymentFailed)
    assert await standing(shop, made) == before
    await shop.merchant.is_sound()
    assert isinstance(await shop.world.confirm(session), Completed)
    assert isinstance(await shop.world.confirm(session, shown=""), Completed)
    assert await shop.world.charges() == [4387]
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 4387]


async def test_another_day_is_another_quote(shop: Shop) -> None:
    """Shown on the 16th and confirmed on the 17th: refused uncharged, with the new figures."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session = await opened(shop, made, pro)
    await shop.world.execute("update checkout_sessions set expires_at = null")
    shown = await shop.world.shown(session)
    await shop.merchant.travel(date(2024, 1, 17))
    before = await standing(shop, made)

    refused = await shop.world.confirm(session, shown=shown)

    assert isinstance(refused, QuoteChanged)
    assert refused.quote.amount_due == 4113
    assert await standing(shop, made) == before


async def test_a_change_in_between_ends_it(shop: Shop) -> None:
    """Changed to the same plan by the merchant: nothing is left to buy, or to charge."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session = await opened(shop, made, pro)
    shown = await shop.world.shown(session)
    await shop.change(made, pro)

    assert isinstance(await shop.world.confirm(session, shown=shown), Ended)
    assert await shop.world.charges() == []


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_a_session_that_ends_changes_nothing(shop: Shop, how: str) -> None:
    """The subscription goes on with its plan."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session = await opened(shop, made, pro)
    before = await standing(shop, made)

    if how == "cancelled":
        await cancel_session(shop.world.ctx, session)
    else:
        await shop.merchant.travel(date(2024, 1, 17))
        await expire_session(shop.world.ctx, session)

    row = await shop.world.one("select state from checkout_sessions where id = $1", session)
    assert row["state"] == how.upper()
    assert await standing(shop, made) == before
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 3900


async def test_what_is_being_paid_waits(shop: Shop) -> None:
    """While the bank asks the buyer: no other change, no cancellation, no second checkout."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session, other = await opened(shop, made, pro), await opened(shop, made, pro)
    shown = await shop.world.shown(other)
    await shop.world.confirm(session, method=await shop.world.card(CHALLENGES))
    await shop.merchant.is_sound()

    with pytest.raises(Busy):
        await shop.change(made, pro)
    with pytest.raises(Busy):
        await shop.merchant.cancel(made)
    assert isinstance(await shop.world.confirm(other, shown=shown), InFlight)

    await cancel_session(shop.world.ctx, session)
    await shop.merchant.is_sound()
    assert (await shop.merchant.stands(made))["is_being_paid"] is False
    assert isinstance(await shop.world.confirm(other, shown=shown), Completed)


async def test_two_changes_at_once(shop: Shop) -> None:
    """One of them is made: the other finds the version that it asks for, and is refused."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    request = PlanChangeRequest(plan_version_id=pro.version_id, components=OfferRequest())

    async def change() -> PlanChanged:
        async with shop.world.app.transaction() as tx:
            ctx = shop.world.ctx.within(tx)
            return await change_plan(ctx, made, request, preview=False)

    outcomes = await asyncio.gather(*(change() for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(one, PlanChanged) for one in outcomes) == 1
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 4387]
    await shop.merchant.is_sound()


async def test_what_waits_for_its_activation_is_not_changed(shop: Shop) -> None:
    """409 as for a change by the merchant."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter, activation=Activation.MANUAL)

    with pytest.raises(Conflict):
        await opened(shop, made, pro)


async def test_a_plan_that_the_customer_has_is_not_bought_again(shop: Shop) -> None:
    """Refused when the session is made; bought meanwhile in another tab, at the button."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    customer = (await shop.merchant.stands(made))["customer_id"]
    session = await opened(shop, made, pro)
    shown = await shop.world.shown(session)
    assert isinstance(
        await shop.world.confirm(await shop.world.session(customer, pro)), Completed
    )
    charged = await shop.world.charges()

    assert isinstance(await shop.world.confirm(session, shown=shown), AlreadyHeld)
    with pytest.raises(Conflict, match="already"):
        await opened(shop, made, pro)
    assert await shop.world.charges() == charged
    await shop.merchant.is_sound()


@pytest.mark.parametrize("moved_on", [False, True])
async def test_money_that_comes_late(shop: Shop, *, moved_on: bool) -> None:
    """Its answer was lost: it buys what was quoted, or goes back if that is gone."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    session = await opened(shop, made, pro)
    await shop.world.confirm(session, method=await shop.world.card(ANSWER_IS_LOST))
    late = (await attempts(shop.world))[-1]["id"]
    async with shop.world.app.transaction() as tx:
        await record_failure(shop.world.ctx, tx, late, FailureReason.INTERRUPTED)
    if moved_on:
        # The bank has money that nobody has recorded: the shop is not sound just now.
        request = PlanChangeRequest(plan_version_id=pro.version_id, components=OfferRequest())
        async with shop.world.app.transaction() as tx:
            await change_plan(shop.world.ctx.within(tx), made, request, preview=False)

    async with shop.world.app.transaction() as tx:
        outcome = await record_purchase(shop.world.ctx, tx, late)

    assert isinstance(outcome, PaymentFailed if moved_on else Completed)
    if moved_on:
        await refund_late_money(shop.world.ctx, late)
    await shop.merchant.is_sound()
    moved = await shop.world.sandbox.movements(shop.world.tenant_id)
    assert [one.kind for one in moved] == ["CHARGE", *(["REFUND"] if moved_on else [])]
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 4387]
    assert (await shop.merchant.stands(made))["plan_id"] == pro.id
