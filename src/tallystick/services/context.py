"""Who asks, when, and with what: the first argument of every verb."""

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db.engine import Database, Tx
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.domain.try_limits import TryLimits
from tallystick.services.ports import PaymentProvider
from tallystick.services.secret_box import SecretBox

SANDBOX = "sandbox"
"""The test bank's name among providers."""

Connect = Callable[[ProviderConnection], PaymentProvider]
"""Gives the provider behind a connection."""


def nothing_connects(connection: ProviderConnection) -> PaymentProvider:
    """Stands where no provider but the test bank is wired."""
    raise AssertionError(f"nothing here connects to {connection.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The merchant whose data a verb works on; read once per request.

    `connections` are its accounts at payment providers, also those that are disconnected.
    """

    id: UUID
    name: str
    currency: str
    is_test: bool
    time_zone: str
    places_per_plan: int
    link_secret: bytes
    clock: datetime | None
    dunning_days: tuple[int, ...] = (3, 5, 7)
    reminder_days_before: int = 3
    reminder_days_after: tuple[int, ...] = (1, 7, 14)
    card_notice_days: int = 30
    orphan_policy: str = "ATTACH_OR_REFUND"
    connections: tuple[ProviderConnection, ...] = ()

    def connection_of(self, entity_id: UUID) -> ProviderConnection | None:
        """The open connection of an invoicing entity."""
        for one in self.connections:
            if one.is_open and one.invoicing_entity_id == entity_id:
                return one
        return None

    def connection_named(self, provider: str) -> ProviderConnection | None:
        """The connection by whose name something was asked, open or not."""
        return next((one for one in self.connections if one.name == provider), None)

    def names_of_account(self, provider: str) -> tuple[str, ...]:
        """Every name by which something was asked of the account behind one of them.

        An account may have been connected more than once; the test bank has one name.
        """
        found = self.connection_named(provider)
        if found is None:
            return (provider,)
        same = (one for one in self.connections if one.leads_to == found.leads_to)
        return tuple(one.name for one in same)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is wired once per process: the database, the payment providers, a few settings.

    `public_url` is the address, without a trailing slash, under which buyers reach the pages.
    `call_limit_seconds` bounds every call to a provider. `plan_versions` keeps published plan
    versions, which never change, by tenant and id. `private_webhooks` lets test tenants send
    webhooks to private addresses, without encryption too. `try_limits` bounds the tries to pay
    that fail. `panel_modules` are the scripts that
    mount the panels of providers, by the providers' names. `connect` gives the provider behind
    a connection; `secret_box` seals what is secret of one, None where no key is set.
    """

    database: Database
    providers: Mapping[str, PaymentProvider]
    public_url: str
    call_limit_seconds: float
    plan_versions: MutableMapping[tuple[UUID, UUID], PlanVersion]
    private_webhooks: bool = False
    try_limits: TryLimits = field(default_factory=TryLimits)
    panel_modules: Mapping[str, bytes] = field(default_factory=dict)
    connect: Connect = nothing_connects
    secret_box: SecretBox | None = None

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """One transaction, committed when the block ends well and rolled back otherwise."""
        return self.database.transaction()

    def provider_of(self, tenant: Tenant, entity_id: UUID) -> PaymentProvider | None:
        """The provider through which an invoicing entity is paid online from now on.

        That of its connection; without one, test tenants have the sandbox, and live tenants
        none: nothing can be paid online there.
        """
        connection = tenant.connection_of(entity_id)
        if connection is not None:
            return self.connect(connection)
        return self.providers[SANDBOX] if tenant.is_test else None

    def provider_named(self, tenant: Tenant, name: str) -> PaymentProvider:
        """The provider of whom something was asked under its name."""
        connection = tenant.connection_named(name)
        return self.providers[name] if connection is None else self.connect(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request or job: tenant, actor, and `now`, fixed once at the door (business time,
    UTC).

    A plain verb is handed its transaction `tx`; a long verb has none and opens each step
    itself.
    """

    app: App
    tenant: Tenant
    actor: str
    now: datetime
    tx: Tx | None = None

    @property
    def today(self) -> date:
        """The tenant's day."""
        return self.now.astimezone(ZoneInfo(self.tenant.time_zone)).date()

    @property
    def transaction(self) -> Tx:
        """The transaction of a plain verb."""
        assert self.tx is not None, "a plain verb is handed its transaction by the door"
        return self.tx

    @property
    def allows_private_webhooks(self) -> bool:
        """Whether the tenant's webhooks may go to private addresses, for development."""
        return self.app.private_webhooks and self.tenant.is_test

    def within(self, tx: Tx) -> "Context":
        """The same context inside a transaction."""
        return replace(self, tx=tx)
