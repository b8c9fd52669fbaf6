"""Banks, merchants and customers at once at money that was paid, and at what pays next."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from tallystick.db import subscription_writes
from tallystick.domain.credit_note import Amount, CreditNoteStatus, Refund
from tallystick.domain.errors import Conflict
from tallystick.services.due_work import bill_due
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest
from tallystick.services.own_methods import remove_own_method, use_own_method
from tallystick.services.portal_token import (
    OpenedPortal,
    PortalScope,
    issue_portal_token,
    open_portal,
)
from tallystick.services.record_reversal import record_reversal, record_reversals
from tallystick.services.refund_invoice import refund_invoice
from tests.crediting import bought, refunds_swept, went_back
from tests.races.racing import Race, Runner
from tests.reversing import Reversible, invented, reversible
from tests.services.test_collecting import swept
from tests.subscribing import Merchant
from tests.world import NOON, SoldPlan, World

PRICE = 4900
AFTER_GRACE = datetime(2026, 4, 11, 13, tzinfo=UTC)

pytestmark = pytest.mark.timeout(900)


async def test_refunds_and_reversals(race: Race, shop: World) -> None:
    """Refunds, disputes and refunds at the bank of one payment: what leaves is what came."""
    for _ in race.rounds():
        bank = await reversible(await bought(shop, plan=await shop.plan()))
        part = max(PRICE * 3 // (2 * race.racers), 1)
        before = sum(await went_back(shop))
        runners: list[Runner[object]] = []
        for number in range(race.racers):
            if number % 2:
                request = CreditRequest(
                    invoice_id=bank.billed.id, kind=Refund(), scope=Amount(part)
                )
                runners.append(partial(refund_invoice, shop.ctx, request, new_id()))
            else:
                runners.append(partial(_taken, bank, part))
        runners += [partial(record_reversals, shop.app, NOON)] * 4
        race.random.shuffle(runners)
        await race.run(runners)
        await refunds_swept(shop)
        await record_reversals(shop.app, NOON)

        payment = await bank.transaction()
        # All of them want half as much again as there is: as many parts go as there are.
        assert payment.refunded + payment.reversed == PRICE // part * part
        assert sum(await went_back(shop)) - before == payment.refunded
        assert (await bank.stands())[1] == payment.reversed
        notes = await shop.fetch(
            "select status, total from credit_notes where invoice_id = $1", bank.billed.id
        )
        given = [one["total"] for one in notes if one["status"] == CreditNoteStatus.FINALIZED]
        assert sum(given) == payment.refunded
    await Merchant(world=shop).is_sound()


async def _taken(bank: Reversible, amount: int) -> None:
    """The bank takes a part back by itself, and tells of it at once."""
    await bank.told(await bank.takes_back(amount, "REFUND"))


async def test_one_dispute(race: Race, shop: World) -> None:
    """A dispute heard of by many, won and told by many: taken once, and back once."""
    for number in race.rounds():
        bank = await reversible(await bought(shop, plan=await shop.plan(name=f"P{number}")))
        opened = await bank.takes_back(1000)
        runners: list[Runner[object]] = [partial(record_reversal, shop.ctx, opened)] * (
            race.racers - 4
        )
        runners += [partial(record_reversals, shop.app, NOON)] * 4
        await race.run(runners)
        assert await bank.stands() == ("PARTIALLY_PAID", 1000)

        won = await bank.decides(won=True)
        await race.run([partial(record_reversal, shop.ctx, one) for one in (won, opened)] * 2)
        await race.run([partial(record_reversal, shop.ctx, won)] * (race.racers - 4))
        await record_reversals(shop.app, NOON)
        assert await bank.stands() == ("PAID", 0)
    rows = await shop.fetch(
        "select type, count(*) from events where type in"
        " ('payment.reversed', 'payment.reinstated') group by type"
    )
    assert {row["type"]: row["count"] for row in rows} == {
        "payment.reversed": race.times,
        "payment.reinstated": race.times,
    }
    await Merchant(world=shop).is_sound()


async def test_the_last_cents(race: Race, shop: World) -> None:
    """Disputes beyond a payment's limit: it is due again, and the rest is the seller's loss."""
    for number in race.rounds():
        bank = await reversible(await bought(shop, plan=await shop.plan(name=f"P{number}")))
        part = PRICE * 2 // race.racers
        reports = [
            invented(bank.reference, part, id=f"dp_{number}_{one}")
            for one in range(race.racers)
        ]
        heard = await race.run([partial(record_reversal, shop.ctx, one) for one in reports])
        assert heard == [None] * race.racers
        assert await bank.stands() == ("UNPAID", PRICE)
        lost = await shop.fetch("select lost from invoices where id = $1", bank.billed.id)
        assert [one["lost"] for one in lost] == [part * race.racers - PRICE]


@dataclass(frozen=True, kw_only=True)
class TwoCards:
    """A customer in the portal, with a subscription and two cards."""

    portal: OpenedPortal
    subscription: UUID
    cards: tuple[UUID, UUID]

    @property
    def customer(self) -> UUID:
        """Who it is."""
        return self.portal.customer.id


async def two_cards(shop: World, plan: SoldPlan, name: str) -> TwoCards:
    """A subscription that was bought with one card, and another one on file."""
    customer = await shop.customer(name)
    await shop.confirm(await shop.session(customer, plan))
    method, second = await shop.card("5555555555554444"), new_id()
    async with shop.app.transaction() as tx:
        await subscription_writes.insert_method(
            tx, shop.tenant_id, second, customer, method, shop.ctx.now
        )
        made = await issue_portal_token(
            shop.ctx.within(tx), customer, 86_400, (PortalScope.MANAGE,)
        )
    await shop.execute(
        "update sandbox.methods set customer_id = $3 where tenant_id = $1 and token = $2",
        shop.tenant_id,
        method.token,
        customer,
    )
    (row,) = await shop.fetch(
        "select id, payment_method_id from subscriptions where customer_id = $1", customer
    )
    return TwoCards(
        portal=await open_portal(shop.app, made.token, NOON),
        subscription=row["id"],
        cards=(row["payment_method_id"], second),
    )


async def cards_of(shop: World, guest: TwoCards) -> list[UUID]:
    """What is on file and was not taken away."""
    rows = await shop.fetch(
        "select id from payment_methods where customer_id = $1 and archived_at is null",
        guest.customer,
    )
    return [row["id"] for row in rows]


async def test_the_last_card(race: Race, shop: World) -> None:
    """Both cards of each of many customers taken away at once: one stays, to be charged."""
    plan = await shop.plan()
    for number in race.rounds():
        guests = [await two_cards(shop, plan, f"C{number}-{one}") for one in range(race.racers)]
        runners = [
            partial(remove_own_method, guest.portal, card)
            for guest in guests
            for card in guest.cards
        ]
        race.random.shuffle(runners)
        heard = await race.run(runners)

        assert heard.count(None) == race.racers
        assert sum(isinstance(one, Conflict) for one in heard) == race.racers
        assert [len(await cards_of(shop, guest)) for guest in guests] == [1] * race.racers


async def test_another_card_while_renewed(race: Race, shop: World) -> None:
    """Customers who choose and remove cards while they are renewed: one charge, to theirs."""
    merchant = Merchant(world=shop)
    for number in race.rounds():
        await merchant.stand_at(NOON)
        plan = await shop.plan(name=f"P{number}")
        guests = [
            await two_cards(shop, plan, f"C{number}-{one}")
            for one in range(max(race.racers // 4, 3))
        ]
        before = len(await shop.charges())
        await merchant.stand_at(AFTER_GRACE)
        runners: list[Runner[object]] = [partial(bill_due, shop.app, AFTER_GRACE)] * 4
        for guest in guests:
            first, second = guest.cards
            runners += [partial(use_own_method, guest.portal, one) for one in guest.cards]
            runners.append(partial(use_own_method, guest.portal, second))
            runners.append(partial(remove_own_method, guest.portal, first))
        race.random.shuffle(runners)
        await race.run(runners)
        await bill_due(shop.app, AFTER_GRACE)
        await swept(shop.at(AFTER_GRACE))

        assert (await shop.charges())[before:] == [PRICE] * len(guests)
        for guest in guests:
            tries = await shop.fetch(
                "select state, payment_method_id from collections where customer_id = $1",
                guest.customer,
            )
            assert [one["state"] for one in tries] == ["SUCCEEDED"]
            assert tries[0]["payment_method_id"] in guest.cards
            assert guest.cards[1] in await cards_of(shop, guest)
        renewed = await shop.fetch(
            "select payment_status from invoices where invoice_date = $1 and customer_id"
            " = any($2)",
            date(2026, 4, 10),
            [guest.customer for guest in guests],
        )
        assert [one["payment_status"] for one in renewed] == ["PAID"] * len(guests)
    await shop.execute("update tenants set clock = $1", AFTER_GRACE + timedelta(hours=1))
    await merchant.is_sound()
