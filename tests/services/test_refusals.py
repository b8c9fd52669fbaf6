"""What stops a purchase before anything is charged."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Conflict
from tallystick.domain.session import SessionState
from tallystick.services.confirm_result import Completed, ConfirmResult, QuoteChanged, Refused
from tallystick.services.edit_checkout import edit_checkout
from tallystick.services.end_session import cancel_session
from tests.real_time import travel
from tests.shops import attempts, invoice, selling_under_eu_rules, sold, stored
from tests.soundness import assert_sound
from tests.world import NOON, World

DANA = BuyerDetails(name="Dana", email="dana@globex.example", address=Address(country="FR"))


def faults(result: ConfirmResult) -> list[tuple[str, str]]:
    """The fields at fault, each with its code."""
    assert isinstance(result, Refused), result
    return [(fault.field, fault.code) for fault in result.faults]


async def test_a_country_is_needed_where_tax_depends_on_it(world: World) -> None:
    """Without a country nobody knows what is due; with one the tax is shown first."""
    await selling_under_eu_rules(world)
    nowhere = await world.customer(billing_address=Address())
    session = await world.session(nowhere, await world.plan())

    refused = await world.confirm(session, buyer=BuyerDetails(name="Dana"))

    assert faults(refused) == [("country", "required")]
    changed = await world.confirm(session, buyer=DANA)
    assert isinstance(changed, QuoteChanged)
    assert changed.quote.amount_due == 5880
    assert await world.confirm(session, buyer=DANA) == Completed()
    bill = await invoice(world)
    assert (bill["subtotal"], bill["tax_amount"], bill["total"]) == (4900, 980, 5880)
    assert await world.charges() == [5880]
    await assert_sound(world)


async def test_an_address_that_changes_the_tax_changes_the_quote(world: World) -> None:
    """Who moves to Germany on the page is asked again before EUR 58.31 are taken."""
    await selling_under_eu_rules(world)
    session = await world.session(await world.customer(), await world.plan())
    assert "5880" in await world.shown(session)
    moved = BuyerDetails(name="Dana", address=Address(country="DE"))

    changed = await world.confirm(session, buyer=moved)

    assert isinstance(changed, QuoteChanged)
    assert (changed.quote.total, await world.charges()) == (5831, [])
    assert await world.confirm(session, buyer=moved) == Completed()
    assert await world.charges() == [5831]


async def test_later_charges_need_consent(world: World) -> None:
    """Without the buyer's agreement no method is saved, so nothing is charged."""
    session = await world.session(await world.customer(), await world.plan())

    assert faults(await world.confirm(session, agrees=False)) == [("consent", "required")]

    assert await sold(world) == (0, 0, 0)
    await world.confirm(session)
    (attempt,) = await attempts(world)
    assert '"text_version": "1"' in attempt["consent"]


async def test_a_method_is_needed(world: World) -> None:
    """Nothing chosen is said beside the choice, with every other fault."""
    session = await world.session(await world.customer(), await world.plan())

    refused = await world.confirm(session, chooses=False, agrees=False)

    assert faults(refused) == [("method", "required"), ("consent", "required")]


async def test_every_fault_of_the_form_is_said_at_once(world: World) -> None:
    """Name, address and VAT number are checked together, before the code is spent."""
    session = await world.session(await world.customer(), await world.plan())
    typed = BuyerDetails(
        name=" ", email="dana", address=Address(country="FR"), vat_number="FR00000000000"
    )

    refused = await world.confirm(session, buyer=typed, code="NOPE")

    assert faults(refused) == [
        ("name", "required"),
        ("email", "invalid"),
        ("vat_number", "invalid"),
        ("code", "unknown"),
    ]
    assert await attempts(world) == []


async def test_a_link_is_tried_so_often_and_no_more(world: World) -> None:
    """After fifty attempts a link takes no further card, good or bad."""
    session = await world.session(await world.customer(), await world.plan())
    await world.execute("update checkout_sessions set attempt_count = 49")
    await world.confirm(session, method=await world.card("4000000000000002"))

    refused = await world.confirm(session)

    assert faults(refused) == [("form", "too_many_attempts")]
    assert await sold(world) == (0, 0, 0)
    await assert_sound(world)


async def test_a_refusal_keeps_what_was_typed(world: World) -> None:
    """What the buyer typed stands on the page again, and not on the customer."""
    customer = await world.customer()
    session = await world.session(customer, await world.plan())

    await world.confirm(session, buyer=DANA, agrees=False)

    assert '"Dana"' in (await stored(world, session))["buyer_details"]
    kept = await world.one("select name, billing_email from customers")
    assert (kept["name"], kept["billing_email"]) == ("Globex", "ap@globex.example")


async def test_a_quote_of_yesterday_is_not_charged(world: World) -> None:
    """A page left open over midnight is shown anew: the dates have moved by a day."""
    session = await world.session(
        await world.customer(), await world.plan(), expires_in_hours=48
    )
    shown = await world.shown(session)
    world = await travel(world, NOON + timedelta(days=1))

    changed = await world.confirm(session, shown=shown)

    assert isinstance(changed, QuoteChanged)
    assert changed.shown == shown
    assert await world.confirm(session) == Completed()
    made = await world.one("select start_date from subscriptions")
    assert made["start_date"] == world.ctx.today


async def test_a_quote_that_nobody_made_is_not_charged(world: World) -> None:
    """Whatever a form claims to have shown, only today's own quote is charged."""
    session = await world.session(await world.customer(), await world.plan())

    assert isinstance(await world.confirm(session, shown='{"due":1}'), QuoteChanged)
    assert await world.charges() == []


async def test_an_expired_coupon_does_not_block_the_link(world: World) -> None:
    """A coupon that ran out is left out, said so, and the rest can be bought."""
    coupon = await world.coupon(
        "MARCH", Percentage(percentage=Decimal(50)), expires_at=NOON + timedelta(minutes=30)
    )
    session = await world.session(
        await world.customer(), await world.plan(), coupon_ids=(coupon,)
    )
    shown = await world.shown(session)
    world = await travel(world, NOON + timedelta(minutes=45))

    changed = await world.confirm(session, shown=shown)

    assert isinstance(changed, QuoteChanged)
    assert [one.reason.value for one in changed.quote.left_out] == ["EXPIRED"]
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
    await assert_sound(world)


async def test_editing_changes_nothing_that_has_ended_or_is_being_paid(world: World) -> None:
    """What is typed in an old tab reaches neither a payment under way nor a purchase."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card("4000002500003155"))
    before = await stored(world, session)

    assert await edit_checkout(world.ctx, session, DANA, "NOPE") == ()

    assert await stored(world, session) == before
    await cancel_session(world.ctx, session)
    assert await edit_checkout(world.ctx, session, DANA, None) == ()
    ended = await stored(world, session)
    assert (ended["state"], ended["buyer_details"]) == ("CANCELLED", before["buyer_details"])
    with pytest.raises(Conflict, match=SessionState.CANCELLED.value):
        await cancel_session(world.ctx, session)
