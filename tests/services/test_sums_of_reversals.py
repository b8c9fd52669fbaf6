"""Whatever happens to a payment, and whoever hears of it when: books and ledger agree."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest

from tallystick.domain.credit_note import Amount, Refund
from tallystick.domain.errors import Busy, Conflict, InvalidInput, TallystickError
from tallystick.services.confirm_result import Completed
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tallystick.services.look_into_money import record_failed_refunds
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.record_reversal import record_reversal, record_reversals
from tests.connected import Connected, Opener, connect
from tests.crediting import Billed, bought, refunds_swept
from tests.providers.contract import Case
from tests.soundness import unreadable
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.refusals import Refused
from tests.stripe.twin import Twin
from tests.subscribing import explain_all
from tests.world import NOON, World

__all__ = ["merchant", "twin", "wires"]

STEPS = 30

Happens = Callable[[], Awaitable[None]]


async def in_the_books(world: World) -> Counter[str]:
    """What is kept of each settled payment: less refunds that arrived, less what was taken."""
    rows = await world.fetch(
        """
        select t.reference, t.amount - coalesce((
                   select sum(r.amount) from refunds r
                   where r.payment_id = t.id and r.state = 'SUCCEEDED'
                     and r.came_back_at is null), 0) - coalesce((
                   select sum(v.amount - v.returned) from reversals v
                   where v.payment_id = t.id), 0) as kept
        from transactions t where t.payment_type = 'PAYMENT' and t.status = 'SETTLED'
        """
    )
    return Counter({row["reference"]: int(row["kept"]) for row in rows})


async def given(world: World) -> list[tuple[str, str]]:
    """Reference and key of the refunds that are held for given."""
    rows = await world.fetch(
        "select reference, id from refunds where state = 'SUCCEEDED' and came_back_at is null"
    )
    return [(row["reference"], f"{row['id']}:refund") for row in rows]


async def references(world: World) -> list[str]:
    """Of the settled payments."""
    return list(await in_the_books(world))


async def ends_well(world: World, ledger: Counter[str]) -> None:
    """The books are the ledger to the cent, payment by payment, and every rule holds."""
    assert await in_the_books(world) == ledger
    assert (await examine(world.database)).breaches == ()
    assert await unreadable(world) == []
    await explain_all(world)
    row = await world.one(
        """
        select sum(lost) as lost, min(amount_due) >= 0 as owes, (
            select sum(greatest(p.taken - p.paid, 0)) from (
                select sum(v.amount - v.returned) as taken, min(t.amount) as paid
                from reversals v join transactions t on t.id = v.payment_id
                group by v.payment_id) p) as beyond
        from invoices
        """
    )
    assert (row["lost"], row["owes"]) == (row["beyond"] or 0, True)


async def a_person_acts(billed: Billed, chance: Random) -> None:
    """Pays what is due, or gives a part back under a note; what is refused changes nothing."""
    with suppress(Conflict, Busy, InvalidInput):
        if chance.random() < 0.4:
            await pay_invoice(billed.world.ctx, billed.id, new_id())
        else:
            await billed.credit(Refund(), Amount(chance.randint(1, 3000)))


class AtTheTestBank:
    """What happens at the test bank."""

    def __init__(self, billed: Billed, chance: Random) -> None:
        self.billed = billed
        self.chance = chance

    async def happens(self) -> None:
        """One thing that nobody here asked for; what the bank refuses has not happened."""
        world, chance = self.billed.world, self.chance
        reference = chance.choice(await references(world))
        bank, tenant = world.sandbox, world.tenant_id
        with suppress(Conflict):
            match chance.randint(1, 4):
                case 1:
                    amount, name = chance.randint(1, 2000), f"sbx_rev_{new_id().hex}"
                    await bank.take_back(tenant, reference, name, "REFUND", amount)
                case 2:
                    amount, name = chance.randint(1, 9000), f"sbx_rev_{new_id().hex}"
                    await bank.take_back(tenant, reference, name, "DISPUTE", amount)
                case 3:
                    won = chance.random() < 0.6
                    await bank.decide_dispute(tenant, reference, won=won)
                case _:
                    refunds = await given(world)
                    if refunds:
                        one = chance.choice(refunds)
                        await bank.send_refund_back(tenant, *one, "account closed")

    async def is_heard(self) -> None:
        """The worker goes round: in this order, in that, or twice."""
        app = self.billed.world.app
        rounds: list[Happens] = [self._reversals, self._refunds, self._reversals]
        self.chance.shuffle(rounds)
        for one in rounds[: self.chance.randint(1, 3)]:
            await one()
        if self.chance.random() < 0.3:
            for _, reported in await app.providers["sandbox"].reversals_to_record():
                with suppress(TallystickError):
                    await record_reversal(self.billed.world.ctx, reported)

    async def all_is_heard(self) -> Counter[str]:
        """Everything was told; the ledger."""
        await refunds_swept(self.billed.world)
        await self._reversals()
        await self._refunds()
        assert await record_reversals(self.billed.world.app, NOON) == 0
        ledger: Counter[str] = Counter()
        for one in await self.billed.world.sandbox.movements(self.billed.world.tenant_id):
            comes = one.kind in {"CHARGE", "REINSTATEMENT", "REFUND_FAILED"}
            ledger[one.reference] += one.amount if comes else -one.amount
        return ledger

    async def _reversals(self) -> None:
        await record_reversals(self.billed.world.app, NOON)

    async def _refunds(self) -> None:
        await record_failed_refunds(self.billed.world.app, NOON)


@pytest.mark.parametrize("seed", range(6))
async def test_at_the_test_bank(world: World, seed: int) -> None:
    """Thirty things happen to a purchase of EUR 49, some of them heard late or twice."""
    chance = Random(seed)
    billed = await bought(world)
    bank = AtTheTestBank(billed, chance)
    for _ in range(STEPS):
        await chance.choice(
            [bank.happens, bank.happens, bank.is_heard, acting(billed, chance)]
        )()

    await ends_well(world, await bank.all_is_heard())


def acting(billed: Billed, chance: Random) -> Happens:
    """A person's part, to be chosen among others."""

    async def act() -> None:
        await a_person_acts(billed, chance)

    return act


@pytest.fixture
async def shop(world: World, twin: Twin, merchant: Account) -> AsyncIterator[Connected]:
    """A shop whose entity is paid through Stripe."""
    opener = Opener(twin)
    yield await connect(world, opener, merchant)
    await opener.close()


class AtStripe:
    """What happens at Stripe."""

    def __init__(self, shop: Connected, chance: Random) -> None:
        self.shop = shop
        self.chance = chance

    async def happens(self) -> None:
        """One thing that nobody here asked for; what Stripe refuses has not happened."""
        account, chance = self.shop.merchant, self.chance
        reference = chance.choice(await references(self.shop.world))
        with suppress(Refused):
            match chance.randint(1, 4):
                case 1:
                    at.refund_by_hand(account, reference, chance.randint(1, 2000))
                case 2:
                    said = chance.choice([None, (chance.randint(1, 9000), "usd")])
                    at.dispute(account, reference, chance.randint(1, 9000), said=said)
                case 3:
                    self._decides()
                case _:
                    refunds = account.objects["refund"].values()
                    arrived = [one["id"] for one in refunds if one["status"] == "succeeded"]
                    if arrived:
                        at.fail_refund(account, chance.choice(arrived))

    def _decides(self) -> None:
        disputes = self.shop.merchant.objects["dispute"].values()
        undecided = [one for one in disputes if one["status"] == "needs_response"]
        if undecided:
            one = self.chance.choice(undecided)
            taken = -one["balance_transactions"][0]["amount"]
            part = self.chance.choice([None, self.chance.randint(1, taken)])
            won = self.chance.random() < 0.6
            at.decide_dispute(self.shop.merchant, one["id"], won=won, part=part)

    async def is_heard(self) -> None:
        """Some of the events come, in any order; or the hour is over."""
        if self.chance.random() < 0.4:
            await self.shop.an_hour_later()
            return
        events = self.shop.merchant.events
        for event in self.chance.sample(events, min(len(events), 4)):
            await self.shop.hears(event)


@pytest.mark.parametrize("seed", range(4))
async def test_at_stripe(shop: Connected, seed: int) -> None:
    """The same with Stripe, whose events come in any order, twice, or never."""
    chance = Random(seed)
    world = shop.world
    customer = await world.customer()
    session = await world.session(customer, await world.plan())
    assert await world.confirm(session, method=await shop.typed(Case.GOOD_CARD)) == Completed()
    row = await world.one("select id from invoices")
    billed = Billed(world=world, customer_id=customer, id=row["id"])
    bank = AtStripe(shop, chance)
    for _ in range(STEPS):
        await chance.choice(
            [bank.happens, bank.happens, bank.is_heard, acting(billed, chance)]
        )()

    await refunds_swept(world)
    await shop.an_hour_later()
    ledger: Counter[str] = Counter()
    for one in shop.merchant.ledger:
        ledger[one.payment_intent] += one.amount
    await ends_well(world, ledger)
