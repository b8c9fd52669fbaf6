"""What a buyer agrees to, and what happens when it is not what they saw."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from babel import Locale

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer, Offer, OnlinePayment
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import OneTimeFee, OneTimePricing
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.http.checkout.changes import changes
from tallystick.http.checkout.finish import agreed_text
from tallystick.http.checkout.summary import summarize
from tallystick.http.checkout.words import teller_for
from tests.http.checkout.buyer import CARD
from tests.http.checkout.conftest import Visit
from tests.http.checkout.stories import (
    ACME,
    LAUNCH20,
    ONBOARDING,
    PLATFORM,
    REDEEMABLE,
    SEATS,
    SIMPLE,
    TRIAL,
    priced,
    uid,
)
from tests.world import World

ENGLISH = teller_for(Locale.parse("en_GB"))
AUTUMN = replace(
    LAUNCH20,
    id=uid(502),
    code="AUTUMN",
    discount=Percentage(percentage=Decimal("7.5")),
    recurring_value=5,
)
BOTH = {LAUNCH20.id: REDEEMABLE, AUTUMN.id: REDEEMABLE}


def changed(offer: Offer, before: Quote, now: Quote) -> list[tuple[str, str, str]]:
    """What differs between two quotes of an offer: label, before, now."""
    return [(c.label, c.before, c.now) for c in changes(before.canonical, now, offer, ENGLISH)]


def test_the_consent_names_amount_rhythm_and_way_out() -> None:
    """What is agreed to: who may charge what, when, how often, and how to end it."""
    assert agreed_text(priced(TRIAL), TRIAL, ACME, None, None, ENGLISH) == (
        "By confirming, you allow Acme Cloud to charge this payment method for this "
        "subscription: the next time €141.37 on 7 December 2026. It renews every month until "
        "you cancel. You can cancel at any time by writing to Acme Cloud at "
        "billing@acme.example; it then ends with the period that is paid."
    )


def test_the_consent_names_every_amount_to_come() -> None:
    """While coupons run out one after the other, each amount is named with its day."""
    offer = replace(SIMPLE, coupons=(LAUNCH20, AUTUMN))
    quote = priced(offer, states=BOTH)
    text = agreed_text(quote, offer, ACME, None, None, ENGLISH)

    assert len(quote.upcoming) == 3
    assert text is not None
    assert text.startswith(
        "By confirming, you allow Acme Cloud to charge this payment method for this "
        "subscription: the next time €104.61 on 23 December 2026; from 23 February 2027 "
        "€130.77; from 23 April 2027 €141.37. It renews every month until you cancel. You can "
        "cancel at any time"
    )
    assert [(step.when, step.amount) for step in summarize(quote, offer, ENGLISH).steps] == [
        ("Today", "€104.61"),
        ("23 December 2026", "€104.61"),
        ("23 February 2027", "€130.77"),
        ("23 April 2027", "€141.37"),
    ]


def test_the_consent_of_mixed_rhythms_names_each_amount_once() -> None:
    """Where a yearly fee meets monthly ones, no amount is said to stay."""
    yearly = replace(PLATFORM, cadence=Cadence.ANNUAL)
    offer = replace(SIMPLE, items=(SEATS, yearly))
    text = agreed_text(priced(offer), offer, ACME, None, None, ENGLISH)

    assert text is not None
    assert (
        "the next time €141.37 on 23 December 2026; €294.88 for the first time on "
        "23 November 2027. It renews every month until you cancel."
    ) in text


def test_the_consent_to_what_ends_names_the_end() -> None:
    """Where a last day is agreed, it stands in the consent with the rhythm until then."""
    offer = replace(SIMPLE, end_date=date(2027, 1, 23))
    text = agreed_text(priced(offer), offer, ACME, None, None, ENGLISH)

    assert text is not None
    assert "It is charged every month and its last day is 22 January 2027." in text


@pytest.mark.parametrize(
    "offer",
    [
        replace(SIMPLE, items=(ONBOARDING,)),
        replace(SIMPLE, end_date=date(2026, 12, 23)),
        replace(SIMPLE, items=(PLATFORM,), end_date=date(2026, 12, 1)),
    ],
    ids=["one-time", "seats for a month", "a fee for a week"],
)
def test_the_consent_where_nothing_is_planned_names_what_may_come(offer: Offer) -> None:
    """The method is kept for later invoices: no amount, no day and no rhythm is made up."""
    quote = priced(offer)

    assert (quote.kind, quote.upcoming) == (AttemptKind.PAYMENT, ())
    assert agreed_text(quote, offer, ACME, None, None, ENGLISH) == (
        "By confirming, you allow Acme Cloud to keep this payment method and to charge later "
        "invoices of this subscription to it. None is planned so far. You can cancel at any "
        "time by writing to Acme Cloud at billing@acme.example; it then ends with the period "
        "that is paid."
    )


def test_without_later_charges_by_themselves_there_is_no_consent() -> None:
    """Where later invoices are not charged automatically, paying by card agrees to nothing."""
    offer = replace(SIMPLE, charge_automatically=False)

    assert agreed_text(priced(offer), offer, ACME, None, None, ENGLISH) is None


def test_changes_name_what_differs_only() -> None:
    """Two quotes side by side: the figures that differ, before and now."""
    before, now = priced(SIMPLE, country="FR"), priced(SIMPLE, country="DE")

    assert changed(SIMPLE, before, now) == [
        ("Tax", "€23.76", "€22.57"),
        ("Due today", "€142.56", "€141.37"),
        ("Next payment", "€142.56, 23 Dec 2026", "€141.37, 23 Dec 2026"),
    ]
    assert changes("", now, SIMPLE, ENGLISH) == ()


def test_changes_of_prices_with_tax_name_what_the_page_shows() -> None:
    """With the tax inside, another country changes the tax, and neither subtotal nor due."""
    offer = replace(SIMPLE, tax_inclusive=True)

    assert changed(offer, priced(offer, country="FR"), priced(offer, country="DE")) == [
        ("Tax", "€19.80", "€18.97")
    ]


def test_a_page_left_open_names_the_days_that_moved() -> None:
    """A day later an invoice has another date, and is to be paid by another day."""
    offer = replace(SIMPLE, payment=BankTransfer(), charge_automatically=False, anchor=1)
    tomorrow = date(2026, 11, 24)
    moved = [
        row
        for row in changed(offer, priced(offer), priced(offer, today=tomorrow))
        if row[1].endswith("2026") and "," not in row[1]
    ]

    assert moved == [
        ("Invoice date", "23 November 2026", "24 November 2026"),
        ("Due date", "7 December 2026", "8 December 2026"),
        ("Start", "23 November 2026", "24 November 2026"),
    ]


def test_a_page_left_open_before_a_start_names_the_day() -> None:
    """Where nothing is billed today, the day itself is what moved."""
    offer = replace(SIMPLE, start_date=date(2026, 12, 1))
    found = changed(offer, priced(offer), priced(offer, today=date(2026, 11, 24)))

    assert found == [("Today", "23 November 2026", "24 November 2026")]


def test_changes_name_every_later_amount() -> None:
    """A change of an amount far ahead is named with its day."""
    offer = replace(SIMPLE, coupons=(LAUNCH20, AUTUMN))
    disabled = {LAUNCH20.id: REDEEMABLE, AUTUMN.id: replace(REDEEMABLE, disabled=True)}
    found = changed(offer, priced(offer, states=BOTH), priced(offer, states=disabled))

    assert found == [
        ("Discount", "€30.89", "€23.76"),
        ("Tax", "€16.70", "€18.06"),
        ("Due today", "€104.61", "€113.10"),
        ("Next payment", "€104.61, 23 Dec 2026", "€113.10, 23 Dec 2026"),
        ("23 Feb 2027", "€130.77", "€141.37"),
        ("23 Apr 2027", "€141.37", "\N{EN DASH}"),
    ]


async def test_what_nothing_follows_is_paid_with_a_card_that_is_kept(
    visit: Visit, world: World
) -> None:
    """A fee that is charged once: the page tells that the card is kept, and it is."""
    price = OneTimePricing(unit_price=Decimal(49), quantity=1)
    plan = await world.plan(("Setup", OneTimeFee(), [(Cadence.MONTHLY, price)]))
    buyer = await visit(plan)
    page = await buyer.open()
    assert "charge later invoices of this subscription to it. None is planned" in page.text

    await buyer.send(page.form, CARD)

    assert await world.charges() == [4900]
    kept = await world.one(
        "select s.payment_method_id = m.id as is_kept, a.consent from subscriptions s, "
        "payment_methods m, payment_attempts a"
    )
    assert kept["is_kept"]
    assert "to keep this payment method" in kept["consent"]


async def test_a_changed_quote_is_shown_side_by_side(visit: Visit, world: World) -> None:
    """When the quote has changed, old and new stand side by side and nothing is charged."""
    customer_id = await world.customer()
    buyer = await visit(customer_id=customer_id)
    page = await buyer.open()
    await world.balance(customer_id, 1000)
    changed = await buyer.send(page.form, CARD)

    assert changed.status == 409
    assert "The amount has changed Nothing was charged." in changed.text
    assert "Due today €49.00 €39.00" in changed.text
    assert await world.charges() == []

    done = await buyer.send(changed.form, CARD)

    assert "You are subscribed to Pro" in done.text
    assert await world.charges() == [3900]


async def test_a_forged_quote_counts_as_changed(visit: Visit, world: World) -> None:
    """A quote without our signature is not believed: the page shows today's again."""
    buyer = await visit()
    page = await buyer.open()
    forged = page.form.values["shown"].replace('"due":4900', '"due":1')
    answer = await buyer.send(page.form, {**CARD, "shown": forged})

    assert answer.status == 409
    assert "The amount has changed" in answer.text
    assert await world.charges() == []


async def test_words_that_were_not_shown_are_not_agreed_to(visit: Visit, world: World) -> None:
    """Where what is agreed to reads otherwise now, it is shown again and nothing is charged."""
    buyer = await visit()
    page = await buyer.open()
    await world.execute("update invoicing_entities set legal_name = 'Acme Holding SA'")
    answer = await buyer.send(page.form, CARD)

    assert answer.status == 409
    assert "What you agree to has changed Nothing was charged." in answer.text
    assert "you allow Acme Holding SA to charge" in answer.text
    assert await world.charges() == []

    await buyer.send(answer.form, CARD)

    kept = await world.one("select consent from payment_attempts")
    assert "you allow Acme Holding SA to charge" in kept["consent"]


async def test_a_mandate_that_was_not_shown_is_not_given(visit: Visit, world: World) -> None:
    """The wording of a mandate is held to what the page showed, like the rest."""
    buyer = await visit(payment=OnlinePayment(card=False, direct_debit=True))
    page = await buyer.open()
    iban = {"iban": "DE89 3704 0044 0532 0130 00", "account_holder": "Dana Globex"}
    other = page.form.values["consent_signature"]
    answer = await buyer.send(page.form, {**iban, "mandate_signature": other})

    assert answer.status == 409
    assert "What you agree to has changed" in answer.text
    assert await world.one("select count(*) as made from payment_attempts") == {"made": 0}


async def test_a_debit_that_cannot_be_collected_any_more(visit: Visit, world: World) -> None:
    """No other way to pay than the one agreed on is offered in its place, and none is taken."""
    buyer = await visit(payment=OnlinePayment(card=False, direct_debit=True))
    await world.execute("update invoicing_entities set creditor_identifier = null")
    page = await buyer.open()

    assert "The seller cannot be paid online at the moment." in page.text
    assert "Card" not in page.text
    answer = await buyer.send(page.form, {**CARD, "method": "CARD"})

    assert answer.status == 400
    assert await world.one("select count(*) as made from payment_attempts") == {"made": 0}
