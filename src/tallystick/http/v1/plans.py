"""Plans: `/plans`."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from starlette.responses import Response
from typing_extensions import override

from tallystick.db import plan_versions, plans
from tallystick.db.paging import Page
from tallystick.db.plans import WhichVersion
from tallystick.domain.catalog import PlanStatus, PlanType
from tallystick.domain.catalog_entries import PlanEntry, PlanVersionEntry
from tallystick.domain.errors import Fault
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.kept import said_in
from tallystick.http.v1.paging import NEWEST_FIRST, Order, OrderBy, PageQuery
from tallystick.http.v1.plan_changes import (
    PatchPlanRequest,
    PlanVersionList,
    ReplacePlanRequest,
    show_version,
    to_replacement,
)
from tallystick.http.v1.plan_schemas import (
    CreatePlanRequest,
    PlanList,
    PlanOut,
    show_plan,
    to_new_plan,
)
from tallystick.http.v1.scalar import Scalar, problem
from tallystick.http.v1.scalars import (
    PlanId,
    ProductFamilyId,
    RequestModel,
    ShortText,
)
from tallystick.services.context import Context
from tallystick.services.create_plan import create_plan
from tallystick.services.edit_plan import archive_plan, edit_plan, unarchive_plan
from tallystick.services.publish_plan import publish_plan
from tallystick.services.replace_plan import replace_plan

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")

router = APIRouter(prefix="/plans", tags=["Plans"], route_class=Route)


class PlanQuery(PageQuery):
    """Filters and order of the list; `status` and `plan_type` can be repeated."""

    order_by: Annotated[
        Order,
        OrderBy("name", "status", "plan_type", "created_at"),
        Field(description="Column and direction."),
    ] = NEWEST_FIRST
    product_family_id: Annotated[
        ProductFamilyId | None, Field(description="Only those of this family.")
    ] = None
    search: Annotated[
        ShortText | None, Field(description="A part of the name, in any case of letters.")
    ] = None
    status: Annotated[
        list[PlanStatus],
        Field(
            default_factory=list,
            max_length=len(PlanStatus),
            description="Only these, repeated for several; left out: all of them.",
        ),
    ]
    plan_type: Annotated[
        list[PlanType],
        Field(
            default_factory=list,
            max_length=len(PlanType),
            description="Only these, repeated for several.",
        ),
    ]


class _Version(Scalar):
    """`draft`, or a version's number."""

    @override
    def parse(self, value: Any) -> WhichVersion:
        if value == "draft":
            return "draft"
        if not (isinstance(value, str) and _NUMBER.fullmatch(value)):
            raise problem("malformed", "must be `draft` or a version's number")
        return int(value)

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(draft|{_NUMBER.pattern})$"}


class VersionQuery(RequestModel):
    """Which version; left out, the published one, or the draft where there is none."""

    version: Annotated[WhichVersion, _Version()] = "active"


@router.post("", status_code=201, response_model=PlanOut)
async def post_plan(door: Entered, body: CreatePlanRequest) -> Response:
    """Create a plan with components and prices."""
    faults: list[Fault] = []
    new = to_new_plan(body, faults)
    return await door.write(lambda ctx: create_plan(ctx, new, faults), show_plan, status=201)


@router.get("", response_model=PlanList)
async def list_plans(door: Entered, query: Annotated[PlanQuery, Query()]) -> Response:
    """List plans."""

    def show(page: Page[PlanEntry]) -> PlanList:
        return PlanList(
            data=[show_plan(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: plans.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            product_family_id=query.product_family_id,
            statuses=query.status,
            plan_types=query.plan_type,
            search=query.search or None,
        ),
        show,
    )


@router.get("/{plan_id}", response_model=PlanOut)
async def get_plan(
    door: Entered, plan_id: PlanId, query: Annotated[VersionQuery, Query()]
) -> Response:
    """Get a plan with one version."""
    return await door.read(
        lambda ctx: existing(
            plans.load_entry(ctx.transaction, ctx.tenant.id, plan_id, query.version),
            "plan or version of it",
        ),
        show_plan,
    )


@router.post("/{plan_id}/publish", response_model=PlanOut)
async def post_publish(door: Entered, plan_id: PlanId) -> Response:
    """Publish the plan's draft version."""
    return await door.write(lambda ctx: publish_plan(ctx, plan_id), show_plan)


@router.put("/{plan_id}", response_model=PlanOut)
async def put_plan(door: Entered, plan_id: PlanId, body: ReplacePlanRequest) -> Response:
    """Replace what a plan sells.

    A draft is written anew. A published version never changes: the plan gets a new one. What
    the published version says already makes no other.
    """
    faults: list[Fault] = []
    wanted = to_replacement(body, faults)
    return await door.write(lambda ctx: replace_plan(ctx, plan_id, wanted, faults), show_plan)


@router.patch("/{plan_id}", response_model=PlanOut)
async def patch_plan(door: Entered, plan_id: PlanId, body: PatchPlanRequest) -> Response:
    """Change what is said about a plan: what is left out stays, null clears."""
    said = said_in(body, "name", "description", "self_service_rank")
    return await door.write(lambda ctx: edit_plan(ctx, plan_id, said), show_plan)


@router.post("/{plan_id}/archive", status_code=204)
async def post_plan_archive(door: Entered, plan_id: PlanId) -> Response:
    """Archive a plan.

    Nobody new can have it. Subscriptions go on, and open checkout sessions can be completed.
    """
    return await door.write(lambda ctx: archive_plan(ctx, plan_id), None, status=204)


@router.post("/{plan_id}/unarchive", status_code=204)
async def post_plan_unarchive(door: Entered, plan_id: PlanId) -> Response:
    """Unarchive a plan."""
    return await door.write(lambda ctx: unarchive_plan(ctx, plan_id), None, status=204)


@router.get("/{plan_id}/versions", response_model=PlanVersionList)
async def list_versions(
    door: Entered, plan_id: PlanId, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the versions of a plan, the newest first."""

    async def find(ctx: Context) -> Page[PlanVersionEntry]:
        tx, tenant_id = ctx.transaction, ctx.tenant.id
        await existing(plan_versions.of_plan(tx, tenant_id, plan_id, None), "plan")
        window = query.window(Order("version", descending=True))
        return await plan_versions.page_of_plan(tx, tenant_id, plan_id, window)

    def show(page: Page[PlanVersionEntry]) -> PlanVersionList:
        return PlanVersionList(
            data=[show_version(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(find, show)
