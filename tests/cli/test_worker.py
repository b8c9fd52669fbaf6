"""The worker as a process of its own."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path

from tallystick.db import events, tenants
from tallystick.db.engine import Database
from tallystick.services.ids import new_id

TALLYSTICK = Path(sys.executable).with_name("tallystick")


async def test_a_worker_works_and_ends_when_told(db: Database, database_dsn: str) -> None:
    """It does what is due in the database of DATABASE_URL; SIGTERM ends it with code 0."""
    tenant_id = new_id()
    async with db.transaction() as tx:
        await tenants.insert(
            tx,
            tenant_id,
            name="Acme",
            currency="EUR",
            is_test=True,
            clock=None,
            link_secret=bytes(32),
        )
        now = datetime(2026, 1, 1, tzinfo=UTC)
        await events.append(tx, tenant_id, new_id(), "thing.made", new_id(), {}, now)

    worker = await asyncio.create_subprocess_exec(
        TALLYSTICK, "worker", env={"DATABASE_URL": database_dsn}, stderr=PIPE
    )
    async with asyncio.timeout(30):
        while await db.pool.fetchval("select count(sequence) from events") == 0:
            await asyncio.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        _, said = await worker.communicate()

    assert worker.returncode == 0, said.decode()
    assert b"The worker runs." in said
