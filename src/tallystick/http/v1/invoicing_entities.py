"""Invoicing entities: `/invoicing-entities`."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import invoicing_entities
from tallystick.db.paging import Page
from tallystick.domain.entity_settings import EntitySettings
from tallystick.http.door import Entered, Route, SetAside
from tallystick.http.v1.entity_schemas import (
    EntityOut,
    EntityPatch,
    said_about,
    show_entity,
    wanted_accounts,
)
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import AnswerModel, InvoicingEntityId
from tallystick.services.edit_entity import edit_entity

router = APIRouter(prefix="/invoicing-entities", tags=["Invoicing entities"], route_class=Route)


class EntityList(AnswerModel):
    """One page of invoicing entities."""

    data: list[EntityOut]
    pagination_meta: PaginationMeta


class EntityQuery(PageQuery):
    """The order of the list."""

    order_by: Annotated[Order, OrderBy("created_at", "legal_name")] = NEWEST_FIRST


@router.get("", response_model=EntityList)
async def list_entities(door: Entered, query: Annotated[EntityQuery, Query()]) -> Response:
    """List invoicing entities."""

    def show(page: Page[EntitySettings]) -> EntityList:
        return EntityList.model_construct(
            data=[show_entity(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: invoicing_entities.page(
            ctx.transaction, ctx.tenant.id, query.window(query.order_by)
        ),
        show,
    )


@router.get("/{invoicing_entity_id}", response_model=EntityOut)
async def get_entity(door: Entered, invoicing_entity_id: InvoicingEntityId) -> Response:
    """Get an invoicing entity."""
    return await door.read(
        lambda ctx: existing(
            invoicing_entities.load(ctx.transaction, ctx.tenant.id, invoicing_entity_id),
            "invoicing entity",
        ),
        show_entity,
    )


@router.patch("/{invoicing_entity_id}", response_model=EntityOut)
async def patch_entity(
    door: Entered, invoicing_entity_id: InvoicingEntityId, body: EntityPatch, unread: SetAside
) -> Response:
    """Change an invoicing entity: what is left out stays, null clears."""
    said = said_about(body)
    return await door.write(
        lambda ctx: edit_entity(
            ctx,
            invoicing_entity_id,
            lambda entity: replace(entity, **said),
            wanted_accounts(body),
            unread=unread,
        ),
        show_entity,
    )
