"""Write what an amendment makes of a locked subscription."""

from collections.abc import Sequence
from datetime import date

from tallystick.db import due_contracts, scheduled_changes, subscription_changes, usage_marks
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.services.context import Context


async def write_amendment(
    ctx: Context,
    contract: Contract,
    *,
    touched: Sequence[Item],
    joined: Sequence[Item],
    day: date,
) -> None:
    """Write a contract with the items that left, changed their name or joined on a day.

    What was scheduled is done with.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await subscription_changes.save_rhythm(tx, tenant_id, contract)
    await subscription_changes.save_items(
        tx, tenant_id, contract.id, touched=touched, joined=joined, day=day, now=ctx.now
    )
    await scheduled_changes.drop(tx, tenant_id, contract.id)
    await due_contracts.move(tx, tenant_id, [contract], ctx.now)
    if contract.invoice_threshold is not None:
        # What joins may be metered, and have been used today already.
        await usage_marks.insert(tx, tenant_id, [contract.customer_id])
