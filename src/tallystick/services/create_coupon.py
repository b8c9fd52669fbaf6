"""Create a coupon."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import coupons
from tallystick.domain.catalog_entries import CouponEntry
from tallystick.domain.coupons import CouponState, CouponTerms, Discount
from tallystick.domain.errors import Conflict, Fault, sentence
from tallystick.services.catalog_events import coupon_created
from tallystick.services.context import Context
from tallystick.services.edit_coupon import check_plans
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCoupon:
    """A coupon to be; `plan_ids` empty means every plan, limits None mean none."""

    code: str
    discount: Discount
    description: str | None = None
    expires_at: datetime | None = None
    plan_ids: tuple[UUID, ...] = ()
    recurring_value: int | None = None
    redemption_limit: int | None = None
    reusable: bool = False


async def create_coupon(ctx: Context, new: NewCoupon) -> CouponEntry:
    """Make a new coupon.

    Raises:
        InvalidInput: it names a plan that does not exist.
        Conflict: an unarchived coupon has its code.
    """
    await check_plans(ctx, new.plan_ids)
    entry = CouponEntry(
        terms=CouponTerms(
            id=new_id(),
            code=new.code,
            discount=new.discount,
            recurring_value=new.recurring_value,
            once_per_customer=not new.reusable,
        ),
        state=CouponState(
            expires_at=new.expires_at,
            disabled=False,
            archived=False,
            redemption_limit=new.redemption_limit,
            taken=0,
            plan_ids=frozenset(new.plan_ids),
            used_by_customer=False,
        ),
        description=new.description,
        archived_at=None,
        created_at=ctx.now,
    )
    if not await coupons.insert(ctx.transaction, ctx.tenant.id, entry):
        faults = [Fault("code", "duplicate", "is the code of another coupon")]
        raise Conflict(sentence(faults), tuple(faults))
    await coupon_created(ctx, entry)
    return entry
