"""What a step of a subscription's life is billed: its draft invoice.

The same bill as everywhere: charges, coupons, tax. The balance is applied and the number given
when the draft is finalized.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from tallystick.domain.bill import Bill, bill
from tallystick.domain.billed_ahead import (
    NOTHING_AHEAD,
    Ahead,
    BilledAhead,
    is_priced,
    left_to_bill,
    never_below_zero,
)
from tallystick.domain.charges import Charge
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.invoice import (
    Invoice,
    InvoiceStatus,
    InvoiceType,
    PaymentStatus,
    customer_snapshot,
    invoice_lines,
    seller_snapshot,
    subtotal_recurring,
)
from tallystick.domain.life import Step
from tallystick.domain.metered import Meter
from tallystick.domain.minimums import Floor, shortfall
from tallystick.domain.money import minor
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.periods import Period
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
class Recipe:
    """What a draft is made of, so that it can be made again when late usage has come.

    `charges` are the fixed ones, `meters` the windows of usage that it bills, `metered` what
    their usage came to when it was made last. Of that, `ahead` was billed by threshold
    invoices. `floor` is the minimum of the window that closes.
    """

    day: date
    currency: str
    inclusive: bool
    charges: tuple[Charge, ...]
    meters: tuple[Meter, ...]
    metered: tuple[Charge, ...]
    coupons: tuple[RunningCoupon, ...]
    used: tuple[UsedCoupon, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    floor: Floor | None = None

    @property
    def lines(self) -> tuple[Charge, ...]:
        """Everything that it bills, usage that was billed before taken off."""
        left = left_to_bill(self.metered, self.ahead, self.meters)
        missing = None if self.floor is None else shortfall(self.floor, self.metered)
        lines = (*self.charges, *left, *(() if missing is None else (missing,)))
        return never_below_zero(lines) if self.ahead else lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft invoice, the coupons that it uses, and what it is made of."""

    invoice: Invoice
    used: tuple[UsedCoupon, ...]
    recipe: Recipe


def draft_of(
    step: Step,
    metered: tuple[Charge, ...],
    facts: RenewalFacts,
    *,
    invoice_id: UUID,
    now: datetime,
    ahead: BilledAhead = NOTHING_AHEAD,
) -> Draft | None:
    """The draft of what a step bills, dated by the step's day; None where it bills nothing.

    `metered` are the charges of the step's meters, `ahead` what threshold invoices have billed
    of them. While a meter's usage may still come late, a draft without lines is a draft, too.
    Raises `AmountTooLarge` where a sum cannot be stored and sent exactly.
    """
    contract = step.contract
    recipe = replace(
        _recipe(contract, step.day, ahead),
        charges=step.charges,
        meters=step.meters,
        metered=metered,
        floor=step.floor,
    )
    if not recipe.meters and not recipe.lines:
        return None
    made = bill_of(recipe, facts)
    used = coupons_used(recipe, made)
    return Draft(
        invoice=_invoice(contract, step.day, made, facts, invoice_id, now, step.opens),
        used=used,
        recipe=replace(recipe, used=used),
    )


def adjustment_of(
    step: Step, facts: RenewalFacts, *, invoice_id: UUID, now: datetime
) -> Draft | None:
    """The draft of what a change bills at once; None where it bills nothing.

    Coupons do not apply to it, and are not used up.
    """
    if not step.charges:
        return None
    contract = step.contract
    recipe = Recipe(
        day=step.day,
        currency=contract.currency,
        inclusive=contract.tax_inclusive,
        charges=step.charges,
        meters=(),
        metered=(),
        coupons=(),
    )
    made = bill_of(recipe, facts)
    invoice = _invoice(contract, step.day, made, facts, invoice_id, now, None)
    return Draft(invoice=replace(invoice, type=InvoiceType.ADJUSTMENT), used=(), recipe=recipe)


def threshold_draft(
    contract: Contract,
    metered: tuple[Charge, ...],
    facts: RenewalFacts,
    *,
    day: date,
    meters: tuple[Meter, ...],
    ahead: BilledAhead,
    invoice_id: UUID,
    now: datetime,
) -> Draft | None:
    """The invoice of usage that is not billed yet; None below the contract's threshold.

    `meters` are its open windows on `day`, `metered` what was used in them so far. It has no
    meters of its own, for it is not made again: what comes later is billed later.
    """
    assert contract.invoice_threshold is not None, "who has no threshold reaches none"
    recipe = replace(
        _recipe(contract, day, ahead),
        meters=meters,
        metered=tuple(one for one in metered if is_priced(one)),
    )
    made = bill_of(recipe, facts)
    if made.subtotal < minor(contract.invoice_threshold, contract.currency):
        return None
    invoice = _invoice(contract, day, made, facts, invoice_id, now, None)
    return Draft(
        invoice=replace(invoice, type=InvoiceType.USAGE_THRESHOLD),
        used=coupons_used(recipe, made),
        recipe=replace(recipe, meters=()),
    )


def _recipe(contract: Contract, day: date, ahead: BilledAhead) -> Recipe:
    """An empty recipe: the contract's coupons, with what they have given in this period."""
    return Recipe(
        day=day,
        currency=contract.currency,
        inclusive=contract.tax_inclusive,
        charges=(),
        meters=(),
        metered=(),
        coupons=tuple(
            replace(one, ahead=ahead.coupons.get(one.redemption_id, 0))
            for one in contract.coupons
            if one.applies
        ),
        ahead=ahead.usage,
    )


def bill_of(recipe: Recipe, facts: RenewalFacts) -> Bill:
    """What a recipe comes to, taxed as of its day."""
    return bill(
        recipe.lines,
        currency=recipe.currency,
        coupons=[left for one in recipe.coupons if (left := one.left) is not None],
        decision_of=taxes_on(recipe.day, facts),
        inclusive=recipe.inclusive,
    )


def taxes_on(day: date, facts: RenewalFacts) -> Callable[[UUID], TaxDecision]:
    """The tax decision of each product on a day."""
    decided: dict[int, TaxDecision] = {}

    def decision_of(product_id: UUID) -> TaxDecision:
        product = facts.product_taxes.get(product_id, _NO_TAX_SETTINGS)
        known = decided.get(id(product))
        if known is None:
            seller = facts.entity.tax_seller
            known = decide(seller, facts.buyer, product.rules, product.vat_class, day)
            decided[id(product)] = known
        return known

    return decision_of


def still_applying(recipe: Recipe, uses: Mapping[UUID, int]) -> Recipe:
    """A recipe without the coupons that other invoices have used up since it was written.

    `uses` counts by redemption the invoices that it has applied to by now. One that the draft
    itself uses goes on applying to it.
    """
    own = {one.redemption_id for one in recipe.used}
    coupons = tuple(
        one
        for one in recipe.coupons
        if one.redemption_id in own
        or replace(one, applied_count=uses[one.redemption_id]).applies
    )
    return replace(recipe, coupons=coupons)


def coupons_used(recipe: Recipe, made: Bill) -> tuple[UsedCoupon, ...]:
    """What each coupon of a recipe takes off; one that finds no lines is not used."""
    if not made.lines:
        return ()
    amounts = {one.coupon_id: one.amount for one in made.coupons}
    return tuple(
        UsedCoupon(redemption_id=one.redemption_id, amount=amounts.get(one.terms.id, 0))
        for one in recipe.coupons
    )


def _invoice(
    contract: Contract,
    day: date,
    made: Bill,
    facts: RenewalFacts,
    invoice_id: UUID,
    now: datetime,
    opens: Period | None,
) -> Invoice:
    return Invoice(
        id=invoice_id,
        customer_id=contract.customer_id,
        subscription_id=contract.id,
        invoicing_entity_id=contract.invoicing_entity_id,
        status=InvoiceStatus.DRAFT,
        payment_status=PaymentStatus.UNPAID,
        invoice_date=day,
        net_terms=contract.net_terms,
        billing_period_start=day if opens is None else opens.start,
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
        amount_due=max(made.total, 0),
        customer=customer_snapshot(facts.customer, facts.customer.details, now),
        seller=seller_snapshot(facts.entity),
        memo=contract.invoice_memo,
        purchase_order=contract.purchase_order,
        finalized_at=None,
        paid_at=None,
        created_at=now,
    )
