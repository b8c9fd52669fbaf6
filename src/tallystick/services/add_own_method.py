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

from tallystick.db import invoice_locks, invoicing_entities, method_setups, saved_methods
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.errors import Forbidden, NotFound
from tallystick.domain.method_setup import MethodSetup, kinds_to_add
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    MethodKind,
    MethodRefused,
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
from tallystick.services.keep_method import keep_method
from tallystick.services.portal_token import OpenedPortal
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.restart_collection import charge_from_now_on
from tallystick.services.show_portal import OVER, seller_of
from tallystick.services.try_limits import too_many_tries

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
    """The method is saved, and charged from now on; what was open is due for a try."""


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
        panel = provider.panel()
        charged = await saved_methods.currencies_charged(tx, ctx.tenant.id, customer.id, OVER)
        # It is charged for every subscription, and a mandate is in one currency.
        debits = panel.debits if charged <= {customer.currency} else frozenset()
        return Adding(
            seller=await seller_of(ctx, tx, entity.id),
            panel=panel,
            kinds=kinds_to_add(
                entity.default_payment_config,
                entity.creditor_identifier,
                customer.currency,
                debits,
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
    payer: bytes | None = None,
) -> AddedResult:
    """Save what stands in `fields` as the customer's method, and charge it from now on.

    A long verb. `setup_id` is the same however often one form is sent: a repeat tells what
    became of the first. For `payer` see `try_limits`: what is typed here is a try like one at a
    checkout.

    Raises:
        Forbidden: The token may only look.
        MethodRefused: What was typed is no way to pay, or too many tries have failed.
    """
    if not portal.may_manage:
        raise Forbidden("This portal token may look, and change nothing.")
    ctx, customer = portal.context, portal.customer
    if await _load(ctx, customer.id, setup_id) is None:
        async with ctx.app.database.connection() as tx:
            await _refuse_too_many(ctx, tx, customer.id, payer)
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
        await retrying(
            ctx.app.database, lambda tx: _claim(ctx, tx, setup, _CONSENT.dump(consent), payer)
        )
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


async def end_setup(ctx: Context, setup: MethodSetup) -> AddedResult:
    """End a setup that its customer did not come back to: what the provider has kept is kept,
    and what still waits is cancelled.

    A long verb. Without an answer it stays as it is, to be asked about again.
    """
    if setup.state is not AttemptState.LIVE:
        return _ended(setup)
    provider = ctx.app.provider_named(ctx.tenant, setup.method.provider)
    standing = await _ending(ctx, provider, setup)
    return await retrying(
        ctx.app.database, lambda tx: _record(ctx, tx, setup.customer_id, setup.id, standing)
    )


async def _ending(ctx: Context, provider: PaymentProvider, setup: MethodSetup) -> Standing:
    reference = await _reference(ctx, provider, setup)
    if not isinstance(reference, str):
        return reference
    found = await answer_in_time(ctx, provider.look(ctx.tenant.id, reference)) or Unknown()
    if isinstance(found, Succeeded | Pending | Declined | Cancelled):
        return found
    ended = await answer_in_time(ctx, provider.cancel(_order(ctx, setup), reference))
    match ended or Unknown():
        case AlreadySucceeded():
            return Succeeded()
        case answer:
            return answer


async def _refuse_too_many(
    ctx: Context, tx: Tx, customer_id: UUID, payer: bytes | None
) -> None:
    fault = await too_many_tries(ctx, tx, customer_id, payer)
    if fault is not None:
        raise MethodRefused((fault,))


async def _claim(
    ctx: Context, tx: Tx, setup: MethodSetup, consent: str, payer: bytes | None
) -> None:
    """Write the try, unless too many have failed: with the customer locked, exactly counted."""
    await invoice_locks.lock_customer(tx, ctx.tenant.id, setup.customer_id)
    await _refuse_too_many(ctx, tx, setup.customer_id, payer)
    await method_setups.insert(tx, ctx.tenant.id, setup, consent, payer)


async def _standing(ctx: Context, provider: PaymentProvider, setup: MethodSetup) -> Standing:
    """Where the provider says that it stands; opened and confirmed where it is not yet."""
    if setup.reference is not None:
        found = await answer_in_time(ctx, provider.look(ctx.tenant.id, setup.reference))
        if not isinstance(found, Unconfirmed):
            return found or Unknown()
    reference = await _reference(ctx, provider, setup)
    if not isinstance(reference, str):
        return reference
    confirmed = provider.confirm(_order(ctx, setup), reference)
    return await answer_in_time(ctx, confirmed) or Unknown()


async def _reference(
    ctx: Context, provider: PaymentProvider, setup: MethodSetup
) -> str | Declined | Unknown:
    """What the provider calls it, opened under its key and kept if it is not yet."""
    if setup.reference is not None:
        return setup.reference
    reference = await answer_in_time(
        ctx, opened(ctx, provider, _order(ctx, setup), provider.save_method)
    )
    if reference is None or isinstance(reference, Declined):
        return reference or Unknown()
    async with ctx.app.transaction() as tx:
        await method_setups.keep_reference(tx, ctx.tenant.id, setup.id, reference)
    return reference


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
    await invoice_locks.lock_customer(tx, tenant_id, customer_id)
    setup = await method_setups.lock(tx, tenant_id, customer_id, setup_id)
    assert setup is not None, "a setup is never deleted"
    if setup.state is not AttemptState.LIVE:
        return _ended(setup)
    match standing:
        case Succeeded() | Pending():
            await keep_method(ctx, tx, customer_id, setup.id, setup.method, ctx.now)
            await charge_from_now_on(ctx, tx, customer_id, setup.id, setup.method)
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
