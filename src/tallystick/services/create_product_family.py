"""Create a product family."""

import re
from dataclasses import replace

from tallystick.db import product_families
from tallystick.domain.catalog_entries import ProductFamily
from tallystick.domain.errors import Conflict, Fault, sentence
from tallystick.services.context import Context
from tallystick.services.ids import new_id

_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")


async def create_product_family(
    ctx: Context, name: str, alias: str | None = None
) -> ProductFamily:
    """Make a new family; names need not be unique, aliases are.

    Without an alias its name makes one, "Cloud Storage" being `cloud-storage`, where that is
    free.

    Raises:
        Conflict: another family has the alias.
    """
    family = ProductFamily(
        id=new_id(), name=name, created_at=ctx.now, alias=alias or _alias_of(name)
    )
    if await product_families.insert(ctx.transaction, ctx.tenant.id, family):
        return family
    if alias is not None:
        faults = [Fault("alias", "taken", "is another family's alias")]
        raise Conflict(sentence(faults), tuple(faults))
    nameless = replace(family, alias=None)
    await product_families.insert(ctx.transaction, ctx.tenant.id, nameless)
    return nameless


def _alias_of(name: str) -> str | None:
    return _BETWEEN_WORDS.sub("-", name.lower()).strip("-") or None
