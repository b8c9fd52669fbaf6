"""How an amount came about, in the buyer's language: the sentences below a line.

The steps are the domain's (`explain_line`), the same that explain the invoice afterwards; here
they are told in the words of a page. What is not billed today is told by its price alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from tallystick.domain import sentences
from tallystick.domain.bill import Bill
from tallystick.domain.charges import Item
from tallystick.domain.explain_line import explain_line
from tallystick.domain.explanation import Covered, Noted
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityPricing,
    ExtraRecurringPricing,
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
from tallystick.domain.sentences import span_of
from tallystick.http.checkout.tiers import tier_words
from tallystick.http.pages.teller import Teller
from tallystick.http.pages.voice import PageVoice


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
    span = span_of(one.cadence, once=one.cadence is None)
    return sentences.price_words(
        one.price, one.quantity, one.unit, span, currency, PageVoice(say)
    )


def explain_lines(bill: Bill, items: Mapping[UUID, Item], say: Teller) -> list[tuple[str, ...]]:
    """The sentences that lead from the unit price to the total, for each line of a bill.

    The days of a line stand above them on the page.
    """
    voice = PageVoice(say)
    discounted = sum(max(line.charge.amount, 0) for line in bill.lines)
    # What a change gives back is of an item that is not offered any more.
    cadences = {item.id: item.cadence for item in items.values()}
    return [
        tuple(
            sentences.sentence(step, bill.currency, voice)
            for step in explain_line(
                line,
                bill.currency,
                inclusive=bill.inclusive,
                discount=bill.quoted_discount,
                discounted=discounted,
                cadence=cadences.get(line.charge.item_id),
            )
            if not isinstance(step, Covered | Noted)
        )
        for line in bill.lines
    ]


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
