"""Subscriptions that no checkout makes, and the time that passes for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from tallystick.db import kept_invoices, tenants
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.explain_invoice import InvoiceExplanation, explain_invoice
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.purchase import Activation
from tallystick.services.advance_clock import ClockMove, advance_clock
from tallystick.services.cancel_subscription import cancel_subscription
from tallystick.services.create_subscription import SubscriptionRequest, create_subscription
from tallystick.services.examine import examine
from tallystick.services.tenant_context import tenant_context
from tests.soundness import unreadable
from tests.world import SoldPlan, World

INVOICES = """
    select i.*, (select json_agg(json_build_object(
        'name', l.name, 'start', l.start_date, 'end', l.end_date, 'amount', l.amount,
        'days', l.computation #> '{computation,days}',
        'full_days', l.computation #> '{computation,full_days}') order by l.position)
        from invoice_lines l where l.tenant_id = i.tenant_id and l.invoice_id = i.id) as lines,
        jsonb_array_length(i.coupons) as coupon_count
    from invoices i where i.tenant_id = $1 order by i.invoice_date, i.number, i.id
"""


async def explain_all(world: World) -> dict[UUID, InvoiceExplanation]:
    """The explanation of every invoice of a shop, by its id; all of them have one."""
    rows = await world.fetch("select id from invoices where tenant_id = $1", world.tenant_id)
    explained = {}
    async with world.database.connection() as tx:
        for row in rows:
            kept = await kept_invoices.load(tx, world.tenant_id, row["id"])
            assert kept is not None
            explained[row["id"]] = explain_invoice(kept)
    return explained


@dataclass(kw_only=True)
class Merchant:
    """A merchant who subscribes customers by hand in a shop whose clock travels."""

    world: World

    @property
    def today(self) -> date:
        """The tenant's day."""
        return self.world.ctx.today

    async def stand_at(self, moment: datetime) -> None:
        """Set the shop's clock, whatever it was: nothing happens on the way."""
        async with self.world.app.transaction() as tx:
            await tenants.set_clock(tx, self.world.tenant_id, moment)
        await self._read_clock()

    async def subscribe(
        self,
        customer: UUID | str,
        plan: SoldPlan,
        start: date,
        activation: Activation = Activation.ON_START,
        *,
        version: int | None = None,
        skips_past: bool = False,
        **fields: Any,  # noqa: ANN401 - of `OfferRequest`
    ) -> SubscriptionDetails:
        """Create a subscription; `fields` are of `OfferRequest`."""
        request = SubscriptionRequest(
            customer=customer,
            plan_id=plan.id,
            version=version,
            activation=activation,
            start=start,
            offer=OfferRequest(billing_start_date=start, **fields),
            skips_past=skips_past,
        )
        async with self.world.app.transaction() as tx:
            made = await create_subscription(self.world.ctx.within(tx), request)
        await self.is_sound()
        return made

    async def cancel(
        self, subscription_id: UUID, on: date | None = None, reason: str | None = None
    ) -> SubscriptionDetails:
        """Cancel a subscription on a day, or at the end of its period."""
        async with self.world.app.transaction() as tx:
            ctx = self.world.ctx.within(tx)
            ended = await cancel_subscription(ctx, subscription_id, on, reason)
        await self.is_sound()
        return ended

    async def travel(self, to: date | datetime) -> ClockMove:
        """Move the shop's clock to an instant, or to the beginning of a day."""
        moment = to if isinstance(to, datetime) else datetime.combine(to, time(), UTC)
        moved = await advance_clock(self.world.ctx, moment)
        await self._read_clock()
        await self.is_sound()
        return moved

    async def is_sound(self) -> None:
        """Every invariant holds, every invoice can be explained, every event can be read."""
        assert (await examine(self.world.database)).breaches == ()
        await explain_all(self.world)
        assert await unreadable(self.world) == []

    async def stands(self, subscription_id: UUID) -> dict[str, Any]:
        """A subscription's row."""
        return await self.world.one(
            "select * from subscriptions where id = $1", subscription_id
        )

    async def invoices(self) -> list[dict[str, Any]]:
        """Every invoice with its lines, oldest first."""
        return await self.world.fetch(INVOICES, self.world.tenant_id)

    async def events(self) -> list[tuple[str, str | None]]:
        """Every event's type and, of a changed subscription, the kind of change."""
        rows = await self.world.fetch(
            "select type, data ->> 'change_type' as kind from events where tenant_id = $1"
            " order by position",
            self.world.tenant_id,
        )
        return [(row["type"], row["kind"]) for row in rows]

    async def _read_clock(self) -> None:
        async with self.world.database.connection() as tx:
            ctx = self.world.ctx
            self.world.ctx = await tenant_context(
                ctx.app, tx, ctx.tenant.id, ctx.now, ctx.actor
            )
