"""Subscriptions go on when a payment of theirs is taken back; the machine leaves it alone."""

from datetime import date, timedelta

import pytest

from tallystick.domain.errors import Conflict
from tallystick.services.collect_invoice import collect_due
from tests.cases.golden import case
from tests.crediting import Billed
from tests.reversing import Reversible, reversible
from tests.scenarios.test_golden_payments import NOON, owing
from tests.subscribing import Merchant
from tests.world import World


async def paid(world: World) -> tuple[Merchant, Reversible]:
    """EUR 35 a month from 2024-01-01 on, the first month paid by card."""
    merchant = await owing(world, case("PAY-04"), await world.card())
    await collect_due(merchant.world.ctx)
    (row,) = await merchant.invoices()
    billed = Billed(world=merchant.world, customer_id=row["customer_id"], id=row["id"])
    return merchant, await reversible(billed)


async def statuses(merchant: Merchant) -> list[tuple[str, int]]:
    """How every invoice stands, oldest first."""
    return [(row["payment_status"], row["amount_due"]) for row in await merchant.invoices()]


async def test_two_months_pass_over_a_dispute(world: World) -> None:
    """The renewals are charged, what was taken back is not; won at last, it is paid."""
    merchant, bank = await paid(world)
    await bank.disputed()

    await merchant.travel(date(2024, 3, 2))

    assert await statuses(merchant) == [("UNPAID", 3500), ("PAID", 0), ("PAID", 0)]
    assert await world.charges() == [3500] * 3
    (subscription,) = await world.fetch("select status from subscriptions")
    assert subscription["status"] == "ACTIVE"
    await bank.won()
    assert await statuses(merchant) == [("PAID", 0)] * 3
    await merchant.is_sound()


async def test_a_planned_try_waits_for_a_person(world: World) -> None:
    """A person's charge was declined, and three days later it would be tried again; more is
    taken back before that. The clock passes the day, and nothing is charged for it.
    """
    merchant, bank = await paid(world)
    await bank.refunded(1000)
    await world.execute("update sandbox.methods set behaviour = 'DECLINES'")
    with pytest.raises(Conflict, match="could not be charged"):
        await bank.pay()
    await world.execute("update sandbox.methods set behaviour = 'SUCCEEDS'")
    await bank.refunded(500)

    await merchant.travel(NOON + timedelta(days=20))

    assert await statuses(merchant) == [("ERRORED", 1500)]
    bank.billed.world = merchant.world
    await bank.pay()
    assert await statuses(merchant) == [("PAID", 0)]
    assert await world.charges() == [3500, 1500]
    await merchant.is_sound()


async def test_a_persons_try_is_repeated(world: World) -> None:
    """Declined once, it is charged after three days: the person has decided."""
    merchant, bank = await paid(world)
    await bank.refunded(1000)
    await world.execute("update sandbox.methods set behaviour = 'DECLINES'")
    with pytest.raises(Conflict, match="could not be charged"):
        await bank.pay()
    await world.execute("update sandbox.methods set behaviour = 'SUCCEEDS'")

    await merchant.travel(NOON + timedelta(days=3))

    assert await statuses(merchant) == [("PAID", 0)]
    assert await world.charges() == [3500, 1000]
