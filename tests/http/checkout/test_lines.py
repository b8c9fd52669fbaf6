"""The lines of an order: on the page before it is paid, and on the confirmation after."""

from dataclasses import replace

from babel import Locale

from tallystick.http.checkout.receipt import make_receipt
from tallystick.http.checkout.summary import summarize
from tallystick.http.checkout.words import teller_for
from tests.http.checkout.stories import ACME, FULL, SIMPLE, completed, priced

ENGLISH = teller_for(Locale.parse("en_GB"))
TIMES = "\N{MULTIPLICATION SIGN}"
THIN, DASH = "\N{THIN SPACE}", "\N{EN DASH}"


def test_the_confirmation_says_how_many_and_for_which_days() -> None:
    """Each line of the confirmation has its quantity, its unit price and its period."""
    made = make_receipt(completed(priced(SIMPLE)), SIMPLE, ACME, None, ENGLISH)
    days = f"23 Nov{THIN}{DASH}{THIN}22 Dec 2026"

    assert [(line.label, line.note) for line in made.lines] == [
        ("Team seats", f"12 {TIMES} €9.90 per seat / month \N{MIDDLE DOT} {days}")
    ]

    full = make_receipt(completed(priced(FULL)), FULL, ACME, None, ENGLISH)
    assert all(line.note for line in full.lines)


def test_a_plan_of_nothing_is_free() -> None:
    """Where nothing is ever billed, the plan itself stands as the line, free of charge."""
    offer = replace(SIMPLE, items=())
    found = summarize(priced(offer), offer, ENGLISH)

    assert [(line.name, line.tag, line.amount) for line in found.lines] == [
        ("Acme Cloud Team", "free of charge", None)
    ]
    assert found.renewal is None
