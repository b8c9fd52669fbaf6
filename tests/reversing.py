"""Money that the test bank takes back of payments, and how the invoice stands then."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tallystick.db import invoices
from tallystick.db.sandbox_reversals import TakenAs
from tallystick.domain.billing_entries import InvoiceEntry, TransactionEntry
from tallystick.domain.reversal import ReportedReversal, ReversalKind
from tallystick.services.ids import new_id
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.record_reversal import record_reversal, record_reversals
from tests.crediting import Billed
from tests.world import NOON, World


@dataclass(kw_only=True)
class Reversible:
    """A paid invoice, its first payment, and what the bank does to it."""

    billed: Billed
    payment: UUID
    reference: str
    disputes: list[ReportedReversal] = field(default_factory=list)

    @property
    def world(self) -> World:
        """The shop."""
        return self.billed.world

    async def takes_back(
        self, amount: int | None = None, kind: TakenAs = "DISPUTE"
    ) -> ReportedReversal:
        """The bank takes money back; nobody has heard of it yet."""
        name = f"sbx_rev_{new_id().hex}"
        return await self.world.sandbox.take_back(
            self.world.tenant_id, self.reference, name, kind, amount
        )

    async def decides(self, *, won: bool) -> ReportedReversal:
        """The open dispute is won or lost; nobody has heard of it yet."""
        return await self.world.sandbox.decide_dispute(
            self.world.tenant_id, self.reference, won=won
        )

    async def disputed(self, amount: int | None = None) -> ReportedReversal:
        """A dispute, recorded."""
        reported = await self.takes_back(amount)
        await self.told(reported)
        return reported

    async def refunded(self, amount: int | None = None) -> ReportedReversal:
        """A refund without a note of ours, recorded."""
        reported = await self.takes_back(amount, "REFUND")
        await self.told(reported)
        return reported

    async def won(self) -> ReportedReversal:
        """The dispute is won, and that is recorded."""
        reported = await self.decides(won=True)
        await self.told(reported)
        return reported

    async def told(self, reported: ReportedReversal) -> None:
        """A report of the provider arrives, and is acknowledged."""
        await record_reversal(self.world.ctx, reported)
        await self.world.sandbox.acknowledge_reversal(self.world.tenant_id, reported)

    async def entry(self) -> InvoiceEntry:
        """The invoice with its payments."""
        async with self.world.database.connection() as tx:
            entry = await invoices.load(tx, self.world.tenant_id, self.billed.id)
        assert entry is not None
        return entry

    async def transaction(self) -> TransactionEntry:
        """The payment as it is shown."""
        entry = await self.entry()
        return next(one for one in entry.transactions if one.id == self.payment)

    async def stands(self) -> tuple[str, int]:
        """Payment status and amount due."""
        row = await self.billed.stands()
        return row["payment_status"], row["amount_due"]

    async def pay(self) -> InvoiceEntry:
        """A person asks for what is due."""
        return await pay_invoice(self.world.ctx, self.billed.id, new_id())


async def reversible(billed: Billed) -> Reversible:
    """The first payment of an invoice, to be taken back."""
    row = await billed.world.one(
        "select id, reference from transactions where invoice_id = $1"
        " and payment_type = 'PAYMENT' order by created_at, id limit 1",
        billed.id,
    )
    return Reversible(billed=billed, payment=row["id"], reference=row["reference"])


def invented(reference: str, amount: int, **fields: Any) -> ReportedReversal:  # noqa: ANN401
    """A report of a provider that is not the test bank's own."""
    plain: dict[str, Any] = {"id": "dp_1", "kind": ReversalKind.DISPUTE, "returned": 0}
    return ReportedReversal(reference=reference, amount=amount, **{**plain, **fields})


async def reversals_are_told(world: World) -> int:
    """The worker asks what was taken back, and records it."""
    return await record_reversals(world.app, NOON)
