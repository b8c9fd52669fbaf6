"""From what was read to a quote: the same few lines for creation, page, claim and preview."""

from collections.abc import Mapping
from uuid import UUID

from tallystick.db import checkout_facts
from tallystick.db.checkout_facts import CouponFact, PartyFacts
from tallystick.db.engine import Tx
from tallystick.domain.activating import offer_on
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.coupons import CouponState, CouponTerms
from tallystick.domain.offer import Offer
from tallystick.domain.quote import Quote, QuoteFacts, quote
from tallystick.domain.session import Quoted, Session
from tallystick.services import vat_numbers
from tallystick.services.context import Context
from tallystick.services.settle_drafts import too_little


async def load_parties(ctx: Context, tx: Tx, session: Session) -> PartyFacts:
    """Read, in one statement, what a quote of this session depends on."""
    offer = session.offer
    coupon_ids = [terms.id for terms in offer.coupons]
    if session.page_coupon is not None:
        coupon_ids.append(session.page_coupon.id)
    return await checkout_facts.load_for_quote(
        tx,
        ctx.tenant.id,
        session.customer_id,
        offer.invoicing_entity_id,
        offer.plan_id,
        offer.currency,
        coupon_ids,
        [item.product_id for item in offer.items],
        session.id,
    )


def quote_session(ctx: Context, session: Session, parties: PartyFacts) -> Quote:
    """Today's quote of a session, for the buyer as typed so far."""
    return price_offer(
        ctx,
        todays_offer(ctx, session),
        parties,
        buyer=session.buyer or parties.customer.details,
        page_coupon=session.page_coupon,
    )


def todays_offer(ctx: Context, session: Session) -> Offer:
    """What a session offers today: as frozen, dated by the subscription that it activates."""
    if session.activating is None:
        return session.offer
    return offer_on(session.offer, session.activating, ctx.today)


def price_offer(
    ctx: Context,
    offer: Offer,
    parties: PartyFacts,
    *,
    buyer: BuyerDetails,
    page_coupon: CouponTerms | None = None,
) -> Quote:
    """Today's quote of an offer for a buyer."""
    return quote(offer, quote_facts(ctx, offer, parties, buyer, page_coupon))


def quote_facts(
    ctx: Context,
    offer: Offer,
    parties: PartyFacts,
    buyer: BuyerDetails,
    page_coupon: CouponTerms | None = None,
) -> QuoteFacts:
    """What a quote depends on beside what is offered."""
    provider = ctx.app.provider_of(ctx.tenant, offer.invoicing_entity_id)
    return QuoteFacts(
        now=ctx.now,
        today=ctx.today,
        seller=parties.entity.tax_seller,
        buyer=parties.customer.tax_buyer(
            buyer, vat_number_valid=vat_number_valid(buyer) is True
        ),
        trial_used=parties.trial_used,
        balance_available=parties.balance_available,
        coupon_states=_states(parties.coupons),
        product_taxes=parties.product_taxes,
        chargeable=lambda amount: not too_little(provider, amount, offer.currency),
        page_coupon=page_coupon,
    )


def quoted(priced: Quote) -> Quoted:
    """What is kept of a quote on its session."""
    return Quoted(quote_id=priced.id, amount_total=priced.total, amount_due=priced.amount_due)


def vat_number_valid(buyer: BuyerDetails) -> bool | None:
    """Whether the typed VAT number passes its check digits; None where none is typed, or no
    rule is known for its country.
    """
    if not buyer.vat_number:
        return None
    return vat_numbers.is_valid(buyer.vat_number, buyer.address.country)


def _states(coupons: Mapping[UUID, CouponFact]) -> dict[UUID, CouponState]:
    return {coupon_id: fact.state for coupon_id, fact in coupons.items()}
