"""Refuse another try to pay where too many have failed."""

import hashlib
import hmac
from uuid import UUID

from tallystick.db import recent_tries
from tallystick.db.engine import Tx
from tallystick.domain.errors import Fault
from tallystick.domain.try_limits import is_too_many
from tallystick.services.context import Context

TOO_MANY = Fault("form", "too_many_tries", "try again in an hour")


def payer_of(ctx: Context, address: str | None) -> bytes | None:
    """A mark of the network address that pays: a MAC under the tenant's secret.

    It tells the same address again, and nothing else about it.
    """
    if address is None:
        return None
    return hmac.new(
        ctx.tenant.link_secret, f"payer\n{address}".encode(), hashlib.sha256
    ).digest()


async def too_many_tries(
    ctx: Context, tx: Tx, customer_id: UUID, payer: bytes | None
) -> Fault | None:
    """Why a customer may not try another payment now, None where it may.

    With the customer locked its tries are counted exactly; from one address, as many more as
    are sent at the same moment may slip through.
    """
    tries = await recent_tries.count(tx, ctx.tenant.id, customer_id, payer)
    return TOO_MANY if is_too_many(tries, ctx.app.try_limits) else None
