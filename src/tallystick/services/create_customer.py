"""Create a customer."""

from collections.abc import Sequence
from dataclasses import fields, replace
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
from tallystick.services.events import EventValue, Told, record
from tallystick.services.ids import new_id
from tallystick.services.property_values import values_set_anew


async def create_customer(
    ctx: Context,
    wanted: CustomerFields,
    invoicing_entity_id: UUID | None = None,
    *,
    unread: Unread = ALL_READ,
    customer_id: UUID | None = None,
) -> CustomerRecord:
    """Create a customer of the tenant and record `customer.created`.

    Args:
        ctx: The context, with its transaction.
        wanted: What is said about it.
        invoicing_entity_id: The entity that bills it; None for the tenant's default.
        unread: What could not be read of what is said.
        customer_id: The id that it gets; None for a new one.

    Raises:
        InvalidInput: What is said cannot be; every fault together.
        NotFound: The tenant has no such invoicing entity.
        Conflict: Another customer has the alias.
    """
    properties, wrong = await values_set_anew(
        ctx, PropertyEntity.CUSTOMER, wanted.custom_properties
    )
    fail_if(faults_of(wanted, unread, wrong))
    wanted = replace(wanted, custom_properties=properties)
    entity_id = await entity_for(ctx, invoicing_entity_id)
    customer = new_customer(ctx, wanted, entity_id, customer_id or new_id())
    try:
        await customers.insert(ctx.transaction, ctx.tenant.id, customer)
    except UniqueViolation as refusal:
        raise alias_taken(refusal, customer.alias) from None
    await record(ctx, *created_event(customer))
    return customer


def faults_of(
    wanted: CustomerFields, unread: Unread, wrong_properties: Sequence[Fault]
) -> list[Fault]:
    """What cannot be about a customer, or could not be read, every fault of it."""
    found = unread.joined([*customer_faults(wanted), *number_faults(wanted)], RESTS_ON)
    return [*found, *unread.joined(wrong_properties)[len(unread.faults) :]]


def new_customer(
    ctx: Context, wanted: CustomerFields, invoicing_entity_id: UUID, customer_id: UUID
) -> CustomerRecord:
    """The customer as it will be kept."""
    said = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return CustomerRecord(
        **said | {"name": full_name(wanted)},
        id=customer_id,
        invoicing_entity_id=invoicing_entity_id,
        created_at=ctx.now,
        updated_at=ctx.now,
    )


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


def created_event(customer: CustomerRecord) -> Told:
    """What is told of a new customer."""
    body: dict[str, EventValue] = {
        "customer_id": encode(Prefix.CUSTOMER, customer.id),
        "name": customer.name,
        "alias": customer.alias,
        "billing_email": customer.billing_email,
        "invoicing_emails": list(customer.invoicing_emails),
        "phone": customer.phone,
        "currency": customer.currency,
        "custom_properties": customer.custom_properties,
    }
    return "customer.created", customer.id, body
