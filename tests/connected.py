"""A shop whose entity is connected to an account at the twin of Stripe.

shop = await connect(world, twin, merchant)
await shop.confirm(session_id, method=await shop.typed(Case.GOOD_CARD))
await shop.hears(shop.merchant.events[-1])
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tallystick.db.provider_connections import ConnectionFacts
from tallystick.domain.payment import Method
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.services.connect_provider import (
    AccountKeys,
    connect_provider,
    connections,
)
from tallystick.services.context import Context
from tallystick.services.hear_provider import hear_provider, look_into_event
from tallystick.services.ids import new_id
from tallystick.services.look_after_connections import look_after_connections
from tallystick.services.secret_box import SecretBox
from tallystick.services.tenant_context import tenant_context
from tests.providers.contract import KIND, Case
from tests.providers.stripe_banks import TwinBank
from tests.stripe.account import Account
from tests.stripe.news import signed
from tests.stripe.twin import Twin, real_seconds
from tests.world import World

WEBHOOK_SECRET = "whsec_shop"
BOX = SecretBox([bytes(range(32))])


class Opener:
    """Opens connections as the product does, to the twin; each provider is made once."""

    def __init__(self, twin: Twin, box: SecretBox = BOX) -> None:
        self.twin = twin
        self.box = box
        self.made: dict[ProviderConnection, Stripe] = {}

    def __call__(self, connection: ProviderConnection) -> Stripe:
        """The provider behind a connection."""
        if connection not in self.made:
            place = connection.webhook_secret_place
            keys = StripeKeys(
                secret_key=self.box.open(connection.secret_key, connection.secret_key_place),
                publishable_key=connection.publishable_key,
                webhook_secrets=tuple(
                    self.box.open(one, place) for one in connection.webhook_secrets
                ),
            )
            self.made[connection] = Stripe(
                keys,
                name=connection.name,
                debits=connection.debits,
                api_base=self.twin.api_base,
                script_url=self.twin.script_url,
            )
        return self.made[connection]

    async def close(self) -> None:
        """Let go of every provider."""
        for one in self.made.values():
            await one.close()


def keys_of(merchant: Account, **changes: Any) -> AccountKeys:  # noqa: ANN401
    """What an operator connects an account with."""
    keys = AccountKeys(
        provider="stripe",
        is_live=False,
        account=merchant.id,
        account_name="Acme",
        publishable_key=merchant.publishable_key,
        secret_key=merchant.secret_key,
        webhook_secret=WEBHOOK_SECRET,
    )
    return replace(keys, **changes)


class Connected:
    """A connected shop: the world, and the merchant that it is at the twin."""

    def __init__(self, world: World, bank: TwinBank, connection_id: UUID) -> None:
        self.world = world
        self.bank = bank
        self.merchant = bank.merchant
        self.connection_id = connection_id

    @property
    def name(self) -> str:
        """The provider's name in whatever is asked of it."""
        return f"stripe:{self.connection_id}"

    def at(self, now: datetime) -> "Connected":
        """The same shop at another time."""
        return Connected(self.world.at(now), self.bank, self.connection_id)

    async def typed(self, case: Case) -> Method:
        """A method, typed into Stripe's fields."""
        fields = await self.bank.typed(case)
        world = self.world
        return await world.provider.collect(world.tenant_id, new_id(), KIND[case], fields)

    async def hears(self, event: Mapping[str, Any], secret: str = WEBHOOK_SECRET) -> bool:
        """The twin sends an event; the worker looks into it, as far as it is news."""
        headers, body = signed(dict(event), secret, at=real_seconds())
        lower = {name.lower(): value for name, value in headers.items()}
        now = datetime.now(UTC)  # noqa: TID251
        is_news = await hear_provider(self.world.app, self.connection_id, lower, body, now)
        rows = await self.world.fetch(
            "select id from provider_events where looked_into_at is null order by received_at"
        )
        for row in rows:
            await look_into_event(self.world.ctx, row["id"])
        return is_news

    def told(self, kind: str) -> dict[str, Any]:
        """The newest event of a kind."""
        return next(one for one in reversed(self.merchant.events) if one["type"] == kind)

    async def an_hour_later(self) -> int:
        """Nobody told us anything; the worker looks by itself."""
        await self.world.execute("update provider_connections set check_at = now()")
        now = datetime.now(UTC)  # noqa: TID251
        return await look_after_connections(self.world.app, now, 3600)


async def connect(world: World, opener: Opener, merchant: Account) -> Connected:
    """Connect the shop's entity to a merchant's account."""
    app = replace(world.app, connect=opener, secret_box=BOX)
    world = replace(world, app=app, ctx=replace(world.ctx, app=app))
    async with app.transaction() as tx:
        made = await connect_provider(world.ctx.within(tx), world.entity_id, keys_of(merchant))
    world = replace(world, ctx=await fresh(world))
    return Connected(world, TwinBank(opener.twin, merchant), made.id)


async def connected_and_sold(world: World, opener: Opener, merchant: Account) -> Connected:
    """The same, and it has sold for EUR 49 a month to a card."""
    shop = await connect(world, opener, merchant)
    session = await shop.world.session(await shop.world.customer(), await shop.world.plan())
    await shop.world.confirm(session, method=await shop.typed(Case.GOOD_CARD))
    return shop


async def fresh(world: World) -> Context:
    """The shop's context, read anew."""
    async with world.app.database.connection() as tx:
        ctx = await tenant_context(
            world.app, tx, world.tenant_id, world.ctx.now, world.ctx.actor
        )
    return replace(ctx, now=world.ctx.now)


async def shown_connections(world: World) -> list[ConnectionFacts]:
    """Every connection of the shop's tenant."""
    async with world.app.transaction() as tx:
        return await connections(world.ctx.within(tx))
