"""What of an invoice's line is credited: shares that sum to the line, whoever cuts them.

A share is taken from what is left of the line, in proportion, each amount rounded once; what
takes all that is left takes the remainders. So no share exceeds what is left, and however a
line is cut, its shares sum to it to the cent, discount and each tax included.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from tallystick.domain.charges import Computation
from tallystick.domain.money import allocate, rounded, rounded_ratio
from tallystick.domain.tax import TaxAmount, TaxDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a line: amount - discount + taxes = total, in minor units.

    `taxes` are in the order of the line's rates. `quantity` is set where it was cut by one.
    """

    amount: int
    discount: int
    taxes: tuple[int, ...]
    quantity: Decimal | None = None

    @property
    def tax(self) -> int:
        """The tax of all rates."""
        return sum(self.taxes)

    @property
    def total(self) -> int:
        """What it comes to."""
        return self.amount - self.discount + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledLine:
    """A line of a final invoice, and the shares of it that were credited before.

    Its own amounts as on the invoice: below zero on a line that gave something back.
    """

    id: UUID
    name: str
    product_id: UUID | None
    start_date: date
    end_date: date
    quantity: Decimal | None
    amount: int
    discount: int
    taxes: tuple[TaxAmount, ...]
    tax_rate: Decimal
    decision: TaxDecision
    credited: tuple[Share, ...] = ()
    computation: Computation | None = None

    @property
    def left(self) -> Share:
        """What was not credited yet."""
        return Share(
            amount=self.amount - sum(one.amount for one in self.credited),
            discount=self.discount - sum(one.discount for one in self.credited),
            taxes=tuple(
                tax.amount - sum(one.taxes[place] for one in self.credited)
                for place, tax in enumerate(self.taxes)
            ),
        )

    @property
    def is_credited(self) -> bool:
        """Whether nothing is left of it."""
        left = self.left
        return not (left.amount or left.discount or any(left.taxes))

    @property
    def credited_quantity(self) -> Fraction:
        """How much of its quantity was credited, amounts counted in proportion."""
        assert self.quantity is not None, "a line that is cut by quantity has one"
        if self.left.amount == 0:
            return Fraction(self.quantity)
        return sum(
            (
                Fraction(one.quantity)
                if one.quantity is not None
                else quantity_of(self, one.amount)
                for one in self.credited
            ),
            start=Fraction(0),
        )


def quantity_of(line: BilledLine, amount: int) -> Fraction:
    """The part of the line's quantity that an amount of it stands for."""
    assert line.quantity is not None, "only a line with a quantity has parts of it"
    return Fraction(line.quantity) * amount / line.amount


def by_amount(line: BilledLine, amount: int) -> Share:
    """The share of a line whose amount, before discount and tax, is `amount`.

    It has the line's sign and is at most what is left of it.
    """
    left = line.left
    assert 0 < amount * _sign(left.amount) <= abs(left.amount), "no more than is left"
    return Share(
        amount=amount,
        discount=rounded_ratio(left.discount * amount * _sign(left.amount), abs(left.amount)),
        taxes=tuple(
            rounded_ratio(tax * amount * _sign(left.amount), abs(left.amount))
            for tax in left.taxes
        ),
    )


def by_total(line: BilledLine, total: int) -> Share:
    """The share of a line that comes to `total`, discount and tax included.

    The line is worth something, and at least `total` is left of it.
    """
    left = line.left
    assert 0 <= total <= left.total, "no more than is left"
    bare = left.amount - left.discount
    net, *taxes = allocate(total, [bare, *left.taxes])
    discount = rounded_ratio(left.discount * net, bare) if bare else left.discount
    return Share(amount=net + discount, discount=discount, taxes=tuple(taxes))


def by_quantity(line: BilledLine, quantity: Decimal) -> Share:
    """The share of a line that a quantity of it stands for.

    Its amount is the difference of two roundings, so that equal quantities make up the line
    with no cent between them. At most what is left of the quantity.
    """
    before = line.credited_quantity
    assert line.quantity is not None, "a line that is cut by quantity has one"
    whole = Fraction(line.quantity)
    after = before + Fraction(quantity)
    assert before < after <= whole, "no more than is left"
    left = line.left
    if after == whole:
        share = left
    else:
        due = rounded(line.amount * after / whole)
        amount = due - (line.amount - left.amount)
        share = by_amount(line, amount) if amount else _nothing(line)
    return Share(
        amount=share.amount, discount=share.discount, taxes=share.taxes, quantity=quantity
    )


def at_most(line: BilledLine, amount: int) -> Share | None:
    """The share of an amount as far as something of it is left; None where nothing is."""
    left = line.left.amount
    if left == 0:
        return None
    return by_amount(line, _sign(left) * min(abs(amount), abs(left)))


def _nothing(line: BilledLine) -> Share:
    return Share(amount=0, discount=0, taxes=(0,) * len(line.taxes))


def _sign(amount: int) -> int:
    return -1 if amount < 0 else 1
