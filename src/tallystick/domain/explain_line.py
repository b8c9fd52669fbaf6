"""How a line of a bill came about, step by step: the page before it is paid and the invoice
after it tell the same.
"""

from collections.abc import Iterator
from fractions import Fraction

from tallystick.domain.bill import BillLine
from tallystick.domain.charges import Charge, Computation, Replaced, Shortfall
from tallystick.domain.explanation import (
    Beyond,
    BilledBefore,
    Blocks,
    ChargedOnce,
    Counted,
    Covered,
    Credited,
    Discounted,
    Included,
    LineStep,
    Metered,
    Multiplied,
    Noted,
    PricedPart,
    Prorated,
    Rounded,
    Ruled,
    Shared,
    Summed,
    Taxed,
    TrueUp,
    Unpriced,
)
from tallystick.domain.money import minor, rounded
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import FeeType
from tallystick.domain.usage_pricing import UsageLine, UsagePart


def full_amount(how: Computation, currency: str) -> Fraction:
    """What the quantity costs for a full period, in minor units before rounding."""
    return minor(how.unit_price, currency) * how.quantity


def least_amount(charge: Charge, currency: str) -> Fraction:
    """The part of a minimum for a true-up's days, in minor units before rounding."""
    missing = charge.shortfall
    assert missing is not None, "only a true-up has a minimum"
    share = Fraction(charge.computation.days, missing.full_days)
    return minor(missing.minimum, currency) * share


def replaced_amount(charge: Charge, replaced: Replaced, currency: str) -> Fraction:
    """What was replaced comes to for the charge's days, in minor units before rounding."""
    how = charge.computation
    full = minor(replaced.unit_price, currency) * replaced.units * replaced.instances
    return full * Fraction(how.days, how.full_days)


def exact_amount(charge: Charge, currency: str) -> Fraction:
    """What a charge comes to before its one rounding, in minor units."""
    if charge.usage is not None:
        return charge.usage.exact
    how = charge.computation
    return full_amount(how, currency) * Fraction(how.days, how.full_days)


def explain_line(
    line: BillLine,
    currency: str,
    *,
    inclusive: bool,
    discount: int,
    discounted: int,
    cadence: Cadence | None = None,
) -> tuple[LineStep, ...]:
    """The steps of a line, in the order of the computation.

    Args:
        line: The line with its share of the discount and its taxes.
        currency: Of the bill.
        inclusive: Whether its prices include tax.
        discount: What the coupons take off all lines, as quoted.
        discounted: The sum of the lines that bear it, the positive ones.
        cadence: How often the line's price is charged, where that is to be told.
    """
    return (
        *_amount(line.charge, currency, cadence),
        *_discount(line, discount, discounted),
        *_tax(line, inclusive=inclusive),
    )


def _amount(charge: Charge, currency: str, cadence: Cadence | None) -> Iterator[LineStep]:
    days = (charge.end - charge.start).days
    yield Covered(start=charge.start, end=charge.end, days=max(days, 1))
    if charge.shortfall is not None:
        yield _true_up(charge, charge.shortfall, currency)
        return
    if charge.usage is None:
        yield from _fixed(charge.computation, currency, cadence)
    else:
        yield from _metered(charge.usage)
    exact = exact_amount(charge, currency)
    amount = rounded(exact)
    if exact.denominator != 1:
        yield Rounded(exact=exact, amount=amount)
    if charge.replaced is not None:
        before = charge.replaced.credit
        yield BilledBefore(amount=amount, before=before, held=0, rest=charge.amount)
    elif charge.usage is None and charge.amount < 0:
        yield Credited(amount=amount, discount=amount + charge.amount, credit=-charge.amount)
    if charge.before is not None:
        left = amount - charge.before.amount
        yield BilledBefore(
            amount=amount,
            before=charge.before.amount,
            held=charge.amount - left,
            rest=charge.amount,
        )
    if charge.usage is None:
        yield from _kind(charge.computation)


def _true_up(charge: Charge, missing: Shortfall, currency: str) -> TrueUp:
    return TrueUp(
        minimum=missing.minimum,
        days=charge.computation.days,
        full_days=missing.full_days,
        exact=least_amount(charge, currency),
        least=missing.least,
        cost=missing.cost,
        missing=charge.amount,
    )


def _fixed(how: Computation, currency: str, cadence: Cadence | None) -> Iterator[LineStep]:
    full = full_amount(how, currency)
    once = how.fee is FeeType.ONE_TIME
    if how.instances > 1 and how.units > 1:
        yield Counted(instances=how.instances, units=how.units, quantity=how.quantity)
    yield Multiplied(
        quantity=how.quantity,
        unit_price=how.unit_price,
        unit_name=how.unit_name,
        once=once,
        exact=full,
        cadence=None if once else cadence,
    )
    if how.days != how.full_days:
        share = Fraction(how.days, how.full_days)
        yield Prorated(days=how.days, full_days=how.full_days, before=full, exact=full * share)


def _kind(how: Computation) -> Iterator[LineStep]:
    if how.fee is FeeType.ONE_TIME:
        yield ChargedOnce()
    if how.included is not None and how.overage_rate is not None:
        # Every instance brings its own allowance.
        yield Included(included=how.included * how.instances, overage_rate=how.overage_rate)


def _metered(line: UsageLine) -> Iterator[LineStep]:
    if not line.parts:
        yield (
            Unpriced(usage=line.usage)
            if line.usage
            else Metered(usage=line.usage, group=line.group)
        )
        return
    if line.allowance is not None:
        yield Beyond(usage=line.usage, allowance=line.allowance, quantity=line.quantity)
    else:
        yield Metered(usage=line.usage, group=line.group)
    if line.block_size is not None:
        yield Blocks(usage=line.usage, block_size=line.block_size, blocks=line.quantity)
    yield from (_part(part) for part in line.parts)
    if len(line.parts) > 1:
        yield Summed(exact=line.exact)


def _part(part: UsagePart) -> PricedPart:
    return PricedPart(
        quantity=part.quantity,
        rate=part.rate,
        exact=part.exact,
        amount=part.amount,
        flat_fee=part.flat_fee,
        flat_cap=part.flat_cap,
        first_unit=part.first_unit,
        next_unit=part.next_unit,
        dimensions=part.dimensions,
    )


def _discount(line: BillLine, discount: int, discounted: int) -> Iterator[LineStep]:
    weight = line.charge.amount
    if discount and 0 < weight < discounted:
        yield Shared(
            discount=discount,
            weight=weight,
            weights=discounted,
            exact=Fraction(discount * weight, discounted),
            share=line.discount,
        )
    if line.discount:
        yield Discounted(share=line.discount, rest=weight - line.discount)


def _tax(line: BillLine, *, inclusive: bool) -> Iterator[LineStep]:
    base = line.charge.amount - line.discount
    whole = Fraction(1 + line.tax_rate) if inclusive else Fraction(1)
    for part in line.taxes:
        yield Taxed(
            name=part.rate.name,
            rate=part.rate.rate,
            code=part.rate.code,
            base=base,
            included=inclusive,
            total_rate=line.tax_rate,
            net=line.net,
            exact=base * Fraction(part.rate.rate) / whole,
            amount=part.amount,
        )
    yield Ruled(why=line.decision.why)
    if line.decision.exemption is not None and line.decision.reason is not None:
        yield Noted(exemption=line.decision.exemption, reason=line.decision.reason)
