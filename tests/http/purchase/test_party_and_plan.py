"""Who buys, and what: `customer_id` and `plan_version_id`, from the request to the invoice."""

from datetime import date

import pytest
from meteroid import models as m

from tests.http.purchase.market import Market
from tests.http.purchase.terms import rate


def test_a_customer_by_id(market: Market, customer: m.Customer) -> None:
    """A customer named by id stands on the session, the subscription and the invoice."""
    session = market.offer(customer_id=customer.id)
    bought = market.buy(session)

    assert session.customer_id == bought.subscription.customer_id == customer.id
    assert bought.subscription.customer_name == "Globex"
    assert bought.invoice.customer_id == customer.id
    assert bought.invoice.customer_details.name == "Globex"
    assert bought.invoice.total == 4900


def test_a_customer_by_alias(market: Market) -> None:
    """A customer named by alias is the same customer; the answer names the id."""
    customer = market.customer(alias="globex")
    session = market.offer(customer_id="globex")
    bought = market.buy(session)

    assert session.customer_id == customer.id
    assert bought.subscription.customer_alias == "globex"
    assert bought.invoice.customer_id == customer.id


def test_the_plan_version(market: Market) -> None:
    """The version named is the one bought: its price, its name, its days."""
    plan = market.plans["Starter"]
    session = market.offer("Starter")
    bought = market.buy(session)

    assert session.plan_version_id == bought.subscription.plan_version_id == plan.version_id
    assert (bought.subscription.plan_id, bought.subscription.plan_name) == (plan.id, "Starter")
    assert bought.subscription.status == "ACTIVE"
    assert bought.subscription.mrr_cents == 4900
    assert bought.subscription.current_period_start == date(2026, 3, 10)
    assert bought.subscription.current_period_end == date(2026, 4, 10)
    assert bought.lines == [("Fee", 4900)]
    assert (bought.invoice.status, bought.invoice.payment_status) == ("FINALIZED", "PAID")
    assert bought.invoice.amount_due == 0
    assert [one.amount for one in bought.invoice.transactions] == [4900]


@pytest.mark.parametrize(
    ("currency", "price", "amount", "stub"),
    # 5/28 of the price, in whole yen and in thousandths of a dinar.
    [("JPY", "4900", 4900, 875), ("KWD", "49.125", 49_125, 8772)],
)
def test_currencies_without_cents(
    market: Market, currency: str, price: str, amount: int, stub: int
) -> None:
    """A currency's own minor unit is charged: the yen, a thousandth of the dinar."""
    market.plan(f"In {currency}", rate("Fee", price), currency=currency)
    whole = market.bought(f"In {currency}")
    part = market.bought(f"In {currency}", billing_day_anchor=15)

    assert (whole.invoice.currency, whole.invoice.total) == (currency, amount)
    assert whole.subscription.mrr_cents == amount
    assert part.invoice.total == stub
    assert market.charges()[-2:] == [amount, stub]
