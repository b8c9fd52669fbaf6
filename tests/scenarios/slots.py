"""A shop that sells seats, and subscriptions whose seats come and go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.offer_request import Parameterized, Parameters
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee, SlotFee, SlotPricing
from tallystick.domain.slot_change import SlotMode
from tallystick.services.change_slots import SlotsAfter, SlotsRequest, change_slots
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

Json = Mapping[str, Any]


@dataclass(kw_only=True)
class Seats:
    """One subscription with seats, and its merchant."""

    merchant: Merchant
    subscription_id: UUID
    item_id: UUID

    @property
    def world(self) -> World:
        """The shop's world."""
        return self.merchant.world

    async def change(
        self,
        delta: int,
        mode: SlotMode = SlotMode.OPTIMISTIC,
        *,
        preview: bool = False,
    ) -> SlotsAfter:
        """Change the number of seats today."""
        request = SlotsRequest(item_id=self.item_id, delta=delta, mode=mode)
        async with self.world.app.transaction() as tx:
            ctx = self.world.ctx.within(tx)
            changed = await change_slots(ctx, self.subscription_id, request, preview=preview)
        await self.merchant.is_sound()
        return changed

    async def count(self) -> int:
        """How many seats there are today, by the ledger alone."""
        row = await self.world.one(
            "select coalesce(sum(delta), 0)::int as count from slot_entries"
            " where item_id = $1 and (id = item_id or effective_on <= $2)",
            self.item_id,
            self.merchant.today,
        )
        found: int = row["count"]
        return found

    async def value(self) -> int:
        """The monthly value."""
        found: int = (await self.merchant.stands(self.subscription_id))["mrr"]
        return found

    async def totals(self) -> list[int]:
        """What each invoice comes to, oldest first."""
        return [one["total"] for one in await self.merchant.invoices()]

    async def last(self) -> dict[str, Any]:
        """The last invoice, its lines decoded."""
        found = (await self.merchant.invoices())[-1]
        return {**found, "lines": json.loads(found["lines"])}

    async def everything(self) -> object:
        """All that a refused request must leave as it is."""
        return (
            await self.merchant.stands(self.subscription_id),
            await self.merchant.invoices(),
            await self.merchant.events(),
            await self.world.fetch("select * from slot_entries order by id"),
        )


async def seats_plan(
    world: World,
    price: str,
    least: int | None,
    most: int | None,
    *,
    cadence: Cadence = Cadence.MONTHLY,
    fee: str | None = None,
    **version: Any,  # noqa: ANN401 - of the version
) -> SoldPlan:
    """A plan of seats, beside a monthly fee where one is given."""
    pricing = SlotPricing(unit_rate=Decimal(price), min_slots=least, max_slots=most)
    seats = ("Seats", SlotFee(unit_name="seat"), [(cadence, pricing)])
    if fee is None:
        return await world.plan(seats, name="Notion", **version)
    monthly = ("Fee", RateFee(), [(Cadence.MONTHLY, rate(fee))])
    return await world.plan(monthly, seats, name="Notion", **version)


async def begin(
    world: World,
    when: str = "2024-01-01",
    *,
    price: str = "10",
    least: int | None = 5,
    most: int | None = 100,
    cadence: Cadence = Cadence.MONTHLY,
    fee: str | None = None,
    count: int | None = None,
    version: Json | None = None,
    **offer: Any,  # noqa: ANN401 - of the offer
) -> Seats:
    """A subscription with `count` seats, or as many as must be, from a day; charged by hand."""
    merchant = Merchant(world=world)
    await merchant.stand_at(datetime.combine(date.fromisoformat(when), time(), UTC))
    plan = await seats_plan(
        world, price, least, most, cadence=cadence, fee=fee, **(version or {})
    )
    offer.setdefault("charge_automatically", False)
    if count is not None:
        chosen = Parameters(initial_slot_count=count)
        seats = Parameterized(component_id=plan.components["Seats"], parameters=chosen)
        offer["parameterized"] = (seats,)
    made = await merchant.subscribe(
        await world.customer(), plan, date.fromisoformat(when), **offer
    )
    return of(merchant, made.subscription.id, made.items[-1].id)


def of(merchant: Merchant, subscription_id: UUID, item_id: UUID) -> Seats:
    """The seats of a subscription."""
    return Seats(merchant=merchant, subscription_id=subscription_id, item_id=item_id)


async def begin_case(world: World, golden: Json) -> Seats:
    """The subscription of a golden case, with its first number of seats."""
    (sold,) = golden["input"]["plan_components"]
    return await begin(
        world,
        golden["input"]["start_date"],
        price=str(Decimal(sold["unit_price_minor"]) / 100),
        least=sold["min_slots"],
        most=sold["max_slots"],
        count=sold["initial_slots"],
    )
