"""What the verbs need from the outside, in our own words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tallystick.domain.orphan import Holding, TakenPage
from tallystick.domain.payment import (
    CancelOutcome,
    Declined,
    Method,
    MethodKind,
    Outcome,
    PaymentOrder,
    RefundOutcome,
    RefundStanding,
    Standing,
)
from tallystick.domain.payment_panel import PaymentPanel
from tallystick.domain.provider_event import ProviderEvent
from tallystick.domain.reversal import ReportedReversal


class PaymentProvider(Protocol):
    """A bank, seen from here. Every call may be repeated under its key and then answers the
    same.

    An implementation never raises for an answer it did not get: it returns `Unknown`. The
    caller sets the time limit and treats a time-out or an exception as `Unknown` too. Nothing
    is ever called while a database transaction is open. One that is connected to an account
    knows only that one: its `name` tells it from every other, and is kept with whatever was
    asked of it.
    """

    name: str

    def panel(self) -> PaymentPanel:
        """What the page shows for a buyer to give a payment method."""
        ...

    def mandate_reference(self, session_id: UUID) -> str | None:
        """The reference that a direct debit mandate signed in this session will have.

        None where the provider allots it when the mandate is signed.
        """
        ...

    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        """Turn what the buyer of a session typed into a token. Moves no money.

        `fields` are those of the panel: what was typed, or `payment_token` alone, which the
        provider's own script made.

        Raises:
            MethodRefused: What was typed is no way to pay.
        """
        ...

    async def keep_customer(
        self, tenant_id: UUID, customer_id: UUID, *, name: str, email: str | None
    ) -> str | None:
        """Make the customer at the provider, and return its reference there.

        None where the provider keeps none. Twice under the same name and address it is the same
        customer. Raises any exception when there was no answer.
        """
        ...

    async def update_customer(
        self, tenant_id: UUID, reference: str, *, name: str, email: str | None, key: str
    ) -> None:
        """Tell the provider what a customer that it keeps is called now, and her address.

        Nothing where it keeps her no more. Raises any exception when there was no answer.
        """
        ...

    async def open(self, order: PaymentOrder) -> str | Declined:
        """Create the provider's intent for a payment and return its reference. Moves no money.

        `Declined` when the provider refuses the order for good, so that nothing was opened.
        Raises any exception when there was no answer; the same order opens the same intent.

        Raises:
            CustomerGone: The buyer is there, and the provider does not know the order's
                customer any more. Made once more, it is another one.
        """
        ...

    async def save_method(self, order: PaymentOrder) -> str | Declined:
        """Create the intent to save a method without a payment; as `open` otherwise."""
        ...

    async def confirm(self, order: PaymentOrder, reference: str) -> Outcome:
        """Take the money, or save the method."""
        ...

    async def cancel(self, order: PaymentOrder, reference: str) -> CancelOutcome:
        """Make sure that no money will be taken, or learn that it was."""
        ...

    async def look(self, tenant_id: UUID, reference: str) -> Standing:
        """Where the intent stands now."""
        ...

    def chargeable(self, amount: int, currency: str) -> bool:
        """Whether the provider can charge this amount (minor units); too small ones it
        cannot.
        """
        ...

    async def refund(
        self, tenant_id: UUID, reference: str, amount: int, key: str
    ) -> RefundOutcome:
        """Give `amount` of a payment back."""
        ...

    async def look_at_refund(self, tenant_id: UUID, reference: str, key: str) -> RefundStanding:
        """What has become of the refund of a payment that was asked for under a key.

        Nothing is asked for, and nothing moves. One that was given and did not reach its
        account is refused from then on.
        """
        ...

    async def failed_refunds(self) -> list[tuple[UUID | None, str]]:
        """Tenant and payment of refunds that lately did not reach their account.

        Whoever made the refund, and whether or not the payment is ours. The tenant is None
        where the provider cannot tell. They are listed for some days, whoever has heard of
        them.
        """
        ...

    async def debits_to_settle(self) -> list[tuple[UUID, str]]:
        """Tenant and reference of accepted debits whose answer has come, oldest first.

        A debit is listed again until it is acknowledged, so that a crash between listing and
        recording loses nothing; what became of it is told by `look`. A provider that keeps no
        such list answers nothing: its debits are looked at, one by one.
        """
        ...

    async def acknowledge_debit(self, tenant_id: UUID, reference: str) -> None:
        """Say that what `look` told of a listed debit is recorded; it is not listed again."""
        ...

    async def reversals_to_record(self) -> list[tuple[UUID, ReportedReversal]]:
        """Tenant and report of money that was taken back without our asking, or came again.

        A report tells how it stands now, and comes again until it is acknowledged; its id is
        the provider's own. A refund that was asked for through `refund` is never among them.
        """
        ...

    async def payments_between(
        self, tenant_id: UUID, since: datetime, until: datetime, after: str | None
    ) -> TakenPage:
        """A page of a tenant's payments that came between two instants of real time.

        That is, of those that were made then, and of those that were made before and settled
        then. `after` is the mark of the page before. One may be told more than once, or of just
        outside, and with what was held of it earlier. Whether we know of it does not matter:
        this is what our books are compared with.

        Raises:
            AccessRefused: The account's keys may not look.
        """
        ...

    async def payment_held(self, tenant_id: UUID, reference: str) -> Holding:
        """A payment with what it holds of it now; else whether all of it was refunded.

        A refund counts whoever asked for it, and from when it was made: one that comes back
        later is held again. Money that is disputed was never refunded.

        Raises any exception when there was no answer.
        """
        ...

    async def reversals_of(self, tenant_id: UUID, reference: str) -> list[ReportedReversal]:
        """What was taken back of one payment, as it stands now."""
        ...

    async def acknowledge_reversal(self, tenant_id: UUID, reported: ReportedReversal) -> None:
        """Say that a report is recorded; it comes again only when something has changed."""
        ...

    async def look_at_method(self, tenant_id: UUID, token: str) -> Method | None:
        """A saved method as the provider keeps it now; None where it can be charged no more."""
        ...

    async def forget_method(self, tenant_id: UUID, token: str, *, key: str) -> None:
        """Have the provider let go of a saved method, so that nobody can charge it.

        Nothing where it keeps it no more, or never did. Raises any exception when there was no
        answer.
        """
        ...

    def parse_event(self, headers: Mapping[str, str], body: bytes, /) -> ProviderEvent:
        """What a message says that came in by itself; `headers` have small letters.

        Raises:
            EventRefused: It is not signed by the provider, too old, or not for this account.
        """
        ...
