"""What every payment provider promises of money: debits, refunds, reversals, currencies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tallystick.domain.orphan import AllRefunded, NotToGive, TakenPayment
from tallystick.domain.payment import (
    AlreadySucceeded,
    Declined,
    FailureReason,
    NotAsked,
    PaymentOrder,
    Pending,
    Refunded,
    RefundRefused,
    Succeeded,
)
from tallystick.domain.reversal import ReversalKind
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tests.providers.contract import Case, ContractBank, an_order, opened


def listed(bank: ContractBank, order: PaymentOrder, reference: str) -> list[tuple[UUID, str]]:
    """The list of decided debits with this one in it, where the provider keeps a list."""
    return [(order.tenant_id, reference)] if bank.lists_debits else []


async def every_payment(
    provider: PaymentProvider, tenant_id: UUID, since: datetime, until: datetime
) -> list[TakenPayment]:
    """Every page of what came between two instants."""
    found: list[TakenPayment] = []
    mark = None
    while True:
        page = await provider.payments_between(tenant_id, since, until, mark)
        found += page.payments
        mark = page.mark
        if mark is None:
            return found


class MoneyContract:
    """Claims about every provider; `bank` is the subclass's fixture."""

    async def test_a_debit_is_accepted_first_and_settles_later(
        self, bank: ContractBank
    ) -> None:
        """An accepted debit is pending, too late to cancel, and told once it is decided."""
        order = await an_order(bank, Case.GOOD_DEBIT)
        reference = await opened(bank.provider, order)

        assert await bank.provider.confirm(order, reference) == Pending()
        assert await bank.provider.look(order.tenant_id, reference) == Pending()
        assert await bank.provider.cancel(order, reference) == AlreadySucceeded(pending=True)
        assert await bank.provider.debits_to_settle() == []
        assert await bank.moved(order.tenant_id) == []

        await bank.let_time_pass(order.tenant_id, reference)
        assert await bank.provider.debits_to_settle() == listed(bank, order, reference)
        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_debit_can_fail_later(self, bank: ContractBank) -> None:
        """A debit without cover is accepted and fails."""
        order = await an_order(bank, Case.FAILING_DEBIT)
        reference = await opened(bank.provider, order)
        assert await bank.provider.confirm(order, reference) == Pending()

        await bank.let_time_pass(order.tenant_id, reference)

        assert await bank.provider.debits_to_settle() == listed(bank, order, reference)
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

        for _ in range(2):
            assert await bank.provider.debits_to_settle() == listed(bank, order, reference)
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

    async def test_a_refund_is_looked_at_without_being_asked_for(
        self, bank: ContractBank
    ) -> None:
        """Before, there is none; then it is there under its key; nothing moves by looking."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        look = bank.provider.look_at_refund

        assert await look(order.tenant_id, reference, "first") == NotAsked()
        await bank.provider.refund(order.tenant_id, reference, 1000, "first")
        assert await look(order.tenant_id, reference, "first") == Refunded()
        assert await look(order.tenant_id, reference, "second") == NotAsked()

        assert await bank.moved(order.tenant_id) == [5412, -1000]

    async def test_a_refund_that_comes_back_is_refused_and_listed(
        self, bank: ContractBank
    ) -> None:
        """Looked at or asked for again it says so; another key gives the money once more."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        await bank.provider.refund(order.tenant_id, reference, 1000, "first")
        assert await bank.provider.failed_refunds() == []

        await bank.refund_comes_back(order.tenant_id, reference, "first")

        for told in (
            await bank.provider.look_at_refund(order.tenant_id, reference, "first"),
            await bank.provider.refund(order.tenant_id, reference, 1000, "first"),
        ):
            assert isinstance(told, RefundRefused)
            assert "did not reach its account" in told.message
        ((tenant_id, about),) = await bank.provider.failed_refunds()
        assert (tenant_id in {None, order.tenant_id}, about) == (True, reference)
        assert await bank.provider.refund(order.tenant_id, reference, 1000, "again") == (
            Refunded()
        )
        assert await bank.moved(order.tenant_id) == [5412, -1000, 1000, -1000]

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

    async def test_what_it_holds_is_listed(self, bank: ContractBank) -> None:
        """Every payment that was taken, with what is left of it; nothing else of the tenant.

        What was never confirmed, was declined, or went back in full is not held.
        """
        before, after = datetime(2024, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        for case in (Case.GOOD_CARD, Case.DECLINED_CARD):
            other = await an_order(bank, case)
            unpaid = await opened(bank.provider, other)
            held = await bank.provider.payment_held(other.tenant_id, unpaid)
            assert held == NotToGive()
            if case is Case.DECLINED_CARD:
                await bank.provider.confirm(other, unpaid)

        async def listed(since: datetime, until: datetime) -> list[TakenPayment]:
            return await every_payment(bank.provider, order.tenant_id, since, until)

        (taken,) = await listed(before, after)
        assert taken.customer_id == order.customer_id
        assert (taken.reference, taken.amount, taken.currency) == (reference, 5412, "EUR")
        assert taken.taken_at > before
        assert await bank.provider.payment_held(order.tenant_id, reference) == taken
        assert await bank.provider.payment_held(new_id(), reference) == NotToGive()
        assert await every_payment(bank.provider, new_id(), before, after) == []

        await bank.provider.refund(order.tenant_id, reference, 412, "part")
        (taken,) = await listed(before, after)
        assert taken.amount == 5000
        later = taken.taken_at + timedelta(days=1)
        assert await listed(later, after) == []
        assert await listed(before, taken.taken_at - timedelta(days=1)) == []

        await bank.provider.refund(order.tenant_id, reference, 5000, "rest")
        assert await listed(before, after) == []
        held = await bank.provider.payment_held(order.tenant_id, reference)
        assert held == AllRefunded()

    async def test_what_is_disputed_was_not_refunded(self, bank: ContractBank) -> None:
        """EUR 4.12 of 54.12 went back, and a dispute took the rest: nothing is left to give."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        await bank.provider.refund(order.tenant_id, reference, 412, "part")

        await bank.takes_back(order.tenant_id, reference, 5000)

        held = await bank.provider.payment_held(order.tenant_id, reference)
        assert held == NotToGive()

    async def test_only_what_was_taken_is_refunded(self, bank: ContractBank) -> None:
        """Nothing of a payment that nobody confirmed, or of one that was cancelled."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)

        refund = await bank.provider.refund(order.tenant_id, reference, 100, "first")
        assert isinstance(refund, RefundRefused)
        await bank.provider.cancel(order, reference)
        refund = await bank.provider.refund(order.tenant_id, reference, 100, "second")

        assert isinstance(refund, RefundRefused)
        assert await bank.moved(order.tenant_id) == []

    @pytest.mark.parametrize(
        ("currency", "amount", "part"),
        [("EUR", 5412, 12), ("JPY", 500, 499), ("KWD", 5120, 1010), ("ISK", 700, 1)],
    )
    async def test_amounts_are_exact_in_every_currency(
        self, bank: ContractBank, currency: str, amount: int, part: int
    ) -> None:
        """JPY 500, KWD 5.120 and ISK 700 are taken and given back as they are written."""
        order = await an_order(bank, Case.GOOD_CARD, amount=amount, currency=currency)
        reference = await opened(bank.provider, order)

        assert await bank.provider.confirm(order, reference) == Succeeded()
        refund = await bank.provider.refund(order.tenant_id, reference, part, "part")

        assert refund == Refunded()
        assert await bank.moved(order.tenant_id) == [amount, -part]
