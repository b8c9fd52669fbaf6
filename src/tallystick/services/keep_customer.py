"""The customer as a provider knows it: made once per connection, before anything is opened."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from tallystick.db import customers, provider_customers
from tallystick.db.provider_customers import ToldCustomer
from tallystick.domain.payment import CustomerGone, Declined, FailureReason, PaymentOrder
from tallystick.services.context import Context
from tallystick.services.ports import PaymentProvider

_MADE_AT_MOST = 2
"""For how many customers an order is opened: who was deleted there is made once more."""


async def opened(
    ctx: Context,
    provider: PaymentProvider,
    order: PaymentOrder,
    ask: Callable[[PaymentOrder], Awaitable[str | Declined]],
) -> str | Declined:
    """What `ask` answers to the order of a customer that the provider knows.

    Raises:
        Exception: The provider gave no answer.
    """
    for _ in range(_MADE_AT_MOST):
        known = await with_customer(ctx, provider, order)
        try:
            return await ask(known)
        except CustomerGone:
            async with ctx.app.database.connection() as tx:
                await provider_customers.forget(
                    tx,
                    ctx.tenant.id,
                    provider.name,
                    order.customer_id,
                    known.customer_reference,
                )
    return Declined(FailureReason.PROCESSING_ERROR)


async def with_customer(
    ctx: Context, provider: PaymentProvider, order: PaymentOrder
) -> PaymentOrder:
    """The order with its customer's reference at the provider, who is told of new ones.

    The first reference that is stored stays: every later order has it, so a repeated order is
    the same. A connection only knows customers; the test bank knows them by our own ids.

    Raises:
        Exception: The provider gave no answer.
    """
    if ctx.tenant.connection_named(provider.name) is None:
        return order
    reference = await _reference(ctx, provider, order.customer_id)
    return replace(order, customer_reference=reference)


async def _reference(ctx: Context, provider: PaymentProvider, customer_id: UUID) -> str | None:
    tenant_id = ctx.tenant.id
    async with ctx.app.database.connection() as tx:
        kept = await provider_customers.find(tx, tenant_id, provider.name, customer_id)
        if kept is not None:
            return kept
        customer = await customers.load(tx, tenant_id, customer_id)
    assert customer is not None, "an order has its customer"
    made = await provider.keep_customer(
        tenant_id,
        customer_id,
        name=customer.name,
        email=customer.billing_email,
    )
    if made is None:
        return None
    told = ToldCustomer(
        provider=provider.name,
        customer_id=customer_id,
        name=customer.name,
        email=customer.billing_email,
    )
    async with ctx.app.database.connection() as tx:
        return await provider_customers.keep(tx, tenant_id, told, made)
