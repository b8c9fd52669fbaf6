"""A shop in which anything may happen to its customers, by a script that is played again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from tallystick.db import metrics
from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.credit_note import (
    Amount,
    CreditKind,
    CreditToBalance,
    DebtCancellation,
    Scope,
)
from tallystick.domain.errors import TallystickError
from tallystick.domain.metrics import Aggregation, Metric, MetricDefinition
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    OneTimeFee,
    OneTimePricing,
    PerUnit,
    Pricing,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.domain.slot_change import SlotMode
from tallystick.domain.usage_events import IncomingEvent
from tallystick.services.add_balance_entry import add_balance_entry
from tallystick.services.advance_clock import advance_clock
from tallystick.services.cancel_subscription import cancel_subscription, reactivate_subscription
from tallystick.services.change_plan import change_plan
from tallystick.services.change_slots import SlotsRequest, change_slots
from tallystick.services.ids import new_id
from tallystick.services.ingest_events import ingest_events
from tallystick.services.plan_wanted import PlanChangeRequest
from tests.crediting import Billed
from tests.scenarios.test_golden_payments import saved
from tests.subscribing import Merchant
from tests.world import SoldPlan, World

START = date(2024, 1, 31)
CUSTOMERS = ("Ada", "Ben", "Cy")
METRIC = "calls"
WHAT = ("change", "change", "change", "cancel", "reactivate", "balance", "credit", "credit", "")


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that happens to a customer on a day; `how` is a number to choose by."""

    customer: str
    what: str
    how: int


@dataclass(frozen=True, kw_only=True)
class Script:
    """What happens on which day, in which order."""

    days: Sequence[tuple[date, Sequence[Happening]]]

    def shuffled(self, random: Random) -> "Script":
        """The same, with what happens to different customers on a day in another order."""
        return Script(days=[(day, random.sample(one, len(one))) for day, one in self.days])


def written(random: Random, *, days: int) -> Script:
    """A script of so many days on which something happens, at most once to each customer.

    Usage is independent of all else, so that it may happen besides.
    """
    day, made = START, []
    for _ in range(days):
        day += timedelta(days=random.choice([1, 3, 9, 21, 29]))
        happenings = []
        for customer in CUSTOMERS:
            what = random.choice(
                [
                    "change",
                    "slots",
                    "slots",
                    "cancel",
                    "reactivate",
                    "balance",
                    "credit",
                    "",
                    "",
                ]
            )
            for one in (what, random.choice(["use", ""])):
                if one:
                    how = random.randrange(1, 1000)
                    happenings.append(Happening(customer=customer, what=one, how=how))
        made.append((day, happenings))
    return Script(days=made)


@dataclass(kw_only=True)
class RandomShop:
    """Three customers of one shop, who begin on the last day of January."""

    merchant: Merchant
    currency: str
    plans: list[SoldPlan] = field(default_factory=list)
    customers: dict[str, UUID] = field(default_factory=dict)
    subscriptions: dict[str, UUID] = field(default_factory=dict)
    changed: int = 0
    refused: int = 0
    slotted: int = 0

    @property
    def world(self) -> World:
        """The shop's world."""
        return self.merchant.world

    async def open(self) -> None:
        """Everybody subscribes; one pays by card, one is taxed, two have coupons."""
        await self.merchant.stand_at(datetime.combine(START, time(9), UTC))
        await self._plans()
        rates = json.dumps([{"name": "VAT", "rate": "0.2", "tax_code": "VAT"}])
        tenth = await self.world.coupon("TENTH", Percentage(percentage=Decimal(10)))
        five = Fixed(amount=Decimal(5), currency=self.currency)
        less = await self.world.coupon("LESS", five, recurring_value=2)
        terms: dict[str, tuple[SoldPlan, dict[str, Any]]] = {
            "Ada": (self.plans[0], {"coupon_ids": (tenth, less)}),
            "Ben": (self.plans[1], {"coupon_ids": (less,), "billing_day_anchor": 15}),
            "Cy": (self.plans[2], {}),
        }
        for name, (plan, fields) in terms.items():
            taxes = {"custom_taxes": rates} if name != "Cy" else {}
            customer = await self.world.customer(name, currency=self.currency, **taxes)
            if name == "Ben":
                await saved(self.world, customer, await self.world.card())
            made = await self.merchant.subscribe(
                customer, plan, START, charge_automatically=name == "Ben", **fields
            )
            self.customers[name] = customer
            self.subscriptions[name] = made.subscription.id

    async def play(self, script: Script) -> None:
        """Everything happens on its day, at noon."""
        for day, happenings in script.days:
            await self.travel(day)
            for one in happenings:
                try:
                    await self._happen(one)
                except TallystickError:
                    self.refused += 1

    async def travel(self, day: date) -> None:
        """The clock moves to noon of a day."""
        noon = datetime.combine(day, time(12), UTC)
        moved = await advance_clock(self.world.ctx, noon)
        assert moved.now == noon
        await self.merchant.stand_at(noon)

    async def invoices(self) -> list[tuple[Any, ...]]:
        """Every invoice by its customer, without ids and numbers, which follow the order."""
        rows = await self.world.fetch(INVOICES, self.world.tenant_id)
        return [tuple(row.values()) for row in rows]

    async def _happen(self, one: Happening) -> None:
        customer, subscription = self.customers[one.customer], self.subscriptions[one.customer]
        if one.what == "change" and await self._is_over(subscription):
            made = await self.merchant.subscribe(
                customer,
                self.plans[one.how % len(self.plans)],
                self.merchant.today,
                charge_automatically=one.customer == "Ben",
            )
            self.subscriptions[one.customer] = made.subscription.id
        elif one.what == "change":
            await self._change(subscription, self.plans[one.how % len(self.plans)])
        elif one.what == "slots":
            await self._slots(subscription, one.how)
        elif one.what == "credit":
            await self._credit(customer, one.how)
        elif one.what == "use":
            await self._use(customer, one.how)
        else:
            async with self.world.app.transaction() as tx:
                ctx = self.world.ctx.within(tx)
                if one.what == "cancel":
                    on = self.merchant.today + timedelta(days=9 + one.how % 70)
                    await cancel_subscription(
                        ctx, subscription, None if one.how % 3 == 0 else on, None
                    )
                elif one.what == "reactivate":
                    await reactivate_subscription(ctx, subscription)
                else:
                    await add_balance_entry(
                        ctx, customer, currency=self.currency, amount=one.how, note=None
                    )

    async def _is_over(self, subscription: UUID) -> bool:
        return bool((await self.merchant.stands(subscription))["status"] == "CANCELLED")

    async def _change(self, subscription: UUID, plan: SoldPlan) -> None:
        """Look at the change first: it writes nothing, and is what then happens."""
        request = PlanChangeRequest(plan_version_id=plan.version_id, components=OfferRequest())
        before = await self._written()
        async with self.world.app.transaction() as tx:
            seen = await change_plan(
                self.world.ctx.within(tx), subscription, request, preview=True
            )
        assert await self._written() == before, "a preview writes nothing"
        async with self.world.app.transaction() as tx:
            done = await change_plan(
                self.world.ctx.within(tx), subscription, request, preview=False
            )
        assert told(seen.invoice) == told(done.invoice), "a preview is what follows"
        assert seen.details.subscription.mrr == done.details.subscription.mrr
        self.changed += 1

    async def _slots(self, subscription: UUID, how: int) -> None:
        """A few seats more or one fewer, at once, or when the invoice is paid."""
        rows = await self.world.fetch(
            "select id from subscription_items where subscription_id = $1 and name = 'Seats'"
            " order by position desc limit 1",
            subscription,
        )
        if not rows:
            return
        request = SlotsRequest(
            item_id=rows[0]["id"],
            delta=how % 5 - 1 or 4,
            mode=SlotMode.ON_INVOICE_PAID if how % 3 == 0 else SlotMode.OPTIMISTIC,
        )
        async with self.world.app.transaction() as tx:
            ctx = self.world.ctx.within(tx)
            await change_slots(ctx, subscription, request, preview=False)
        self.slotted += 1

    async def _credit(self, customer: UUID, how: int) -> None:
        """A part of the customer's last invoice: owed it is forgiven, paid it is given back."""
        rows = await self.world.fetch(
            "select id, total, amount_due from invoices where customer_id = $1"
            " and status = 'FINALIZED' and total > 0 order by invoice_date desc, total desc",
            customer,
        )
        if rows:
            last = rows[0]
            part: Scope = Amount(max(1, last["total"] * (how % 100) // 100))
            kind: CreditKind = DebtCancellation() if last["amount_due"] else CreditToBalance()
            billed = Billed(world=self.world, customer_id=customer, id=last["id"])
            await billed.credit(kind, part)

    async def credit_everything(self) -> None:
        """What is left of every invoice: what is owed is forgiven, the rest given back."""
        rows = await self.world.fetch(
            "select id, customer_id, amount_due from invoices where tenant_id = $1"
            " and status = 'FINALIZED' and total > 0",
            self.world.tenant_id,
        )
        for row in rows:
            billed = Billed(world=self.world, customer_id=row["customer_id"], id=row["id"])
            if row["amount_due"]:
                await billed.credit(DebtCancellation(), Amount(row["amount_due"]))
            left = await self.world.one(LEFT, row["id"])
            if left["total"]:
                await billed.credit(CreditToBalance(), Amount(int(left["total"])))

    async def _use(self, customer: UUID, units: int) -> None:
        event = IncomingEvent(
            event_id=str(new_id()),
            code=METRIC,
            customer=customer,
            timestamp=self.world.ctx.now,
            properties={"n": str(units)},
        )
        async with self.world.app.transaction() as tx:
            await ingest_events(self.world.ctx.within(tx), [event], allow_backfilling=True)

    async def _written(self) -> dict[str, Any]:
        """What a change writes; a step that was due was taken by the clock before."""
        return await self.world.one(WRITTEN, self.world.tenant_id)

    async def _plans(self) -> None:
        metric = Metric(
            id=new_id(),
            product_family_id=self.world.family_id,
            product_id=None,
            code=METRIC,
            name=METRIC,
            description=None,
            aggregation=Aggregation.SUM,
            aggregation_key="n",
            definition=MetricDefinition(),
            archived_at=None,
            created_at=self.world.ctx.now,
        )
        async with self.world.database.transaction() as tx:
            await metrics.insert(tx, self.world.tenant_id, metric)
        fees: dict[str, FeeStructure] = {
            "Fee": RateFee(),
            "Support": RateFee(),
            "Seats": SlotFee(unit_name="seat"),
            "Care": ExtraRecurringFee(billing_type=BillingType.ARREARS),
            "Calls": UsageFee(metric_id=metric.id, model=UsageModelType.PER_UNIT),
            "Setup": OneTimeFee(),
        }
        products = {name: await self.world.product(name, fee) for name, fee in fees.items()}
        for number, support in enumerate((Cadence.QUARTERLY, Cadence.MONTHLY, Cadence.ANNUAL)):
            more = Decimal(number + 1)
            prices: dict[str, tuple[Cadence, Pricing]] = {
                "Fee": (Cadence.MONTHLY, RatePricing(rate=49 * more)),
                "Support": (support, RatePricing(rate=333 * more)),
                "Seats": (
                    Cadence.MONTHLY,
                    SlotPricing(unit_rate=7 * more, min_slots=number + 2),
                ),
                "Care": (
                    Cadence.MONTHLY,
                    ExtraRecurringPricing(unit_price=11 * more, quantity=2),
                ),
                "Calls": (Cadence.MONTHLY, UsagePricing(model=PerUnit(rate=Decimal("0.1")))),
                "Setup": (Cadence.MONTHLY, OneTimePricing(unit_price=more, quantity=1)),
            }
            # The second plan has no seats: they are credited, and charged again.
            parts = [name for name in fees if (name, number) != ("Seats", 1)]
            self.plans.append(
                await self.world.plan(
                    *((name, fees[name], [prices[name]]) for name in parts),
                    name=f"Plan {number}",
                    currency=self.currency,
                    products={name: products[name] for name in parts},
                )
            )


def told(invoice: Any) -> object:  # noqa: ANN401 - an entry, or none
    """An invoice without what a preview does not have: ids and the number."""
    if invoice is None:
        return None
    lines = [
        (one.name, one.start_date, one.end_date, one.amount, one.discount, one.tax)
        for one in invoice.lines
    ]
    sums = invoice.subtotal, invoice.tax_amount, invoice.total, invoice.amount_due
    return invoice.invoice_date, lines, sums


INVOICES = """
    select c.name, i.invoice_date, i.invoice_type, i.status, i.payment_status, i.subtotal,
           i.discount, i.tax_amount, i.total, i.applied_balance, i.amount_due,
           (select json_agg(json_build_array(l.name, l.start_date, l.end_date, l.amount,
                                             l.discount, l.tax) order by l.position)::text
            from invoice_lines l where l.tenant_id = i.tenant_id and l.invoice_id = i.id)
    from invoices i join customers c on c.tenant_id = i.tenant_id and c.id = i.customer_id
    where i.tenant_id = $1
    order by 1, 2, 3, i.created_at, i.total
"""

WRITTEN = """
    select (select count(*) from invoices where tenant_id = $1) as invoices,
           (select count(*) from events where tenant_id = $1) as events,
           (select coalesce(sum(balance), 0) from customer_balances where tenant_id = $1)
               as balances,
           (select sum(last_number) from invoice_counters where tenant_id = $1) as numbers,
           (select md5(string_agg(s::text, ' ' order by id)) from subscriptions s
            where tenant_id = $1) as subscriptions
"""

LEFT = """
    select i.total - coalesce((select sum(n.total) from credit_notes n
        where n.invoice_id = i.id and n.status <> 'VOIDED'), 0) as total
    from invoices i where i.id = $1
"""
