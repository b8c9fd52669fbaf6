"""Coupons: their terms, and what decides at this moment whether one may be redeemed."""

from collections.abc import Iterable
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.coupons import CouponState, CouponTerms

TermsAndState = tuple[CouponTerms, CouponState]

TERMS_JSON = """
    json_build_object('id', coupon.id, 'code', coupon.code, 'discount', coupon.discount,
        'recurring_value', coupon.recurring_value, 'once_per_customer', not coupon.reusable)
"""
"""`CouponTerms` as JSON, for statements that have `coupons coupon` among their tables."""

STATE_JSON = """
    json_build_object('expires_at', coupon.expires_at, 'disabled', coupon.disabled,
        'archived', coupon.archived_at is not null,
        'redemption_limit', coupon.redemption_limit, 'taken', coupon.taken,
        'plan_ids', coalesce((
            select json_agg(allowed.plan_id order by allowed.plan_id)
            from coupon_plans allowed
            where allowed.tenant_id = coupon.tenant_id
                and allowed.coupon_id = coupon.id), '[]'),
        'used_by_customer', exists (
            select from coupon_redemptions used
            where used.tenant_id = coupon.tenant_id and used.coupon_id = coupon.id
                and used.customer_id = $2))
"""
"""`CouponState` as JSON, where $2 is the customer's id (null: nobody, so not used)."""

_coupons: Codec[tuple[TermsAndState, ...]] = Codec(tuple[TermsAndState, ...])


async def load_by_ids(
    tx: Tx, tenant_id: UUID, ids: Iterable[UUID], customer_id: UUID | None = None
) -> dict[UUID, TermsAndState]:
    """The coupons that exist among `ids`, by id, whatever their state.

    `used_by_customer` tells of `customer_id`, and is false without one.
    """
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg(json_build_array({TERMS_JSON}, {STATE_JSON})), '[]')
        from coupons coupon where coupon.tenant_id = $1 and coupon.id = any($3)
        """,
        tenant_id,
        customer_id,
        list(ids),
    )
    return {terms.id: (terms, state) for terms, state in _coupons.load(text)}


async def load_by_code(
    tx: Tx, tenant_id: UUID, code: str, customer_id: UUID | None = None
) -> TermsAndState | None:
    """The unarchived coupon with exactly this code, or None.

    `used_by_customer` tells of `customer_id`, and is false without one.
    """
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg(json_build_array({TERMS_JSON}, {STATE_JSON})), '[]')
        from coupons coupon
        where coupon.tenant_id = $1 and coupon.code = $3 and coupon.archived_at is null
        """,
        tenant_id,
        customer_id,
        code,
    )
    return next(iter(_coupons.load(text)), None)


async def lock(
    tx: Tx, tenant_id: UUID, ids: Iterable[UUID], customer_id: UUID | None = None
) -> dict[UUID, TermsAndState]:
    """Lock the coupons in the order of their ids, then load them; see `load_by_ids`.

    Two statements on purpose: a single one would wait for the locks and then answer whether the
    customer has used a coupon from before the wait.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    await tx.execute(
        """
        select from coupons coupon where coupon.tenant_id = $1 and coupon.id = any($2)
        order by coupon.id for update
        """,
        tenant_id,
        wanted,
    )
    return await load_by_ids(tx, tenant_id, wanted, customer_id)
