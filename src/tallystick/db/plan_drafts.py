"""Draft versions of plans: written, and written anew until they are published."""

from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.minimum_commitment import MinimumCommitment

_minimum: Codec[MinimumCommitment] = Codec(MinimumCommitment)


async def insert(tx: Tx, tenant_id: UUID, version: PlanVersion, now: datetime) -> None:
    """Write a new version as a draft; its plan, products and prices exist by then."""
    await tx.execute(
        """
        insert into plan_versions (tenant_id, id, plan_id, version, currency, tax_inclusive,
            net_terms, period_start_day, billing_cycles, trial_days, trial_is_free,
            trialing_plan_id, minimum, created_at)
        values ($1, $2, $3, $13, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14)
        """,
        tenant_id,
        version.id,
        version.plan_id,
        *_terms(version),
        version.version,
        now,
    )
    await _insert_parts(tx, tenant_id, version)


async def rewrite(tx: Tx, tenant_id: UUID, version: PlanVersion) -> None:
    """Write what a draft sells anew, under the id and the number that it has."""
    await tx.execute(
        """
        with gone as (
            delete from plan_component_prices choice using plan_components component
            where choice.tenant_id = $1 and component.tenant_id = $1
              and component.id = choice.component_id and component.plan_version_id = $2)
        delete from plan_add_ons where tenant_id = $1 and plan_version_id = $2
        """,
        tenant_id,
        version.id,
    )
    await tx.execute(
        "delete from plan_components where tenant_id = $1 and plan_version_id = $2",
        tenant_id,
        version.id,
    )
    await tx.execute(
        """
        update plan_versions set currency = $4, tax_inclusive = $5, net_terms = $6,
            period_start_day = $7, billing_cycles = $8, trial_days = $9, trial_is_free = $10,
            trialing_plan_id = $11, minimum = $12
        where tenant_id = $1 and id = $2 and plan_id = $3
        """,
        tenant_id,
        version.id,
        version.plan_id,
        *_terms(version),
    )
    await _insert_parts(tx, tenant_id, version)


def _terms(version: PlanVersion) -> tuple[object, ...]:
    """What a version says beside its parts, in the order of the statements above."""
    trial = version.trial
    return (
        version.currency,
        version.tax_inclusive,
        version.net_terms,
        version.period_start_day,
        version.billing_cycles,
        trial.days if trial else None,
        trial.is_free if trial else None,
        trial.trialing_plan_id if trial else None,
        _minimum.dump_optional(version.minimum),
    )


async def _insert_parts(tx: Tx, tenant_id: UUID, version: PlanVersion) -> None:
    await _insert_components(tx, tenant_id, version)
    await _insert_add_ons(tx, tenant_id, version)


async def _insert_components(tx: Tx, tenant_id: UUID, version: PlanVersion) -> None:
    components = version.components
    await tx.execute(
        """
        insert into plan_components (tenant_id, id, plan_version_id, product_id, name, position)
        select $1, id, $2, product_id, name, position
        from unnest($3::uuid[], $4::uuid[], $5::text[])
            with ordinality as new (id, product_id, name, position)
        """,
        tenant_id,
        version.id,
        [component.id for component in components],
        [component.product_id for component in components],
        [component.name for component in components],
    )
    choices = [
        (component.id, price.id, position)
        for component in components
        for position, price in enumerate(component.prices)
    ]
    await tx.execute(
        """
        insert into plan_component_prices (tenant_id, component_id, price_id, position)
        select $1, component_id, price_id, position
        from unnest($2::uuid[], $3::uuid[], $4::integer[])
            as new (component_id, price_id, position)
        """,
        tenant_id,
        [component_id for component_id, _, _ in choices],
        [price_id for _, price_id, _ in choices],
        [position for _, _, position in choices],
    )


async def _insert_add_ons(tx: Tx, tenant_id: UUID, version: PlanVersion) -> None:
    add_ons = version.add_ons
    await tx.execute(
        """
        insert into plan_add_ons (tenant_id, plan_version_id, add_on_id, price_id,
            max_instances, self_serviceable)
        select $1, $2, add_on_id, price_id, max_instances, self_serviceable
        from unnest($3::uuid[], $4::uuid[], $5::integer[], $6::boolean[])
            as new (add_on_id, price_id, max_instances, self_serviceable)
        """,
        tenant_id,
        version.id,
        [one.add_on_id for one in add_ons],
        [one.price.id if one.price else None for one in add_ons],
        [one.max_instances for one in add_ons],
        [one.self_serviceable for one in add_ons],
    )
