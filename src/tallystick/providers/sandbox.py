"""The sandbox: a test bank that ships with the product and needs no account anywhere.

It behaves as a bank does. It has a memory of its own (schema `sandbox`, over connections of its
own), so what it knows survives whatever becomes of the caller's transaction. It remembers each
call's key and answers a repetition as it answered first. It never moves money for an intent
that was cancelled. Which number makes it do what:

    4242 4242 4242 4242          visa, succeeds
    5555 5555 5555 4444          mastercard, succeeds
    4000 0000 0000 0002          declined
    4000 0000 0000 9995          declined: insufficient funds
    4000 0000 0000 0069          declined: expired card
    4000 0025 0000 3155          asks for 3-D Secure until the card was saved
    4000 0000 0000 0341          can be saved; every charge is declined
    4000 0000 0000 9987          the question is lost: nothing is taken, no answer comes
    4000 0000 0000 9979          the answer is lost: the money is taken, no answer comes
    DE89 3704 0044 0532 0130 00  debit accepted, settles later
    DE62 3704 0044 0532 0130 01  debit accepted, fails later

Every other number is refused, so real ones cannot get in; and of these only brand, last four
digits and expiry are kept. `docs/sandbox.md` says more.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallystick.db import sandbox_bank as bank
from tallystick.db import sandbox_ledger as ledger
from tallystick.db.engine import Database
from tallystick.db.sandbox_bank import (
    NO_ANSWER,
    Behaviour,
    Call,
    IntentKind,
    IntentState,
    NewIntent,
    Operation,
)
from tallystick.db.sandbox_ledger import Movement
from tallystick.db.sandbox_reversals import TakenAs
from tallystick.domain.money import exponent
from tallystick.domain.orphan import Holding, TakenPage
from tallystick.domain.payment import (
    CancelOutcome,
    FailureReason,
    Method,
    MethodKind,
    Outcome,
    PaymentOrder,
    RefundOutcome,
    RefundStanding,
    Standing,
    Unknown,
)
from tallystick.domain.payment_panel import PaymentPanel, TypedPanel
from tallystick.domain.provider_event import EventRefused, ProviderEvent
from tallystick.domain.reversal import ReportedReversal
from tallystick.providers import sandbox_calls as calls
from tallystick.providers import sandbox_refunds as refunds
from tallystick.providers.sandbox_calls import BankMisused, NoSuchIntent
from tallystick.providers.sandbox_challenges import Challenge, as_challenge
from tallystick.providers.sandbox_intents import (
    BankTerms,
    cancel,
    challenge_url,
    decide,
    decline,
    known_method,
    locked_intent,
    settle,
    standing,
    succeed,
)
from tallystick.providers.sandbox_methods import as_method, secret, typed_method
from tallystick.providers.sandbox_reversals import (
    acknowledge,
    decide_dispute,
    take_back,
    to_tell,
)

__all__ = ["Challenge", "Sandbox"]

_DEBITS_AT_ONCE = 100
_REFERENCE_DIGITS = 16
"""Of a session's id, its last ones: they are the random part."""

_MINIMUM_OF_EXPONENT = {0: 50, 2: 50, 3: 500}
"""Smallest charge in minor units by the currency's decimals: EUR 0.50, JPY 50, KWD 0.500."""


class Sandbox:
    """The test bank as a payment provider.

    Args of the constructor: the bank's own `database` (another pool than the caller's), the
    `public_url` without trailing slash under which its challenge page is served, and
    `debit_seconds`, the real time that an accepted debit takes to be decided.
    """

    name: str = "sandbox"

    def __init__(self, database: Database, *, public_url: str, debit_seconds: float) -> None:
        self._database = database
        self._terms = BankTerms(public_url=public_url, debit_seconds=debit_seconds)

    def mandate_reference(self, session_id: UUID) -> str:
        """The session's own: signed again after a failure, a mandate replaces the first."""
        return f"TEST-{session_id.hex[-_REFERENCE_DIGITS:].upper()}"

    def panel(self) -> PaymentPanel:
        """The page's own fields: only published test numbers are typed into them."""
        return TypedPanel()

    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        """Turn what the buyer typed into a token; raises `MethodRefused`. Moves no money."""
        mandate = self.mandate_reference(session_id)
        async with self._database.transaction() as tx:
            kept = typed_method(kind, fields, await bank.current_month(tx), mandate)
            await bank.add_method(tx, tenant_id, kept)
        return as_method(self.name, kept)

    async def keep_customer(
        self, tenant_id: UUID, customer_id: UUID, *, name: str, email: str | None
    ) -> str | None:
        """None: the test bank knows customers by our own ids."""
        return None

    async def update_customer(
        self, tenant_id: UUID, reference: str, *, name: str, email: str | None, key: str
    ) -> None:
        """Nothing: the test bank keeps no names."""

    async def open(self, order: PaymentOrder) -> str:
        """Create the intent of a payment and return its reference. Moves no money."""
        if not self.chargeable(order.amount, order.currency):
            raise BankMisused(f"{order.amount} {order.currency} is too little to charge")
        return await self._open(order, "PAYMENT", "OPEN", order.key("open"))

    async def save_method(self, order: PaymentOrder) -> str:
        """Create the intent to save a method without a payment and return its reference."""
        if order.amount != 0 or not order.save:
            raise BankMisused("saving a method moves no money, and saves")
        return await self._open(order, "SETUP", "SAVE", order.key("save_method"))

    async def confirm(self, order: PaymentOrder, reference: str) -> Outcome:
        """Take the money, or save the method."""
        key = order.key("confirm")
        asked = calls.fingerprint("CONFIRM", reference, *calls.terms(order))
        try:
            async with self._database.transaction() as tx:
                intent = await locked_intent(tx, order.tenant_id, reference)
                method = await known_method(tx, order.tenant_id, intent.token)
                if method.behaviour is Behaviour.LOSES_QUESTION:
                    return Unknown()
                told = await bank.find_call(tx, order.tenant_id, key)
                if told is not None:
                    calls.check_same(told, asked)
                    return calls.load_outcome(told.answer, challenge_url(intent, self._terms))
                if calls.terms(order) != calls.terms_of(intent):
                    raise BankMisused("the order is not the one this intent was opened for")
                outcome = await decide(tx, intent, method, self._terms)
                answer = calls.dump_outcome(outcome)
                await calls.remember(tx, order.tenant_id, key, "CONFIRM", asked, answer)
                if method.behaviour is Behaviour.LOSES_ANSWER:
                    return Unknown()
                return outcome
        except NO_ANSWER:
            return Unknown()

    async def cancel(self, order: PaymentOrder, reference: str) -> CancelOutcome:
        """Make sure that no money will be taken, or learn that it was."""
        key = order.key("cancel")
        asked = calls.fingerprint("CANCEL", reference)
        try:
            async with self._database.transaction() as tx:
                intent = await locked_intent(tx, order.tenant_id, reference)
                told = await bank.find_call(tx, order.tenant_id, key)
                if told is not None:
                    calls.check_same(told, asked)
                    return calls.load_cancel(told.answer)
                outcome = await cancel(tx, intent)
                answer = calls.dump_cancel(outcome)
                await calls.remember(tx, order.tenant_id, key, "CANCEL", asked, answer)
                return outcome
        except NO_ANSWER:
            return Unknown()

    async def look(self, tenant_id: UUID, reference: str) -> Standing:
        """Where the intent stands now."""
        try:
            async with self._database.transaction() as tx:
                return standing(await locked_intent(tx, tenant_id, reference), self._terms)
        except NO_ANSWER:
            return Unknown()

    def chargeable(self, amount: int, currency: str) -> bool:
        """Whether `amount` is at least EUR 0.50, JPY 50, KWD 0.500 and the like."""
        return amount >= _MINIMUM_OF_EXPONENT[exponent(currency)]

    async def refund(
        self, tenant_id: UUID, reference: str, amount: int, key: str
    ) -> RefundOutcome:
        """Give `amount` of a payment back; a refusal is remembered under its key, too."""
        try:
            async with self._database.transaction() as tx:
                intent = await locked_intent(tx, tenant_id, reference)
                return await refunds.give_back(tx, intent, amount, key)
        except NO_ANSWER:
            return Unknown()

    async def look_at_refund(self, tenant_id: UUID, reference: str, key: str) -> RefundStanding:
        """What has become of a refund."""
        try:
            async with self._database.transaction() as tx:
                return await refunds.look(
                    tx, await locked_intent(tx, tenant_id, reference), key
                )
        except NO_ANSWER:
            return Unknown()

    async def failed_refunds(self) -> list[tuple[UUID | None, str]]:
        """Tenant and payment of the refunds that came back in the last days."""
        async with self._database.transaction() as tx:
            return await refunds.failed(tx)

    async def debits_to_settle(self) -> list[tuple[UUID, str]]:
        """Decide the debits whose time has come; list the decided ones not acknowledged yet."""
        async with self._database.transaction() as tx:
            for intent in await bank.lock_due_debits(tx, _DEBITS_AT_ONCE):
                await settle(tx, intent)
        async with self._database.transaction() as tx:
            return await bank.debits_to_tell(tx, _DEBITS_AT_ONCE)

    async def acknowledge_debit(self, tenant_id: UUID, reference: str) -> None:
        """Say that what `look` told of a listed debit is recorded; it is not listed again."""
        async with self._database.transaction() as tx:
            await bank.acknowledge_debit(tx, tenant_id, reference)

    async def reversals_to_record(self) -> list[tuple[UUID, ReportedReversal]]:
        """What was taken back or came again and is not acknowledged, with its tenant."""
        async with self._database.transaction() as tx:
            return await to_tell(tx)

    async def acknowledge_reversal(self, tenant_id: UUID, reported: ReportedReversal) -> None:
        """Say that a report is recorded; it is not told again until it changes."""
        async with self._database.transaction() as tx:
            await acknowledge(tx, tenant_id, reported)

    async def payments_between(
        self, tenant_id: UUID, since: datetime, until: datetime, after: str | None
    ) -> TakenPage:
        """A page of the ledger's charges of that time; a debit is charged when it settles."""
        async with self._database.transaction() as tx:
            return await ledger.held_between(tx, tenant_id, since, until, after)

    async def payment_held(self, tenant_id: UUID, reference: str) -> Holding:
        """The charge under a reference, or whether it was given back in full."""
        async with self._database.transaction() as tx:
            return await ledger.held(tx, tenant_id, reference)

    async def reversals_of(self, tenant_id: UUID, reference: str) -> list[ReportedReversal]:
        """What was taken back of a payment and is not acknowledged."""
        told = await self.reversals_to_record()
        return [
            one for tenant, one in told if (tenant, one.reference) == (tenant_id, reference)
        ]

    async def look_at_method(self, tenant_id: UUID, token: str) -> Method | None:
        """A method as the bank keeps it; all that ever changes is that it is let go."""
        async with self._database.transaction() as tx:
            kept = await bank.load_method(tx, tenant_id, token)
        return None if kept is None or kept.is_forgotten else as_method(self.name, kept)

    async def forget_method(self, tenant_id: UUID, token: str, *, key: str) -> None:
        """Note that a method is let go; what was opened with it goes on."""
        async with self._database.transaction() as tx:
            await bank.forget_method(tx, tenant_id, token)

    def parse_event(self, headers: Mapping[str, str], body: bytes, /) -> ProviderEvent:
        """Refuse it: the test bank sends nothing, it waits to be asked."""
        raise EventRefused("The test bank sends no events.")

    # Beside the port: the challenge page's door, what is played by hand, and the ledger.

    async def decide_debit(self, tenant_id: UUID, reference: str, *, settles: bool) -> None:
        """Decide an accepted debit now, whatever its IBAN says.

        One that is decided stays as it is. Raises `NoSuchIntent` for an unknown reference.
        """
        ends_as = IntentState.SUCCEEDED if settles else IntentState.DECLINED
        async with self._database.transaction() as tx:
            await bank.hasten_debit(tx, tenant_id, reference, ends_as)
            await locked_intent(tx, tenant_id, reference)

    async def take_back(
        self,
        tenant_id: UUID,
        reference: str,
        reversal_id: str,
        kind: TakenAs,
        amount: int | None = None,
        reason: str | None = None,
    ) -> ReportedReversal:
        """Take money back unasked, once under an id; raises `Conflict`."""
        async with self._database.transaction() as tx:
            intent = await locked_intent(tx, tenant_id, reference)
            return await take_back(tx, intent, reversal_id, kind, amount, reason)

    async def send_refund_back(
        self, tenant_id: UUID, reference: str, key: str, why: str
    ) -> None:
        """The customer's bank sends a refund back, once; raises `BankMisused`."""
        async with self._database.transaction() as tx:
            intent = await locked_intent(tx, tenant_id, reference)
            await refunds.send_back(tx, intent, key, why)

    async def decide_dispute(
        self, tenant_id: UUID, reference: str, *, won: bool
    ) -> ReportedReversal:
        """Decide the open dispute of a payment; raises `Conflict` where there is none."""
        async with self._database.transaction() as tx:
            intent = await locked_intent(tx, tenant_id, reference)
            return await decide_dispute(tx, intent, won=won)

    async def challenge(self, tenant_id: UUID, reference: str) -> Challenge:
        """What the challenge page shows; raises `NoSuchIntent` when none was ever asked for."""
        async with self._database.transaction() as tx:
            intent = await locked_intent(tx, tenant_id, reference)
            if intent.form_token is None:
                raise NoSuchIntent(reference)
            method = await known_method(tx, tenant_id, intent.token)
        return as_challenge(intent, method, standing(intent, self._terms))

    async def answer_challenge(
        self, tenant_id: UUID, reference: str, *, approve: bool
    ) -> Standing:
        """The buyer's answer: approval takes the money (or saves the card), refusal declines.

        An answer that comes twice, or after a cancellation, changes nothing; where the intent
        stands is returned either way. Raises `NoSuchIntent` for an unknown reference.
        """
        async with self._database.transaction() as tx:
            intent = await locked_intent(tx, tenant_id, reference)
            if intent.state is not IntentState.CHALLENGED:
                return standing(intent, self._terms)
            if approve:
                return await succeed(tx, intent)
            return await decline(tx, intent, FailureReason.AUTHENTICATION_FAILED)

    async def movements(self, tenant_id: UUID) -> list[Movement]:
        """The ledger: every charge and refund of a tenant, in the order they happened."""
        async with self._database.transaction() as tx:
            return await ledger.movements(tx, tenant_id)

    async def _open(
        self, order: PaymentOrder, kind: IntentKind, operation: Operation, key: str
    ) -> str:
        asked = calls.fingerprint(operation, *calls.terms(order))
        reference = secret("sbx_pay" if kind == "PAYMENT" else "sbx_set")
        answer = calls.dump_reference(reference)
        call = Call(key=key, operation=operation, parameters=asked, answer=answer)
        async with self._database.transaction() as tx:
            if not await bank.add_call(tx, order.tenant_id, call):
                told = await bank.find_call(tx, order.tenant_id, key)
                assert told is not None, "a remembered call is never forgotten"
                calls.check_same(told, asked)
                return calls.load_reference(told.answer)
            method = await known_method(tx, order.tenant_id, order.method.token)
            if method.customer_id not in {None, order.customer_id}:
                raise BankMisused("the method was saved for another customer")
            intent = NewIntent(
                reference=reference,
                kind=kind,
                customer_id=order.customer_id,
                token=method.token,
                amount=order.amount,
                currency=order.currency,
                save=order.save,
                return_url=order.return_url,
            )
            await bank.add_intent(tx, order.tenant_id, intent)
        return reference
