"""Put a payment method on file, and take one off it: whoever it is that wants it."""

from datetime import datetime
from uuid import UUID

from tallystick.db import saved_methods, subscription_writes
from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer
from tallystick.domain.collection import method_to_charge
from tallystick.domain.payment import Method
from tallystick.services.context import Context
from tallystick.services.method_events import (
    RemovedBy,
    method_added,
    method_chosen,
    method_removed,
)


async def keep_method(
    ctx: Context, tx: Tx, customer_id: UUID, method_id: UUID, method: Method, at: datetime
) -> None:
    """Keep a new method of a customer, at an instant of business time, and tell of it."""
    tenant_id = ctx.tenant.id
    await subscription_writes.insert_method(tx, tenant_id, method_id, customer_id, method, at)
    await method_added(ctx.within(tx), customer_id, method_id, method)


async def remove_method(
    ctx: Context, tx: Tx, customer_id: UUID, method_id: UUID, by: RemovedBy
) -> None:
    """Charge a method no more; once. What was charged to it is charged to what is left.

    Whoever collects claims with the customer locked, as this does: once it is removed, no new
    charge of it begins. Its provider is asked to let it go by `forget_methods`.
    """
    tenant_id = ctx.tenant.id
    await lock_customer(tx, tenant_id, customer_id)
    found = await saved_methods.load(tx, tenant_id, customer_id, method_id)
    if found is None:
        return
    is_gone = by is RemovedBy.PROVIDER
    await saved_methods.remove(tx, tenant_id, found, ctx.now, is_gone=is_gone)
    left = await saved_methods.of_customer(
        tx, tenant_id, customer_id, found.method.provider, None
    )
    other = method_to_charge(left, ctx.now)
    other_id = None if other is None else other.id
    changed = await saved_methods.charge_instead(tx, tenant_id, found, customer_id, other_id)
    inner = ctx.within(tx)
    await method_removed(inner, customer_id, method_id, found.method, by)
    if other is not None and changed:
        await method_chosen(inner, customer_id, other.id, other.method, changed)
