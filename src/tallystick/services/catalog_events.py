"""What merchants are told when their catalog changes, as the reference's events say it."""

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
    await record(ctx, "product.created", entry.product.id, _product(entry))


async def product_updated(ctx: Context, entry: ProductEntry) -> None:
    """Record `product.updated`."""
    await record(ctx, "product.updated", entry.product.id, _product(entry))


async def product_archived(ctx: Context, entry: ProductEntry) -> None:
    """Record `product.archived`."""
    await record(ctx, "product.archived", entry.product.id, _product(entry))


async def plan_created(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.created`."""
    await record(ctx, "plan.created", entry.id, _plan(entry))


async def plan_published(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.published`."""
    await record(ctx, "plan.published", entry.id, _plan(entry))


async def plan_archived(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.archived`."""
    await record(ctx, "plan.archived", entry.id, _plan(entry))


async def plan_updated(ctx: Context, entry: PlanEntry) -> None:
    """Record `plan.updated`, ours: words about a plan changed, or its draft, or it is back."""
    await record(ctx, "plan.updated", entry.id, _plan(entry))


async def metric_created(ctx: Context, metric: Metric) -> None:
    """Record `metric.created`."""
    await record(ctx, "metric.created", metric.id, _metric(metric))


async def metric_updated(ctx: Context, metric: Metric) -> None:
    """Record `metric.updated`."""
    await record(ctx, "metric.updated", metric.id, _metric(metric))


async def metric_archived(ctx: Context, metric: Metric) -> None:
    """Record `metric.archived`."""
    await record(ctx, "metric.archived", metric.id, _metric(metric))


async def coupon_created(ctx: Context, entry: CouponEntry) -> None:
    """Record `coupon.created`."""
    await record(ctx, "coupon.created", entry.terms.id, _coupon(entry))


async def coupon_updated(ctx: Context, entry: CouponEntry) -> None:
    """Record `coupon.updated`."""
    await record(ctx, "coupon.updated", entry.terms.id, _coupon(entry))


async def coupon_archived(ctx: Context, entry: CouponEntry) -> None:
    """Record `coupon.archived`."""
    await record(ctx, "coupon.archived", entry.terms.id, _coupon(entry))


async def add_on_created(ctx: Context, entry: AddOnEntry) -> None:
    """Record `addon.created`."""
    await record(ctx, "addon.created", entry.add_on.id, _add_on(entry))


async def add_on_updated(ctx: Context, entry: AddOnEntry) -> None:
    """Record `addon.updated`."""
    await record(ctx, "addon.updated", entry.add_on.id, _add_on(entry))


async def add_on_archived(ctx: Context, entry: AddOnEntry) -> None:
    """Record `addon.archived`."""
    await record(ctx, "addon.archived", entry.add_on.id, _add_on(entry))


def _product(entry: ProductEntry) -> dict[str, EventValue]:
    product = entry.product
    return {
        "product_id": encode(Prefix.PRODUCT, product.id),
        "product_family_id": encode(Prefix.PRODUCT_FAMILY, product.product_family_id),
        "name": product.name,
        "description": product.description,
        "fee_type": product.fee.type,
        "created_at": entry.created_at,
    }


def _metric(metric: Metric) -> dict[str, EventValue]:
    conversion = metric.definition.unit_conversion
    segmentation = metric.definition.segmentation
    return {
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
    }


def _coupon(entry: CouponEntry) -> dict[str, EventValue]:
    terms, state = entry.terms, entry.state
    return {
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
    }


def _add_on(entry: AddOnEntry) -> dict[str, EventValue]:
    add_on = entry.add_on
    return {
        "add_on_id": encode(Prefix.ADD_ON, add_on.id),
        "name": add_on.name,
        "description": entry.description,
        "product_id": encode(Prefix.PRODUCT, add_on.product.id),
        "price_id": encode(Prefix.PRICE, add_on.price.id),
        "fee_type": add_on.product.fee.type,
        "self_serviceable": add_on.self_serviceable,
        "max_instances_per_subscription": add_on.max_instances,
        "created_at": entry.created_at,
    }


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
