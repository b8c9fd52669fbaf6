"""Coupons: `/coupons`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import coupons
from tallystick.db.coupons import Usability
from tallystick.db.paging import Page
from tallystick.domain.catalog_entries import CouponEntry
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.pricing import COUNT_MAX
from tallystick.http.door import Entered, Route
from tallystick.http.v1.coupon_schemas import DiscountSchema, show_discount, to_discount
from tallystick.http.v1.existing import existing
from tallystick.http.v1.kept import kept, said_in
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    CouponId,
    Flag,
    Instant,
    LongText,
    Name,
    PlanId,
    RequestModel,
    ShortText,
    WholeNumber,
)
from tallystick.services.create_coupon import NewCoupon, create_coupon
from tallystick.services.edit_coupon import (
    archive_coupon,
    disable_coupon,
    edit_coupon,
    enable_coupon,
    unarchive_coupon,
)

RECURRING_VALUE_MAX = 1200

router = APIRouter(prefix="/coupons", tags=["Coupons"], route_class=Route)


class CreateCouponRequest(RequestModel):
    """A coupon to be.

    `recurring_value` is the number of invoices it applies to (null: all of them),
    `redemption_limit` the number of subscriptions; without `reusable` a customer can redeem it
    once.
    """

    code: Annotated[
        Name,
        Field(
            description="What a buyer types, exactly as written; one unarchived coupon has it."
        ),
    ]
    discount: Annotated[
        DiscountSchema, Field(description="What it takes off each invoice that it applies to.")
    ]
    description: Annotated[LongText | None, Field(description="For the merchant.")] = None
    expires_at: Annotated[
        Instant | None, Field(description="From when on it cannot be redeemed; null: never.")
    ] = None
    plan_ids: Annotated[
        Annotated[list[PlanId], Field(max_length=LIST_MAX)] | None,
        Field(description="The only plans it is for; null or none: every."),
    ] = None
    recurring_value: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=RECURRING_VALUE_MAX)] | None,
        Field(description="On how many invoices of a subscription; null: on all."),
    ] = None
    redemption_limit: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)] | None,
        Field(description="How many subscriptions may redeem it; null: any number."),
    ] = None
    reusable: Annotated[
        Flag | None,
        Field(description="Whether a customer may redeem it more than once; null: no."),
    ] = None


class UpdateCouponRequest(RequestModel):
    """A change of a coupon: what is left out stays, null clears.

    Who has redeemed it keeps the discount of then, and so does an open checkout that names it.
    """

    description: Annotated[
        LongText | None, Field(description="For the merchant; null: none.")
    ] = None
    discount: DiscountSchema = kept("What it takes off for who redeems it from now on.")
    plan_ids: Annotated[
        list[PlanId] | None,
        Field(
            max_length=LIST_MAX, description="The only plans it is for; null or none: every."
        ),
    ] = None


class CouponOut(AnswerModel):
    """A discount that can be redeemed by its code."""

    id: Annotated[CouponId, Field(description="Its id.")]
    code: Annotated[str, Field(description="What a buyer types.")]
    description: Annotated[str | None, Field(description="For the merchant.")]
    discount: Annotated[DiscountSchema, Field(description="What it takes off.")]
    disabled: Annotated[bool, Field(description="Whether it is switched off.")]
    expires_at: Annotated[
        Instant | None, Field(description="From when on it cannot be redeemed; null: never.")
    ]
    plan_ids: Annotated[
        list[PlanId], Field(description="The only plans it is for; none: every.")
    ]
    recurring_value: Annotated[
        int | None, Field(description="On how many invoices of a subscription; null: on all.")
    ]
    redemption_limit: Annotated[
        int | None, Field(description="How many subscriptions may redeem it; null: any number.")
    ]
    redemption_count: Annotated[
        int, Field(description="How many have, payments under way included.")
    ]
    reusable: Annotated[
        bool, Field(description="Whether a customer may redeem it more than once.")
    ]
    archived_at: Annotated[
        Instant | None, Field(description="When it was archived; null: it was not.")
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class CouponList(AnswerModel):
    """One page of coupons."""

    data: list[CouponOut]
    pagination_meta: PaginationMeta


class CouponQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[
        Order,
        OrderBy("code", "created_at", "expires_at"),
        Field(description="Column and direction."),
    ] = NEWEST_FIRST
    search: Annotated[
        ShortText | None, Field(description="A part of the code, in any case of letters.")
    ] = None
    filter: Annotated[
        Usability,
        Field(description="ACTIVE: somebody can redeem it now. INACTIVE: nobody can."),
    ] = Usability.ALL


def show_coupon(entry: CouponEntry) -> CouponOut:
    """A coupon as it is sent."""
    terms, state = entry.terms, entry.state
    return CouponOut(
        id=terms.id,
        code=terms.code,
        description=entry.description,
        discount=show_discount(terms.discount),
        disabled=state.disabled,
        expires_at=state.expires_at,
        plan_ids=sorted(state.plan_ids),
        recurring_value=terms.recurring_value,
        redemption_limit=state.redemption_limit,
        redemption_count=state.taken,
        reusable=not terms.once_per_customer,
        archived_at=entry.archived_at,
        created_at=entry.created_at,
    )


@router.post("", status_code=201, response_model=CouponOut)
async def post_coupon(door: Entered, body: CreateCouponRequest) -> Response:
    """Create a coupon."""
    new = _new_coupon(body)
    return await door.write(lambda ctx: create_coupon(ctx, new), show_coupon, status=201)


@router.get("", response_model=CouponList)
async def list_coupons(door: Entered, query: Annotated[CouponQuery, Query()]) -> Response:
    """List coupons."""

    def show(page: Page[CouponEntry]) -> CouponList:
        return CouponList(
            data=[show_coupon(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: coupons.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            now=ctx.now,
            usability=query.filter,
            search=query.search or None,
        ),
        show,
    )


@router.get("/{coupon_id}", response_model=CouponOut)
async def get_coupon(door: Entered, coupon_id: CouponId) -> Response:
    """Get a coupon."""
    return await door.read(
        lambda ctx: existing(
            coupons.load_entry(ctx.transaction, ctx.tenant.id, coupon_id), "coupon"
        ),
        show_coupon,
    )


@router.patch("/{coupon_id}", response_model=CouponOut)
async def patch_coupon(
    door: Entered, coupon_id: CouponId, body: UpdateCouponRequest
) -> Response:
    """Change a coupon: what is left out stays, null clears."""
    faults: list[Fault] = []
    sent = body.model_fields_set
    discount = to_discount(body.discount, "discount", faults) if "discount" in sent else None
    fail_if(faults)
    plan_ids = tuple(body.plan_ids or ()) if "plan_ids" in sent else None
    return await door.write(
        lambda ctx: edit_coupon(
            ctx,
            coupon_id,
            said_in(body, "description"),
            discount=discount,
            plan_ids=plan_ids,
        ),
        show_coupon,
    )


@router.post("/{coupon_id}/archive", status_code=204)
async def post_coupon_archive(door: Entered, coupon_id: CouponId) -> Response:
    """Archive a coupon.

    Nobody can redeem it, and its code is free for another. Who has redeemed it keeps it.
    """
    return await door.write(lambda ctx: archive_coupon(ctx, coupon_id), None, status=204)


@router.post("/{coupon_id}/unarchive", status_code=204)
async def post_coupon_unarchive(door: Entered, coupon_id: CouponId) -> Response:
    """Unarchive a coupon; 409 where its code is another one's by now."""
    return await door.write(lambda ctx: unarchive_coupon(ctx, coupon_id), None, status=204)


@router.post("/{coupon_id}/disable", status_code=204)
async def post_coupon_disable(door: Entered, coupon_id: CouponId) -> Response:
    """Disable a coupon: nobody can redeem it until it is enabled again."""
    return await door.write(lambda ctx: disable_coupon(ctx, coupon_id), None, status=204)


@router.post("/{coupon_id}/enable", status_code=204)
async def post_coupon_enable(door: Entered, coupon_id: CouponId) -> Response:
    """Enable a coupon."""
    return await door.write(lambda ctx: enable_coupon(ctx, coupon_id), None, status=204)


def _new_coupon(body: CreateCouponRequest) -> NewCoupon:
    faults: list[Fault] = []
    discount = to_discount(body.discount, "discount", faults)
    fail_if(faults)
    assert discount is not None, "a discount without a fault is one"
    return NewCoupon(
        code=body.code,
        discount=discount,
        description=body.description,
        expires_at=body.expires_at,
        plan_ids=tuple(body.plan_ids or ()),
        recurring_value=body.recurring_value,
        redemption_limit=body.redemption_limit,
        reusable=bool(body.reusable),
    )
