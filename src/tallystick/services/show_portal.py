"""Gather what the portal shows: of one customer, and of nobody else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from tallystick.db import (
    checkout_facts,
    collections,
    document_facts,
    due_contracts,
    invoices,
    invoicing_entities,
    kept_invoices,
    saved_methods,
    subscriptions,
)
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.db.paging import Window
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionEntry
from tallystick.domain.cancellation import cancelled
from tallystick.domain.collection import SavedMethod, method_to_charge
from tallystick.domain.errors import Conflict, InvalidInput, NotFound
from tallystick.domain.explain_invoice import InvoiceExplanation, explain_invoice
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.life import is_over
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.next_charge import NextCharge, next_charge
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.quote import ProductTax
from tallystick.services.checkout_view import SellerCard
from tallystick.services.context import Context
from tallystick.services.method_on_file import method_on_file
from tallystick.services.portal_token import OpenedPortal
from tallystick.services.portal_view import OwnInvoice, OwnSubscription, PortalView
from tallystick.services.take_steps import renewal_facts

SUBSCRIPTIONS_MAX = 50
"""The newest of them; nobody has more that are not over."""
INVOICES_PER_PAGE = 12

OVER = tuple(status.value for status in SubscriptionStatus if not status.is_live)
"""The statuses of subscriptions that are charged no more."""

_SHOWN = (
    InvoiceStatus.FINALIZED.value,
    InvoiceStatus.VOID.value,
    InvoiceStatus.UNCOLLECTIBLE.value,
)
"""A draft is nothing yet that its customer could rely on."""

_PAYABLE = frozenset(
    {PaymentStatus.UNPAID, PaymentStatus.PARTIALLY_PAID, PaymentStatus.ERRORED}
)


async def show_portal(portal: OpenedPortal, page: int) -> PortalView:
    """The overview, with a page of the invoices, counted from 0."""
    ctx, customer = portal.context, portal.customer
    provider = ctx.app.provider_of(ctx.tenant, customer.invoicing_entity_id)
    newest = Window(limit=SUBSCRIPTIONS_MAX, offset=0, order="created_at", descending=True)
    billed = Window(
        limit=INVOICES_PER_PAGE,
        offset=page * INVOICES_PER_PAGE,
        order="invoice_date",
        descending=True,
    )
    async with ctx.app.database.connection() as tx:
        own = await subscriptions.page(tx, ctx.tenant.id, newest, customer=customer.id)
        found = await invoices.page(
            tx, ctx.tenant.id, billed, customer=customer.id, statuses=_SHOWN
        )
        methods: list[SavedMethod] = []
        if provider is not None:
            methods = await saved_methods.of_customer(
                tx, ctx.tenant.id, customer.id, provider.name, None
            )
        charged = await saved_methods.own_of_subscriptions(tx, ctx.tenant.id, customer.id, OVER)
        return PortalView(
            customer=customer,
            seller=await seller_of(ctx, tx, customer.invoicing_entity_id),
            today=ctx.today,
            subscriptions=await _own(ctx, tx, own.items),
            invoices=found.items,
            invoices_total=found.total,
            methods=tuple(sorted(methods, key=lambda one: one.created_at, reverse=True)),
            charged=_charged(methods, charged, ctx.now),
            can_add_method=provider is not None,
        )


def _charged(
    methods: Sequence[SavedMethod], own: Sequence[UUID | None], now: datetime
) -> frozenset[UUID]:
    """The methods that subscriptions with these own methods are charged to."""
    chosen = (
        method_to_charge([replace(one, is_own=one.id == wanted) for one in methods], now)
        for wanted in own
    )
    return frozenset(one.id for one in chosen if one is not None)


async def show_own_subscription(portal: OpenedPortal, subscription_id: UUID) -> OwnSubscription:
    """A subscription of the portal's customer.

    Raises:
        NotFound: It is none of hers.
    """
    ctx = portal.context
    async with ctx.app.database.connection() as tx:
        entry = await own_subscription(portal, tx, subscription_id)
        (found,) = await _own(ctx, tx, (entry,))
    return found


async def show_own_invoice(portal: OpenedPortal, invoice_id: UUID) -> OwnInvoice:
    """An invoice of the portal's customer, with the way in which its figures came about.

    Raises:
        NotFound: It is none of hers, or a draft.
    """
    ctx = portal.context
    async with ctx.app.database.connection() as tx:
        entry = await own_invoice(portal, tx, invoice_id)
        provider = ctx.app.provider_of(ctx.tenant, entry.invoicing_entity_id)
        own_method = await collections.own_method_of(tx, ctx.tenant.id, invoice_id)
        pays_with = await method_on_file(ctx, tx, provider, portal.customer.id, own_method)
        explanation = await explained(ctx, tx, invoice_id)
        document = await document_facts.of_invoice(
            tx, ctx.tenant.id, invoice_id, ctx.tenant.time_zone
        )
    assert document is not None, "it was just read"
    owes = entry.status.is_owed and entry.amount_due > 0
    return OwnInvoice(
        entry=entry,
        explanation=explanation,
        pays_with=pays_with,
        account=document.facts.transferred_to if owes else None,
        can_be_paid=provider is not None
        and pays_with is not None
        and entry.status.is_owed
        and entry.payment_status in _PAYABLE
        and provider.chargeable(entry.amount_due, entry.currency),
    )


async def seller_of(ctx: Context, tx: Tx, entity_id: UUID) -> SellerCard:
    """The entity that bills a customer, as it shows itself."""
    entity = await invoicing_entities.load(tx, ctx.tenant.id, entity_id)
    assert entity is not None, "a customer has its entity"
    return SellerCard(
        legal_name=entity.legal_name,
        address=entity.address,
        vat_number=entity.vat_number,
        creditor_identifier=entity.creditor_identifier,
        logo_url=entity.logo_url,
        brand_color=entity.brand_color,
        email=entity.email,
        is_test=ctx.tenant.is_test,
        bank_account=None,
    )


async def own_subscription(
    portal: OpenedPortal, tx: Tx, subscription_id: UUID
) -> SubscriptionEntry:
    """A subscription of the portal's customer; raises `NotFound` for anybody else's."""
    found = await subscriptions.load(tx, portal.context.tenant.id, subscription_id)
    if found is None or found.subscription.customer_id != portal.customer.id:
        raise NotFound("There is no such subscription.")
    return found.subscription


async def own_invoice(portal: OpenedPortal, tx: Tx, invoice_id: UUID) -> InvoiceEntry:
    """An invoice of the portal's customer; raises `NotFound` for anybody else's, and drafts."""
    found = await invoices.load(tx, portal.context.tenant.id, invoice_id)
    if (
        found is None
        or found.customer_id != portal.customer.id
        or found.status is InvoiceStatus.DRAFT
    ):
        raise NotFound("There is no such invoice.")
    return found


async def _own(
    ctx: Context, tx: Tx, entries: tuple[SubscriptionEntry, ...]
) -> tuple[OwnSubscription, ...]:
    found = await due_contracts.read(tx, ctx.tenant.id, [one.id for one in entries])
    contracts = {one.contract.id: one for one in found}
    products = {item.product_id for one in found for item in one.contract.items}
    taxes = await checkout_facts.load_product_taxes(tx, ctx.tenant.id, list(products))
    own = []
    for entry in entries:
        due = contracts[entry.id]
        contract = due.contract
        over = is_over(contract) or not contract.status.is_live
        ends = None if over or contract.cancelled_on else _ends_if_cancelled(ctx, due)
        own.append(
            OwnSubscription(
                entry=entry,
                next=None if over or entry.billing_error else _next(ctx, due, taxes),
                is_charged=contract.is_charged,
                is_over=over,
                ends_if_cancelled=ends,
                can_be_kept=not over
                and contract.cancelled_on is not None
                and contract.cancelled_on > ctx.today,
            )
        )
    return tuple(own)


def _next(
    ctx: Context, due: DueContract, taxes: Mapping[UUID, ProductTax]
) -> NextCharge | None:
    try:
        return next_charge(due.contract, renewal_facts(due, taxes), ctx.now)
    except (AmountTooLarge, InvalidInput, Conflict):
        # It cannot be billed as it stands; that is for its merchant to hear.
        return None


def _ends_if_cancelled(ctx: Context, due: DueContract) -> date | None:
    if due.is_being_paid:
        return None
    try:
        return cancelled(due.contract, None, ctx.today).cancelled_on
    except (Conflict, InvalidInput):
        return None


async def explained(ctx: Context, tx: Tx, invoice_id: UUID) -> InvoiceExplanation | None:
    """How the figures of an invoice came about; None where they are not what they come to."""
    kept = await kept_invoices.load(tx, ctx.tenant.id, invoice_id)
    assert kept is not None, "it was just read"
    try:
        return explain_invoice(kept)
    except Conflict:
        return None
