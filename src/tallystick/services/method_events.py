"""What merchants are told of the payment methods of their customers: types of ours.

The reference has no event of a method, and none of a changed customer.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import Method
from tallystick.services.context import Context
from tallystick.services.events import EventValue, record


class RemovedBy(StrEnum):
    """Who has taken a method away."""

    CUSTOMER = "CUSTOMER"
    PROVIDER = "PROVIDER"


async def method_added(
    ctx: Context, customer_id: UUID, method_id: UUID, method: Method
) -> None:
    """Record `payment_method.added`: it is on file, and can be charged."""
    await record(
        ctx, "payment_method.added", method_id, _method(customer_id, method_id, method)
    )


async def method_removed(
    ctx: Context, customer_id: UUID, method_id: UUID, method: Method, by: RemovedBy
) -> None:
    """Record `payment_method.removed`: it is charged no more."""
    told = {**_method(customer_id, method_id, method), "removed_by": by}
    await record(ctx, "payment_method.removed", method_id, told)


async def method_chosen(
    ctx: Context,
    customer_id: UUID,
    method_id: UUID,
    method: Method,
    subscription_ids: Sequence[UUID],
) -> None:
    """Record `payment_method.chosen`: these subscriptions are charged to it from now on."""
    told: dict[str, EventValue] = {
        **_method(customer_id, method_id, method),
        "subscription_ids": [encode(Prefix.SUBSCRIPTION, one) for one in subscription_ids],
    }
    await record(ctx, "payment_method.chosen", method_id, told)


def _method(customer_id: UUID, method_id: UUID, method: Method) -> dict[str, EventValue]:
    return {
        "payment_method_id": encode(Prefix.PAYMENT_METHOD, method_id),
        "customer_id": encode(Prefix.CUSTOMER, customer_id),
        "method_type": method.kind,
        "card_brand": method.card_brand,
        "card_last4": method.card_last4,
        "card_expiry": method.card_expiry,
        "account_hint": method.account_hint,
        "mandate_reference": method.mandate_reference,
    }
