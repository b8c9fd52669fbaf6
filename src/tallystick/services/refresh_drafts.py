"""Take late usage into drafts, before they are finalized: the recipe is followed once more."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import coupon_redemptions, draft_recipes, invoice_facts
from tallystick.db.draft_recipes import RecipeFacts
from tallystick.db.engine import Tx
from tallystick.domain.invoice import (
    customer_snapshot,
    invoice_lines,
    seller_snapshot,
    subtotal_recurring,
)
from tallystick.domain.renewal import (
    Recipe,
    RenewalFacts,
    bill_of,
    coupons_used,
    still_applying,
)
from tallystick.services.context import Context
from tallystick.services.events import record
from tallystick.services.ids import new_id
from tallystick.services.meter_usage import Asked, meter_usage
from tallystick.services.quoting import vat_number_valid


async def refresh_drafts(ctx: Context, tx: Tx, invoice_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Bill the usage that came since locked drafts were made, and return those without lines.

    Drafts whose usage is as it was are left as they are.
    """
    known = await draft_recipes.load(tx, ctx.tenant.id, invoice_ids)
    metered = await meter_usage(
        ctx,
        tx,
        [
            Asked(
                customer_id=one.customer.id,
                meters=one.recipe.meters,
                currency=one.recipe.currency,
            )
            for one in known
        ],
    )
    changed = [
        (one, replace(one.recipe, metered=charges))
        for one, charges in zip(known, metered, strict=True)
        if charges != one.recipe.metered
    ]
    coupons = {coupon.redemption_id for _, recipe in changed for coupon in recipe.coupons}
    uses = await coupon_redemptions.lock_uses(tx, ctx.tenant.id, coupons)
    rewritten = []
    for one, recipe in changed:
        again = _rewritten(ctx, one, still_applying(recipe, uses))
        rewritten.append(again)
        for used in again.used:
            uses[used.redemption_id] += 1
        for used in again.before:
            uses[used.redemption_id] -= 1
    await draft_recipes.rewrite(tx, ctx.tenant.id, rewritten, ctx.now)
    for one, recipe in changed:
        if recipe.lines and not one.recipe.lines:
            # It has lines for the first time: nobody was told of it while it was empty.
            body = await invoice_facts.event_body(tx, ctx.tenant.id, one.invoice_id)
            await record(ctx.within(tx), "invoice.created", one.invoice_id, body)
    return frozenset(
        one.invoice_id
        for one, charges in zip(known, metered, strict=True)
        if not replace(one.recipe, metered=charges).lines
    )


def _rewritten(ctx: Context, known: RecipeFacts, recipe: Recipe) -> draft_recipes.Rewritten:
    details = known.customer.details
    facts = RenewalFacts(
        customer=known.customer,
        entity=known.entity,
        buyer=known.customer.tax_buyer(
            details, vat_number_valid=vat_number_valid(details) is True
        ),
        product_taxes=known.product_taxes,
    )
    made = bill_of(recipe, facts)
    lines = invoice_lines(made)
    return draft_recipes.Rewritten(
        invoice_id=known.invoice_id,
        customer=customer_snapshot(known.customer, details, ctx.now),
        seller=seller_snapshot(known.entity),
        made=made,
        lines=lines,
        line_ids=tuple(new_id() for _ in lines),
        subtotal_recurring=subtotal_recurring(made),
        before=known.recipe.used,
        used=coupons_used(recipe, made),
    )
