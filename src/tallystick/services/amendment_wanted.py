"""What an amendment means for a locked subscription: its request, resolved for a day."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallystick.db import checkout_facts
from tallystick.db.checkout_facts import Named
from tallystick.domain.amended_items import Amendment
from tallystick.domain.amendment_request import AmendmentRequest
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.contract import Contract
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.resolve_amendment import AmendmentFacts, resolve_amendment
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.resolve_request import published_version
from tallystick.services.take_at_once import details_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionAmended:
    """A subscription that was amended, or would be, and what that bills and credits."""

    details: SubscriptionDetails
    invoice: InvoiceEntry | None
    credit_notes: tuple[CreditNoteEntry, ...] = ()


async def wanted_amendment(
    ctx: Context,
    contract: Contract,
    request: AmendmentRequest,
    *,
    day: date,
    at_period_end: bool,
) -> Amendment:
    """The amendment that is asked for, by the rules of a checkout.

    Raises:
        InvalidInput: Every fault of the request, together.
    """
    details = await details_of(ctx, contract.id)
    version_id = details.subscription.plan_version_id
    own = {item.add_on_id for item in contract.items}
    found = await checkout_facts.load_for_creation(
        ctx.transaction,
        ctx.tenant.id,
        contract.customer_id,
        None,
        version_id,
        Named(
            add_on_ids=_distinct([*(one.add_on_id for one in request.sold.add_ons), *own]),
            coupon_ids=[],
            coupon_codes=[],
            price_ids=request.price_ids,
            product_ids=request.sold.product_ids,
            metric_ids=request.sold.metric_ids,
        ),
    )
    facts = AmendmentFacts(
        version=await published_version(ctx, ctx.transaction, version_id),
        add_ons=found.add_ons,
        products=found.products,
        prices=found.prices,
        metric_ids=found.metric_ids,
    )
    return resolve_amendment(
        request, contract, facts, day=day, at_period_end=at_period_end, new_id=new_id
    )


def _distinct(ids: list[UUID | None]) -> list[UUID]:
    return list({one for one in ids if one is not None})
