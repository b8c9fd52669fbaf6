"""Variations of the small shop, and what was sold in it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from tests.world import World


async def with_places(world: World, places: int) -> World:
    """The same shop, where a customer may have a plan `places` times."""
    await world.execute(
        "update tenants set places_per_plan = $2 where id = $1", world.tenant_id, places
    )
    ctx = world.ctx
    return replace(world, ctx=replace(ctx, tenant=replace(ctx.tenant, places_per_plan=places)))


async def selling_under_eu_rules(world: World) -> None:
    """The seller's tax is decided by the EU engine, from France."""
    await world.execute(
        "update invoicing_entities set tax_engine = 'EU_VAT', vat_number = 'FR40303265045' "
        "where tenant_id = $1",
        world.tenant_id,
    )


async def subscription(world: World) -> dict[str, Any]:
    """The only subscription."""
    return await world.one("select * from subscriptions where tenant_id = $1", world.tenant_id)


async def invoice(world: World) -> dict[str, Any]:
    """The only invoice."""
    return await world.one("select * from invoices where tenant_id = $1", world.tenant_id)


async def stored(world: World, session_id: UUID) -> dict[str, Any]:
    """A session as it is stored."""
    return await world.one(
        "select * from checkout_sessions where tenant_id = $1 and id = $2",
        world.tenant_id,
        session_id,
    )


async def attempts(world: World) -> list[dict[str, Any]]:
    """Every attempt, oldest first."""
    return await world.fetch(
        "select * from payment_attempts where tenant_id = $1 order by id", world.tenant_id
    )


async def told(world: World) -> list[str]:
    """The types of every event, in order."""
    rows = await world.fetch(
        "select type from events where tenant_id = $1 order by position", world.tenant_id
    )
    return [row["type"] for row in rows]


async def sold(world: World) -> tuple[int, int, int]:
    """How many charges the bank has made, subscriptions and invoices there are."""
    counts = await world.one(
        "select (select count(*) from subscriptions where tenant_id = $1) as subscriptions, "
        "(select count(*) from invoices where tenant_id = $1) as invoices",
        world.tenant_id,
    )
    return len(await world.charges()), counts["subscriptions"], counts["invoices"]
