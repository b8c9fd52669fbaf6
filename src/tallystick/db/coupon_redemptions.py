"""Redemptions: reserved by a claim, redeemed by the purchase, or given back."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt
from tallystick.domain.bill import Bill
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.purchase import Subscription

TERMS: Codec[CouponTerms] = Codec(CouponTerms)

Use: TypeAlias = tuple[UUID, int, int]
"""A redemption, to how many more invoices it applies, and how much more it takes off them."""

_TAKE = "update coupons set taken = taken + 1 where tenant_id = $1 and id = $2"


async def lock_coded(tx: Tx, tenant_id: UUID, codes: Sequence[str]) -> None:
    """Lock the unarchived coupons with these codes in the order of their ids."""
    await tx.execute(
        "select from coupons where tenant_id = $1 and code = any($2) and archived_at is null "
        "order by id for no key update",
        tenant_id,
        codes,
    )


async def redeem_at_once(
    tx: Tx, tenant_id: UUID, made: Subscription, redemption_ids: Sequence[UUID]
) -> None:
    """Redeem the coupons of a subscription that no checkout made; they are locked.

    No invoice has used them yet.
    """
    coupons = sorted(made.offer.coupons, key=lambda terms: terms.id)
    for redemption_id, terms in zip(redemption_ids, coupons, strict=True):
        await tx.execute(_TAKE, tenant_id, terms.id)
        await tx.execute(
            """
            insert into coupon_redemptions (
                tenant_id, id, coupon_id, customer_id, subscription_id, state,
                once_per_customer, terms, created_at)
            values ($1, $2, $3, $4, $5, 'REDEEMED', $6, $7, $8)
            """,
            tenant_id,
            redemption_id,
            terms.id,
            made.customer_id,
            made.id,
            terms.once_per_customer,
            TERMS.dump(terms),
            made.created_at,
        )


async def lock_coupons(tx: Tx, tenant_id: UUID, coupon_ids: Sequence[UUID]) -> None:
    """Lock coupons in the order of their ids, before their state is read for a claim."""
    await tx.execute(
        "select from coupons where tenant_id = $1 and id = any($2) order by id "
        "for no key update",
        tenant_id,
        coupon_ids,
    )


async def reserve(tx: Tx, tenant_id: UUID, attempt: Attempt) -> None:
    """Reserve every coupon of the attempt's quote; its terms are kept with the redemption.

    Raises `CheckViolation` or `UniqueViolation` where the schema says no, which cannot happen
    under the locks that a claim holds.
    """
    for redemption_id, terms in _redemptions(attempt):
        await tx.execute(_TAKE, tenant_id, terms.id)
        await tx.execute(
            """
            insert into coupon_redemptions (
                tenant_id, id, coupon_id, customer_id, attempt_id, subscription_id, state,
                once_per_customer, terms, created_at)
            values ($1, $2, $3, $4, $5, $6, 'RESERVED', $7, $8, $9)
            """,
            tenant_id,
            redemption_id,
            terms.id,
            attempt.customer_id,
            attempt.id,
            attempt.subscription_id,
            terms.once_per_customer,
            TERMS.dump(terms),
            attempt.claimed_at,
        )


async def redeem(tx: Tx, tenant_id: UUID, attempt: Attempt) -> None:
    """The purchase is made: reservations become redemptions, with what they took off today.

    That is what the invoice says: net, where prices include tax.
    """
    bill: Bill | None = attempt.obligation.quote.bill
    taken_off = {} if bill is None else {one.coupon_id: one.amount for one in bill.coupons_net}
    for redemption_id, terms in _redemptions(attempt):
        amount = taken_off.get(terms.id)
        await tx.execute(
            """
            update coupon_redemptions
            set state = 'REDEEMED', applied_count = $3, applied_amount = $4,
                last_applied_at = $5
            where tenant_id = $1 and id = $2
            """,
            tenant_id,
            redemption_id,
            0 if amount is None else 1,
            amount or 0,
            None if amount is None else attempt.claimed_at,
        )


async def lock_uses(
    tx: Tx, tenant_id: UUID, redemption_ids: Collection[UUID]
) -> dict[UUID, int]:
    """Lock redemptions, and return to how many invoices each has applied by now."""
    if not redemption_ids:
        return {}
    rows = await tx.fetch(
        """
        select id, applied_count from coupon_redemptions
        where tenant_id = $1 and id = any($2) order by id for no key update
        """,
        tenant_id,
        list(redemption_ids),
    )
    return {row["id"]: row["applied_count"] for row in rows}


async def count_uses(tx: Tx, tenant_id: UUID, uses: Sequence[Use], now: datetime) -> None:
    """Count what drafts use of redeemed coupons, or use less than before."""
    if uses:
        ids, times, amounts = zip(*uses, strict=True)
        await tx.execute(
            """
            update coupon_redemptions r
            set applied_count = applied_count + u.times,
                applied_amount = applied_amount + u.amount, last_applied_at = $2
            from unnest($3::uuid[], $4::integer[], $5::bigint[]) as u (id, times, amount)
            where r.tenant_id = $1 and r.id = u.id
            """,
            tenant_id,
            now,
            ids,
            times,
            amounts,
        )


async def use_ahead(
    tx: Tx,
    tenant_id: UUID,
    uses: Sequence[tuple[UUID, int]],
    period_start: date,
    now: datetime,
) -> None:
    """Note what a threshold invoice takes of coupons in a subscription's period.

    To no more invoices they apply than before.
    """
    if uses:
        ids, amounts = zip(*uses, strict=True)
        await tx.execute(
            """
            update coupon_redemptions r
            set applied_amount = applied_amount + u.amount, last_applied_at = $2,
                ahead_amount = u.amount
                    + case when ahead_since = $3 then ahead_amount else 0 end,
                ahead_since = $3
            from unnest($4::uuid[], $5::bigint[]) as u (id, amount)
            where r.tenant_id = $1 and r.id = u.id
            """,
            tenant_id,
            now,
            period_start,
            ids,
            amounts,
        )


async def forget_uses(tx: Tx, tenant_id: UUID, subscription_ids: Sequence[UUID | None]) -> None:
    """The first invoice of subscriptions is made again, or never: no use of theirs counts."""
    await tx.execute(
        """
        update coupon_redemptions
        set applied_count = 0, applied_amount = 0, last_applied_at = null
        where tenant_id = $1 and subscription_id = any($2) and state = 'REDEEMED'
        """,
        tenant_id,
        subscription_ids,
    )


async def give_back(tx: Tx, tenant_id: UUID, attempt_id: UUID) -> None:
    """The attempt ended without money: its reservations are free for others, once."""
    reserved = await tx.fetch(
        "select coupon_id from coupon_redemptions "
        "where tenant_id = $1 and attempt_id = $2 and state = 'RESERVED'",
        tenant_id,
        attempt_id,
    )
    await lock_coupons(tx, tenant_id, [row["coupon_id"] for row in reserved])
    await tx.execute(
        """
        with freed as (
            delete from coupon_redemptions
            where tenant_id = $1 and attempt_id = $2 and state = 'RESERVED'
            returning coupon_id)
        update coupons c set taken = taken - 1 from freed
        where c.tenant_id = $1 and c.id = freed.coupon_id
        """,
        tenant_id,
        attempt_id,
    )


def _redemptions(attempt: Attempt) -> list[tuple[UUID, CouponTerms]]:
    coupons = sorted(attempt.obligation.quote.coupons, key=lambda terms: terms.id)
    return list(zip(attempt.obligation.redemption_ids, coupons, strict=True))
