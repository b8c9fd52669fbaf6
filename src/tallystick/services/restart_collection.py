"""What is charged to a payment method from now on: open invoices are collected again, too."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db import restarts, saved_methods
from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer
from tallystick.domain.payment import Method
from tallystick.services.context import Context
from tallystick.services.method_events import method_chosen
from tallystick.services.show_portal import OVER


async def charge_from_now_on(
    ctx: Context, tx: Tx, customer_id: UUID, method_id: UUID, method: Method
) -> None:
    """A customer wants a method on file to be charged for everything, what is open included."""
    await lock_customer(tx, ctx.tenant.id, customer_id)
    changed = await saved_methods.charge_to(tx, ctx.tenant.id, customer_id, method_id, OVER)
    await restart_collection(ctx, tx, customer_id, method_id, method, changed)


async def restart_collection(
    ctx: Context,
    tx: Tx,
    customer_id: UUID,
    method_id: UUID,
    method: Method,
    chosen_for: Sequence[UUID] = (),
) -> None:
    """A customer has put a method on file, or chosen it: what was open is due for a try now.

    Of what is charged automatically: what failed counts its tries from the beginning, and what
    waited for a method waits no longer. What has failed with this method is left to its days,
    and what has failed with the same card counts on: nobody puts the last try off by saving or
    choosing the same again. Where the subscription's own method has expired, or is
    the one that failed, the new one takes its place, beside those that it was `chosen_for`.
    What a provider took back, what was given up, and what is being paid stays as it is.
    """
    await lock_customer(tx, ctx.tenant.id, customer_id)
    replaced = await restarts.replace_methods(
        tx, ctx.tenant.id, customer_id, method_id, ctx.today
    )
    await restarts.collect_open(tx, ctx.tenant.id, customer_id, method_id, method, ctx.now)
    changed = [*chosen_for, *replaced]
    if changed:
        await method_chosen(ctx.within(tx), customer_id, method_id, method, changed)
