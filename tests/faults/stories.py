"""What buyers, merchants and the worker do, as stories that can be broken off anywhere."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Conflict
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.payment import Cancelled, Method
from tallystick.services.confirm_result import Challenge
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tallystick.services.late_money import refund_late_money
from tallystick.services.record_purchase import record_purchase
from tests.real_time import debits_are_decided, sweep
from tests.scripted_bank import ScriptedBank, says, with_bank
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


async def is_declined(case: Case, shop: World) -> None:
    """A bad card."""
    await case.confirm(shop, DECLINED)


async def approves(case: Case, shop: World) -> None:
    """A challenge, approved, and the way back."""
    if isinstance(await case.confirm(shop, ASKS), Challenge):
        await case.answers_bank(approve=True)
    await continue_checkout(shop.ctx, case.session)


async def refuses(case: Case, shop: World) -> None:
    """A challenge, refused, and the way back."""
    if isinstance(await case.confirm(shop, ASKS), Challenge):
        await case.answers_bank(approve=False)
    await continue_checkout(shop.ctx, case.session)


async def leaves_for_another_card(case: Case, shop: World) -> None:
    """A challenge, left for a good card."""
    await case.confirm(shop, ASKS)
    await use_another_method(shop.ctx, case.session)
    await case.confirm(shop)


async def pays_by_debit(case: Case, shop: World) -> None:
    """A bank account; days later the worker hears of the money."""
    await shop.confirm(case.session, shown=case.shown, method=case.debit)
    await debits_are_decided(shop)


async def saves_a_card(case: Case, shop: World) -> None:
    """A free trial with a good card."""
    await case.confirm(shop)


async def pays_elsewhere(case: Case, shop: World) -> None:
    """No provider is asked."""
    await case.confirm(shop, pays=False)


async def answer_is_lost(case: Case, shop: World) -> None:
    """The money is taken, nobody hears of it, and the worker asks."""
    await case.confirm(shop, ANSWER_IS_LOST)
    await sweep(shop)


async def question_is_lost(case: Case, shop: World) -> None:
    """Nothing is taken, nobody hears of that, and the worker asks."""
    await case.confirm(shop, QUESTION_IS_LOST)
    await sweep(shop)


async def is_cancelled(case: Case, shop: World) -> None:
    """The merchant cancels while the buyer is at the bank."""
    await case.confirm(shop, ASKS)
    with suppress(Conflict):
        await cancel_session(shop.ctx, case.session)


async def expires(case: Case, shop: World) -> None:
    """The session's time is up while the buyer is at the bank."""
    await case.confirm(shop, ASKS)
    await expire_session(shop.at(LATER).ctx, case.session)


async def pays_too_late(case: Case, shop: World) -> None:
    """The bank says cancelled and takes the money after all; a good card has bought by then."""
    await case.confirm(shop, ASKS)
    first = await case.attempt()
    assert first is not None, "the process is alive"
    if first["reference"] is None:
        return
    case.bank.script("cancel", says(Cancelled()))
    await use_another_method(shop.ctx, case.session)
    await case.confirm(shop)
    await case.world.sandbox.answer_challenge(
        case.world.tenant_id, first["reference"], approve=True
    )
    async with shop.database.transaction() as tx:
        await record_purchase(shop.ctx, tx, first["id"])
    await refund_late_money(shop.ctx, first["id"])


STORIES = {
    "buys": Kind(tell=buys),
    "is declined": Kind(tell=is_declined),
    "approves": Kind(tell=approves),
    "refuses": Kind(tell=refuses),
    "leaves for another card": Kind(tell=leaves_for_another_card),
    "pays by debit": Kind(tell=pays_by_debit),
    "saves a card": Kind(tell=saves_a_card, due=0, offer={"trial_duration_days": 14}),
    "pays elsewhere": Kind(
        tell=pays_elsewhere, due=0, offer={"payment": ExternalPayment()}, pays=False
    ),
    "answer is lost": Kind(tell=answer_is_lost),
    "question is lost": Kind(tell=question_is_lost),
    "is cancelled": Kind(tell=is_cancelled),
    "expires": Kind(tell=expires),
    "pays too late": Kind(tell=pays_too_late),
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
