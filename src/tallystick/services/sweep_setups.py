"""Take up the methods that customers began to add and did not come back to.

The provider may have kept a method that we know nothing of: it is asked, and what it kept is
kept here too; what still waits for its customer is cancelled.
"""

from datetime import datetime

from tallystick.db import method_setups
from tallystick.db.leases import Leased
from tallystick.services.add_own_method import end_setup
from tallystick.services.context import App
from tallystick.services.sweep import sweep
from tallystick.services.tenant_context import tenant_context


async def sweep_setups(app: App, real_now: datetime) -> int:
    """End every try to add a method, of every tenant, whose time is over."""

    async def take_up(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            setup = await method_setups.find(tx, one.tenant_id, one.id)
        assert setup is not None, "a setup is never deleted"
        await end_setup(ctx, setup)

    return await sweep(app, method_setups.lease_due, take_up, work="sweep_setups")
