"""The identity of a quote: every amount, date and currency shown, and nothing else."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.charges import Item
from tallystick.domain.offer import Offer
from tallystick.domain.pricing import SlotFee
from tallystick.domain.quote import Quote
from tallystick.domain.tax import Buyer, Seller, TaxEngine, TaxRate
from tests.domain.offers import buyer, offer, once, quoted, rate, seats, trial
from tests.domain.samples import DAY, named, percent

MANUAL = Seller(engine=TaxEngine.MANUAL, country="FR")
TODAY = date(2024, 1, 10)


def _quote(today: date = TODAY, **changes: object) -> Quote:
    """A quote with something of everything: two lines, a coupon, a tax, a balance."""
    terms: dict[str, object] = {"coupons": (percent("10"),), "created_on": TODAY, **changes}
    made = offer(rate("49"), seats("10", 3), **terms)
    return quoted(made, today, seller=MANUAL, buyer=buyer("0.20"), balance_available=1000)


def test_the_id_is_the_hash_of_the_canonical_form() -> None:
    """SHA-256 in hex, of one line of JSON with sorted keys."""
    made = _quote()
    assert made.id == hashlib.sha256(made.canonical.encode()).hexdigest()
    assert json.dumps(json.loads(made.canonical), sort_keys=True, separators=(",", ":")) == (
        made.canonical
    )


def test_the_canonical_form_of_a_plain_quote() -> None:
    """All figures of the page and no others."""
    assert json.loads(_quote().canonical) == {
        "currency": "EUR",
        "start": "2024-01-10",
        "invoice_date": "2024-01-10",
        "billing_start": "2024-01-10",
        "trial_end": None,
        "end": None,
        "period_end": "2024-02-10",
        "lines": [
            {
                "start": "2024-01-10",
                "end": "2024-02-10",
                "quantity": 1,
                "unit_price": "49",
                "amount": 4900,
                "discount": 490,
                "tax_rate": "0.2",
                "taxes": [["0.2", 882]],
                "total": 5292,
            },
            {
                "start": "2024-01-10",
                "end": "2024-02-10",
                "quantity": 3,
                "unit_price": "10",
                "amount": 3000,
                "discount": 300,
                "tax_rate": "0.2",
                "taxes": [["0.2", 540]],
                "total": 3240,
            },
        ],
        "subtotal": 7900,
        "discounts": [790],
        "tax": [["0.2", 7110, 1422]],
        "total": 8532,
        "balance": 1000,
        "written_off": 0,
        "due": 7532,
        "upcoming": [["2024-02-10", 8532]],
    }


def test_prices_with_tax_are_hashed_as_they_are_shown() -> None:
    """119.00 and 59.50 with 19 % inside, half off: the figures of the rows, none is net."""
    made = offer(
        rate("119"), rate("59.50", name="More"), tax_inclusive=True, coupons=(percent("50"),)
    )
    shown = json.loads(quoted(made, seller=MANUAL, buyer=buyer("0.19")).canonical)
    assert (shown["subtotal"], shown["discounts"]) == (17_850, [8925])
    assert (shown["tax"], shown["total"], shown["due"]) == ([["0.19", 7500, 1425]], 8925, 8925)
    assert [(one["amount"], one["discount"], one["total"]) for one in shown["lines"]] == [
        (11_900, 5950, 5950),
        (5950, 2975, 2975),
    ]


def test_the_end_of_a_trial_that_is_over_is_no_figure() -> None:
    """The page names a trial's end while it is to come: the 8th of a paid one from the 1st."""
    made = offer(rate("49"), trial=trial(7, is_free=False), start_date=DAY)

    def told(today: date) -> object:
        shown = quoted(replace(made, created_on=today), today)
        return json.loads(shown.canonical)["trial_end"]

    assert [told(date(2024, 1, day)) for day in (7, 8)] == ["2024-01-08", None]


SHOWN: dict[str, Callable[[], Quote]] = {
    "price": lambda: quoted(offer(rate("49.01"))),
    "price spread otherwise": lambda: quoted(offer(rate("40"), rate("9", name="More"))),
    "quantity": lambda: quoted(offer(seats("24.50", 2))),
    "currency": lambda: quoted(offer(rate("49"), currency="USD")),
    "coupon": lambda: quoted(offer(rate("49"), coupons=(percent("1"),))),
    "tax": lambda: quoted(offer(rate("49")), seller=MANUAL, buyer=buyer("0.01")),
    "tax at zero": lambda: quoted(offer(rate("49")), seller=MANUAL, buyer=buyer("0")),
    "balance": lambda: quoted(offer(rate("49")), balance_available=1),
    "write-off": lambda: quoted(offer(rate("49")), chargeable=lambda _: False),
    "today": lambda: quoted(offer(rate("49")), DAY + timedelta(days=1)),
    "anchor": lambda: quoted(offer(rate("49"), anchor=15)),
    "end": lambda: quoted(offer(rate("49"), end_date=date(2030, 1, 1))),
    "paid trial": lambda: quoted(offer(rate("49"), trial=trial(7, is_free=False))),
    "free trial": lambda: quoted(offer(rate("49"), trial=trial(7))),
    "longer trial": lambda: quoted(offer(rate("49"), trial=trial(8))),
    "start": lambda: quoted(offer(rate("49"), start_date=date(2024, 1, 2))),
    "past start": lambda: quoted(offer(rate("49"), start_date=date(2023, 12, 31))),
    "one-time fee": lambda: quoted(offer(rate("49"), once("0"))),
    "later price": lambda: quoted(
        offer(rate("49"), coupons=(replace(percent("1"), recurring_value=2),), trial=trial(7))
    ),
}


def test_every_shown_figure_is_part_of_the_identity() -> None:
    """Quotes that differ in any one amount, date or currency have different ids."""
    plain = quoted(offer(rate("49")))
    ids = [plain.id, *(make().id for make in SHOWN.values())]
    assert len(set(ids)) == len(ids)


def test_names_and_ids_are_no_part_of_it() -> None:
    """Another name, unit, code, product or id, the same figures: the same quote."""
    assert _quote_of(_renamed).id == _quote_of().id


def _quote_of(rename: Callable[[Offer], Offer] = lambda made: made) -> Quote:
    made = rename(offer(rate("49"), seats("10", 3), coupons=(percent("10"),)))
    return quoted(made, seller=MANUAL, buyer=buyer("0.20"))


def _renamed(made: Offer) -> Offer:
    return replace(
        made,
        items=tuple(_renamed_item(one) for one in made.items),
        coupons=tuple(
            replace(one, id=named("another coupon"), code="RENAMED") for one in made.coupons
        ),
        plan_name="Renamed",
        plan_id=named("another plan"),
        plan_version_id=named("another version"),
        plan_version=2,
        invoicing_entity_id=named("another entity"),
        invoice_memo="A memo",
        purchase_order="PO-1",
    )


def _renamed_item(one: Item) -> Item:
    return replace(
        one,
        id=named(f"another {one.id}"),
        name=f"Renamed {one.name}",
        product_id=named(f"another product {one.id}"),
        price_id=named("another price"),
        fee=SlotFee(unit_name="place") if isinstance(one.fee, SlotFee) else one.fee,
    )


def test_the_names_of_taxes_and_the_instant_are_no_part_of_it() -> None:
    """Noon or evening, VAT or TVA, from France or from nowhere: the same figures."""
    made = offer(rate("49"))
    first = quoted(made, seller=MANUAL, buyer=buyer("0.20"))
    rates = (TaxRate(name="TVA", rate=Decimal("0.20"), code="FR20"),)
    other = Buyer(country=None, custom_rates=rates)
    later = quoted(made, seller=MANUAL, buyer=other, now=datetime(2024, 1, 1, tzinfo=UTC))
    assert first.id == later.id


def test_zeros_of_a_stored_number_are_no_part_of_it() -> None:
    """49, 49.00 and 4.9E+1 are one price; 0.2 and 0.20 one rate."""
    plain = quoted(offer(rate("49")), seller=MANUAL, buyer=buyer("0.2"))
    for price, share in (("49.00", "0.20"), ("4.9E+1", "0.200")):
        same = quoted(offer(rate(price)), seller=MANUAL, buyer=buyer(share))
        assert same.canonical == plain.canonical


@settings(max_examples=50)
@given(
    prices=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    balances=st.tuples(st.integers(0, 3000), st.integers(0, 3000)),
    days=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    ends=st.tuples(st.integers(50, 60), st.integers(50, 60)),
)
def test_two_quotes_have_one_id_exactly_when_they_show_the_same(
    prices: tuple[int, int],
    balances: tuple[int, int],
    days: tuple[int, int],
    ends: tuple[int, int],
) -> None:
    """The figures decide, and nothing else does."""
    first, second = (
        quoted(
            offer(
                rate(str(Decimal(prices[side]).scaleb(-2))),
                end_date=DAY + timedelta(days=ends[side]),
                plan_id=UUID(int=side),
            ),
            DAY + timedelta(days=days[side]),
            balance_available=balances[side],
        )
        for side in (0, 1)
    )
    assert (first.id == second.id) == (_figures(first) == _figures(second))


def _figures(made: Quote) -> tuple[object, ...]:
    assert made.bill is not None
    return (
        made.amount_due,
        made.balance_applied,
        made.dates.today,
        made.dates.end,
        made.upcoming,
        [
            (line.charge.start, line.charge.end, line.charge.amount, line.total)
            for line in made.bill.lines
        ],
        [line.charge.computation.unit_price for line in made.bill.lines],
    )


@pytest.mark.parametrize("left_out", [True, False])
def test_a_coupon_left_out_changes_the_identity_by_its_amount_only(left_out: bool) -> None:
    """Left out, the quote is that of an offer without it."""
    made = offer(rate("49"), coupons=(percent("10"),))
    made_quote = quoted(made, coupon_states={}) if left_out else quoted(made)
    assert (made_quote.id == quoted(offer(rate("49"))).id) is left_out
