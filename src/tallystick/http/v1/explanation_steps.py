"""The steps of an explanation on the wire: the domain's, with exact numbers as text.

Amounts are integers in the currency's minor unit. `exact` is what they were before rounding, as
a fraction of it (`191250/23`), and quantities of usage are fractions, too.
"""

from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, PlainSerializer, WithJsonSchema

from tallystick.domain.periods import Cadence
from tallystick.domain.tax import ExemptionType, TaxWhy
from tallystick.http.v1.scalars import AnswerModel, Day, DecimalOut

FractionOut = Annotated[
    Fraction,
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": "^-?[0-9]+(/[0-9]+)?$", "examples": ["191250/23"]}
    ),
]
"""An exact number: a whole one, or numerator and denominator."""


class StepModel(AnswerModel):
    """Base of every step: read from the domain's step as it is."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class CoveredStep(StepModel):
    """The days that the line is for: `end` is the first one after them, or the only day."""

    type: Literal["COVERED"]
    start: Day
    end: Day
    days: int


class CountedStep(StepModel):
    """Instances times units is the quantity."""

    type: Literal["COUNTED"]
    instances: int
    units: int
    quantity: int


class MultipliedStep(StepModel):
    """quantity x unit_price = exact; the price is in major units, as quoted."""

    type: Literal["MULTIPLIED"]
    quantity: int
    unit_price: DecimalOut
    unit_name: str | None
    once: bool
    cadence: Cadence | None
    exact: FractionOut


class ProratedStep(StepModel):
    """before x days / full_days = exact."""

    type: Literal["PRORATED"]
    days: int
    full_days: int
    before: FractionOut
    exact: FractionOut


class MeteredStep(StepModel):
    """What was used in the line's days, by one group where the metric has groups."""

    type: Literal["METERED"]
    usage: FractionOut
    group: str | None


class BeyondStep(StepModel):
    """usage - allowance = quantity: what a capacity does not include."""

    type: Literal["BEYOND"]
    usage: FractionOut
    allowance: int
    quantity: FractionOut


class BlocksStep(StepModel):
    """How many blocks the usage has begun."""

    type: Literal["BLOCKS"]
    usage: FractionOut
    block_size: int
    blocks: FractionOut


class PartDimension(StepModel):
    """A property of events and its value."""

    key: str
    value: str


class PricedPartStep(StepModel):
    """min(quantity x rate + flat_fee, flat_cap) = exact, rates in major units.

    A tier holds the units from `first_unit` up to, and without, `next_unit`. The amounts of a
    line's parts sum to the line.
    """

    type: Literal["PRICED_PART"]
    quantity: FractionOut
    rate: DecimalOut
    flat_fee: DecimalOut | None
    flat_cap: DecimalOut | None
    first_unit: int | None
    next_unit: int | None
    dimensions: list[PartDimension]
    exact: FractionOut
    amount: int


class SummedStep(StepModel):
    """The parts together, before rounding."""

    type: Literal["SUMMED"]
    exact: FractionOut


class UnpricedStep(StepModel):
    """Usage for which the price says nothing; it costs nothing."""

    type: Literal["UNPRICED"]
    usage: FractionOut


class RoundedStep(StepModel):
    """The line's one rounding: to the minor unit, halves away from zero."""

    type: Literal["ROUNDED"]
    exact: FractionOut
    amount: int


class BilledBeforeStep(StepModel):
    """amount - before + held = rest: less what earlier invoices billed of the same usage."""

    type: Literal["BILLED_BEFORE"]
    amount: int
    before: int
    held: int
    rest: int


class TrueUpStep(StepModel):
    """least - cost = missing: what lacks to the minimum, in major units, of a full period."""

    type: Literal["TRUE_UP"]
    minimum: DecimalOut
    days: int
    full_days: int
    exact: FractionOut
    least: int
    cost: int
    missing: int


class CreditedStep(StepModel):
    """amount - discount = credit: what was paid for days that are not used is given back."""

    type: Literal["CREDITED"]
    amount: int
    discount: int
    credit: int


class ChargedOnceStep(StepModel):
    """The line does not come again."""

    type: Literal["CHARGED_ONCE"]


class IncludedStep(StepModel):
    """What a capacity includes, and the price of a unit beyond it in major units."""

    type: Literal["INCLUDED"]
    included: int
    overage_rate: DecimalOut


class SharedStep(StepModel):
    """discount x weight / weights = exact; `share` by largest remainder over all lines."""

    type: Literal["SHARED"]
    discount: int
    weight: int
    weights: int
    exact: FractionOut
    share: int


class DiscountedStep(StepModel):
    """What the discount leaves of the line."""

    type: Literal["DISCOUNTED"]
    share: int
    rest: int


class TaxedStep(StepModel):
    """base x rate = exact, or base x rate / (1 + total_rate) where the price includes it."""

    type: Literal["TAXED"]
    name: str
    rate: DecimalOut
    code: str
    base: int
    included: bool
    total_rate: DecimalOut
    net: int
    exact: FractionOut
    amount: int


class RuledStep(StepModel):
    """The rule that decided the line's tax."""

    type: Literal["RULED"]
    why: TaxWhy


class NotedStep(StepModel):
    """The words that the invoice must carry beside an exemption."""

    type: Literal["NOTED"]
    exemption: ExemptionType
    reason: str


LineStepOut: TypeAlias = Annotated[
    CoveredStep
    | CountedStep
    | MultipliedStep
    | ProratedStep
    | MeteredStep
    | BeyondStep
    | BlocksStep
    | PricedPartStep
    | SummedStep
    | UnpricedStep
    | RoundedStep
    | BilledBeforeStep
    | TrueUpStep
    | CreditedStep
    | ChargedOnceStep
    | IncludedStep
    | SharedStep
    | DiscountedStep
    | TaxedStep
    | RuledStep
    | NotedStep,
    Field(discriminator="type"),
]


class SubtotaledStep(StepModel):
    """What the lines sum to: as quoted, and without tax."""

    type: Literal["SUBTOTALED"]
    quoted: int
    subtotal: int


class CouponTakenStep(StepModel):
    """What a coupon takes off `remaining`, as quoted; `net` without tax.

    Either `percentage`, or a `fixed` amount in major units, less what it has `given` in the
    period.
    """

    type: Literal["COUPON_TAKEN"]
    code: str
    percentage: DecimalOut | None
    fixed: DecimalOut | None
    given: int
    remaining: int
    exact: FractionOut
    amount: int
    net: int


class TaxSummedStep(StepModel):
    """One rate, or one reason for no tax, over all lines."""

    type: Literal["TAX_SUMMED"]
    name: str
    rate: DecimalOut
    taxable: int
    tax: int
    exemption: ExemptionType | None
    reason: str | None


class TotaledStep(StepModel):
    """subtotal - discount + tax = total."""

    type: Literal["TOTALED"]
    subtotal: int
    discount: int
    tax: int
    total: int


class BalanceAppliedStep(StepModel):
    """What the customer's balance paid."""

    type: Literal["BALANCE_APPLIED"]
    amount: int


class WrittenOffStep(StepModel):
    """What is too small to be charged."""

    type: Literal["WRITTEN_OFF"]
    amount: int


class DebtCancelledStep(StepModel):
    """What credit notes took off the debt."""

    type: Literal["DEBT_CANCELLED"]
    amount: int


class SettledStep(StepModel):
    """What was paid."""

    type: Literal["SETTLED"]
    amount: int


class TakenBackStep(StepModel):
    """What payment providers took back of what was paid, and have still."""

    type: Literal["TAKEN_BACK"]
    amount: int


class ToBalanceStep(StepModel):
    """What they gave back when nothing was due any more: the customer's balance got it."""

    type: Literal["TO_BALANCE"]
    amount: int


class DueStep(StepModel):
    """What is left to be paid; null of a void invoice."""

    type: Literal["DUE"]
    amount: int | None


InvoiceStepOut: TypeAlias = Annotated[
    SubtotaledStep
    | CouponTakenStep
    | TaxSummedStep
    | TotaledStep
    | BalanceAppliedStep
    | WrittenOffStep
    | DebtCancelledStep
    | SettledStep
    | TakenBackStep
    | ToBalanceStep
    | DueStep,
    Field(discriminator="type"),
]
