"""Meter usage: what was used in the windows that close, as charges, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db import metrics, usage
from tallystick.db.engine import Tx
from tallystick.domain.charges import Charge
from tallystick.domain.metered import Meter, usage_charges
from tallystick.domain.metering import metering_for
from tallystick.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose usage is asked for, in which windows, and the currency of its prices."""

    customer_id: UUID
    meters: tuple[Meter, ...]
    currency: str


async def meter_usage(ctx: Context, tx: Tx, asked: Sequence[Asked]) -> list[tuple[Charge, ...]]:
    """The charges of each question, in their order; one statement for each metric."""
    wanted = {meter.metric_id for one in asked for meter in one.meters}
    if not wanted:
        return [()] * len(asked)
    known = await metrics.by_ids(tx, ctx.tenant.id, wanted)
    questions = [
        metering_for(meter.pricing, known[meter.metric_id], one.customer_id, meter.window)
        for one in asked
        for meter in one.meters
    ]
    answers = iter(
        await usage.usage_of_many(tx, ctx.tenant.id, ZoneInfo(ctx.tenant.time_zone), questions)
    )
    return [
        tuple(
            charge
            for meter in one.meters
            for charge in usage_charges(meter, next(answers), one.currency)
        )
        for one in asked
    ]
