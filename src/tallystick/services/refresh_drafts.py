"""Take late usage into drafts, before they are finalized: the recipe is followed once more."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import draft_recipes
from tallystick.db.draft_recipes import RecipeFacts
from tallystick.db.engine import Tx
from tallystick.domain.invoice import invoice_lines, subtotal_recurring
from tallystick.domain.renewal import Recipe, RenewalFacts, bill_of, coupons_used
from tallystick.services.context import Context
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
    rewritten, empty = [], set()
    for one, charges in zip(known, metered, strict=True):
        recipe = one.recipe
        if charges != recipe.metered:
            rewritten.append(_rewritten(one, replace(recipe, metered=charges)))
        if not charges and not recipe.charges:
            empty.add(one.invoice_id)
    await draft_recipes.rewrite(tx, ctx.tenant.id, rewritten, ctx.now)
    return frozenset(empty)


def _rewritten(known: RecipeFacts, recipe: Recipe) -> draft_recipes.Rewritten:
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
        made=made,
        lines=lines,
        line_ids=tuple(new_id() for _ in lines),
        subtotal_recurring=subtotal_recurring(made),
        before=known.recipe.used,
        used=coupons_used(recipe, made),
    )
