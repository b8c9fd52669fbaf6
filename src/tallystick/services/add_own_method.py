"""A customer adds a payment method in the portal: saved, never charged on the way.

A long verb in the steps of a purchase: what was typed is claimed as a setup, its provider is
asked with no transaction open and under the setup's own keys, and what came of it is recorded
once, whether the answer comes at once, on the way back from the bank, or when the customer
looks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from tallystick.db import invoicing_entities, method_setups, saved_methods, subscription_writes
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.errors import Forbidden, NotFound
from tallystick.domain.method_setup import MethodSetup, kinds_to_add
from tallystick.domain.payment import (
    Cancelled,
    Declined,
    FailureReason,
    MethodKind,
    NeedsAction,
    PaymentOrder,
    Pending,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.domain.payment_panel import PaymentPanel
from tallystick.services.checkout_view import SellerCard
from tallystick.services.collect_method import collect_method
from tallystick.services.confirm_result import Consent
from tallystick.services.context import Context
from tallystick.services.keep_customer import opened
from tallystick.services.portal_token import OpenedPortal
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.show_portal import OVER, seller_of

_CONSENT: Codec[Consent] = Codec(Consent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adding:
    """What the page needs to ask for a method. `mandate_reference` is that of a new mandate."""

    seller: SellerCard
    panel: PaymentPanel
    kinds: tuple[MethodKind, ...]
    currency: str
    mandate_reference: str | None


@dataclass(frozen=True, slots=True)
class Added:
    """The method is saved, and charged from now on."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not saved."""

    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Challenged:
    """The customer must authenticate at `url` first."""

    url: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The provider has not said yet."""


AddedResult = Added | Refused | Challenged | Unanswered


async def show_adding(portal: OpenedPortal, setup_id: UUID) -> Adding:
    """What a customer is asked for to add a method under this id.

    Raises:
        Forbidden: The token may only look.
        NotFound: Nobody could charge it.
    """
    if not portal.may_manage:
        raise Forbidden("This portal token may look, and change nothing.")
    ctx, customer = portal.context, portal.customer
    provider = ctx.app.provider_of(ctx.tenant, customer.invoicing_entity_id)
    if provider is None:
        raise NotFound("There is no such page.")
    async with ctx.app.database.connection() as tx:
        entity = await invoicing_entities.load(tx, ctx.tenant.id, customer.invoicing_entity_id)
        assert entity is not None, "a customer has its entity"
        return Adding(
            seller=await seller_of(ctx, tx, entity.id),
            panel=provider.panel(),
            kinds=kinds_to_add(
                entity.default_payment_config, entity.creditor_identifier, customer.currency
            ),
            currency=customer.currency,
            mandate_reference=provider.mandate_reference(setup_id),
        )


async def add_own_method(
    portal: OpenedPortal,
    setup_id: UUID,
    kind: MethodKind,
    fields: Mapping[str, str],
    consent: Consent,
    return_url: str,
) -> AddedResult:
    """Save what stands in `fields` as the customer's method, and charge it from now on.

    A long verb. `setup_id` is the same however often one form is sent: a repeat tells what
    became of the first.

    Raises:
        Forbidden: The token may only look.
        MethodRefused: What was typed is no way to pay.
    """
    if not portal.may_manage:
        raise Forbidden("This portal token may look, and change nothing.")
    ctx, customer = portal.context, portal.customer
    if await _load(ctx, customer.id, setup_id) is None:
        entity_id = customer.invoicing_entity_id
        method = await collect_method(ctx, entity_id, setup_id, kind, fields)
        setup = MethodSetup(
            id=setup_id,
            customer_id=customer.id,
            method=method,
            currency=customer.currency,
            return_url=return_url,
            acceptance=consent.acceptance,
            reference=None,
            challenge_url=None,
            state=AttemptState.LIVE,
            failure=None,
            created_at=ctx.now,
        )
        async with ctx.app.transaction() as tx:
            await method_setups.insert(tx, ctx.tenant.id, setup, _CONSENT.dump(consent))
    return await continue_adding(portal, setup_id)


async def continue_adding(portal: OpenedPortal, setup_id: UUID) -> AddedResult:
    """What has become of a setup, asking the provider while it lives.

    Raises:
        NotFound: There is no such setup of this customer.
    """
    ctx, customer = portal.context, portal.customer
    setup = await _load(ctx, customer.id, setup_id)
    if setup is None:
        raise NotFound("There is no such page.")
    if setup.state is not AttemptState.LIVE:
        return _ended(setup)
    provider = ctx.app.provider_named(ctx.tenant, setup.method.provider)
    standing = await _standing(ctx, provider, setup)
    return await retrying(
        ctx.app.database, lambda tx: _record(ctx, tx, customer.id, setup_id, standing)
    )


async def _standing(ctx: Context, provider: PaymentProvider, setup: MethodSetup) -> Standing:
    """Where the provider says that it stands; opened and confirmed where it is not yet."""
    reference = setup.reference
    if reference is not None:
        found = await answer_in_time(ctx, provider.look(ctx.tenant.id, reference)) or Unknown()
        if not isinstance(found, Unconfirmed):
            return found
    order = _order(ctx, setup)
    if reference is None:
        opened = await answer_in_time(ctx, _opened(ctx, provider, order))
        if opened is None:
            return Unknown()
        if isinstance(opened, Declined):
            return opened
        reference = opened
        async with ctx.app.transaction() as tx:
            await method_setups.keep_reference(tx, ctx.tenant.id, setup.id, reference)
    return await answer_in_time(ctx, provider.confirm(order, reference)) or Unknown()


async def _opened(
    ctx: Context, provider: PaymentProvider, order: PaymentOrder
) -> str | Declined:
    return await opened(ctx, provider, order, provider.save_method)


def _order(ctx: Context, setup: MethodSetup) -> PaymentOrder:
    return PaymentOrder(
        tenant_id=ctx.tenant.id,
        attempt_id=setup.id,
        customer_id=setup.customer_id,
        amount=0,
        currency=setup.currency,
        method=setup.method,
        save=True,
        return_url=setup.return_url,
        acceptance=setup.acceptance,
    )


async def _record(
    ctx: Context, tx: Tx, customer_id: UUID, setup_id: UUID, standing: Standing
) -> AddedResult:
    """Write what the provider said, once; who comes later is told how it ended."""
    tenant_id = ctx.tenant.id
    setup = await method_setups.lock(tx, tenant_id, customer_id, setup_id)
    assert setup is not None, "a setup is never deleted"
    if setup.state is not AttemptState.LIVE:
        return _ended(setup)
    match standing:
        case Succeeded() | Pending():
            await subscription_writes.insert_method(
                tx, tenant_id, setup.id, customer_id, setup.method, ctx.now
            )
            await saved_methods.charge_to(tx, tenant_id, customer_id, setup.id, OVER)
            await method_setups.end(tx, tenant_id, setup.id, None, ctx.now)
            return Added()
        case Declined(reason=reason):
            await method_setups.end(tx, tenant_id, setup.id, reason, ctx.now)
            return Refused(reason)
        case Cancelled():
            reason = FailureReason.AUTHENTICATION_ABANDONED
            await method_setups.end(tx, tenant_id, setup.id, reason, ctx.now)
            return Refused(reason)
        case NeedsAction(url=url):
            await method_setups.keep_challenge(tx, tenant_id, setup.id, url)
            return Challenged(url)
        case Unknown() | Unconfirmed():
            return Unanswered()
    assert_never(standing)


def _ended(setup: MethodSetup) -> AddedResult:
    return Added() if setup.failure is None else Refused(setup.failure)


async def _load(ctx: Context, customer_id: UUID, setup_id: UUID) -> MethodSetup | None:
    async with ctx.app.database.connection() as tx:
        return await method_setups.load(tx, ctx.tenant.id, customer_id, setup_id)
