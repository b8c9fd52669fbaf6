"""A new payment method on file: what is open is collected again, and with it."""

from uuid import UUID

from tallystick.db import restarts
from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer
from tallystick.services.context import Context


async def restart_collection(ctx: Context, tx: Tx, customer_id: UUID, method_id: UUID) -> None:
    """A customer has put a method on file: what was open is due for a try now.

    Of what is charged automatically: what failed counts its tries from the beginning, and what
    waited for a method waits no longer. Where the subscription's own method has expired, or is
    the one that failed, the new one takes its place. What a provider took back, what was given
    up, and what is being paid stays as it is.
    """
    await lock_customer(tx, ctx.tenant.id, customer_id)
    await restarts.replace_methods(tx, ctx.tenant.id, customer_id, method_id, ctx.today)
    await restarts.collect_open(tx, ctx.tenant.id, customer_id, ctx.now)
