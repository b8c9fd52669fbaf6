"""Stories of buyers at the page: they buy, save a method, activate, change their plan."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.domain.purchase import Activation
from tallystick.services.changing_plan import open_plan_change
from tallystick.services.confirm_result import Completed
from tallystick.services.create_subscription import SubscriptionRequest, create_subscription
from tallystick.services.plan_wanted import PlanChangeRequest
from tests.faults.bank import Pays
from tests.faults.outcomes import AT_A_PAGE, NOBODY, TO_SAVE, Outcome
from tests.faults.stage import Case, Facts, Stage
from tests.faults.story import Checkout, Seen, money, new_invoices, session_of
from tests.world import SoldPlan, rate

CREDIT = 1000
"""EUR 10 on the balance."""


class Buys(Checkout):
    """EUR 49 a month, half of it for a coupon, EUR 10 from the balance: EUR 14.50 today."""

    name = "checkout with payment"
    outcomes: ClassVar[Sequence[Outcome]] = AT_A_PAGE
    due = 1450

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A link with a coupon for a customer with credit."""
        return await link(self, stage, outcome, due=self.due)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Session, subscriptions, money and invoices; what was held; the coupon's uses."""
        state = now.sessions[session_of(case)]
        invoices = new_invoices(case, now)
        return state, len(now.live), now.kept, invoices, now.balance, now.redemptions

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One subscription, one invoice, one charge; the credit and the coupon are used."""
        return "COMPLETED", 1, *money(case, paid), 0, 1

    @override
    def none(self, case: Case) -> list[Seen]:
        """The link is open, and nothing is taken."""
        return [("CREATED", 0, 0, [], CREDIT, 0)]


class Saves(Checkout):
    """A free trial: the method is saved and nothing is charged."""

    name = "checkout that saves a method"
    outcomes: ClassVar[Sequence[Outcome]] = TO_SAVE

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A link with two free weeks."""
        return await link(self, stage, outcome, due=0, trial_duration_days=14)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Session, subscriptions, methods, money, invoices; the balance stays."""
        state = now.sessions[session_of(case)]
        return state, len(now.live), now.methods, now.kept, now.final, now.balance

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One subscription in its trial, with one method."""
        return "COMPLETED", 1, 1, 0, [], CREDIT

    @override
    def none(self, case: Case) -> list[Seen]:
        """The link is open, and nothing is saved."""
        return [("CREATED", 0, 0, 0, [], CREDIT)]

    @override
    def paid(self, outcome: Outcome) -> str:
        """Nothing is paid."""
        return "PAID"


class PaysElsewhere(Buys):
    """Payment is agreed elsewhere: no provider is asked."""

    name = "checkout without a provider"
    outcomes: ClassVar[Sequence[Outcome]] = (NOBODY,)
    paid_again = "UNPAID"

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A link without a method."""
        case = await link(self, stage, outcome, due=self.due, payment=ExternalPayment())
        case.method = None
        return case

    @override
    def paid(self, outcome: Outcome) -> str:
        """It is owed."""
        return "UNPAID"

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One subscription, one invoice that is owed; the credit and the coupon are used."""
        return "COMPLETED", 1, 0, [("UNPAID", case.due)], 0, 1


class Activates(Checkout):
    """A subscription made for a checkout: EUR 49 are charged, and it is active."""

    name = "activation by a checkout"
    outcomes: ClassVar[Sequence[Outcome]] = AT_A_PAGE

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription that waits, and its link."""
        world = stage.world
        plan, customer = await stage.plan(), await world.customer()
        request = SubscriptionRequest(
            customer=customer,
            plan_id=plan.id,
            version=None,
            activation=Activation.ON_CHECKOUT,
            start=world.ctx.today,
            offer=OfferRequest(billing_start_date=world.ctx.today),
            skips_past=False,
        )
        async with world.app.transaction() as tx:
            made = await create_subscription(world.ctx.within(tx), request)
        session = made.subscription.open_session_id
        assert session is not None, "it waits for its checkout"
        return stage.scripted(
            Case(
                customer=customer,
                due=4900,
                session=session,
                shown=await stage.shown(self.name, session),
                subscription=made.subscription.id,
                method=await stage.bank.method(world, outcome.pays, on_file=False),
            )
        )

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Session, subscriptions, money and invoices."""
        statuses = [status for status, _ in now.subscriptions.values()]
        return now.sessions[session_of(case)], statuses, now.kept, new_invoices(case, now)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is active, with one invoice and one charge."""
        return "COMPLETED", ["ACTIVE"], *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """It waits, and its link is open."""
        return [("CREATED", ["PENDING_ACTIVATION"], 0, [])]


class ChangesPlan(Checkout):
    """From EUR 49 to EUR 99 a month on the first day: EUR 50 are charged."""

    name = "change of plan by a checkout"
    outcomes: ClassVar[Sequence[Outcome]] = AT_A_PAGE

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription that was bought by card, and a link to change it."""
        world = stage.world
        cheap, dear = await _ladder(stage)
        customer = await world.customer()
        bought = await world.session(customer, cheap)
        shown = await stage.shown("before the change", bought)
        card = await stage.bank.method(world, Pays.GOOD, on_file=False)
        assert await world.confirm(bought, shown=shown, method=card) == Completed()
        (row,) = await world.fetch(
            "select subscription_id from checkout_sessions where tenant_id = $1 and id = $2",
            world.tenant_id,
            bought,
        )
        request = PlanChangeRequest(plan_version_id=dear.version_id, components=OfferRequest())
        async with world.app.transaction() as tx:
            ctx = world.ctx.within(tx)
            opened = await open_plan_change(ctx, row["subscription_id"], request, "{}")
        assert opened.session is not None, "it is changed at a checkout"
        session = opened.session.session.id
        return stage.scripted(
            Case(
                customer=customer,
                due=5000,
                session=session,
                shown=await stage.shown(self.name, session),
                subscription=row["subscription_id"],
                method=await stage.bank.method(world, outcome.pays, on_file=False),
                wants=dear.version_id,
            )
        )

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Session, plans, money and invoices."""
        more = now.kept - case.was.kept
        return now.sessions[session_of(case)], now.live, more, new_invoices(case, now)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is on the new plan, with one more invoice and one more charge."""
        return "COMPLETED", [case.wants], *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """It is on the old plan, and the link is open."""
        return [("CREATED", case.was.live, 0, [])]


async def link(
    story: Checkout, stage: Stage, outcome: Outcome, *, due: int, **offer: object
) -> Case:
    """A link with a coupon for a customer with EUR 10 of credit, and a method in hand."""
    world = stage.world
    customer = await world.customer()
    await world.balance(customer, CREDIT)
    if "coupon" not in stage.made:
        half = Percentage(percentage=Decimal(50))
        stage.made["coupon"] = await world.coupon("HALF", half)
    session = await world.session(
        customer, await stage.plan(), coupon_ids=(stage.made["coupon"],), **offer
    )
    return stage.scripted(
        Case(
            customer=customer,
            due=due,
            session=session,
            shown=await stage.shown(story.name, session),
            method=await stage.bank.method(world, outcome.pays, on_file=False),
        )
    )


async def _ladder(stage: Stage) -> tuple[SoldPlan, SoldPlan]:
    """Two plans of one product."""
    if "ladder" not in stage.made:
        world = stage.world
        product = await world.product("Fee", RateFee())
        stage.made["ladder"] = tuple(
            [
                await world.plan(
                    ("Fee", RateFee(), [(Cadence.MONTHLY, rate(price))]),
                    products={"Fee": product},
                    name=f"Ladder of {price}",
                )
                for price in ("49.00", "99.00")
            ]
        )
    cheap, dear = stage.made["ladder"]
    return cheap, dear
