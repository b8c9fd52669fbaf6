"""Change a coupon, switch it off and on, and take it away."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick.db import coupons, plans
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.catalog_entries import CouponEntry
from tallystick.domain.coupons import Discount
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.services.catalog_events import coupon_archived, coupon_updated
from tallystick.services.context import Context


async def edit_coupon(
    ctx: Context,
    coupon_id: UUID,
    said: Mapping[str, Any],
    *,
    discount: Discount | None = None,
    plan_ids: tuple[UUID, ...] | None = None,
) -> CouponEntry:
    """Change a coupon for who redeems it from now on; what it is then.

    Who has redeemed it, and who has an open checkout that names it, keeps the discount of then.

    Args:
        ctx: The context, with its transaction.
        coupon_id: Which coupon.
        said: Fields of `CouponEntry` by their names.
        discount: Another discount; None keeps it.
        plan_ids: The only plans it is for, none meaning every plan; None keeps them.

    Raises:
        NotFound: no such coupon.
        InvalidInput: a plan that was not named before does not exist, or is archived.
    """
    before = await _locked(ctx, coupon_id)
    after = replace(before, **said)
    if discount is not None:
        after = replace(after, terms=replace(after.terms, discount=discount))
    if plan_ids is not None:
        await check_plans(ctx, plan_ids, before.state.plan_ids)
        after = replace(after, state=replace(after.state, plan_ids=frozenset(plan_ids)))
    return await _saved(ctx, before, after)


async def check_plans(
    ctx: Context, plan_ids: tuple[UUID, ...], allowed: Collection[UUID] = ()
) -> None:
    """Refuse plans that do not exist or are archived, unless they are `allowed` anyway."""
    known = await plans.known_ids(ctx.transaction, ctx.tenant.id, plan_ids)
    fail_if(
        [
            Fault(f"plan_ids[{index}]", "unknown", "must be an unarchived plan")
            for index, plan_id in enumerate(plan_ids)
            if plan_id not in known and plan_id not in allowed
        ]
    )


async def disable_coupon(ctx: Context, coupon_id: UUID) -> None:
    """Let nobody redeem a coupon until it is enabled again.

    Raises:
        NotFound: no such coupon.
    """
    await _change(ctx, coupon_id, lambda coupon: _switched(coupon, disabled=True))


async def enable_coupon(ctx: Context, coupon_id: UUID) -> None:
    """Let a coupon be redeemed again, if nothing else forbids it.

    Raises:
        NotFound: no such coupon.
    """
    await _change(ctx, coupon_id, lambda coupon: _switched(coupon, disabled=False))


async def archive_coupon(ctx: Context, coupon_id: UUID) -> None:
    """Take a coupon away: nobody redeems it, and its code is free for another one.

    Raises:
        NotFound: no such coupon.
    """
    before = await _locked(ctx, coupon_id)
    if before.archived_at is None:
        after = _archived(before, ctx.now)
        await coupons.save(ctx.transaction, ctx.tenant.id, after)
        await coupon_archived(ctx, after)


async def unarchive_coupon(ctx: Context, coupon_id: UUID) -> None:
    """Bring a coupon back, as it was.

    Raises:
        NotFound: no such coupon.
        Conflict: another unarchived coupon has its code by now.
    """
    before = await _locked(ctx, coupon_id)
    try:
        await _saved(ctx, before, _archived(before, None))
    except UniqueViolation:
        message = f"{before.terms.code!r} is another coupon's by now"
        faults = [Fault("code", "duplicate", message)]
        raise Conflict(sentence(faults), tuple(faults)) from None


async def _change(
    ctx: Context, coupon_id: UUID, change: Callable[[CouponEntry], CouponEntry]
) -> None:
    before = await _locked(ctx, coupon_id)
    await _saved(ctx, before, change(before))


async def _saved(ctx: Context, before: CouponEntry, after: CouponEntry) -> CouponEntry:
    if after != before:
        await coupons.save(ctx.transaction, ctx.tenant.id, after)
        await coupon_updated(ctx, after)
    return after


async def _locked(ctx: Context, coupon_id: UUID) -> CouponEntry:
    if not await coupons.hold(ctx.transaction, ctx.tenant.id, coupon_id):
        raise NotFound("There is no such coupon.")
    coupon = await coupons.load_entry(ctx.transaction, ctx.tenant.id, coupon_id)
    assert coupon is not None, "it is locked"
    return coupon


def _switched(coupon: CouponEntry, *, disabled: bool) -> CouponEntry:
    return replace(coupon, state=replace(coupon.state, disabled=disabled))


def _archived(coupon: CouponEntry, at: datetime | None) -> CouponEntry:
    state = replace(coupon.state, archived=at is not None)
    return replace(coupon, state=state, archived_at=at)
