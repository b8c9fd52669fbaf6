"""Change a customer."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from tallystick.db import customers
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.customer_record import (
    RESTS_ON,
    CustomerRecord,
    customer_faults,
    full_name,
)
from tallystick.domain.errors import ALL_READ, NotFound, Unread, fail_if
from tallystick.services.context import Context
from tallystick.services.create_customer import alias_taken, entity_for, number_faults


async def edit_customer(
    ctx: Context,
    id_or_alias: UUID | str,
    change: Callable[[CustomerRecord], CustomerRecord],
    *,
    renames: bool = False,
    move_to_entity: bool = False,
    invoicing_entity_id: UUID | None = None,
    unread: Unread = ALL_READ,
) -> CustomerRecord:
    """Apply a change to a customer and return what it is then.

    Args:
        ctx: The context, with its transaction.
        id_or_alias: A UUID is an id, a text is an alias.
        change: What is to become of what is said about it.
        renames: Whether the change says its type or a name of it. Otherwise a person keeps the
            name that it has, which is the buyer's after a purchase.
        move_to_entity: Whether another entity shall bill it.
        invoicing_entity_id: Which one; None for the tenant's default.
        unread: What could not be read of the change.

    Raises:
        NotFound: The tenant has no such customer, or no such invoicing entity.
        InvalidInput: The customer cannot be as changed; every fault together.
        Conflict: Another customer has the new alias.
    """
    before = await customers.load(ctx.transaction, ctx.tenant.id, id_or_alias, lock=True)
    if before is None:
        raise customer_not_found()
    after = replace(change(before), updated_at=ctx.now)
    if renames:
        after = replace(after, name=full_name(after))
    faults = customer_faults(after)
    if (after.vat_number, after.billing_address) != (before.vat_number, before.billing_address):
        faults += number_faults(after)
    fail_if(unread.joined(faults, RESTS_ON))
    if move_to_entity:
        entity_id = await entity_for(ctx, invoicing_entity_id)
        after = replace(after, invoicing_entity_id=entity_id)
    try:
        await customers.save(ctx.transaction, ctx.tenant.id, after)
    except UniqueViolation as refusal:
        raise alias_taken(refusal, after.alias) from None
    return after


def customer_not_found() -> NotFound:
    """What is told about an id or alias that no customer of the tenant has."""
    return NotFound("There is no customer with this id or alias.")
