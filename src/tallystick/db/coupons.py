"""Coupons: their terms, and what decides at this moment whether one may be redeemed."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.catalog_entries import CouponEntry
from tallystick.domain.coupons import CouponState, CouponTerms, Discount

TermsAndState = tuple[CouponTerms, CouponState]

TERMS_JSON = """
    json_build_object('id', coupon.id, 'code', coupon.code, 'discount', coupon.discount,
        'recurring_value', coupon.recurring_value, 'once_per_customer', not coupon.reusable)
"""
"""`CouponTerms` as JSON, for statements that have `coupons coupon` among their tables."""

_STATE = """
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
                and used.customer_id = {customer}))
"""

STATE_JSON = _STATE.format(customer="$2")
"""`CouponState` as JSON, where $2 is the customer's id (null: nobody, so not used)."""

ORDERS = {
    "code": "coupon.code",
    "created_at": "coupon.created_at",
    "expires_at": "coupon.expires_at",
}

_ENTRY_JSON = f"""
    json_build_object('terms', {TERMS_JSON}, 'state', {_STATE.format(customer="null")},
        'description', coupon.description, 'archived_at', coupon.archived_at,
        'created_at', coupon.created_at)
"""


class Usability(StrEnum):
    """Which coupons a list holds."""

    ALL = "ALL"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


_entry: Codec[CouponEntry] = Codec(CouponEntry)
_entries: Codec[tuple[CouponEntry, ...]] = Codec(tuple[CouponEntry, ...])
_discount: Codec[Discount] = Codec(Discount)
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


async def insert(tx: Tx, tenant_id: UUID, entry: CouponEntry) -> bool:
    """Write a new coupon; False, and nothing written, where an unarchived one has its code."""
    terms, state = entry.terms, entry.state
    written = await tx.fetchval(
        """
        insert into coupons (tenant_id, id, code, description, discount, expires_at,
            redemption_limit, recurring_value, reusable, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, code) where archived_at is null do nothing returning true
        """,
        tenant_id,
        terms.id,
        terms.code,
        entry.description,
        _discount.dump(terms.discount),
        state.expires_at,
        state.redemption_limit,
        terms.recurring_value,
        not terms.once_per_customer,
        entry.created_at,
    )
    if not written:
        return False
    await _insert_plans(tx, tenant_id, entry)
    return True


async def _insert_plans(tx: Tx, tenant_id: UUID, entry: CouponEntry) -> None:
    await tx.execute(
        """
        insert into coupon_plans (tenant_id, coupon_id, plan_id)
        select $1, $2, plan_id from unnest($3::uuid[]) as allowed (plan_id)
        """,
        tenant_id,
        entry.terms.id,
        sorted(entry.state.plan_ids),
    )


async def hold(tx: Tx, tenant_id: UUID, coupon_id: UUID) -> bool:
    """Lock a coupon against other changes; False where this tenant has none of that id."""
    found = await tx.fetchval(
        "select true from coupons where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        coupon_id,
    )
    return found is not None


async def save(tx: Tx, tenant_id: UUID, entry: CouponEntry) -> None:
    """Write a changed coupon, whether it is disabled or archived included.

    Raises:
        UniqueViolation: it is archived no more, and an unarchived one has its code.
    """
    await tx.execute(
        """
        update coupons set description = $3, discount = $4, disabled = $5, archived_at = $6
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        entry.terms.id,
        entry.description,
        _discount.dump(entry.terms.discount),
        entry.state.disabled,
        entry.archived_at,
    )
    await tx.execute(
        "delete from coupon_plans where tenant_id = $1 and coupon_id = $2",
        tenant_id,
        entry.terms.id,
    )
    await _insert_plans(tx, tenant_id, entry)


async def load_entry(tx: Tx, tenant_id: UUID, coupon_id: UUID) -> CouponEntry | None:
    """The coupon as it is listed, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_ENTRY_JSON} from coupons coupon
        where coupon.tenant_id = $1 and coupon.id = $2
        """,
        tenant_id,
        coupon_id,
    )
    return _entry.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    now: datetime,
    usability: Usability = Usability.ALL,
    search: str | None = None,
) -> Page[CouponEntry]:
    """The window's coupons; `search` is a part of the code, in any case of letters.

    ACTIVE are those that can be redeemed at `now` by somebody, INACTIVE the rest of the
    unarchived ones, ALL both of them and the archived.
    """
    matching = Matching(tenant_id, "coupon")
    matching.only("strpos(lower(coupon.code), lower({})) > 0", search)
    redeemable = """
        not coupon.disabled and (coupon.expires_at is null or coupon.expires_at > {})
        and (coupon.redemption_limit is null or coupon.taken < coupon.redemption_limit)
    """
    match usability:
        case Usability.ALL:
            pass
        case Usability.ACTIVE:
            matching.always("coupon.archived_at is null")
            matching.only(redeemable, now)
        case Usability.INACTIVE:
            matching.always("coupon.archived_at is null")
            matching.only(f"not ({redeemable})", now)
        case Usability.ARCHIVED:
            matching.always("coupon.archived_at is not null")
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables="coupons coupon",
        matching=matching,
        orders=ORDERS,
        window=window,
    )
