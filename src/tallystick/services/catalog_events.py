"""What merchants are told when their catalog grows, in the shape of the reference's events."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from tallystick.domain.catalog_entries import (
    AddOnEntry,
    CouponEntry,
    PlanEntry,
    ProductEntry,
)
from tallystick.domain.coupons import Discount, Fixed, Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.metrics import Metric
from tallystick.services.context import Context
from tallystick.services.events import EventValue, record


async def product_created(ctx: Context, entry: ProductEntry) -> None:
    """Record `product.created`."""
    product = entry.product
    await record(
        ctx,
        "product.created",
        product.id,
        {
            "product_id": encode(Prefix.PRODUCT, product.id),
            "product_family_id": encode(Prefix.PRODUCT_FAMILY, product.product_family_id),
            "name": product.name,
            "description": product.description,
            "fee_type": product.fee.type,
            "created_at": entry.created_at,
        },
    )


async def plan_created(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.created`."""
    await record(ctx, "plan.created", entry.id, _plan(entry))


async def plan_published(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.published`."""
    await record(ctx, "plan.published", entry.id, _plan(entry))


async def metric_created(ctx: Context, metric: Metric) -> None:
    """Record `metric.created`."""
    conversion = metric.definition.unit_conversion
    segmentation = metric.definition.segmentation
    await record(
        ctx,
        "metric.created",
        metric.id,
        {
            "metric_id": encode(Prefix.METRIC, metric.id),
            "product_family_id": encode(Prefix.PRODUCT_FAMILY, metric.product_family_id),
            "product_id": None
            if metric.product_id is None
            else encode(Prefix.PRODUCT, metric.product_id),
            "code": metric.code,
            "name": metric.name,
            "description": metric.description,
            "aggregation_type": metric.aggregation,
            "aggregation_key": metric.aggregation_key,
            "segmentation_matrix": None
            if segmentation is None
            else cast("Mapping[str, EventValue]", asdict(segmentation)),
            "unit_conversion_factor": conversion.factor if conversion else None,
            "unit_conversion_rounding": conversion.rounding if conversion else None,
            "usage_group_key": metric.definition.usage_group_key,
            "created_at": metric.created_at,
        },
    )


async def coupon_created(ctx: Context, entry: CouponEntry) -> None:
    """Record `coupon.created`."""
    terms, state = entry.terms, entry.state
    await record(
        ctx,
        "coupon.created",
        terms.id,
        {
            "coupon_id": encode(Prefix.COUPON, terms.id),
            "code": terms.code,
            "description": entry.description or "",
            "discount": _discount(terms.discount),
            "disabled": state.disabled,
            "reusable": not terms.once_per_customer,
            "expires_at": state.expires_at,
            "recurring_value": terms.recurring_value,
            "redemption_limit": state.redemption_limit,
            "created_at": entry.created_at,
        },
    )


async def add_on_created(ctx: Context, entry: AddOnEntry) -> None:
    """Record `addon.created`."""
    add_on = entry.add_on
    await record(
        ctx,
        "addon.created",
        add_on.id,
        {
            "add_on_id": encode(Prefix.ADD_ON, add_on.id),
            "name": add_on.name,
            "description": entry.description,
            "product_id": encode(Prefix.PRODUCT, add_on.product.id),
            "price_id": encode(Prefix.PRICE, add_on.price.id),
            "fee_type": add_on.product.fee.type,
            "self_serviceable": add_on.self_serviceable,
            "max_instances_per_subscription": add_on.max_instances,
            "created_at": entry.created_at,
        },
    )


def _plan(entry: PlanEntry) -> dict[str, EventValue]:
    return {
        "plan_id": encode(Prefix.PLAN, entry.id),
        "name": entry.version.plan_name,
        "description": entry.description,
        "plan_type": entry.plan_type,
        "status": entry.status,
        "version": entry.version.version,
        "currency": entry.version.currency,
        "created_at": entry.created_at,
    }


def _discount(discount: Discount) -> dict[str, EventValue]:
    match discount:
        case Percentage(percentage=percentage):
            return {"type": "PERCENTAGE", "percentage": percentage}
        case Fixed(amount=amount, currency=currency):
            return {"type": "FIXED", "amount": amount, "currency": currency}
