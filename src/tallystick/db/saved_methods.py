"""The payment methods that customers have on file."""

from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.domain.collection import SavedMethod
from tallystick.domain.payment import Method, MethodKind

_METHODS = """
    select m.id, m.provider, m.token, m.kind, m.card_brand, m.card_last4, m.card_expiry,
           m.account_number_hint, m.mandate_reference, m.created_at,
           coalesce(m.id = $4, false) as is_own
    from payment_methods m
    where m.tenant_id = $1 and m.customer_id = $2 and m.provider = $3
      and m.archived_at is null
"""


async def of_customer(
    tx: Tx, tenant_id: UUID, customer_id: UUID, provider: str, own_method_id: UUID | None
) -> list[SavedMethod]:
    """The customer's saved methods at a provider."""
    rows = await tx.fetch(_METHODS, tenant_id, customer_id, provider, own_method_id)
    return [_saved(row) for row in rows]


def _saved(row: Row) -> SavedMethod:
    return SavedMethod(
        id=row["id"],
        method=Method(
            provider=row["provider"],
            token=row["token"],
            kind=MethodKind(row["kind"]),
            card_brand=row["card_brand"],
            card_last4=row["card_last4"],
            card_expiry=row["card_expiry"],
            account_hint=row["account_number_hint"],
            mandate_reference=row["mandate_reference"],
        ),
        is_own=row["is_own"],
        created_at=row["created_at"],
    )
