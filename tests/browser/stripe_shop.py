"""A shop that is paid through Stripe's adapter, with what stands for Stripe behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.services.connect_provider import AccountKeys, connect_provider
from tallystick.services.context import App
from tallystick.services.ports import PaymentProvider
from tallystick.services.secret_box import SecretBox
from tests.browser.shop import Pages, Shop, open_shop, served
from tests.providers.stripe_banks import TestServer


class Merchant(Protocol):
    """An account at the twin, or that of localstripe."""

    publishable_key: str
    secret_key: str

    @property
    def id(self) -> str:
        """`acct_...`."""
        ...


@contextmanager
def served_with_stripe(dsn: str, stands_for_stripe: TestServer) -> Iterator[Pages]:
    """Serve the pages; whoever is connected is paid through Stripe, or what stands for it."""
    box = SecretBox([bytes(32)])
    made: dict[ProviderConnection, Stripe] = {}

    def connect(connection: ProviderConnection) -> PaymentProvider:
        if connection not in made:
            keys = StripeKeys(
                secret_key=box.open(connection.secret_key, connection.secret_key_place),
                publishable_key=connection.publishable_key,
                webhook_secrets=(),
            )
            made[connection] = Stripe(
                keys,
                name=connection.name,
                debits=connection.debits,
                api_base=stands_for_stripe.api_base,
                script_url=stands_for_stripe.script_url,
            )
        return made[connection]

    def wire(app: App) -> App:
        return replace(app, connect=connect, secret_box=box)

    with served(dsn, wire=wire) as pages:
        yield pages
        for one in made.values():
            pages.run(one.close())


def connected_shop(pages: Pages, merchant: Merchant) -> Shop:
    """A merchant whose entity is connected to its account, which takes every debit."""
    shop = open_shop(pages)
    keys = AccountKeys(
        provider="stripe",
        is_live=False,
        account=merchant.id,
        account_name="Acme",
        publishable_key=merchant.publishable_key,
        secret_key=merchant.secret_key,
        debits=tuple(DebitScheme),
    )

    async def connect() -> None:
        world = shop.world
        async with world.database.transaction() as tx:
            found = await connect_provider(world.ctx.within(tx), world.entity_id, keys)
        tenant = replace(world.ctx.tenant, connections=(found,))
        world.ctx = replace(world.ctx, tenant=tenant)

    shop.run(connect())
    return shop
