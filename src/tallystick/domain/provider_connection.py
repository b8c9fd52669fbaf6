"""A connection: the account at a payment provider that an invoicing entity is paid through."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.debit_scheme import DebitScheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a provider as a tenant is paid through it, however often it was connected.

    The test bank has one without a name for each tenant.
    """

    tenant_id: UUID
    provider: str
    account: str
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConnection:
    """A connection as stored; its secrets are sealed.

    `is_live` says that it moves real money. `webhook_secrets` are those that sign what the
    provider sends, the newest first; there are two while one is being replaced. One that is
    no longer `is_open` begins nothing, and looks after what it began. `debits` are the schemes
    whose debits the account takes, as the provider said when it was last asked.
    """

    tenant_id: UUID
    id: UUID
    invoicing_entity_id: UUID
    provider: str
    is_live: bool
    account: str
    account_name: str | None
    publishable_key: str
    secret_key: str
    webhook_secrets: tuple[str, ...]
    is_open: bool
    debits: tuple[DebitScheme, ...] = (DebitScheme.SEPA,)

    @property
    def name(self) -> str:
        """The provider's name in whatever was asked of it."""
        return f"{self.provider}:{self.id}"

    @property
    def leads_to(self) -> Account:
        """The account that it is a connection to."""
        return Account(
            tenant_id=self.tenant_id,
            provider=self.provider,
            account=self.account,
            is_live=self.is_live,
        )

    @property
    def secret_key_place(self) -> str:
        """What the secret key is sealed to: nowhere else it can be opened."""
        return f"{self.tenant_id}/{self.id}/secret_key"

    @property
    def webhook_secret_place(self) -> str:
        """The same for the secrets of its webhooks."""
        return f"{self.tenant_id}/{self.id}/webhook_secret"
