"""Stories of money that is taken from a saved method, with nobody at a page."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from typing_extensions import override

from tallystick.domain.errors import TallystickError
from tallystick.domain.offer_request import OfferRequest, Parameterized, Parameters
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import SlotFee, SlotPricing
from tallystick.domain.purchase import Activation
from tallystick.domain.slot_change import SlotMode
from tallystick.services.change_slots import SlotsRequest, change_slots
from tallystick.services.collect_invoice import collect_due, collect_invoice
from tallystick.services.confirm_result import Completed
from tallystick.services.create_subscription import SubscriptionRequest, create_subscription
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.renew_due import renew_due
from tests.faults.bank import Pays
from tests.faults.outcomes import FROM_FILE, Outcome
from tests.faults.stage import Case, Facts, Stage, time_passes
from tests.faults.story import Seen, Story, money, new_invoices
from tests.world import SoldPlan, World

TRIAL = timedelta(days=14)
AGAIN = timedelta(days=7)
"""When what failed is tried again at the latest."""


class FromFile(Story):
    """An invoice that is charged to what is on file."""

    outcomes: ClassVar[Sequence[Outcome]] = FROM_FILE

    async def charge(self, case: Case, shop: World) -> None:
        """The charge itself."""
        assert case.invoice is not None, "there is something to charge"
        await collect_invoice(shop.ctx, case.invoice)

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The charge, which may be refused; days later the bank's last word."""
        with suppress(TallystickError):
            await self.charge(case, shop)
        if outcome.pays.is_debit and outcome.decides:
            await stage.bank.decides(stage.world, list(case.bank.opened))
            await stage.bank.is_asked_about_debits(shop, [case.customer], 1)
        if outcome.is_swept:
            await time_passes(stage, shop, case)

    @override
    async def rounds(self, stage: Stage, cases: Sequence[Case], outcome: Outcome) -> None:
        """What nobody has begun is begun by another worker."""
        await stage.rounds(cases, decides=outcome.decides)
        await collect_due(stage.world.ctx)
        await stage.rounds(cases, decides=outcome.decides)

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The customer has mended the method, and after some days it is tried again."""
        customers = [case.customer for case in cases]
        for pays in (Pays.GOOD, Pays.SETTLES):
            await stage.bank.turns(stage.world, customers, pays)
        await stage.later(AGAIN)
        await collect_due(stage.world.ctx)


class Renews(FromFile):
    """EUR 49 of a period that begins."""

    name = "charge of an invoice"

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription whose period has been billed, and not been charged."""
        customer = await stage.world.customer()
        await stage.on_file(customer, outcome.pays)
        made, _ = await subscribed(stage, customer, await stage.plan())
        return stage.scripted(
            Case(
                customer=customer,
                due=4900,
                subscription=made,
                invoice=await only_invoice(stage, customer),
            )
        )

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Subscriptions, money and invoices."""
        return len(now.live), now.kept, now.final

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One charge."""
        return 1, *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """It is owed, and will be tried again."""
        return [(1, 0, [("ERRORED", case.due)])]

    @override
    def paid(self, outcome: Outcome) -> str:
        """A debit that bounced is no payment: it can be tried again."""
        return "PAID" if outcome.decides else "PROCESSING"


class IsPaidByHand(Renews):
    """A person asks for what could not be charged, and asks again under the same key."""

    name = "payment of an invoice on demand"

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """An invoice that was declined once, and a method that pays as the outcome says."""
        customer = await stage.world.customer()
        await stage.on_file(customer, Pays.DECLINED)
        made, _ = await subscribed(stage, customer, await stage.plan())
        invoice = await only_invoice(stage, customer)
        await collect_invoice(stage.world.ctx, invoice)
        # The newest is the one that is charged.
        await stage.on_file(customer, outcome.pays)
        return stage.scripted(
            Case(customer=customer, due=4900, subscription=made, invoice=invoice)
        )

    @override
    async def charge(self, case: Case, shop: World) -> None:
        """The request."""
        assert case.invoice is not None, "there is something to pay"
        await pay_invoice(shop.ctx, case.invoice, case.key)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """Who has heard nothing asks again."""
        await super().afterwards(stage, case, outcome)
        await stage.become_due([case])
        await self.charge(case, stage.world)


class EndsTrial(FromFile):
    """A free trial ends: EUR 49 less EUR 10 of credit, charged before it goes on."""

    name = "charge at the end of a trial"

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A trial that a checkout has begun, with a method."""
        world = stage.world
        customer = await world.customer()
        await world.balance(customer, 1000)
        session = await world.session(customer, await stage.plan(), trial_duration_days=14)
        shown = await stage.shown("trial", session)
        method = await stage.bank.method(world, outcome.pays, on_file=True)
        assert await world.confirm(session, shown=shown, method=method) == Completed()
        return stage.scripted(Case(customer=customer, due=3900))

    @override
    async def ready(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The two weeks are over, and the first period is a draft."""
        await stage.later(TRIAL)
        await renew_due(stage.world.ctx)
        for case in cases:
            case.invoice = await only_invoice(stage, case.customer)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """The subscription, money, invoices, and the balance."""
        statuses = [status for status, _ in now.subscriptions.values()]
        return statuses, now.kept, now.final, now.balance

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is active."""
        return ["ACTIVE"], *money(case, paid), 0

    @override
    def none(self, case: Case) -> list[Seen]:
        """It waits for its payment, and nothing is billed."""
        return [(["TRIAL_EXPIRED"], 0, [], 1000)]


class BillsAtOnce(FromFile):
    """A change in a transaction, whose invoice is then charged to what is on file."""

    @override
    def paid(self, outcome: Outcome) -> str:
        """A debit that bounced is no payment: it can be tried again."""
        return "PAID" if outcome.decides else "PROCESSING"

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """Who has no invoice asks for the change once more; the others are tried again."""
        facts = await stage.facts(cases)
        await super().again(stage, cases)
        for case, now in zip(cases, facts, strict=True):
            if not new_invoices(case, now):
                await stage.later(-AGAIN)
                await self.charge(case, stage.world)
                await stage.later(AGAIN)


class BuysSlots(BillsAtOnce):
    """Three seats more for EUR 10 each, there when they are paid."""

    name = "upgrade of slots that is paid first"

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription with five seats that are paid, and a method."""
        customer = await stage.world.customer()
        await stage.on_file(customer, Pays.GOOD)
        plan = await _seats(stage)
        chosen = Parameters(initial_slot_count=5)
        seats = Parameterized(component_id=plan.components["Seats"], parameters=chosen)
        made, items = await subscribed(stage, customer, plan, parameterized=(seats,))
        await collect_invoice(stage.world.ctx, await only_invoice(stage, customer))
        await stage.on_file(customer, outcome.pays)
        return stage.scripted(
            Case(customer=customer, due=3000, subscription=made, item=items[-1])
        )

    @override
    async def charge(self, case: Case, shop: World) -> None:
        """The change in its transaction, and the charge of its invoice."""
        assert case.subscription is not None, "it has seats"
        assert case.item is not None, "it has seats"
        request = SlotsRequest(item_id=case.item, delta=3, mode=SlotMode.ON_INVOICE_PAID)
        async with shop.app.transaction() as tx:
            changed = await change_slots(
                shop.ctx.within(tx), case.subscription, request, preview=False
            )
        assert changed.invoice is not None, "seats cost something"
        await collect_invoice(shop.ctx, changed.invoice.id)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Seats, money and invoices."""
        return now.slots, now.kept - case.was.kept, new_invoices(case, now)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """Eight seats; as many as before while nothing is paid."""
        return 8 if paid == "PAID" else 5, *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """Five seats, and what was asked for is owed; or it was never asked for."""
        return [(5, 0, []), (5, 0, [("ERRORED", case.due)])]


async def subscribed(
    stage: Stage, customer: UUID, plan: SoldPlan, **offer: object
) -> tuple[UUID, list[UUID]]:
    """A subscription that begins today and is charged automatically; its id, and its items'."""
    world = stage.world
    request = SubscriptionRequest(
        customer=customer,
        plan_id=plan.id,
        version=None,
        activation=Activation.ON_START,
        start=world.ctx.today,
        offer=OfferRequest(
            billing_start_date=world.ctx.today,
            charge_automatically=True,
            **offer,  # type: ignore[arg-type]
        ),
        skips_past=False,
    )
    async with world.app.transaction() as tx:
        made = await create_subscription(world.ctx.within(tx), request)
    return made.subscription.id, [item.id for item in made.items]


async def only_invoice(stage: Stage, customer: UUID) -> UUID:
    """The one invoice of a customer."""
    row = await stage.world.one(
        "select id from invoices where tenant_id = $1 and customer_id = $2",
        stage.world.tenant_id,
        customer,
    )
    found: UUID = row["id"]
    return found


async def _seats(stage: Stage) -> SoldPlan:
    """EUR 10 a month for each seat."""
    if "seats" not in stage.made:
        pricing = SlotPricing(unit_rate=Decimal(10), min_slots=5, max_slots=100)
        seats = ("Seats", SlotFee(unit_name="seat"), [(Cadence.MONTHLY, pricing)])
        stage.made["seats"] = await stage.world.plan(seats, name="Seats")
    plan: SoldPlan = stage.made["seats"]
    return plan
