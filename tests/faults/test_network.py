"""A network that loses, delays and doubts: requests that arrive after everybody gave up."""

import asyncio
import os
from contextlib import suppress
from random import Random

import pytest

from tallystick.domain.errors import TallystickError
from tallystick.domain.payment import Unknown
from tallystick.services.confirm_result import Completed, InFlight
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tests.faults.aftermath import (
    assert_bought_once_or_not_at_all,
    outcome_of,
    worker_does_its_rounds,
)
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.faults.stories import (
    ASKS,
    CARDS,
    DECLINED,
    GOOD,
    LATER,
    STORIES,
    Case,
    Kind,
    Stock,
    open_stock,
)
from tests.real_time import sweep
from tests.scripted_bank import Ask, Delayed, Step, lost, says, silent, through
from tests.soundness import assert_sound
from tests.world import World

SEEDS = 150 if os.environ.get("TALLYSTICK_FAULTS_EVERY") == "1" else 12
ROUNDS = 10
BUYS = STORIES["buys"]


@pytest.fixture
async def stock(world: World) -> Stock:
    """A shop whose bank can be scripted."""
    return await open_stock(world)


@pytest.mark.parametrize("card", [GOOD, DECLINED, ASKS])
@pytest.mark.parametrize("call", ["open", "confirm"])
@pytest.mark.parametrize("arrives", ["before the sweeper", "after it", "after another card"])
async def test_a_request_arrives_late(stock: Stock, call: str, card: str, arrives: str) -> None:
    """Whenever a delayed request arrives at the bank, it charges once or not at all."""
    case, delayed = await stock.begin(BUYS, 1), Delayed()
    stock.bank.script(call, delayed)
    assert await case.confirm(stock.world, card) == InFlight()
    if arrives == "before the sweeper":
        await delayed.deliver()
    await sweep(stock.world)
    if arrives == "after another card" and (await outcome_of(case)).state == "CREATED":
        assert await case.confirm(stock.world) == Completed()
    await delayed.deliver()

    outcome = await assert_bought_once_or_not_at_all(case, BUYS)

    if arrives != "before the sweeper" and card == GOOD:
        assert (outcome.state == "COMPLETED") == (arrives == "after another card")
    await assert_sound(stock.world)


@pytest.mark.parametrize("arrives", ["before the sweeper", "after it"])
async def test_a_card_is_saved_late(stock: Stock, arrives: str) -> None:
    """A delayed request to save a method starts the trial, or nothing at all."""
    kind, delayed = STORIES["saves a card"], Delayed()
    for number, call in enumerate(("save_method", "confirm")):
        case = await stock.begin(kind, number)
        stock.bank.script(call, delayed)
        assert await case.confirm(stock.world) == InFlight()
        if arrives == "before the sweeper":
            await delayed.deliver()
        await sweep(stock.world)
        await delayed.deliver()
        await assert_bought_once_or_not_at_all(case, kind)
    await assert_sound(stock.world)


@pytest.mark.parametrize("call", ["look", "cancel"])
@pytest.mark.parametrize("answer", [silent, lost, says(Unknown())])
async def test_a_sweeper_without_an_answer_asks_again(
    stock: Stock, call: str, answer: Step
) -> None:
    """However often the bank is silent, nothing is decided before it has spoken."""
    case = await stock.begin(BUYS, 1)
    stock.bank.script("confirm", silent)
    stock.bank.script(call, *[answer] * 3)
    await case.confirm(stock.world)
    for _ in range(3):
        await sweep(stock.world)
    outcome = await assert_bought_once_or_not_at_all(case, BUYS)
    assert outcome.state == "CREATED"
    await assert_sound(stock.world)


class Weather:
    """What becomes of each call: mostly nothing, now and then what a network does."""

    def __init__(self, random: Random) -> None:
        self.random, self.delayed = random, Delayed()

    async def __call__(self, ask: Ask) -> object:
        """Draw what becomes of one call."""
        step = self.random.choices(
            (through, silent, lost, self.delayed, _slow), (50, 10, 12, 13, 15)
        )[0]
        return await step(ask)


async def _slow(ask: Ask) -> object:
    await asyncio.sleep(0.005)
    answer = await ask()
    await asyncio.sleep(0.005)
    return answer


class Storm:
    """Two tabs of one customer for one plan, and everybody at them in bad weather."""

    def __init__(self, stock: Stock, tabs: tuple[Case, Case], random: Random) -> None:
        self.stock, self.tabs, self.random = stock, tabs, random
        self.weather = Weather(random)
        stock.bank.otherwise = self.weather

    async def rages(self) -> None:
        """One to three things happen at once, ten times over."""
        for _ in range(ROUNDS):
            happening = self.random.randint(1, 3)
            await asyncio.gather(*(self._something() for _ in range(happening)))

    async def passes(self) -> None:
        """Everything that is on its way arrives, and the worker does its rounds."""
        self.stock.bank.otherwise = through
        await worker_does_its_rounds(self.tabs[0])
        await self.weather.delayed.deliver()
        for tab in self.tabs:
            await worker_does_its_rounds(tab)

    async def _something(self) -> None:
        case = self.random.choice(self.tabs)
        breaks_at = self.random.choice((None, None, self.random.randint(1, 70)))
        process = Process(breaks_at, self.random.choice(list(Break)))
        shop = in_process(self.stock.world, self.stock.bank, process)
        what = self.random.choices(range(8), (30, 15, 10, 15, 12, 12, 3, 3))[0]
        with suppress(*BROKEN, TallystickError):
            await self._happens(what, case, shop)

    async def _happens(self, what: int, case: Case, shop: World) -> None:
        match what:
            case 0:
                await case.confirm(shop, self.random.choice(CARDS))
            case 1:
                await continue_checkout(shop.ctx, case.session)
            case 2:
                await use_another_method(shop.ctx, case.session)
            case 3:
                await sweep(shop)
            case 4:
                await case.answers_bank(approve=self.random.random() < 0.7)
            case 5:
                await self.weather.delayed.deliver()
            case 6:
                await cancel_session(shop.ctx, case.session)
            case _:
                await expire_session(shop.at(LATER).ctx, case.session)


async def two_tabs(stock: Stock, number: int) -> tuple[Case, Case]:
    """Two links of one customer for one plan, each with the quote that both were shown."""
    first = await stock.begin(BUYS, number)
    customer = await stock.world.one(
        "select customer_id from checkout_sessions where id = $1", first.session
    )
    session = await stock.world.session(
        customer["customer_id"], stock.plan, coupon_ids=(stock.coupon,)
    )
    second = Case(
        world=first.world,
        bank=first.bank,
        session=session,
        shown=first.shown,
        cards={card: await stock.world.card(card) for card in CARDS},
        debit=first.debit,
    )
    return first, second


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_one_purchase_or_none(stock: Stock, seed: int) -> None:
    """Verbs, kills, losses and delays in any order: at most one tab is bought, paid once."""
    storm = Storm(stock, await two_tabs(stock, seed), Random(seed))

    await storm.rages()
    await storm.passes()

    outcomes = [await outcome_of(tab) for tab in storm.tabs]
    bought = [outcome for outcome in outcomes if outcome.state == "COMPLETED"]
    assert len(bought) == sum(outcome.subscriptions for outcome in outcomes) <= 1
    assert sum(outcome.kept for outcome in outcomes) == 1450 * len(bought)
    await assert_sound(stock.world)
    if not bought and outcomes[0].state == "CREATED":
        await assert_bought_once_or_not_at_all(storm.tabs[0], Kind(tell=BUYS.tell))
