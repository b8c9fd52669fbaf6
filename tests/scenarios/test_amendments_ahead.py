"""Amendments at the end of a period: one renewal, by the prices and items of its day."""

from datetime import date

import pytest

from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.periods import Cadence
from tests.scenarios.amending import Amending, extra, flat, joining, lines, once
from tests.scenarios.plan_changes import Shop
from tests.subscribing import Merchant
from tests.world import World


@pytest.fixture
def shop(world: World) -> Amending:
    """A shop with one subscription."""
    return Amending(shop=Shop(merchant=Merchant(world=world)))


async def test_a_price_from_the_next_period_on(shop: Amending) -> None:
    """99.00 on February 1 and on March 1, and nothing in between."""
    await shop.begin()
    await shop.on("2024-01-16")

    await shop.reprice("Platform Fee", flat("99"), "Base", ahead=True)

    assert (await shop.stands())["mrr"] == 3900
    await shop.on("2024-02-02")
    await shop.on("2024-03-02")
    renewals = (await shop.invoices())[1:]
    assert [sorted(lines(one)) for one in renewals] == [[("Base", 9900), ("Seats", 1000)]] * 2
    assert (await shop.stands())["mrr"] == 10900


async def test_what_leaves_at_the_end_is_not_credited(shop: Amending) -> None:
    """The seats are there until February 1; then the fee alone."""
    await shop.begin()
    await shop.on("2024-01-16")

    await shop.remove("Seats", ahead=True)

    await shop.on("2024-02-02")
    assert await shop.notes() == []
    assert lines((await shop.invoices())[-1]) == [("Platform Fee", 2900)]


async def test_what_is_paid_for_longer_cannot_leave_at_the_end(shop: Amending) -> None:
    """A year that is paid until 2025 leaves now: of 365.00, 320 of 366 days are forgiven."""
    await shop.begin()
    await shop.add(extra("Yearly", "365", Cadence.ANNUAL), ahead=True)
    await shop.on("2024-02-02")
    with pytest.raises(InvalidInput, match="paid until 2025-02-01"):
        await shop.remove("Yearly", ahead=True)
    await shop.on("2024-03-18")

    await shop.remove("Yearly")

    # 36500 x 320 / 366 = 31912.6
    assert [one["subtotal"] for one in await shop.notes()] == [31913]


async def test_a_fee_of_a_shorter_rhythm(shop: Amending) -> None:
    """Not in the middle of a year; from its end on the subscription is monthly."""
    await shop.begin("STARTER")
    await shop.remove("Platform Fee", "Seats")
    quarterly = extra("Quarterly", "90", Cadence.QUARTERLY)
    await shop.add(quarterly, ahead=True)
    await shop.on("2024-02-02")
    assert (await shop.stands())["current_period_end"] == date(2024, 5, 1)
    with pytest.raises(InvalidInput, match="PERIOD_END"):
        await shop.add(extra("Monthly", "10"))

    await shop.add(extra("Monthly", "10"), ahead=True)

    await shop.on("2024-05-02")
    assert sorted(lines((await shop.invoices())[-1])) == [
        ("Monthly", 1000),
        ("Quarterly", 9000),
    ]
    assert (await shop.stands())["current_period_end"] == date(2024, 6, 1)
    await shop.on("2024-06-02")
    assert lines((await shop.invoices())[-1]) == [("Monthly", 1000)]


async def test_at_the_end_of_a_free_trial(shop: Amending) -> None:
    """The first invoice has what joins, its one-time fee once."""
    await shop.begin("PAID_FREE_TRIAL")
    (fee,) = await shop.items()

    await shop.ask(joining(extra("Support", "50"), once("Setup", "100")), ahead=True)

    ends = (await shop.stands())["trial_end"]
    await shop.on(ends.replace(day=ends.day + 1).isoformat())
    (first,) = await shop.invoices()
    assert [name for name, _ in lines(first)] == [fee.name, "Support", "Setup"]
    await shop.on(ends.replace(month=ends.month + 1, day=ends.day + 1).isoformat())
    assert "Setup" not in dict(lines((await shop.invoices())[-1]))


async def test_one_amendment_replaces_another(shop: Amending) -> None:
    """The last one is made; and one now is refused meanwhile."""
    await shop.begin()
    await shop.add(extra("Support", "50"), ahead=True)
    with pytest.raises(Conflict, match="drop it first"):
        await shop.add(extra("More", "5"))

    await shop.add(extra("Care", "70"), ahead=True)

    await shop.on("2024-02-02")
    assert [name for name, _ in lines((await shop.invoices())[-1])] == [
        "Platform Fee",
        "Seats",
        "Care",
    ]
