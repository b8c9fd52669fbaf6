"""Wiring: the only place that builds what a process works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from typing_extensions import override

from tallystick.db.engine import Database
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import App
from tallystick.settings import Settings

SANDBOX_CONNECTIONS = 5
PLAN_VERSIONS_KEPT = 5_000

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(dict[Key, Value], Generic[Key, Value]):
    """A cache of immutable things that begins anew when it is full."""

    def __init__(self, maximum: int) -> None:
        """Hold at most so many."""
        super().__init__()
        self._maximum = maximum

    @override
    def __setitem__(self, key: Key, value: Value) -> None:
        if len(self) >= self._maximum and key not in self:
            self.clear()
        super().__setitem__(key, value)


@asynccontextmanager
async def wired(settings: Settings, dsn: str) -> AsyncIterator[App]:
    """Connect to the database and build the application; close everything afterwards.

    Args:
        settings: The settings of this process.
        dsn: The database's URL; its schema must be current.

    Raises:
        DatabaseUnavailable: It cannot be reached.
    """
    database = await Database.open(dsn, min_size=settings.pool_min, max_size=settings.pool_max)
    try:
        # The test bank is a stranger: it shares no connection, so no transaction of ours.
        bank = await Database.open(dsn, min_size=0, max_size=SANDBOX_CONNECTIONS)
        try:
            yield App(
                database=database,
                providers={
                    "sandbox": Sandbox(
                        bank,
                        public_url=settings.base_url,
                        debit_seconds=settings.sandbox_debit_seconds,
                    )
                },
                public_url=settings.base_url,
                call_limit_seconds=settings.provider_call_seconds,
                plan_versions=Bounded(PLAN_VERSIONS_KEPT),
                private_webhooks=settings.private_webhooks,
                panel_modules=panel_modules(),
            )
        finally:
            await bank.close()
    finally:
        await database.close()
