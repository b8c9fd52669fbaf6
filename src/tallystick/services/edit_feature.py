"""Change what a feature is called, archive it, and bring it back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallystick.db import features
from tallystick.domain.errors import NotFound
from tallystick.domain.feature import Feature
from tallystick.services.context import Context
from tallystick.services.feature_events import feature_told


async def edit_feature(
    ctx: Context, id_or_code: UUID | str, change: Callable[[Feature], Feature]
) -> Feature:
    """Apply a change of name and description to a feature; raises `NotFound`."""
    return await _edit(ctx, id_or_code, change, "updated")


async def archive_feature(ctx: Context, id_or_code: UUID | str) -> None:
    """Hide a feature from everybody it was granted to; raises `NotFound`.

    It and what is granted of it are kept. An archived one stays as it is.
    """
    await _archive(ctx, id_or_code, ctx.now, "archived")


async def unarchive_feature(ctx: Context, id_or_code: UUID | str) -> None:
    """Grant a feature again as it was granted before; raises `NotFound`."""
    await _archive(ctx, id_or_code, None, "unarchived")


def feature_not_found() -> NotFound:
    """What is told about an id or code that no feature of the tenant has."""
    return NotFound("There is no feature with this id or code.")


async def _archive(
    ctx: Context, id_or_code: UUID | str, archived_at: datetime | None, what: str
) -> None:
    def change(feature: Feature) -> Feature:
        if (feature.archived_at is None) == (archived_at is None):
            return feature
        return replace(feature, archived_at=archived_at)

    await _edit(ctx, id_or_code, change, what)


async def _edit(
    ctx: Context, id_or_code: UUID | str, change: Callable[[Feature], Feature], what: str
) -> Feature:
    before = await features.load(ctx.transaction, ctx.tenant.id, id_or_code, lock=True)
    if before is None:
        raise feature_not_found()
    after = change(before)
    if after == before:
        return before
    after = replace(after, updated_at=ctx.now)
    await features.save(ctx.transaction, ctx.tenant.id, after)
    await feature_told(ctx, what, after)
    return after
