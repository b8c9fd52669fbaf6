"""What is done again and again, how often, and by whom: any worker, one at a time per turn.

The turns are rows of the database (`db/periodic_work.py`): a worker that takes one does the
work. A turn is taken whether or not the last one has ended, on this worker excepted, so every
verb here can run on several workers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import structlog

from tallystick.db import periodic_work
from tallystick.db.engine import DatabaseUnavailable
from tallystick.jobs.pause import pause
from tallystick.services.compact_list_counts import compact_list_counts
from tallystick.services.context import App
from tallystick.services.due_work import bill_due
from tallystick.services.expire_sessions import expire_due_sessions
from tallystick.services.import_rows import ReadRows
from tallystick.services.look_after_connections import (
    look_after_connections,
    purge_provider_events,
)
from tallystick.services.look_into_money import record_failed_refunds
from tallystick.services.pass_on_names import pass_on_names
from tallystick.services.purge_deliveries import purge_deliveries
from tallystick.services.purge_idempotency_keys import purge_idempotency_keys
from tallystick.services.purge_secrets import purge_secrets
from tallystick.services.reconcile_accounts import reconcile_accounts
from tallystick.services.record_reversal import record_reversals
from tallystick.services.refund_invoice import sweep_refunds
from tallystick.services.run_imports import run_imports
from tallystick.services.sequence_events import sequence_events
from tallystick.services.settle_debits import settle_debits
from tallystick.services.sweep_attempts import sweep_attempts
from tallystick.services.sweep_setups import sweep_setups
from tallystick.services.tell_providers import forget_methods, tell_of_customers
from tallystick.services.try_to_collect import sweep_collections
from tallystick.settings import Settings

LOOK_SECONDS_MAX = 1.0
"""How often a worker looks for turns, unless one of them comes more often."""
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)

Turn: TypeAlias = Callable[[App, datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A kind of work: `turn` is handed real time and returns how much there was to do."""

    name: str
    seconds: float
    turn: Turn


def every_kind(settings: Settings, read_rows: ReadRows) -> tuple[Periodic, ...]:
    """All periodic work of the program; `read_rows` reads files that are imported."""
    return (
        *_of_money(settings),
        Periodic(
            name="run_imports",
            seconds=settings.import_seconds,
            turn=lambda app, now: run_imports(app, now, read_rows),
        ),
        Periodic(
            name="sequence_events",
            seconds=settings.sequence_seconds,
            turn=lambda app, _: sequence_events(app),
        ),
        Periodic(
            name="compact_list_counts",
            seconds=settings.compact_seconds,
            turn=lambda app, _: compact_list_counts(app),
        ),
        Periodic(
            name="pass_on_names",
            seconds=settings.compact_seconds,
            turn=lambda app, _: pass_on_names(app),
        ),
        *_of_what_is_over(settings),
    )


def _of_money(settings: Settings) -> tuple[Periodic, ...]:
    """What bills, collects, and finds out what became of payments."""
    return (
        Periodic(name="sweep_attempts", seconds=settings.sweep_seconds, turn=sweep_attempts),
        Periodic(
            name="expire_sessions", seconds=settings.expire_seconds, turn=expire_due_sessions
        ),
        Periodic(
            name="sweep_collections", seconds=settings.sweep_seconds, turn=sweep_collections
        ),
        Periodic(name="sweep_setups", seconds=settings.sweep_seconds, turn=sweep_setups),
        Periodic(name="forget_methods", seconds=settings.sweep_seconds, turn=forget_methods),
        Periodic(
            name="tell_of_customers", seconds=settings.sweep_seconds, turn=tell_of_customers
        ),
        Periodic(name="sweep_refunds", seconds=settings.sweep_seconds, turn=sweep_refunds),
        Periodic(name="bill_due", seconds=settings.bill_seconds, turn=bill_due),
        Periodic(name="settle_debits", seconds=settings.settle_seconds, turn=settle_debits),
        Periodic(
            name="record_reversals", seconds=settings.settle_seconds, turn=record_reversals
        ),
        Periodic(
            name="record_failed_refunds",
            seconds=settings.sweep_seconds,
            turn=record_failed_refunds,
        ),
        Periodic(
            name="reconcile",
            seconds=settings.sweep_seconds,
            turn=lambda app, now: reconcile_accounts(app, now, settings.reconcile_seconds),
        ),
        Periodic(
            name="look_after_connections",
            seconds=settings.sweep_seconds,
            turn=lambda app, now: look_after_connections(app, now, settings.connection_seconds),
        ),
    )


def _of_what_is_over(settings: Settings) -> tuple[Periodic, ...]:
    """What deletes that nobody needs any more."""
    return (
        Periodic(
            name="purge_idempotency_keys",
            seconds=settings.purge_seconds,
            turn=lambda app, _: purge_idempotency_keys(app),
        ),
        Periodic(
            name="purge_deliveries",
            seconds=settings.purge_seconds,
            turn=lambda app, _: purge_deliveries(app),
        ),
        Periodic(
            name="purge_secrets",
            seconds=settings.purge_seconds,
            turn=lambda app, _: purge_secrets(app),
        ),
        Periodic(
            name="purge_provider_events",
            seconds=settings.purge_seconds,
            turn=lambda app, _: purge_provider_events(app),
        ),
    )


async def keep_schedule(app: App, kinds: Sequence[Periodic], stop: asyncio.Event) -> None:
    """Take turns until `stop` is set, then finish those that were begun.

    A database that goes away is waited for. Cancelling ends what runs, too, which the verbs
    survive as they survive a crash.
    """
    by_name = {kind.name: kind for kind in kinds}
    # A little more often than the most frequent kind, so that its turns come on time.
    look_seconds = min([LOOK_SECONDS_MAX, *(kind.seconds / 4 for kind in kinds)])
    known = False
    async with asyncio.TaskGroup() as running:
        busy: dict[str, asyncio.Task[None]] = {}
        while not stop.is_set():
            free = {
                name: kind.seconds
                for name, kind in by_name.items()
                if name not in busy or busy[name].done()
            }
            try:
                async with app.database.connection() as tx:
                    if not known:
                        await periodic_work.add(tx, list(by_name))
                        known = True
                    due = await periodic_work.take_due(tx, free)
            except DatabaseUnavailable as reason:
                log.warning("schedule.waits_for_database", reason=str(reason))
                known = False
                await pause(stop, RECONNECT_SECONDS)
                continue
            for name in due:
                busy[name] = running.create_task(_take_turn(app, by_name[name]))
            await pause(stop, look_seconds)


async def _take_turn(app: App, kind: Periodic) -> None:
    """Do the work once. Whatever fails is logged, and due again at the next turn."""
    # The door: real time is read here, once for everything that this turn does.
    now = datetime.now(UTC)  # noqa: TID251
    try:
        done = await kind.turn(app, now)
    except DatabaseUnavailable as reason:
        log.warning("turn.lost_database", work=kind.name, reason=str(reason))
    except Exception:
        log.exception("turn.failed", work=kind.name)
    else:
        if done:
            log.debug("turn.done", work=kind.name, done=done)
