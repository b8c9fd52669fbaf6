"""What Stripe sends over HTTP: signed, kept once, answered at once."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tallystick.domain.ids import Prefix, encode
from tallystick.services.connect_provider import connect_provider, disconnect_provider
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.tenant_context import tenant_context
from tests.connected import WEBHOOK_SECRET, keys_of
from tests.http.conftest import Shop, opened
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.news import signed
from tests.stripe.twin import Twin, real_seconds

__all__ = ["merchant", "twin", "wires"]

EVENT = {
    "id": "evt_1",
    "object": "event",
    "livemode": False,
    "type": "payment_intent.succeeded",
    "data": {"object": {"id": "pi_1"}},
}


@pytest.fixture
async def shop(
    database_dsn: str, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    """A shop that can be connected to the twin, by its settings."""
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", key)
    monkeypatch.setenv("TALLYSTICK_STRIPE_API_BASE", twin.api_base)
    async with opened(database_dsn, body_bytes_max=10_000) as shop:
        yield shop


@pytest.fixture
async def connection_id(shop: Shop, merchant: Account) -> UUID:
    """The shop's entity is connected."""
    ctx = await context(shop)
    async with shop.app.transaction() as tx:
        entity_id = shop.tenant.invoicing_entity_id
        return (await connect_provider(ctx.within(tx), entity_id, keys_of(merchant))).id


async def context(shop: Shop) -> Context:
    """The shop's tenant as it is now."""
    now = datetime.now(UTC)  # noqa: TID251
    async with shop.app.database.connection() as tx:
        return await tenant_context(shop.app, tx, shop.tenant.tenant_id, now, "test")


async def sent(
    shop: Shop, connection: str, event: dict[str, Any], secret: str = WEBHOOK_SECRET
) -> httpx.Response:
    """Stripe sends an event."""
    headers, body = signed(event, secret, at=real_seconds())
    url = f"http://testserver/inbound/stripe/{connection}"
    return await shop.client.post(url, content=body, headers=headers)


async def kept(shop: Shop) -> tuple[int, int]:
    """How many events are kept, and how many jobs wait."""
    async with shop.app.database.connection() as tx:
        return (
            await tx.fetchval("select count(*) from provider_events"),
            await tx.fetchval(
                "select count(*) from pgqueuer where entrypoint = 'provider_event'"
            ),
        )


async def test_an_event_is_kept_once_and_answered_at_once(
    shop: Shop, connection_id: UUID
) -> None:
    """Twice is the same as once; what does not concern us is no work."""
    name = encode(Prefix.PROVIDER_CONNECTION, connection_id)
    for _ in range(2):
        answer = await sent(shop, name, EVENT)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await kept(shop) == (1, 1)

    await sent(shop, name, EVENT | {"id": "evt_2", "type": "customer.created"})
    assert await kept(shop) == (2, 1)


@pytest.mark.parametrize("secret", ["whsec_other", ""])
async def test_what_stripe_has_not_signed_is_refused(
    shop: Shop, connection_id: UUID, secret: str
) -> None:
    """Nothing of it is kept, and nothing is said of why."""
    name = encode(Prefix.PROVIDER_CONNECTION, connection_id)
    answer = await sent(shop, name, EVENT, secret)

    assert (answer.status_code, answer.json()) == (400, {"received": False})
    assert await kept(shop) == (0, 0)


async def test_who_is_no_connection_hears_nothing(shop: Shop, connection_id: UUID) -> None:
    """Another id, another kind of id, and no id."""
    for name in (
        encode(Prefix.PROVIDER_CONNECTION, new_id()),
        encode(Prefix.CUSTOMER, connection_id),
        "nobody",
    ):
        assert (await sent(shop, name, EVENT)).status_code == 404
    assert await kept(shop) == (0, 0)


async def test_a_body_has_an_end(shop: Shop, connection_id: UUID) -> None:
    """However it is signed."""
    name = encode(Prefix.PROVIDER_CONNECTION, connection_id)
    assert (await sent(shop, name, EVENT | {"more": "x" * 10_000})).status_code == 413
    assert await kept(shop) == (0, 0)


async def test_a_connection_that_was_disconnected_still_hears(
    shop: Shop, connection_id: UUID
) -> None:
    """Of the debits and disputes of what it began."""
    ctx = await context(shop)
    async with shop.app.transaction() as tx:
        (connection,) = ctx.tenant.connections
        await disconnect_provider(ctx.within(tx), connection)
    name = encode(Prefix.PROVIDER_CONNECTION, connection_id)

    assert (await sent(shop, name, EVENT)).status_code == 200
    assert await kept(shop) == (1, 1)
