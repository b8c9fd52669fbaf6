"""What becomes of an intent at the test bank: each step inside the caller's transaction.

Every step starts from an intent that `locked_intent` holds, so of two calls about one intent
the second sees what the first did.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import sandbox_bank as bank
from tallystick.db import sandbox_ledger as ledger
from tallystick.db.engine import Tx
from tallystick.db.sandbox_bank import BankMethod, Behaviour, Intent, IntentState
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    NeedsAction,
    Outcome,
    Pending,
    Refunded,
    RefundRefused,
    Standing,
    Succeeded,
    Unconfirmed,
)
from tallystick.providers.sandbox_calls import BankMisused, NoSuchIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTerms:
    """Where the challenge page is (no trailing slash), and how many seconds a debit takes."""

    public_url: str
    debit_seconds: float


async def locked_intent(tx: Tx, tenant_id: UUID, reference: str) -> Intent:
    """The intent as it is now, a due debit decided; raises `NoSuchIntent`."""
    intent = await bank.lock_intent(tx, tenant_id, reference)
    if intent is None:
        raise NoSuchIntent(reference)
    if not intent.due:
        return intent
    await settle(tx, intent)
    settled = await bank.lock_intent(tx, tenant_id, reference)
    assert settled is not None, "a locked row does not disappear"
    return settled


async def known_method(tx: Tx, tenant_id: UUID, token: str) -> BankMethod:
    """The method behind a token; raises `BankMisused` when this tenant has none."""
    method = await bank.load_method(tx, tenant_id, token)
    if method is None:
        raise BankMisused("no such payment method")
    return method


async def decide(tx: Tx, intent: Intent, method: BankMethod, terms: BankTerms) -> Outcome:
    """A confirmation's first answer under its key: by the number while the intent is open."""
    match standing(intent, terms):
        case Unconfirmed():
            return await _act(tx, intent, method, terms)
        case Cancelled():
            return Declined(FailureReason.INTERRUPTED)
        case outcome:
            return outcome


async def succeed(tx: Tx, intent: Intent) -> Succeeded:
    """Take the money of a payment, and keep the method for its customer if that was asked."""
    await _keep_method(tx, intent)
    if intent.kind == "PAYMENT":
        await ledger.add_charge(tx, intent.tenant_id, intent)
    await bank.mark_ended(tx, intent.tenant_id, intent.reference, IntentState.SUCCEEDED)
    return Succeeded()


async def decline(tx: Tx, intent: Intent, reason: FailureReason) -> Declined:
    """End the intent without money."""
    await bank.mark_ended(tx, intent.tenant_id, intent.reference, IntentState.DECLINED, reason)
    return Declined(reason)


async def settle(tx: Tx, intent: Intent) -> None:
    """Decide an accepted debit as its IBAN says."""
    if intent.settles_as == IntentState.SUCCEEDED:
        await succeed(tx, intent)
    else:
        await decline(tx, intent, FailureReason.DEBIT_FAILED)


async def cancel(tx: Tx, intent: Intent) -> Cancelled | AlreadySucceeded:
    """End an intent that has taken nothing yet, for good."""
    match intent.state:
        case IntentState.OPEN | IntentState.CHALLENGED:
            await bank.mark_ended(tx, intent.tenant_id, intent.reference, IntentState.CANCELLED)
            return Cancelled()
        case IntentState.DECLINED | IntentState.CANCELLED:
            return Cancelled()
        case IntentState.PENDING:
            return AlreadySucceeded(pending=True)
        case IntentState.SUCCEEDED:
            return AlreadySucceeded()


async def refund(tx: Tx, intent: Intent, amount: int) -> Refunded | RefundRefused:
    """Give back part of what was taken, never more than what is left of it."""
    if intent.kind != "PAYMENT" or intent.state is not IntentState.SUCCEEDED:
        return RefundRefused("No money was taken for this payment, so there is none to refund.")
    if not 0 < amount <= intent.left:
        return RefundRefused(
            f"Of this payment {intent.left} minor units can still be refunded."
        )
    await ledger.add_refund(tx, intent.tenant_id, intent, amount)
    return Refunded()


def standing(intent: Intent, terms: BankTerms) -> Standing:
    """Where the intent stands, in the port's words."""
    match intent.state:
        case IntentState.OPEN:
            return Unconfirmed()
        case IntentState.CHALLENGED:
            return NeedsAction(challenge_url(intent, terms))
        case IntentState.PENDING:
            return Pending()
        case IntentState.SUCCEEDED:
            return Succeeded()
        case IntentState.DECLINED:
            assert intent.failure is not None, "the schema knows why an intent was declined"
            return Declined(FailureReason(intent.failure))
        case IntentState.CANCELLED:
            return Cancelled()


def challenge_url(intent: Intent, terms: BankTerms) -> str:
    """The address of the intent's challenge page."""
    tenant = encode(Prefix.TENANT, intent.tenant_id)
    return f"{terms.public_url}/sandbox/challenge/{intent.reference}?tenant={tenant}"


async def _act(tx: Tx, intent: Intent, method: BankMethod, terms: BankTerms) -> Outcome:
    """What the number does; see `docs/sandbox.md`."""
    match method.behaviour:
        case Behaviour.SUCCEEDS | Behaviour.LOSES_ANSWER:
            return await succeed(tx, intent)
        case Behaviour.DECLINES:
            return await decline(tx, intent, FailureReason.DECLINED)
        case Behaviour.LACKS_FUNDS:
            return await decline(tx, intent, FailureReason.INSUFFICIENT_FUNDS)
        case Behaviour.EXPIRED:
            return await decline(tx, intent, FailureReason.CARD_EXPIRED)
        case Behaviour.FAILS_WHEN_CHARGED:
            if intent.kind == "SETUP":
                return await succeed(tx, intent)
            return await decline(tx, intent, FailureReason.DECLINED)
        case Behaviour.ASKS:
            if method.customer_id is not None:
                return await succeed(tx, intent)
            token = secrets.token_urlsafe()
            await bank.mark_challenged(tx, intent.tenant_id, intent.reference, token)
            return NeedsAction(challenge_url(intent, terms))
        case Behaviour.SETTLES_LATER:
            return await _accept(tx, intent, IntentState.SUCCEEDED, terms)
        case Behaviour.FAILS_LATER:
            return await _accept(tx, intent, IntentState.DECLINED, terms)
        case Behaviour.LOSES_QUESTION:
            raise AssertionError("a question that was lost reaches nobody")


async def _accept(
    tx: Tx, intent: Intent, settles_as: IntentState, terms: BankTerms
) -> Succeeded | Pending:
    """A debit: its mandate holds from now on, its money comes or fails later."""
    if intent.kind == "SETUP":
        return await succeed(tx, intent)
    await _keep_method(tx, intent)
    await bank.mark_pending(
        tx,
        intent.tenant_id,
        intent.reference,
        seconds=terms.debit_seconds,
        settles_as=settles_as,
    )
    return Pending()


async def _keep_method(tx: Tx, intent: Intent) -> None:
    if intent.save and not await bank.give_method(
        tx, intent.tenant_id, intent.token, intent.customer_id
    ):
        raise BankMisused("the method was saved for another customer meanwhile")
