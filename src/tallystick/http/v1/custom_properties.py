"""Definitions of custom properties: `/custom-property-definitions`."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import custom_properties
from tallystick.db.paging import Page
from tallystick.domain.custom_properties import PropertyDefinition, PropertyEntity
from tallystick.http.door import Door, Entered, Route
from tallystick.http.v1.custom_property_schemas import (
    CustomPropertyDefinitionCreateRequest,
    CustomPropertyDefinitionOut,
    CustomPropertyDefinitionUpdateRequest,
    said_about,
    show_definition,
)
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import Order, PageQuery, PaginationMeta
from tallystick.http.v1.scalars import AnswerModel, CustomPropertyDefinitionId
from tallystick.services.define_property import (
    archive_property,
    change_property,
    define_property,
)
from tallystick.services.ids import new_id

router = APIRouter(
    prefix="/custom-property-definitions", tags=["Custom properties"], route_class=Route
)

_IN_ORDER = Order("display_order")


class CustomPropertyDefinitionList(AnswerModel):
    """One page of definitions."""

    data: list[CustomPropertyDefinitionOut]
    pagination_meta: PaginationMeta


class CustomPropertyDefinitionQuery(PageQuery):
    """Filters of the list: one kind of object or all, with those that are archived or not."""

    entity_type: PropertyEntity | None = None
    include_archived: bool = False


@router.post("", status_code=201, response_model=CustomPropertyDefinitionOut)
async def post_custom_property_definition(
    door: Entered, body: CustomPropertyDefinitionCreateRequest
) -> Response:
    """Define a custom property; objects that are there already stay as they are."""
    wanted = _new(door, body)
    return await door.write(
        lambda ctx: define_property(ctx, wanted), show_definition, status=201
    )


@router.get("", response_model=CustomPropertyDefinitionList)
async def list_custom_property_definitions(
    door: Entered, query: Annotated[CustomPropertyDefinitionQuery, Query()]
) -> Response:
    """List definitions in their order, and those of one place as they were made."""

    def show(page: Page[PropertyDefinition]) -> CustomPropertyDefinitionList:
        return CustomPropertyDefinitionList(
            data=[show_definition(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: custom_properties.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(_IN_ORDER),
            entity=query.entity_type,
            include_archived=query.include_archived,
        ),
        show,
    )


@router.get("/{definition_id}", response_model=CustomPropertyDefinitionOut)
async def get_custom_property_definition(
    door: Entered,
    definition_id: CustomPropertyDefinitionId,
) -> Response:
    """Get a definition, archived or not."""
    return await door.read(
        lambda ctx: existing(
            custom_properties.load(ctx.transaction, ctx.tenant.id, definition_id),
            "custom property definition",
        ),
        show_definition,
    )


@router.put("/{definition_id}", response_model=CustomPropertyDefinitionOut)
async def put_custom_property_definition(
    door: Entered,
    definition_id: CustomPropertyDefinitionId,
    body: CustomPropertyDefinitionUpdateRequest,
) -> Response:
    """Change a definition: what is left out stays. Stored values are not looked at again."""
    said = said_about(body)
    return await door.write(
        lambda ctx: change_property(
            ctx, definition_id, lambda definition: replace(definition, **said)
        ),
        show_definition,
    )


@router.delete("/{definition_id}", response_model=CustomPropertyDefinitionOut)
async def delete_custom_property_definition(
    door: Entered,
    definition_id: CustomPropertyDefinitionId,
) -> Response:
    """Archive a definition: it is not enforced any more, and stored values are kept."""
    return await door.write(lambda ctx: archive_property(ctx, definition_id), show_definition)


def _new(door: Door, body: CustomPropertyDefinitionCreateRequest) -> PropertyDefinition:
    said: dict[str, Any] = said_about(body)
    return PropertyDefinition(
        id=new_id(),
        entity=body.entity_type,
        key=body.key,
        type=body.property_type,
        created_at=door.caller.now,
        updated_at=door.caller.now,
        **said,
    )
