"""Stripe's adapter with a test server behind it, as the contract's tests drive them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Protocol
from uuid import UUID

import httpx
from typing_extensions import override

from tallystick.domain.payment import MethodKind, PaymentOrder, Succeeded
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tests.providers.contract import ACCEPTANCE, KIND, Case, opened, order_for
from tests.providers.contract_network import CALLS, Break
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.proxy import Proxy
from tests.stripe.script import (
    Failing,
    Hanging,
    Late,
    Limited,
    Repeated,
    Step,
    Unanswered,
    Unheard,
)
from tests.stripe.twin import Twin
from tests.stripe.wire import NO_TLS

SECRET = "whsec_contract"

STEPS: dict[Break, Step] = {
    Break.UNHEARD: Unheard(),
    Break.UNANSWERED: Unanswered(),
    Break.LATE: Late(),
    Break.REPEATED: Repeated(),
    Break.FAILS: Failing(500),
    Break.FAILS_DONE: Failing(500, done=True),
    Break.HANGS: Hanging(),
    Break.HANGS_DONE: Hanging(done=True),
    Break.LIMITED: Limited(),
}

WHOLE_WITH_ZEROS = {"isk", "ugx"}
"""Stripe counts them in hundredths, which they do not have."""


class TestServer(Protocol):
    """What speaks Stripe's REST."""

    api_base: str
    script_url: str


class StripeBank:
    """What both have in common: the adapter, and methods made as a browser makes them."""

    lists_debits = False
    names_mandates = False
    debits_in = "EUR"
    numbers: ClassVar[Mapping[Case, str]]

    def __init__(
        self,
        server: TestServer,
        secret_key: str,
        publishable_key: str,
        webhook_secret: str = SECRET,
    ) -> None:
        self.server = server
        keys = StripeKeys(
            secret_key=secret_key,
            publishable_key=publishable_key,
            webhook_secrets=("whsec_before", webhook_secret),
        )
        self.stripe = Stripe(keys, api_base=server.api_base, script_url=server.script_url)
        self.provider: PaymentProvider = self.stripe
        self.publishable_key = publishable_key
        self.required = {"payment_token"}

    async def typed(self, case: Case) -> Mapping[str, str]:
        """The token that Stripe's script makes of what was typed."""
        number = self.numbers[case]
        form = (
            {
                "type": "card",
                "card[number]": number,
                "card[exp_month]": "12",
                "card[exp_year]": "2034",
                "card[cvc]": "123",
            }
            if KIND[case] is MethodKind.CARD
            else {
                **self.account(number),
                "billing_details[name]": "Jane Roe",
                "billing_details[email]": "jane@example.com",
            }
        )
        async with httpx.AsyncClient(base_url=self.server.api_base, verify=NO_TLS) as browser:
            answer = await browser.post(
                "/v1/payment_methods", data={**form, "key": self.publishable_key}
            )
        return {"payment_token": answer.raise_for_status().json()["id"]}

    def account(self, number: str) -> dict[str, str]:
        """What Stripe's script sends of an account that was typed."""
        return {"type": "sepa_debit", "sepa_debit[iban]": number}

    def last4(self, case: Case) -> str:
        """The end of this method's number."""
        return self.numbers[case][-4:]


class TwinBank(StripeBank):
    """The twin, where this merchant is alone."""

    numbers: ClassVar[Mapping[Case, str]] = {
        Case.GOOD_CARD: "4242424242424242",
        Case.DECLINED_CARD: "4000000000000002",
        Case.CHALLENGED_CARD: "4000002500003155",
        Case.GOOD_DEBIT: "DE89370400440532013000",
        Case.FAILING_DEBIT: "DE62370400440532013001",
    }

    def __init__(self, twin: Twin, merchant: Account) -> None:
        super().__init__(twin, merchant.secret_key, merchant.publishable_key)
        self.twin = twin
        self.merchant = merchant

    async def answer(self, _: UUID, reference: str, *, approve: bool) -> None:
        """Answer a challenge as the buyer does."""
        (at.approve if approve else at.refuse)(self.merchant, reference)

    async def let_time_pass(self, _: UUID, reference: str) -> None:
        """Make the time of an accepted debit come."""
        at.settle(self.merchant, reference)

    async def takes_back(self, _: UUID, reference: str, amount: int) -> None:
        """The payer's bank takes a part of a payment back."""
        at.dispute(self.merchant, reference, amount)

    async def gives_back(self, _: UUID, reference: str) -> None:
        """That dispute is won."""
        (found,) = self.merchant.objects["dispute"].values()
        assert found["payment_intent"] == reference
        at.decide_dispute(self.merchant, found["id"], won=True)

    async def moved(self, _: UUID) -> list[int]:
        """The merchant's ledger, in minor units of ISO 4217."""
        return [
            one.amount // 100 if one.currency in WHOLE_WITH_ZEROS else one.amount
            for one in self.merchant.ledger
        ]

    def breaks(self, call: str, *how: Break) -> None:
        """What becomes of the next calls of one kind on the network."""
        self.merchant.script(CALLS[call], *(STEPS[one] for one in how))

    async def deliver_late(self) -> None:
        """Let the calls arrive that were late."""
        self.twin.arrive_late(self.merchant)

    async def intents(self) -> int:
        """How many payments were opened."""
        return len(self.merchant.objects["payment_intent"])


class BacsBank(TwinBank):
    """A merchant at the twin who takes Bacs debits."""

    debits_in = "GBP"
    numbers: ClassVar[Mapping[Case, str]] = {
        **TwinBank.numbers,
        Case.GOOD_DEBIT: "108800 00012345",
        Case.FAILING_DEBIT: "108800 22222227",
    }

    def __init__(self, twin: Twin, merchant: Account) -> None:
        merchant.types = ("card", "bacs_debit")
        super().__init__(twin, merchant)

    @override
    def account(self, number: str) -> dict[str, str]:
        """With the address, which Bacs asks for."""
        sort_code, account = number.split()
        home = {
            "line1": "1 High Street",
            "city": "Leeds",
            "postal_code": "LS1",
            "country": "GB",
        }
        address = {f"billing_details[address][{name}]": told for name, told in home.items()}
        typed = {"bacs_debit[sort_code]": sort_code, "bacs_debit[account_number]": account}
        return {"type": "bacs_debit", **typed, **address}


class BecsBank(TwinBank):
    """A merchant at the twin who takes BECS debits."""

    debits_in = "AUD"
    numbers: ClassVar[Mapping[Case, str]] = {
        **TwinBank.numbers,
        Case.GOOD_DEBIT: "000000 000123456",
        Case.FAILING_DEBIT: "000000 222222227",
    }

    def __init__(self, twin: Twin, merchant: Account) -> None:
        merchant.types = ("card", "au_becs_debit")
        super().__init__(twin, merchant)

    @override
    def account(self, number: str) -> dict[str, str]:
        """Branch and account."""
        bsb, account = number.split()
        typed = {"au_becs_debit[bsb_number]": bsb, "au_becs_debit[account_number]": account}
        return {"type": "au_becs_debit", **typed}


class LocalBank(StripeBank):
    """localstripe behind the proxy."""

    numbers: ClassVar[Mapping[Case, str]] = {
        Case.GOOD_CARD: "4242424242424242",
        # The one that localstripe declines when it is charged.
        Case.DECLINED_CARD: "4000000000000341",
        Case.CHALLENGED_CARD: "4000002500003155",
        Case.GOOD_DEBIT: "DE89370400440532013000",
        Case.FAILING_DEBIT: "DE62370400440532013001",
    }

    def __init__(self, local: Proxy, webhook_secret: str = SECRET) -> None:
        super().__init__(local, local.secret_key, local.publishable_key, webhook_secret)
        self.local = local

    async def answer(self, _: UUID, reference: str, *, approve: bool) -> None:
        """Answer a challenge as the buyer does."""
        await self.local.answer(reference, approve=approve)

    async def let_time_pass(self, _: UUID, __: str) -> None:
        """Wait until localstripe has decided a debit, which takes half a second."""
        await asyncio.sleep(0.6)

    async def takes_back(self, _: UUID, reference: str, amount: int) -> None:
        """Localstripe knows no disputes."""
        raise NotImplementedError

    async def gives_back(self, _: UUID, reference: str) -> None:
        """Localstripe knows no disputes."""
        raise NotImplementedError

    async def moved(self, _: UUID) -> list[int]:
        """What localstripe has taken and given back, in minor units of ISO 4217."""
        return [
            amount // 100 if currency in WHOLE_WITH_ZEROS else amount
            for amount, currency in await self.local.moved()
        ]

    def breaks(self, call: str, *how: Break) -> None:
        """What becomes of the next calls of one kind on the network."""
        self.local.script(CALLS[call], *(STEPS[one] for one in how))

    async def deliver_late(self) -> None:
        """Let the calls arrive that were late."""
        await self.local.arrive_late()

    async def intents(self) -> int:
        """How many payments were opened."""
        return await self.local.intents()


async def order_by(
    bank: TwinBank, token: str, *, amount: int = 5412, currency: str = "EUR"
) -> PaymentOrder:
    """An order of a known customer, paid with what a test token stands for."""
    tenant_id = new_id()
    method = await bank.stripe.collect(
        tenant_id, new_id(), MethodKind.CARD, {"payment_token": token}
    )
    order = replace(order_for(tenant_id, method, amount=amount), currency=currency)
    known = await bank.stripe.keep_customer(
        tenant_id, order.customer_id, name="Jane Roe", email="jane@example.com"
    )
    return replace(order, customer_reference=known, acceptance=ACCEPTANCE)


async def paid(bank: TwinBank, order: PaymentOrder) -> str:
    """The reference of an order that was paid."""
    reference = await opened(bank.stripe, order)
    assert await bank.stripe.confirm(order, reference) == Succeeded()
    return reference
