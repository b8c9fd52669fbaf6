"""What the schema says about payments and refunds under one reference of a provider."""

import asyncpg
import pytest

from tallystick.db.engine import Database
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.world import open_world

ONE_MORE = """
    insert into transactions (tenant_id, id, invoice_id, customer_id, payment_type, status,
        provider, reference, amount, currency, created_at, parent_id, refund_mode)
    select tenant_id, $1, invoice_id, customer_id, $2, 'SETTLED', provider, reference, 100,
        currency, created_at, case $2 when 'REFUND' then id end,
        case $2 when 'REFUND' then 'ONLINE' end
    from transactions where payment_type = 'PAYMENT'
"""


async def test_a_payment_is_refunded_in_parts_and_made_once(db: Database) -> None:
    """Several refunds stand under the reference of one payment, and no other payment."""
    world = await open_world(db)
    session = await world.session(await world.customer(), await world.plan())
    assert await world.confirm(session) == Completed()

    for _ in range(2):
        await world.execute(ONE_MORE, new_id(), "REFUND")

    with pytest.raises(asyncpg.UniqueViolationError, match="transaction_reference"):
        await world.execute(ONE_MORE, new_id(), "PAYMENT")
