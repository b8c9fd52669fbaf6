"""The sandbox keeps the port's promises, and does what its published numbers say."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tallystick.db import sandbox_ledger
from tallystick.db.engine import Database
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    NeedsAction,
    Outcome,
    Pending,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.services.ids import new_id
from tests.providers.contract import Case, ProviderContract, a_setup, an_order
from tests.providers.contract_keeping import KeepingContract
from tests.providers.contract_money import MoneyContract, every_payment
from tests.providers.sandbox_bank import SandboxBank


class TestSandboxKeepsTheContract(ProviderContract, MoneyContract, KeepingContract):
    """Every claim about providers holds for the sandbox."""


DECLINED = Declined(FailureReason.DECLINED)
NO_FUNDS = Declined(FailureReason.INSUFFICIENT_FUNDS)
EXPIRED = Declined(FailureReason.CARD_EXPIRED)


@pytest.mark.parametrize(
    ("number", "charged", "saved", "taken"),
    [
        ("4242424242424242", Succeeded(), Succeeded(), [5412]),
        ("5555555555554444", Succeeded(), Succeeded(), [5412]),
        ("4000000000000002", DECLINED, DECLINED, []),
        ("4000000000009995", NO_FUNDS, NO_FUNDS, []),
        ("4000000000000069", EXPIRED, EXPIRED, []),
        ("4000000000000341", DECLINED, Succeeded(), []),
        ("4000000000009987", Unknown(), Unknown(), []),
        ("4000000000009979", Unknown(), Unknown(), [5412]),
    ],
)
async def test_a_card_does_what_its_number_says(
    bank: SandboxBank, number: str, charged: Outcome, saved: Outcome, taken: list[int]
) -> None:
    """Each published card answers a charge and a saving as documented."""
    order = await bank.order_by(number)
    setup = a_setup(order)

    assert await bank.sandbox.confirm(order, await bank.sandbox.open(order)) == charged
    assert await bank.sandbox.confirm(setup, await bank.sandbox.save_method(setup)) == saved
    assert await bank.moved(order.tenant_id) == taken


async def test_its_payments_are_listed_page_by_page(
    bank: SandboxBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of them, two on a page, the one in the middle given back: each of the rest once."""
    monkeypatch.setattr(sandbox_ledger, "_LISTED_AT_ONCE", 2)
    order = await bank.order_by("4242424242424242")
    made = []
    for _ in range(5):
        again = replace(order, attempt_id=new_id())
        made.append(await bank.sandbox.open(again))
        assert await bank.sandbox.confirm(again, made[-1]) == Succeeded()
    await bank.sandbox.refund(order.tenant_id, made[2], 5412, "key")
    ever = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)

    found = await every_payment(bank.sandbox, order.tenant_id, *ever)
    assert [one.reference for one in found] == [*made[:2], *made[3:]]


async def test_a_card_that_fails_when_charged_stays_saved(bank: SandboxBank) -> None:
    """...0341 is saved for its customer, and each later charge is declined."""
    order = await bank.order_by("4000000000000341")
    setup = a_setup(order)
    await bank.sandbox.confirm(setup, await bank.sandbox.save_method(setup))

    for _ in range(2):
        later = replace(order, attempt_id=new_id())
        assert await bank.sandbox.confirm(later, await bank.sandbox.open(later)) == DECLINED

    assert await bank.moved(order.tenant_id) == []


async def test_a_saved_card_is_not_challenged_again(bank: SandboxBank) -> None:
    """...3155 asks until the card was saved with the buyer's approval, and never after."""
    order = await bank.order_by("4000002500003155")
    setup = a_setup(order)
    reference = await bank.sandbox.save_method(setup)
    assert isinstance(await bank.sandbox.confirm(setup, reference), NeedsAction)
    await bank.sandbox.answer_challenge(order.tenant_id, reference, approve=True)

    assert await bank.sandbox.confirm(order, await bank.sandbox.open(order)) == Succeeded()
    assert await bank.moved(order.tenant_id) == [5412]


async def test_a_lost_question_takes_nothing_and_can_be_cancelled(bank: SandboxBank) -> None:
    """...9987: no confirmation ever arrives, so the intent is still open."""
    order = await bank.order_by("4000000000009987")
    reference = await bank.sandbox.open(order)

    assert await bank.sandbox.confirm(order, reference) == Unknown()
    assert await bank.sandbox.look(order.tenant_id, reference) == Unconfirmed()
    assert await bank.sandbox.confirm(order, reference) == Unknown()
    assert await bank.sandbox.cancel(order, reference) == Cancelled()
    assert await bank.moved(order.tenant_id) == []


async def test_a_lost_answer_is_told_when_asked_again(bank: SandboxBank) -> None:
    """...9979: the first answer is lost; looking, cancelling and repeating tell the truth."""
    order = await bank.order_by("4000000000009979")
    reference = await bank.sandbox.open(order)

    assert await bank.sandbox.confirm(order, reference) == Unknown()
    assert await bank.sandbox.look(order.tenant_id, reference) == Succeeded()
    assert await bank.sandbox.cancel(order, reference) == AlreadySucceeded()
    assert await bank.sandbox.confirm(order, reference) == Succeeded()
    assert await bank.moved(order.tenant_id) == [5412]


async def test_an_account_is_saved_at_once(bank: SandboxBank) -> None:
    """Saving an account needs no settlement: its mandate is what is kept."""
    setup = a_setup(await an_order(bank, Case.FAILING_DEBIT))

    reference = await bank.sandbox.save_method(setup)

    assert await bank.sandbox.confirm(setup, reference) == Succeeded()
    assert await bank.sandbox.debits_to_settle() == []


async def test_a_debit_is_decided_by_real_time_alone(db: Database) -> None:
    """A debit whose time is zero is accepted, and decided when it is next looked at."""
    bank = SandboxBank(db, debit_seconds=0)
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await bank.sandbox.open(order)

    assert await bank.sandbox.confirm(order, reference) == Pending()
    assert await bank.sandbox.look(order.tenant_id, reference) == Succeeded()
    assert await bank.sandbox.cancel(order, reference) == AlreadySucceeded()
    assert await bank.sandbox.debits_to_settle() == [(order.tenant_id, reference)]
    assert await bank.moved(order.tenant_id) == [5412]
