"""A stored line of an invoice, and its charge, computed again from what is kept of it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallystick.domain.bill import BillLine
from tallystick.domain.charges import Charge, Replaced
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_line import exact_amount, least_amount, replaced_amount
from tallystick.domain.invoice import LineExplanation
from tallystick.domain.money import rounded
from tallystick.domain.tax import TaxAmount
from tallystick.domain.usage_again import priced_again, quantities_follow


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """A line as it is stored, with what is kept of how it came about."""

    id: UUID
    item_id: UUID
    product_id: UUID
    name: str
    start_date: date
    end_date: date
    amount: int
    discount: int
    tax: int
    amount_total: int
    taxes: tuple[TaxAmount, ...]
    explanation: LineExplanation


def charge_again(line: KeptLine, currency: str) -> Charge:
    """The charge of a line, its amount computed and its usage priced again.

    Raises `Unexplained` where that is not what is stored.
    """
    how, usage = line.explanation, line.explanation.usage
    if usage is not None:
        if not quantities_follow(usage):
            raise Unexplained(f"{line.name}: what is paid for does not follow from the usage.")
        again = priced_again(usage, currency)
        if again != usage:
            agree(f"{line.name}: its usage", again.amount, usage.amount)
            raise Unexplained(f"{line.name}: the parts of its usage do not add up.")
    charge = Charge(
        item_id=line.item_id,
        product_id=line.product_id,
        name=line.name,
        start=line.start_date,
        end=line.end_date,
        amount=how.quoted_amount,
        computation=how.computation,
        usage=usage,
        before=how.before,
        shortfall=how.shortfall,
        replaced=how.replaced,
    )
    computed = _quoted(charge, currency)
    # What was billed too much before is taken back as far as the invoice bears it.
    held = how.before is not None and computed < how.quoted_amount <= 0
    # A credit gives back what was paid: at most the price, less the discount that it had.
    gives_back = usage is None and how.replaced is None and -computed <= how.quoted_amount < 0
    agree(
        f"{line.name}: the amount as quoted",
        how.quoted_amount if held or gives_back else computed,
        how.quoted_amount,
    )
    return charge


def _quoted(charge: Charge, currency: str) -> int:
    """What a charge comes to, less what earlier invoices billed of it."""
    missing = charge.shortfall
    if missing is not None:
        least = rounded(least_amount(charge, currency))
        agree(f"{charge.name}: the minimum", least, missing.least)
        return least - missing.cost
    before = 0 if charge.before is None else charge.before.amount
    if charge.replaced is not None:
        before = _given_back(charge, charge.replaced, currency)
    return rounded(exact_amount(charge, currency)) - before


def _given_back(charge: Charge, replaced: Replaced, currency: str) -> int:
    """What is taken off a line for what it replaces: at most the price of that by days."""
    again = rounded(replaced_amount(charge, replaced, currency))
    agree(f"{charge.name}: what it replaces", again, replaced.amount)
    if not 0 <= replaced.credit <= replaced.amount:
        raise Unexplained(f"{charge.name}: more is given back than what it replaces came to.")
    return replaced.credit


def check_line(line: KeptLine, again: BillLine) -> None:
    """A line's discount, taxes and sums are those that its computation gives.

    Raises `Unexplained` where they are not.
    """
    name = line.name
    agree(
        f"{name}: the share of the discount", again.discount, line.explanation.quoted_discount
    )
    agree(f"{name}: the amount", again.amount_net, line.amount)
    agree(f"{name}: the discount", again.discount_net, line.discount)
    if [one.rate for one in again.taxes] != [one.rate for one in line.taxes]:
        raise Unexplained(f"{name}: the taxes are others than were decided.")
    for computed, stored in zip(again.taxes, line.taxes, strict=True):
        agree(f"{name}: the tax {stored.rate.name}", computed.amount, stored.amount)
    agree(f"{name}: the tax", again.tax, line.tax)
    agree(f"{name}: the total", again.total, line.amount_total)


def agree(what: str, computed: int, stored: int) -> None:
    """What is computed is what is stored, else `Unexplained` names it."""
    if computed != stored:
        raise Unexplained(
            f"This invoice cannot be explained: {what} comes to {computed}, and {stored} is"
            " stored (in minor units). Look at it with `tallystick doctor`."
        )
