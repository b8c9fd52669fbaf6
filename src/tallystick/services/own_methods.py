"""What a customer does with the payment methods on file: choose one, and take one away."""

from uuid import UUID

from tallystick.db import saved_methods
from tallystick.db.engine import Tx, retrying
from tallystick.db.invoice_locks import lock_customer
from tallystick.domain.collection import SavedMethod, method_to_charge
from tallystick.domain.errors import Conflict, Forbidden, NotFound
from tallystick.services.context import Context
from tallystick.services.keep_method import remove_method
from tallystick.services.method_events import RemovedBy
from tallystick.services.portal_token import OpenedPortal
from tallystick.services.restart_collection import charge_from_now_on
from tallystick.services.show_portal import OVER


async def use_own_method(portal: OpenedPortal, method_id: UUID) -> None:
    """Charge every subscription of the customer to this method from now on.

    What is open of what is charged automatically is tried with it, as with one that is added,
    unless it has failed with it before.

    Raises:
        Forbidden: The token may only look.
        NotFound: It is none of hers, or kept by a provider that charges nothing any more.
    """
    ctx = _managing(portal)
    customer = portal.customer
    customer_id = customer.id
    provider = ctx.app.provider_of(ctx.tenant, customer.invoicing_entity_id)

    async def use(tx: Tx) -> None:
        await lock_customer(tx, ctx.tenant.id, customer_id)
        chosen = await own_method(portal, tx, method_id)
        if provider is None or chosen.method.provider != provider.name:
            raise NotFound("There is no such payment method.")
        await charge_from_now_on(ctx, tx, customer_id, chosen.id, chosen.method)

    await retrying(ctx.app.database, use)


async def remove_own_method(portal: OpenedPortal, method_id: UUID) -> None:
    """Charge a method no more. What was paid with it stays as it is.

    Raises:
        Forbidden: The token may only look.
        NotFound: It is none of hers.
        Conflict: Subscriptions are charged by themselves, and nothing else can be charged.
    """
    ctx = _managing(portal)
    customer_id = portal.customer.id

    async def remove(tx: Tx) -> None:
        await lock_customer(tx, ctx.tenant.id, customer_id)
        method = await own_method(portal, tx, method_id)
        if not await can_be_removed(ctx, tx, customer_id, method):
            raise Conflict("Add another method first: your subscriptions are charged to this.")
        await remove_method(ctx, tx, customer_id, method_id, RemovedBy.CUSTOMER)

    await retrying(ctx.app.database, remove)


async def own_method(portal: OpenedPortal, tx: Tx, method_id: UUID) -> SavedMethod:
    """A method of the portal's customer; raises `NotFound` for anybody else's."""
    found = await saved_methods.load(
        tx, portal.context.tenant.id, portal.customer.id, method_id
    )
    if found is None:
        raise NotFound("There is no such payment method.")
    return found


async def can_be_removed(ctx: Context, tx: Tx, customer_id: UUID, method: SavedMethod) -> bool:
    """Whether something else can be charged, or nothing is charged by itself."""
    charged = await saved_methods.own_of_subscriptions(tx, ctx.tenant.id, customer_id, OVER)
    if not charged:
        return True
    saved = await saved_methods.of_customer(
        tx, ctx.tenant.id, customer_id, method.method.provider, None
    )
    others = [one for one in saved if one.id != method.id]
    return method_to_charge(others, ctx.now) is not None


def _managing(portal: OpenedPortal) -> Context:
    if not portal.may_manage:
        raise Forbidden("This portal token may look, and change nothing.")
    return portal.context
