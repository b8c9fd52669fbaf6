"""Change a product, and take it off the shelf."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick.db import products, promised_offers
from tallystick.domain.catalog_entries import ProductEntry
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.pricing import FeeStructure
from tallystick.services.catalog_events import product_archived, product_updated
from tallystick.services.catalog_lookups import check_metric
from tallystick.services.context import Context


async def edit_product(
    ctx: Context, product_id: UUID, said: Mapping[str, Any], fee: FeeStructure | None
) -> ProductEntry:
    """Change fields of a product, and its fee structure unless None; what it is then.

    Raises:
        NotFound: no such product.
        InvalidInput: the fee is of another kind, or counts with an unknown metric.
        Conflict: the fee structure differs, and the product is priced by the one it has.
    """
    before = await _locked(ctx, product_id)
    changes_fee = fee is not None and fee != before.product.fee
    if fee is not None and changes_fee:
        await _check_fee(ctx, before, fee)
    product = replace(before.product, **said)
    if fee is not None:
        product = replace(product, fee=fee)
    after = replace(before, product=product)
    if after != before:
        await products.save(
            ctx.transaction, ctx.tenant.id, product, fee=fee if changes_fee else None
        )
        await product_updated(ctx, after)
    return after


async def archive_product(ctx: Context, product_id: UUID) -> None:
    """Make nothing new of a product: plan versions and add-ons that sell it go on.

    Raises:
        NotFound: no such product.
    """
    entry = await _locked(ctx, product_id)
    if entry.product.archived_at is None:
        await product_archived(ctx, await _set_archived(ctx, entry, ctx.now))


async def unarchive_product(ctx: Context, product_id: UUID) -> None:
    """Put a product back on the shelf.

    Raises:
        NotFound: no such product.
    """
    entry = await _locked(ctx, product_id)
    if entry.product.archived_at is not None:
        await product_updated(ctx, await _set_archived(ctx, entry, None))


async def _check_fee(ctx: Context, before: ProductEntry, fee: FeeStructure) -> None:
    product_id, path = before.product.id, "fee_structure"
    if fee.type is not before.product.fee.type:
        kind = before.product.fee.type.value
        message = f"must be {kind}: the kind of a product's fee never changes"
        fail_if([Fault(f"{path}.type", "wrong_fee_type", message)])
    await check_metric(ctx, fee, path)
    if await products.is_priced(ctx.transaction, ctx.tenant.id, product_id):
        message = (
            "is what this product's prices are made for, and they never change; make another"
            " product"
        )
        raise _in_use(path, message)
    promising = await promised_offers.promising(
        ctx.transaction, ctx.tenant.id, ctx.now, product_id=product_id, metric_id=None
    )
    if promising is not None:
        session = encode(Prefix.CHECKOUT_SESSION, promising)
        raise _in_use(path, f"must stay while the open checkout {session} offers the product")


def _in_use(path: str, message: str) -> Conflict:
    faults = [Fault(path, "in_use", message)]
    return Conflict(sentence(faults), tuple(faults))


async def _locked(ctx: Context, product_id: UUID) -> ProductEntry:
    if not await products.hold(ctx.transaction, ctx.tenant.id, product_id):
        raise NotFound("There is no such product.")
    entry = await products.load_entry(ctx.transaction, ctx.tenant.id, product_id)
    assert entry is not None, "it is locked"
    return entry


async def _set_archived(ctx: Context, entry: ProductEntry, at: datetime | None) -> ProductEntry:
    after = replace(entry, product=replace(entry.product, archived_at=at))
    await products.save(ctx.transaction, ctx.tenant.id, after.product, fee=None)
    return after
