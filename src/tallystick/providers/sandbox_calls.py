"""How the test bank remembers a call under its key: what was asked, and what it said."""

import hashlib
import json
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.sandbox_bank import Call, Intent, Operation, add_call
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    CancelOutcome,
    Declined,
    FailureReason,
    NeedsAction,
    Outcome,
    PaymentOrder,
    Pending,
    Refunded,
    RefundOutcome,
    RefundRefused,
    Succeeded,
    Unknown,
)


class BankMisused(Exception):
    """A question that no correct caller asks: a defect on our side, refused without effect."""


class KeyReused(BankMisused):
    """An idempotency key came back with other parameters or for another operation."""


class NoSuchIntent(BankMisused):
    """The bank gave no such reference to this tenant."""


def fingerprint(operation: str, *parameters: object) -> bytes:
    """The hash by which a repeated call is known to ask the same (SHA-256)."""
    asked = json.dumps([operation, *(str(parameter) for parameter in parameters)])
    return hashlib.sha256(asked.encode()).digest()


def check_same(call: Call, parameters: bytes) -> None:
    """Raise `KeyReused` unless the remembered call asked what is asked now."""
    if call.parameters != parameters:
        raise KeyReused(f"the key {call.key} was used for another {call.operation}")


def terms(order: PaymentOrder) -> tuple[object, ...]:
    """What a repeated call must ask again; where the buyer returns to may change in between."""
    return order.customer_id, order.amount, order.currency, order.method.token, order.save


def terms_of(intent: Intent) -> tuple[object, ...]:
    """What was asked when it was opened, as `terms` of a repeated call says it."""
    return intent.customer_id, intent.amount, intent.currency, intent.token, intent.save


async def remember(
    tx: Tx, tenant_id: UUID, key: str, operation: Operation, asked: bytes, answer: str
) -> None:
    """Keep the answer beside what it did; `KeyReused` undoes both."""
    call = Call(key=key, operation=operation, parameters=asked, answer=answer)
    if not await add_call(tx, tenant_id, call):
        raise KeyReused(f"the key {key} was used for another intent")


def dump_outcome(outcome: Outcome) -> str:
    """A confirmation's answer as JSON. The challenge's address is left out: it is derived."""
    match outcome:
        case Succeeded():
            return _json("SUCCEEDED")
        case Declined(reason):
            return _json("DECLINED", reason.value)
        case NeedsAction():
            return _json("NEEDS_ACTION")
        case Pending():
            return _json("PENDING")
        case Unknown():
            raise AssertionError("an answer that was lost is not what the bank said")


def load_outcome(answer: str, challenge_url: str) -> Outcome:
    """The confirmation's answer behind `dump_outcome`."""
    match _parts(answer):
        case "SUCCEEDED", _:
            return Succeeded()
        case "DECLINED", reason:
            return Declined(FailureReason(reason))
        case "NEEDS_ACTION", _:
            return NeedsAction(challenge_url)
        case "PENDING", _:
            return Pending()
        case other:
            raise AssertionError(f"no such answer to a confirmation: {other}")


def dump_cancel(outcome: Cancelled | AlreadySucceeded) -> str:
    """A cancellation's answer as JSON."""
    match outcome:
        case Cancelled():
            return _json("CANCELLED")
        case AlreadySucceeded(pending=True):
            return _json("ALREADY_PENDING")
        case AlreadySucceeded():
            return _json("ALREADY_SUCCEEDED")


def load_cancel(answer: str) -> CancelOutcome:
    """The cancellation's answer behind `dump_cancel`."""
    match _parts(answer):
        case "CANCELLED", _:
            return Cancelled()
        case "ALREADY_PENDING", _:
            return AlreadySucceeded(pending=True)
        case "ALREADY_SUCCEEDED", _:
            return AlreadySucceeded()
        case other:
            raise AssertionError(f"no such answer to a cancellation: {other}")


def dump_refund(outcome: Refunded | RefundRefused) -> str:
    """A refund's answer as JSON."""
    match outcome:
        case Refunded():
            return _json("REFUNDED")
        case RefundRefused(message):
            return _json("REFUSED", message)


def load_refund(answer: str) -> RefundOutcome:
    """The refund's answer behind `dump_refund`."""
    match _parts(answer):
        case "REFUNDED", _:
            return Refunded()
        case "REFUSED", message:
            return RefundRefused(message)
        case other:
            raise AssertionError(f"no such answer to a refund: {other}")


def dump_reference(reference: str) -> str:
    """The answer to opening an intent as JSON."""
    return _json("OPENED", reference)


def load_reference(answer: str) -> str:
    """The reference behind `dump_reference`."""
    return _parts(answer)[1]


def _json(answer: str, detail: str = "") -> str:
    return json.dumps({"answer": answer, "detail": detail})


def _parts(answer: str) -> tuple[str, str]:
    parts = json.loads(answer)
    return parts["answer"], parts["detail"]
