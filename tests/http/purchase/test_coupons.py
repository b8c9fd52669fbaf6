"""`coupon_code` and `coupon_ids`: what they take off, and what is refused at creation."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from meteroid import models as m

from tallystick.domain.ids import Prefix
from tests.http.conftest import NOON
from tests.http.purchase.market import Market, id_of
from tests.http.purchase.terms import fixed, percent, rate


def taken_off(invoice: m.Invoice) -> list[tuple[str, int]]:
    """What each coupon took off an invoice."""
    return [(one.name, one.total) for one in invoice.coupons]


def test_a_code(market: Market) -> None:
    """A code takes its discount off the invoice, and stands on session and subscription."""
    session = market.offer(coupon_code="LAUNCH20")
    bought = market.buy(session)

    assert session.coupon_code == "LAUNCH20"
    assert taken_off(bought.invoice) == [("LAUNCH20", 980)]
    assert (bought.invoice.subtotal, bought.invoice.total) == (4900, 3920)
    assert bought.lines == [("Fee", 3920)]
    (applied,) = bought.subscription.applied_coupons
    assert applied.coupon.code == "LAUNCH20"
    assert applied.applied_coupon.coupon_id == market.coupons["LAUNCH20"].id
    assert applied.applied_coupon.applied_count == 1
    assert applied.applied_coupon.applied_amount == Decimal("9.80")
    assert market.sdk.coupons.retrieve(market.coupons["LAUNCH20"].id).redemption_count >= 1


def test_a_code_on_prices_with_tax(market: Market) -> None:
    """EUR 49 with 20 % inside, less 10 %: preview, invoice and redemption say the same net."""
    market.plan("Gross", tax_inclusive=True)
    market.coupon("TENPERCENT", percent("10"))
    vat = m.CustomTaxRate(name="VAT", rate="0.20", tax_code="FR-STD")
    customer = market.customer(custom_taxes=[vat]).id
    quote = market.preview("Gross", customer_id=customer, coupon_code="TENPERCENT")

    # 49.00 / 1.2 = 40.83; 44.10 / 1.2 = 36.75, which is 4.08 less, and 7.35 of tax.
    assert (quote["subtotal"], quote["discount"], quote["tax_amount"]) == (4083, 408, 735)
    assert quote["amount_total"] == 4410
    assert quote["coupons"] == [{"code": "TENPERCENT", "amount": 408}]
    (line,) = quote["lines"]
    assert (line["amount"], line["discount"], line["amount_total"]) == (4083, 408, 4410)
    assert (line["unit_price"], line["quoted_unit_price"]) == ("40.83", "49")

    bought = market.bought("Gross", customer_id=customer, coupon_code="TENPERCENT")
    (billed,) = bought.invoice.line_items
    assert (billed.unit_price, billed.quoted_unit_price) == (Decimal("40.83"), Decimal(49))
    assert taken_off(bought.invoice) == [("TENPERCENT", 408)]
    (applied,) = bought.subscription.applied_coupons
    assert applied.applied_coupon.applied_amount == Decimal("4.08")


def test_a_net_that_rises_by_a_discount_is_told(market: Market) -> None:
    """Two taxes inside that fall together: a line's net discount of -0.01, and all adds up."""
    market.plan("Cents", rate("Large", "98.44"), rate("Small", "1.23"), tax_inclusive=True)
    market.coupon("ONEOFF", fixed("1.00"))
    taxes = [
        m.CustomTaxRate(name=name, rate="0.07", tax_code=name) for name in ("State", "City")
    ]
    customer = market.customer(custom_taxes=taxes).id
    quote = market.preview("Cents", customer_id=customer, coupon_code="ONEOFF")
    bought = market.bought("Cents", customer_id=customer, coupon_code="ONEOFF")

    assert (quote["subtotal"], quote["discount"], quote["amount_total"]) == (8743, 86, 9867)
    assert [(one["amount"], one["discount"]) for one in quote["lines"]] == [
        (8636, 87),
        (107, -1),
    ]
    assert (bought.invoice.subtotal, bought.invoice.tax_amount) == (8743, 1210)
    assert bought.lines == [("Large", 9745), ("Small", 122)]
    assert taken_off(bought.invoice) == [("ONEOFF", 86)]


def test_a_prorated_line_is_previewed_as_it_is_billed(market: Market) -> None:
    """Five of 28 days of EUR 49 are 8.75, which is the unit price of the one unit."""
    customer = market.customer().id
    (line,) = market.preview(customer_id=customer, billing_day_anchor=15)["lines"]
    bought = market.bought(customer_id=customer, billing_day_anchor=15)
    (billed,) = bought.invoice.line_items

    assert (line["unit_price"], line["quoted_unit_price"]) == ("8.75", None)
    assert (line["amount"], line["is_prorated"]) == (875, True)
    assert (billed.unit_price, billed.quoted_unit_price) == (Decimal("8.75"), None)


def test_ids(market: Market) -> None:
    """Coupons by id stack: percentages first, then fixed ones, each on what remains."""
    launch, ten = market.coupons["LAUNCH20"].id, market.coupons["TENOFF"].id
    session = market.offer(coupon_ids=[ten, launch])
    bought = market.buy(session)

    # 4900 - 20 % = 3920, less 1000.
    assert sorted(taken_off(bought.invoice)) == [("LAUNCH20", 980), ("TENOFF", 1000)]
    assert bought.invoice.total == 2920
    assert market.session(session.id)["coupon_ids"] == [ten, launch]
    assert {one.coupon.code for one in bought.subscription.applied_coupons} == {
        "LAUNCH20",
        "TENOFF",
    }


def test_code_and_ids_add_up(market: Market) -> None:
    """A code and ids add up."""
    bought = market.bought(coupon_code="TENOFF", coupon_ids=[market.coupons["LAUNCH20"].id])

    assert bought.invoice.total == 2920


def test_duplicates_merge(market: Market) -> None:
    """The same coupon by code and twice by id is one coupon."""
    launch = market.coupons["LAUNCH20"].id
    bought = market.bought(coupon_code="LAUNCH20", coupon_ids=[launch, launch])

    assert taken_off(bought.invoice) == [("LAUNCH20", 980)]
    assert bought.invoice.total == 3920


def test_two_percentages_act_on_what_remains(market: Market) -> None:
    """60 % and 60 % of 4900 are 2940 and 1176."""
    ids = [market.coupon(f"SIXTY{n}", percent("60")).id for n in (1, 2)]
    bought = market.bought(coupon_ids=ids)

    assert taken_off(bought.invoice) == [("SIXTY1", 2940), ("SIXTY2", 1176)]
    assert bought.invoice.total == 784


def test_a_coupon_takes_no_more_than_there_is(market: Market) -> None:
    """A fixed coupon above the price makes an invoice of zero, which is paid."""
    big = market.coupon("HUNDRED", fixed("100.00"))
    before = market.charges()
    bought = market.bought(coupon_ids=[big.id])

    assert (bought.invoice.subtotal, bought.invoice.total) == (4900, 0)
    assert bought.invoice.payment_status == "PAID"
    assert bought.invoice.invoice_number.startswith("INV-")
    assert market.charges() == before


def test_a_coupon_of_the_plan(market: Market) -> None:
    """A coupon limited to plans is accepted for them and refused for others."""
    limited = market.coupon("TRIALONLY", percent("10"), plan_ids=[market.plans["Trial"].id])
    accepted = market.create("Trial", coupon_ids=[limited.id])
    refused = market.create("Starter", coupon_ids=[limited.id])

    assert accepted.status_code == 200
    assert [one["code"] for one in refused.json()["errors"]] == ["wrong_plan"]


def test_a_coupon_once_per_customer(market: Market) -> None:
    """A coupon that is not reusable is refused to the customer who has used it."""
    once = market.coupon("ONCE", percent("10"), reusable=False)
    bought = market.bought(coupon_code="ONCE")
    customer = bought.subscription.customer_id
    refused = market.create("Trial", customer_id=customer, coupon_code="ONCE")
    someone_else = market.create("Trial", coupon_ids=[once.id])

    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [
        ("coupon_code", "already_used")
    ]
    assert someone_else.status_code == 200


def test_an_exhausted_coupon(market: Market) -> None:
    """A coupon of one redemption may be offered to many, and is refused once redeemed."""
    market.coupon("FIRST", percent("10"), redemption_limit=1)
    first = market.offer(coupon_code="FIRST")
    second = market.create(coupon_code="FIRST")
    market.buy(first)
    third = market.create(coupon_code="FIRST")

    assert second.status_code == 200
    assert [(e["field"], e["code"]) for e in third.json()["errors"]] == [
        ("coupon_code", "exhausted")
    ]


def test_every_refusal_has_its_own_message(market: Market, rival: Market) -> None:
    """Unknown, foreign, expired, archived and foreign-currency coupons, all at once."""
    soon = (NOON + timedelta(hours=1)).astimezone(UTC)
    past = market.coupon("PAST", percent("10"), expires_at=soon)
    market.execute(
        "update coupons set expires_at = $2 where tenant_id = $1 and code = 'PAST'",
        market.tenant.tenant_id,
        NOON,
    )
    gone = market.coupon("GONE", percent("10"))
    market.archive("coupons", Prefix.COUPON, gone.id)
    off = market.coupon("OFF", percent("10"))
    market.execute(
        "update coupons set disabled = true where tenant_id = $1 and code = 'OFF'",
        market.tenant.tenant_id,
    )
    dollars = market.coupon("DOLLARS", fixed("10.00", "USD"))
    customer = market.customer().id
    before = market.stored()
    ids = [
        past.id,
        gone.id,
        off.id,
        dollars.id,
        rival.coupons["LAUNCH20"].id,
        id_of(Prefix.COUPON),
    ]
    answer = market.create(customer_id=customer, coupon_code="launch20", coupon_ids=ids)

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("coupon_code", "unknown"),
        ("coupon_ids[0]", "expired"),
        ("coupon_ids[1]", "archived"),
        ("coupon_ids[2]", "disabled"),
        ("coupon_ids[3]", "wrong_currency"),
        ("coupon_ids[4]", "unknown"),
        ("coupon_ids[5]", "unknown"),
    ]
    assert len({e["message"] for e in answer.json()["errors"]}) == 5
    assert market.stored() == before


def test_the_code_of_an_archived_coupon_is_unknown(market: Market) -> None:
    """Codes are looked up among the unarchived: one that was archived may be given anew."""
    old = market.coupon("AGAIN", percent("10"))
    market.archive("coupons", Prefix.COUPON, old.id)
    missing = market.create(coupon_code="AGAIN")
    new = market.coupon("AGAIN", percent("50"))
    found = market.offer(coupon_code="AGAIN")

    assert [e["code"] for e in missing.json()["errors"]] == ["unknown"]
    assert market.session(found.id)["amount_due"] == 2450
    assert new.id != old.id


@pytest.mark.parametrize(
    "change", ["expires_at = created_at", "disabled = true", "archived_at = now()"]
)
def test_a_coupon_that_fails_later_is_left_out(market: Market, change: str) -> None:
    """The old quote is refused uncharged, the page names the coupon, the next confirm pays."""
    code = f"LATER{len(change)}"
    market.coupon(code, percent("20"))
    session = market.offer(coupon_code=code)
    before = market.charges()
    with market.page(session) as browser:
        shown = browser.open()
        market.execute(
            f"update coupons set {change} where tenant_id = $1 and code = $2",
            market.tenant.tenant_id,
            code,
        )
        card = {"card_number": "4242424242424242", "card_expiry": "12/40", "card_cvc": "123"}
        changed = browser.send(shown, card)
        between = market.charges()
        browser.send(changed, card)

    assert code in changed.text
    assert between == before
    assert market.charges() == [*before, 4900]
    assert market.found(session.id).invoice.total == 4900
