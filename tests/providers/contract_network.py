"""What a payment provider promises whose calls go over a network that breaks."""

import asyncio
from enum import StrEnum
from typing import Protocol

import pytest

from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    NeedsAction,
    Refunded,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tests.providers.contract import (
    Case,
    ContractBank,
    a_setup,
    an_order,
    opened,
    opened_setup,
)

CALLS = {
    "open": "payment_intents.create",
    "save_method": "setup_intents.create",
    "confirm": "payment_intents.confirm",
    "confirm_setup": "setup_intents.confirm",
    "cancel": "payment_intents.cancel",
    "look": "payment_intents.retrieve",
    "refund": "refunds.create",
    "keep_customer": "customers.create",
    "update_customer": "customers.update",
    "forget_method": "payment_methods.detach",
}
"""The port's calls, and what each asks of the server."""


class Break(StrEnum):
    """What becomes of a call on its way."""

    UNHEARD = "UNHEARD"
    """It never arrives."""
    UNANSWERED = "UNANSWERED"
    """It is done, and its answer is lost."""
    LATE = "LATE"
    """It arrives when nobody waits for it any more."""
    REPEATED = "REPEATED"
    """It arrives twice."""
    FAILS = "FAILS"
    """The server fails, and has done nothing."""
    FAILS_DONE = "FAILS_DONE"
    """The server fails after it was done."""
    HANGS = "HANGS"
    """It is not done, and there is no end of waiting."""
    HANGS_DONE = "HANGS_DONE"
    """It is done, and there is no end of waiting."""
    LIMITED = "LIMITED"
    """Too many at once: it was not looked at."""


class NetworkBank(ContractBank, Protocol):
    """A provider under test, and the network before it."""

    def breaks(self, call: str, *how: Break) -> None:
        """What becomes of the next calls of one kind on the network."""
        ...

    async def deliver_late(self) -> None:
        """Let the calls arrive that were late."""
        ...

    async def intents(self) -> int:
        """How many payments were opened."""
        ...


class NetworkContract:
    """Claims about providers behind a network; `bank` is the subclass's fixture."""

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.FAILS, Break.LATE])
    async def test_a_confirmation_that_did_nothing_can_be_cancelled(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """No answer is `Unknown`; what was not done is cancelled, also when it comes late."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", how)

        assert await bank.provider.confirm(order, reference) == Unknown()
        assert await bank.provider.look(order.tenant_id, reference) == Unconfirmed()
        assert await bank.provider.cancel(order, reference) == Cancelled()
        await bank.deliver_late()

        assert await bank.provider.look(order.tenant_id, reference) == Cancelled()
        assert await bank.moved(order.tenant_id) == []

    @pytest.mark.parametrize("how", [Break.UNANSWERED, Break.FAILS_DONE])
    async def test_a_confirmation_whose_answer_is_lost_has_paid(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Looking tells it, cancelling comes too late, and nothing is taken again."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", how)

        assert await bank.provider.confirm(order, reference) == Unknown()
        assert await bank.moved(order.tenant_id) == [5412]
        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.provider.cancel(order, reference) == AlreadySucceeded()
        assert await bank.provider.confirm(order, reference) in {Succeeded(), Unknown()}

        assert await bank.moved(order.tenant_id) == [5412]

    @pytest.mark.parametrize(("how", "paid"), [(Break.HANGS, []), (Break.HANGS_DONE, [5412])])
    async def test_a_time_out_says_nothing_of_the_money(
        self, bank: NetworkBank, how: Break, paid: list[int]
    ) -> None:
        """Who gives up waiting looks: it was taken before, or it can be cancelled."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", how)

        confirming = asyncio.create_task(bank.provider.confirm(order, reference))
        while paid and await bank.moved(order.tenant_id) != paid:
            assert not confirming.done(), "there is no answer"
            await asyncio.sleep(0.02)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(confirming, 0.1)

        looked = await bank.provider.look(order.tenant_id, reference)
        assert looked == (Succeeded() if paid else Unconfirmed())
        ended = await bank.provider.cancel(order, reference)
        assert ended == (AlreadySucceeded() if paid else Cancelled())
        assert await bank.moved(order.tenant_id) == paid

    async def test_a_late_confirmation_takes_nothing_twice(self, bank: NetworkBank) -> None:
        """It was repeated meanwhile: what arrives late hears the answer of the other."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", Break.LATE)

        assert await bank.provider.confirm(order, reference) == Unknown()
        assert await bank.provider.confirm(order, reference) == Succeeded()
        await bank.deliver_late()

        assert await bank.moved(order.tenant_id) == [5412]

    async def test_a_late_confirmation_pays_what_nobody_cancelled(
        self, bank: NetworkBank
    ) -> None:
        """That nothing was found proves nothing: it pays when it arrives, and is told."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", Break.LATE)

        assert await bank.provider.confirm(order, reference) == Unknown()
        assert await bank.provider.look(order.tenant_id, reference) == Unconfirmed()
        await bank.deliver_late()

        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.provider.cancel(order, reference) == AlreadySucceeded()
        assert await bank.moved(order.tenant_id) == [5412]

    @pytest.mark.parametrize("how", [Break.REPEATED, Break.LIMITED])
    async def test_what_the_network_repeats_is_done_once(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Calls that arrive twice, or were not looked at first, open, pay and refund once."""
        order = await an_order(bank, Case.GOOD_CARD)
        for call in ("open", "confirm", "refund"):
            bank.breaks(call, how)

        reference = await opened(bank.provider, order)
        assert await bank.provider.confirm(order, reference) == Succeeded()
        refund = await bank.provider.refund(order.tenant_id, reference, 1000, "key")

        assert refund == Refunded()
        assert await bank.moved(order.tenant_id) == [5412, -1000]
        assert await bank.intents() == 1

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.UNANSWERED, Break.LATE])
    async def test_an_order_is_opened_once(self, bank: NetworkBank, how: Break) -> None:
        """Without an answer nothing is returned; the same order finds the same intent."""
        order = await an_order(bank, Case.GOOD_CARD)
        bank.breaks("open", how)

        with pytest.raises(Exception, match=r".+"):
            await bank.provider.open(order)
        reference = await opened(bank.provider, order)
        await bank.deliver_late()

        assert await bank.provider.open(order) == reference
        assert await bank.intents() == 1
        assert await bank.moved(order.tenant_id) == []

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.UNANSWERED, Break.LATE, Break.FAILS])
    async def test_a_cancellation_is_asked_again(self, bank: NetworkBank, how: Break) -> None:
        """Without an answer nobody knows; asked again, nothing is ever taken."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("cancel", how)

        assert await bank.provider.cancel(order, reference) in {Unknown(), Cancelled()}
        assert await bank.provider.cancel(order, reference) == Cancelled()
        await bank.deliver_late()

        assert await bank.provider.confirm(order, reference) == Declined(
            FailureReason.INTERRUPTED
        )
        assert await bank.moved(order.tenant_id) == []

    async def test_a_late_cancellation_does_not_undo_a_payment(self, bank: NetworkBank) -> None:
        """It comes after the money was taken, and changes nothing."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("cancel", Break.LATE)

        assert await bank.provider.cancel(order, reference) == Unknown()
        assert await bank.provider.confirm(order, reference) == Succeeded()
        await bank.deliver_late()

        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.UNANSWERED, Break.LATE])
    async def test_a_refund_without_an_answer_is_given_once(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Asked again under its key, it is given once, whatever arrives later."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        bank.breaks("refund", how)

        asked = (order.tenant_id, reference, 1000, "key")
        assert await bank.provider.refund(*asked) == Unknown()
        assert await bank.provider.refund(*asked) == Refunded()
        await bank.deliver_late()

        assert await bank.provider.refund(*asked) == Refunded()
        assert await bank.moved(order.tenant_id) == [5412, -1000]

    async def test_a_decline_whose_answer_is_lost_is_told_later(
        self, bank: NetworkBank
    ) -> None:
        """Looking tells it, and so does asking again."""
        order = await an_order(bank, Case.DECLINED_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", Break.UNANSWERED)

        declined = Declined(FailureReason.DECLINED)
        assert await bank.provider.confirm(order, reference) == Unknown()
        assert await bank.provider.look(order.tenant_id, reference) == declined
        assert await bank.provider.confirm(order, reference) == declined
        assert await bank.provider.cancel(order, reference) == Cancelled()
        assert await bank.moved(order.tenant_id) == []

    async def test_a_challenge_whose_answer_is_lost_is_found(self, bank: NetworkBank) -> None:
        """Looking tells where the buyer must go, and the buyer can still pay there."""
        order = await an_order(bank, Case.CHALLENGED_CARD)
        reference = await opened(bank.provider, order)
        bank.breaks("confirm", Break.UNANSWERED)

        assert await bank.provider.confirm(order, reference) == Unknown()
        found = await bank.provider.look(order.tenant_id, reference)
        assert isinstance(found, NeedsAction)
        await bank.answer(order.tenant_id, reference, approve=True)

        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()
        assert await bank.moved(order.tenant_id) == [5412]

    async def test_nobody_guesses_where_it_stands(self, bank: NetworkBank) -> None:
        """A look without an answer is `Unknown`, and the next one tells."""
        order = await an_order(bank, Case.GOOD_CARD)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        bank.breaks("look", Break.UNHEARD, Break.FAILS)

        for _ in range(2):
            assert await bank.provider.look(order.tenant_id, reference) == Unknown()
        assert await bank.provider.look(order.tenant_id, reference) == Succeeded()

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.UNANSWERED])
    async def test_a_setup_without_an_answer_is_repeated(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Opened and confirmed again, it is one setup, and saves the method."""
        setup = a_setup(await an_order(bank, Case.GOOD_CARD))
        bank.breaks("save_method", how)
        bank.breaks("confirm_setup", how)

        with pytest.raises(Exception, match=r".+"):
            await bank.provider.save_method(setup)
        reference = await opened_setup(bank.provider, setup)
        assert await bank.provider.confirm(setup, reference) == Unknown()
        assert await bank.provider.confirm(setup, reference) == Succeeded()

        assert await bank.provider.look(setup.tenant_id, reference) == Succeeded()
        assert await bank.moved(setup.tenant_id) == []

    @pytest.mark.parametrize("how", [Break.UNHEARD, Break.UNANSWERED, Break.LATE, Break.FAILS])
    async def test_a_customer_without_an_answer_is_kept_once(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Asked again under the same name, it is the same customer."""
        order = await an_order(bank, Case.GOOD_CARD)
        asked = (order.tenant_id, order.customer_id)
        bank.breaks("keep_customer", how)

        with pytest.raises(Exception, match=r".+"):
            await bank.provider.keep_customer(*asked, name="Joan Roe", email=None)
        kept = await bank.provider.keep_customer(*asked, name="Joan Roe", email=None)
        await bank.deliver_late()

        assert kept == await bank.provider.keep_customer(*asked, name="Joan Roe", email=None)
        assert kept != order.customer_reference
