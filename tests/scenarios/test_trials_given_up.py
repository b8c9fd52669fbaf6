"""The end of a trial that cannot be charged, after the last try: the entity's policy."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tallystick.domain.dunning import CANCELLED_BECAUSE
from tallystick.domain.payment import MethodKind
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tallystick.services.save_payment_method import save_payment_method
from tests.subscribing import Merchant
from tests.trials import in_trial, stands
from tests.world import VISA, World

FAILS_WHEN_CHARGED = "4000000000000341"
LAST_TRY = datetime(2026, 4, 8, tzinfo=UTC)
"""March 24, and 3, 5 and 7 days after it."""


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


async def with_policy(world: World, policy: str, *, gives_up: bool = False) -> None:
    """What the shop's entity does after the last try."""
    await world.execute(
        "update invoicing_entities set dunning_policy = $1, dunning_marks_uncollectible = $2",
        policy,
        gives_up,
    )


async def new_card(merchant: Merchant) -> None:
    """The customer puts a good card on file, at the shop's time."""
    world = merchant.world
    row = await world.one("select clock from tenants")
    customer = await world.one("select customer_id from subscriptions")
    fields = {"card_number": VISA, "card_expiry": "12/40", "card_cvc": "123"}
    ctx = world.at(row["clock"]).ctx
    await save_payment_method(ctx, customer["customer_id"], new_id(), MethodKind.CARD, fields)


async def drafts(world: World) -> list[tuple[str, int, Any, Any]]:
    """Invoices: status, what is due, when it is tried again, what is to be decided when."""
    rows = await world.fetch("select status, amount_due, collect_at, policy_at from invoices")
    return [tuple(row.values()) for row in rows]


async def tries(world: World) -> list[tuple[str | None, str, str | None]]:
    """What every failure told: the next try, how many are left, where to pay."""
    rows = await world.fetch(
        "select data ->> 'next_try_at' as again, data ->> 'tries_left' as left,"
        " data ->> 'payment_url' as page"
        " from events where type = 'payment.failed' order by position"
    )
    return [(row["again"], row["left"], row["page"]) for row in rows]


@pytest.mark.parametrize("policy", ["LEAVE", "SUSPEND"])
async def test_it_stays_expired(world: World, merchant: Merchant, policy: str) -> None:
    """Left or to be suspended: TRIAL_EXPIRED, which grants nothing and is not billed. Its draft
    waits for a card, and is billed from the day on which one comes.
    """
    await with_policy(world, policy)
    await in_trial(world, FAILS_WHEN_CHARGED)
    await merchant.travel(date(2026, 5, 20))

    assert await tries(world) == [
        ("2026-03-27T00:00:00.000Z", "3", None),
        ("2026-04-01T00:00:00.000Z", "2", None),
        ("2026-04-08T00:00:00.000Z", "1", None),
        (None, "0", None),
    ]
    now = await stands(world)
    assert (now["status"], now["mrr"], now["next_step_on"]) == ("TRIAL_EXPIRED", 0, None)
    assert await drafts(world) == [("DRAFT", 4900, None, None)]
    await merchant.is_sound()

    await new_card(merchant)
    await merchant.travel(date(2026, 5, 21))
    now = await stands(world)
    assert (now["status"], now["billing_start_date"]) == ("ACTIVE", date(2026, 5, 20))
    assert await world.charges() == [4900]
    await merchant.is_sound()


async def test_cancelled_with_the_last_failure(world: World, merchant: Merchant) -> None:
    """CANCEL: that day, not before; nothing was billed, and the draft goes."""
    await with_policy(world, "CANCEL")
    await in_trial(world, FAILS_WHEN_CHARGED)
    await merchant.travel(datetime(2026, 4, 7, 23, 59, tzinfo=UTC))
    assert (await stands(world))["status"] == "TRIAL_EXPIRED"

    await merchant.travel(LAST_TRY)
    now = await stands(world)
    assert (now["status"], now["cancelled_on"]) == ("CANCELLED", date(2026, 4, 8))
    assert (now["cancellation_reason"], now["mrr"]) == (CANCELLED_BECAUSE, 0)
    assert await drafts(world) == []
    assert (await merchant.events())[-1] == ("subscription.cancelled", None)

    await new_card(merchant)
    await merchant.travel(date(2026, 5, 20))
    assert await world.charges() == []
    assert len(await world.fetch("select from collections where invoice_id is null")) == 4
    await merchant.is_sound()


async def test_given_up(world: World, merchant: Merchant) -> None:
    """Marked uncollectible: nothing is owed, so there is nothing to mark. The draft goes, and a
    card that comes later is not charged; the plan can be bought anew.
    """
    await with_policy(world, "LEAVE", gives_up=True)
    customer, plan = await in_trial(world, FAILS_WHEN_CHARGED)
    await merchant.travel(LAST_TRY)
    assert (await stands(world))["status"] == "TRIAL_EXPIRED"
    assert await drafts(world) == []

    await new_card(merchant)
    await merchant.travel(date(2026, 4, 20))
    assert await world.charges() == []
    await merchant.is_sound()
    later = world.at(datetime(2026, 4, 20, tzinfo=UTC))
    assert await later.confirm(await later.session(customer, plan)) == Completed()
    rows = await world.fetch("select status from subscriptions order by id")
    assert [row["status"] for row in rows] == ["SUPERSEDED", "ACTIVE"]
    await merchant.is_sound()


async def test_each_of_several_charged_as_one(world: World, merchant: Merchant) -> None:
    """Two trials of one customer, charged as one until the last try: both are cancelled."""
    await with_policy(world, "CANCEL", gives_up=True)
    await world.execute("update invoicing_entities set consolidate_recurring_invoices = true")
    customer = await world.customer()
    method = await world.card(FAILS_WHEN_CHARGED)
    for name in ("One", "Two"):
        plan = await world.plan(name=name)
        session = await world.session(customer, plan, trial_duration_days=14)
        assert await world.confirm(session, method=method) == Completed()
    await merchant.travel(date(2026, 4, 20))

    rows = await world.fetch("select status from subscriptions")
    assert [row["status"] for row in rows] == ["CANCELLED", "CANCELLED"]
    assert await drafts(world) == []
    assert len(await tries(world)) == 4
    await merchant.is_sound()


@pytest.mark.parametrize(
    ("policy", "status", "invoice"),
    [
        ("LEAVE", "ACTIVE", ("FINALIZED", 4900)),
        ("SUSPEND", "SUSPENDED", ("FINALIZED", 4900)),
        ("CANCEL", "CANCELLED", ("FINALIZED", 4900)),
    ],
)
async def test_an_activation_that_cannot_be_charged(
    world: World, merchant: Merchant, policy: str, status: str, invoice: tuple[str, int]
) -> None:
    """It begins on March 20 with its invoice, which is final: dunned like any other."""
    await with_policy(world, policy)
    customer = await world.customer()
    fields = {"card_number": FAILS_WHEN_CHARGED, "card_expiry": "12/40", "card_cvc": "123"}
    await save_payment_method(world.ctx, customer, new_id(), MethodKind.CARD, fields)
    await merchant.subscribe(customer, await world.plan(), date(2026, 3, 20))
    await merchant.travel(datetime(2026, 4, 3, 23, 59, tzinfo=UTC))
    assert (await stands(world))["status"] == "ACTIVE"

    await merchant.travel(datetime(2026, 4, 4, tzinfo=UTC))
    assert (await stands(world))["status"] == status
    (made,) = await merchant.invoices()
    assert (made["status"], made["amount_due"]) == invoice
    await merchant.is_sound()
