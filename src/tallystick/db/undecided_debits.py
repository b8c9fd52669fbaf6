"""Whether a payment still waits for its provider's final word."""

from uuid import UUID

from tallystick.db.engine import Tx

_EXISTS = """
    select exists (
               select from payment_attempts
               where tenant_id = $1 and provider = $2 and reference = $3 and state = 'LIVE')
        or exists (
               select from collections
               where tenant_id = $1 and provider = $2 and reference = $3 and state = 'LIVE')
        or exists (
               select from transactions
               where tenant_id = $1 and provider = $2 and reference = $3
                 and payment_type = 'PAYMENT' and status = 'PENDING')
"""


async def exists(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> bool:
    """Whether something of ours is open under the reference: attempt, try, or transaction."""
    found: bool = await tx.fetchval(_EXISTS, tenant_id, provider, reference)
    return found
