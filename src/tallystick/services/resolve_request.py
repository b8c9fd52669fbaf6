"""From a request to its offer: one read, one decision, every fault together.

The same for a checkout session and for a subscription that is made without one.
"""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import checkout_facts, plan_versions
from tallystick.db.checkout_facts import CreationFacts, Holder, Named, PartyFacts
from tallystick.db.engine import Tx
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.errors import Fault, InvalidInput, NotFound, sentence
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import Offer
from tallystick.domain.offer_request import CouponFacts, OfferFacts
from tallystick.domain.resolve_offer import (
    AT_A_CHECKOUT,
    Past,
    faults_apart,
    resolve_offer,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRequest:
    """What a request resolves to. Nothing is stored."""

    offer: Offer
    parties: PartyFacts
    holders: tuple[Holder, ...]


async def resolve_request(
    ctx: Context, tx: Tx, request: CheckoutRequest, past: Past = AT_A_CHECKOUT
) -> ResolvedRequest:
    """Resolve a request without pricing or storing anything.

    Raises:
        NotFound: no such customer or plan version.
        InvalidInput: every other fault of the request, all together.
    """
    facts = await _read(ctx, tx, request)
    if facts.parties is None or facts.plan is None:
        raise _not_found(ctx, request, facts, past)
    version = await published_version(ctx, tx, request.plan_version_id)
    parties = facts.parties
    faults = _customer_faults(parties)
    offer: Offer | None = None
    try:
        provider = ctx.app.provider_of(ctx.tenant, parties.entity.id)
        offer = resolve_offer(
            request.offer,
            _offer_facts(request, facts, parties, version, provider),
            now=ctx.now,
            today=ctx.today,
            new_id=new_id,
            trial_used=parties.trial_used,
            past=past,
        )
    except InvalidInput as refused:
        faults.extend(refused.faults)
    if faults or offer is None:
        raise InvalidInput(sentence(faults), tuple(faults))
    return ResolvedRequest(offer=offer, parties=parties, holders=facts.holders)


async def _read(ctx: Context, tx: Tx, request: CheckoutRequest) -> CreationFacts:
    wanted = request.offer
    return await checkout_facts.load_for_creation(
        tx,
        ctx.tenant.id,
        request.customer_id,
        None if request.customer_id is not None else request.customer,
        request.plan_version_id,
        Named(
            add_on_ids=[entry.add_on_id for entry in wanted.add_ons],
            coupon_ids=list(wanted.coupon_ids),
            coupon_codes=_codes(request),
            price_ids=wanted.price_ids,
            product_ids=wanted.product_ids,
            metric_ids=wanted.metric_ids,
        ),
    )


async def published_version(ctx: Context, tx: Tx, version_id: UUID) -> PlanVersion:
    """The plan version, from memory where it is known: once published it never changes."""
    key = (ctx.tenant.id, version_id)
    known = ctx.app.plan_versions.get(key)
    if known is not None:
        return known
    version = await plan_versions.load(tx, ctx.tenant.id, version_id)
    assert version is not None, "the same statement found its plan"
    if version.is_published:
        ctx.app.plan_versions[key] = version
    return version


def _offer_facts(
    request: CheckoutRequest,
    facts: CreationFacts,
    parties: PartyFacts,
    version: PlanVersion,
    provider: PaymentProvider | None,
) -> OfferFacts:
    assert facts.plan is not None, "checked by the caller"
    return OfferFacts(
        version=version,
        plan_name=facts.plan.name,
        plan_is_sold=not facts.plan.is_archived,
        entity=parties.entity,
        add_ons=facts.add_ons,
        products=facts.products,
        prices=facts.prices,
        metric_ids=facts.metric_ids,
        coupons=_coupon_facts(request, facts),
        takes_online=provider is not None,
        debits=frozenset() if provider is None else provider.panel().debits,
    )


def _coupon_facts(request: CheckoutRequest, facts: CreationFacts) -> CouponFacts:
    found, codes = facts.coupons.values(), _codes(request)
    return CouponFacts(
        by_id={one.terms.id: (one.terms, one.state) for one in found},
        ids_by_code={
            one.terms.code: one.terms.id
            for one in found
            if one.terms.code in codes and not one.state.archived
        },
    )


def _codes(request: CheckoutRequest) -> list[str]:
    """Every coupon code that the request names."""
    code = request.offer.coupon_code
    return [*(() if code is None else (code,)), *request.offer.coupon_codes]


def _not_found(
    ctx: Context, request: CheckoutRequest, facts: CreationFacts, past: Past
) -> NotFound | InvalidInput:
    """Who or what is unknown, and whatever else is wrong that can be told without it.

    A request of which a part could not be read is malformed before anything else.
    """
    faults = []
    if facts.parties is None:
        who = request.customer
        if request.customer_id is not None:
            who = encode(Prefix.CUSTOMER, request.customer_id)
        message = f"must be a customer's id or alias, and `{who}` is neither"
        faults.append(Fault("customer_id", "unknown", message))
    if facts.plan is None:
        version = encode(Prefix.PLAN_VERSION, request.plan_version_id)
        message = f"must be a plan version, and `{version}` is none"
        faults.append(Fault("plan_version_id", "unknown", message))
    faults += faults_apart(
        request.offer,
        _coupon_facts(request, facts),
        None if facts.plan is None else (facts.plan.plan_id, facts.plan.currency),
        now=ctx.now,
        today=ctx.today,
        past=past,
    )
    error = InvalidInput if request.offer.unread.fields else NotFound
    return error(sentence(faults), tuple(faults))


def _customer_faults(parties: PartyFacts) -> list[Fault]:
    if parties.customer.is_archived:
        return [Fault("customer_id", "archived", "this customer is archived")]
    return []
