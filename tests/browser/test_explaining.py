"""The confirmation explains each line, as the page did before it was paid."""

from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from tallystick.domain.coupons import Percentage
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import OneTimeFee, OneTimePricing, SlotFee, SlotPricing
from tests.browser.shop import Shop
from tests.browser.test_buying import expect_title, press_pay, type_card
from tests.shops import selling_under_eu_rules

X = "\N{MULTIPLICATION SIGN}"
HOW = "How is this calculated?"


def order(shop: Shop) -> str:
    """The link of an order of seats and a set-up fee, a third less, prorated and taxed."""
    shop.run(selling_under_eu_rules(shop.world))
    coupon = shop.run(shop.world.coupon("THIRD", Percentage(percentage=Decimal("33.3"))))
    seats = SlotPricing(unit_rate=Decimal("9.90"), min_slots=12)
    fee = OneTimePricing(unit_price=Decimal(500), quantity=1)
    plan = shop.run(
        shop.world.plan(
            ("Team seats", SlotFee(unit_name="seat"), [(Cadence.MONTHLY, seats)]),
            ("Onboarding", OneTimeFee(), [(Cadence.MONTHLY, fee)]),
        )
    )
    return shop.link(plan, coupon_ids=(coupon,), billing_day_anchor=1)


def sentences(place: Locator) -> list[str]:
    """What the first line says of itself, once it is asked."""
    place.get_by_text(HOW).first.click()
    expect(place.locator(".why").first).to_be_visible()
    return place.locator(".why").first.locator("li").all_inner_texts()


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_the_confirmation_explains_its_lines(shop: Shop, page: Page, width: int) -> None:
    """The same sentences before and after, and nothing is wider than the screen."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(order(shop))
    before = sentences(page.locator("#summary"))
    type_card(page)
    press_pay(page, "€467.68")
    expect_title(page)

    after = sentences(page.locator("section.receipt"))

    assert after == before
    assert after[:4] == [
        f"12 {X} €9.90 per seat / month = €118.80",
        f"This period has 22 of 31 days: €118.80 {X} 22/31 = €84.309677…",
        "Rounded to €84.31",
        f"Its share of the discount: €194.58 {X} €84.31 / €584.31 = €28.075918…",
    ]
    page.get_by_text(HOW).nth(1).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
