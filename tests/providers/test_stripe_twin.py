"""Stripe's adapter keeps the port's promises, on the twin."""

from collections.abc import AsyncIterator

import pytest

from tests.providers.contract import ProviderContract
from tests.providers.contract_money import MoneyContract
from tests.providers.contract_network import NetworkContract
from tests.providers.stripe_banks import TwinBank
from tests.stripe.account import Account
from tests.stripe.twin import Twin


@pytest.fixture
async def bank(twin: Twin, merchant: Account) -> AsyncIterator[TwinBank]:
    """The adapter, and a merchant of its own at the twin."""
    bank = TwinBank(twin, merchant)
    yield bank
    await bank.stripe.close()


class TestStripeKeepsTheContract(ProviderContract, MoneyContract, NetworkContract):
    """Every claim about providers holds for Stripe."""
