"""The banks that the matrix can be run against, by the name that `--provider` takes."""

from collections.abc import Awaitable, Callable, Mapping

from tests.faults.bank import Bank, TestBank
from tests.faults.stripe_bank import borrow_stripe_bank, open_stripe_bank
from tests.world import World

SANDBOX = "sandbox"
STRIPE = "stripe"


async def _open_test_bank(world: World) -> tuple[World, Bank]:
    return world, TestBank(world)


async def _borrow_test_bank(world: World, _: object) -> tuple[World, Bank]:
    return world, TestBank(world)


BANKS: Mapping[str, Callable[[World], Awaitable[tuple[World, Bank]]]] = {
    SANDBOX: _open_test_bank,
    STRIPE: open_stripe_bank,
}
"""Each makes a bank of a shop, and gives the shop back that is paid through it."""

LENT: Mapping[str, Callable[[World, object], Awaitable[tuple[World, Bank]]]] = {
    SANDBOX: _borrow_test_bank,
    STRIPE: borrow_stripe_bank,
}
"""The same in a process of its own, from what the bank has lent to it."""
