"""How an amount came about, in the buyer's language: the sentences below a line.

Everything said here is read from the line's `Computation`, its share of the discount and its
tax decision; nothing is computed again except the products that the sentences show.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from tallystick.domain.bill import BillLine
from tallystick.domain.charges import Charge, Item
from tallystick.domain.money import minor, rounded
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityPricing,
    ExtraRecurringPricing,
    FeeType,
    Matrix,
    OneTimePricing,
    Package,
    PerUnit,
    RatePricing,
    SlotFee,
    SlotPricing,
    Tier,
    Tiered,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.http.checkout.teller import Teller
from tallystick.http.checkout.tiers import tier_words


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """A price per unit in major units, and what a unit is where it has a name ("seat").

    `cadence` is None for a fee that is charged once.
    """

    price: Decimal
    quantity: int
    unit: str | None
    cadence: Cadence | None


def unit_price_of(item: Item) -> UnitPrice | None:
    """The fixed part of an item's price; None for metered usage, which has none."""
    unit: str | None = None
    match item.pricing:
        case UsagePricing():
            return None
        case RatePricing(rate=price) | CapacityPricing(rate=price):
            units = 1
        case SlotPricing(unit_rate=price):
            units = item.slots or 0
            unit = item.fee.unit_name if isinstance(item.fee, SlotFee) else None
        case ExtraRecurringPricing() | OneTimePricing():
            price, units = item.pricing.unit_price, item.pricing.quantity
        case _:
            assert_never(item.pricing)
    once = isinstance(item.pricing, OneTimePricing)
    return UnitPrice(
        price=price,
        quantity=units * item.instances,
        unit=unit,
        cadence=None if once else item.cadence,
    )


def price_words(one: UnitPrice, currency: str, say: Teller) -> str:
    """Quantity and unit price as on a receipt: `12 x EUR 9.90 per seat / month`."""
    price = say.formats.price(one.price, currency)
    span = "ONCE" if one.cadence is None else one.cadence.value
    each = (
        say.words(f"per.{span}", price=price)
        if one.unit is None
        else say.words(f"per_unit.{span}", price=price, unit=one.unit)
    )
    if one.quantity == 1 and one.unit is None:
        return each
    quantity = say.formats.number(one.quantity)
    return say.words("line.times", quantity=quantity, price=each)


def explain_line(
    line: BillLine, item: Item, currency: str, say: Teller, *, inclusive: bool
) -> list[str]:
    """The sentences that lead from the unit price to the line's total."""
    return [
        *_amount_sentences(line.charge, item, currency, say),
        *_discount_sentence(line, currency, say),
        *_tax_sentences(line, currency, say, inclusive=inclusive),
    ]


def _amount_sentences(charge: Charge, item: Item, currency: str, say: Teller) -> list[str]:
    how = charge.computation
    full = minor(how.unit_price, currency) * how.quantity
    one = UnitPrice(
        price=how.unit_price,
        quantity=how.quantity,
        unit=how.unit_name,
        cadence=None if how.fee is FeeType.ONE_TIME else item.cadence,
    )
    sentences = [
        say.words(
            "explain.product",
            rate=price_words(one, currency, say),
            amount=exact_money(full, currency, say),
        )
    ]
    if how.instances > 1 and how.units > 1:
        number = say.formats.number
        sentences.insert(
            0,
            say.words(
                "explain.instances",
                instances=number(how.instances),
                units=number(how.units),
                quantity=number(how.quantity),
            ),
        )
    if charge.is_prorated:
        sentences.append(
            say.words(
                "explain.prorated",
                days=say.formats.number(how.days),
                full_days=say.formats.number(how.full_days),
                full=exact_money(full, currency, say),
                amount=say.formats.money(charge.amount, currency),
            )
        )
    elif full.denominator != 1:
        amount = say.formats.money(charge.amount, currency)
        sentences.append(say.words("explain.rounded", amount=amount))
    if how.fee is FeeType.ONE_TIME:
        sentences.append(say.words("explain.once"))
    usage = usage_words(item, currency, say)
    return sentences if usage is None else [*sentences, usage]


def _discount_sentence(line: BillLine, currency: str, say: Teller) -> list[str]:
    if line.discount == 0:
        return []
    return [
        say.words(
            "explain.discount",
            discount=say.formats.money(line.discount, currency),
            rest=say.formats.money(line.charge.amount - line.discount, currency),
        )
    ]


def _tax_sentences(line: BillLine, currency: str, say: Teller, *, inclusive: bool) -> list[str]:
    key = "explain.tax_included" if inclusive else "explain.tax"
    taxes = [
        say.words(
            key,
            tax=say.tax_rate(part.rate),
            net=say.formats.money(line.net, currency),
            amount=say.formats.money(part.amount, currency),
        )
        for part in line.taxes
    ]
    return [*taxes, say.words.of(line.decision.why)]


def exact_money(exact: Fraction, currency: str, say: Teller) -> str:
    """A number of minor units that may be fractional, with as many decimals as it needs."""
    if exact.denominator == 1:
        return say.formats.money(rounded(exact), currency)
    scale = rounded(minor(Decimal(1), currency))
    major = exact / scale
    return say.formats.price(Decimal(major.numerator) / Decimal(major.denominator), currency)


def usage_words(item: Item, currency: str, say: Teller) -> str | None:
    """What metered usage of an item costs, in one sentence; None where it has none.

    Every instance brings its own allowance.
    """
    match item.pricing:
        case CapacityPricing(included=included, overage_rate=rate):
            return say.words(
                "usage.capacity",
                included=say.formats.number(included * item.instances),
                rate=say.formats.price(rate, currency),
            )
        case UsagePricing(model=model):
            return _model_words(model, currency, say)
        case _:
            return None


def _model_words(model: UsageModel, currency: str, say: Teller) -> str:
    price = say.formats.price
    match model:
        case PerUnit(rate=rate):
            return say.words("usage.per_unit", rate=price(rate, currency))
        case Tiered() | Volume():
            return tier_words(model, currency, say)
        case Package(rate=rate, block_size=size):
            return say.words(
                "usage.package", rate=price(rate, currency), size=say.formats.number(size)
            )
        case Matrix(rates=rows):
            lowest = min(row.per_unit_price for row in rows)
            return say.words("usage.from_matrix", rate=price(lowest, currency))


def usage_table(item: Item, currency: str, say: Teller) -> list[str]:
    """The steps of a price by tiers or by properties, one sentence each."""
    if not isinstance(item.pricing, UsagePricing):
        return []
    model = item.pricing.model
    if isinstance(model, Tiered | Volume):
        key = "usage.tiered" if isinstance(model, Tiered) else "usage.volume"
        return [say.words(key), *(_tier(tier, currency, say) for tier in model.tiers)]
    if isinstance(model, Matrix):
        return [
            say.words(
                "usage.row",
                values=" / ".join(
                    f"{dimension.key} {dimension.value}"
                    for dimension in (row.dimension1, row.dimension2)
                    if dimension is not None
                ),
                rate=say.formats.price(row.per_unit_price, currency),
            )
            for row in model.rates
        ]
    return []


def _tier(tier: Tier, currency: str, say: Teller) -> str:
    text = say.words(
        "usage.tier",
        first=say.formats.number(tier.first_unit),
        rate=say.formats.price(tier.rate, currency),
    )
    if tier.flat_fee:
        text += " " + say.words(
            "usage.flat_fee", fee=say.formats.price(tier.flat_fee, currency)
        )
    if tier.flat_cap:
        text += " " + say.words(
            "usage.flat_cap", cap=say.formats.price(tier.flat_cap, currency)
        )
    return text
