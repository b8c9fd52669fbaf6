"""Which saved payment method is charged while nobody is at a page."""

from uuid import UUID

from tallystick.db import saved_methods
from tallystick.db.engine import Tx
from tallystick.domain.collection import SavedMethod, method_to_charge
from tallystick.services.context import Context
from tallystick.services.ports import PaymentProvider


async def method_on_file(
    ctx: Context,
    tx: Tx,
    provider: PaymentProvider | None,
    customer_id: UUID,
    own_method_id: UUID | None,
) -> SavedMethod | None:
    """The subscription's own method, else the customer's newest; see `method_to_charge`.

    Only the provider that keeps a method can charge it; None where there is no provider.
    """
    if provider is None:
        return None
    saved = await saved_methods.of_customer(
        tx, ctx.tenant.id, customer_id, provider.name, own_method_id
    )
    return method_to_charge(saved, ctx.now)
