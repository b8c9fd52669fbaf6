"""Accounts are told what their customers are called: when it changes, and as it is then."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tallystick.domain.buyer import BuyerDetails
from tallystick.services.confirm_result import Completed
from tallystick.services.tell_providers import tell_of_customers
from tests.connected import Connected
from tests.providers.contract import Case
from tests.scripted_bank import ScriptedBank, after, lost, silent, with_bank
from tests.services.test_telling_providers import (
    UPDATE,
    bought,
    is_sound,
    known,
    later,
    merchant,
    renamed,
    shop,
    twin,
    wires,
)
from tests.world import GLOBEX, NOON

__all__ = ["merchant", "shop", "twin", "wires"]


async def test_a_customer_is_told_when_she_changes(shop: Connected) -> None:
    """Once per change; where nothing that Stripe was told has changed it is not called."""
    customer = await bought(shop)
    world = shop.world
    assert known(shop) == (GLOBEX.name, GLOBEX.email)
    await renamed(world, customer, phone="+33 1 23 45")
    assert await later(world) == (0, 0)

    await renamed(world, customer, name="Initech", billing_email="pay@initech.example")
    assert shop.merchant.called(UPDATE) == []
    assert await later(world) == (0, 1)
    assert await later(world) == (0, 0)
    assert known(shop) == ("Initech", "pay@initech.example")

    await renamed(world, customer, billing_email=None)
    await later(world)
    assert known(shop) == ("Initech", None)
    assert len(shop.merchant.called(UPDATE)) == 2
    await is_sound(world)


async def test_what_was_taken_back_is_not_told(shop: Connected) -> None:
    """She is called as before when the worker comes: there is nothing to say."""
    customer = await bought(shop)
    await renamed(shop.world, customer, name="Initech")
    await renamed(shop.world, customer, name=GLOBEX.name)

    assert await later(shop.world) == (0, 1)
    assert await later(shop.world) == (0, 0)

    assert shop.merchant.called(UPDATE) == []
    await is_sound(shop.world)


async def test_what_she_types_at_the_checkout_is_told(shop: Connected) -> None:
    """She is made there as the merchant knows her, and is told as she has bought."""
    world = shop.world
    customer = await world.customer(name="Unknown", billing_email=None)
    session = await world.session(customer, await world.plan())
    buyer: BuyerDetails = replace(GLOBEX, name="Globex SARL", email="dana@globex.example")
    method = await shop.typed(Case.GOOD_CARD)
    assert await world.confirm(session, method=method, buyer=buyer) == Completed()

    assert await later(world) == (0, 1)

    assert known(shop) == ("Globex SARL", "dana@globex.example")
    await is_sound(world)


@pytest.mark.parametrize("step", [silent, lost])
async def test_an_account_that_gives_no_answer(shop: Connected, step: Any) -> None:  # noqa: ANN401
    """It is told later, as she is then; the last state wins."""
    customer = await bought(shop)
    bank = ScriptedBank(shop.world.provider)
    bank.script("update_customer", step)
    world = with_bank(shop.world, bank)
    await renamed(world, customer, name="Initech")
    assert await tell_of_customers(world.app, NOON) == 1
    assert await tell_of_customers(world.app, NOON) == 0
    await renamed(world, customer, name="Hooli")

    assert await later(world) == (0, 1)
    assert await later(world) == (0, 0)

    assert known(shop) == ("Hooli", GLOBEX.email)
    assert bank.calls == ["update_customer", "update_customer"]


async def test_she_changes_while_her_account_is_told(shop: Connected) -> None:
    """The call that is under way is not overtaken: the next worker tells the rest."""
    customer = await bought(shop)
    bank = ScriptedBank(shop.world.provider)
    world = with_bank(shop.world, bank)

    async def again() -> None:
        await renamed(world, customer, name="Hooli")
        assert await tell_of_customers(world.app, NOON) == 0

    bank.script("update_customer", after(again))
    await renamed(world, customer, name="Initech")

    assert await tell_of_customers(world.app, NOON) == 1
    assert known(shop) == ("Initech", GLOBEX.email)
    assert await tell_of_customers(world.app, NOON) == 1

    assert known(shop) == ("Hooli", GLOBEX.email)
    assert bank.calls == ["update_customer", "update_customer"]
    await is_sound(world)


async def test_she_changes_while_she_is_made(shop: Connected) -> None:
    """Nothing was kept yet that the change could have marked: it is seen all the same."""
    world = shop.world
    customer = await world.customer(name=GLOBEX.name, billing_email=GLOBEX.email)
    bank = ScriptedBank(world.provider)
    scripted = with_bank(world, bank)

    async def rename() -> None:
        await renamed(world, customer, name="Initech")

    bank.script("keep_customer", after(rename))
    session = await world.session(customer, await world.plan())
    method = await shop.typed(Case.CHALLENGED_CARD)
    await scripted.confirm(session, method=method)
    assert known(shop) == (GLOBEX.name, GLOBEX.email)

    assert await later(world) == (0, 1)
    assert known(shop) == ("Initech", GLOBEX.email)


async def test_she_changes_again_and_again(shop: Connected) -> None:
    """With several workers about: in the end the account knows how she is."""
    customer = await bought(shop)
    world = shop.world

    await asyncio.gather(
        *(
            work
            for number in range(8)
            for work in (
                renamed(world, customer, name=f"Globex {number}"),
                tell_of_customers(world.app, NOON),
            )
        )
    )
    await later(world)

    row = await world.one("select name from customers")
    assert known(shop) == (row["name"], GLOBEX.email)
    assert await later(world) == (0, 0)
    keys = [call.key for call in shop.merchant.called(UPDATE)]
    assert len(keys) == len(set(keys))
    await is_sound(world)


async def test_who_is_known_to_no_account_costs_nothing(shop: Connected) -> None:
    """No row, no call."""
    customer = await shop.world.customer()
    await renamed(shop.world, customer, name="Initech")

    assert await later(shop.world) == (0, 0)
    assert shop.merchant.calls == []


async def test_who_was_deleted_there_is_told_no_more(shop: Connected) -> None:
    """She is made anew when she buys again, as she is then."""
    customer = await bought(shop)
    shop.merchant.objects["customer"].clear()
    await renamed(shop.world, customer, name="Initech")

    assert await later(shop.world) == (0, 1)
    assert await later(shop.world) == (0, 0)
    await is_sound(shop.world)
