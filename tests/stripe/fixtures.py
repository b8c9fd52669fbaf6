"""Fixtures of the test servers; a folder's conftest imports those that its tests use."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.connected import Opener
from tests.stripe.account import Account
from tests.stripe.proxy import Proxy, localstripe
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


@pytest.fixture
async def opener(twin: Twin) -> AsyncIterator[Opener]:
    """Opens connections to the twin."""
    opener = Opener(twin)
    yield opener
    await opener.close()


@pytest.fixture(scope="session")
def local_server(wires: Wires) -> Iterator[Proxy]:
    """Localstripe behind our proxy; started for the first test that asks."""
    with localstripe() as origin:
        proxy = Proxy(wires, origin)
        yield proxy
        wires.run(proxy.close())


@pytest.fixture
async def local(local_server: Proxy) -> Proxy:
    """The same, with an empty memory."""
    await local_server.forget()
    return local_server
