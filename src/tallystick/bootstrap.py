"""Wiring: the only place that builds what a process works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from typing_extensions import override

from tallystick.db.engine import Database
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.domain.try_limits import TryLimits
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.sandbox import Sandbox
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.providers.stripe_client import API_BASE, SCRIPT_URL
from tallystick.services.context import App
from tallystick.services.ports import PaymentProvider
from tallystick.services.secret_box import CannotOpen, SecretBox
from tallystick.settings import Settings

SANDBOX_CONNECTIONS = 5
PLAN_VERSIONS_KEPT = 5_000
CONNECTIONS_KEPT = 1_000

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


class Connections:
    """The providers behind connections, each made once from the secrets that it was kept with.

    A connection whose keys change is another value, and gets another provider.
    """

    def __init__(self, settings: Settings, box: SecretBox | None) -> None:
        """Open what is sealed with the box, if there is one."""
        self._settings = settings
        self._box = box
        self._made: Bounded[ProviderConnection, Stripe] = Bounded(CONNECTIONS_KEPT)

    def __call__(self, connection: ProviderConnection) -> PaymentProvider:
        """The provider behind a connection.

        Raises:
            CannotOpen: The settings lack the key under which its secrets are kept.
        """
        made = self._made.get(connection)
        if made is None:
            made = self._made[connection] = self._connected(connection)
        return made

    def _connected(self, connection: ProviderConnection) -> Stripe:
        if self._box is None:
            raise CannotOpen("TALLYSTICK_ENCRYPTION_KEYS is not set")
        box, place = self._box, connection.webhook_secret_place
        return Stripe(
            StripeKeys(
                secret_key=box.open(connection.secret_key, connection.secret_key_place),
                publishable_key=connection.publishable_key,
                webhook_secrets=tuple(
                    box.open(one, place) for one in connection.webhook_secrets
                ),
            ),
            name=connection.name,
            debits=connection.debits,
            api_base=self._settings.stripe_api_base or API_BASE,
            script_url=self._settings.stripe_script_url or SCRIPT_URL,
        )


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
    keys = settings.sealing_keys
    box = SecretBox(keys) if keys else None
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
                try_limits=TryLimits(
                    per_customer=settings.failed_payments_per_customer,
                    per_address=settings.failed_payments_per_address,
                ),
                panel_modules=panel_modules(),
                connect=Connections(settings, box),
                secret_box=box,
            )
        finally:
            await bank.close()
    finally:
        await database.close()
