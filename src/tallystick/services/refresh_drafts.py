"""Make drafts again: take late usage in before they are finalized, or whenever it is asked.

The recipe is followed once more; what has none bills what it billed, taxed anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import coupon_redemptions, draft_recipes, invoice_facts, kept_invoices
from tallystick.db.checkout_facts import load_product_taxes
from tallystick.db.draft_recipes import RecipeFacts
from tallystick.db.engine import Tx
from tallystick.domain.errors import Busy
from tallystick.domain.explain_invoice import billed_again
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
    taxes_on,
)
from tallystick.services.context import Context
from tallystick.services.events import record
from tallystick.services.ids import new_id
from tallystick.services.meter_usage import Asked, meter_usage
from tallystick.services.quoting import vat_number_valid

BUSY_SECONDS = 15
"""When to ask again while a payment's outcome is not known."""


async def refresh_drafts(
    ctx: Context, tx: Tx, invoice_ids: Sequence[UUID], *, always: bool = False
) -> frozenset[UUID]:
    """Bill the usage that came since locked drafts were made, and return those without lines.

    Drafts whose usage is as it was are left as they are, unless they are `always` made again:
    for the customer as it is now, with its taxes and what its coupons have left.
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
        if always or charges != one.recipe.metered
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


async def tax_again(ctx: Context, tx: Tx, invoice_id: UUID) -> None:
    """Tax a locked draft that waits for no usage anew, for the customer as it is now.

    What it charges and what coupons take off stay; so does the tax of what is given back.

    Raises:
        Busy: It carries the lines of other drafts, which are just being charged.
    """
    kept = await kept_invoices.load(tx, ctx.tenant.id, invoice_id)
    assert kept is not None, "it is locked"
    if kept.members:
        raise Busy("The drafts of this invoice are being charged; ask again.", BUSY_SECONDS)
    customer, entity = await draft_recipes.load_parties(tx, ctx.tenant.id, invoice_id)
    details = customer.details
    taxes = await load_product_taxes(
        tx, ctx.tenant.id, list({line.product_id for line in kept.lines})
    )
    decision_of = taxes_on(
        kept.invoice_date,
        RenewalFacts(
            customer=customer,
            entity=entity,
            buyer=customer.tax_buyer(
                details, vat_number_valid=vat_number_valid(details) is True
            ),
            product_taxes=taxes,
        ),
    )
    made = billed_again(
        kept,
        lambda line: (
            line.explanation.decision
            if line.explanation.quoted_amount < 0
            else decision_of(line.product_id)
        ),
    )
    again = draft_recipes.Rewritten(
        invoice_id=invoice_id,
        customer=customer_snapshot(customer, details, ctx.now),
        seller=seller_snapshot(entity),
        made=made,
        lines=invoice_lines(made),
        line_ids=tuple(line.id for line in kept.lines),
        subtotal_recurring=subtotal_recurring(made),
        before=(),
        used=(),
    )
    await draft_recipes.rewrite(tx, ctx.tenant.id, [again], ctx.now)


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
    lines, used = invoice_lines(made), coupons_used(recipe, made)
    return draft_recipes.Rewritten(
        invoice_id=known.invoice_id,
        customer=customer_snapshot(known.customer, details, ctx.now),
        seller=seller_snapshot(known.entity),
        made=made,
        lines=lines,
        line_ids=tuple(new_id() for _ in lines),
        subtotal_recurring=subtotal_recurring(made),
        before=known.recipe.used,
        used=used,
        # A coupon that is used up elsewhere may be free again when it is made the next time.
        recipe=replace(known.recipe, metered=recipe.metered, used=used),
    )
