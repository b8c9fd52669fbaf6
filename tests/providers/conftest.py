"""What the tests of providers share."""

from collections.abc import AsyncIterator

import pytest

from tallystick.db.engine import Database
from tests.providers.sandbox_bank import SandboxBank
from tests.providers.stripe_banks import TwinBank
from tests.stripe.account import Account
from tests.stripe.fixtures import local, local_server, merchant, twin, wires
from tests.stripe.twin import Twin

__all__ = ["local", "local_server", "merchant", "twin", "wires"]


@pytest.fixture
def bank(db: Database) -> SandboxBank:
    """A sandbox with an empty memory."""
    return SandboxBank(db)


@pytest.fixture
async def twin_bank(twin: Twin, merchant: Account) -> AsyncIterator[TwinBank]:
    """Stripe's adapter, and a merchant of its own at the twin."""
    bank = TwinBank(twin, merchant)
    yield bank
    await bank.stripe.close()
