"""One bill: charges, then coupons, then tax, then the balance - the order on every invoice.

Two views of the same money. *As quoted*: what the prices say, with tax where the plan's prices
include it; coupons act on it. *Net*: what the invoice adds up. Where prices exclude tax the two
are the same. In both cases, to the cent:

    subtotal - discount + tax = total          for the bill,
    amount_net - discount_net + tax = total    for each line, and these totals sum to the bill's
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from tallystick.domain import coupons as coupon_rules
from tallystick.domain.charges import Charge
from tallystick.domain.coupons import AppliedCoupon, CouponTerms
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge, allocate
from tallystick.domain.tax import ExemptionType, TaxAmount, TaxDecision, compute


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A charge with its share of the discount and its tax, all in minor units.

    `discount` is the share as quoted. `amount_net` is the line's part of the subtotal,
    `discount_net` its part of the bill's discount, `net` what is taxed. A negative line keeps
    its sign through all of them and bears no discount.

    Where several rates are included, a cent less can take a cent off each of their taxes: then
    the net amount rises, and `discount_net` is below zero.
    """

    charge: Charge
    amount_net: int
    discount: int
    discount_net: int
    net: int
    taxes: tuple[TaxAmount, ...]
    tax: int
    total: int
    decision: TaxDecision

    def __post_init__(self) -> None:
        """The line adds up, and is not discounted below zero."""
        assert self.amount_net - self.discount_net == self.net, (
            "discount leads to the net amount"
        )
        assert self.net + self.tax == self.total, "net and tax make the total"
        assert sum(part.amount for part in self.taxes) == self.tax, "each tax has its rate"
        assert 0 <= self.discount <= max(self.charge.amount, 0), "a discount stays in its line"

    @property
    def tax_rate(self) -> Decimal:
        """The sum of the line's rates, a fraction."""
        return self.decision.total_rate


class TaxedLine(Protocol):
    """What a breakdown asks of a line: what is taxed, by which rates, and why."""

    @property
    def net(self) -> int:
        """What is taxed, in minor units."""
        ...

    @property
    def taxes(self) -> tuple[TaxAmount, ...]:
        """Each rate with its tax."""
        ...

    @property
    def decision(self) -> TaxDecision:
        """The rule that decided."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxBreakdown:
    """What one rate, or one reason for no tax, comes to over the whole bill, in minor units."""

    name: str
    rate: Decimal
    code: str | None
    taxable: int
    tax: int
    exemption: ExemptionType | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Lines with their sums, in minor units of `currency`.

    `inclusive` tells that the charges are quoted with tax included. `coupons` are what each
    coupon takes off the quoted prices, zeros included; `subtotal` and `discount` are net.
    """

    currency: str
    inclusive: bool
    lines: tuple[BillLine, ...]
    coupons: tuple[AppliedCoupon, ...]
    subtotal: int
    discount: int
    tax: int
    total: int
    breakdown: tuple[TaxBreakdown, ...]

    def __post_init__(self) -> None:
        """The bill adds up in every direction, and a quoted price is what is paid."""
        assert self.subtotal - self.discount + self.tax == self.total, "the bill adds up"
        assert sum(line.amount_net for line in self.lines) == self.subtotal, "lines: subtotal"
        assert sum(line.discount_net for line in self.lines) == self.discount, "lines: discount"
        assert sum(line.tax for line in self.lines) == self.tax, "lines: tax"
        assert sum(line.total for line in self.lines) == self.total, "lines: total"
        assert sum(row.tax for row in self.breakdown) == self.tax, "breakdown: tax"
        assert sum(one.amount for one in self.coupons) == self.quoted_discount, (
            "coupons: spread"
        )
        for line in self.lines:
            quoted = line.charge.amount - line.discount
            assert quoted == (line.total if self.inclusive else line.net), "as quoted"
        for amount in (self.subtotal, self.discount, self.tax, self.total):
            if abs(amount) > AMOUNT_MAX:
                raise AmountTooLarge(amount)

    @property
    def quoted_subtotal(self) -> int:
        """The sum of the charges as quoted, before coupons."""
        return sum(line.charge.amount for line in self.lines)

    @property
    def quoted_discount(self) -> int:
        """What the coupons take off the quoted prices."""
        return sum(line.discount for line in self.lines)

    @property
    def coupons_net(self) -> tuple[AppliedCoupon, ...]:
        """The coupons with their shares of the net discount, which they sum to."""
        parts = allocate(self.discount, [one.amount for one in self.coupons])
        return tuple(
            AppliedCoupon(coupon_id=one.coupon_id, code=one.code, amount=part)
            for one, part in zip(self.coupons, parts, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a total is met: from the customer's balance, and what is left to be paid."""

    balance_applied: int
    amount_due: int


def bill(
    charges: Sequence[Charge],
    *,
    currency: str,
    coupons: Sequence[CouponTerms],
    decision_of: Callable[[UUID], TaxDecision],
    inclusive: bool,
) -> Bill:
    """What the charges come to after coupons and tax.

    `decision_of` gives the tax decision for a product's id; what gives a line back is taxed as
    that was. Which coupons still apply is decided before. Raises `AmountTooLarge` where a sum
    cannot be stored and sent exactly.
    """
    amounts = [charge.amount for charge in charges]
    applied = coupon_rules.apply(sum(amounts), coupons, currency)
    discounts = coupon_rules.spread(sum(one.amount for one in applied), amounts)
    lines = tuple(
        bill_line(
            charge,
            discount,
            charge.decided or decision_of(charge.product_id),
            inclusive=inclusive,
        )
        for charge, discount in zip(charges, discounts, strict=True)
    )
    return bill_of_lines(lines, applied, currency=currency, inclusive=inclusive)


def bill_of_lines(
    lines: tuple[BillLine, ...],
    coupons: tuple[AppliedCoupon, ...],
    *,
    currency: str,
    inclusive: bool,
) -> Bill:
    """The sums of lines that bear their shares of what the coupons take off."""
    return Bill(
        currency=currency,
        inclusive=inclusive,
        lines=lines,
        coupons=coupons,
        subtotal=sum(line.amount_net for line in lines),
        discount=sum(line.discount_net for line in lines),
        tax=sum(line.tax for line in lines),
        total=sum(line.total for line in lines),
        breakdown=breakdown(lines),
    )


def settle(total: int, available_balance: int) -> Settlement:
    """Meet `total` from the available balance as far as it reaches; the rest is due.

    Both in minor units of one currency. A total of zero or less takes nothing and leaves
    nothing due.
    """
    assert available_balance >= 0, "a balance is never negative"
    payable = max(total, 0)
    applied = min(payable, available_balance)
    return Settlement(balance_applied=applied, amount_due=payable - applied)


def bill_line(
    charge: Charge, discount: int, decision: TaxDecision, *, inclusive: bool
) -> BillLine:
    """A charge with its share of the discount, taxed as decided."""
    taxed = compute(charge.amount - discount, decision, inclusive=inclusive)
    before = (
        compute(charge.amount, decision, inclusive=True).net if inclusive else charge.amount
    )
    return BillLine(
        charge=charge,
        amount_net=before,
        discount=discount,
        discount_net=before - taxed.net,
        net=taxed.net,
        taxes=taxed.taxes,
        tax=taxed.tax,
        total=taxed.total,
        decision=decision,
    )


_EXEMPTION_NAMES = {
    ExemptionType.REVERSE_CHARGE: "Reverse charge",
    ExemptionType.TAX_EXEMPT: "Tax exempt",
    ExemptionType.NOT_REGISTERED: "No VAT",
    ExemptionType.EXPORT: "Export",
    ExemptionType.NO_VAT_TERRITORY: "Outside the VAT area",
}


def breakdown(lines: Iterable[TaxedLine]) -> tuple[TaxBreakdown, ...]:
    """One row per rate and per reason for no tax, in the order in which the lines name them.

    A line's net counts once in a row, however many of its taxes the row holds.
    """
    rows: dict[tuple[object, ...], TaxBreakdown] = {}
    for line in lines:
        counted: set[tuple[object, ...]] = set()
        for part in _rows_of(line):
            key = (part.name, part.rate, part.code, part.exemption, part.reason)
            known = rows.get(key)
            taxable = 0 if key in counted else part.taxable
            rows[key] = part if known is None else _added(known, taxable, part.tax)
            counted.add(key)
    return tuple(rows.values())


def _rows_of(line: TaxedLine) -> list[TaxBreakdown]:
    exemption = line.decision.exemption
    if exemption is not None:
        return [
            TaxBreakdown(
                name=_EXEMPTION_NAMES[exemption],
                rate=Decimal(0),
                code=None,
                taxable=line.net,
                tax=0,
                exemption=exemption,
                reason=line.decision.reason,
            )
        ]
    return [
        TaxBreakdown(
            name=part.rate.name,
            rate=part.rate.rate,
            code=part.rate.code,
            taxable=line.net,
            tax=part.amount,
            exemption=None,
            reason=None,
        )
        for part in line.taxes
    ]


def _added(known: TaxBreakdown, taxable: int, tax: int) -> TaxBreakdown:
    return TaxBreakdown(
        name=known.name,
        rate=known.rate,
        code=known.code,
        taxable=known.taxable + taxable,
        tax=known.tax + tax,
        exemption=known.exemption,
        reason=known.reason,
    )
