"""What a step of a subscription's life is billed: its draft invoice.

The same bill as everywhere: charges, coupons, tax. The balance is applied and the number given
when the draft is finalized.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.domain.bill import Bill, bill
from tallystick.domain.contract import RunningCoupon
from tallystick.domain.invoice import (
    Invoice,
    InvoiceStatus,
    PaymentStatus,
    customer_snapshot,
    invoice_lines,
    seller_snapshot,
    subtotal_recurring,
)
from tallystick.domain.life import Step
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.quote import ProductTax
from tallystick.domain.tax import Buyer, TaxDecision, decide

_NO_TAX_SETTINGS = ProductTax()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFacts:
    """What the price of a step depends on beside its contract.

    `buyer` is the customer as tax sees it. `product_taxes` has the products with tax settings
    of their own.
    """

    customer: Customer
    entity: InvoicingEntity
    buyer: Buyer
    product_taxes: Mapping[UUID, ProductTax]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedCoupon:
    """What a redeemed coupon has taken off one invoice, in minor units; it may be nothing."""

    redemption_id: UUID
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft invoice, and the coupons that it uses."""

    invoice: Invoice
    used: tuple[UsedCoupon, ...]


def draft_of(
    step: Step, facts: RenewalFacts, *, invoice_id: UUID, now: datetime
) -> Draft | None:
    """The draft of what a step bills, dated by the step's day; None where it bills nothing.

    Raises `AmountTooLarge` where a sum cannot be stored and sent exactly.
    """
    if not step.charges:
        return None
    contract, day = step.contract, step.day
    running = [one for one in contract.coupons if one.applies]
    decided: dict[int, TaxDecision] = {}

    def decision_of(product_id: UUID) -> TaxDecision:
        product = facts.product_taxes.get(product_id, _NO_TAX_SETTINGS)
        known = decided.get(id(product))
        if known is None:
            known = decide(
                facts.entity.tax_seller, facts.buyer, product.rules, product.vat_class, day
            )
            decided[id(product)] = known
        return known

    made = bill(
        step.charges,
        currency=contract.currency,
        coupons=[one.terms for one in running],
        decision_of=decision_of,
        inclusive=contract.tax_inclusive,
    )
    return Draft(
        invoice=_invoice(step, made, facts, invoice_id, now), used=_used(running, made)
    )


def _used(running: list[RunningCoupon], made: Bill) -> tuple[UsedCoupon, ...]:
    amounts = {one.coupon_id: one.amount for one in made.coupons}
    return tuple(
        UsedCoupon(redemption_id=one.redemption_id, amount=amounts[one.terms.id])
        for one in running
    )


def _invoice(
    step: Step, made: Bill, facts: RenewalFacts, invoice_id: UUID, now: datetime
) -> Invoice:
    contract, opens = step.contract, step.opens
    return Invoice(
        id=invoice_id,
        customer_id=contract.customer_id,
        subscription_id=contract.id,
        invoicing_entity_id=contract.invoicing_entity_id,
        status=InvoiceStatus.DRAFT,
        payment_status=PaymentStatus.UNPAID,
        invoice_date=step.day,
        net_terms=contract.net_terms,
        billing_period_start=step.day if opens is None else opens.start,
        billing_period_end=None if opens is None else opens.end,
        currency=made.currency,
        tax_inclusive=made.inclusive,
        lines=invoice_lines(made),
        coupons=made.coupons_net,
        breakdown=made.breakdown,
        subtotal=made.subtotal,
        subtotal_recurring=subtotal_recurring(made),
        discount=made.discount,
        tax_amount=made.tax,
        total=made.total,
        applied_balance=0,
        written_off=0,
        settled=0,
        amount_due=made.total,
        customer=customer_snapshot(facts.customer, facts.customer.details, now),
        seller=seller_snapshot(facts.entity),
        memo=contract.invoice_memo,
        purchase_order=contract.purchase_order,
        finalized_at=None,
        paid_at=None,
        created_at=now,
    )
