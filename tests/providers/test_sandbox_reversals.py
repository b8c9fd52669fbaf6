"""The test bank takes money back by itself: once under an id, told until it is acknowledged."""

import asyncio
from uuid import UUID

import pytest

from tallystick.domain.errors import Conflict
from tallystick.domain.payment import Refunded, RefundRefused
from tallystick.domain.reversal import ReversalKind
from tallystick.providers.sandbox_calls import NoSuchIntent
from tests.providers.contract import Case, an_order
from tests.providers.sandbox_bank import SandboxBank


async def taken(bank: SandboxBank, case: Case = Case.GOOD_CARD) -> tuple[UUID, str]:
    """A payment of 54.12: tenant and reference."""
    order = await an_order(bank, case)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)
    return order.tenant_id, reference


async def test_under_one_id_it_is_taken_once(bank: SandboxBank) -> None:
    """Ten times at once, and later: one movement, and the same report."""
    payment = await taken(bank)

    reports = await asyncio.gather(
        *(bank.sandbox.take_back(*payment, "rev_1", "REFUND", 1000) for _ in range(10))
    )

    assert len(set(reports)) == 1
    assert (reports[0].kind, reports[0].amount) == (ReversalKind.REFUND, 1000)
    assert await bank.moved(payment[0]) == [5412, -1000]


async def test_no_more_is_refunded_than_is_left(bank: SandboxBank) -> None:
    """Refunds that were asked for and money that was taken back share one payment; a dispute
    takes what the payer's bank says.
    """
    payment = await taken(bank)
    assert await bank.sandbox.refund(*payment, 2000, "key") == Refunded()
    await bank.sandbox.take_back(*payment, "rev_1", "REFUND", 3000)

    with pytest.raises(Conflict, match="Of this payment 412"):
        await bank.sandbox.take_back(*payment, "rev_2", "REFUND", 413)
    refused = await bank.sandbox.refund(*payment, 413, "other key")

    assert isinstance(refused, RefundRefused)
    rest = await bank.sandbox.take_back(*payment, "rev_3", "DISPUTE")
    assert rest.amount == 412
    for kind in ("REFUND", "CHARGEBACK"):
        with pytest.raises(Conflict, match="Of this payment 0"):
            await bank.sandbox.take_back(*payment, "rev_4", kind)

    won = await bank.sandbox.decide_dispute(*payment, won=True)
    more = await bank.sandbox.take_back(*payment, "rev_4", "DISPUTE", 6000)
    assert (won.returned, more.amount, sum(await bank.moved(payment[0]))) == (412, 6000, -5588)
    with pytest.raises(Conflict, match="is open"):
        await bank.sandbox.take_back(*payment, "rev_5", "DISPUTE", 1)
    refused = await bank.sandbox.refund(*payment, 1, "third key")
    assert isinstance(refused, RefundRefused)


async def test_one_dispute_at_a_time(bank: SandboxBank) -> None:
    """A second one waits until the first is decided; what was decided stays."""
    payment = await taken(bank)
    with pytest.raises(Conflict, match="no dispute"):
        await bank.sandbox.decide_dispute(*payment, won=True)
    await bank.sandbox.take_back(*payment, "rev_1", "DISPUTE", 1000)
    with pytest.raises(Conflict, match="is open"):
        await bank.sandbox.take_back(*payment, "rev_2", "DISPUTE", 1000)

    won = await bank.sandbox.decide_dispute(*payment, won=True)

    assert (won.amount, won.returned) == (1000, 1000)
    assert await bank.sandbox.decide_dispute(*payment, won=True) == won
    with pytest.raises(Conflict, match="won already"):
        await bank.sandbox.decide_dispute(*payment, won=False)
    await bank.sandbox.take_back(*payment, "rev_2", "DISPUTE")
    lost = await bank.sandbox.decide_dispute(*payment, won=False)
    assert (lost.kind, lost.amount, lost.returned) == (ReversalKind.CHARGEBACK, 5412, 0)
    kinds = [one.kind for one in await bank.sandbox.movements(payment[0])]
    assert kinds == ["CHARGE", "REVERSAL", "REINSTATEMENT", "REVERSAL"]


async def test_only_what_was_taken_is_taken_back(bank: SandboxBank) -> None:
    """Nothing of a debit that is on its way, and nothing of another tenant's."""
    tenant_id, reference = await taken(bank, Case.GOOD_DEBIT)
    with pytest.raises(Conflict, match="Of this payment 0"):
        await bank.sandbox.take_back(tenant_id, reference, "rev_1", "REFUND")
    with pytest.raises(NoSuchIntent):
        await bank.sandbox.take_back(UUID(int=1), reference, "rev_1", "REFUND")
