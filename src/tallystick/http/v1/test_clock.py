"""The clock of a test tenant: `/test-clock`."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from starlette.responses import Response
from typing_extensions import override

from tallystick.domain.life import StepKind
from tallystick.http.door import Door, Entered, Route
from tallystick.http.v1.moments import DayText, InstantText
from tallystick.http.v1.scalar import Scalar, must_be_text
from tallystick.http.v1.scalars import (
    AnswerModel,
    Instant,
    RequestModel,
)
from tallystick.services.advance_clock import ClockMove, advance_clock
from tallystick.services.context import Context
from tallystick.services.take_steps import start_of

router = APIRouter(prefix="/test-clock", tags=["Test clock"], route_class=Route)


_DAY_CHARS = len("2026-01-31")


class InstantOrDay(Scalar):
    """An instant, or a day."""

    @override
    def parse(self, value: Any) -> datetime | date:
        if isinstance(value, date):
            return value
        text = must_be_text(value)
        if len(text) == _DAY_CHARS:
            return DayText().parse(text)
        return InstantText().parse(text)

    @override
    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [InstantText().schema(), DayText().schema()]}


class ClockOut(AnswerModel):
    """The tenant's business time."""

    now: Instant
    is_frozen: Annotated[
        bool, Field(description="False: the tenant runs on real time, until it is moved.")
    ]


class AdvanceRequest(RequestModel):
    """Where to move the clock."""

    to: Annotated[
        datetime | date,
        InstantOrDay(),
        Field(description="An instant, or a day: its beginning in the tenant's time zone."),
    ]


class HappenedOut(AnswerModel):
    """What fell due on the way and was done."""

    subscriptions_renewed: int
    subscriptions_activated: int
    trials_ended: int
    subscriptions_ended: int
    invoices_finalized: int
    invoices_charged: int
    threshold_invoices: int
    sessions_expired: int


class AdvanceOut(AnswerModel):
    """Where the clock stands, and what happened on the way."""

    now: Instant
    happened: HappenedOut


@router.get("", response_model=ClockOut)
async def get_clock(door: Entered) -> Response:
    """Tell the tenant's now."""

    async def tell(ctx: Context) -> ClockOut:
        return ClockOut(now=ctx.now, is_frozen=ctx.tenant.clock is not None)

    return await door.read(tell, lambda told: told)


@router.post("/advance", response_model=AdvanceOut)
async def advance(door: Entered, body: AdvanceRequest) -> Response:
    """Move the clock of a test tenant; everything that falls due on the way happens."""
    to = _instant(door, body.to)
    return await door.long(
        lambda ctx, _: advance_clock(ctx, to), show_move, subject=door.tenant.id
    )


def _instant(door: Door, to: datetime | date) -> datetime:
    return to if isinstance(to, datetime) else start_of(to, door.tenant.time_zone)


def show_move(move: ClockMove) -> AdvanceOut:
    """A move on the wire."""
    steps = move.done.steps
    return AdvanceOut(
        now=move.now,
        happened=HappenedOut(
            subscriptions_renewed=steps[StepKind.RENEWED],
            subscriptions_activated=steps[StepKind.ACTIVATED] + steps[StepKind.TRIAL_STARTED],
            trials_ended=steps[StepKind.TRIAL_ENDED] + steps[StepKind.TRIAL_EXPIRED],
            subscriptions_ended=steps[StepKind.COMPLETED] + steps[StepKind.CANCELLED],
            invoices_finalized=move.done.finalized,
            invoices_charged=move.done.collected,
            threshold_invoices=move.done.thresholds,
            sessions_expired=move.done.expired,
        ),
    )
