"""Who asks, when, and with what: the first argument of every verb."""

from collections.abc import Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db.engine import Database, Tx
from tallystick.domain.catalog import PlanVersion
from tallystick.services.ports import PaymentProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The merchant whose data a verb works on; read once per request."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is wired once per process: the database, the payment providers, a few settings.

    `public_url` is the address, without a trailing slash, under which buyers reach the pages.
    `call_limit_seconds` bounds every call to a provider. `plan_versions` keeps published plan
    versions, which never change, by tenant and id. `private_webhooks` lets test tenants send
    webhooks to private addresses, without encryption too.
    """

    database: Database
    providers: Mapping[str, PaymentProvider]
    public_url: str
    call_limit_seconds: float
    plan_versions: MutableMapping[tuple[UUID, UUID], PlanVersion]
    private_webhooks: bool = False

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """One transaction, committed when the block ends well and rolled back otherwise."""
        return self.database.transaction()

    def provider_of(self, tenant: Tenant) -> PaymentProvider:
        """The payment provider of a tenant: test tenants have the sandbox."""
        assert tenant.is_test, "live tenants cannot exist while no live provider does"
        return self.providers["sandbox"]


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
