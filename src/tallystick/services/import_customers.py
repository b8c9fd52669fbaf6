"""Create the customers of some rows of a file together.

The rules and what is written are those of `create_customer`; only the statements are shared.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import custom_properties, customers
from tallystick.domain.custom_properties import PropertyEntity, set_anew
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import TallystickError, fail_if
from tallystick.services.context import Context
from tallystick.services.create_customer import (
    created_event,
    entity_for,
    faults_of,
    new_customer,
)
from tallystick.services.events import record_many
from tallystick.services.import_rows import NewCustomer


async def import_customers(
    ctx: Context, wanted: Sequence[tuple[UUID, NewCustomer]]
) -> dict[UUID, TallystickError]:
    """Create customers under the ids of their rows; those that are refused, by these ids.

    Raises:
        UniqueViolation: One of them cannot be written; none is.
    """
    refused: dict[UUID, TallystickError] = {}
    entities: dict[UUID | None, UUID] = {}
    made: list[CustomerRecord] = []
    known = await custom_properties.unarchived(
        ctx.transaction, ctx.tenant.id, PropertyEntity.CUSTOMER
    )
    for customer_id, one in wanted:
        properties, wrong = set_anew(known, {}, one.fields.custom_properties)
        try:
            fail_if(faults_of(one.fields, one.unread, wrong))
            named = one.invoicing_entity_id
            if named not in entities:
                entities[named] = await entity_for(ctx, named)
        except TallystickError as reason:
            refused[customer_id] = reason
        else:
            said = replace(one.fields, custom_properties=properties)
            made.append(new_customer(ctx, said, entities[named], customer_id))
    await customers.insert_many(ctx.transaction, ctx.tenant.id, made)
    await record_many(ctx, [created_event(customer) for customer in made])
    return refused
