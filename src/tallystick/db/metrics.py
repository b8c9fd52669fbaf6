"""Billable metrics: how usage events are counted."""

from collections.abc import Iterable
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.metrics import Metric, MetricDefinition

ORDERS = {
    "name": "lower(metric.name)",
    "code": "metric.code",
    "created_at": "metric.created_at",
}

_METRIC_JSON = """
    json_build_object('id', metric.id, 'product_family_id', metric.product_family_id,
        'product_id', metric.product_id, 'code', metric.code, 'name', metric.name,
        'description', metric.description, 'aggregation', metric.aggregation_type,
        'aggregation_key', metric.aggregation_key, 'definition', metric.definition,
        'archived_at', metric.archived_at, 'created_at', metric.created_at)
"""

_metric: Codec[Metric] = Codec(Metric)
_metrics: Codec[tuple[Metric, ...]] = Codec(tuple[Metric, ...])
_definition: Codec[MetricDefinition] = Codec(MetricDefinition)


async def insert(tx: Tx, tenant_id: UUID, metric: Metric) -> bool:
    """Write a new metric; False, and nothing written, where an unarchived one has its code."""
    written = await tx.fetchval(
        """
        insert into metrics (tenant_id, id, product_family_id, product_id, code, name,
            description, aggregation_type, aggregation_key, definition, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant_id, code) where archived_at is null do nothing returning true
        """,
        tenant_id,
        metric.id,
        metric.product_family_id,
        metric.product_id,
        metric.code,
        metric.name,
        metric.description,
        metric.aggregation.value,
        metric.aggregation_key,
        _definition.dump(metric.definition),
        metric.created_at,
    )
    return bool(written)


async def load(tx: Tx, tenant_id: UUID, metric_id: UUID) -> Metric | None:
    """The metric, archived or not, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_METRIC_JSON} from metrics metric
        where metric.tenant_id = $1 and metric.id = $2
        """,
        tenant_id,
        metric_id,
    )
    return _metric.load_optional(text)


async def by_ids(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Metric]:
    """The metrics of these ids, archived or not, as far as this tenant has them."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_METRIC_JSON}), '[]') from metrics metric
        where metric.tenant_id = $1 and metric.id = any($2)
        """,
        tenant_id,
        list(ids),
    )
    return {metric.id: metric for metric in _metrics.load(text)}


async def unarchived(tx: Tx, tenant_id: UUID) -> tuple[Metric, ...]:
    """Every metric that is not archived."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_METRIC_JSON}), '[]') from metrics metric
        where metric.tenant_id = $1 and metric.archived_at is null
        """,
        tenant_id,
    )
    return _metrics.load(text)


async def by_codes(
    tx: Tx, tenant_id: UUID, codes: Iterable[str]
) -> dict[str, tuple[Metric, ...]]:
    """The metrics of these codes, archived or not: a code may have been used before."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_METRIC_JSON} order by metric.id), '[]') from metrics metric
        where metric.tenant_id = $1 and metric.code = any($2)
        """,
        tenant_id,
        list(codes),
    )
    found: dict[str, tuple[Metric, ...]] = {}
    for metric in _metrics.load(text):
        found[metric.code] = (*found.get(metric.code, ()), metric)
    return found


async def hold(tx: Tx, tenant_id: UUID, metric_id: UUID) -> bool:
    """Lock a metric against other changes; False where this tenant has none of that id."""
    found = await tx.fetchval(
        "select true from metrics where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        metric_id,
    )
    return found is not None


async def save(
    tx: Tx, tenant_id: UUID, metric: Metric, *, definition: MetricDefinition | None
) -> None:
    """Write a changed metric, whether it is archived included; None keeps its definition.

    Raises:
        UniqueViolation: it is archived no more, and an unarchived one has its code.
    """
    await tx.execute(
        """
        update metrics set name = $3, description = $4, archived_at = $5,
            definition = coalesce($6, definition)
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        metric.id,
        metric.name,
        metric.description,
        metric.archived_at,
        _definition.dump_optional(definition),
    )


async def is_priced(tx: Tx, tenant_id: UUID, metric_id: UUID) -> bool:
    """Whether a price counts with the metric: one of a product whose fee names it."""
    found: bool = await tx.fetchval(
        """
        select exists (
            select from products product
            join prices price
                on price.tenant_id = product.tenant_id and price.product_id = product.id
            where product.tenant_id = $1 and product.fee_structure ->> 'metric_id' = $2::text)
        """,
        tenant_id,
        str(metric_id),
    )
    return found


async def known_ids(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of `ids` that are unarchived metrics of this tenant.

    They are held as they are until the transaction ends, for what is made to count with them.
    """
    rows = await tx.fetch(
        """
        select id from metrics
        where tenant_id = $1 and id = any($2) and archived_at is null for share
        """,
        tenant_id,
        list(ids),
    )
    return frozenset(row["id"] for row in rows)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    product_family_id: UUID | None = None,
    search: str | None = None,
) -> Page[Metric]:
    """The window's unarchived metrics; `search` is a part of the name or of the code."""
    matching = Matching(tenant_id, "metric")
    matching.always("metric.archived_at is null")
    matching.only("metric.product_family_id = {}", product_family_id)
    matching.only(
        "strpos(lower(metric.name), lower({0})) > 0"
        " or strpos(lower(metric.code), lower({0})) > 0",
        search,
    )
    return await fetch_page(
        tx,
        _metrics,
        item=_METRIC_JSON,
        tables="metrics metric",
        matching=matching,
        orders=ORDERS,
        window=window,
    )
