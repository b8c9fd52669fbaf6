"""A shop that amends its subscriptions, and what an amendment comes to."""

import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.db.due_contracts import ITEM
from tallystick.domain.amendment_request import (
    AmendmentRequest,
    ComponentChange,
    QuantityChange,
)
from tallystick.domain.charges import Item
from tallystick.domain.offer_request import (
    AddOnEntry,
    Extra,
    NewPrice,
    NewProductEntry,
    OfferRequest,
    Parameterized,
    Parameters,
    PriceEntry,
)
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
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.services.amend import amend
from tallystick.services.amendment_wanted import SubscriptionAmended
from tallystick.services.ids import new_id
from tallystick.services.schedule_amendment import schedule_amendment
from tests.scenarios.plan_changes import Shop

_CHANGEABLE = (
    "subscriptions",
    "subscription_items",
    "invoices",
    "invoice_lines",
    "credit_notes",
    "products",
    "prices",
    "events",
    "balance_entries",
    "scheduled_changes",
    "slot_entries",
)


def priced(pricing: Pricing, cadence: Cadence = Cadence.MONTHLY) -> PriceEntry:
    """A price made for an amendment."""
    return NewPrice(cadence=cadence, currency="EUR", pricing=pricing)


def flat(amount: str) -> RatePricing:
    """A fixed fee of so much."""
    return RatePricing(rate=Decimal(amount))


def extra(name: str, amount: str, cadence: Cadence = Cadence.MONTHLY) -> Extra:
    """A component that the plan does not have: a fixed fee."""
    return another(name, RateFee(), flat(amount), cadence)


def another(
    name: str, fee: FeeStructure, pricing: Pricing, cadence: Cadence = Cadence.MONTHLY
) -> Extra:
    """A component that the plan does not have, with a product of its own."""
    return Extra(
        name=name,
        product=NewProductEntry(name=name, fee=fee),
        price=priced(pricing, cadence),
    )


def once(name: str, amount: str, quantity: int = 1) -> Extra:
    """A fee charged once."""
    pricing = OneTimePricing(unit_price=Decimal(amount), quantity=quantity)
    return another(name, OneTimeFee(), pricing)


def in_arrears(name: str, amount: str) -> Extra:
    """A fee billed when its month is over."""
    pricing = ExtraRecurringPricing(unit_price=Decimal(amount), quantity=1)
    return another(name, ExtraRecurringFee(billing_type=BillingType.ARREARS), pricing)


def metered(name: str, metric_id: UUID, amount: str) -> Extra:
    """Usage of a metric at so much a unit."""
    fee = UsageFee(metric_id=metric_id, model=UsageModelType.PER_UNIT)
    return another(name, fee, UsagePricing(model=PerUnit(rate=Decimal(amount))))


@dataclass(kw_only=True)
class Amending:
    """A shop, and its one subscription that is amended."""

    shop: Shop
    subscription_id: UUID = field(default_factory=new_id)

    async def begin(
        self,
        plan: str = "STARTER",
        when: str = "2024-01-01",
        **fields: Any,  # noqa: ANN401 - of the offer
    ) -> None:
        """Subscribe a new customer to a plan of the cases from a day."""
        await self.shop.at(when)
        customer = fields.pop("customer", None) or await self.shop.world.customer()
        version = fields.pop("version", {})
        made = await self.shop.merchant.subscribe(
            customer,
            await self.shop.sold(plan, **version),
            date.fromisoformat(when),
            **{"charge_automatically": False, **fields},
        )
        self.subscription_id = made.subscription.id

    async def on(self, day: str) -> None:
        """Travel to a day."""
        await self.shop.merchant.travel(date.fromisoformat(day))

    async def add_on(self, name: str, amount: str, most: int | None = None) -> UUID:
        """An add-on of the catalog: a fixed fee by the month."""
        world, add_on_id = self.shop.world, new_id()
        product = await world.product(name, RateFee())
        price = await world.price(product, flat(amount))
        await world.execute(
            "insert into add_ons (tenant_id, id, product_id, price_id, name,"
            " self_serviceable, max_instances_per_subscription, created_at)"
            " values ($1, $2, $3, $4, $5, false, $6, $7)",
            world.tenant_id,
            add_on_id,
            product,
            price,
            name,
            most,
            world.ctx.now,
        )
        return add_on_id

    async def item(self, name: str) -> Item:
        """The item of a name that the subscription has."""
        (found,) = [one for one in await self.items() if one.name == name]
        return found

    async def items(self) -> tuple[Item, ...]:
        """What the subscription has."""
        rows = await self.shop.world.fetch(
            "select item from subscription_items where subscription_id = $1 order by position",
            self.subscription_id,
        )
        found = [ITEM.load(row["item"]) for row in rows]
        return tuple(one for one in found if one.ends_on is None)

    async def ask(
        self, request: AmendmentRequest, *, preview: bool = False, ahead: bool = False
    ) -> SubscriptionAmended:
        """Amend it now, or at the end of its period."""
        verb = schedule_amendment if ahead else amend
        world = self.shop.world
        async with world.app.transaction() as tx:
            found = await verb(
                world.ctx.within(tx), self.subscription_id, request, preview=preview
            )
        await self.shop.merchant.is_sound()
        return found

    async def add(self, *components: Extra, ahead: bool = False) -> SubscriptionAmended:
        """Add components."""
        return await self.ask(joining(*components), ahead=ahead)

    async def add_add_on(
        self, add_on_id: UUID, quantity: int = 1, *, ahead: bool = False
    ) -> SubscriptionAmended:
        """Add an add-on."""
        entry = AddOnEntry(add_on_id=add_on_id, quantity=quantity)
        sold = OfferRequest(add_ons=(entry,))
        return await self.ask(AmendmentRequest(sold=sold), ahead=ahead)

    async def add_planned(self, component_id: UUID, **parameters: Any) -> SubscriptionAmended:  # noqa: ANN401 - of Parameters
        """Add a component of the plan."""
        one = Parameterized(component_id=component_id, parameters=Parameters(**parameters))
        return await self.ask(AmendmentRequest(sold=OfferRequest(parameterized=(one,))))

    async def reprice(
        self, name: str, pricing: Pricing | None, to: str | None = None, *, ahead: bool = False
    ) -> SubscriptionAmended:
        """Override a component's price, its name, or both."""
        price = None if pricing is None else priced(pricing)
        change = ComponentChange(item_id=(await self.item(name)).id, name=to, price=price)
        request = AmendmentRequest(sold=OfferRequest(), components=(change,))
        return await self.ask(request, ahead=ahead)

    async def count(
        self, name: str, quantity: int, *, ahead: bool = False
    ) -> SubscriptionAmended:
        """Change an add-on's quantity."""
        change = QuantityChange(item_id=(await self.item(name)).id, quantity=quantity)
        request = AmendmentRequest(sold=OfferRequest(), add_ons=(change,))
        return await self.ask(request, ahead=ahead)

    async def remove(self, *names: str, ahead: bool = False) -> SubscriptionAmended:
        """Remove items of either kind."""
        return await self.ask(await self.leaving(*names), ahead=ahead)

    async def leaving(self, *names: str) -> AmendmentRequest:
        """A request that items of these names leave."""
        items = [await self.item(name) for name in names]
        return AmendmentRequest(
            sold=OfferRequest(),
            removed_components=tuple(one.id for one in items if one.kind == "COMPONENT"),
            removed_add_ons=tuple(one.id for one in items if one.kind == "ADD_ON"),
        )

    async def stands(self) -> dict[str, Any]:
        """The subscription's row."""
        return await self.shop.merchant.stands(self.subscription_id)

    async def invoices(self) -> list[dict[str, Any]]:
        """Every invoice, its lines decoded."""
        return [
            {**one, "lines": json.loads(one["lines"] or "[]")}
            for one in await self.shop.merchant.invoices()
        ]

    async def notes(self) -> list[dict[str, Any]]:
        """Every credit note, oldest first."""
        return await self.shop.world.fetch(
            "select credit_type as type, subtotal, discount, tax_amount, total, invoice_id"
            " from credit_notes order by number"
        )

    async def everything(self) -> list[Any]:
        """All that an amendment could change."""
        return [
            await self.shop.world.fetch(
                f"select to_jsonb(t)::text as row from {table} t order by 1"
            )
            for table in _CHANGEABLE
        ]


def joining(*components: Extra) -> AmendmentRequest:
    """A request that components join."""
    return AmendmentRequest(sold=OfferRequest(extra=components))


def lines(invoice: dict[str, Any]) -> list[tuple[str, int]]:
    """The names and amounts of an invoice's lines."""
    return [(one["name"], one["amount"]) for one in invoice["lines"]]
