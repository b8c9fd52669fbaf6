"""What must hold of what is sold."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

CATALOG_RULES = (
    Rule(
        name="plan-status",
        holds="A plan is ARCHIVED where it was archived, else ACTIVE with a published version",
        kind=Prefix.PLAN,
        query="""
            select tenant_id, id, format('%s, %s, and %s published versions', status,
                case when archived_at is null then 'not archived' else 'archived' end,
                published) as about
            from plans plan
            cross join lateral (
                select count(*) as published from plan_versions version
                where version.tenant_id = plan.tenant_id and version.plan_id = plan.id
                  and version.published_at is not null) versions
            where status <> case when archived_at is not null then 'ARCHIVED'
                                 when published > 0 then 'ACTIVE' else 'DRAFT' end
        """,
    ),
    Rule(
        name="price-of-product",
        holds="A price is of the kind that the fee of its product says",
        kind=Prefix.PRICE,
        query="""
            select price.tenant_id, price.id, format('%s, of a product whose fee is %s',
                price.pricing ->> 'type', product.fee_type) as about
            from prices price
            join products product
              on product.tenant_id = price.tenant_id and product.id = price.product_id
            where price.pricing ->> 'type' <> product.fee_type
        """,
    ),
    Rule(
        name="metric-of-product",
        holds="A fee counts with a metric that its tenant has",
        kind=Prefix.PRODUCT,
        query="""
            select product.tenant_id, product.id,
                   format('counts with %s', product.fee_structure ->> 'metric_id') as about
            from products product
            where product.fee_structure ->> 'metric_id' is not null and not exists (
                select from metrics metric
                where metric.tenant_id = product.tenant_id
                  and metric.id::text = product.fee_structure ->> 'metric_id')
        """,
    ),
)
