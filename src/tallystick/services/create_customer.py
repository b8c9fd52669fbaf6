"""Create a customer."""

from dataclasses import fields
from uuid import UUID

from tallystick.db import customers, invoicing_entities
from tallystick.db.refusals import UniqueViolation, constraint_of
from tallystick.domain.custom_properties import PropertyEntity
from tallystick.domain.customer_record import (
    RESTS_ON,
    CustomerFields,
    CustomerRecord,
    customer_faults,
    full_name,
)
from tallystick.domain.errors import ALL_READ, Conflict, Fault, NotFound, Unread, fail_if
from tallystick.domain.ids import Prefix, encode
from tallystick.services import vat_numbers
from tallystick.services.context import Context
from tallystick.services.events import EventValue, record
from tallystick.services.ids import new_id
from tallystick.services.property_values import values_set_anew


async def create_customer(
    ctx: Context,
    wanted: CustomerFields,
    invoicing_entity_id: UUID | None = None,
    *,
    unread: Unread = ALL_READ,
) -> CustomerRecord:
    """Create a customer of the tenant and record `customer.created`.

    Args:
        ctx: The context, with its transaction.
        wanted: What is said about it.
        invoicing_entity_id: The entity that bills it; None for the tenant's default.
        unread: What could not be read of what is said.

    Raises:
        InvalidInput: What is said cannot be; every fault together.
        NotFound: The tenant has no such invoicing entity.
        Conflict: Another customer has the alias.
    """
    properties, wrong = await values_set_anew(
        ctx, PropertyEntity.CUSTOMER, wanted.custom_properties
    )
    found = [*customer_faults(wanted), *number_faults(wanted), *wrong]
    fail_if(unread.joined(found, RESTS_ON))
    said = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    customer = CustomerRecord(
        **said | {"name": full_name(wanted), "custom_properties": properties},
        id=new_id(),
        invoicing_entity_id=await entity_for(ctx, invoicing_entity_id),
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    try:
        await customers.insert(ctx.transaction, ctx.tenant.id, customer)
    except UniqueViolation as refusal:
        raise alias_taken(refusal, customer.alias) from None
    await record(ctx, "customer.created", customer.id, _event(customer))
    return customer


def number_faults(customer: CustomerFields) -> list[Fault]:
    """What is wrong with a customer's VAT number; it is looked at as on the checkout page."""
    address = customer.billing_address
    return vat_numbers.faults(customer.vat_number, None if address is None else address.country)


async def entity_for(ctx: Context, invoicing_entity_id: UUID | None) -> UUID:
    """The entity that bills a customer: the one that is named, else the tenant's default.

    Raises:
        NotFound: The tenant has no such invoicing entity.
    """
    if invoicing_entity_id is None:
        return await invoicing_entities.default_id(ctx.transaction, ctx.tenant.id)
    if not await invoicing_entities.exists(ctx.transaction, ctx.tenant.id, invoicing_entity_id):
        fault = Fault("invoicing_entity_id", "unknown", "is not one of your entities")
        raise NotFound("There is no such invoicing entity.", (fault,))
    return invoicing_entity_id


def alias_taken(refusal: UniqueViolation, alias: str | None) -> Exception:
    """What the caller is told when the database refuses to write a customer twice."""
    if constraint_of(refusal) != customers.ALIAS_TAKEN:
        return refusal
    fault = Fault("alias", "taken", "is another customer's alias")
    return Conflict(f"Another customer has the alias {alias!r} already.", (fault,))


def _event(customer: CustomerRecord) -> dict[str, EventValue]:
    """The body of `customer.created`."""
    return {
        "customer_id": encode(Prefix.CUSTOMER, customer.id),
        "name": customer.name,
        "alias": customer.alias,
        "billing_email": customer.billing_email,
        "invoicing_emails": list(customer.invoicing_emails),
        "phone": customer.phone,
        "currency": customer.currency,
        "custom_properties": customer.custom_properties,
    }
