"""Create a subscription, and take its first step where it is due.

Everything happens in one transaction: what the request means is resolved as for a checkout,
coupons are redeemed, a free place is taken, and a start that is not in the future is billed.
One that waits for a checkout gets its session with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from tallystick.db import (
    coupon_redemptions,
    customers,
    due_contracts,
    places,
    plan_versions,
    prices,
    products,
    subscription_changes,
    subscription_writes,
)
from tallystick.db.engine import Tx
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.charges import monthly_value
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.custom_properties import PropertyEntity
from tallystick.domain.errors import Fault, InvalidInput, NotFound, fail_if, sentence
from tallystick.domain.life import brought_along, is_over, next_day, step
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.purchase import Activation, Subscription, SubscriptionStatus
from tallystick.domain.resolve_offer import WITHOUT_CHECKOUT
from tallystick.domain.schedule import schedule
from tallystick.services.activation import open_session
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.ids import new_id
from tallystick.services.property_values import as_text, values_set_anew
from tallystick.services.resolve_request import ResolvedRequest, resolve_request
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, take_at_once

_FIELDS = {
    "customer_id": "customer_id_or_alias",
    "plan_version_id": "version",
    "billing_start_date": "start_date",
    "trial_duration_days": "trial_days",
    "components": "price_components",
}
"""What this request calls the fields of an offer that a checkout names otherwise."""

_FIRST_NAME = re.compile(r"^\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest:
    """A parsed request: a plan's version, None for the one that is sold, and the offer.

    `offer` has a start date. `skips_past`: what lies before today was billed elsewhere.
    `properties` are custom ones, as they were sent. `echo` is what a session of it tells of the
    request, as JSON text.
    """

    customer: UUID | str
    plan_id: UUID
    version: int | None
    activation: Activation
    start: date
    offer: OfferRequest
    skips_past: bool
    properties: Mapping[str, object] = field(default_factory=dict)
    echo: str = "{}"


async def create_subscription(
    ctx: Context, request: SubscriptionRequest, subscription_id: UUID | None = None
) -> SubscriptionDetails:
    """Create a subscription and return it as it stands after its first step.

    It gets the id, where one is given.

    Raises:
        NotFound: no such customer or plan.
        InvalidInput: every other fault of the request, all together.
    """
    tx = ctx.transaction
    await customers.load(tx, ctx.tenant.id, request.customer, lock=True)
    await coupon_redemptions.lock_coded(tx, ctx.tenant.id, request.offer.coupon_codes)
    properties, faults = await values_set_anew(
        ctx, PropertyEntity.SUBSCRIPTION, request.properties
    )
    resolved = await _resolve(ctx, tx, request, faults)
    made = _subscription(ctx, request, resolved, subscription_id or new_id())
    if made.awaits_checkout:
        await open_session(ctx, tx, made, resolved, request.echo)
    await _write(ctx, tx, made)
    if properties:
        terms = {"custom_properties": as_text(properties)}
        await subscription_changes.save_terms(tx, ctx.tenant.id, made.id, terms, ctx.now)
    await _begin(ctx, tx, made, imports=made.imported_on is not None)
    return await details_of(ctx, made.id)


async def _resolve(
    ctx: Context, tx: Tx, request: SubscriptionRequest, found: list[Fault]
) -> ResolvedRequest:
    """The offer that the request means; faults name the fields of this request.

    What was `found` wrong elsewhere is told with them.
    """
    version_id = await _version(ctx, tx, request)
    wanted = CheckoutRequest(
        customer=str(request.customer),
        customer_id=request.customer if isinstance(request.customer, UUID) else None,
        plan_version_id=version_id,
        offer=request.offer,
        echo="{}",
    )
    try:
        resolved = await resolve_request(ctx, tx, wanted, WITHOUT_CHECKOUT)
    except (InvalidInput, NotFound) as refused:
        faults = [*(replace(one, field=_field(one)) for one in refused.faults), *found]
        raise type(refused)(sentence(faults), tuple(faults)) from None
    fail_if(found)
    return resolved


async def _version(ctx: Context, tx: Tx, request: SubscriptionRequest) -> UUID:
    found = await plan_versions.of_plan(tx, ctx.tenant.id, request.plan_id, request.version)
    if found is None:
        fault = Fault("plan_id", "unknown", "must be a plan")
        raise NotFound(sentence([fault]), (fault,))
    if found.version_id is None:
        message = (
            "this plan has no published version"
            if request.version is None
            else "must be a version of this plan"
        )
        fault = Fault("version", "unknown", message)
        raise InvalidInput(sentence([fault]), (fault,))
    return found.version_id


def _field(fault: Fault) -> str:
    """The path of an offer's field as this request calls it."""
    if (fault.field, fault.code) == ("plan_version_id", "archived"):
        return "plan_id"
    return _FIRST_NAME.sub(lambda name: _FIELDS.get(name.group(), name.group()), fault.field)


def _subscription(
    ctx: Context,
    request: SubscriptionRequest,
    resolved: ResolvedRequest,
    subscription_id: UUID,
) -> Subscription:
    """The subscription before its first step: pending, with dates counted from its start."""
    offer = resolved.offer
    dates = schedule(offer, request.start, trial_used=resolved.parties.trial_used)
    checks_out = request.activation is Activation.ON_CHECKOUT
    # A free trial begins by itself; whoever is billed from the first day checks out before it.
    waits = request.activation is Activation.MANUAL or (checks_out and not dates.trial_is_free)
    has_past = request.start < ctx.today and not waits and not checks_out
    return Subscription(
        id=subscription_id,
        customer_id=resolved.parties.customer.id,
        offer=offer,
        dates=dates,
        status=SubscriptionStatus.PENDING_ACTIVATION,
        cadence=offer.cadence,
        current_period_start=request.start,
        current_period_end=None,
        cycle_index=0,
        mrr=monthly_value(offer.items, offer.currency),
        payment_method_id=None,
        checkout_session_id=new_id() if checks_out else None,
        activated_at=None,
        created_at=ctx.now,
        activation=request.activation,
        awaits_activation=waits,
        awaits_checkout=checks_out,
        imported_on=ctx.today if request.skips_past and has_past else None,
    )


async def _write(ctx: Context, tx: Tx, made: Subscription) -> None:
    tenant_id, offer = ctx.tenant.id, made.offer
    await products.insert_many(tx, tenant_id, offer.new_products, made.created_at)
    await prices.insert_many(tx, tenant_id, offer.new_prices, made.created_at)
    await subscription_writes.insert(tx, tenant_id, made, None)
    if not made.awaits_checkout:
        # A checkout redeems its coupons itself, when it is confirmed.
        await coupon_redemptions.redeem_at_once(
            tx, tenant_id, made, [new_id() for _ in offer.coupons]
        )
    # A plan that the customer has already is sold again: then there is no place to take.
    await places.take(
        tx,
        tenant_id,
        made.customer_id,
        offer.plan_id,
        ctx.tenant.places_per_plan,
        made.id,
        "SUBSCRIPTION",
    )


async def _begin(ctx: Context, tx: Tx, made: Subscription, *, imports: bool) -> None:
    """Place an import where it stands today, or take the first step where it is due."""
    due = await due_contracts.lock_one(tx, ctx.tenant.id, made.id)
    assert due is not None, "it was just made"
    first = next_day(due.contract)
    is_due = first is not None and first <= ctx.today
    if imports:
        placed = brought_along(due.contract, ctx.today)
        await due_contracts.move(tx, ctx.tenant.id, [placed], ctx.now)
        if not placed.status.is_live:
            await places.give_back(tx, ctx.tenant.id, placed.id)
    else:
        placed = step(due.contract).contract if is_due else due.contract
    if placed.status is not SubscriptionStatus.PENDING_ACTIVATION and not is_over(placed):
        due = replace(due, activated_at=ctx.now)
    told = subscription_event("subscription.created", due, placed)
    await record_many(ctx.within(tx), [told])
    if is_due and not imports:
        await take_at_once(ctx, tx, due, tells_steps=False)
