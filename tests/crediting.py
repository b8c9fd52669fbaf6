"""Credit notes of a merchant: on an invoice that is paid or owed, and what they leave."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tallystick.domain.credit_note import (
    CreditKind,
    CreditToBalance,
    Everything,
    Refund,
    Scope,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest, issue_credit_note
from tallystick.services.refund_invoice import refund_invoice, sweep_refunds
from tests.soundness import unreadable
from tests.world import NOON, World


@dataclass(kw_only=True)
class Billed:
    """An invoice, and what a merchant does to it."""

    world: World
    customer_id: UUID
    id: UUID

    async def credit(
        self,
        kind: CreditKind | None = None,
        scope: Scope | None = None,
        *,
        note_id: UUID | None = None,
    ) -> CreditNoteEntry:
        """Issue a note; all to the balance unless said otherwise."""
        request = CreditRequest(
            invoice_id=self.id, kind=kind or CreditToBalance(), scope=scope or Everything()
        )
        if isinstance(request.kind, Refund):
            return await refund_invoice(self.world.ctx, request, note_id or new_id())
        async with self.world.app.transaction() as tx:
            return await issue_credit_note(self.world.ctx.within(tx), request)

    async def stands(self) -> dict[str, Any]:
        """The invoice's row."""
        return await self.world.one("select * from invoices where id = $1", self.id)

    async def lines(self) -> list[UUID]:
        """The ids of its lines, in their order."""
        rows = await self.world.fetch(
            "select id from invoice_lines where invoice_id = $1 order by position", self.id
        )
        return [row["id"] for row in rows]

    async def balance(self) -> int:
        """The customer's balance."""
        rows = await self.world.fetch(
            "select balance from customer_balances where customer_id = $1", self.customer_id
        )
        return sum(row["balance"] for row in rows)

    async def payment(self) -> UUID:
        """Its one payment."""
        row = await self.world.one(
            "select id from transactions where invoice_id = $1 and payment_type = 'PAYMENT'",
            self.id,
        )
        found: UUID = row["id"]
        return found


async def bought(world: World, *, balance: int = 0, **offer: Any) -> Billed:  # noqa: ANN401
    """A customer who bought EUR 49 by card, or what `offer` says; a balance paid its part."""
    customer = await world.customer()
    if balance:
        await world.balance(customer, balance)
    method = offer.pop("method", None)
    chooses = offer.pop("chooses", True)
    plan = offer.pop("plan", None) or await world.plan()
    await world.confirm(
        await world.session(customer, plan, **offer), method=method, chooses=chooses
    )
    row = await world.one("select id from invoices where customer_id = $1", customer)
    return Billed(world=world, customer_id=customer, id=row["id"])


async def went_back(world: World) -> list[int]:
    """Every amount that the bank gave back, oldest first."""
    moved = await world.sandbox.movements(world.tenant_id)
    return [one.amount for one in moved if one.kind == "REFUND"]


async def refunds_swept(world: World) -> int:
    """Real time passes until the sweeper takes up what has no answer."""
    await world.execute(
        "update refunds set check_at = now() - interval '1 second' where state = 'LIVE'"
    )
    return await sweep_refunds(world.app, NOON)


async def told(world: World) -> list[str]:
    """Every event about notes, refunds and paid invoices, oldest first."""
    rows = await world.fetch(
        "select type from events where type like 'credit_note.%' or type like 'refund.%'"
        " or type like 'payment.%' or type = 'invoice.paid' order by position"
    )
    return [row["type"] for row in rows]


async def sound(world: World) -> None:
    """The doctor finds nothing."""
    assert (await examine(world.database)).breaches == ()
    assert await unreadable(world) == []
