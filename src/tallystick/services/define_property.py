"""Define a custom property, change its definition, or archive it."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from tallystick.db import custom_properties
from tallystick.db.refusals import UniqueViolation, constraint_of
from tallystick.domain.custom_properties import PropertyDefinition, definition_faults
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.services.context import Context

DEFINITIONS_MAX = 100
"""How many properties a kind of object can have; each write of one reads all of them."""


async def define_property(ctx: Context, wanted: PropertyDefinition) -> PropertyDefinition:
    """Define a property from now on.

    Raises:
        InvalidInput: It cannot be defined so; every fault together.
        Conflict: Another definition has the key, or there are too many.
    """
    fail_if(definition_faults(wanted))
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if await custom_properties.count(tx, tenant_id, wanted.entity) >= DEFINITIONS_MAX:
        message = f"has {DEFINITIONS_MAX} properties already; archive one first"
        faults = [Fault("entity_type", "too_many", message)]
        raise Conflict(sentence(faults), tuple(faults))
    try:
        await custom_properties.insert(tx, tenant_id, wanted)
    except UniqueViolation as refusal:
        if constraint_of(refusal) != custom_properties.KEY_TAKEN:
            raise
        faults = [Fault("key", "duplicate", "is the key of another property of this kind")]
        raise Conflict(sentence(faults), tuple(faults)) from None
    return wanted


async def change_property(
    ctx: Context,
    definition_id: UUID,
    change: Callable[[PropertyDefinition], PropertyDefinition],
) -> PropertyDefinition:
    """Change a definition; what is stored stays as it is.

    Raises:
        NotFound: There is no such definition.
        InvalidInput: It cannot be as changed; every fault together.
        Conflict: It is archived.
    """
    before = await _locked(ctx, definition_id)
    if before.archived_at is not None:
        raise Conflict("This property is archived: it is not enforced any more.")
    after = replace(change(before), updated_at=ctx.now)
    fail_if(definition_faults(after))
    await custom_properties.save(ctx.transaction, ctx.tenant.id, after)
    return after


async def archive_property(ctx: Context, definition_id: UUID) -> PropertyDefinition:
    """Stop enforcing a definition; stored values are kept, and its key is free again.

    One that is archived already stays as it is.

    Raises:
        NotFound: There is no such definition.
    """
    before = await _locked(ctx, definition_id)
    if before.archived_at is not None:
        return before
    after = replace(before, archived_at=ctx.now, updated_at=ctx.now)
    await custom_properties.save(ctx.transaction, ctx.tenant.id, after)
    return after


async def _locked(ctx: Context, definition_id: UUID) -> PropertyDefinition:
    found = await custom_properties.load(
        ctx.transaction, ctx.tenant.id, definition_id, lock=True
    )
    if found is None:
        raise NotFound("There is no such custom property definition.")
    return found
