"""Metered usage on an invoice: the windows that close on a day, and what was used in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import assert_never
from uuid import UUID

from tallystick.domain.charges import Charge, Computation, Item
from tallystick.domain.periods import Period
from tallystick.domain.pricing import (
    CapacityFee,
    CapacityPricing,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.domain.usage_pricing import Measured, UsageLine, price_metered


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """An item whose window of metered usage closes: the usage of these days is billed."""

    item: Item
    window: Period

    @property
    def metric_id(self) -> UUID:
        """What is metered."""
        fee = self.item.fee
        assert isinstance(fee, UsageFee | CapacityFee), "only these are metered"
        return fee.metric_id

    @property
    def pricing(self) -> UsagePricing | CapacityPricing:
        """What it costs."""
        pricing = self.item.pricing
        assert isinstance(pricing, UsagePricing | CapacityPricing), "only these are metered"
        return pricing


def usage_charges(meter: Meter, usage: Sequence[Measured], currency: str) -> list[Charge]:
    """What the usage of a window costs: a charge for each group, or for a capacity's overage.

    Nothing used, no charge. Usage that no row of a matrix prices is a charge of nothing, so
    that the invoice tells of it.
    """
    priced = price_metered(meter.pricing, usage, currency, instances=meter.item.instances)
    charges = [
        _charge(meter, line, "overage" if line.model is None else line.group)
        for line in priced.lines
        if line.usage != 0 or line.amount != 0
    ]
    for left in priced.unpriced:
        values = ", ".join(f"{one.key} {one.value}" for one in left.dimensions)
        line = UsageLine(
            model=UsageModelType.MATRIX,
            usage=left.quantity,
            amount=0,
            parts=(),
            group=left.group,
        )
        charges.append(_charge(meter, line, f"no price: {values}" if values else "no price"))
    return charges


def nothing_used(meter: Meter, group: str | None) -> Charge:
    """The charge of a window, or of a group in it, in which nothing is used after all."""
    match meter.pricing:
        case UsagePricing(model=model):
            line = UsageLine(
                model=model.type, usage=Fraction(0), amount=0, parts=(), group=group
            )
            return _charge(meter, line, group)
        case CapacityPricing():
            line = UsageLine(model=None, usage=Fraction(0), amount=0, parts=())
            return _charge(meter, line, "overage")
    assert_never(meter.pricing)


def _charge(meter: Meter, line: UsageLine, detail: str | None) -> Charge:
    item, window = meter.item, meter.window
    return Charge(
        item_id=item.id,
        product_id=item.product_id,
        name=item.name if detail is None else f"{item.name} ({detail})",
        start=window.start,
        end=window.end,
        amount=line.amount,
        computation=Computation(
            fee=item.fee.type,
            unit_price=line.unit_price or Decimal(0),
            units=0,
            instances=item.instances,
            days=window.days,
            full_days=window.days,
        ),
        usage=line,
    )
