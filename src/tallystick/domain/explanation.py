"""The steps that lead from quantities and prices to what is due, as data.

Each line of an invoice has its steps, in the order in which they were computed, and so has the
invoice as a whole. `explain_line` makes the steps of a line for the page before it is paid and
for the invoice after it alike; `sentences` tells each of them in words. What is exact is a
fraction of the currency's minor unit; what is an integer is an amount in minor units.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from tallystick.domain.explain_debt import DebtStep
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import MatrixDimension
from tallystick.domain.tax import ExemptionType, TaxWhy

# How a line came about.


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The days that a line is for; `end` is the first one after them, or the only day."""

    start: date
    end: date
    days: int
    type: Literal["COVERED"] = "COVERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Several of something that itself holds several units: instances x units = quantity."""

    instances: int
    units: int
    quantity: int
    type: Literal["COUNTED"] = "COUNTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplied:
    """quantity x unit_price = exact. `unit_price` is in major units, as quoted.

    `cadence` is None for what is charged once, and where it is not known any more.
    """

    quantity: int
    unit_price: Decimal
    unit_name: str | None
    once: bool
    exact: Fraction
    cadence: Cadence | None = None
    type: Literal["MULTIPLIED"] = "MULTIPLIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prorated:
    """before x days / full_days = exact: fewer days than the full period are billed."""

    days: int
    full_days: int
    before: Fraction
    exact: Fraction
    type: Literal["PRORATED"] = "PRORATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """How much was used in the line's days, of one group where a metric has groups."""

    usage: Fraction
    group: str | None
    type: Literal["METERED"] = "METERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """usage - allowance = quantity: what a capacity does not include."""

    usage: Fraction
    allowance: int
    quantity: Fraction
    type: Literal["BEYOND"] = "BEYOND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How many blocks of `block_size` units the usage has begun."""

    usage: Fraction
    block_size: int
    blocks: Fraction
    type: Literal["BLOCKS"] = "BLOCKS"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedPart:
    """min(quantity x rate + flat_fee, flat_cap) = exact: units at one rate.

    A tier holds the units from `first_unit` up to, and without, `next_unit`; a row of a matrix
    those with its `dimensions`. `amount` is the part's share of the line's rounded amount.
    """

    quantity: Fraction
    rate: Decimal
    exact: Fraction
    amount: int
    flat_fee: Decimal | None
    flat_cap: Decimal | None
    first_unit: int | None
    next_unit: int | None
    dimensions: tuple[MatrixDimension, ...]
    type: Literal["PRICED_PART"] = "PRICED_PART"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """The parts of the line together, before rounding."""

    exact: Fraction
    type: Literal["SUMMED"] = "SUMMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Usage for which the price says nothing: it is told, and costs nothing."""

    usage: Fraction
    type: Literal["UNPRICED"] = "UNPRICED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """The one rounding of the line, to the minor unit, halves away from zero."""

    exact: Fraction
    amount: int
    type: Literal["ROUNDED"] = "ROUNDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledBefore:
    """amount - before + held = rest: less what earlier invoices billed of the same usage.

    `held` is not given back, because nothing else on the invoice could bear it.
    """

    amount: int
    before: int
    held: int
    rest: int
    type: Literal["BILLED_BEFORE"] = "BILLED_BEFORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueUp:
    """least - cost = missing: what a window's service lacks to its minimum.

    `minimum` is that of a full period in major units, `least` its part by days, rounded.
    """

    minimum: Decimal
    days: int
    full_days: int
    exact: Fraction
    least: int
    cost: int
    missing: int
    type: Literal["TRUE_UP"] = "TRUE_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """amount - discount = credit: what was paid for days that are not used is given back.

    `discount` is what it had been discounted by when it was billed, or given back of it before.
    """

    amount: int
    discount: int
    credit: int
    type: Literal["CREDITED"] = "CREDITED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedOnce:
    """The line does not come again."""

    type: Literal["CHARGED_ONCE"] = "CHARGED_ONCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """What a capacity includes, and the price of each unit beyond it, in major units."""

    included: int
    overage_rate: Decimal
    type: Literal["INCLUDED"] = "INCLUDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """discount x weight / weights = exact: the line's part of what the coupons take off.

    Whole minor units are given by largest remainder over the positive lines: `share`.
    """

    discount: int
    weight: int
    weights: int
    exact: Fraction
    share: int
    type: Literal["SHARED"] = "SHARED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discounted:
    """The line's amount less its share of the discount leaves `rest`."""

    share: int
    rest: int
    type: Literal["DISCOUNTED"] = "DISCOUNTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxed:
    """One tax of the line, rounded: base x rate, or base x rate / (1 + total_rate) = exact.

    The second where prices include the tax (`included`): then `base` is what is paid, and `net`
    what is left of it without its taxes.
    """

    name: str
    rate: Decimal
    code: str
    base: int
    included: bool
    total_rate: Decimal
    net: int
    exact: Fraction
    amount: int
    type: Literal["TAXED"] = "TAXED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """The rule that decided the line's tax."""

    why: TaxWhy
    type: Literal["RULED"] = "RULED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The words that the law, or the merchant, wants beside an exemption."""

    exemption: ExemptionType
    reason: str
    type: Literal["NOTED"] = "NOTED"


LineStep: TypeAlias = (
    Covered
    | Counted
    | Multiplied
    | Prorated
    | Metered
    | Beyond
    | Blocks
    | PricedPart
    | Summed
    | Unpriced
    | Rounded
    | BilledBefore
    | TrueUp
    | Credited
    | ChargedOnce
    | Included
    | Shared
    | Discounted
    | Taxed
    | Ruled
    | Noted
)

# How the lines lead to what is due.


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtotaled:
    """What the lines sum to: `quoted` as the prices say, `subtotal` without tax."""

    quoted: int
    subtotal: int
    type: Literal["SUBTOTALED"] = "SUBTOTALED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTaken:
    """What a coupon takes off what the ones before it left (`remaining`), as quoted.

    Either `percentage` of it, or a `fixed` amount in major units, less what it gave on earlier
    invoices of the period (`given`); `exact` before rounding, and never more than what is left.
    `net` is its part of the invoice's discount without tax.
    """

    code: str
    percentage: Decimal | None
    fixed: Decimal | None
    given: int
    remaining: int
    exact: Fraction
    amount: int
    net: int
    type: Literal["COUPON_TAKEN"] = "COUPON_TAKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSummed:
    """One rate, or one reason for no tax, over all lines."""

    name: str
    rate: Decimal
    taxable: int
    tax: int
    exemption: ExemptionType | None
    reason: str | None
    type: Literal["TAX_SUMMED"] = "TAX_SUMMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totaled:
    """subtotal - discount + tax = total."""

    subtotal: int
    discount: int
    tax: int
    total: int
    type: Literal["TOTALED"] = "TOTALED"


InvoiceStep: TypeAlias = Subtotaled | CouponTaken | TaxSummed | Totaled | DebtStep

Step: TypeAlias = LineStep | InvoiceStep
