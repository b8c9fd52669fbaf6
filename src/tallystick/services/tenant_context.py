"""The context of a tenant where no API key names it: links, jobs, periodic work."""

from datetime import datetime
from uuid import UUID

from tallystick.db import tenants
from tallystick.db.engine import Tx
from tallystick.domain.errors import NotFound
from tallystick.services.api_keys import as_tenant
from tallystick.services.context import App, Context


async def tenant_context(
    app: App, tx: Tx, tenant_id: UUID, real_now: datetime, actor: str
) -> Context:
    """A context without a transaction, in which business time is fixed.

    Args:
        app: What is wired once per process.
        tx: A connection to read the tenant on.
        tenant_id: Whose context it is.
        real_now: Real time, UTC, read once at the door: the business time of every tenant
            whose clock is not frozen. Kept to the millisecond, as it is shown.
        actor: Who does what is about to be done, for the log: `buyer`, `worker`.

    Raises:
        NotFound: There is no such tenant.
    """
    row = await tenants.find(tx, tenant_id)
    if row is None:
        raise NotFound("There is no such tenant")
    tenant = as_tenant(row)
    milliseconds = real_now.microsecond // 1000
    return Context(
        app=app,
        tenant=tenant,
        actor=actor,
        now=tenant.clock or real_now.replace(microsecond=milliseconds * 1000),
    )
