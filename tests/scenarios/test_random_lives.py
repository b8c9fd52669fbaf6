"""Random lives in a shop: what must hold of its books, whatever has happened to whom."""

from datetime import timedelta
from random import Random

import pytest

from tallystick.db.engine import Database
from tallystick.services.due_work import do_due_work
from tests.scenarios.random_shop import LEFT, RandomShop, Script, written
from tests.subscribing import Merchant
from tests.world import open_world

LIVES = [("EUR", 1), ("JPY", 2), ("KWD", 3)]
DAYS = 12


async def played(db: Database, currency: str, script: Script) -> RandomShop:
    """A shop of its own in which a script was played, and the months after it have passed."""
    shop = RandomShop(merchant=Merchant(world=await open_world(db)), currency=currency)
    await shop.open()
    await shop.play(script)
    await shop.travel(script.days[-1][0] + timedelta(days=70))
    return shop


@pytest.mark.parametrize(("currency", "seed"), LIVES)
async def test_the_books_are_sound_after_any_life(
    db: Database, currency: str, seed: int
) -> None:
    """Previews are what follows; billed once; movements sum up; all credited nets to zero."""
    shop = await played(db, currency, written(Random(seed), days=DAYS))
    assert min(shop.changed, shop.slotted + 1) >= 3, "a life in which something happens"
    await shop.merchant.is_sound()

    before = await shop.invoices()
    assert (await do_due_work(shop.world.ctx)).is_nothing
    assert await shop.invoices() == before

    values = await shop.world.fetch(
        "select s.mrr, (select sum(m.amount) from mrr_movements m"
        " where m.tenant_id = s.tenant_id and m.subscription_id = s.id) as moved"
        " from subscriptions s where s.tenant_id = $1",
        shop.world.tenant_id,
    )
    assert [one["moved"] for one in values] == [one["mrr"] for one in values]

    await shop.credit_everything()
    for row in await shop.world.fetch(
        "select id from invoices where tenant_id = $1 and status = 'FINALIZED' and total > 0",
        shop.world.tenant_id,
    ):
        assert (await shop.world.one(LEFT, row["id"]))["total"] == 0
    await shop.merchant.is_sound()


@pytest.mark.parametrize(("currency", "seed"), [("EUR", 2)])
async def test_the_order_of_a_day_does_not_matter(
    db: Database, currency: str, seed: int
) -> None:
    """What happens to different customers on a day, and usage: the invoices are the same."""
    script = written(Random(seed), days=DAYS)

    one = await played(db, currency, script)
    other = await played(db, currency, script.shuffled(Random(seed)))

    assert one.changed >= 3, "a life in which something happens"
    assert await other.invoices() == await one.invoices()
    assert (other.changed, other.refused) == (one.changed, one.refused)
