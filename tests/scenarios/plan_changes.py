"""Plans that subscriptions change between, and what a change comes to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.db import metrics
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.metrics import Aggregation, Metric, MetricDefinition
from tallystick.domain.offer_request import OfferRequest, Parameterized, Parameters
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
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
from tallystick.domain.usage_events import IncomingEvent
from tallystick.http.v1.subscription_requests import ChangeAt
from tallystick.services.change_plan import change_plan
from tallystick.services.ids import new_id
from tallystick.services.ingest_events import ingest_events
from tallystick.services.plan_wanted import PlanChanged, PlanChangeRequest
from tallystick.services.schedule_plan import drop_scheduled, schedule_plan
from tests.cases.golden import plan_fixture
from tests.subscribing import Merchant
from tests.world import SoldPlan, World

_ONE_PRODUCT = {"Subscription Rate": "Fee", "Monthly Rate": "Fee", "Platform Fee": "Fee"}
"""The cases' plans share the product of their fixed fee, and others by name."""


@dataclass(kw_only=True)
class Shop:
    """A shop whose plans share their products, as those of the cases do."""

    merchant: Merchant
    products: dict[str, UUID] = field(default_factory=dict)
    metrics: dict[str, UUID] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The shop's world."""
        return self.merchant.world

    async def at(self, when: str) -> None:
        """Begin on a day."""
        await self.merchant.stand_at(datetime.combine(date.fromisoformat(when), time(), UTC))

    async def sold(self, name: str, **version: object) -> SoldPlan:
        """A plan of the cases' fixtures, published."""
        fixture = plan_fixture(name)
        if fixture["trial"] is not None:
            version["trial_days"] = fixture["trial"]["days"]
            version["trial_is_free"] = fixture["trial"]["free"]
        parts, shared = [], {}
        for one in fixture["components"]:
            fee, pricing = await self._priced(one)
            product = _ONE_PRODUCT.get(one["name"], one["name"])
            if product not in self.products:
                self.products[product] = await self.world.product(product, fee)
            shared[one["name"]] = self.products[product]
            cadence = Cadence(one.get("cadence", "monthly").upper())
            parts.append((one["name"], fee, [(cadence, pricing)]))
        return await self.world.plan(
            *parts,
            name=name,
            currency=fixture["currency"],
            is_free=not parts,
            products=shared,
            **version,
        )

    async def change(
        self,
        subscription_id: UUID,
        plan: SoldPlan,
        slots: Mapping[str, int] | None = None,
        *,
        preview: bool = False,
        at: ChangeAt = ChangeAt.NOW,
    ) -> PlanChanged:
        """Change the plan, now unless told otherwise; `slots` by the names of components."""
        chosen = tuple(
            Parameterized(
                component_id=plan.components[name],
                parameters=Parameters(initial_slot_count=count),
            )
            for name, count in (slots or {}).items()
        )
        request = PlanChangeRequest(
            plan_version_id=plan.version_id, components=OfferRequest(parameterized=chosen)
        )
        verb = change_plan if at is ChangeAt.NOW else schedule_plan
        async with self.world.app.transaction() as tx:
            changed = await verb(
                self.world.ctx.within(tx), subscription_id, request, preview=preview
            )
        await self.merchant.is_sound()
        return changed

    async def schedule(
        self,
        subscription_id: UUID,
        plan: SoldPlan,
        slots: Mapping[str, int] | None = None,
        *,
        preview: bool = False,
    ) -> PlanChanged:
        """Schedule a change of the plan for the end of the period."""
        return await self.change(
            subscription_id, plan, slots, preview=preview, at=ChangeAt.PERIOD_END
        )

    async def drop(self, subscription_id: UUID) -> SubscriptionDetails:
        """Drop what is scheduled."""
        async with self.world.app.transaction() as tx:
            details = await drop_scheduled(self.world.ctx.within(tx), subscription_id)
        await self.merchant.is_sound()
        return details

    async def use(self, customer: UUID, metric: str, units: int, at: str) -> None:
        """Report so many units on a day."""
        event = IncomingEvent(
            event_id=str(new_id()),
            code=metric,
            customer=customer,
            timestamp=datetime.combine(date.fromisoformat(at), time(), UTC),
            properties={"n": str(units)},
        )
        async with self.world.database.transaction() as tx:
            await ingest_events(self.world.ctx.within(tx), [event], allow_backfilling=True)

    async def balance(self) -> int:
        """The only customer's balance."""
        rows = await self.world.fetch("select balance from customer_balances")
        return sum(row["balance"] for row in rows)

    async def _metric(self, code: str) -> UUID:
        if code not in self.metrics:
            made = Metric(
                id=new_id(),
                product_family_id=self.world.family_id,
                product_id=None,
                code=code,
                name=code,
                description=None,
                aggregation=Aggregation.SUM,
                aggregation_key="n",
                definition=MetricDefinition(),
                archived_at=None,
                created_at=self.world.ctx.now,
            )
            async with self.world.database.transaction() as tx:
                await metrics.insert(tx, self.world.tenant_id, made)
            self.metrics[code] = made.id
        return self.metrics[code]

    async def _priced(self, one: Mapping[str, Any]) -> tuple[FeeStructure, Pricing]:
        price = Decimal(one.get("unit_price_minor", 0)) / 100
        match one["fee"]:
            case "rate":
                return RateFee(), RatePricing(rate=price)
            case "slot":
                return SlotFee(unit_name="seat"), SlotPricing(unit_rate=price, min_slots=1)
            case "usage":
                fee = UsageFee(
                    metric_id=await self._metric(one["metric"]), model=UsageModelType.PER_UNIT
                )
                return fee, UsagePricing(model=PerUnit(rate=Decimal(one["unit_price"])))
            case "capacity":
                return CapacityFee(
                    metric_id=await self._metric(one["metric"])
                ), CapacityPricing(
                    rate=Decimal(one["base_minor"]) / 100,
                    included=one["included_units"],
                    overage_rate=Decimal(one["overage_unit_price"]),
                )
            case "recurring":
                return ExtraRecurringFee(
                    billing_type=BillingType(one["billed"].upper())
                ), ExtraRecurringPricing(unit_price=price, quantity=one["quantity"])
            case "one_time":
                return OneTimeFee(), OneTimePricing(unit_price=price, quantity=one["quantity"])
            case other:
                raise AssertionError(f"no such fee: {other}")


async def begin(shop: Shop, plan: SoldPlan, when: str = "2024-01-01", **fields: Any) -> UUID:  # noqa: ANN401 - of the offer
    """A new customer's subscription from a day; nothing is charged automatically."""
    await shop.at(when)
    made = await shop.merchant.subscribe(
        await shop.world.customer(),
        plan,
        date.fromisoformat(when),
        charge_automatically=False,
        **fields,
    )
    return made.subscription.id


async def last(shop: Shop) -> dict[str, Any]:
    """The last invoice, its lines decoded."""
    found = (await shop.merchant.invoices())[-1]
    return {**found, "lines": json.loads(found["lines"])}


def amounts(invoice: dict[str, Any]) -> list[int]:
    """The amounts of an invoice's lines."""
    return [line["amount"] for line in invoice["lines"]]
