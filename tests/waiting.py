"""Subscriptions that wait for their own checkout, and what is done to them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tallystick.domain.purchase import Activation
from tallystick.services.activate_subscription import activate_subscription
from tallystick.services.cancel_subscription import cancel_subscription
from tests.shops import attempts
from tests.subscribing import Merchant
from tests.world import SoldPlan, World

TODAY = date(2026, 3, 10)


@dataclass(kw_only=True)
class Waiting:
    """A subscription that waits for its checkout, and the session of that."""

    merchant: Merchant
    customer: UUID
    plan: SoldPlan
    id: UUID
    session: UUID

    @property
    def world(self) -> World:
        """The shop as its clock stands."""
        return self.merchant.world

    async def stands(self) -> dict[str, Any]:
        """The subscription's row."""
        return await self.merchant.stands(self.id)

    async def session_state(self) -> str:
        """The session's state."""
        row = await self.world.one(
            "select state from checkout_sessions where id = $1", self.session
        )
        return str(row["state"])

    async def confirm(self, card: str | None = None, **more: Any) -> object:  # noqa: ANN401
        """Press the button, and find that every invariant holds."""
        method = await self.world.card(card) if card else None
        told = await self.world.confirm(self.session, method=method, **more)
        await self.merchant.is_sound()
        return told

    async def live_attempt(self) -> dict[str, Any]:
        """The newest attempt."""
        return (await attempts(self.world))[-1]


async def waiting(
    merchant: Merchant,
    start: date = TODAY,
    plan: SoldPlan | None = None,
    **offer: Any,  # noqa: ANN401 - of the request
) -> Waiting:
    """A subscription made on March 10 for a checkout, of EUR 49 a month."""
    customer = await merchant.world.customer()
    sold = plan or await merchant.world.plan()
    made = await merchant.subscribe(customer, sold, start, Activation.ON_CHECKOUT, **offer)
    session = made.subscription.open_session_id
    assert session is not None
    return Waiting(
        merchant=merchant,
        customer=customer,
        plan=sold,
        id=made.subscription.id,
        session=session,
    )


async def cancel(made: Waiting, on: date) -> None:
    """Cancel it while the bank has money that we know nothing of."""
    async with made.world.app.transaction() as tx:
        await cancel_subscription(made.world.ctx.within(tx), made.id, on, None)


async def activate(made: Waiting) -> None:
    """Try to activate it by hand."""
    async with made.world.app.transaction() as tx:
        await activate_subscription(made.world.ctx.within(tx), made.id, preview=False)
