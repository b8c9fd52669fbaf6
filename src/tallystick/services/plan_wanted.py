"""What every change of a plan begins with: the subscription locked and up to date, and the
plan that is asked for, resolved.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import customers, subscriptions
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Busy, Conflict, Fault, InvalidInput, NotFound
from tallystick.domain.life import is_over, next_day
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import Offer
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.services.context import Context
from tallystick.services.resolve_request import resolve_request
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import take_steps

BUSY_SECONDS = 15
"""When to ask again while a payment's outcome is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChangeRequest:
    """The version to change to, and how its components differ for this subscription."""

    plan_version_id: UUID
    components: OfferRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """A subscription whose plan was changed, or would be, and what that bills.

    `session` is where its customer is to change it, if so. Components by their products: those
    that replace another, that are new, that are gone.
    """

    details: SubscriptionDetails
    invoice: InvoiceEntry | None
    matched: int
    added: int
    removed: int
    session: SessionRecord | None = None


async def to_change(ctx: Context, subscription_id: UUID) -> DueContract:
    """Lock a subscription that is to change, with every step taken that is due before.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has not begun, or has ended.
        Busy: It is being paid for.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    details = await subscriptions.load(tx, tenant_id, subscription_id)
    if details is None:
        raise NotFound("There is no such subscription.")
    await customers.load(tx, tenant_id, details.subscription.customer_id, lock=True)
    due = await locked(ctx, subscription_id)
    if due.is_being_paid:
        raise Busy("A payment for this subscription is under way; ask again", BUSY_SECONDS)
    while (day := next_day(due.contract)) is not None and day <= ctx.today:
        await take_steps(ctx, tx, [due])
        due = await locked(ctx, subscription_id)
    contract = due.contract
    if is_over(contract):
        raise Conflict(f"This subscription has ended: it is {contract.status.value}")
    if contract.status is SubscriptionStatus.PENDING_ACTIVATION:
        raise Conflict("A subscription that is PENDING_ACTIVATION cannot change")
    return due


async def wanted_offer(
    ctx: Context, tx: Tx, contract: Contract, request: PlanChangeRequest
) -> Offer:
    """The new plan, resolved as for a checkout; what else the contract says stays.

    Raises:
        NotFound: There is no such plan version.
        InvalidInput: The version is a draft, the one it has, in another currency, or its
            components cannot be what is asked.
    """
    details = await details_of(ctx, contract.id)
    if request.plan_version_id == details.subscription.plan_version_id:
        raise _refused("same_version", "is the version that this subscription has")
    wanted = CheckoutRequest(
        customer=str(contract.customer_id),
        customer_id=contract.customer_id,
        plan_version_id=request.plan_version_id,
        offer=replace(
            request.components,
            payment=contract.payment,
            charge_automatically=contract.charge_automatically,
            trial_duration_days=0,
        ),
        echo="{}",
    )
    offer = (await resolve_request(ctx, tx, wanted)).offer
    if offer.currency != contract.currency:
        message = f"is sold in {offer.currency}, and this subscription in {contract.currency}"
        raise _refused("wrong_currency", message)
    if offer.tax_inclusive != contract.tax_inclusive:
        included = "with tax included, as" if contract.tax_inclusive else "without tax, as"
        raise _refused("wrong_tax", f"must be sold {included} this subscription is")
    return offer


def target_plan(offer: Offer, request: PlanChangeRequest) -> TargetPlan:
    """The plan of a resolved request."""
    return TargetPlan(
        plan_id=offer.plan_id,
        items=offer.items,
        chosen_slots=frozenset(
            one.component_id
            for one in request.components.parameterized
            if one.parameters.initial_slot_count is not None
        ),
        minimum=offer.minimum,
    )


def _refused(code: str, message: str) -> InvalidInput:
    fault = Fault("plan_version_id", code, message)
    return InvalidInput(f"{fault.field}: {message}", (fault,))
