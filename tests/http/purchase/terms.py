"""Fees, prices and discounts in one line, in the client's own types."""

from decimal import Decimal

from meteroid import models as m


def term(cadence: str, price: str) -> m.TermRate:
    """A rate of a plan's fee."""
    return m.TermRate(term=m.BillingPeriodEnum(cadence), price=Decimal(price))


def rate(name: str, price: str, cadence: str = "MONTHLY") -> m.PriceComponentInput:
    """A component with a fixed fee."""
    return m.PriceComponentInput(name=name, fee=m.RatePlanFee(rates=[term(cadence, price)]))


def slots_of(unit: str) -> m.SlotFeeStructure:
    """A fee per slot."""
    return m.SlotFeeStructure(
        slot_unit_name=unit,
        upgrade_policy=m.SlotUpgradePolicyEnum("PRORATED"),
        downgrade_policy=m.SlotDowngradePolicyEnum("REMOVE_AT_END_OF_PERIOD"),
    )


def percent(value: str) -> m.PercentageDiscount:
    """So much per cent off."""
    return m.PercentageDiscount(percentage=value)


def fixed(amount: str, currency: str = "EUR") -> m.FixedDiscount:
    """So much money off."""
    return m.FixedDiscount(amount=amount, currency=currency)


def monthly(pricing: m.Pricing, currency: str = "EUR") -> m.PriceInput:
    """A new monthly price."""
    return m.PriceInput(
        cadence=m.BillingPeriodEnum("MONTHLY"), currency=currency, pricing=pricing
    )
