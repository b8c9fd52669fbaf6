"""What must change one row says so when there is none."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from tallystick.db import balance_holds, checkout_sessions, places
from tallystick.db.engine import Database, Tx
from tallystick.db.one_row import NotOneRow
from tallystick.domain.session import SessionState
from tallystick.services.ids import new_id
from tests.world import NOON

CHANGES: dict[str, Callable[[Tx, UUID], Awaitable[None]]] = {
    "await payment": lambda tx, one: checkout_sessions.await_payment(tx, one, one, NOON),
    "complete": lambda tx, one: checkout_sessions.complete(tx, one, one, one, NOON),
    "leave": lambda tx, one: checkout_sessions.leave(
        tx, one, one, SessionState.CREATED, None, NOON
    ),
    "hold": lambda tx, one: balance_holds.hold(tx, one, one, "EUR", 1),
    "give back": lambda tx, one: balance_holds.give_back(tx, one, one, "EUR", 1),
    "spend": lambda tx, one: balance_holds.spend(
        tx, one, one, "EUR", 1, entry_id=one, invoice_id=one, now=NOON
    ),
    "hand over": lambda tx, one: places.hand_over(tx, one, one, one),
}


@pytest.mark.parametrize("change", list(CHANGES))
async def test_a_change_of_nothing_is_a_defect(db: Database, change: str) -> None:
    """Sessions, holds and places that are not there are not passed over in silence."""
    async with db.connection() as connection:
        with pytest.raises(NotOneRow, match=r": (UPDATE|INSERT 0) 0$"):
            await CHANGES[change](connection, new_id())


async def test_nothing_held_needs_no_balance(db: Database) -> None:
    """Who holds, spends and gives back nothing needs no balance."""
    one = new_id()
    async with db.connection() as connection:
        await balance_holds.hold(connection, one, one, "EUR", 0)
        await balance_holds.give_back(connection, one, one, "EUR", 0)
