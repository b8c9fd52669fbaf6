"""The steps of an explanation in words: one sentence for each, in any language.

Which sentence a step has, and which figures stand in it, is decided here. A `Voice` has the
words of one language and writes figures its way: `PlainEnglish` for the API and the command
line, the page's own four languages for buyers.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, assert_never

from tallystick.domain.explain_debt import (
    BalanceApplied,
    DebtCancelled,
    DebtStep,
    Due,
    Settled,
    TakenBack,
    ToBalance,
    WrittenOff,
)
from tallystick.domain.explanation import (
    Beyond,
    BilledBefore,
    Blocks,
    ChargedOnce,
    Counted,
    CouponTaken,
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
    Step,
    Subtotaled,
    Summed,
    Taxed,
    TaxSummed,
    Totaled,
    TrueUp,
    Unpriced,
)
from tallystick.domain.periods import Cadence


class Voice(Protocol):
    """Words and figures of one language."""

    def text(self, key: str, **values: str) -> str:
        """The text of a key, with its placeholders filled in."""
        ...

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units."""
        ...

    def exact(self, amount: Fraction, currency: str) -> str:
        """A number of minor units before rounding; one without end is cut, and says so."""
        ...

    def price(self, price: Decimal, currency: str) -> str:
        """A unit price in major units, with the decimals it needs."""
        ...

    def number(self, value: Fraction | int) -> str:
        """A quantity."""
        ...

    def percent(self, rate: Decimal) -> str:
        """A fraction such as 0.055 as per cent."""
        ...

    def span(self, start: date, end: date) -> str:
        """The days of a half-open span, or its only day."""
        ...

    def tax(self, name: str) -> str:
        """The name of a tax."""
        ...


def price_words(
    price: Decimal,
    quantity: int,
    unit: str | None,
    span: str | None,
    currency: str,
    voice: Voice,
) -> str:
    """Quantity and unit price as on a receipt: `12 x EUR 9.90 per seat / month`.

    `span` is a cadence, ONCE, or None where it is not told. One of something is told by its
    price alone, where more than the price is told.
    """
    written = voice.price(price, currency)
    if span is None:
        each = (
            written
            if unit is None
            else voice.text("explain.per_unit", price=written, unit=unit)
        )
    elif unit is None:
        each = voice.text(f"per.{span}", price=written)
    else:
        each = voice.text(f"per_unit.{span}", price=written, unit=unit)
    if quantity == 1 and unit is None and span is not None:
        return each
    return voice.text("line.times", quantity=voice.number(quantity), price=each)


def span_of(cadence: Cadence | None, *, once: bool) -> str | None:
    """How a price's cadence is named in the keys of its words."""
    if once:
        return "ONCE"
    return None if cadence is None else cadence.value


def sentence(step: Step, currency: str, voice: Voice) -> str:
    """What a step says."""
    match step:
        case Subtotaled() | CouponTaken() | TaxSummed() | Totaled():
            return _of_total(step, currency, voice)
        case BalanceApplied() | WrittenOff() | DebtCancelled():
            return _of_debt(step, currency, voice)
        case Settled() | TakenBack() | ToBalance() | Due():
            return _of_debt(step, currency, voice)
        case _:
            return _of_line(step, currency, voice)


def _of_line(step: LineStep, currency: str, voice: Voice) -> str:
    money, number, text = voice.money, voice.number, voice.text
    match step:
        case Covered(start=start, end=end, days=days):
            key = "explain.day" if start == end else "explain.days"
            return text(key, days=number(days), span=voice.span(start, end))
        case Counted(instances=instances, units=units, quantity=quantity):
            return text(
                "explain.instances",
                instances=number(instances),
                units=number(units),
                quantity=number(quantity),
            )
        case Multiplied():
            rate = price_words(
                step.unit_price,
                step.quantity,
                step.unit_name,
                span_of(step.cadence, once=step.once),
                currency,
                voice,
            )
            return text("explain.product", rate=rate, amount=voice.exact(step.exact, currency))
        case Prorated():
            return text(
                "explain.prorated",
                days=number(step.days),
                full_days=number(step.full_days),
                full=voice.exact(step.before, currency),
                amount=voice.exact(step.exact, currency),
            )
        case Rounded(amount=amount):
            return text("explain.rounded", amount=money(amount, currency))
        case ChargedOnce():
            return text("explain.once")
        case Included(included=included, overage_rate=overage_rate):
            rate = voice.price(overage_rate, currency)
            return text("usage.capacity", included=number(included), rate=rate)
        case Credited() | BilledBefore() | TrueUp():
            return _of_window(step, currency, voice)
        case Shared() | Discounted():
            return _of_discount(step, currency, voice)
        case Taxed() | Ruled() | Noted():
            return _of_tax(step, currency, voice)
        case _:
            return _of_usage(step, currency, voice)


def _of_window(step: Credited | BilledBefore | TrueUp, currency: str, voice: Voice) -> str:
    money = voice.money
    match step:
        case Credited(discount=0, credit=credit):
            return voice.text("explain.credit", credit=money(credit, currency))
        case Credited(discount=discount, credit=credit):
            return voice.text(
                "explain.credit_less",
                credit=money(credit, currency),
                discount=money(discount, currency),
            )
        case BilledBefore(before=before, held=held, rest=rest):
            return voice.text(
                "explain.before_held" if held else "explain.before",
                before=money(before, currency),
                rest=money(rest, currency),
                **({"held": money(held, currency)} if held else {}),
            )
        case TrueUp():
            return voice.text(
                "explain.true_up",
                minimum=voice.price(step.minimum, currency),
                days=voice.number(step.days),
                full_days=voice.number(step.full_days),
                least=money(step.least, currency),
                cost=money(step.cost, currency),
                missing=money(step.missing, currency),
            )
    assert_never(step)


def _of_usage(
    step: Metered | Beyond | Blocks | PricedPart | Summed | Unpriced,
    currency: str,
    voice: Voice,
) -> str:
    number, text = voice.number, voice.text
    match step:
        case Metered(usage=usage, group=None):
            return text("explain.used", usage=number(usage))
        case Metered(usage=usage, group=group):
            return text("explain.used_by", usage=number(usage), group=group or "")
        case Beyond(usage=usage, allowance=allowance, quantity=quantity):
            return text(
                "explain.beyond",
                usage=number(usage),
                included=number(allowance),
                quantity=number(quantity),
            )
        case Blocks(block_size=size, blocks=blocks):
            return text("explain.blocks", size=number(size), blocks=number(blocks))
        case PricedPart():
            return _of_part(step, currency, voice)
        case Summed(exact=exact):
            return text("explain.summed", amount=voice.exact(exact, currency))
        case Unpriced(usage=usage):
            return text("explain.unpriced", usage=number(usage))
    assert_never(step)


def _of_part(step: PricedPart, currency: str, voice: Voice) -> str:
    """`First units: 100 x EUR 0.10 + EUR 5.00, at most EUR 12.00 = EUR 12.00`."""
    text = voice.text
    formula = text(
        "line.times",
        quantity=voice.number(step.quantity),
        price=voice.price(step.rate, currency),
    )
    if step.flat_fee:
        formula = text(
            "explain.plus", formula=formula, fee=voice.price(step.flat_fee, currency)
        )
    if step.flat_cap is not None:
        formula = text(
            "explain.capped", formula=formula, cap=voice.price(step.flat_cap, currency)
        )
    amount = text("explain.product", rate=formula, amount=voice.exact(step.exact, currency))
    if step.dimensions:
        name = " / ".join(f"{one.key} {one.value}" for one in step.dimensions)
    elif step.first_unit is None:
        return amount
    elif step.next_unit is None:
        name = text("explain.tier", first=voice.number(step.first_unit))
    else:
        name = text(
            "explain.tier_to",
            first=voice.number(step.first_unit),
            next=voice.number(step.next_unit),
        )
    return text("explain.part", name=name, amount=amount)


def _of_discount(step: Shared | Discounted, currency: str, voice: Voice) -> str:
    money = voice.money
    match step:
        case Shared():
            return voice.text(
                "explain.share",
                discount=money(step.discount, currency),
                weight=money(step.weight, currency),
                weights=money(step.weights, currency),
                exact=voice.exact(step.exact, currency),
            )
        case Discounted(share=share, rest=rest):
            return voice.text(
                "explain.discount", discount=money(share, currency), rest=money(rest, currency)
            )
    assert_never(step)


def _of_tax(step: Taxed | Ruled | Noted, currency: str, voice: Voice) -> str:
    match step:
        case Taxed():
            key = "explain.tax_included" if step.included else "explain.tax"
            values = {
                "tax": _tax_words(step.name, step.rate, voice),
                "net": voice.money(step.net, currency),
                "amount": voice.money(step.amount, currency),
            }
            if step.exact.denominator == 1:
                return voice.text(key, **values)
            values["exact"] = voice.exact(step.exact, currency)
            if step.included:
                values["base"] = voice.money(step.base, currency)
            return voice.text(f"{key}_rounded", **values)
        case Ruled(why=why):
            return voice.text(f"tax_why.{why.value}")
        case Noted(reason=reason):
            return voice.text("explain.note", reason=reason)
    assert_never(step)


def _tax_words(name: str, rate: Decimal, voice: Voice) -> str:
    return voice.text("tax.rate", name=voice.tax(name), rate=voice.percent(rate))


def _of_total(
    step: Subtotaled | CouponTaken | TaxSummed | Totaled, currency: str, voice: Voice
) -> str:
    money, text = voice.money, voice.text
    match step:
        case Subtotaled(quoted=quoted, subtotal=subtotal) if quoted == subtotal:
            return text("explain.subtotal", amount=money(subtotal, currency))
        case Subtotaled(quoted=quoted, subtotal=subtotal):
            return text(
                "explain.subtotal_included",
                quoted=money(quoted, currency),
                amount=money(subtotal, currency),
            )
        case CouponTaken():
            return _of_coupon(step, currency, voice)
        case TaxSummed():
            if step.exemption is not None:
                return text("explain.untaxed", reason=step.reason or step.name)
            return text(
                "explain.tax",
                tax=_tax_words(step.name, step.rate, voice),
                net=money(step.taxable, currency),
                amount=money(step.tax, currency),
            )
        case Totaled():
            return text(
                "explain.total",
                subtotal=money(step.subtotal, currency),
                discount=money(step.discount, currency),
                tax=money(step.tax, currency),
                total=money(step.total, currency),
            )
    assert_never(step)


def _of_debt(step: DebtStep, currency: str, voice: Voice) -> str:
    """What became of the total."""
    money, text = voice.money, voice.text
    match step:
        case BalanceApplied(amount=amount):
            return text("explain.balance", amount=money(amount, currency))
        case WrittenOff(amount=amount):
            return text("explain.written_off", amount=money(amount, currency))
        case DebtCancelled(amount=amount):
            return text("explain.cancelled", amount=money(amount, currency))
        case Settled(amount=amount):
            return text("explain.settled", amount=money(amount, currency))
        case TakenBack(amount=amount):
            return text("explain.taken_back", amount=money(amount, currency))
        case ToBalance(amount=amount):
            return text("explain.to_balance", amount=money(amount, currency))
        case Due(amount=None):
            return text("explain.void")
        case Due(amount=amount):
            assert amount is not None, "matched above"
            return text("explain.due", amount=money(amount, currency))
    assert_never(step)


def _of_coupon(step: CouponTaken, currency: str, voice: Voice) -> str:
    values = {
        "code": step.code,
        "remaining": voice.money(step.remaining, currency),
        "amount": voice.money(step.amount, currency),
    }
    if step.percentage is not None:
        rate = voice.percent(step.percentage / 100)
        exact = voice.exact(step.exact, currency)
        return voice.text("explain.coupon_rate", rate=rate, exact=exact, **values)
    assert step.fixed is not None, "a coupon takes a share or an amount"
    fixed = voice.price(step.fixed, currency)
    if step.given:
        given = voice.money(step.given, currency)
        return voice.text("explain.coupon_left", fixed=fixed, given=given, **values)
    return voice.text("explain.coupon_fixed", fixed=fixed, **values)
