"""What every payment provider promises, written against the port.

A provider's test module subclasses `ProviderContract` and `MoneyContract`
(`contract_money.py`), and one behind a network `NetworkContract` too (`contract_network.py`);
it gives a `bank` fixture: its provider and the few things that only its own test bank can do.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import pytest

from tallystick.domain.payment import (
    Acceptance,
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Succeeded,
    Unconfirmed,
)
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider

RETURN_URL = "https://pay.example.com/c/1?step=return"
ACCEPTANCE = Acceptance(
    at=datetime(2024, 2, 1, 12, tzinfo=UTC), ip="203.0.113.5", user_agent="Mozilla/5.0"
)


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
    lists_debits: bool
    """Whether it lists accepted debits once they are decided; else each is looked at."""
    names_mandates: bool
    """Whether a mandate has its reference before it is signed."""
    debits_in: str
    """The currency that its debits are in."""
    required: set[str]
    """The fields of a debit's form that must not be empty."""

    async def typed(self, case: Case) -> Mapping[str, str]:
        """What the page posts for this method."""
        ...

    def last4(self, case: Case) -> str:
        """The end of this method's number."""
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
    bank: ContractBank,
    case: Case,
    *,
    amount: int = 5412,
    save: bool = False,
    currency: str | None = None,
) -> PaymentOrder:
    """A new order of a new customer of a new tenant, paid by a method of this case.

    It is in euros where nothing is said, a debit in the bank's currency.
    """
    if currency is None:
        currency = bank.debits_in if KIND[case] is MethodKind.DIRECT_DEBIT else "EUR"
    tenant_id, customer_id = new_id(), new_id()
    typed = await bank.typed(case)
    method = await bank.provider.collect(tenant_id, new_id(), KIND[case], typed)
    known = await bank.provider.keep_customer(
        tenant_id, customer_id, name="Jane Roe", email="jane@example.com"
    )
    order = order_for(tenant_id, method, amount=amount, save=save, customer_id=customer_id)
    return replace(order, currency=currency, customer_reference=known, acceptance=ACCEPTANCE)


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
        assert order.method.card_last4 == bank.last4(Case.GOOD_CARD)
        assert await bank.moved(order.tenant_id) == []

    async def test_a_debit_comes_with_its_mandate(self, bank: ContractBank) -> None:
        """An account shows its last four digits, and its mandate's reference if it has one."""
        order = await an_order(bank, Case.GOOD_DEBIT)

        assert order.method.account_hint == bank.last4(Case.GOOD_DEBIT)
        assert (order.method.mandate_reference is not None) == bank.names_mandates
        assert order.method.card_last4 is None

    async def test_an_empty_form_is_refused_field_by_field(self, bank: ContractBank) -> None:
        """Every missing field has its fault."""
        with pytest.raises(MethodRefused) as refusal:
            await bank.provider.collect(new_id(), new_id(), MethodKind.DIRECT_DEBIT, {})

        assert {(fault.field, fault.code) for fault in refusal.value.faults} == {
            (field, "required") for field in bank.required
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

    async def test_what_is_too_little_is_said_beforehand(self, bank: ContractBank) -> None:
        """No provider charges a cent; every provider charges ten euros."""
        assert not bank.provider.chargeable(1, "EUR")
        assert bank.provider.chargeable(1000, "EUR")

    async def test_a_customer_is_kept_once(self, bank: ContractBank) -> None:
        """Under the same name and address it is the same customer, or none is kept."""
        tenant_id, customer_id = new_id(), new_id()

        kept = [
            await bank.provider.keep_customer(
                tenant_id, customer_id, name="Jane Roe", email="jane@example.com"
            )
            for _ in range(3)
        ]

        assert len(set(kept)) == 1

    async def test_an_abandoned_challenge_takes_nothing(self, bank: ContractBank) -> None:
        """Nobody answers it: it stands as long as it is looked at, and can be cancelled."""
        order = await an_order(bank, Case.CHALLENGED_CARD)
        reference = await opened(bank.provider, order)
        challenge = await bank.provider.confirm(order, reference)

        for _ in range(2):
            assert await bank.provider.look(order.tenant_id, reference) == challenge
        assert await bank.provider.cancel(order, reference) == Cancelled()
        assert await bank.provider.look(order.tenant_id, reference) == Cancelled()
        assert await bank.moved(order.tenant_id) == []

    @pytest.mark.parametrize("first", ["confirm", "cancel"])
    async def test_all_who_ask_at_once_hear_one_truth(
        self, bank: ContractBank, first: str
    ) -> None:
        """Of confirmations and cancellations at the same time, either all won or none."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        pays = [bank.provider.confirm(order, reference) for _ in range(3)]
        ends = [bank.provider.cancel(order, reference) for _ in range(3)]

        calls = [*pays, *ends] if first == "confirm" else [*ends, *pays]
        outcomes = set(await asyncio.gather(*calls))

        if await bank.moved(order.tenant_id):
            assert outcomes == {Succeeded(), AlreadySucceeded()}
            assert await bank.moved(order.tenant_id) == [5412]
        else:
            assert outcomes == {Declined(FailureReason.INTERRUPTED), Cancelled()}

    async def test_a_challenged_setup_saves_when_it_is_approved(
        self, bank: ContractBank
    ) -> None:
        """Saving asks the buyer too, and moves no money."""
        setup = a_setup(await an_order(bank, Case.CHALLENGED_CARD))
        reference = await opened_setup(bank.provider, setup)

        challenge = await bank.provider.confirm(setup, reference)
        assert isinstance(challenge, NeedsAction)
        assert await bank.provider.look(setup.tenant_id, reference) == challenge
        await bank.answer(setup.tenant_id, reference, approve=True)

        assert await bank.provider.look(setup.tenant_id, reference) == Succeeded()
        assert await bank.moved(setup.tenant_id) == []

    async def test_a_saved_method_cannot_be_unsaved(self, bank: ContractBank) -> None:
        """Cancelling after it was saved says so and changes nothing."""
        setup = a_setup(await an_order(bank, Case.GOOD_CARD))
        reference = await opened_setup(bank.provider, setup)
        await bank.provider.confirm(setup, reference)

        assert await bank.provider.cancel(setup, reference) == AlreadySucceeded()
        assert await bank.provider.look(setup.tenant_id, reference) == Succeeded()

    async def test_an_account_is_saved_without_money(self, bank: ContractBank) -> None:
        """A mandate is signed; whether the account can pay shows when it is charged."""
        setup = a_setup(await an_order(bank, Case.FAILING_DEBIT))
        reference = await opened_setup(bank.provider, setup)

        assert await bank.provider.confirm(setup, reference) == Succeeded()
        assert await bank.moved(setup.tenant_id) == []
