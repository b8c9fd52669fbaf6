"""What becomes one invoice, what stays apart, and what the one invoice says."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.consolidation import Card, Member, groups, merging_grace
from tallystick.domain.coupons import AppliedCoupon
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge
from tests.domain.merging import merged, row, single
from tests.domain.samples import named

ONE = single(3500)
VISA = Card(provider="sandbox", brand="visa", last4="4242", expiry="12/2040")
APART: dict[str, dict[str, Any]] = {
    "customer": {"customer_id": named("another customer")},
    "entity": {"invoicing_entity_id": named("another entity")},
    "day": {"invoice_date": date(2026, 4, 11)},
    "terms": {"net_terms": 30},
    "currency": {"currency": "USD"},
    "prices with tax": {"tax_inclusive": True},
    "charging": {"charges": True},
    "method": {"payment_method_id": named("a card")},
    "card": {"payment_method_id": named("a card"), "card": VISA},
    "buyer's name": {"customer": replace(ONE.customer, name="Globex Ltd")},
    "buyer's VAT number": {"customer": replace(ONE.customer, vat_number="FR12345678901")},
    "seller": {"seller": replace(ONE.seller, legal_name="Acme SARL")},
}


@pytest.mark.parametrize("what", APART)
def test_what_one_invoice_cannot_say_stays_apart(what: str) -> None:
    """Of three, the two that agree are merged."""
    other, second = replace(single(100), **APART[what]), single(200)

    assert groups([ONE, other, second]) == [(ONE, second)]


def test_when_the_buyer_was_named_does_not_matter() -> None:
    """Only how."""
    at = ONE.customer.snapshot_at + timedelta(hours=1)
    later = single(100, customer=replace(ONE.customer, snapshot_at=at))

    assert groups([ONE, later]) == [(ONE, later)]


def test_a_card_is_the_same_however_often_it_was_typed() -> None:
    """Two checkouts have saved it; another month or another number is another card."""
    first, second = [
        single(100, payment_method_id=named(f"typed {time}"), card=VISA) for time in (1, 2)
    ]
    renewed = replace(second, card=replace(VISA, expiry="01/2041"))
    another = replace(second, card=replace(VISA, last4="4444"))

    assert groups([first, renewed, another, second]) == [(first, second)]


def test_each_debit_has_its_mandate() -> None:
    """Two of one account are not one, for each was agreed on by itself."""
    first, second = [single(100, payment_method_id=named(f"mandate {one}")) for one in (1, 2)]

    assert groups([first, second]) == []


def test_a_single_draft_stays_as_it_is() -> None:
    """One is no group, and none is neither."""
    assert groups([ONE]) == []
    assert groups([]) == []
    with pytest.raises(AssertionError, match="stays as it is"):
        merged(ONE)


def test_drafts_that_do_not_agree_are_never_merged() -> None:
    """Whoever asks for it."""
    with pytest.raises(AssertionError, match="one thing"):
        merged(ONE, single(100, currency="USD"))


def test_rates_and_coupons_are_added_up() -> None:
    """One row per rate, one per coupon, in the order in which they are named."""
    tenth = AppliedCoupon(coupon_id=named("tenth"), code="TENTH", amount=350)
    fifth = AppliedCoupon(coupon_id=named("fifth"), code="FIFTH", amount=20)
    more = replace(tenth, amount=10)

    whole = merged(
        single(3500, discount=350, tax=630, coupons=(tenth,)),
        single(100, discount=30, tax=4, coupons=(fifth, more), breakdown=(REDUCED,)),
        single(1000, tax=200),
    )

    assert whole.coupons == (replace(tenth, amount=360), fifth)
    assert whole.breakdown == (row("VAT", "0.2", 4150, 830), REDUCED)
    assert (whole.sums.total, whole.sums.tax_amount) == (5054, 834)


REDUCED = row("Reduced", "0.055", 70, 4)


def test_a_text_that_not_all_have_is_left_out() -> None:
    """The order number of both is on the invoice; the memo of one is not."""
    whole = merged(
        single(1, memo="Thanks", purchase_order="PO-7"), single(2, purchase_order="PO-7")
    )

    assert (whole.memo, whole.purchase_order) == (None, "PO-7")


def test_a_sum_that_cannot_be_sent_is_refused() -> None:
    """Each can, and both together cannot."""
    with pytest.raises(AmountTooLarge):
        merged(single(AMOUNT_MAX), single(1))


@given(
    st.lists(
        st.builds(
            lambda amount, off, tax, terms: single(
                amount, discount=min(off, amount), tax=tax, net_terms=terms
            ),
            st.integers(0, 10**9),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.integers(0, 2),
        ),
        max_size=9,
    )
)
def test_nothing_is_lost_and_nothing_twice(members: list[Member]) -> None:
    """Each draft is in one group or single, and a group's sums are those of its drafts."""
    found = groups(members)

    together = [one.id for group in found for one in group]
    assert len(together) == len(set(together))
    alone = [one for one in members if one.id not in together]
    assert len({one.in_common for one in alone}) == len(alone)
    for group in found:
        whole = merged(*group)
        for name in ("subtotal", "subtotal_recurring", "discount", "tax_amount", "total"):
            assert getattr(whole.sums, name) == sum(getattr(one.sums, name) for one in group)
        assert sum(one.tax for one in whole.breakdown) == whole.sums.tax_amount


@pytest.mark.parametrize(("hours", "waits"), [(0, 1), (1, 1), (12, 12)])
def test_an_hour_of_grace_at_least(hours: int, waits: int) -> None:
    """So that every subscription's draft of the day is there."""
    assert merging_grace(hours) == waits


def test_the_first_speaks_for_all() -> None:
    """In what they have in common."""
    first, second = single(100), single(200)
    assert merged(first, second).first is first
