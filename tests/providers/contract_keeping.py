"""What a payment provider promises about what it keeps: methods let go, customers told anew."""

from dataclasses import replace
from uuid import UUID

import pytest

from tallystick.domain.payment import Method, PaymentOrder, Succeeded
from tallystick.services.ids import new_id
from tests.providers.contract import Case, ContractBank, a_setup, an_order, opened_setup
from tests.providers.contract_network import Break, NetworkBank

KEY = "first:forget"


async def a_saved_method(bank: ContractBank) -> PaymentOrder:
    """An order of a customer whose card was saved."""
    setup = a_setup(await an_order(bank, Case.GOOD_CARD))
    reference = await opened_setup(bank.provider, setup)
    assert await bank.provider.confirm(setup, reference) == Succeeded()
    return setup


async def kept(bank: ContractBank, order: PaymentOrder) -> Method | None:
    """The order's method, as the provider keeps it."""
    return await bank.provider.look_at_method(order.tenant_id, order.method.token)


class KeepingContract:
    """Claims about what every provider keeps; `bank` is the subclass's fixture."""

    async def test_a_method_is_let_go(self, bank: ContractBank) -> None:
        """Nobody can charge it any more; twice, under any key, is the same as once."""
        order = await a_saved_method(bank)
        found = await kept(bank, order)
        assert found is not None
        assert found.card_last4 == bank.last4(Case.GOOD_CARD)

        for key in (KEY, KEY, "second:forget"):
            await bank.provider.forget_method(order.tenant_id, order.method.token, key=key)

        assert await kept(bank, order) is None
        assert await bank.moved(order.tenant_id) == []

    async def test_what_nobody_keeps_is_let_go(self, bank: ContractBank) -> None:
        """An unknown method is no fault: there is nothing to do."""
        await bank.provider.forget_method(new_id(), "pm_of_nobody", key=KEY)

    async def test_an_unknown_customer_is_not_told(self, bank: ContractBank) -> None:
        """Nor is one that the provider keeps no more."""
        await bank.provider.update_customer(
            new_id(), "cus_of_nobody", name="Jane Roe", email=None, key="first:told:1"
        )

    async def test_a_customer_is_told_anew(self, bank: ContractBank) -> None:
        """However often, and she can be charged as before."""
        order = await a_saved_method(bank)
        for version, email in enumerate(("jane@example.com", None, "jane@example.com")):
            await _tell(bank, order, "Jane Doe", email, f"{order.customer_id}:told:{version}")

        again = replace(a_setup(order), attempt_id=new_id())
        reference = await opened_setup(bank.provider, again)
        assert await bank.provider.confirm(again, reference) == Succeeded()


class KeepingNetworkContract:
    """Claims about what is kept behind a network; `bank` is the subclass's fixture."""

    @pytest.mark.parametrize(
        "how",
        [Break.UNHEARD, Break.UNANSWERED, Break.LATE, Break.FAILS, Break.FAILS_DONE],
    )
    async def test_a_method_is_let_go_after_all(self, bank: NetworkBank, how: Break) -> None:
        """No answer is said to be none; the same question again ends it, whatever happened."""
        order = await a_saved_method(bank)
        bank.breaks("forget_method", how)
        token = order.method.token

        with pytest.raises(Exception, match=r".+"):
            await bank.provider.forget_method(order.tenant_id, token, key=KEY)
        await bank.provider.forget_method(order.tenant_id, token, key=KEY)
        await bank.deliver_late()

        assert await kept(bank, order) is None

    @pytest.mark.parametrize(
        "how",
        [Break.UNHEARD, Break.UNANSWERED, Break.FAILS, Break.FAILS_DONE],
    )
    async def test_a_customer_is_told_after_all(self, bank: NetworkBank, how: Break) -> None:
        """Without an answer that is said, and the same question again is answered."""
        order = await a_saved_method(bank)
        bank.breaks("update_customer", how)

        with pytest.raises(Exception, match=r".+"):
            await _tell(bank, order, "Jane Doe", None, "told:1")
        await _tell(bank, order, "Jane Doe", None, "told:1")

    @pytest.mark.parametrize("how", [Break.REPEATED, Break.LIMITED])
    async def test_what_the_network_repeats_is_one_answer(
        self, bank: NetworkBank, how: Break
    ) -> None:
        """Calls that arrive twice, or were not looked at first, need nobody to ask again."""
        order = await a_saved_method(bank)
        for call in ("forget_method", "update_customer"):
            bank.breaks(call, how)

        await _tell(bank, order, "Jane Doe", None, "told:1")
        await bank.provider.forget_method(order.tenant_id, order.method.token, key=KEY)

        assert await kept(bank, order) is None


async def _tell(
    bank: ContractBank, order: PaymentOrder, name: str, email: str | None, key: str
) -> None:
    reference: str = order.customer_reference or "none"
    tenant_id: UUID = order.tenant_id
    await bank.provider.update_customer(tenant_id, reference, name=name, email=email, key=key)
