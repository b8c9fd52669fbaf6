"""Plan versions: what a plan sells at what price, fixed for ever once published."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.db.prices import PRICE_JSON
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.catalog_entries import PlanVersionEntry
from tallystick.domain.minimum_commitment import MinimumCommitment

_COMPONENTS = f"""
    select json_agg(json_build_object(
        'id', component.id, 'name', component.name, 'product_id', component.product_id,
        'fee', product.fee_structure,
        'prices', (
            select coalesce(json_agg({PRICE_JSON} order by choice.position), '[]')
            from plan_component_prices choice
            join prices price
                on price.tenant_id = choice.tenant_id and price.id = choice.price_id
            where choice.tenant_id = component.tenant_id and choice.component_id = component.id
        )) order by component.position)
    from plan_components component
    join products product
        on product.tenant_id = component.tenant_id and product.id = component.product_id
    where component.tenant_id = version.tenant_id and component.plan_version_id = version.id
"""

_ADD_ONS = f"""
    select json_agg(json_build_object(
        'add_on_id', entry.add_on_id, 'max_instances', entry.max_instances,
        'self_serviceable', entry.self_serviceable,
        'price', case when price.id is null then null else {PRICE_JSON} end
        ) order by entry.add_on_id)
    from plan_add_ons entry
    left join prices price on price.tenant_id = entry.tenant_id and price.id = entry.price_id
    where entry.tenant_id = version.tenant_id and entry.plan_version_id = version.id
"""

VERSION_JSON = f"""
    json_build_object('id', version.id, 'plan_id', plan.id, 'plan_name', plan.name,
        'product_family_id', plan.product_family_id, 'version', version.version,
        'currency', version.currency, 'tax_inclusive', version.tax_inclusive,
        'components', coalesce(({_COMPONENTS}), '[]'), 'add_ons', coalesce(({_ADD_ONS}), '[]'),
        'is_published', version.published_at is not null, 'net_terms', version.net_terms,
        'period_start_day', version.period_start_day,
        'billing_cycles', version.billing_cycles,
        'trial', case when version.trial_days is null then null else json_build_object(
            'days', version.trial_days, 'is_free', version.trial_is_free,
            'trialing_plan_id', version.trialing_plan_id) end,
        'minimum', version.minimum)
"""
"""A `PlanVersion` as JSON, in statements that join `plan_versions version` and `plans plan`."""

ORDERS = {"version": "version.version"}

_ENTRY_JSON = """
    json_build_object('id', version.id, 'version', version.version,
        'currency', version.currency, 'published_at', version.published_at,
        'created_at', version.created_at)
"""

_version: Codec[PlanVersion] = Codec(PlanVersion)
_entries: Codec[tuple[PlanVersionEntry, ...]] = Codec(tuple[PlanVersionEntry, ...])
_minimum: Codec[MinimumCommitment] = Codec(MinimumCommitment)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersionOf:
    """A version of a plan that exists; `version_id` is None where it has no such version."""

    version_id: UUID | None


async def of_plan(
    tx: Tx, tenant_id: UUID, plan_id: UUID, version: int | None
) -> PlanVersionOf | None:
    """A plan's version by its number, or the one that is sold; None where there is no plan."""
    row = await tx.fetchrow(
        """
        select (select v.id from plan_versions v
                where v.tenant_id = p.tenant_id and v.plan_id = p.id
                  and case when $3::integer is null then v.published_at is not null
                           else v.version = $3 end
                order by v.version desc limit 1) as version_id
        from plans p where p.tenant_id = $1 and p.id = $2
        """,
        tenant_id,
        plan_id,
        version,
    )
    return None if row is None else PlanVersionOf(version_id=row["version_id"])


async def load(tx: Tx, tenant_id: UUID, version_id: UUID) -> PlanVersion | None:
    """The version, published or not, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {VERSION_JSON} from plan_versions version
        join plans plan on plan.tenant_id = version.tenant_id and plan.id = version.plan_id
        where version.tenant_id = $1 and version.id = $2
        """,
        tenant_id,
        version_id,
    )
    return _version.load_optional(text)


async def page_of_plan(
    tx: Tx, tenant_id: UUID, plan_id: UUID, window: Window
) -> Page[PlanVersionEntry]:
    """The window's versions of a plan, its draft included."""
    matching = Matching(tenant_id, "version")
    matching.only("version.plan_id = {}", plan_id)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables="plan_versions version",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def set_minimum(
    tx: Tx, tenant_id: UUID, version_id: UUID, minimum: MinimumCommitment | None
) -> bool:
    """Store a draft's minimum, or that it has none; False where the version is no draft."""
    changed = await tx.fetchval(
        """
        update plan_versions set minimum = $3
        where tenant_id = $1 and id = $2 and published_at is null returning true
        """,
        tenant_id,
        version_id,
        _minimum.dump_optional(minimum),
    )
    return changed is not None
