"""Entitlements: of plans, add-ons, products and subscriptions, and what customers may do."""

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.db import entitlements
from tallystick.domain.entitlement import EntitlementValue
from tallystick.http.door import Entered, Route
from tallystick.http.v1.entitlement_schemas import (
    CreateEntitlementsRequest,
    EffectiveEntitlementList,
    EntitlementList,
    EntitlementOut,
    ResolvedEntitlementList,
    UpdateEntitlementRequest,
    show_effective,
    show_entitlement,
    show_entitlements,
    show_resolved,
    to_new_entitlements,
)
from tallystick.http.v1.entitlement_values import changed_value
from tallystick.http.v1.existing import existing
from tallystick.http.v1.scalars import (
    AddOnId,
    CustomerIdOrAlias,
    EntitlementId,
    PlanVersionId,
    ProductId,
    SubscriptionId,
)
from tallystick.services.attach_entitlements import (
    attach_to_add_on,
    attach_to_product,
    attach_to_subscription,
    attach_to_version,
)
from tallystick.services.edit_entitlement import delete_entitlement, edit_entitlement
from tallystick.services.show_entitlements import (
    add_on_entitlements,
    customer_entitlements,
    product_entitlements,
    subscription_entitlements,
    version_entitlements,
)

router = APIRouter(tags=["Entitlements"], route_class=Route)


@router.get("/entitlements/{entitlement_id}", response_model=EntitlementOut)
async def get_entitlement(door: Entered, entitlement_id: EntitlementId) -> Response:
    """Get an entitlement as it was set."""
    return await door.read(
        lambda ctx: existing(
            entitlements.load(ctx.transaction, ctx.tenant.id, entitlement_id), "entitlement"
        ),
        show_entitlement,
    )


@router.patch("/entitlements/{entitlement_id}", response_model=EntitlementOut)
async def patch_entitlement(
    door: Entered, entitlement_id: EntitlementId, body: UpdateEntitlementRequest
) -> Response:
    """Change what is granted; it holds at once, for everybody who has it."""

    def change(before: EntitlementValue) -> EntitlementValue:
        if "value" not in body.model_fields_set:
            return before
        return changed_value(body.value, before)

    return await door.write(
        lambda ctx: edit_entitlement(ctx, entitlement_id, change), show_entitlement
    )


@router.delete("/entitlements/{entitlement_id}", status_code=204)
async def remove_entitlement(door: Entered, entitlement_id: EntitlementId) -> Response:
    """Take an entitlement away; what is granted below it holds again."""
    return await door.write(
        lambda ctx: delete_entitlement(ctx, entitlement_id), None, status=204
    )


@router.get(
    "/plan-versions/{plan_version_id}/entitlements", response_model=ResolvedEntitlementList
)
async def get_version_entitlements(door: Entered, plan_version_id: PlanVersionId) -> Response:
    """List what a version of a plan grants.

    What it says itself, else the defaults of features of its products and of features without
    a product. Archived features are hidden.
    """
    return await door.read(
        lambda ctx: version_entitlements(ctx, plan_version_id), show_resolved
    )


@router.post(
    "/plan-versions/{plan_version_id}/entitlements",
    status_code=201,
    response_model=EntitlementList,
)
async def post_version_entitlements(
    door: Entered, plan_version_id: PlanVersionId, body: CreateEntitlementsRequest
) -> Response:
    """Grant features by a version of a plan, published or not.

    Features that it grants already are passed over.
    """
    wanted = to_new_entitlements(body.entitlements)
    return await door.write(
        lambda ctx: attach_to_version(ctx, plan_version_id, wanted),
        show_entitlements,
        status=201,
    )


@router.get("/addons/{add_on_id}/entitlements", response_model=ResolvedEntitlementList)
async def get_add_on_entitlements(door: Entered, add_on_id: AddOnId) -> Response:
    """List what one of an add-on grants.

    What it says itself, else the defaults of the features of its product. Archived features
    are hidden.
    """
    return await door.read(lambda ctx: add_on_entitlements(ctx, add_on_id), show_resolved)


@router.post(
    "/addons/{add_on_id}/entitlements", status_code=201, response_model=EntitlementList
)
async def post_add_on_entitlements(
    door: Entered, add_on_id: AddOnId, body: CreateEntitlementsRequest
) -> Response:
    """Grant features by an add-on, on top of the plan; times its quantity where metered.

    Features that it grants already are passed over.
    """
    wanted = to_new_entitlements(body.entitlements)
    return await door.write(
        lambda ctx: attach_to_add_on(ctx, add_on_id, wanted), show_entitlements, status=201
    )


@router.get("/products/{product_id}/entitlements", response_model=ResolvedEntitlementList)
async def get_product_entitlements(door: Entered, product_id: ProductId) -> Response:
    """List the defaults of a product's features. Archived features are hidden."""
    return await door.read(lambda ctx: product_entitlements(ctx, product_id), show_resolved)


@router.post(
    "/products/{product_id}/entitlements", status_code=201, response_model=EntitlementList
)
async def post_product_entitlements(
    door: Entered, product_id: ProductId, body: CreateEntitlementsRequest
) -> Response:
    """Give defaults to features of a product; those that have one are passed over.

    All of them are written, or none.
    """
    wanted = to_new_entitlements(body.entitlements)
    return await door.write(
        lambda ctx: attach_to_product(ctx, product_id, wanted), show_entitlements, status=201
    )


@router.get(
    "/subscriptions/{subscription_id}/entitlements", response_model=EffectiveEntitlementList
)
async def get_subscription_entitlements(
    door: Entered, subscription_id: SubscriptionId
) -> Response:
    """List what a subscription grants, and how much of it its customer has left.

    One that is pending, expired, suspended or over grants nothing.
    """
    return await door.read(
        lambda ctx: subscription_entitlements(ctx, subscription_id), show_effective
    )


@router.post(
    "/subscriptions/{subscription_id}/entitlements",
    status_code=201,
    response_model=EntitlementList,
)
async def post_subscription_entitlements(
    door: Entered, subscription_id: SubscriptionId, body: CreateEntitlementsRequest
) -> Response:
    """Grant features to one subscription, in the place of what plan and add-ons grant.

    Features that it grants already by itself are passed over.
    """
    wanted = to_new_entitlements(body.entitlements)
    return await door.write(
        lambda ctx: attach_to_subscription(ctx, subscription_id, wanted),
        show_entitlements,
        status=201,
    )


@router.get("/customers/{id_or_alias}/entitlements", response_model=EffectiveEntitlementList)
async def get_customer_entitlements(door: Entered, id_or_alias: CustomerIdOrAlias) -> Response:
    """List what a customer may do by all of its subscriptions, and how much is left."""
    return await door.read(lambda ctx: customer_entitlements(ctx, id_or_alias), show_effective)
