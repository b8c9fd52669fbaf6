"""Payment attempts: claimed, moved, recorded; and taken up again by the sweeper.

What is due later counts from the moment of its statement, not from its transaction's beginning:
waiting for a lock takes nothing from a lease.
"""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.db.leases import Leased, leased
from tallystick.domain.attempt import (
    Attempt,
    AttemptState,
    AttemptStep,
    LateMoney,
    Obligation,
)
from tallystick.domain.payment import Acceptance, FailureReason, Method
from tallystick.domain.quote import AttemptKind

OBLIGATION: Codec[Obligation] = Codec(Obligation)
METHOD: Codec[Method] = Codec(Method)
ACCEPTANCE: Codec[Acceptance] = Codec(Acceptance)

CHALLENGE_LIFE = "interval '30 minutes'"
"""How long a buyer has to authenticate, in real time; and a card to be decided about."""

_COLUMNS = f"""
    a.id, a.session_id, a.customer_id, a.kind, a.state, a.step, a.provider, a.reference,
    a.challenge_url, a.obligation, a.method, a.amount, a.currency, a.balance_held,
    a.business_date, a.subscription_id, a.invoice_id, a.transaction_id, a.payment_method_id,
    a.failure, a.claimed_at, a.late_money,
    coalesce(a.challenge_until <= now(), false) as challenge_is_over,
    a.claimed_on <= now() - {CHALLENGE_LIFE} as is_overdue,
    nullif(a.consent -> 'acceptance', 'null') as acceptance
"""


async def insert(
    tx: Tx,
    tenant_id: UUID,
    attempt: Attempt,
    consent: str | None,
    browser: str | None,
    payer: bytes | None,
    lease_seconds: float,
) -> None:
    """Write a claimed attempt; `consent` is JSON text. The sweeper takes it up after the lease.

    `browser` is a mark of whose it is, `payer` one of its address, where a page has claimed it.

    Raises `UniqueViolation` (one_live_attempt) when the session has a live one already.
    """
    await tx.execute(
        """
        insert into payment_attempts (
            tenant_id, id, session_id, customer_id, kind, provider, obligation, method, amount,
            currency, balance_held, business_date, subscription_id, invoice_id, transaction_id,
            payment_method_id, consent, claimed_at, check_at, browser, payer)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                clock_timestamp() + make_interval(secs => $19), $20, $21)
        """,
        tenant_id,
        attempt.id,
        attempt.session_id,
        attempt.customer_id,
        attempt.kind.value,
        attempt.provider,
        OBLIGATION.dump(attempt.obligation),
        METHOD.dump_optional(attempt.method),
        attempt.amount,
        attempt.currency,
        attempt.balance_held,
        attempt.business_date,
        attempt.subscription_id,
        attempt.invoice_id,
        attempt.transaction_id,
        attempt.payment_method_id,
        consent,
        attempt.claimed_at,
        lease_seconds,
        browser,
        payer,
    )


async def load(tx: Tx, tenant_id: UUID, attempt_id: UUID) -> Attempt | None:
    """An attempt as it stands now."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from payment_attempts a where a.tenant_id = $1 and a.id = $2",
        tenant_id,
        attempt_id,
    )
    return None if row is None else _attempt(row)


async def lock(tx: Tx, tenant_id: UUID, attempt_id: UUID) -> Attempt | None:
    """Lock an attempt, after its customer and session, and return it as it stands now."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from payment_attempts a "
        "where a.tenant_id = $1 and a.id = $2 for no key update of a",
        tenant_id,
        attempt_id,
    )
    return None if row is None else _attempt(row)


async def live(tx: Tx, tenant_id: UUID, session_id: UUID) -> Attempt | None:
    """The live attempt of a session, of which there is at most one."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from payment_attempts a "
        "where a.tenant_id = $1 and a.session_id = $2 and a.state = 'LIVE'",
        tenant_id,
        session_id,
    )
    return None if row is None else _attempt(row)


async def latest(tx: Tx, tenant_id: UUID, session_id: UUID) -> Attempt | None:
    """The attempt that a session was last paid with: the successful one, else the newest."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from payment_attempts a "
        "where a.tenant_id = $1 and a.session_id = $2 "
        "order by a.state = 'SUCCEEDED' desc, a.id desc limit 1",
        tenant_id,
        session_id,
    )
    return None if row is None else _attempt(row)


async def of_browser(tx: Tx, tenant_id: UUID, session_id: UUID, browser: str) -> UUID | None:
    """The attempt with which a browser is paying a session, or has paid it."""
    found: UUID | None = await tx.fetchval(
        """
        select id from payment_attempts
        where tenant_id = $1 and session_id = $2 and browser = $3 and state <> 'FAILED'
        """,
        tenant_id,
        session_id,
        browser,
    )
    return found


async def failed_payment(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> UUID | None:
    """The attempt to pay under a provider's reference, where it had ended without money."""
    found: UUID | None = await tx.fetchval(
        """
        select id from payment_attempts
        where tenant_id = $1 and provider = $2 and reference = $3 and kind = 'PAYMENT'
          and state = 'FAILED'
        """,
        tenant_id,
        provider,
        reference,
    )
    return found


async def live_under(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> UUID | None:
    """The live attempt under a provider's reference."""
    found: UUID | None = await tx.fetchval(
        """
        select id from payment_attempts
        where tenant_id = $1 and provider = $2 and reference = $3 and state = 'LIVE'
        """,
        tenant_id,
        provider,
        reference,
    )
    return found


async def keep_reference(
    tx: Tx, tenant_id: UUID, attempt_id: UUID, reference: str, lease_seconds: float
) -> bool:
    """Keep the provider's reference and renew the lease.

    False when the attempt has ended, or is known under another reference.
    """
    done = await tx.execute(
        """
        update payment_attempts
        set reference = $3, step = case step when 'CLAIMED' then 'OPENED' else step end,
            check_at = clock_timestamp() + make_interval(secs => $4)
        where tenant_id = $1 and id = $2 and state = 'LIVE'
          and (reference is null or reference = $3)
        """,
        tenant_id,
        attempt_id,
        reference,
        lease_seconds,
    )
    return bool(done == "UPDATE 1")


async def await_challenge(tx: Tx, tenant_id: UUID, attempt_id: UUID, url: str) -> None:
    """The buyer authenticates at `url`; the sweeper comes back when that time is over."""
    await tx.execute(
        f"""
        update payment_attempts
        set step = 'CHALLENGED', challenge_url = $3,
            challenge_until = coalesce(challenge_until, later),
            check_at = coalesce(challenge_until, later)
        from (select clock_timestamp() + {CHALLENGE_LIFE} as later) until
        where tenant_id = $1 and id = $2 and state = 'LIVE'
        """,
        tenant_id,
        attempt_id,
        url,
    )


async def check_again(
    tx: Tx, tenant_id: UUID, attempt_id: UUID, *, step: AttemptStep | None, seconds: float
) -> None:
    """Ask the provider again after some seconds of real time."""
    await tx.execute(
        """
        update payment_attempts
        set step = coalesce($3, step), check_at = clock_timestamp() + make_interval(secs => $4)
        where tenant_id = $1 and id = $2 and state = 'LIVE'
        """,
        tenant_id,
        attempt_id,
        None if step is None else step.value,
        seconds,
    )


async def check_soon(tx: Tx, tenant_id: UUID, attempt_id: UUID, seconds: float) -> None:
    """Ask the provider again in some seconds of real time, unless that is to happen sooner."""
    await tx.execute(
        """
        update payment_attempts
        set check_at = least(check_at, clock_timestamp() + make_interval(secs => $3))
        where tenant_id = $1 and id = $2 and state = 'LIVE'
        """,
        tenant_id,
        attempt_id,
        seconds,
    )


async def finish(
    tx: Tx,
    tenant_id: UUID,
    attempt_id: UUID,
    state: AttemptState,
    failure: FailureReason | None,
) -> None:
    """The attempt has ended: with the purchase, or without money."""
    await tx.execute(
        """
        update payment_attempts
        set state = $3, step = 'RECORDED', check_at = null, recorded_at = now(),
            failure = case when $4::text is null then null
                           else jsonb_build_object('reason', $4::text) end
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        attempt_id,
        state.value,
        None if failure is None else failure.value,
    )


async def mark_late_money(
    tx: Tx, tenant_id: UUID, attempt_id: UUID, *, was: LateMoney | None, mark: LateMoney
) -> bool:
    """Note what became of money that came too late; False when it `was` not so any more."""
    done = await tx.execute(
        """
        update payment_attempts set late_money = $4
        where tenant_id = $1 and id = $2 and late_money is not distinct from $3
        """,
        tenant_id,
        attempt_id,
        was,
        mark,
    )
    return bool(done == "UPDATE 1")


async def lease_due(tx: Tx, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease attempts, of every tenant, that nobody has recorded in time; oldest first."""
    rows = await tx.fetch(
        """
        with due as (
            select tenant_id, id from payment_attempts
            where state = 'LIVE' and check_at <= now()
            order by check_at limit $1 for no key update skip locked)
        update payment_attempts a set check_at = clock_timestamp() + make_interval(secs => $2)
        from due where a.tenant_id = due.tenant_id and a.id = due.id
        returning a.tenant_id, a.id
        """,
        limit,
        lease_seconds,
    )
    return leased(rows)


def _attempt(row: Row) -> Attempt:
    failure, late_money = row["failure"], row["late_money"]
    return Attempt(
        id=row["id"],
        session_id=row["session_id"],
        customer_id=row["customer_id"],
        kind=AttemptKind(row["kind"]),
        state=AttemptState(row["state"]),
        step=AttemptStep(row["step"]),
        provider=row["provider"],
        reference=row["reference"],
        challenge_url=row["challenge_url"],
        obligation=OBLIGATION.load(row["obligation"]),
        method=METHOD.load_optional(row["method"]),
        amount=row["amount"],
        currency=row["currency"],
        balance_held=row["balance_held"],
        business_date=row["business_date"],
        subscription_id=row["subscription_id"],
        invoice_id=row["invoice_id"],
        transaction_id=row["transaction_id"],
        payment_method_id=row["payment_method_id"],
        failure=None if failure is None else _FAILURE.load(failure).reason,
        challenge_is_over=row["challenge_is_over"],
        claimed_at=row["claimed_at"],
        late_money=None if late_money is None else LateMoney(late_money),
        is_overdue=row["is_overdue"],
        acceptance=ACCEPTANCE.load_optional(row["acceptance"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    reason: FailureReason


_FAILURE: Codec[_Failure] = Codec(_Failure)
