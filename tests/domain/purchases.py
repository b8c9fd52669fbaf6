"""Attempts that own a quote, ready to be recorded."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, cast

from tallystick.domain.attempt import Attempt, AttemptState, AttemptStep, Obligation
from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.offer import Offer
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.quote import AttemptKind, Quote
from tests.domain.offers import quoted
from tests.domain.samples import DAY, named

CARD = Method(provider="sandbox", token="tok_1", kind=MethodKind.CARD, card_last4="4242")
DEBIT = Method(provider="sandbox", token="tok_2", kind=MethodKind.DIRECT_DEBIT)

ENTITY = InvoicingEntity(
    id=named("entity"),
    legal_name="Seller SARL",
    address=Address(line1="1 rue de la Paix", city="Paris", country="FR"),
    vat_number="FR40303265045",
    email="billing@seller.example",
)
CUSTOMER = Customer(
    id=named("customer"),
    name="On file",
    alias="on-file",
    email="file@buyer.example",
    address=Address(country="DE"),
)
TYPED = BuyerDetails(
    name="As typed",
    email="typed@buyer.example",
    address=Address(line1="Ring 1", city="Berlin", zip_code="10115", country="DE"),
    vat_number="DE136695976",
)


def obligation(made: Offer, shown: Quote) -> Obligation:
    """What is owed to the buyer of an offer."""
    return Obligation(
        offer=made,
        quote=shown,
        buyer=TYPED,
        customer=CUSTOMER,
        entity=ENTITY,
        return_url="https://pay.example/return",
        redemption_ids=tuple(named(f"redemption {terms.code}") for terms in shown.coupons),
    )


def attempt(
    made: Offer, today: date = DAY, quote: Quote | None = None, **changes: object
) -> Attempt:
    """A claimed attempt for an offer confirmed at noon of `today`."""
    shown = quote or quoted(made, today)
    pays = shown.kind is AttemptKind.PAYMENT
    needs_provider = shown.kind is not AttemptKind.NONE
    plain = Attempt(
        id=named("attempt"),
        session_id=named("session"),
        customer_id=CUSTOMER.id,
        kind=shown.kind,
        state=AttemptState.LIVE,
        step=AttemptStep.CLAIMED,
        provider="sandbox" if needs_provider else None,
        reference=None,
        challenge_url=None,
        obligation=obligation(made, shown),
        method=CARD if needs_provider else None,
        amount=shown.amount_due if pays else 0,
        currency=shown.currency,
        balance_held=shown.balance_applied,
        business_date=today,
        subscription_id=named("subscription"),
        invoice_id=None if shown.bill is None else named("invoice"),
        transaction_id=named("transaction") if pays else None,
        payment_method_id=named("method") if shown.saves_method else None,
        failure=None,
        challenge_is_over=False,
        claimed_at=datetime.combine(today, time(12), UTC),
    )
    return replace(plain, **cast("dict[str, Any]", changes))
