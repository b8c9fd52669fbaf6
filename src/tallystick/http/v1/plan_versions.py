"""Versions of plans: `/plans/versions`."""

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.http.door import Entered, Route
from tallystick.http.v1.minimum_schemas import (
    MinimumCommitmentSchema,
    show_minimum,
    to_minimum,
)
from tallystick.http.v1.scalars import PlanVersionId
from tallystick.services.set_minimum import set_minimum

router = APIRouter(prefix="/plans/versions", tags=["Plans"], route_class=Route)


@router.put("/{plan_version_id}/minimum", response_model=MinimumCommitmentSchema)
async def put_minimum(
    door: Entered, plan_version_id: PlanVersionId, body: MinimumCommitmentSchema
) -> Response:
    """Set or replace the minimum commitment of a draft version."""
    wanted = to_minimum(body)
    return await door.write(
        lambda ctx: set_minimum(ctx, plan_version_id, wanted), lambda _: show_minimum(wanted)
    )


@router.delete("/{plan_version_id}/minimum", status_code=204)
async def delete_minimum(door: Entered, plan_version_id: PlanVersionId) -> Response:
    """Remove the minimum commitment of a draft version."""
    return await door.write(
        lambda ctx: set_minimum(ctx, plan_version_id, None), None, status=204
    )
