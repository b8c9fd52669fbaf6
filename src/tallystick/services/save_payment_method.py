"""Save a payment method of a customer without a checkout: test numbers, in test tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from tallystick.db import customers, saved_methods
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Busy, Conflict, Fault, InvalidInput, NotFound, sentence
from tallystick.domain.payment import (
    Declined,
    FailureReason,
    Method,
    MethodKind,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Pending,
    Succeeded,
    Unknown,
)
from tallystick.services.collect_method import collect_method
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.keep_customer import opened
from tallystick.services.keep_method import keep_method
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.restart_collection import restart_collection

BUSY_SECONDS = 5
"""When to ask again after a provider that gave no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A customer's method on file, as the provider keeps it."""

    id: UUID
    customer_id: UUID
    method: Method
    created_at: datetime


async def save_payment_method(
    ctx: Context,
    id_or_alias: UUID | str,
    method_id: UUID,
    kind: MethodKind,
    fields: Mapping[str, str],
) -> PaymentMethod:
    """Keep what stands in `fields` as the customer's newest method; no money moves here.

    What is open of what is charged automatically is tried again with it, by whoever collects.
    A long verb. `method_id` is the id that the method gets, the same for every repeat of one
    request: what was saved is not saved again.

    Raises:
        NotFound: There is no such customer.
        Conflict: The tenant is live, or its entity connected to an account; the customer is
            archived; or the provider declined.
        InvalidInput: The fields are no test number, each fault by its field.
        Busy: The provider gave no answer.
    """
    if not ctx.tenant.is_test:
        raise Conflict(
            "Numbers are taken in test tenants only; a live method is saved by its "
            "owner at a checkout."
        )
    customer = await _customer(ctx, id_or_alias)
    if ctx.tenant.connection_of(customer.invoicing_entity_id) is not None:
        raise Conflict(
            "Numbers are taken by the test bank only, and this customer's entity is connected "
            "to an account: a method is saved by its owner at a checkout."
        )
    known = await _saved(ctx, customer.id, method_id)
    if known is not None:
        return known
    try:
        entity_id = customer.invoicing_entity_id
        method = await collect_method(ctx, entity_id, method_id, kind, fields)
    except MethodRefused as refused:
        raise InvalidInput(sentence(refused.faults), refused.faults) from None
    await _keep_at_provider(ctx, customer, method)
    async with ctx.app.transaction() as tx:
        await keep_method(ctx, tx, customer.id, method_id, method, ctx.now)
        await restart_collection(ctx, tx, customer.id, method_id, method)
    return PaymentMethod(
        id=method_id, customer_id=customer.id, method=method, created_at=ctx.now
    )


async def _customer(ctx: Context, id_or_alias: UUID | str) -> CustomerRecord:
    async with ctx.app.database.connection() as tx:
        customer = await customers.load(tx, ctx.tenant.id, id_or_alias)
    if customer is None:
        raise NotFound("There is no such customer.")
    if customer.archived_at is not None:
        raise Conflict("This customer is archived.")
    return customer


async def _saved(ctx: Context, customer_id: UUID, method_id: UUID) -> PaymentMethod | None:
    async with ctx.app.database.connection() as tx:
        one = await saved_methods.load(tx, ctx.tenant.id, customer_id, method_id)
    if one is None:
        return None
    return PaymentMethod(
        id=one.id, customer_id=customer_id, method=one.method, created_at=one.created_at
    )


async def _keep_at_provider(ctx: Context, customer: CustomerRecord, method: Method) -> None:
    """Have the provider keep the method for later charges.

    Each run asks under keys of its own: it moves no money, and what was typed is a new token.
    """
    provider = ctx.app.provider_named(ctx.tenant, method.provider)
    order = PaymentOrder(
        tenant_id=ctx.tenant.id,
        attempt_id=new_id(),
        customer_id=customer.id,
        amount=0,
        currency=customer.currency,
        method=method,
        save=True,
        return_url=ctx.app.public_url,
    )
    reference = await answer_in_time(ctx, _opened(ctx, provider, order))
    if isinstance(reference, Declined):
        raise _declined(reference.reason)
    outcome = (
        Unknown()
        if reference is None
        else (await answer_in_time(ctx, provider.confirm(order, reference)) or Unknown())
    )
    match outcome:
        case Succeeded() | Pending():
            return
        case Declined(reason=reason):
            raise _declined(reason)
        case NeedsAction():
            # Nobody is there to authenticate.
            raise _declined(FailureReason.AUTHENTICATION_FAILED)
        case Unknown():
            raise Busy("The payment provider gave no answer; ask again.", BUSY_SECONDS)
    assert_never(outcome)


async def _opened(
    ctx: Context, provider: PaymentProvider, order: PaymentOrder
) -> str | Declined:
    return await opened(ctx, provider, order, provider.save_method)


def _declined(reason: FailureReason) -> Conflict:
    fault = Fault("payment_method", reason.value.lower(), "was declined by the provider")
    return Conflict(f"The payment method was declined: {reason.value}.", (fault,))
