"""The voice of the API and of the command line: English, with currencies by their codes.

The buyer's page says the same in four languages, English among them; a test holds its texts to
these. Only who is spoken to differs: the page speaks to the buyer, this of the customer.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from tallystick.domain.explanation import Step
from tallystick.domain.money import exponent, major
from tallystick.domain.sentences import sentence

_DECIMALS_MAX = 12
"""As many decimals as a price may have on the wire; what needs more is cut."""
_DECIMALS_OF_ENDLESS = 4
"""Decimals beyond the currency's own of a number that has no end."""
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "line.times": "{quantity} \N{MULTIPLICATION SIGN} {price}",
        "per.MONTHLY": "{price} / month",
        "per.QUARTERLY": "{price} / quarter",
        "per.SEMIANNUAL": "{price} / 6 months",
        "per.ANNUAL": "{price} / year",
        "per.ONCE": "{price} once",
        "per_unit.MONTHLY": "{price} per {unit} / month",
        "per_unit.QUARTERLY": "{price} per {unit} / quarter",
        "per_unit.SEMIANNUAL": "{price} per {unit} / 6 months",
        "per_unit.ANNUAL": "{price} per {unit} / year",
        "per_unit.ONCE": "{price} per {unit} once",
        "explain.per_unit": "{price} per {unit}",
        "explain.days": "For {span}, days: {days}",
        "explain.day": "For {span}",
        "explain.product": "{rate} = {amount}",
        "explain.instances": "{instances} \N{MULTIPLICATION SIGN} {units} = {quantity}",
        "explain.prorated": "This period has {days} of {full_days} days:"
        " {full} \N{MULTIPLICATION SIGN} {days}/{full_days} = {amount}",
        "explain.rounded": "Rounded to {amount}",
        "explain.once": "Charged once.",
        "explain.credit": "Given back: {credit}",
        "explain.credit_less": "Given back: {credit}, less {discount} that were"
        " discounted or given back already",
        "explain.used": "Used: {usage}",
        "explain.used_by": "Used by {group}: {usage}",
        "explain.beyond": "{usage} used, {included} included: {quantity} beyond them",
        "explain.blocks": "Blocks of {size} begun: {blocks}",
        "explain.part": "{name}: {amount}",
        "explain.tier": "From {first} units",
        "explain.tier_to": "From {first} to {next} units",
        "explain.plus": "{formula} + {fee}",
        "explain.capped": "{formula}, at most {cap}",
        "explain.summed": "Together {amount}",
        "explain.unpriced": "Used without a price, so it costs nothing: {usage}",
        "explain.share": "Its share of the discount:"
        " {discount} \N{MULTIPLICATION SIGN} {weight} / {weights} = {exact}",
        "explain.discount": "Less its share of the discount, {discount}, leaves {rest}",
        "explain.tax": "{tax} on {net} = {amount}",
        "explain.tax_rounded": "{tax} on {net} = {exact}, rounded to {amount}",
        "explain.tax_included": "{tax} included: {amount} on {net}",
        "explain.tax_included_rounded": "{tax} included in {base}: {exact}, rounded to"
        " {amount}, on {net}",
        "explain.note": "On the invoice: {reason}",
        "explain.subtotal": "The lines come to {amount}",
        "explain.subtotal_included": "The lines come to {quoted} with tax, {amount} without it",
        "explain.before": "Less {before} that earlier invoices billed of it leaves {rest}",
        "explain.before_held": "Less {before} that earlier invoices billed of it; {held} is"
        " not given back, which leaves {rest}",
        "explain.true_up": "The period costs at least {minimum}, for {days} of {full_days}"
        " days {least}; it cost {cost}, so {missing} is missing",
        "explain.coupon_left": "Code {code} takes off {amount}: {fixed} less {given} given"
        " earlier in this period, of {remaining}",
        "explain.coupon_rate": "Code {code} takes off {amount}:"
        " {rate} of {remaining} = {exact}",
        "explain.coupon_fixed": "Code {code} takes off {amount}: {fixed} of {remaining}",
        "explain.untaxed": "No tax: {reason}",
        "explain.total": "{subtotal} \N{MINUS SIGN} {discount} + {tax} = {total}",
        "explain.balance": "The account balance pays {amount}",
        "explain.written_off": "{amount} is waived: too small to charge",
        "explain.cancelled": "Credit notes take {amount} off the debt",
        "explain.settled": "Paid: {amount}",
        "explain.taken_back": "Taken back by the payment provider: {amount}",
        "explain.to_balance": "Came back when nothing was due, to the account balance:"
        " {amount}",
        "explain.due": "To be paid: {amount}",
        "explain.void": "This invoice is void: nothing is to be paid.",
        "usage.capacity": "{included} units included; each one beyond them costs {rate},"
        " billed at the end of each period",
        "tax.rate": "{name} {rate}",
        "tax_why.ENGINE_OFF": "No tax is charged: the seller's tax engine is off.",
        "tax_why.EXEMPT": "No tax is charged because the customer is exempt from it.",
        "tax_why.REVERSE_CHARGE": "No VAT is charged: the customer accounts for it in their"
        " country (reverse charge).",
        "tax_why.PRODUCT": "This product has a tax rate of its own.",
        "tax_why.CUSTOM": "The tax rate agreed for the customer applies.",
        "tax_why.EU_DOMESTIC": "The VAT rate of the customer's country applies, which is the"
        " seller's too.",
        "tax_why.EU_DESTINATION": "The VAT rate of the customer's country applies.",
        "tax_why.EU_ORIGIN": "The VAT rate of the seller's country applies.",
        "tax_why.EXPORT": "No VAT is charged because the customer is outside the European"
        " Union.",
        "tax_why.NOT_REGISTERED": "No VAT is charged because the seller is outside the European"
        " Union.",
        "tax_why.NO_VAT_TERRITORY": "No VAT is charged because the customer's territory is"
        " outside the European Union's VAT area.",
        "tax_why.COUNTRY_UNKNOWN": "No tax is charged: it depends on the customer's country,"
        " which is not known.",
        "tax_why.NONE": "No tax is charged: no rate applies.",
    }
)
"""Every text of an explanation by its key."""


class PlainEnglish:
    """English; a currency stands before its amount by its code, and days are ISO 8601."""

    def text(self, key: str, **values: str) -> str:
        """The text of a key, with its placeholders filled in."""
        return TEXTS[key].format(**values)

    def money(self, amount: int, currency: str) -> str:
        """`EUR 1,234.50`; what is below zero has a minus before all of it."""
        return self.price(major(amount, currency), currency)

    def exact(self, amount: Fraction, currency: str) -> str:
        """Minor units before rounding: `EUR 83.1521...` where the number has no end."""
        places = exponent(currency)
        scaled, is_cut = decimal_of(amount / 10**places, places + _DECIMALS_OF_ENDLESS)
        return self.price(scaled, currency) + (_ELLIPSIS if is_cut else "")

    def price(self, price: Decimal, currency: str) -> str:
        """`EUR 0.004`: the decimals it needs, and never fewer than the currency has."""
        sign = "\N{MINUS SIGN}" if price < 0 else ""
        number = _grouped(abs(price), exponent(currency))
        return f"{sign}{currency} {number}"

    def number(self, value: Fraction | int) -> str:
        """`1,234.5`."""
        shown, is_cut = decimal_of(Fraction(value), _DECIMALS_OF_ENDLESS)
        sign = "\N{MINUS SIGN}" if shown < 0 else ""
        return f"{sign}{_grouped(abs(shown), 0)}{_ELLIPSIS if is_cut else ''}"

    def percent(self, rate: Decimal) -> str:
        """`5.5%`."""
        return f"{_grouped(rate * 100, 0)}%"

    def span(self, start: date, end: date) -> str:
        """`2026-03-10 to 2026-04-09`."""
        if end <= start:
            return start.isoformat()
        return f"{start.isoformat()} to {(end - timedelta(days=1)).isoformat()}"

    def tax(self, name: str) -> str:
        """The name as it is."""
        return name


PLAIN_ENGLISH = PlainEnglish()


def tell(step: Step, currency: str) -> str:
    """What a step says, in plain English."""
    return sentence(step, currency, PLAIN_ENGLISH)


def decimal_of(value: Fraction, decimals: int) -> tuple[Decimal, bool]:
    """A number as a decimal, and whether it had to be cut, to `decimals` then.

    It is shown, never computed with.
    """
    scale: int = 10**_DECIMALS_MAX
    if (value * scale).denominator == 1:
        return _scaled(int(value * scale), _DECIMALS_MAX), False
    shortened: int = 10**decimals
    # Towards zero, so that the digits that are shown are its own.
    cut = abs(value) * shortened // 1
    return _scaled(int(cut) if value > 0 else -int(cut), decimals), True


def _scaled(digits: int, decimals: int) -> Decimal:
    return Decimal(digits).scaleb(-decimals)


def _grouped(number: Decimal, least: int) -> str:
    """Thousands apart, without zeros at the end beyond the decimals that there are at least."""
    whole, _, decimals = f"{number:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    shown = f"{int(whole):,}"
    return f"{shown}.{decimals}" if decimals else shown
