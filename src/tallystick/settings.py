"""Settings: what may differ between two installations, typed, from the environment.

Every setting is an environment variable `TALLYSTICK_<NAME>`; a command's own option wins over
it. No secret has a default, and none is kept here: secrets that processes must share are made
once and live in the database.
"""

import base64
import binascii
from pathlib import Path
from typing import Literal

from pydantic import (
    AliasChoices,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

_KEY_BYTES = 32


class Settings(BaseSettings):
    """The settings of one process.

    Attributes:
        data_dir: Where the embedded PostgreSQL keeps its data: `.tallystick` in the folder the
            program is started in, so that a project's data lies with the project and nothing
            hides in a home directory (which the database's user may not be able to enter).
        database_url: A PostgreSQL of one's own, `postgresql://user:password@host/database`;
            also read from `DATABASE_URL`. Without it the embedded one is used.
        host: The address to listen on.
        port: The port to listen on.
        public_url: What buyers type, without a slash at the end; the links that we give out
            start with it. By default `http://<host>:<port>`.
        log_level: The least important message to write.
        log_format: `console` for people, `json` for machines.
        worker: Whether `serve` also does the work that is due, in the same process.
        pool_min: Database connections kept open by each process.
        pool_max: Database connections of each process at most.
        requests_per_second: How many requests one API key may make of all processes together,
            and twice as many in a burst; 0 for no limit.
        page_posts_per_minute: How many forms of buyers' pages one address may send to each
            process, and how many may be sent to one link, as many of them at once; 0 for no
            limit.
        failed_payments_per_customer: How many tries to pay of one customer may fail within an
            hour before it may not try another; 0 for no limit.
        failed_payments_per_address: The same, from one network address.
        provider_call_seconds: Seconds of real time given to one call of a payment provider.
        sweep_seconds: Seconds of real time between two looks for attempts that were claimed
            and not recorded, and for what providers have yet to be told.
        expire_seconds: The same, for sessions whose time is up.
        bill_seconds: The same, for subscriptions and drafts with something due.
        settle_seconds: The same, for debits that a provider has decided, and money that it took
            back.
        reconcile_seconds: Seconds of real time between two comparisons of what an account took
            with the books.
        import_seconds: The same, for files to be imported.
        import_bytes_max: The largest file that is taken to be imported, in bytes.
        sequence_seconds: The same, for events that have no number yet; webhooks wait for it.
        compact_seconds: The same, for what was written about the length of lists, and for
            renamed customers, by whose names lists are ordered.
        purge_seconds: The same, for idempotency keys older than a day.
        webhook_seconds: The same, for events to pass on to webhooks, and deliveries to try
            again.
        webhook_answer_seconds: Seconds of real time given to a receiver of webhooks to answer.
        private_webhooks: Whether webhooks of test tenants may go to private addresses, and
            without encryption.
        sandbox_debit_seconds: Seconds of real time until a debit of the test bank settles.
        encryption_keys: The keys under which the keys of payment providers are kept, each 32
            bytes in URL-safe base64, separated by commas: the first one seals, every one opens.
            Needed only where an entity is connected to a provider.
        connection_seconds: Seconds of real time between two looks at what a connected provider
            has decided without telling.
        stripe_api_base: Where Stripe's API is; for tests, with test keys, on this machine.
        stripe_script_url: Where Stripe's script is; for tests.
    """

    model_config = SettingsConfigDict(
        env_prefix="TALLYSTICK_", extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Path(".tallystick")
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TALLYSTICK_DATABASE_URL", "DATABASE_URL"),
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8484, ge=0, le=65535)
    public_url: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    worker: bool = True
    pool_min: PositiveInt = 2
    pool_max: PositiveInt = 10
    requests_per_second: float = Field(default=5000.0, ge=0)
    page_posts_per_minute: int = Field(default=60, ge=0)
    failed_payments_per_customer: int = Field(default=10, ge=0)
    failed_payments_per_address: int = Field(default=30, ge=0)
    provider_call_seconds: PositiveFloat = 20.0
    sweep_seconds: PositiveFloat = 15.0
    expire_seconds: PositiveFloat = 10.0
    bill_seconds: PositiveFloat = 10.0
    settle_seconds: PositiveFloat = 3.0
    reconcile_seconds: PositiveFloat = 3600.0
    import_seconds: PositiveFloat = 1.0
    import_bytes_max: PositiveInt = 64 * 1024 * 1024
    sequence_seconds: PositiveFloat = 1.0
    compact_seconds: PositiveFloat = 10.0
    purge_seconds: PositiveFloat = 3600.0
    webhook_seconds: PositiveFloat = 0.5
    webhook_answer_seconds: float = Field(default=15.0, gt=0, le=40)
    private_webhooks: bool = False
    sandbox_debit_seconds: float = Field(default=5.0, ge=0)
    encryption_keys: SecretStr | None = None
    connection_seconds: PositiveFloat = 3600.0
    stripe_api_base: str | None = None
    stripe_script_url: str | None = None

    @field_validator("encryption_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        # What was given is never part of the message.
        _keys_in(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with https:// or http://")
        return value.rstrip("/") if value else None

    @property
    def sealing_keys(self) -> tuple[bytes, ...]:
        """Return the keys that seal and open secrets, the current one first."""
        return () if self.encryption_keys is None else _keys_in(self.encryption_keys)

    @property
    def base_url(self) -> str:
        """Return the start of every link that is given out, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def _keys_in(setting: SecretStr) -> tuple[bytes, ...]:
    """The keys in the setting; whatever is wrong with one, it is not told."""
    keys = []
    for text in setting.get_secret_value().split(","):
        try:
            key = base64.urlsafe_b64decode(text.strip())
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != _KEY_BYTES:
            raise ValueError("must be keys of 32 bytes in URL-safe base64, split by commas")
        keys.append(key)
    return tuple(keys)
