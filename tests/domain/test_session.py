"""The life of a checkout session: its reported status, and where a failure leaves it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.domain.activating import Activating
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.session import (
    Changing,
    Ending,
    Quoted,
    Session,
    SessionState,
    after_failure,
)
from tests.domain.offers import offer, quoted, rate
from tests.domain.samples import named

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _session(
    state: SessionState = SessionState.CREATED,
    expires_at: datetime | None = NOW,
    ending: Ending | None = None,
) -> Session:
    made = offer(rate("35"))
    shown = quoted(made)
    return Session(
        id=named("session"),
        customer_id=named("customer"),
        plan_id=made.plan_id,
        plan_version_id=made.plan_version_id,
        state=state,
        ending=ending,
        offer=made,
        buyer=None,
        page_coupon=None,
        success_url=None,
        cancel_url=None,
        expires_at=expires_at,
        completed_at=None,
        subscription_id=None,
        quoted=Quoted(quote_id=shown.id, amount_total=shown.total, amount_due=shown.amount_due),
        last_payment_error=None,
        attempt_count=0,
        created_at=NOW - timedelta(hours=1),
        updated_at=NOW - timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("state", "is_terminal"),
    [
        (SessionState.CREATED, False),
        (SessionState.AWAITING_PAYMENT, False),
        (SessionState.COMPLETED, True),
        (SessionState.EXPIRED, True),
        (SessionState.CANCELLED, True),
    ],
)
def test_terminal_states_never_change(state: SessionState, is_terminal: bool) -> None:
    """Completed, expired and cancelled are the ends, whatever the clock says."""
    assert state.is_terminal is is_terminal
    if is_terminal:
        assert _session(state).status(NOW + timedelta(days=400)) is state


def test_an_open_session_reads_expired_from_its_expiry_on() -> None:
    """From that very moment, whatever was stored so far."""
    session = _session()
    assert session.status(NOW - SECOND) is SessionState.CREATED
    assert session.status(NOW) is SessionState.EXPIRED
    assert not session.is_past(NOW - SECOND)
    assert session.is_past(NOW)


def test_a_session_without_expiry_stays_open() -> None:
    """Zero hours mean never."""
    session = _session(expires_at=None)
    assert session.status(NOW + timedelta(days=400)) is SessionState.CREATED
    assert not session.is_past(NOW + timedelta(days=400))


def test_a_payment_in_flight_keeps_the_session() -> None:
    """It does not read expired while money may be on its way."""
    session = _session(SessionState.AWAITING_PAYMENT)
    assert session.status(NOW + SECOND) is SessionState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("ending", "late", "state"),
    [
        (None, False, SessionState.CREATED),
        (None, True, SessionState.EXPIRED),
        (Ending.CANCEL, False, SessionState.CANCELLED),
        (Ending.CANCEL, True, SessionState.CANCELLED),
        (Ending.EXPIRE, False, SessionState.EXPIRED),
        (Ending.EXPIRE, True, SessionState.EXPIRED),
    ],
)
def test_after_a_failure(ending: Ending | None, late: bool, state: SessionState) -> None:
    """Open again, unless an ending was asked for or its time has passed."""
    session = _session(SessionState.AWAITING_PAYMENT, ending=ending)
    assert after_failure(session, NOW if late else NOW - SECOND) is state


def test_the_subscription_that_was_there_before() -> None:
    """The one that is activated or changed; none where the session makes one."""
    session = _session()
    activating = Activating(
        id=named("activated"),
        status=SubscriptionStatus.TRIAL_ACTIVE,
        start=NOW.date(),
        trial_end=None,
        net_terms=0,
        auto_advance_invoices=True,
        charge_automatically=True,
        payment=OnlinePayment(),
        invoice_memo=None,
        purchase_order=None,
    )
    changing = Changing(id=named("changed"), chosen_slots=frozenset())
    assert session.subscription_there is None
    assert replace(session, activating=activating).subscription_there == named("activated")
    assert replace(session, changing=changing).subscription_there == named("changed")


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_what_can_be_activated_was_not_billed(status: SubscriptionStatus) -> None:
    """It waits for its checkout, or its free trial runs or has run out."""
    waiting = {
        SubscriptionStatus.PENDING_ACTIVATION,
        SubscriptionStatus.TRIAL_ACTIVE,
        SubscriptionStatus.TRIAL_EXPIRED,
    }
    one = Activating(
        id=named("activated"),
        status=status,
        start=NOW.date(),
        trial_end=None,
        net_terms=0,
        auto_advance_invoices=True,
        charge_automatically=True,
        payment=OnlinePayment(),
        invoice_memo=None,
        purchase_order=None,
    )
    assert one.can_be_activated is (status in waiting)
