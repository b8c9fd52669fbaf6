"""Purchases to which a network does what it likes; `matrix.py` has the stories of failures."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.coupons import Percentage
from tallystick.domain.payment import Method
from tests.scripted_bank import ScriptedBank, with_bank
from tests.world import NOON, SoldPlan, World

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
ASKS = "4000002500003155"
QUESTION_IS_LOST = "4000000000009987"
ANSWER_IS_LOST = "4000000000009979"
CARDS = (GOOD, DECLINED, ASKS, QUESTION_IS_LOST, ANSWER_IS_LOST)
LATER = NOON + timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One session to be bought, with everything that the buyer has in hand before the story."""

    world: World
    bank: ScriptedBank
    session: UUID
    shown: str
    cards: Mapping[str, Method]
    debit: Method

    async def confirm(self, shop: World, card: str = GOOD, *, pays: bool = True) -> object:
        """Press the button in a process that may fail."""
        return await shop.confirm(
            self.session,
            shown=self.shown,
            method=self.cards[card] if pays else None,
            chooses=pays,
            agrees=pays,
        )

    async def attempt(self) -> dict[str, Any] | None:
        """The session's newest attempt, seen from outside the process."""
        rows = await self.world.fetch(
            "select * from payment_attempts where session_id = $1 order by id desc limit 1",
            self.session,
        )
        return rows[0] if rows else None

    async def answers_bank(self, *, approve: bool) -> None:
        """The buyer answers the bank's challenge, if there is one."""
        attempt = await self.attempt()
        if attempt is not None and attempt["reference"] is not None:
            await self.world.sandbox.answer_challenge(
                self.world.tenant_id, attempt["reference"], approve=approve
            )


Story = Callable[[Case, World], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A story, and the offer that it is about: `due` is what its purchase charges today."""

    tell: Story
    due: int = 1450
    offer: Mapping[str, Any] = field(default_factory=dict)
    pays: bool = True


async def buys(case: Case, shop: World) -> None:
    """A good card."""
    await case.confirm(shop)


async def saves_a_card(case: Case, shop: World) -> None:
    """A free trial with a good card."""
    await case.confirm(shop)


STORIES = {
    "buys": Kind(tell=buys),
    "saves a card": Kind(tell=saves_a_card, due=0, offer={"trial_duration_days": 14}),
}


@dataclass(frozen=True, kw_only=True)
class Stock:
    """A shop with one plan of EUR 49 a month, a coupon of 50 %, and a bank with a script."""

    world: World
    bank: ScriptedBank
    plan: SoldPlan
    coupon: UUID

    async def begin(self, kind: Kind, number: int) -> Case:
        """A customer of its own, with EUR 10 of credit and a link that holds the coupon."""
        world = self.world
        customer = await world.customer(f"Customer {number}")
        await world.balance(customer, 1000)
        session = await world.session(
            customer, self.plan, coupon_ids=(self.coupon,), **kind.offer
        )
        return Case(
            world=world,
            bank=self.bank,
            session=session,
            shown=await world.shown(session),
            cards={card: await world.card(card) for card in CARDS},
            debit=await world.debit(),
        )


async def open_stock(world: World) -> Stock:
    """Open the shop of a story."""
    bank = ScriptedBank(world.sandbox)
    world = with_bank(world, bank)
    return Stock(
        world=world,
        bank=bank,
        plan=await world.plan(),
        coupon=await world.coupon("HALF", Percentage(percentage=Decimal(50))),
    )
