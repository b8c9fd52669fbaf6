"""The test bank's memory: methods, intents, remembered calls (schema `sandbox`).

Only the sandbox provider uses this module, on connections of the bank's own, so that its memory
commits and rolls back apart from the product's. "Real time" is the database's `now()`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from tallystick.db.engine import DatabaseUnavailable, Row, Tx
from tallystick.db.refusals import Contention, LockTimeout, StatementTimeout

NO_ANSWER = (DatabaseUnavailable, LockTimeout, StatementTimeout, *Contention)
"""What a call raises when it is not known, or not yet, what the bank did."""


class Behaviour(StrEnum):
    """What a test number makes the bank do; `docs/sandbox.md` describes each."""

    SUCCEEDS = "SUCCEEDS"
    DECLINES = "DECLINES"
    LACKS_FUNDS = "LACKS_FUNDS"
    EXPIRED = "EXPIRED"
    ASKS = "ASKS"
    FAILS_WHEN_CHARGED = "FAILS_WHEN_CHARGED"
    LOSES_QUESTION = "LOSES_QUESTION"
    LOSES_ANSWER = "LOSES_ANSWER"
    SETTLES_LATER = "SETTLES_LATER"
    FAILS_LATER = "FAILS_LATER"


class IntentState(StrEnum):
    """Where an intent stands. PENDING is an accepted debit; the last three are final."""

    OPEN = "OPEN"
    CHALLENGED = "CHALLENGED"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


IntentKind: TypeAlias = Literal["PAYMENT", "SETUP"]
Operation: TypeAlias = Literal["OPEN", "SAVE", "CONFIRM", "CANCEL", "REFUND"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BankMethod:
    """A card or an account as the bank keeps it.

    `customer_id` is set once it was saved; `is_forgotten` when it was asked to let it go.
    """

    token: str
    kind: str
    behaviour: Behaviour
    card_brand: str | None = None
    card_last4: str | None = None
    card_expiry: str | None = None
    account_hint: str | None = None
    mandate_reference: str | None = None
    customer_id: UUID | None = None
    is_forgotten: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntent:
    """What the bank was asked for: `amount` in minor units, 0 for SETUP."""

    reference: str
    kind: IntentKind
    customer_id: UUID
    token: str
    amount: int
    currency: str
    save: bool
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(NewIntent):
    """An intent and where it stands. `due` says that an accepted debit's time has come."""

    tenant_id: UUID
    state: IntentState
    failure: str | None
    form_token: str | None
    settles_as: str | None
    refunded: int
    reversed: int
    due: bool

    @property
    def is_paid(self) -> bool:
        """Whether its money was taken."""
        return self.kind == "PAYMENT" and self.state is IntentState.SUCCEEDED

    @property
    def left(self) -> int:
        """What neither was given back nor taken back of a payment."""
        if not self.is_paid:
            return 0
        return max(self.amount - self.refunded - self.reversed, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An answered call: the hash of what was asked under its key, and the answer as JSON."""

    key: str
    operation: Operation
    parameters: bytes
    answer: str


async def current_month(tx: Tx) -> tuple[int, int]:
    """The year and month of real time, by which cards expire."""
    row = await tx.fetchrow(
        "select extract(year from now())::int as year, extract(month from now())::int as month"
    )
    assert row is not None, "a select without a table gives one row"
    return row["year"], row["month"]


# Methods --------------------------------------------------------------------------------------


async def add_method(tx: Tx, tenant_id: UUID, method: BankMethod) -> None:
    """Keep a method that the buyer typed."""
    await tx.execute(
        """
        insert into sandbox.methods
            (tenant_id, token, kind, behaviour, card_brand, card_last4, card_expiry,
             account_hint, mandate_reference)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id,
        method.token,
        method.kind,
        method.behaviour,
        method.card_brand,
        method.card_last4,
        method.card_expiry,
        method.account_hint,
        method.mandate_reference,
    )


async def load_method(tx: Tx, tenant_id: UUID, token: str) -> BankMethod | None:
    """The method behind a token of this tenant."""
    row = await tx.fetchrow(
        """
        select token, kind, behaviour, card_brand, card_last4, card_expiry, account_hint,
               mandate_reference, customer_id, forgotten_at is not null as is_forgotten
        from sandbox.methods where tenant_id = $1 and token = $2
        """,
        tenant_id,
        token,
    )
    if row is None:
        return None
    return BankMethod(**{**row, "behaviour": Behaviour(row["behaviour"])})


async def forget_method(tx: Tx, tenant_id: UUID, token: str) -> None:
    """Note that the bank was asked to let a method go, the first time that it was."""
    await tx.execute(
        """
        update sandbox.methods set forgotten_at = coalesce(forgotten_at, now())
        where tenant_id = $1 and token = $2
        """,
        tenant_id,
        token,
    )


async def give_method(tx: Tx, tenant_id: UUID, token: str, customer_id: UUID) -> bool:
    """Save a method for a customer; False when it is another customer's already."""
    given = await tx.fetchval(
        """
        update sandbox.methods set customer_id = $3
        where tenant_id = $1 and token = $2 and (customer_id is null or customer_id = $3)
        returning true
        """,
        tenant_id,
        token,
        customer_id,
    )
    return given is not None


# Remembered calls -----------------------------------------------------------------------------


async def find_call(tx: Tx, tenant_id: UUID, key: str) -> Call | None:
    """What was answered under a key."""
    row = await tx.fetchrow(
        """
        select key, operation, parameters, answer::text as answer
        from sandbox.calls where tenant_id = $1 and key = $2
        """,
        tenant_id,
        key,
    )
    return None if row is None else Call(**row)


async def add_call(tx: Tx, tenant_id: UUID, call: Call) -> bool:
    """Remember an answer; False when the key has one, of which this waited for the commit."""
    added = await tx.fetchval(
        """
        insert into sandbox.calls (tenant_id, key, operation, parameters, answer)
        values ($1, $2, $3, $4, $5::text::jsonb)
        on conflict do nothing
        returning true
        """,
        tenant_id,
        call.key,
        call.operation,
        call.parameters,
        call.answer,
    )
    return added is not None


# Intents --------------------------------------------------------------------------------------

_INTENT = """
    select tenant_id, reference, kind, customer_id, token, amount, currency, save, return_url,
           state, failure, form_token, settles_as, refunded, reversed,
           state = 'PENDING' and settle_at <= now() as due
    from sandbox.intents
"""


async def add_intent(tx: Tx, tenant_id: UUID, intent: NewIntent) -> None:
    """Open an intent; no money moves."""
    await tx.execute(
        """
        insert into sandbox.intents
            (tenant_id, reference, kind, customer_id, token, amount, currency, save, return_url)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id,
        intent.reference,
        intent.kind,
        intent.customer_id,
        intent.token,
        intent.amount,
        intent.currency,
        intent.save,
        intent.return_url,
    )


async def lock_intent(tx: Tx, tenant_id: UUID, reference: str) -> Intent | None:
    """The intent, held until the transaction ends: one call at a time decides about it."""
    row = await tx.fetchrow(
        f"{_INTENT} where tenant_id = $1 and reference = $2 for update", tenant_id, reference
    )
    return None if row is None else _intent(row)


async def mark_challenged(tx: Tx, tenant_id: UUID, reference: str, form_token: str) -> None:
    """The buyer must answer on the challenge page."""
    await tx.execute(
        """
        update sandbox.intents set state = 'CHALLENGED', form_token = $3
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        reference,
        form_token,
    )


async def mark_pending(
    tx: Tx, tenant_id: UUID, reference: str, *, seconds: float, settles_as: IntentState
) -> None:
    """A debit was accepted; it is decided as `settles_as` after `seconds` of real time."""
    await tx.execute(
        """
        update sandbox.intents
        set state = 'PENDING', settles_as = $4, settle_at = now() + make_interval(secs => $3)
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        reference,
        seconds,
        settles_as,
    )


async def hasten_debit(
    tx: Tx, tenant_id: UUID, reference: str, settles_as: IntentState
) -> None:
    """The time of a debit that is not decided yet has come, and it ends as `settles_as`."""
    await tx.execute(
        """
        update sandbox.intents set settles_as = $3, settle_at = now()
        where tenant_id = $1 and reference = $2 and state = 'PENDING'
        """,
        tenant_id,
        reference,
        settles_as,
    )


async def mark_ended(
    tx: Tx, tenant_id: UUID, reference: str, state: IntentState, failure: str | None = None
) -> None:
    """The intent is SUCCEEDED, CANCELLED, or DECLINED for a reason."""
    await tx.execute(
        """
        update sandbox.intents set state = $3, failure = $4
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        reference,
        state,
        failure,
    )


# Debits ---------------------------------------------------------------------------------------


async def lock_due_debits(tx: Tx, limit: int) -> list[Intent]:
    """Accepted debits of every tenant whose time has come and that nobody else is deciding."""
    rows = await tx.fetch(
        f"""
        {_INTENT} where state = 'PENDING' and settle_at <= now()
        order by settle_at limit $1 for update skip locked
        """,
        limit,
    )
    return [_intent(row) for row in rows]


async def debits_to_tell(tx: Tx, limit: int) -> list[tuple[UUID, str]]:
    """Tenant and reference of decided debits that nobody has acknowledged.

    Those told longest ago come first, so that one that cannot be recorded holds up no other.
    """
    rows = await tx.fetch(
        """
        with told as (
            select tenant_id, reference from sandbox.intents
            where settle_at is not null and state <> 'PENDING' and acknowledged_at is null
            order by told_at nulls first, settle_at limit $1 for no key update skip locked)
        update sandbox.intents i set told_at = now() from told
        where i.tenant_id = told.tenant_id and i.reference = told.reference
        returning i.tenant_id, i.reference
        """,
        limit,
    )
    return [(row["tenant_id"], row["reference"]) for row in rows]


async def acknowledge_debit(tx: Tx, tenant_id: UUID, reference: str) -> None:
    """The caller has recorded a decided debit; a debit still pending is left as it is."""
    await tx.execute(
        """
        update sandbox.intents set acknowledged_at = now()
        where tenant_id = $1 and reference = $2 and acknowledged_at is null
          and settle_at is not null and state <> 'PENDING'
        """,
        tenant_id,
        reference,
    )


def _intent(row: Row) -> Intent:
    return Intent(**{**row, "state": IntentState(row["state"])})
