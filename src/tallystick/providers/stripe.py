"""Stripe as a payment provider: one account, behind the port.

Amounts, statuses, errors and events are translated in the modules beside this one
(`stripe_*.py`); here is what is asked, in which order, and under which key.

**A payment is opened, then confirmed.** Opening makes a PaymentIntent (a SetupIntent to save a
method) with its method and moves no money. It may therefore be repeated in other words: where
Stripe keeps a fault of its own under the key, or another wording, the order is opened under the
next key. Whatever else was opened stays unconfirmed for ever, because nobody knows its name.

**An intent whose confirmation failed can be confirmed again** at Stripe: it goes back to
`requires_payment_method`, and whoever knows its client secret may try another card. After a 3-D
Secure challenge the buyer's browser knows it, since Stripe adds it to the return address. So
`confirm` and `look` answer `Declined` only once they have cancelled such an intent; while
that gives no answer they say `Unknown`, and the sweeper comes back. Should the intent have
succeeded in between, that is the answer.

**Keys live a day at Stripe, at least.** Nobody confirms again later than that: who comes back
looks first, and cancels. A cancel that was refused for what the intent was then is asked anew
under another key. A refund carries its key in its metadata, and is looked for before it is
asked for, so that one which is repeated after days is not given twice. Where Stripe keeps a
fault for it, and it is not there, it is asked for under the next key (`stripe_refunds.py`).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from uuid import UUID

import stripe
import structlog

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.orphan import Holding, TakenPage
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    CancelOutcome,
    CustomerGone,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    Outcome,
    PaymentOrder,
    RefundOutcome,
    RefundStanding,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.domain.payment_panel import MountedPanel
from tallystick.domain.provider_event import ProviderEvent
from tallystick.domain.reversal import ReportedReversal
from tallystick.providers import stripe_intents as intents
from tallystick.providers import stripe_methods as methods
from tallystick.providers import stripe_payments as payments
from tallystick.providers import stripe_refunds as refunds
from tallystick.providers import stripe_reversals as reversals
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.stripe_amounts import NotExact, is_enough, to_stripe
from tallystick.providers.stripe_answers import (
    ABANDONED,
    BY_US,
    Failed,
    Found,
    Intent,
    found,
    reason_of,
    reason_of_refusal,
    too_late,
)
from tallystick.providers.stripe_client import (
    API_BASE,
    SCRIPT_URL,
    StripeKeys,
    client_for,
    connections,
    is_kept_fault,
    origin_of,
    under_next_key,
)
from tallystick.providers.stripe_customers import change_customer, is_gone, make_customer
from tallystick.providers.stripe_debits import AGENTS
from tallystick.providers.stripe_events import parse

__all__ = ["Stripe", "StripeKeys"]

log = structlog.get_logger(__name__)


class Stripe:
    """An account of Stripe's as a payment provider.

    Args of the constructor: the account's `keys`, the `name` by which whatever was asked of it
    is kept, the schemes whose `debits` the account takes, and for tests an `api_base` on this
    machine and a `script_url`.
    """

    def __init__(
        self,
        keys: StripeKeys,
        *,
        name: str = "stripe",
        debits: Collection[DebitScheme] = tuple(AGENTS),
        api_base: str = API_BASE,
        script_url: str = SCRIPT_URL,
    ) -> None:
        self.name = name
        self._keys = keys
        self._agents = {scheme: AGENTS[scheme] for scheme in debits}
        self._script_url = script_url
        self._module = panel_modules()["stripe"]
        self._api_base = api_base
        self._http = connections(api_base)
        self._api = client_for(keys, self._http, api_base).v1
        self._acknowledged: dict[str, ReportedReversal] = {}

    async def close(self) -> None:
        """Let go of its connections; it is not called after that."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    def panel(self) -> MountedPanel:
        """Stripe's own fields, in frames of its own: no number ever reaches us.

        What stands in for Stripe in tests is allowed in the place of Stripe's own addresses.
        """
        if self._script_url != SCRIPT_URL:
            own = origin_of(self._script_url)
            return self._mounted((own,), (own,), (origin_of(self._api_base),))
        return self._mounted(
            ("https://js.stripe.com", "https://*.js.stripe.com"),
            ("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
            ("https://api.stripe.com",),
        )

    def _mounted(
        self, scripts: tuple[str, ...], frames: tuple[str, ...], asked: tuple[str, ...]
    ) -> MountedPanel:
        return MountedPanel(
            script_url=self._script_url,
            module=self._module,
            settings={"publishable_key": self._keys.publishable_key},
            script_sources=scripts,
            frame_sources=frames,
            connect_sources=asked,
            debit_agents=self._agents,
        )

    def mandate_reference(self, session_id: UUID) -> None:
        """Stripe allots the reference when the mandate is signed."""

    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        """The method behind the token that Stripe's fields made; raises `MethodRefused`."""
        token = fields.get("payment_token", "")
        return await methods.collected(self._api, self.name, kind, token)

    async def keep_customer(
        self, tenant_id: UUID, customer_id: UUID, *, name: str, email: str | None
    ) -> str:
        """Make the customer in the account, once under its name and address."""
        return await make_customer(self._api, tenant_id, customer_id, name, email)

    async def update_customer(
        self, tenant_id: UUID, reference: str, *, name: str, email: str | None, key: str
    ) -> None:
        """Tell the account what a customer is called now, and her address."""
        await change_customer(self._api, reference, name, email, key)

    async def open(self, order: PaymentOrder) -> str | Declined:
        """Create the PaymentIntent of an order and return its id. Moves no money."""
        try:
            number = to_stripe(order.amount, order.currency)
        except NotExact:
            log.warning("stripe.amount_not_exact", attempt_id=str(order.attempt_id))
            return Declined(FailureReason.PROCESSING_ERROR)
        return await _opened(
            order, "open", lambda key: intents.create_payment(self._api, order, number, key)
        )

    async def save_method(self, order: PaymentOrder) -> str | Declined:
        """Create the SetupIntent of an order and return its id."""
        return await _opened(
            order, "save_method", lambda key: intents.create_setup(self._api, order, key)
        )

    async def confirm(self, order: PaymentOrder, reference: str) -> Outcome:
        """Take the money, or save the method."""
        try:
            intent = await intents.confirm(self._api, order, reference)
            return _as_outcome(await self._made_final(reference, found(intent)))
        except stripe.CardError as error:
            return await self._after_refusal(reference, reason_of(error.error))
        except stripe.InvalidRequestError as error:
            log.warning("stripe.confirm_refused", reference=reference, reason=str(error))
            return await self._after_refusal(reference, reason_of_refusal(error))
        except stripe.StripeError as error:
            _note("confirm", reference, error)
            return Unknown()

    async def cancel(self, order: PaymentOrder, reference: str) -> CancelOutcome:
        """Make sure that no money will be taken, or learn that it was."""
        return await self._cancel(reference, order.key("cancel"), BY_US)

    async def look(self, tenant_id: UUID, reference: str) -> Standing:
        """Where the intent stands now; one whose confirmation failed is cancelled first."""
        try:
            return await self._made_final(
                reference, found(await intents.retrieve(self._api, reference))
            )
        except stripe.StripeError as error:
            _note("look", reference, error)
            return Unknown()

    def chargeable(self, amount: int, currency: str) -> bool:
        """Whether `amount` is as much as Stripe's table asks for."""
        return is_enough(amount, currency)

    async def refund(
        self, tenant_id: UUID, reference: str, amount: int, key: str
    ) -> RefundOutcome:
        """Give `amount` of a payment back, once under a key however long ago that was."""
        try:
            return await refunds.refund(self._api, reference, amount, key)
        except stripe.StripeError as error:
            _note("refund", reference, error)
            return Unknown()

    async def look_at_refund(self, tenant_id: UUID, reference: str, key: str) -> RefundStanding:
        """What has become of the refund that carries the key."""
        try:
            return await refunds.look(self._api, reference, key)
        except stripe.StripeError as error:
            _note("look_at_refund", reference, error)
            return Unknown()

    async def failed_refunds(self) -> list[tuple[UUID | None, str]]:
        """Payments, whosever, of which a refund failed lately."""
        return [(None, reference) for reference in await refunds.failed(self._api)]

    async def debits_to_settle(self) -> list[tuple[UUID, str]]:
        """None: Stripe keeps no such list. Its debits are looked at, one by one."""
        return []

    async def acknowledge_debit(self, tenant_id: UUID, reference: str) -> None:
        """Nothing was listed."""

    async def payments_between(
        self, tenant_id: UUID, since: datetime, until: datetime, after: str | None
    ) -> TakenPage:
        """The charges that were opened here, made or settled between two instants."""
        return await payments.between(self._api, tenant_id, (since, until), after)

    async def payment_held(self, tenant_id: UUID, reference: str) -> Holding:
        """What is still held of a payment."""
        return await payments.held(self._api, tenant_id, reference)

    async def reversals_to_record(self) -> list[tuple[UUID, ReportedReversal]]:
        """The newest disputes, and refunds that were not asked for here, of our payments.

        What this process has acknowledged is left out until it has changed.
        """
        return [
            (tenant_id, one)
            for tenant_id, one in await reversals.newest(self._api)
            if self._acknowledged.get(one.id) != one
        ]

    async def reversals_of(self, tenant_id: UUID, reference: str) -> list[ReportedReversal]:
        """The disputes of one payment, and its refunds that were not asked for here."""
        return await reversals.of_payment(self._api, reference)

    async def acknowledge_reversal(self, tenant_id: UUID, reported: ReportedReversal) -> None:
        """Say that a report is recorded; this process tells it again when it changes."""
        self._acknowledged[reported.id] = reported

    async def look_at_method(self, tenant_id: UUID, token: str) -> Method | None:
        """A saved method as Stripe keeps it now; None where no customer has it any more."""
        return await methods.saved(self._api, self.name, token)

    async def forget_method(self, tenant_id: UUID, token: str, *, key: str) -> None:
        """Detach a method from its customer; one that has none, or is not there, is let go."""
        await methods.forget(self._api, self.name, token, key)

    def parse_event(self, headers: Mapping[str, str], body: bytes, /) -> ProviderEvent:
        """The event behind a message that Stripe has signed; raises `EventRefused`."""
        return parse(self._keys, headers, body)

    async def _after_refusal(self, reference: str, reason: FailureReason) -> Outcome:
        """What a refused confirmation has left: nothing is taken, and nothing will be."""
        try:
            standing = found(await intents.retrieve(self._api, reference))
            if isinstance(standing, Unconfirmed):
                standing = Failed(reason)
            return _as_outcome(await self._made_final(reference, standing))
        except stripe.StripeError as error:
            _note("look", reference, error)
            return Unknown()

    async def _made_final(self, reference: str, standing: Found) -> Standing:
        """Cancel what has failed, so that nobody can confirm it again."""
        if not isinstance(standing, Failed):
            return standing
        match await self._cancel(reference, f"{reference}:end", ABANDONED):
            case Cancelled():
                return Declined(standing.reason)
            case AlreadySucceeded(pending=False):
                return Succeeded()
            case _:
                return Unknown()

    async def _cancel(self, reference: str, key: str, reason: str) -> CancelOutcome:
        """Cancel; where that is refused, look why, and ask anew if it is possible by now."""
        try:
            for one in (key, None):
                outcome = await self._try_to_cancel(reference, one, reason)
                if outcome is not None:
                    return outcome
        except stripe.StripeError as error:
            _note("cancel", reference, error)
        return Unknown()

    async def _try_to_cancel(
        self, reference: str, key: str | None, reason: str
    ) -> CancelOutcome | None:
        """None where a refusal is over that Stripe keeps under the key."""
        try:
            intent = await intents.cancel(self._api, reference, reason, key)
        except (stripe.InvalidRequestError, stripe.IdempotencyError):
            return too_late(found(await intents.retrieve(self._api, reference)))
        except stripe.StripeError as error:
            if is_kept_fault(error):
                return None
            raise
        return too_late(found(intent))


async def _opened(
    order: PaymentOrder, call: str, create: Callable[[str], Awaitable[Intent]]
) -> str | Declined:
    """The id of the order's intent; raises what Stripe said where that is no answer.

    Raises:
        CustomerGone: The buyer is there, and her customer is not.
    """
    try:
        return (await under_next_key(order.key(call), create)).id
    except stripe.CardError as error:
        return Declined(reason_of(error.error))
    except stripe.InvalidRequestError as error:
        if is_gone(error) and not order.off_session:
            raise CustomerGone from None
        # Off session, the method went with its customer.
        log.warning("stripe.open_refused", call=call, reason=str(error))
        return Declined(reason_of_refusal(error))


def _as_outcome(standing: Standing) -> Outcome:
    """What a confirmation came to, told from where the intent stands after it."""
    if isinstance(standing, Cancelled):
        return Declined(FailureReason.INTERRUPTED)
    return Unknown() if isinstance(standing, Unconfirmed) else standing


def _note(call: str, reference: str, error: stripe.StripeError) -> None:
    log.warning("stripe.no_answer", call=call, reference=reference, reason=str(error))
