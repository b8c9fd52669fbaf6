"""Tries of customers to add a payment method."""

from datetime import datetime
from uuid import UUID

from tallystick.db.attempts import ACCEPTANCE, METHOD
from tallystick.db.engine import Row, Tx
from tallystick.db.leases import Leased, leased
from tallystick.domain.attempt import AttemptState
from tallystick.domain.method_setup import MethodSetup
from tallystick.domain.payment import FailureReason

_COLUMNS = """
    select id, customer_id, method, currency, return_url, reference, challenge_url, state,
           failure, created_at, nullif(consent -> 'acceptance', 'null') as acceptance
    from method_setups
"""
_LOAD = f"{_COLUMNS} where tenant_id = $1 and customer_id = $2 and id = $3"


async def insert(
    tx: Tx, tenant_id: UUID, setup: MethodSetup, consent: str, payer: bytes | None
) -> None:
    """Write a try, once under its id; `consent`, what was agreed to, is JSON text, and `payer`
    marks the address that it comes from.
    """
    await tx.execute(
        """
        insert into method_setups (tenant_id, id, customer_id, provider, method, currency,
            return_url, consent, created_at, payer)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, id) do nothing
        """,
        tenant_id,
        setup.id,
        setup.customer_id,
        setup.method.provider,
        METHOD.dump(setup.method),
        setup.currency,
        setup.return_url,
        consent,
        setup.created_at,
        payer,
    )


async def load(
    tx: Tx, tenant_id: UUID, customer_id: UUID, setup_id: UUID
) -> MethodSetup | None:
    """A try of a customer."""
    row = await tx.fetchrow(_LOAD, tenant_id, customer_id, setup_id)
    return None if row is None else _setup(row)


async def find(tx: Tx, tenant_id: UUID, setup_id: UUID) -> MethodSetup | None:
    """A try, whosever it is."""
    row = await tx.fetchrow(f"{_COLUMNS} where tenant_id = $1 and id = $2", tenant_id, setup_id)
    return None if row is None else _setup(row)


async def lease_due(tx: Tx, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease tries, of every tenant, that nobody came back to in time; oldest first."""
    rows = await tx.fetch(
        """
        with due as (
            select tenant_id, id from method_setups
            where state = 'LIVE' and check_at <= clock_timestamp()
            order by check_at limit $1 for no key update skip locked)
        update method_setups s set check_at = clock_timestamp() + make_interval(secs => $2)
        from due where s.tenant_id = due.tenant_id and s.id = due.id
        returning s.tenant_id, s.id
        """,
        limit,
        lease_seconds,
    )
    return leased(rows)


async def lock(
    tx: Tx, tenant_id: UUID, customer_id: UUID, setup_id: UUID
) -> MethodSetup | None:
    """A try of a customer, locked."""
    row = await tx.fetchrow(f"{_LOAD} for update", tenant_id, customer_id, setup_id)
    return None if row is None else _setup(row)


async def keep_reference(tx: Tx, tenant_id: UUID, setup_id: UUID, reference: str) -> None:
    """What the provider calls it; the first answer stays."""
    await tx.execute(
        "update method_setups set reference = coalesce(reference, $3) "
        "where tenant_id = $1 and id = $2",
        tenant_id,
        setup_id,
        reference,
    )


async def keep_challenge(tx: Tx, tenant_id: UUID, setup_id: UUID, url: str) -> None:
    """Where the customer authenticates, while it lives."""
    await tx.execute(
        "update method_setups set challenge_url = $3 "
        "where tenant_id = $1 and id = $2 and state = 'LIVE'",
        tenant_id,
        setup_id,
        url,
    )


async def end(
    tx: Tx, tenant_id: UUID, setup_id: UUID, failure: FailureReason | None, at: datetime
) -> None:
    """How it ended: the method is saved, or why not."""
    await tx.execute(
        """
        update method_setups
        set state = $3, failure = $4, ended_at = $5, challenge_url = null, check_at = null,
            saved = case when $4::text is null then id end
        where tenant_id = $1 and id = $2 and state = 'LIVE'
        """,
        tenant_id,
        setup_id,
        (AttemptState.SUCCEEDED if failure is None else AttemptState.FAILED).value,
        None if failure is None else failure.value,
        at,
    )


def _setup(row: Row) -> MethodSetup:
    return MethodSetup(
        id=row["id"],
        customer_id=row["customer_id"],
        method=METHOD.load(row["method"]),
        currency=row["currency"],
        return_url=row["return_url"],
        acceptance=ACCEPTANCE.load_optional(row["acceptance"]),
        reference=row["reference"],
        challenge_url=row["challenge_url"],
        state=AttemptState(row["state"]),
        failure=None if row["failure"] is None else FailureReason(row["failure"]),
        created_at=row["created_at"],
    )
