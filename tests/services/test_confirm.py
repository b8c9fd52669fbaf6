"""Confirming a checkout: what is charged, what is made, and what is not."""

from decimal import Decimal

from tallystick.domain.coupons import Percentage
from tallystick.domain.payment import FailureReason
from tallystick.services.confirm_result import Completed, PaymentFailed, QuoteChanged
from tests.world import World


async def test_a_card_buys_once_exactly_what_was_shown(world: World) -> None:
    """One charge of EUR 49, one active subscription, one finalized paid invoice of the same."""
    customer, plan = await world.customer(), await world.plan()
    session = await world.session(customer, plan)

    assert await world.confirm(session) == Completed()

    assert await world.charges() == [4900]
    invoice = await world.one("select * from invoices")
    assert (invoice["status"], invoice["payment_status"]) == ("FINALIZED", "PAID")
    assert (invoice["total"], invoice["amount_due"], invoice["invoice_number"]) == (
        4900,
        0,
        "INV-1",
    )
    subscription = await world.one("select * from subscriptions")
    assert (subscription["status"], subscription["mrr"]) == ("ACTIVE", 4900)
    assert subscription["payment_method_id"] is not None
    stored = await world.one("select * from checkout_sessions")
    assert stored["state"] == "COMPLETED"
    place = await world.one("select * from plan_places")
    assert (place["held_by"], place["holder"]) == ("SUBSCRIPTION", subscription["id"])
    events = await world.fetch("select type from events order by position")
    assert [event["type"] for event in events] == [
        "checkout_session.created",
        "payment_method.added",
        "subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "checkout_session.completed",
    ]


async def test_a_declined_card_leaves_the_link_usable(world: World) -> None:
    """A decline takes nothing and says why; another card then buys."""
    session = await world.session(await world.customer(), await world.plan())

    declined = await world.confirm(session, method=await world.card("4000000000000002"))

    assert declined == PaymentFailed(FailureReason.DECLINED)
    assert await world.charges() == []
    assert await world.fetch("select * from plan_places") == []
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]


async def test_a_changed_quote_is_not_charged(world: World) -> None:
    """When today's quote differs from the one shown, nothing is charged and both are known."""
    customer, plan = await world.customer(), await world.plan()
    coupon = await world.coupon("HALF", Percentage(percentage=Decimal(50)))
    session = await world.session(customer, plan, coupon_ids=(coupon,))
    shown = await world.shown(session)
    await world.execute("update coupons set disabled = true")

    refused = await world.confirm(session, shown=shown)

    assert isinstance(refused, QuoteChanged)
    assert (refused.quote.amount_due, refused.shown) == (4900, shown)
    assert await world.charges() == []
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
