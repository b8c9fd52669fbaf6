"""Refunds at the test bank: given once under a key, looked at, and sent back by their banks.

Each step is inside the caller's transaction and starts from an intent that it holds.
"""

from uuid import UUID

from tallystick.db import sandbox_bank as bank
from tallystick.db import sandbox_ledger as ledger
from tallystick.db import sandbox_refunds as refunds
from tallystick.db.engine import Tx
from tallystick.db.sandbox_bank import Intent
from tallystick.db.sandbox_refunds import GivenBack
from tallystick.domain.payment import (
    NotAsked,
    Refunded,
    RefundOutcome,
    RefundRefused,
    RefundStanding,
)
from tallystick.providers import sandbox_calls as calls
from tallystick.providers.sandbox_calls import BankMisused
from tallystick.providers.sandbox_intents import refund

_AT_ONCE = 1_000


async def give_back(tx: Tx, intent: Intent, amount: int, key: str) -> RefundOutcome:
    """Give `amount` back, or answer as under this key before; a refusal is remembered, too.

    One that has come back to the bank since is refused from then on.
    """
    tenant_id = intent.tenant_id
    asked = calls.fingerprint("REFUND", intent.reference, amount)
    told = await bank.find_call(tx, tenant_id, key)
    if told is not None:
        calls.check_same(told, asked)
        given = await refunds.find(tx, tenant_id, key)
        return calls.load_refund(told.answer) if given is None else _stands(given)
    outcome = await refund(tx, intent, amount)
    answer = calls.dump_refund(outcome)
    await calls.remember(tx, tenant_id, key, "REFUND", asked, answer)
    if outcome == Refunded():
        await refunds.add(tx, tenant_id, key, intent.reference, amount)
    return outcome


async def look(tx: Tx, intent: Intent, key: str) -> RefundStanding:
    """What has become of what was asked for under a key."""
    given = await refunds.find(tx, intent.tenant_id, key)
    if given is not None:
        return _stands(given)
    told = await bank.find_call(tx, intent.tenant_id, key)
    return NotAsked() if told is None else calls.load_refund(told.answer)


async def send_back(tx: Tx, intent: Intent, key: str, why: str) -> None:
    """The customer's bank sends a refund back, once; an unknown one is `BankMisused`."""
    given = await refunds.find(tx, intent.tenant_id, key)
    if given is None or given.reference != intent.reference:
        raise BankMisused(f"nothing was refunded under {key}")
    if given.failure is None:
        await refunds.fail(tx, intent.tenant_id, key, why)
        await ledger.add_failed_refund(tx, intent.tenant_id, intent, given.amount)


async def failed(tx: Tx) -> list[tuple[UUID | None, str]]:
    """Tenant and intent of the refunds that came back in the last days."""
    return list(await refunds.failed(tx, _AT_ONCE))


def _stands(given: GivenBack) -> Refunded | RefundRefused:
    if given.failure is None:
        return Refunded()
    return RefundRefused(f"The refund did not reach its account: {given.failure}.")
