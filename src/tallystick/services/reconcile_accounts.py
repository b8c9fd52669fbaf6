"""Reconcile each account from where it stands, piece by piece, as a worker does it.

A long verb. What a page holds that our books do not know is kept in one transaction with the
place that is reached: a crash repeats a page, and loses none. What was kept is then taken up
until nothing is to be done about it any more: see `reconcile`.
"""

from datetime import datetime, timedelta

import structlog

from tallystick.db import reconciled_accounts
from tallystick.db.engine import Tx, retrying
from tallystick.db.reconciled_accounts import ReconciledAccount
from tallystick.domain.orphan import AccessRefused, Orphan, OrphanPolicy, OrphanState
from tallystick.domain.provider_connection import Account
from tallystick.domain.reconciliation import (
    Progress,
    compared,
    is_over,
    latest,
    next_piece,
)
from tallystick.services.context import App
from tallystick.services.each_alone import each_alone
from tallystick.services.reconcile import (
    Place,
    held_of,
    listed,
    note,
    note_refunded,
    place_of,
    strangers,
    take_up,
    unknown_of,
    waiting,
)

ACCOUNTS_AT_ONCE = 4
PAGES_AT_ONCE = 20
"""So many pages are compared before other accounts have their turn."""
LEASE_SECONDS = 600.0
"""An account whose worker has died, or had no answer, goes on after so long."""
CLOSED_SECONDS = timedelta(days=1).total_seconds()
"""How often a closed connection is asked whether its keys may look again."""

log = structlog.get_logger(__name__)


async def reconcile_accounts(app: App, real_now: datetime, seconds: float) -> int:
    """Go on with every account that was not compared for so long; return how many."""

    async def attend(one: ReconciledAccount) -> None:
        await _attend(app, one, real_now, seconds)

    async with app.transaction() as tx:
        await reconciled_accounts.begin(tx)
    total = 0
    while True:
        async with app.transaction() as tx:
            due = await reconciled_accounts.lease_due(tx, ACCOUNTS_AT_ONCE, LEASE_SECONDS)
        total += await each_alone(due, attend, at_once=ACCOUNTS_AT_ONCE, work="reconcile")
        if len(due) < ACCOUNTS_AT_ONCE:
            return total


async def _attend(app: App, one: ReconciledAccount, real_now: datetime, seconds: float) -> None:
    """Compare some pages of an account, take up what waits, and say when it goes on."""
    until = latest(real_now, one.closed_at)
    try:
        place = await place_of(app, one.account, real_now)
        has_more = await _compare(place, one, until, real_now)
    except AccessRefused as refusal:
        log.warning("reconcile.refused", account=one.account.account, reason=str(refusal))
        pause = seconds if one.closed_at is None else max(seconds, CLOSED_SECONDS)
        async with app.transaction() as tx:
            await reconciled_accounts.refused(tx, one.account, str(refusal), real_now)
            await reconciled_accounts.check_again(tx, one.account, pause)
        return
    waits = await _take_up_all(place)
    if not has_more:
        await note_refunded(place)
    is_done = not (has_more or waits) and is_over(until, one.closed_at)
    again = None if is_done else 0.0 if has_more else seconds
    async with app.transaction() as tx:
        await reconciled_accounts.check_again(tx, one.account, again)


async def _compare(
    place: Place, one: ReconciledAccount, until: datetime, real_now: datetime
) -> bool:
    """Compare page after page; whether there are more."""
    stands = one.progress
    for _ in range(PAGES_AT_ONCE):
        piece = next_piece(stands, until, real_now)
        if piece is None:
            return False
        reached = await _compare_page(place, one.account, stands, piece, real_now)
        if reached is None:
            # Another worker was here: it goes on.
            return False
        stands = reached
    return next_piece(stands, until, real_now) is not None


async def _compare_page(
    place: Place, account: Account, stood: Progress, piece: Progress, real_now: datetime
) -> Progress | None:
    """Compare one page, and return what is reached; None where it was compared meanwhile."""
    assert piece.piece_until is not None, "a piece has its end"
    page = await listed(place, piece.until, piece.piece_until, piece.after)
    strange = await unknown_of(place, page.payments)
    reached = compared(piece, page.mark, real_now)

    async def keep(tx: Tx) -> bool:
        if not await reconciled_accounts.go_on(tx, account, stood, reached):
            return False
        for payment in strange:
            await note(place.ctx.within(tx), place, payment)
        return True

    return reached if await retrying(place.ctx.app.database, keep) else None


async def _take_up_all(place: Place) -> bool:
    """Do what is to be done about what was found; whether something still is to be done."""
    ctx = place.ctx
    waits = False

    async def attend(orphan: Orphan) -> None:
        nonlocal waits
        payments = [orphan.payment]
        if orphan.state is OrphanState.FOUND and await strangers(place, payments):
            if ctx.tenant.orphan_policy == OrphanPolicy.REPORT:
                return
            payments = await held_of(place, payments)
        for payment in payments:
            state = await take_up(place, payment)
            waits = waits or state is OrphanState.REFUNDING

    async for page in waiting(place, [OrphanState.FOUND, OrphanState.REFUNDING]):
        done = await each_alone(page, attend, at_once=1, work="take_up_orphans")
        waits = waits or done < len(page)
    return waits
