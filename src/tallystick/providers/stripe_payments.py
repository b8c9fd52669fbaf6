"""Money that Stripe holds of our payments, as it lists it: what our books are compared with."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
import structlog

from tallystick.domain.orphan import TakenPayment
from tallystick.providers.stripe_amounts import NotExact, from_stripe
from tallystick.providers.stripe_client import answer_of
from tallystick.providers.stripe_intents import customer_of, tenant_of

if TYPE_CHECKING:
    from stripe.params import ChargeListParams

_PAGE = 100
_PAGES_MAX = 200
"""Charges beyond so many pages are not looked at; the newest come first."""

log = structlog.get_logger(__name__)


async def held_since(
    api: stripe.V1Services, since: datetime
) -> list[tuple[UUID, TakenPayment]]:
    """Tenant and payment of every charge since then that is ours and of which money is held.

    Ours is what carries the tenant that it was opened for: what other programs charge in the
    account is left alone. A disputed charge is left out: its money is not held, and what
    becomes of it is a reversal.

    Raises:
        StripeError: There was no answer.
    """
    told: list[tuple[UUID, TakenPayment]] = []
    last: str | None = None
    for _ in range(_PAGES_MAX):
        page = await _page(api, since, last)
        told += [one for charge in page.data if (one := _held(charge)) is not None]
        if not page.has_more:
            return told
        last = page.data[-1].id
    log.warning("stripe.charges_left_out", after=last)
    return told


async def _page(
    api: stripe.V1Services, since: datetime, last: str | None
) -> stripe.ListObject[stripe.Charge]:
    params: ChargeListParams = {
        "limit": _PAGE,
        "created": {"gt": int(since.timestamp()) - 1},
        "expand": ["data.payment_intent"],
    }
    if last is not None:
        params["starting_after"] = last
    return await answer_of(lambda: api.charges.list_async(params))


def _held(charge: stripe.Charge) -> tuple[UUID, TakenPayment] | None:
    """A charge in our words; None where it is not ours, or nothing is held of it."""
    intent = charge.payment_intent
    if not isinstance(intent, stripe.PaymentIntent):
        return None
    tenant_id = tenant_of(intent)
    if tenant_id is None or charge.status != "succeeded" or getattr(charge, "disputed", False):
        return None
    currency = charge.currency.upper()
    try:
        held = from_stripe(charge.amount - charge.amount_refunded, currency)
    except NotExact:
        log.warning("stripe.amount_not_exact", reference=intent.id)
        return None
    if held <= 0:
        return None
    return tenant_id, TakenPayment(
        reference=intent.id,
        customer_id=customer_of(intent),
        amount=held,
        currency=currency,
        taken_at=datetime.fromtimestamp(charge.created, UTC),
    )
