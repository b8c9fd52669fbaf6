"""What the jobs of the queue mean: the name of each, and the verb that it asks for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tallystick.domain.errors import NotFound
from tallystick.services.context import Context
from tallystick.services.hear_provider import HEARD_JOB, look_into_event
from tallystick.services.late_money import (
    REFUND_JOB,
    RefundRefusedByProvider,
    refund_late_money,
)

Ids: TypeAlias = Mapping[str, UUID]
"""The payload of a job: ids by name, `tenant_id` among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """How a job is done.

    Attributes:
        verb: What it asks for, in the context of its tenant. It may run twice at once and again
            after it has succeeded: the second time is the same as once.
        hopeless: Errors that another try cannot mend; the job is kept for a person.
    """

    verb: Callable[[Context, Ids], Awaitable[None]]
    hopeless: tuple[type[Exception], ...] = (NotFound,)


HANDLERS: Mapping[str, Handler] = {
    REFUND_JOB: Handler(
        verb=lambda ctx, ids: refund_late_money(ctx, ids["attempt_id"]),
        hopeless=(NotFound, RefundRefusedByProvider),
    ),
    HEARD_JOB: Handler(verb=lambda ctx, ids: look_into_event(ctx, ids["event_id"])),
}
