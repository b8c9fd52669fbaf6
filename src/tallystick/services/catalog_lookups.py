"""Finding what a request to the catalog names, or refusing the request."""

from uuid import UUID

from tallystick.db import metrics, product_families
from tallystick.domain.catalog_entries import ProductFamily
from tallystick.domain.errors import Fault, InvalidInput, NotFound, sentence
from tallystick.domain.new_plan import metric_of
from tallystick.domain.pricing import FeeStructure
from tallystick.services.context import Context


def missing(field: str, what: str) -> NotFound:
    """The refusal of a request whose `field` names nothing of this tenant's."""
    faults = [Fault(field, "unknown", f"must be {what}")]
    return NotFound(sentence(faults), tuple(faults))


async def family_of(ctx: Context, family_id: UUID) -> ProductFamily:
    """The family that a request names in `product_family_id`; raises `NotFound`."""
    family = await product_families.load(ctx.transaction, ctx.tenant.id, family_id)
    if family is None:
        raise missing("product_family_id", "a product family")
    return family


async def check_metric(ctx: Context, fee: FeeStructure, path: str) -> None:
    """Refuse a fee that counts with a metric which this tenant does not have."""
    metric_id = metric_of(fee)
    if metric_id is None:
        return
    if not await metrics.known_ids(ctx.transaction, ctx.tenant.id, [metric_id]):
        fault = Fault(f"{path}.metric_id", "unknown", "must be an unarchived metric")
        raise InvalidInput(sentence([fault]), (fault,))
