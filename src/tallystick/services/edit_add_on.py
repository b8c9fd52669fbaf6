"""Change an add-on, and take it off the shelf."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick.db import add_ons, prices
from tallystick.domain.catalog_entries import AddOnEntry
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.services.catalog_events import add_on_archived, add_on_updated
from tallystick.services.catalog_lookups import missing
from tallystick.services.context import Context


async def edit_add_on(
    ctx: Context,
    add_on_id: UUID,
    said: Mapping[str, Any],
    sold_as: Mapping[str, Any],
    *,
    price_id: UUID | None = None,
) -> AddOnEntry:
    """Change an add-on for who buys it from now on; what it is then.

    Subscriptions that have it, and open checkouts that offer it, keep the price of then.

    Args:
        ctx: The context, with its transaction.
        add_on_id: Which add-on.
        said: Fields of `AddOnEntry` by their names.
        sold_as: Fields of its `AddOn`.
        price_id: Another price of its product; None keeps it.

    Raises:
        NotFound: no such add-on, or no such price.
        InvalidInput: the price is another product's.
        Conflict: a plan sells it at its own price, and in another currency than the new one's.
    """
    before = await _locked(ctx, add_on_id)
    add_on = replace(before.add_on, **sold_as)
    if price_id is not None and price_id != add_on.price.id:
        price = await prices.load(ctx.transaction, ctx.tenant.id, price_id)
        if price is None:
            raise missing("price_id", "a price")
        if price.product_id != add_on.product.id:
            fail_if([Fault("price_id", "contradiction", "must be a price of the product")])
        await _check_currency(ctx, add_on_id, price.currency)
        add_on = replace(add_on, price=price)
    after = replace(before, add_on=add_on, **said)
    if after != before:
        await add_ons.save(ctx.transaction, ctx.tenant.id, after)
        await add_on_updated(ctx, after)
    return after


async def archive_add_on(ctx: Context, add_on_id: UUID) -> None:
    """Sell an add-on no more: not to anybody new. Who has it keeps it.

    Raises:
        NotFound: no such add-on.
    """
    entry = await _locked(ctx, add_on_id)
    if entry.add_on.archived_at is None:
        await add_on_archived(ctx, await _set_archived(ctx, entry, ctx.now))


async def unarchive_add_on(ctx: Context, add_on_id: UUID) -> None:
    """Sell an add-on again.

    Raises:
        NotFound: no such add-on.
    """
    entry = await _locked(ctx, add_on_id)
    if entry.add_on.archived_at is not None:
        await add_on_updated(ctx, await _set_archived(ctx, entry, None))


async def _check_currency(ctx: Context, add_on_id: UUID, currency: str) -> None:
    """A published version cannot be mended: what it sells at this price must stay sellable."""
    found = await add_ons.plan_relying_on_price(
        ctx.transaction, ctx.tenant.id, add_on_id, currency
    )
    if found is not None:
        plan, sold_in = found
        message = f"must be in {sold_in}: the plan {plan!r} sells this add-on at its own price"
        faults = [Fault("price_id", "in_use", message)]
        raise Conflict(sentence(faults), tuple(faults))


async def _locked(ctx: Context, add_on_id: UUID) -> AddOnEntry:
    if not await add_ons.hold(ctx.transaction, ctx.tenant.id, add_on_id):
        raise NotFound("There is no such add-on.")
    entry = await add_ons.load_entry(ctx.transaction, ctx.tenant.id, add_on_id)
    assert entry is not None, "it is locked"
    return entry


async def _set_archived(ctx: Context, entry: AddOnEntry, at: datetime | None) -> AddOnEntry:
    after = replace(entry, add_on=replace(entry.add_on, archived_at=at))
    await add_ons.save(ctx.transaction, ctx.tenant.id, after)
    return after
