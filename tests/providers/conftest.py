"""What the tests of providers share."""

import pytest

from tallystick.db.engine import Database
from tests.providers.sandbox_bank import SandboxBank
from tests.stripe.fixtures import local, local_server, merchant, twin, wires

__all__ = ["local", "local_server", "merchant", "twin", "wires"]


@pytest.fixture
def bank(db: Database) -> SandboxBank:
    """A sandbox with an empty memory."""
    return SandboxBank(db)
