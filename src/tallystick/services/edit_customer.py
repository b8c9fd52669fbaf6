"""Change a customer, or say everything about it anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import customers
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.custom_properties import PropertyEntity
from tallystick.domain.customer_record import (
    RESTS_ON,
    CustomerRecord,
    customer_faults,
    full_name,
)
from tallystick.domain.errors import ALL_READ, NotFound, Unread, fail_if
from tallystick.services.context import Context
from tallystick.services.create_customer import alias_taken, entity_for, number_faults
from tallystick.services.property_values import Checked, values_merged, values_set_anew


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChange:
    """What is to become of a customer.

    Attributes:
        apply: What is said about it, applied to it as it is.
        renames: Whether the change says its type or a name of it. Otherwise a person keeps the
            name that it has, which is the buyer's after a purchase.
        move_to_entity: Whether another entity shall bill it.
        invoicing_entity_id: Which one; None for the tenant's default.
        properties: Custom properties that are said; None leaves them as they are.
        replaces_properties: Whether those are all, or are merged into what there is.
        unread: What could not be read of the change.
    """

    apply: Callable[[CustomerRecord], CustomerRecord]
    renames: bool = False
    move_to_entity: bool = False
    invoicing_entity_id: UUID | None = None
    properties: Mapping[str, object] | None = None
    replaces_properties: bool = False
    unread: Unread = ALL_READ


async def edit_customer(
    ctx: Context, id_or_alias: UUID | str, change: CustomerChange
) -> CustomerRecord:
    """Apply a change to a customer and return what it is then.

    Args:
        ctx: The context, with its transaction.
        id_or_alias: A UUID is an id, a text is an alias.
        change: What is to become of it.

    Raises:
        NotFound: The tenant has no such customer, or no such invoicing entity.
        InvalidInput: The customer cannot be as changed; every fault together.
        Conflict: Another customer has the new alias.
    """
    before = await customers.load(ctx.transaction, ctx.tenant.id, id_or_alias, lock=True)
    if before is None:
        raise customer_not_found()
    after = replace(change.apply(before), updated_at=ctx.now)
    if change.renames:
        after = replace(after, name=full_name(after))
    faults = customer_faults(after)
    if (after.vat_number, after.billing_address) != (before.vat_number, before.billing_address):
        faults += number_faults(after)
    if change.properties is not None:
        values, wrong = await _properties(ctx, before, change, change.properties)
        after = replace(after, custom_properties=values)
        faults += wrong
    fail_if(change.unread.joined(faults, RESTS_ON))
    if change.move_to_entity:
        entity_id = await entity_for(ctx, change.invoicing_entity_id)
        after = replace(after, invoicing_entity_id=entity_id)
    try:
        await customers.save(ctx.transaction, ctx.tenant.id, after)
    except UniqueViolation as refusal:
        raise alias_taken(refusal, after.alias) from None
    return after


def customer_not_found() -> NotFound:
    """What is told about an id or alias that no customer of the tenant has."""
    return NotFound("There is no customer with this id or alias.")


async def _properties(
    ctx: Context,
    before: CustomerRecord,
    change: CustomerChange,
    said: Mapping[str, object],
) -> Checked:
    stored = before.custom_properties
    if change.replaces_properties:
        return await values_set_anew(ctx, PropertyEntity.CUSTOMER, said, stored)
    return await values_merged(ctx, PropertyEntity.CUSTOMER, stored, said)
