"""What the buyer types on the page: what is refused, what is kept, and what it costs."""

from dataclasses import replace
from decimal import Decimal

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.coupons import Percentage
from tallystick.domain.payment import Declined, FailureReason, MethodKind, PaymentOrder
from tallystick.services.confirm_checkout import confirm_checkout
from tallystick.services.confirm_result import Completed, PaymentFailed, Refused
from tallystick.services.edit_checkout import edit_checkout
from tallystick.services.show_checkout import show_checkout
from tests.world import PUBLIC_URL, World

BUYER = BuyerDetails(name="Globex", email="ap@globex.example", address=Address(country="DE"))


async def test_a_text_that_is_no_country_cannot_switch_tax_off(world: World) -> None:
    """`de`, `XX` and `UK` are refused beside their field, and are no address abroad."""
    await world.execute(
        "update invoicing_entities set tax_engine = 'EU_VAT' where tenant_id = $1",
        world.tenant_id,
    )
    session = await world.session(await world.customer(), await world.plan())
    for text in ("de", "XX", "UK", "EL", "Germany"):
        typed = replace(BUYER, address=Address(country=text))
        faults = await edit_checkout(world.ctx, session, typed, None)
        assert [(one.field, one.code) for one in faults] == [("country", "unknown")]

        refused = await world.confirm(session, buyer=typed, shown="{}")
        assert isinstance(refused, Refused)
    view = await show_checkout(world.ctx, session, paid_with=None)
    assert view.quote is not None
    assert view.quote.needs_country
    assert await world.charges() == []


async def test_a_wrong_code_leaves_the_right_one_in_force(world: World) -> None:
    """HALF stays when NONSENSE is refused; an empty code takes it away."""
    await world.coupon("HALF", Percentage(percentage=Decimal(50)))
    session = await world.session(await world.customer(), await world.plan())

    assert await edit_checkout(world.ctx, session, BUYER, "HALF") == ()
    wrong = await edit_checkout(world.ctx, session, BUYER, "NONSENSE")

    assert [(one.field, one.code) for one in wrong] == [("code", "unknown")]
    view = await show_checkout(world.ctx, session, paid_with=None)
    assert (view.page_code, view.quote and view.quote.amount_due) == ("HALF", 2450)
    await edit_checkout(world.ctx, session, BUYER, "")
    view = await show_checkout(world.ctx, session, paid_with=None)
    assert (view.page_code, view.quote and view.quote.amount_due) == (None, 4900)


async def test_a_tax_number_without_a_known_rule_does_not_stop_the_sale(world: World) -> None:
    """A US number is kept as it is; a German one with wrong check digits is refused."""
    session = await world.session(await world.customer(), await world.plan())
    american = replace(BUYER, address=Address(country="US"), vat_number="12-3456789")
    assert await edit_checkout(world.ctx, session, american, None) == ()

    wrong = replace(BUYER, vat_number="DE123456789")
    faults = await edit_checkout(world.ctx, session, wrong, None)
    assert [(one.field, one.code) for one in faults] == [("vat_number", "invalid")]

    await edit_checkout(world.ctx, session, american, None)
    assert await world.confirm(session, buyer=american) == Completed()
    customer = await world.one("select vat_number from customers")
    assert customer["vat_number"] == "12-3456789"


async def test_a_debit_keeps_its_mandate_though_nothing_is_saved(world: World) -> None:
    """Without later charges the mandate for this one is still agreed to, and kept."""
    session = await world.session(
        await world.customer(), await world.plan(), charge_automatically=False
    )
    method = await world.debit()
    shown = await world.shown(session)

    refused = await confirm_checkout(
        world.ctx,
        session,
        shown=shown,
        buyer=replace(BUYER, address=Address(country="FR")),
        code=None,
        method=method,
        consent=None,
        return_url=PUBLIC_URL,
    )
    assert isinstance(refused, Refused)
    assert [fault.field for fault in refused.faults] == ["consent"]

    assert await world.confirm(session, method=method) == Completed()
    attempt = await world.one("select consent, payment_method_id from payment_attempts")
    assert attempt["consent"] is not None
    assert attempt["payment_method_id"] is None


async def test_two_places_do_not_make_two_trials(world: World) -> None:
    """While one checkout with the plan's trial is being paid, the next one has none."""
    tenant = replace(world.ctx.tenant, places_per_plan=2)
    world.ctx = replace(world.ctx, tenant=tenant)
    customer = await world.customer()
    plan = await world.plan(trial_days=14, trial_is_free=True)
    first, second = await world.session(customer, plan), await world.session(customer, plan)
    await world.confirm(first, method=await world.card("4000002500003155"))

    view = await show_checkout(world.ctx, second, paid_with=None)
    assert view.quote is not None
    assert (view.quote.amount_due, view.quote.dates.trial_days) == (4900, None)
    own = await show_checkout(world.ctx, first, paid_with=None)
    assert own.quote is not None
    assert own.quote.dates.trial_days == 14


async def test_an_order_that_the_provider_refuses_ends_the_attempt(world: World) -> None:
    """A refusal to open is the provider's word: nothing was taken, the link works again."""

    class Refusing(type(world.sandbox)):  # type: ignore[misc]
        async def open(self, order: PaymentOrder) -> Declined:  # noqa: ARG002 - refused unseen
            """Refuse every order for good."""
            return Declined(FailureReason.PROCESSING_ERROR)

    session = await world.session(await world.customer(), await world.plan())
    method = await world.provider.collect(
        world.tenant_id,
        session,
        MethodKind.CARD,
        {"card_number": "4242424242424242", "card_expiry": "12/40", "card_cvc": "123"},
    )
    good = world.sandbox
    refusing = Refusing(world.database, public_url=PUBLIC_URL, debit_seconds=5)
    world.app = replace(world.app, providers={"sandbox": refusing})
    world.ctx = replace(world.ctx, app=world.app)

    assert await world.confirm(session, method=method) == PaymentFailed(
        FailureReason.PROCESSING_ERROR
    )
    assert await world.fetch("select * from plan_places") == []

    world.app = replace(world.app, providers={"sandbox": good})
    world.ctx = replace(world.ctx, app=world.app)
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
