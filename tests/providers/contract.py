"""What every payment provider promises, written against the port.

A provider's test module subclasses `ProviderContract` and gives a `bank` fixture: its provider
and the few things that only its own test bank can do.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import pytest

from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Pending,
    Refunded,
    RefundRefused,
    Succeeded,
    Unconfirmed,
)
from tallystick.domain.reversal import ReversalKind
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider

RETURN_URL = "https://pay.example.com/c/1?step=return"


class Case(StrEnum):
    """The methods that a provider's test bank must know."""

    GOOD_CARD = "GOOD_CARD"
    DECLINED_CARD = "DECLINED_CARD"
    CHALLENGED_CARD = "CHALLENGED_CARD"
    GOOD_DEBIT = "GOOD_DEBIT"
    FAILING_DEBIT = "FAILING_DEBIT"


KIND = {
    Case.GOOD_CARD: MethodKind.CARD,
    Case.DECLINED_CARD: MethodKind.CARD,
    Case.CHALLENGED_CARD: MethodKind.CARD,
    Case.GOOD_DEBIT: MethodKind.DIRECT_DEBIT,
    Case.FAILING_DEBIT: MethodKind.DIRECT_DEBIT,
}


class ContractBank(Protocol):
    """A provider under test."""

    provider: PaymentProvider

    def fields(self, case: Case) -> Mapping[str, str]:
        """What a buyer types to get this method."""
        ...

    async def answer(self, tenant_id: UUID, reference: str, *, approve: bool) -> None:
        """Answer a challenge as the buyer does."""
        ...

    async def let_time_pass(self, tenant_id: UUID, reference: str) -> None:
        """Make the time of an accepted debit come."""
        ...

    async def takes_back(self, tenant_id: UUID, reference: str, amount: int) -> None:
        """The provider takes a part of a payment back by itself, as a dispute."""
        ...

    async def gives_back(self, tenant_id: UUID, reference: str) -> None:
        """That dispute is won."""
        ...

    async def moved(self, tenant_id: UUID) -> list[int]:
        """Every movement of the tenant's money: charges positive, refunds negative."""
        ...


async def an_order(
    bank: ContractBank, case: Case, *, amount: int = 5412, save: bool = False
) -> PaymentOrder:
    """A new order of a new customer of a new tenant, paid by a method of this case."""
    tenant_id = new_id()
    method = await bank.provider.collect(tenant_id, new_id(), KIND[case], bank.fields(case))
    return order_for(tenant_id, method, amount=amount, save=save)


def order_for(
    tenant_id: UUID,
    method: Method,
    *,
    amount: int = 5412,
    save: bool = False,
    customer_id: UUID | None = None,
) -> PaymentOrder:
    """A new order of a tenant."""
    return PaymentOrder(
        tenant_id=tenant_id,
        attempt_id=new_id(),
        customer_id=customer_id or new_id(),
        amount=amount,
        currency="EUR",
        method=method,
        save=save,
        return_url=RETURN_URL,
    )


def a_setup(order: PaymentOrder) -> PaymentOrder:
    """The order to save the same method without a payment."""
    return replace(order, attempt_id=new_id(), amount=0, save=True)


async def opened(provider: PaymentProvider, order: PaymentOrder) -> str:
    """The reference of an order that the provider accepts."""
    reference = await provider.open(order)
    assert isinstance(reference, str), "the order is one that can be opened"
    return reference


async def opened_setup(provider: PaymentProvider, order: PaymentOrder) -> str:
    """The reference of a setup that the provider accepts."""
    reference = await provider.save_method(order)
    assert isinstance(reference, str), "the setup is one that can be opened"
    return reference


class ProviderContract:
    """Claims about every provider; `bank` is the subclass's fixture."""

    async def test_collecting_moves_no_money(self, bank: ContractBank) -> None:
        """A method is a token of the provider and what may be shown of it."""
        order = await an_order(bank, Case.GOOD_CARD)

        assert order.method.provider == bank.provider.name
        assert order.method.card_last4 == bank.fields(Case.GOOD_CARD)["card_number"][-4:]
        assert await bank.moved(order.tenant_id) == []

    async def test_a_debit_comes_with_its_mandate(self, bank: ContractBank) -> None:
        """A collected account shows its last four digits and has a mandate reference."""
        order = await an_order(bank, Case.GOOD_DEBIT)

        assert order.method.account_hint == bank.fields(Case.GOOD_DEBIT)["iban"][-4:]
        assert order.method.mandate_reference
        assert order.method.card_last4 is None

    async def test_an_empty_form_is_refused_field_by_field(self, bank: ContractBank) -> None:
        """Every missing field has its fault."""
        with pytest.raises(MethodRefused) as refusal:
            await bank.provider.collect(new_id(), new_id(), MethodKind.DIRECT_DEBIT, {})

        assert {(fault.field, fault.code) for fault in refusal.value.faults} == {
            ("account_holder", "required"),
            ("iban", "required"),
        }

    async def test_opening_moves_no_money(self, bank: ContractBank) -> None:
        """An opened intent waits, unconfirmed."""
        order = await an_order(bank, Case.GOOD_CARD)

        reference = await opened(bank.provider, order)

        assert await bank.provider.look(order.tenant_id, reference) == Unconfirmed()
        assert await bank.moved(order.tenant_id) == []

    async def test_opening_again_gives_the_same_intent(self, bank: ContractBank) -> None:
        """However often an order is opened, and by however many at once, it is one intent."""
        order = await an_order(bank, Case.GOOD_CARD)

        references = await asyncio.gather(*(opened(bank.provider, order) for _ in range(5)))

        assert set(references) == {await bank.provider.open(order)}

    async def test_a_confirmed_payment_takes_the_money_once(self, bank: ContractBank) -> None:
        """A repeated confirmation answers the same and takes nothing more."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)

        assert await bank.provider.confirm(order, reference) == Succeeded()
        assert await bank.provider.confirm(order, reference) == Succeeded()

        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_declined_card_pays_nothing(self, bank: ContractBank) -> None:
        """A decline is final for its intent."""
        order = await an_order(bank, Case.DECLINED_CARD)
        reference = await opened(bank.provider, order)

        declined = Declined(FailureReason.DECLINED)
        assert await bank.provider.confirm(order, reference) == declined
        assert await bank.provider.confirm(order, reference) == declined
        assert await bank.provider.look(order.tenant_id, reference) == declined
        assert await bank.provider.cancel(order, reference) == Cancelled()
        assert await bank.moved(order.tenant_id) == []

    async def test_saving_a_method_moves_no_money(self, bank: ContractBank) -> None:
        """A setup succeeds, and its customer can be charged with the method afterwards."""
        order = await an_order(bank, Case.GOOD_CARD)
        setup = a_setup(order)

        reference = await opened_setup(bank.provider, setup)
        assert await bank.provider.save_method(setup) == reference
        assert await bank.provider.confirm(setup, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == []

        later = await opened(bank.provider, order)
        assert await bank.provider.confirm(order, later) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_nothing_is_taken_after_a_cancellation(self, bank: ContractBank) -> None:
        """A confirmation that arrives after the cancellation is declined."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)

        assert await bank.provider.cancel(order, reference) == Cancelled()
        assert await bank.provider.confirm(order, reference) == Declined(
            FailureReason.INTERRUPTED
        )

        assert await bank.provider.look(order.tenant_id, reference) == Cancelled()
        assert await bank.provider.cancel(order, reference) == Cancelled()
        assert await bank.provider.open(order) == reference
        assert await bank.moved(order.tenant_id) == []

    async def test_a_payment_cannot_be_cancelled(self, bank: ContractBank) -> None:
        """Cancelling after the money was taken says so and changes nothing."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)

        assert await bank.provider.cancel(order, reference) == AlreadySucceeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_an_approved_challenge_takes_the_money(self, bank: ContractBank) -> None:
        """The buyer is sent to a challenge, and only its approval pays."""
        order = await an_order(bank, Case.CHALLENGED_CARD)
        reference = await opened(bank.provider, order)

        challenge = await bank.provider.confirm(order, reference)
        assert isinstance(challenge, NeedsAction)
        assert challenge.url.startswith("http")
        assert await bank.provider.look(order.tenant_id, reference) == challenge
        assert await bank.moved(order.tenant_id) == []

        await bank.answer(order.tenant_id, reference, approve=True)
        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_refused_challenge_declines(self, bank: ContractBank) -> None:
        """Who is refused at the challenge pays nothing."""
        order = await an_order(bank, Case.CHALLENGED_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)

        await bank.answer(order.tenant_id, reference, approve=False)

        assert await bank.provider.look(order.tenant_id, reference) == Declined(
            FailureReason.AUTHENTICATION_FAILED
        )
        assert await bank.moved(order.tenant_id) == []

    async def test_a_cancelled_challenge_cannot_be_approved(self, bank: ContractBank) -> None:
        """An approval that comes after the cancellation takes nothing."""
        order = await an_order(bank, Case.CHALLENGED_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)

        assert await bank.provider.cancel(order, reference) == Cancelled()
        await bank.answer(order.tenant_id, reference, approve=True)

        assert await bank.provider.look(order.tenant_id, reference) == Cancelled()
        assert await bank.moved(order.tenant_id) == []

    async def test_a_debit_is_accepted_first_and_settles_later(
        self, bank: ContractBank
    ) -> None:
        """An accepted debit is pending, too late to cancel, and listed once it is decided."""
        order = await an_order(bank, Case.GOOD_DEBIT)
        reference = await opened(bank.provider, order)

        assert await bank.provider.confirm(order, reference) == Pending()
        assert await bank.provider.look(order.tenant_id, reference) == Pending()
        assert await bank.provider.cancel(order, reference) == AlreadySucceeded(pending=True)
        assert await bank.provider.debits_to_settle() == []
        assert await bank.moved(order.tenant_id) == []

        await bank.let_time_pass(order.tenant_id, reference)
        assert await bank.provider.debits_to_settle() == [(order.tenant_id, reference)]
        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_debit_can_fail_later(self, bank: ContractBank) -> None:
        """A debit without cover is accepted and fails."""
        order = await an_order(bank, Case.FAILING_DEBIT)
        reference = await opened(bank.provider, order)
        assert await bank.provider.confirm(order, reference) == Pending()

        await bank.let_time_pass(order.tenant_id, reference)

        assert await bank.provider.debits_to_settle() == [(order.tenant_id, reference)]
        assert await bank.provider.look(order.tenant_id, reference) == Declined(
            FailureReason.DEBIT_FAILED
        )
        assert await bank.moved(order.tenant_id) == []

    async def test_a_decided_debit_is_listed_until_it_is_acknowledged(
        self, bank: ContractBank
    ) -> None:
        """A caller that dies between listing and recording hears of the debit again."""
        order = await an_order(bank, Case.GOOD_DEBIT)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        await bank.provider.acknowledge_debit(order.tenant_id, reference)
        await bank.let_time_pass(order.tenant_id, reference)

        listed = [(order.tenant_id, reference)]
        assert await bank.provider.debits_to_settle() == listed
        assert await bank.provider.debits_to_settle() == listed
        await bank.provider.acknowledge_debit(order.tenant_id, reference)
        await bank.provider.acknowledge_debit(order.tenant_id, reference)

        assert await bank.provider.debits_to_settle() == []
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_refund_is_given_once_per_key(self, bank: ContractBank) -> None:
        """A repeated refund gives nothing more back; another key does."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)

        for key in ("first", "first", "second"):
            refund = await bank.provider.refund(order.tenant_id, reference, 1000, key)
            assert refund == Refunded()

        assert await bank.moved(order.tenant_id) == [5412, -1000, -1000]

    async def test_no_more_is_refunded_than_was_taken(self, bank: ContractBank) -> None:
        """A refund beyond what is left is refused, whole."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        await bank.provider.refund(order.tenant_id, reference, 5000, "first")

        refund = await bank.provider.refund(order.tenant_id, reference, 413, "second")

        assert isinstance(refund, RefundRefused)
        assert await bank.moved(order.tenant_id) == [5412, -5000]

    async def test_what_is_taken_back_is_told_until_it_is_acknowledged(
        self, bank: ContractBank
    ) -> None:
        """And once more when it comes back; a refund that we asked for is not among it."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        await bank.provider.refund(order.tenant_id, reference, 100, "first")
        await bank.takes_back(order.tenant_id, reference, 700)

        ((tenant_id, taken),) = await bank.provider.reversals_to_record()
        assert await bank.provider.reversals_to_record() == [(tenant_id, taken)]
        assert tenant_id == order.tenant_id
        assert (taken.reference, taken.amount, taken.returned) == (reference, 700, 0)
        assert taken.kind is ReversalKind.DISPUTE
        await bank.gives_back(order.tenant_id, reference)
        await bank.provider.acknowledge_reversal(order.tenant_id, taken)

        ((_, returned),) = await bank.provider.reversals_to_record()
        assert (returned.id, returned.amount, returned.returned) == (taken.id, 700, 700)
        await bank.provider.acknowledge_reversal(order.tenant_id, returned)
        assert await bank.provider.reversals_to_record() == []

    async def test_what_is_too_little_is_said_beforehand(self, bank: ContractBank) -> None:
        """No provider charges a cent; every provider charges ten euros."""
        assert not bank.provider.chargeable(1, "EUR")
        assert bank.provider.chargeable(1000, "EUR")
