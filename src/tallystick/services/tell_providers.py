"""Tell providers what they do not know yet: removed methods, and customers who have changed.

What is to be told is written in the transaction of its cause, as due columns, and told here
with no transaction open: again until there is an answer, under the same key, whatever becomes
of this process in between.
"""

from datetime import datetime

from tallystick.db import provider_customers, saved_methods
from tallystick.db.leases import Leased
from tallystick.db.provider_customers import LeasedCustomer, ToTell
from tallystick.services.context import App, Context
from tallystick.services.provider_call import done_in_time
from tallystick.services.sweep import sweep
from tallystick.services.tenant_context import tenant_context


async def forget_methods(app: App, real_now: datetime) -> int:
    """Have providers let go of the methods that were removed here; how many were taken up."""

    async def forget(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            method = await saved_methods.to_forget(tx, one.tenant_id, one.id)
        if method is None:
            return
        provider = app.provider_named(ctx.tenant, method.provider)
        asked = provider.forget_method(one.tenant_id, method.token, key=f"{one.id}:forget")
        if await done_in_time(ctx, asked):
            async with app.transaction() as tx:
                await saved_methods.forgotten(tx, one.tenant_id, one.id)

    return await sweep(app, saved_methods.lease_to_forget, forget, work="forget_methods")


async def tell_of_customers(app: App, real_now: datetime) -> int:
    """Tell accounts what their customers are called now; how many were taken up.

    An account is told how a customer is when it is told, so the last state wins, and nothing
    where that is what it was told before.
    """

    async def tell(one: LeasedCustomer) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            known = await provider_customers.to_tell(tx, one.tenant_id, one)
        if known is None:
            return
        if not known.is_news or await _is_told(ctx, known):
            async with app.transaction() as tx:
                await provider_customers.keep_told(tx, one.tenant_id, known)

    return await sweep(app, provider_customers.lease_due, tell, work="tell_of_customers")


async def _is_told(ctx: Context, known: ToTell) -> bool:
    told = known.told
    asked = ctx.app.provider_named(ctx.tenant, told.provider).update_customer(
        ctx.tenant.id,
        known.reference,
        name=told.name,
        email=told.email,
        key=f"{told.customer_id}:told:{known.version}",
    )
    return await done_in_time(ctx, asked)
