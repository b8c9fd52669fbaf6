"""Fixtures of the test servers; a folder's conftest imports those that its tests use."""

from collections.abc import Iterator

import pytest

from tests.stripe.account import Account
from tests.stripe.twin import Twin
from tests.stripe.wire import Wires


@pytest.fixture(scope="session")
def wires() -> Iterator[Wires]:
    """The thread in which the servers of this process listen."""
    with Wires() as wires:
        yield wires


@pytest.fixture(scope="session")
def twin(wires: Wires) -> Twin:
    """The twin of Stripe; each test makes merchants of its own at it."""
    return Twin(wires)


@pytest.fixture
def merchant(twin: Twin) -> Account:
    """A merchant of this test alone."""
    return twin.merchant()
