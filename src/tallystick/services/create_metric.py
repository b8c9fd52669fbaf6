"""Create a billable metric."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import metrics, products
from tallystick.domain.errors import Conflict, Fault, fail_if, sentence
from tallystick.domain.metrics import (
    Aggregation,
    Metric,
    MetricDefinition,
    faults_of_definition,
)
from tallystick.services.catalog_events import metric_created
from tallystick.services.catalog_lookups import family_of, missing
from tallystick.services.context import Context
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMetric:
    """A metric to be."""

    product_family_id: UUID
    code: str
    name: str
    aggregation: Aggregation
    definition: MetricDefinition
    description: str | None = None
    aggregation_key: str | None = None
    product_id: UUID | None = None


async def create_metric(ctx: Context, new: NewMetric) -> Metric:
    """Make a new metric.

    Raises:
        InvalidInput: it could not count.
        NotFound: no such family or product.
        Conflict: an unarchived metric has its code.
    """
    fail_if(faults_of_definition(new.aggregation, new.aggregation_key, new.definition))
    await family_of(ctx, new.product_family_id)
    if new.product_id is not None and not await products.load(
        ctx.transaction, ctx.tenant.id, new.product_id
    ):
        raise missing("product_id", "a product")
    metric = Metric(
        id=new_id(),
        product_family_id=new.product_family_id,
        code=new.code,
        name=new.name,
        aggregation=new.aggregation,
        definition=new.definition,
        created_at=ctx.now,
        description=new.description,
        aggregation_key=new.aggregation_key,
        product_id=new.product_id,
    )
    if not await metrics.insert(ctx.transaction, ctx.tenant.id, metric):
        faults = [Fault("code", "duplicate", "is the code of another metric")]
        raise Conflict(sentence(faults), tuple(faults))
    await metric_created(ctx, metric)
    return metric
