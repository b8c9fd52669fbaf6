"""Checkout sessions: written in one statement, read, locked, and moved from state to state."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.db.one_row import hits_one_row
from tallystick.domain.activating import Activating
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.offer import Offer
from tallystick.domain.session import (
    Changing,
    CheckoutType,
    Ending,
    PaymentError,
    Quoted,
    Session,
    SessionState,
)

OFFER: Codec[Offer] = Codec(Offer)
BUYER: Codec[BuyerDetails] = Codec(BuyerDetails)
TERMS: Codec[CouponTerms] = Codec(CouponTerms)
ACTIVATING: Codec[Activating] = Codec(Activating)
PAYMENT_ERROR: Codec[PaymentError] = Codec(PaymentError)

SESSION_COLUMNS = """
    s.id, s.customer_id, s.plan_id, s.plan_version_id, s.state, s.ending_requested, s.offer,
    s.buyer_details, s.page_coupon, s.success_url, s.cancel_url, s.expires_at, s.completed_at,
    s.subscription_id, s.last_payment_error, s.attempt_count, s.created_at, s.updated_at,
    s.request, s.metadata, s.checkout_type, s.quote_id, s.amount_total, s.amount_due,
    case when s.checkout_type = 'SUBSCRIPTION_ACTIVATION' then (
        select jsonb_build_object('id', x.id, 'status', x.status, 'start', x.start_date,
            'trial_end', x.trial_end, 'net_terms', x.net_terms,
            'auto_advance_invoices', x.auto_advance_invoices,
            'charge_automatically', x.charge_automatically,
            'payment', x.payment_methods_config, 'invoice_memo', x.invoice_memo,
            'purchase_order', x.purchase_order)
        from subscriptions x
        where x.tenant_id = s.tenant_id and x.checkout_session_id = s.id)
    end as activating, s.changes, s.chosen_slots
"""
"""What `session_record` reads, in statements that have `checkout_sessions s`."""

_INSERT = """
    with key as (
        insert into idempotency_keys
            (tenant_id, operation, key, request_hash, state, status, answer)
        select $1, $13, $14, $15, 'DONE', $16, $17 where $14::text is not null),
    event as (
        insert into events (tenant_id, id, type, object_id, data, happened_at)
        values ($1, $18, 'checkout_session.created', $2, $19, $12))
    insert into checkout_sessions
        (tenant_id, id, customer_id, plan_id, plan_version_id, request, offer, metadata,
         success_url, cancel_url, expires_at, created_at, updated_at, quote_id, amount_total,
         amount_due, checkout_type, changes, chosen_slots)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $20, $21, $22, $23, $24,
            $25)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An idempotency key with the answer that goes with it."""

    operation: str
    key: str
    request_hash: bytes
    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session as it is inserted; `request` and `metadata` are JSON text."""

    id: UUID
    customer_id: UUID
    offer: Offer
    quoted: Quoted
    request: str
    metadata: str | None
    success_url: str | None
    cancel_url: str | None
    expires_at: datetime | None
    created_at: datetime
    event_id: UUID
    event_data: str
    checkout_type: CheckoutType = CheckoutType.SELF_SERVE
    changing: Changing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session with what is only returned: the request's echo and the metadata, as JSON
    text.
    """

    session: Session
    request: str
    metadata: str | None
    checkout_type: CheckoutType


async def insert(tx: Tx, tenant_id: UUID, new: NewSession, answer: StoredAnswer | None) -> None:
    """Write session, event and idempotency key in one statement.

    Raises `asyncpg.UniqueViolationError` when the key is taken; nothing is written then.
    """
    await tx.execute(
        _INSERT,
        tenant_id,
        new.id,
        new.customer_id,
        new.offer.plan_id,
        new.offer.plan_version_id,
        new.request,
        OFFER.dump(new.offer),
        new.metadata,
        new.success_url,
        new.cancel_url,
        new.expires_at,
        new.created_at,
        answer.operation if answer else None,
        answer.key if answer else None,
        answer.request_hash if answer else None,
        answer.status if answer else None,
        answer.body if answer else None,
        new.event_id,
        new.event_data,
        new.quoted.quote_id,
        new.quoted.amount_total,
        new.quoted.amount_due,
        new.checkout_type.value,
        None if new.changing is None else new.changing.id,
        None if new.changing is None else list(new.changing.chosen_slots),
    )


async def find_tenant(tx: Tx, session_id: UUID) -> UUID | None:
    """The tenant of a session, for a link that names nothing but the session."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from checkout_sessions where id = $1", session_id
    )
    return found


async def load(tx: Tx, tenant_id: UUID, session_id: UUID) -> SessionRecord | None:
    """A session, or None where this tenant has none of that id."""
    row = await tx.fetchrow(
        f"select {SESSION_COLUMNS} from checkout_sessions s "
        "where s.tenant_id = $1 and s.id = $2",
        tenant_id,
        session_id,
    )
    return None if row is None else session_record(row)


async def lock(tx: Tx, tenant_id: UUID, session_id: UUID) -> SessionRecord | None:
    """Lock the customer, then the session, and return it as it stands now."""
    await tx.execute(
        """
        select from customers c join checkout_sessions s
          on s.tenant_id = c.tenant_id and s.customer_id = c.id
        where s.tenant_id = $1 and s.id = $2 for no key update of c
        """,
        tenant_id,
        session_id,
    )
    row = await tx.fetchrow(
        f"select {SESSION_COLUMNS} from checkout_sessions s "
        "where s.tenant_id = $1 and s.id = $2 for no key update of s",
        tenant_id,
        session_id,
    )
    return None if row is None else session_record(row)


async def promising_account(
    tx: Tx, tenant_id: UUID, account_ids: list[UUID], now: datetime
) -> tuple[UUID, UUID] | None:
    """A session open at `now`, and the one of these bank accounts that its offer names."""
    row = await tx.fetchrow(
        """
        select id, (offer #>> '{payment,account_id}')::uuid as account_id
        from checkout_sessions
        where tenant_id = $1 and state = 'CREATED' and (expires_at is null or expires_at > $3)
          and offer #>> '{payment,account_id}' = any($2::uuid[]::text[])
        order by created_at limit 1
        """,
        tenant_id,
        account_ids,
        now,
    )
    return None if row is None else (row["id"], row["account_id"])


async def keep_typed(
    tx: Tx,
    tenant_id: UUID,
    session_id: UUID,
    buyer: BuyerDetails,
    page_coupon: CouponTerms | None,
    now: datetime,
) -> None:
    """Keep what the buyer typed: details and code."""
    await tx.execute(
        """
        update checkout_sessions set buyer_details = $3, page_coupon = $4, updated_at = $5
        where tenant_id = $1 and id = $2 and state in ('CREATED', 'AWAITING_PAYMENT')
        """,
        tenant_id,
        session_id,
        BUYER.dump(buyer),
        TERMS.dump_optional(page_coupon),
        now,
    )


async def keep_quoted(tx: Tx, tenant_id: UUID, session_id: UUID, quoted: Quoted) -> None:
    """Keep what the session was last quoted at."""
    await tx.execute(
        """
        update checkout_sessions set quote_id = $3, amount_total = $4, amount_due = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        session_id,
        quoted.quote_id,
        quoted.amount_total,
        quoted.amount_due,
    )


async def await_payment(tx: Tx, tenant_id: UUID, session_id: UUID, now: datetime) -> None:
    """An attempt has been claimed."""
    done = await tx.execute(
        """
        update checkout_sessions
        set state = 'AWAITING_PAYMENT', attempt_count = attempt_count + 1, updated_at = $3
        where tenant_id = $1 and id = $2 and state = 'CREATED'
        """,
        tenant_id,
        session_id,
        now,
    )
    hits_one_row(done, "the session to be paid")


async def request_ending(
    tx: Tx, tenant_id: UUID, session_id: UUID, ending: Ending, now: datetime
) -> None:
    """Note that the session ends as soon as its attempt has; no new claim can start."""
    await tx.execute(
        """
        update checkout_sessions set ending_requested = $3, updated_at = $4
        where tenant_id = $1 and id = $2 and state = 'AWAITING_PAYMENT'
          and ending_requested is distinct from 'CANCEL'
        """,
        tenant_id,
        session_id,
        ending.value,
        now,
    )


async def complete(
    tx: Tx, tenant_id: UUID, session_id: UUID, subscription_id: UUID, now: datetime
) -> None:
    """The purchase is recorded."""
    done = await tx.execute(
        """
        update checkout_sessions
        set state = 'COMPLETED', subscription_id = $3, completed_at = $4, updated_at = $4,
            last_payment_error = null, ending_requested = null
        where tenant_id = $1 and id = $2 and state in ('CREATED', 'AWAITING_PAYMENT')
        """,
        tenant_id,
        session_id,
        subscription_id,
        now,
    )
    hits_one_row(done, "the session to complete")


async def leave(
    tx: Tx,
    tenant_id: UUID,
    session_id: UUID,
    state: SessionState,
    error: PaymentError | None,
    now: datetime,
) -> None:
    """Back to CREATED after an attempt without money, or to the end that was asked for."""
    done = await tx.execute(
        """
        update checkout_sessions
        set state = $3, last_payment_error = coalesce($4, last_payment_error),
            ending_requested = null, updated_at = $5
        where tenant_id = $1 and id = $2 and state in ('CREATED', 'AWAITING_PAYMENT')
        """,
        tenant_id,
        session_id,
        state.value,
        PAYMENT_ERROR.dump_optional(error),
        now,
    )
    hits_one_row(done, "the session to leave")


def session_record(row: Row) -> SessionRecord:
    """The session of a row of `SESSION_COLUMNS`."""
    ending = row["ending_requested"]
    return SessionRecord(
        session=Session(
            id=row["id"],
            customer_id=row["customer_id"],
            plan_id=row["plan_id"],
            plan_version_id=row["plan_version_id"],
            state=SessionState(row["state"]),
            ending=None if ending is None else Ending(ending),
            offer=OFFER.load(row["offer"]),
            buyer=BUYER.load_optional(row["buyer_details"]),
            page_coupon=TERMS.load_optional(row["page_coupon"]),
            success_url=row["success_url"],
            cancel_url=row["cancel_url"],
            expires_at=row["expires_at"],
            completed_at=row["completed_at"],
            subscription_id=row["subscription_id"],
            quoted=Quoted(
                quote_id=row["quote_id"],
                amount_total=row["amount_total"],
                amount_due=row["amount_due"],
            ),
            last_payment_error=PAYMENT_ERROR.load_optional(row["last_payment_error"]),
            attempt_count=row["attempt_count"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            activating=ACTIVATING.load_optional(row["activating"]),
            changing=None
            if row["changes"] is None
            else Changing(row["changes"], frozenset(row["chosen_slots"])),
        ),
        request=row["request"],
        metadata=row["metadata"],
        checkout_type=CheckoutType(row["checkout_type"]),
    )
