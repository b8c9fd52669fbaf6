"""Lines of a change, and of a consolidated invoice, lead to their figures as any other."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tallystick.domain.charges import Before, Charge, Replaced
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_invoice import KeptInvoice, explain_invoice
from tallystick.domain.metered import Meter, nothing_used
from tallystick.domain.pricing import PerUnit, RatePricing, UsagePricing
from tests.domain.explained import JANUARY, STUB, charged
from tests.domain.kept import kept_of, sentences_of
from tests.domain.samples import billed, charges_of, item, taxed_at

FEE = item(RatePricing(rate=Decimal(92)))
OLD = Replaced(unit_price=Decimal(46), units=1, instances=1, amount=4250, credit=4000)
"""46.00 for 85 of 92 days, of which 40.00 are given back."""


def netted(replaced: Replaced = OLD, given: int = 4000) -> Charge:
    """92.00 for 85 of 92 days, less what is given back of the old price."""
    whole = charged(FEE, STUB)
    return replace(whole, amount=whole.amount - given, replaced=replaced)


def kept(charge: Charge) -> KeptInvoice:
    """Its invoice."""
    made = kept_of(billed([charge], taxed_at("0.2")))
    return replace(made, amount_due=max(made.total, 0))


def test_new_less_old_is_explained() -> None:
    """85.00 less 40.00, taxed."""
    explained = explain_invoice(kept(netted()))
    assert [one.line.amount for one in explained.lines] == [4500]
    everything = explain_invoice(kept(netted(replace(OLD, credit=4250), 4250)))
    assert [one.line.amount for one in everything.lines] == [4250]
    nothing = explain_invoice(kept(netted(replace(OLD, credit=0), 0)))
    assert [one.line.amount for one in nothing.lines] == [8500]


@pytest.mark.parametrize(
    ("replaced", "given", "words"),
    [
        (replace(OLD, amount=4251), 4000, "what it replaces comes to 4250, and 4251 is stored"),
        (replace(OLD, unit_price=Decimal(23)), 4000, "what it replaces comes to 2125"),
        (replace(OLD, units=2), 4000, "what it replaces comes to 8500"),
        (replace(OLD, instances=3), 4000, "what it replaces comes to 12750"),
        (replace(OLD, credit=4251), 4251, "more is given back than"),
        (replace(OLD, credit=-1), -1, "more is given back than"),
        (OLD, 4001, "the amount as quoted comes to 4500, and 4499 is stored"),
    ],
)
def test_what_is_given_back_must_follow(replaced: Replaced, given: int, words: str) -> None:
    """From the old price, for the days, and no more than it came to."""
    with pytest.raises(Unexplained, match=words):
        explain_invoice(kept(netted(replaced, given)))


def test_what_is_held_back_is_never_above_zero() -> None:
    """A line of usage that takes back what was billed before may bill too little, not more."""
    whole = charged(FEE, JANUARY)
    before = Before(amount=whole.amount + 5, quantity=Decimal(1))
    for held in (-5, -3, 0):
        explain_invoice(kept(replace(whole, amount=held, before=before)))
    for wrong in (-6, 1):
        with pytest.raises(Unexplained, match="the amount as quoted comes to -5"):
            explain_invoice(kept(replace(whole, amount=wrong, before=before)))


def test_what_is_written_off_is_told() -> None:
    """30 cents that nobody is asked for."""
    made = kept_of(billed([charged(item(RatePricing(rate=Decimal("0.30"))), JANUARY)]))
    off = replace(made, written_off=30, amount_due=0)
    assert sentences_of(explain_invoice(off))[-1][-2:] == [
        "EUR 0.30 is waived: too small to charge",
        "To be paid: EUR 0.00",
    ]


def test_lines_of_several_drafts_are_those_of_the_invoice() -> None:
    """Each is told with the figures of the one invoice that carries it."""
    first, second = (kept_of(billed(charges_of(amount))) for amount in (100, 200))
    whole = replace(
        second,
        lines=(*first.lines, *second.lines),
        subtotal=300,
        total=300,
        amount_due=300,
        members=(first, second),
    )
    explained = explain_invoice(whole)
    assert [one.line for one in explained.lines] == [*first.lines, *second.lines]


def test_a_window_in_which_nothing_was_used() -> None:
    """None of it lacks a price: there was none."""
    metered = item(UsagePricing(model=PerUnit(rate=Decimal(1))))
    none = nothing_used(Meter(item=metered, window=JANUARY.billed), None)
    (line, _) = sentences_of(explain_invoice(kept(none)))
    assert "Used: 0" in line
